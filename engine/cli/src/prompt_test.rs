//! `prompt-test`: what a new prompt would decide, asked at the recorded decisions of logs.
//!
//! Nothing is asked before it is known how often, and what was paid for can be kept.

mod asking;
mod kind;
mod markdown;
mod patience;
mod saved;
mod told;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use dacapo_kernel::{System, Unfit, plan_of};
use dacapo_lab::golden::{CaseKind, find};
use dacapo_lab::rehearing::{Docket, GivenReplies, Recorded, RecordedError, Share, Tally};

use crate::exit::{Exit, Problem};
use crate::import::refuse_imported;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::Screen;
use crate::text::counted;
use crate::values::wall_time;

use self::asking::Live;
use self::patience::{Patience, Waited, seconds};
use self::told::Told;

/// Which logs, which prompt, and when it is not good enough.
#[derive(Args, Debug)]
pub(crate) struct PromptTestArgs {
    /// Logs that `record` wrote (.dlog, .dlog.gz), and folders that have them
    #[arg(value_name = "GOLDEN", required = true)]
    logs: Vec<PathBuf>,
    /// The file with the new template
    #[arg(long, value_name = "FILE")]
    template: PathBuf,
    /// Which decisions the template is for: `resolutions`, or the name of whoever decides; those of one kind where a log
    /// has several
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// How many replies to each decision: 1, or with --replies all that the file has, unless given
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    samples: Option<u32>,
    /// Take the replies from this file, a JSON object a line, and ask nobody
    #[arg(long, value_name = "FILE")]
    replies: Option<PathBuf>,
    /// Write each reply into this new file as soon as it is there, for --replies
    #[arg(long, value_name = "FILE", conflicts_with = "replies")]
    save_replies: Option<PathBuf>,
    /// Ask nothing at all where more questions than this would be asked
    #[arg(long, value_name = "N", default_value_t = 100)]
    budget_calls: u64,
    /// Wait so long in all, and no longer, for services that ask for it because they are asked too often
    #[arg(long, value_name = "TIME", value_parser = wall_time, default_value = "2m")]
    max_wait: Duration,
    /// Fail if more than this share of the decisions flips: 0.1 or 10%
    #[arg(long, value_name = "RATE", value_parser = rate)]
    max_flip_rate: Option<f64>,
    /// Fail if more than this share of the replies is invalid: 0.1 or 10%
    #[arg(long, value_name = "RATE", value_parser = rate)]
    max_invalid_rate: Option<f64>,
    /// Add a summary in Markdown to this file
    #[arg(long, value_name = "PATH")]
    summary: Option<PathBuf>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 4] = [
    (
        "prompt-test golden.dlog --template new.txt --samples 5",
        "five replies to each decision",
    ),
    (
        "prompt-test golden/ --template new.txt --max-flip-rate 10%",
        "a gate: 1 if more flip",
    ),
    (
        "prompt-test a.dlog --template new.txt --of NAME",
        "what NAME decides by a prompt of its own",
    ),
    (
        "prompt-test a.dlog --template new.txt --replies kept.jsonl",
        "from kept replies",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nA decision flips if at least half of its replies decide otherwise than was recorded. A reply is read\n\
     and validated as in a run; what comes behind the decision is not run again. Intervals are of 95 %\n\
     (Wilson). A model may flip by itself: try the old template first.\n\
     Exit: 0 fine, 1 above a threshold, 2 the template, a file or a service is wrong, or the budget\n\
     too small, 4 no decision, or no reply to some of them, 6 a log is damaged.";

/// The longest file with a template that is looked at; what a template may be is up to the system.
const TEMPLATE_BYTES_MAX: u64 = 1024 * 1024;

pub(crate) fn prompt_test<S: System>(
    args: &PromptTestArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let template = template(&args.template)?;
    let mut recorded = Vec::new();
    let logs = logs(&args.logs)?;
    for (at, log) in logs.iter().enumerate() {
        if logs[..at].contains(log) {
            return Err(Problem::usage(format!("{} is given twice", shown(log))));
        }
        recorded.push(read::<S>(log, screen)?);
    }
    let kind = kind::chosen(args.of.as_deref(), &recorded)?;
    let kinds = kind::all(&recorded);
    let (kind, besides, mut dockets) = match kind {
        Some(kind) => {
            let besides = kind::besides(&kind, &recorded);
            let dockets = dockets(recorded, (&kind, &besides), &template, args, screen)?;
            (kind, besides, dockets)
        }
        // Whose template it is nobody knows, and it does not matter.
        None => (String::new(), String::new(), Vec::new()),
    };
    let decisions: u64 = dockets.iter().map(|it| it.decided.len() as u64).sum();
    let (mut was_interrupted, mut waited) = (false, Waited::default());
    if decisions > 0 {
        match &args.replies {
            Some(path) => take(path, args.samples, &mut dockets)?,
            None => {
                let mut patience = Patience::new(args.max_wait, screen);
                let live = Live {
                    samples: args.samples.unwrap_or(1),
                    budget_calls: args.budget_calls,
                    save: args.save_replies.as_deref(),
                };
                was_interrupted = live.ask(decisions, &mut dockets, &mut patience, screen)?;
                waited = patience.waited();
            }
        }
    }
    let all = dockets.iter().map(Docket::tally);
    let all = all.fold(Tally::default(), Tally::and);
    let told = Told {
        template: shown(&args.template),
        kind,
        besides,
        waited,
        dockets: &dockets,
        all,
        broken: broken(args, &all),
    };
    told.tell(screen);
    let wanted = screen.wanted_summary();
    if let Some(path) = args.summary.as_ref().or(wanted.as_ref()) {
        markdown::append(path, &told, &screen.program)?;
    }
    if waited.given_up > 0 {
        screen.warning(format!(
            "not asked again: {}, because the waits that services asked for would be longer than --max-wait {} in all",
            counted(waited.given_up, "question", "questions"),
            seconds(args.max_wait)
        ));
    }
    if was_interrupted {
        screen.warning("interrupted: not every question was asked");
    }
    Ok(exit(&told, &kinds, screen))
}

fn exit(told: &Told<'_>, kinds: &str, screen: &mut Screen<'_>) -> Exit {
    let all = &told.all;
    if all.decisions == 0 {
        screen.warning(format!(
            "no decision can be put again: a log of `record` is needed, in which a reply of a service decided something; \
             found: {kinds}"
        ));
        return Exit::NothingRan;
    }
    let silent = all.decisions - all.heard;
    if silent > 0 {
        let decisions = counted(silent, "decision", "decisions");
        screen.warning(format!(
            "no reply came to {decisions}; nothing is known of them"
        ));
    }
    match () {
        () if !told.broken.is_empty() => Exit::Violated,
        () if silent > 0 => Exit::NothingRan,
        () => Exit::Fine,
    }
}

/// The logs, and those of the folders among them.
fn logs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut logs = Vec::new();
    for path in paths {
        if !path.is_dir() {
            logs.push(path.clone());
            continue;
        }
        let cases = find(std::slice::from_ref(path)).map_err(Problem::usage)?;
        let golden = cases.into_iter().filter(|it| it.kind == CaseKind::Golden);
        logs.extend(golden.map(|it| it.path));
    }
    Ok(logs)
}

/// The text of the new template.
fn template(path: &Path) -> Result<String, Problem> {
    let problem = |what: String| Problem::usage(format!("{}: {what}", shown(path)));
    let file = fs::File::open(path).map_err(|error| {
        problem(format!(
            "cannot be opened: {error}; --template names the file with the new prompt"
        ))
    })?;
    let mut bytes = Vec::new();
    let read = file.take(TEMPLATE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| problem(error.to_string()))?;
    if bytes.len() as u64 > TEMPLATE_BYTES_MAX {
        return Err(problem(format!(
            "is longer than {TEMPLATE_BYTES_MAX} bytes, which no template is"
        )));
    }
    String::from_utf8(bytes).map_err(|_| problem("expected text in UTF-8".to_owned()))
}

/// What one log has of decisions.
fn read<S: System>(log: &Path, screen: &Screen<'_>) -> Result<Recorded<S>, Problem> {
    let name = shown(log);
    let plan = plan_of::<S>(&mut open(log)?).map_err(|error| Problem::log(&name, &error))?;
    refuse_imported(&name, &plan.profile, "put again")?;
    let _progress = screen.progress("read", Goal::Unknown);
    Recorded::read(name.clone(), open(log)?).map_err(|error| match error {
        RecordedError::Log(error) => Problem::log(&name, &error),
        RecordedError::NoDecisions => Problem::usage(
            "in this system no service decides anything, so there is no prompt to test",
        ),
    })
}

/// The decisions of a kind that logs have; a log whose run has no such kind is left out.
fn dockets<S: System>(
    recorded: Vec<Recorded<S>>,
    (kind, besides): (&str, &str),
    template: &str,
    args: &PromptTestArgs,
    screen: &mut Screen<'_>,
) -> Result<Vec<Docket>, Problem> {
    let mut dockets = Vec::new();
    for recorded in recorded {
        if recorded.of(kind).is_none() {
            let log = &recorded.log;
            screen.warning(format!(
                "{log}: no decision of {kind} in it; it is left out"
            ));
            continue;
        }
        dockets.push(recorded.put(kind, template).map_err(|what| {
            let path = shown(&args.template);
            let other = if args.of.is_none() && !besides.is_empty() {
                format!("; it was taken for a template of {kind}: with --of it is for {besides}")
            } else {
                String::new()
            };
            Problem::usage(format!("{path}: {what}{other}"))
        })?);
    }
    Ok(dockets)
}

/// Takes the replies of a file.
fn take(path: &Path, samples: Option<u32>, dockets: &mut [Docket]) -> Result<(), Problem> {
    let problem = |what: String| Problem::usage(format!("{}: {what}", shown(path)));
    let file = fs::File::open(path).map_err(|error| problem(error.to_string()))?;
    let given = GivenReplies::read(std::io::BufReader::new(file));
    let given = given.map_err(|error| problem(error.to_string()))?;
    let names: Vec<(&str, &[_])> = dockets
        .iter()
        .map(|it| (it.log.as_str(), it.decided.as_slice()))
        .collect();
    let replies = given
        .to(&names)
        .map_err(|error| problem(error.to_string()))?;
    for (docket, replies) in dockets.iter_mut().zip(replies) {
        for (at, replies) in replies.into_iter().enumerate() {
            let place = format!("event {} of {}", docket.decided[at].asked, docket.log);
            let wanted = samples.map_or_else(|| usize::max(1, replies.len()), |k| k as usize);
            if replies.len() < wanted {
                let found = counted(replies.len() as u64, "reply", "replies");
                return Err(problem(format!(
                    "it has {found} to the decision that was asked at {place}, and {wanted} are wanted"
                )));
            }
            for reply in &replies[..wanted] {
                let heard = docket
                    .rehearsal
                    .hear(&docket.decided[at], &reply.to_string());
                let heard = heard.map_err(|Unfit { what, .. }| {
                    problem(format!("the reply to {place}: {what}"))
                })?;
                docket.heard[at].push(heard);
            }
        }
    }
    Ok(())
}

/// The thresholds that are not met, in words.
fn broken(args: &PromptTestArgs, all: &Tally) -> Vec<String> {
    let rows = [
        ("decisions flip", all.flip_share(), args.max_flip_rate),
        (
            "replies are invalid",
            all.invalid_share(),
            args.max_invalid_rate,
        ),
    ];
    let above = |(what, share, most): (&str, Share, Option<f64>)| {
        let (rate, most) = (share.rate()?, most?);
        (rate > most).then(|| {
            format!(
                "{} of the {what}, and at most {} may",
                told::percent(rate),
                told::percent(most)
            )
        })
    };
    rows.into_iter().filter_map(above).collect()
}

/// A share: 0.1 or 10%.
fn rate(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|it| it / 100.0),
        None => text.parse(),
    };
    match parsed {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err("expected a share such as 0.1 or 10%, of at most 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a percentage is read as a share, or what is no share is taken.
    #[test]
    fn a_rate_is_a_share_or_a_percentage() {
        assert_eq!(rate("0.1"), Ok(0.1));
        assert_eq!(rate("10%"), Ok(0.1));
        for wrong in ["10", "-0.1", "NaN", "many", "101%"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}

//! `prompt-test`: what a new prompt would decide, asked at the recorded decisions of logs.
//!
//! Nothing is asked before it is known how often, and what was paid for can be kept.

mod markdown;
mod saved;
mod told;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::{BuildError, Dialogue, Service, System, Unfit, plan_of};
use dacapo_lab::golden::{CaseKind, find};
use dacapo_lab::rehearing::{Docket, DocketError, GivenReplies, SavedReply, Share, Tally};
use serde_json::Value;

use crate::console::Connect;
use crate::exit::{Exit, Problem};
use crate::import::refuse_imported;
use crate::interrupt::Interrupts;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::Screen;
use crate::text::{counted, grouped};

use self::saved::SavedFile;
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
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "prompt-test golden.dlog --template new.txt --samples 5",
        "five replies to each decision",
    ),
    (
        "prompt-test golden/ --template new.txt --max-flip-rate 10%",
        "a gate: 1 if more flip",
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
    let mut dockets = Vec::new();
    let logs = logs(&args.logs)?;
    for (at, log) in logs.iter().enumerate() {
        if logs[..at].contains(log) {
            return Err(Problem::usage(format!("{} is given twice", shown(log))));
        }
        dockets.push(docket::<S>(log, &template, args, screen)?);
    }
    let decisions: u64 = dockets.iter().map(|it| it.decided.len() as u64).sum();
    let mut was_interrupted = false;
    if decisions > 0 {
        match &args.replies {
            Some(path) => take::<S>(path, args.samples, &mut dockets)?,
            None => was_interrupted = ask::<S>(args, decisions, &mut dockets, screen)?,
        }
    }
    let all = dockets.iter().map(Docket::tally);
    let all = all.fold(Tally::default(), Tally::and);
    let told = Told {
        template: shown(&args.template),
        dockets: &dockets,
        all,
        broken: broken(args, &all),
    };
    told.tell(screen);
    let wanted = screen.wanted_summary();
    if let Some(path) = args.summary.as_ref().or(wanted.as_ref()) {
        markdown::append(path, &told, &screen.program)?;
    }
    if was_interrupted {
        screen.warning("interrupted: not every question was asked");
    }
    Ok(exit(&told, screen))
}

fn exit<S: System>(told: &Told<'_, S>, screen: &mut Screen<'_>) -> Exit {
    let all = &told.all;
    if all.decisions == 0 {
        screen.warning(
            "no decision can be put again: a log of `record` is needed, in which a reply of a service decided something",
        );
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
    let file = fs::File::open(path).map_err(|error| problem(error.to_string()))?;
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

/// The decisions of one log.
fn docket<S: System>(
    log: &Path,
    template: &str,
    args: &PromptTestArgs,
    screen: &Screen<'_>,
) -> Result<Docket<S>, Problem> {
    let name = shown(log);
    let plan = plan_of::<S>(&mut open(log)?).map_err(|error| Problem::log(&name, &error))?;
    refuse_imported(&name, &plan.profile, "put again")?;
    let _progress = screen.progress("read", Goal::Unknown);
    Docket::<S>::read(name.clone(), open(log)?, template).map_err(|error| match error {
        DocketError::Log(error) => Problem::log(&name, &error),
        DocketError::Template(what) => Problem::usage(format!("{}: {what}", shown(&args.template))),
        DocketError::NoDecisions => Problem::usage(
            "in this system no service decides anything, so there is no prompt to test",
        ),
    })
}

/// Takes the replies of a file.
fn take<S: System>(
    path: &Path,
    samples: Option<u32>,
    dockets: &mut [Docket<S>],
) -> Result<(), Problem> {
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
                    .rehearing
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

/// Asks live, and says whether somebody stopped it.
fn ask<S: System>(
    args: &PromptTestArgs,
    decisions: u64,
    dockets: &mut [Docket<S>],
    screen: &mut Screen<'_>,
) -> Result<bool, Problem> {
    let Some(connect) = screen.connect() else {
        return Err(Problem::usage(
            "this program has no services that are asked live; give --replies",
        ));
    };
    let samples = args.samples.unwrap_or(1);
    let calls = decisions.saturating_mul(u64::from(samples));
    if calls > args.budget_calls {
        return Err(Problem::usage(format!(
            "{} with {} each would be {} calls, and --budget-calls allows {}; nothing was asked",
            counted(decisions, "decision", "decisions"),
            counted(u64::from(samples), "reply", "replies"),
            grouped(calls),
            grouped(args.budget_calls)
        )));
    }
    let mut services = Services::default();
    for decided in dockets.iter().flat_map(|it| &it.decided) {
        // Whatever is wrong with any of them is told before the first is asked.
        let reached = services.reach(&decided.service, &*connect);
        reached.map_err(|error| Problem::usage(error.to_string()))?;
    }
    let mut file = args.save_replies.as_deref().map(SavedFile::create);
    let mut file = file.take().transpose()?;
    let interrupts = Interrupts::of(screen);
    let mut bar = screen.progress("ask", Goal::Unknown);
    let mut done = 0;
    // In rounds, so that whoever stops it has asked each decision about as often.
    for _ in 0..samples {
        for docket in &mut *dockets {
            for at in 0..docket.decided.len() {
                if interrupts.any() {
                    return Ok(true);
                }
                let decided = &docket.decided[at];
                let place = format!("{}, event {}", docket.log, decided.asked);
                let problem = |unfit: Unfit| {
                    let service = &decided.service.name;
                    let Unfit { what, help } = unfit;
                    Problem::usage(format!("{place}: the {service}: {what}; {help}"))
                };
                let dialogue = services.reach(&decided.service, &*connect);
                let dialogue = dialogue.map_err(|error| Problem::usage(error.to_string()))?;
                let said = dialogue.ask(&decided.question).map_err(problem)?;
                if let Some(file) = &mut file {
                    file.append(&SavedReply {
                        log: Some(docket.log.clone()),
                        event: decided.asked.0,
                        request: Some(decided.request.clone()),
                        reply: serde_json::from_str(&said).unwrap_or(Value::String(said.clone())),
                    })?;
                }
                let heard = docket.rehearing.hear(decided, &said).map_err(problem)?;
                docket.heard[at].push(heard);
                done += 1;
                bar.says(format!("{} of {} calls", grouped(done), grouped(calls)));
            }
        }
    }
    Ok(false)
}

/// Services that were reached, each once.
#[derive(Default)]
struct Services(Vec<(Service, Box<dyn Dialogue>)>);

impl Services {
    fn reach(
        &mut self,
        service: &Service,
        connect: &Connect,
    ) -> Result<&mut dyn Dialogue, BuildError> {
        let at = match self.0.iter().position(|(known, _)| known == service) {
            Some(at) => at,
            None => {
                self.0.push((service.clone(), connect(service)?));
                self.0.len() - 1
            }
        };
        Ok(&mut *self.0[at].1)
    }
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

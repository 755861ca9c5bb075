//! `report`: one page about a log, to read without a network and without this program.

mod came_to;
mod chart;
mod lanes;
mod page;
mod parts;
mod picture;
mod versus;
mod waits;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::{Events, Seq, System, Wanted};
use dacapo_lab::report::{Window, show};
use dacapo_lab::{Chain, Ended, Examined, Failure, chain_to, examine, figures, judge};
use maud::Markup;
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::log_file::{self, open, shown};
use crate::progress::Goal;
use crate::screen::Screen;
use crate::summary::Standing;

use self::page::{MARK, Page};

/// Of which log, and where the page goes.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// Another log of the same system: the page then shows both beside each other
    #[arg(value_name = "OTHER", conflicts_with_all = ["around", "events", "svg"])]
    other: Option<PathBuf>,
    /// Where the page goes, instead of LOG.html, or LOG-OTHER.html; only a page that this command wrote is replaced
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Also write each chart as a picture into this folder; only pictures that this command wrote are replaced
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// Show the events around this one, instead of those around the first failure, or the last ones
    #[arg(long, value_name = "SEQ")]
    around: Option<u64>,
    /// How many events are shown one by one
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    events: u64,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 4] = [
    ("report runs/day-18.dlog", "write runs/day-18.html"),
    (
        "report failures/general-442.dlog --around 1187 -o why.html",
        "the events around one of them",
    ),
    (
        "report runs/day-18.dlog runs/day-19.dlog",
        "where two runs part, and their figures side by side",
    ),
    (
        "report runs/day-18.dlog --svg pictures",
        "the charts as files, too, for pages of your own",
    ),
];

/// How many causes of a failure are told.
const CAUSES: usize = 12;

pub(crate) fn report<S: System>(
    args: &ReportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    if let Some(other) = &args.other {
        return beside::<S>(args, other, screen);
    }
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| args.log.with_extension("html"));
    refuse_a_stranger(&out)?;
    let mut reader = open(&args.log)?;
    let recorded = reader.ending().map_err(|e| problem(e.into()))?.events();
    let examined: Examined<S> = {
        let mut progress = screen.progress("report", Goal::Events(recorded));
        examine(reader, |seq, time| progress.at(seq, time)).map_err(problem)?
    };
    let judgement = judge(&Ended::<S> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
    });
    let first = judgement.failures.iter().find_map(|failure| failure.at);
    let window = Window {
        around: args.around.map(Seq).or(first),
        most: args.events,
    };
    let mut events = Events::<S::Event>::new(open(&args.log)?);
    let shown_of = show::<S>(&examined.plan, &mut events, recorded, window).map_err(problem)?;
    let chains = chains::<S>(&judgement.failures, &mut events);
    let standing = match examined.is_whole() {
        true => Standing::of(&judgement, examined.domain_events > 0),
        false => Standing::CutOff,
    };
    let figured = figures::<S>(open(&args.log)?, Wanted::default(), |_, _| {}).map_err(problem)?;
    let page = Page::<S> {
        examined: &examined,
        judgement: &judgement,
        chains: &chains,
        shown: &shown_of,
        measured: figured.measured.as_ref(),
        standing,
        log: &log,
        program: &screen.program,
    };
    let bytes = write(&out, page.markup())?;
    if let Some(folder) = &args.svg {
        picture::write(&shown_of.charts, examined.world.now, folder)?;
    }
    tell(&out, bytes, standing.word(), screen);
    Ok(Exit::Fine)
}

/// The page about two logs.
fn beside<S: System>(
    args: &ReportArgs,
    other: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let logs = [&args.log, other];
    let name = |log: &Path| {
        log.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let both = format!("{}-{}.html", name(logs[0]), name(logs[1]));
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| args.log.with_file_name(both));
    refuse_a_stranger(&out)?;
    let names = logs.map(shown);
    // Both are opened here, so that what is wrong with one is told of that one.
    let mut recorded = 0;
    for log in logs {
        let ending = open(log)?.ending();
        recorded += ending
            .map_err(|error| Problem::log(&shown(log), &error.into()))?
            .events();
    }
    let again = |at: usize| move || log_file::reopen(logs[at]);
    let (first, second) = (again(0), again(1));
    let compared = {
        let mut progress = screen.progress("report", Goal::Events(recorded));
        let mut watch = |seq, time| progress.at(seq, time);
        dacapo_lab::report::versus::<S>([&first, &second], &mut watch)
    };
    let both = || names.join(" and ");
    let compared = compared.map_err(|error| Problem::log(&both(), &error))?;
    let shown = [names[0].as_str(), names[1].as_str()];
    let bytes = write(
        &out,
        self::versus::markup(&compared, shown, &screen.program),
    )?;
    let word = if compared.first.is_some() {
        "DIFFER"
    } else {
        "SAME"
    };
    tell(&out, bytes, word, screen);
    Ok(Exit::Fine)
}

/// Writes a page; how many bytes it has.
fn write(out: &Path, page: Markup) -> Result<usize, Problem> {
    // What is escaped cannot act in a page; what is invisible, or turns text around, is shown as such.
    let page = page.into_string();
    let text: Vec<String> = page.lines().map(Screen::safe).collect();
    let text = text.join("\n");
    fs::write(out, &text)
        .map_err(|error| Problem::usage(format!("{}: cannot be written: {error}", shown(out))))?;
    Ok(text.len())
}

/// The causes of each failure that an event shows.
fn chains<S: System>(failures: &[Failure], events: &mut Events<S::Event>) -> Vec<Option<Chain>> {
    let chain = |failure: &Failure| chain_to::<S>(events, failure.at?, CAUSES).ok();
    failures.iter().map(chain).collect()
}

/// A file that this command did not write is left alone.
fn refuse_a_stranger(out: &Path) -> Result<(), Problem> {
    match fs::read(out) {
        Ok(bytes) if !bytes.starts_with(MARK.as_bytes()) => Err(Problem::usage(format!(
            "{} is there already and is no report: move it away, or name another file with --out",
            shown(out)
        ))),
        _ => Ok(()),
    }
}

fn tell(out: &Path, bytes: usize, word: &str, screen: &mut Screen<'_>) {
    let path = shown(out);
    if screen.is_for_people() {
        screen.line(format!("{word}  {}", Screen::safe(path)));
    } else {
        screen.json(&json!({
            "v": dacapo_lab::VERSION,
            "type": "report",
            "outcome": word.to_lowercase(),
            "path": path,
            "bytes": bytes,
        }));
    }
}

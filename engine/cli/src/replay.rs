//! `replay`: run logs again and compare every event.

mod again;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use dacapo_kernel::{
    AskedPrograms, Events, Files, Finding, Outcome, System, Verified, plan_of, verify_with,
};
use dacapo_lab::scenario::DataDir;
use dacapo_lab::{VERSION, changed_files, explain};
use serde_json::json;

use crate::difference;
use crate::exit::{Exit, Problem};
use crate::import::refuse_imported;
use crate::log_file::{open, shown};
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::summary::said;
use crate::text::{grouped, shell_word, span};

/// Which logs to run again.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The logs
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// Start the programs again that the log names, in this folder, and compare what they answer
    #[arg(long, value_name = "FOLDER")]
    programs: Option<PathBuf>,
    /// Whether every event must come again in its place, or recorded inputs are used as far as they apply
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Mode::Strict)]
    mode: Mode,
    /// With --mode best-effort or prefix: what counts; one of the system's levels, or `events`
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    /// Pass over events of this kind, by name or number; may be repeated. A change that only adds a kind replays so
    #[arg(long, value_name = "KIND")]
    ignore_kind: Vec<String>,
    /// With --mode prefix: every event up to this one must be as recorded
    #[arg(long, value_name = "SEQ", required_if_eq("mode", "prefix"))]
    prefix: Option<u64>,
}

/// How a log is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Every event in its place, to the last byte; the first difference ends it
    Strict,
    /// To the end, with recorded inputs as far as they apply; what counts is compared
    BestEffort,
    /// As recorded up to an event; from there on with the inputs that still apply
    Prefix,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 4] = [
    (
        "replay runs/day-7.dlog",
        "run it again, compare every event",
    ),
    ("replay runs/*.dlog --quiet", "one line for each log"),
    (
        "replay runs/cross-7.dlog --programs scenarios",
        "ask its programs again, too",
    ),
    (
        "replay day.dlog --mode best-effort",
        "what changed code makes of the same inputs",
    ),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nInputs (choices, draws, feeds, answers) come from the log, nothing outside is asked.\n\
          With --programs, programs of mode `deterministic` are: they run with your rights, so give it for\n\
          logs that you trust. Without it their answers come from the log, too.\n\
          A log of a failed run replays to the same failure, and that is exit 0.\n\
          Exit: 0 the same, 3 different, 6 a log is damaged or was cut off.";

pub(crate) fn replay<S: System>(
    args: &ReplayArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let programs = args.programs.as_deref().map(folder).transpose()?;
    let is_plain = args.mode == Mode::Strict && args.ignore_kind.is_empty();
    if is_plain && args.level.is_some() {
        return Err(Problem::usage(
            "--level says what counts in another mode: give --mode best-effort",
        ));
    }
    let held = again::held::<S>(args)?;
    each(&args.logs, screen, |path, screen| {
        if is_plain {
            one::<S>(path, programs.as_ref(), screen)
        } else {
            again::one::<S>(path, args, &held, screen)
        }
    })
}

/// The same for every log; one that cannot be read does not keep the others from being looked at.
pub(crate) fn each(
    logs: &[std::path::PathBuf],
    screen: &mut Screen<'_>,
    mut look: impl FnMut(&Path, &mut Screen<'_>) -> Result<Exit, Problem>,
) -> Result<Exit, Problem> {
    let mut exit = Exit::Fine;
    for path in logs {
        exit = exit.and(match look(path, screen) {
            Ok(exit) => exit,
            Err(problem) if logs.len() == 1 => return Err(problem),
            Err(problem) => {
                crate::program::tell_problem(&problem, screen);
                problem.exit()
            }
        });
    }
    Ok(exit)
}

/// The folder in which programs are started.
fn folder(path: &Path) -> Result<DataDir, Problem> {
    let of = || shown(path);
    let found = DataDir::new(path);
    found.map_err(|error| {
        Problem::usage(format!(
            "--programs {}: {error}; give the folder of the scenario",
            of()
        ))
    })
}

fn one<S: System>(
    path: &Path,
    programs: Option<&DataDir>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(path);
    let problem = |error| Problem::log(&log, &error);
    let mut reader = open(path)?;
    let plan = plan_of::<S>(&mut reader).map_err(problem)?;
    refuse_imported(&log, &plan.profile, "make again")?;
    let ending = reader.ending().map_err(|e| problem(e.into()))?;
    let recorded = ending.events();
    let begun = screen.elapsed();
    let verified = {
        let mut progress = screen.progress("replay", Goal::Events(recorded));
        let watch = |seq, time| {
            progress.at(seq, time);
            true
        };
        let programs = programs.map(|folder| folder as &dyn Files);
        verify_with::<S>(reader, Some(Box::new(watch)), programs).map_err(problem)?
    };
    let wall = screen.elapsed().saturating_sub(begun);
    match verified {
        Verified::Same(outcome) => {
            tell_same::<S>(&log, &outcome, wall, screen);
            if ending.is_closed() {
                return Ok(Exit::Fine);
            }
            screen.warning(format!("{log} holds its whole run, but was never closed"));
            Ok(Exit::Log)
        }
        Verified::SameSoFar(outcome) => {
            tell_same_so_far(&log, outcome.events, screen);
            Ok(Exit::Log)
        }
        Verified::Diverged(divergence, common) => {
            let mut events = Events::<S::Event>::new(open(path)?);
            let mut difference =
                explain::<S>(&mut events, &divergence, &common).map_err(problem)?;
            if let Some(class) = again::class::<S>(path, difference.seq, recorded) {
                difference.class = class;
            }
            difference::tell(&difference, &log, recorded, screen);
            if let Some(folder) = programs {
                tell_changes::<S>(path, folder, screen)?;
            }
            Ok(Exit::Diverged)
        }
    }
}

fn tell_same<S: System>(
    log: &str,
    outcome: &Outcome<S::View>,
    wall: Duration,
    screen: &mut Screen<'_>,
) {
    let fingerprint = outcome.fingerprint.map(|chain| chain.to_string());
    if !screen.is_for_people() {
        return screen.json(&json!({
            "v": VERSION,
            "type": "replay",
            "log": log,
            "result": "same",
            "events": outcome.events,
            "verdict_name": outcome.verdict.name(),
            "fingerprint": fingerprint,
            "violated": outcome.findings.iter()
                .filter(|checked| matches!(checked.finding, Finding::Violated { .. }))
                .map(|checked| checked.id)
                .collect::<Vec<_>>(),
            "programs": {
                "asked": outcome.asked_programs.asked,
                "from_log": outcome.asked_programs.from_log,
            },
            "wall_ns": u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
        }));
    }
    let word = screen.paint(Tone::Good, "SAME");
    let fingerprint = fingerprint.unwrap_or_else(|| "none".to_owned());
    screen.line(format!(
        "{word}  {}  verified {} events in {}, every one as recorded",
        Screen::safe(log),
        grouped(outcome.events),
        span(wall),
    ));
    if screen.quiet {
        return;
    }
    let verdict = Screen::safe(dacapo_lab::verdict(&outcome.verdict));
    screen.line(format!("  verdict      {verdict}"));
    for checked in &outcome.findings {
        if let Finding::Violated { .. } = checked.finding {
            let (_, at) = said(&checked.finding);
            screen.line(format!("  violated     {} at {at}", checked.id));
        }
    }
    screen.line(format!("  fingerprint  {fingerprint}"));
    tell_programs(outcome.asked_programs, log, screen);
}

/// Whether what deterministic programs answer was compared.
fn tell_programs(programs: AskedPrograms, log: &str, screen: &mut Screen<'_>) {
    let AskedPrograms { asked, from_log } = programs;
    if asked > 0 {
        let asked = grouped(asked);
        screen.line(format!(
            "  programs     asked {asked} times again, every answer as recorded"
        ));
    }
    if from_log > 0 {
        let (from_log, program) = (grouped(from_log), &screen.program);
        let word = Screen::safe(shell_word(log));
        screen.line(format!(
            "  programs     not asked: {from_log} answers come from the log; to compare them, too, give the folder of \
             the scenario: {program} replay {word} --programs FOLDER"
        ));
    }
}

/// Which files of the recorded run are others by now: a changed program answers otherwise.
fn tell_changes<S: System>(
    path: &Path,
    folder: &DataDir,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let problem = |error| Problem::log(&shown(path), &error);
    let plan = plan_of::<S>(&mut open(path)?).map_err(problem)?;
    let changed = changed_files(&plan.data, folder);
    if !changed.is_empty() {
        screen.warning(format!(
            "not as they were when the log was made: {}",
            changed.join(", ")
        ));
    }
    Ok(())
}

fn tell_same_so_far(log: &str, events: u64, screen: &mut Screen<'_>) {
    if !screen.is_for_people() {
        return screen.json(&json!({
            "v": VERSION,
            "type": "replay",
            "log": log,
            "result": "same so far",
            "events": events,
        }));
    }
    let word = screen.paint(Tone::Warning, "CUT OFF");
    let what = match events.checked_sub(1) {
        Some(last) => format!("same so far, the recording ends at event {}", grouped(last)),
        None => "the recording holds no event".to_owned(),
    };
    screen.line(format!("{word}  {}  {what}", Screen::safe(log)));
    screen.annotate("error", &format!("{log} was cut off"), &what);
}

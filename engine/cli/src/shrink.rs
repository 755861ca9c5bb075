//! `shrink`: the smallest set of inputs with which the run of a log still fails in the same way, as a
//! scenario file and its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use dacapo_kernel::{BoxedStorage, Events, System, log::Memory, log::Reader};
use dacapo_lab::shrink::{
    Input, Kept, Recorded, RecordedFiles, Step, Stopped, keep, listed, shrink_recorded,
};
use dacapo_lab::{
    Ended, Group, Judgement, ShrinkError, ShrinkOptions, Shrunk, VERSION, examine, judge,
};
use serde_json::{Value, json};

use crate::exit::{Exit, Problem};
use crate::failure::Failed;
use crate::import::refuse_imported;
use crate::log_file::{self, open, shown};
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};
use crate::values::wall_time;

/// What to shrink, and how far.
#[derive(Args, Debug)]
pub(crate) struct ShrinkArgs {
    /// The log of a run that failed
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The property to go by, instead of the first that is violated
    #[arg(long, value_name = "ID")]
    property: Option<String>,
    /// Where the shrunk log goes, instead of LOG-shrunk.dlog; its scenario goes beside it
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Replace the files that --out names, if there are any
    #[arg(long, requires = "out")]
    force: bool,
    /// The folder of the scenario that the log was made from, if it names data files
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Make at most so many runs
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    max_runs: u64,
    /// Stop after so long, with what has been reached by then: 60s, 5m
    #[arg(long, value_name = "TIME", value_parser = wall_time)]
    budget: Option<Duration>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "shrink runs/day-7.dlog",
        "write runs/day-7-shrunk.dlog and .toml",
    ),
    ("shrink day.dlog --budget 60s", "no longer than a minute"),
    (
        "shrink day.dlog --data scenarios",
        "where the data files of its scenario are",
    ),
];

/// What the help says after them.
pub(crate) const AFTER: &str = "\nWhat is left fails in the same way, and its log replays to the last byte.\n\
          Exit: 0 shrunk, 2 nothing to shrink, 3 the failure does not come again, 6 the log is damaged.";

pub(crate) fn shrink<S: System>(
    args: &ShrinkArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let target = target::<S>(args)?;
    let recorded = Recorded::<S>::read(open(&args.log)?).map_err(problem)?;
    refuse_imported(&log, &recorded.plan.profile, "shrink")?;
    let files = RecordedFiles::find(&recorded.plan.data, &folders(args)).map_err(|what| {
        Problem::usage(format!(
            "{log}: its data files are needed to run it again; say where they are with --data: {what}"
        ))
    })?;
    let (out, scenario) = places(args)?;
    let options = ShrinkOptions {
        max_runs: args.max_runs,
    };
    let begun = screen.elapsed();
    let shrunk = {
        let mut progress = screen.progress("shrink", Goal::Unknown);
        let mut tell = |step: Step| {
            let (inputs, runs) = (step.inputs as u64, step.runs);
            progress.says(format!(
                "{} left, {}",
                counted(inputs, "input", "inputs"),
                counted(runs, "run", "runs")
            ));
            let spent = screen.elapsed().saturating_sub(begun);
            args.budget.is_none_or(|budget| spent < budget)
        };
        shrink_recorded(&recorded, &files, &target, options, &mut tell)
    };
    let shrunk = shrunk.map_err(|error| told(&log, error))?;
    let kept = keep(&shrunk, &files, &scenario).map_err(|error| told(&log, error))?;
    log_file::write(&out, &kept.log)?;
    let places = Places {
        log: shown(&out),
        scenario: shown(&scenario),
    };
    tell(&shrunk, kept, &places, screen)
}

/// The failure that is looked for: the first one, or the first of the property that was asked for.
fn target<S: System>(args: &ShrinkArgs) -> Result<Group, Problem> {
    let log = shown(&args.log);
    let examined =
        examine::<S>(open(&args.log)?, |_, _| ()).map_err(|error| Problem::log(&log, &error))?;
    let judgement: Judgement = judge(&Ended::<S> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
    });
    let mut failures = judgement.failures.iter();
    let found = match &args.property {
        None => failures.next(),
        Some(property) => failures.find(|failure| failure.property == *property),
    };
    match (found, &args.property) {
        (Some(failure), _) => Ok(Group::of(failure)),
        (None, Some(property)) if !judgement.failures.is_empty() => {
            let known: Vec<&str> = judgement
                .failures
                .iter()
                .map(|failure| failure.property.as_str())
                .collect();
            Err(Problem::usage(format!(
                "{log}: nothing to shrink: `{property}` is not violated in it; what is: {}",
                known.join(", ")
            )))
        }
        _ => Err(Problem::usage(match judgement.exhausted {
            Some(budget) => format!(
                "{log}: nothing to shrink: no property is violated; the run used up a budget: {budget}"
            ),
            None => format!("{log}: nothing to shrink: no property is violated"),
        })),
    }
}

/// Where data files are looked for: where somebody says, or beside the log, where the program was
/// called, and where scenarios usually are.
fn folders(args: &ShrinkArgs) -> Vec<PathBuf> {
    match &args.data {
        Some(folder) => vec![folder.clone()],
        None => {
            let beside = args.log.parent().unwrap_or(Path::new("")).to_owned();
            vec![beside, PathBuf::from("."), PathBuf::from("scenarios")]
        }
    }
}

/// Where the log and the scenario go.
fn places(args: &ShrinkArgs) -> Result<(PathBuf, PathBuf), Problem> {
    let out = match &args.out {
        Some(out) => out.clone(),
        None => {
            let stem = args.log.file_stem().unwrap_or_default().to_string_lossy();
            let stem = stem.strip_suffix("-shrunk").unwrap_or(&stem).to_owned();
            args.log.with_file_name(format!("{stem}-shrunk.dlog"))
        }
    };
    let scenario = out.with_extension("toml");
    if out == scenario {
        let out = out.display();
        return Err(Problem::usage(format!(
            "{out} would be both log and scenario; --out names the log, such as small.dlog"
        )));
    }
    let is_asked_for = args.out.is_some() && !args.force;
    for path in [&out, &scenario] {
        if is_asked_for && fs::symlink_metadata(path).is_ok() {
            return Err(Problem::usage(format!(
                "{} exists already; give --force to replace it, or another path",
                path.display()
            )));
        }
    }
    Ok((out, scenario))
}

/// Where the result is, as text.
struct Places {
    log: String,
    scenario: String,
}

fn tell<S: System>(
    shrunk: &Shrunk<S>,
    kept: Kept<S>,
    places: &Places,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let problem = |error| Problem::log(&places.log, &error);
    let reader = || -> Result<Reader<BoxedStorage>, Problem> {
        let storage: BoxedStorage = Box::new(Memory(kept.log.clone()));
        Reader::open(storage).map_err(|error| problem(error.into()))
    };
    let inputs = listed::<S>(&kept.loaded.plan, reader()?).map_err(problem)?;
    let judgement = Judgement {
        failures: vec![kept.failure.clone()],
        exhausted: None,
        expectations: Vec::new(),
        figures: Vec::new(),
    };
    let failed = Failed::<S> {
        plan: &kept.loaded.plan,
        log: &places.log,
        events: kept.outcome.events,
        judgement: &judgement,
    };
    let mut events = Events::<S::Event>::new(reader()?);
    if screen.is_for_people() {
        let line = format!(
            "{} → {}   {}",
            grouped(shrunk.inputs_before as u64),
            counted(shrunk.inputs as u64, "input", "inputs"),
            Screen::safe(&places.scenario)
        );
        failed.tell_shrunk(&line, &mut events, screen);
        tell_inputs(&inputs, shrunk.runs, screen);
    } else {
        failed.tell(&mut events, screen);
        screen.json(&as_json(shrunk, &inputs, places));
    }
    if !shrunk.one_by_one {
        screen.warning(
            "the inputs written out one by one did not make the same failure; the plan was shrunk as it was recorded",
        );
    }
    match shrunk.stopped {
        Some(Stopped::Runs(most)) => screen.warning(format!(
            "stopped after {}; more may be possible with --max-runs",
            counted(most, "run", "runs")
        )),
        Some(Stopped::Time) => screen.warning(
            "stopped because the time was up; more may be possible with a longer --budget",
        ),
        None => {}
    }
    let scenario = Screen::safe(shell_word(&places.scenario));
    let log = Screen::safe(shell_word(&places.log));
    let mut commands = vec![(
        format!("run {scenario}"),
        "make the run again from its scenario",
    )];
    let explain = match kept.failure.at {
        Some(at) => format!("explain {log} {at}"),
        None => format!("explain {log}"),
    };
    commands.push((explain, "why it came to that"));
    next::propose(&commands, screen);
    Ok(Exit::Fine)
}

/// The inputs that are left, one in a row.
fn tell_inputs(inputs: &[Input], runs: u64, screen: &mut Screen<'_>) {
    if screen.quiet {
        return;
    }
    let title = format!("What is needed, found in {}", counted(runs, "run", "runs"));
    if inputs.is_empty() {
        screen.line("");
        let title = screen.paint(Tone::Head, title);
        screen.line(title);
        screen.line("  nothing: it fails without anything going wrong");
        return;
    }
    let rows: Vec<Vec<String>> = inputs
        .iter()
        .map(|input| {
            vec![
                input.at.map_or_else(String::new, |at| at.to_string()),
                input.seq.map_or_else(String::new, |seq| grouped(seq.0)),
                input.actor.clone(),
                input.name.clone(),
                input.text.clone(),
            ]
        })
        .collect();
    screen.table(&title, &["at", "event", "whom", "fault", "what"], &rows);
}

fn as_json<S: System>(shrunk: &Shrunk<S>, inputs: &[Input], places: &Places) -> Value {
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|input| {
            json!({
                "time_ns": input.at,
                "event": input.seq,
                "whom": input.actor,
                "fault": input.name,
                "text": input.text,
            })
        })
        .collect();
    json!({
        "v": VERSION,
        "type": "shrunk",
        "property": shrunk.target.property,
        "inputs_before": shrunk.inputs_before,
        "inputs": shrunk.inputs,
        "runs": shrunk.runs,
        "one_by_one": shrunk.one_by_one,
        "stopped": match shrunk.stopped {
            Some(Stopped::Runs(_)) => Some("runs"),
            Some(Stopped::Time) => Some("time"),
            None => None,
        },
        "needed": inputs,
        "log": places.log,
        "scenario": places.scenario,
    })
}

/// What kept a run from being shrunk, for whoever asked.
fn told(log: &str, error: ShrinkError) -> Problem {
    match error {
        ShrinkError::Run(error) => Problem::log(log, &error),
        ShrinkError::Scenario(error) => Problem::Scenario(error),
        ShrinkError::NotAgain(_) => Problem::Other(Exit::Diverged, format!("{log}: {error}")),
        ShrinkError::PlanFile(_) | ShrinkError::Write { .. } => {
            Problem::usage(format!("{log}: {error}"))
        }
        ShrinkError::Lost(_) | ShrinkError::Panicked(_) => {
            Problem::internal(format!("{log}: {error}"))
        }
    }
}

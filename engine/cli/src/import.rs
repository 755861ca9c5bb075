//! `import`: a trace of production, as a log to check, explain and report.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::System;
use dacapo_lab::VERSION;
use dacapo_lab::import::{IMPORTED, ImportError, Imported, Map, import as read};
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::figures::shown::instant;
use crate::log_file::{self, shown};
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};

/// Which trace, and what its lines are.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// The trace: JSON lines
    #[arg(value_name = "FILE")]
    trace: PathBuf,
    /// What its lines are (TOML)
    #[arg(long, value_name = "MAP")]
    map: PathBuf,
    /// Where the log goes, instead of FILE.dlog
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Replace the log, if there is one
    #[arg(long)]
    force: bool,
    /// Pass over lines that cannot be read or taken, and say so
    #[arg(long)]
    lenient: bool,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 2] = [
    (
        "import --map bus.toml 2026-11-25.jsonl",
        "write 2026-11-25.dlog",
    ),
    (
        "import --map bus.toml trace.jsonl --lenient",
        "pass over lines that are wrong",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nA map says where the time of a line is, which lines are which events, and what these say:\n\
     \n  [time]\n  at = \"ts\"\n  unit = \"rfc3339\"        # or s, ms, us, ns since 1970\n\
     \n  [[event]]\n  when = [\"topic=leases\", \"payload.what=granted\"]\n  kind = \"item leased\"\n  \
     actor = \"$payload.worker\"\n  body = { item = \"$payload.item\", worker = 1 }\n\
     \ndocs/time-travel.md has the rest. There is nothing to run again, so replay, fork and shrink refuse such\n\
     a log; a property that looks for what the map does not cover is not evaluable.\n\
     Exit: 0 imported, 2 the map, the trace or a path is wrong.";

pub(crate) fn import<S: System>(
    args: &ImportArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let trace = shown(&args.trace);
    let map = Map::<S>::read(&args.map).map_err(|error| Problem::usage(error.to_string()))?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => args.trace.with_extension("dlog"),
    };
    if out == args.trace {
        return Err(Problem::usage(format!(
            "{trace} would be replaced by its log; name another file with --out"
        )));
    }
    if !args.force && std::fs::symlink_metadata(&out).is_ok() {
        return Err(Problem::usage(format!(
            "{} exists already; give --force to replace it, or another path with --out",
            out.display()
        )));
    }
    let file = File::open(&args.trace)
        .map_err(|error| Problem::usage(format!("{trace} cannot be read: {error}")))?;
    let imported = {
        let _progress = screen.progress("import", Goal::Unknown);
        read::<S>(&map, BufReader::new(file), args.lenient).map_err(|error| told(&trace, error))?
    };
    log_file::write(&out, &imported.log)?;
    tell(&imported, &trace, &out, screen);
    Ok(Exit::Fine)
}

fn tell(imported: &Imported, trace: &str, out: &Path, screen: &mut Screen<'_>) {
    let log = shown(out);
    let (unmapped, first) = &imported.unmapped;
    let end = instant(imported.start_unix_ns, imported.end);
    let start = instant(imported.start_unix_ns, dacapo_kernel::Time::ZERO);
    if !screen.is_for_people() {
        let bad = imported.bad.iter().map(ToString::to_string);
        return screen.json(&json!({
            "v": VERSION,
            "type": "import",
            "trace": trace,
            "log": log,
            "lines": imported.lines,
            "events": imported.events,
            "kinds": imported.kinds,
            "unmapped": unmapped,
            "out_of_order": imported.out_of_order,
            "causes_unknown": imported.causes_unknown,
            "bad": bad.collect::<Vec<String>>(),
            "from": start,
            "to": end,
        }));
    }
    let word = screen.paint(Tone::Head, "IMPORTED");
    let (trace, log_safe) = (Screen::safe(trace), Screen::safe(&log));
    screen.line(format!("{word}  {trace}  into {log_safe}"));
    for error in &imported.bad {
        screen.warning(error);
    }
    if screen.quiet {
        return;
    }
    screen.line(format!("  from      {start} to {end}"));
    let lines = counted(imported.lines, "line", "lines");
    screen.line(format!(
        "  lines     {lines}, {} events",
        grouped(imported.events)
    ));
    if *unmapped > 0 {
        let first: Vec<String> = first.iter().map(|line| grouped(*line)).collect();
        screen.line(format!(
            "  left out  {} that the map is not about, such as line {}",
            counted(*unmapped, "line", "lines"),
            first.join(", ")
        ));
    }
    if imported.out_of_order > 0 {
        screen.line(format!(
            "  order     {} earlier than the one before, and put in order",
            counted(imported.out_of_order, "event was", "events were")
        ));
    }
    if imported.causes_unknown > 0 {
        screen.line(format!(
            "  causes    {} a message that the trace does not have",
            counted(
                imported.causes_unknown,
                "event follows from",
                "events follow from"
            )
        ));
    }
    let kinds = imported.kinds.iter();
    let rows: Vec<Vec<String>> = kinds
        .map(|(kind, count)| vec![(*kind).to_owned(), grouped(*count)])
        .collect();
    screen.table("Events", &["kind", "events"], &rows);
    let log = Screen::safe(shell_word(&log));
    next::propose(
        &[
            (format!("check {log}"), "whether its properties hold"),
            (format!("show {log} --limit 20"), "what happened"),
            (format!("report {log}"), "one page to read in a browser"),
        ],
        screen,
    );
}

fn told(trace: &str, error: ImportError) -> Problem {
    match error {
        ImportError::Scenario(error) => Problem::Scenario(error),
        ImportError::Map(_) | ImportError::NoScenario { .. } => Problem::usage(error.to_string()),
        ImportError::Line { .. } => Problem::usage(format!(
            "{trace}: {error}; --lenient passes over lines that are wrong"
        )),
        ImportError::Nothing { .. } => Problem::usage(format!("{trace}: {error}")),
        ImportError::Log(_) => Problem::internal(format!("{trace}: {error}")),
    }
}

/// There is nothing to run again of a trace that was imported.
pub(crate) fn refuse_imported(log: &str, profile: &str, what: &str) -> Result<(), Problem> {
    if profile != IMPORTED {
        return Ok(());
    }
    Err(Problem::usage(format!(
        "{log} was imported from a trace: there is no run to {what}; check, show, find, explain, diff and \
         report work on it"
    )))
}

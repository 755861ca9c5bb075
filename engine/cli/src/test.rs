//! `test`: every scenario held to what it expects, every golden log against its run made again.

mod accept;
mod against;
mod assert;
mod junit;
mod markdown;
mod told;

use std::path::PathBuf;

use clap::Args;
use dacapo_kernel::System;
use dacapo_lab::fuzz::Seeds;
use dacapo_lab::golden::{Case, Held, Standing, Test, Tested, Trouble, by_cause, find};

use crate::exit::{Exit, Problem, exit_of};
use crate::interrupt::Interrupts;
use crate::panics;
use crate::progress::Goal;
use crate::screen::Screen;
use crate::text::grouped;

pub use self::assert::assert_tested;
pub(crate) use self::markdown::{append_to, cell};

/// What to test, and how.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Scenarios (.toml), golden logs (.dlog, .dlog.gz), and folders that have them
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Only what has this in its path; may be repeated, then any
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,
    /// How many threads test; as many as there are cores, unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    jobs: Option<u16>,
    /// The level for all golden logs, whatever is kept beside them: one of the system's, or `events` for every event
    #[arg(long, value_name = "NAME")]
    level: Option<String>,
    /// Pass over events of this kind, by name or number; may be repeated
    #[arg(long, value_name = "KIND")]
    ignore_kind: Vec<String>,
    /// Write what came of each as JUnit XML
    #[arg(long, value_name = "PATH")]
    junit: Option<PathBuf>,
    /// Add a summary in Markdown to this file
    #[arg(long, value_name = "PATH")]
    summary: Option<PathBuf>,
    /// Write no golden log, and refuse one that is not the one that was accepted; so it is where CI is set
    #[arg(long, conflicts_with_all = ["bless", "review", "keep"])]
    locked: bool,
    /// Accept every golden log that differs, for this reason, which is kept beside it
    #[arg(long, value_name = "REASON")]
    bless: Option<String>,
    /// Show each difference and ask whether to accept it
    #[arg(long)]
    review: bool,
    /// With --bless: make a golden log in this folder of every scenario that has none there
    #[arg(long, value_name = "DIR", requires = "bless")]
    keep: Option<PathBuf>,
    /// Run every scenario with this program too, an older one, and hold the runs against each other; nothing else is tested
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["bless", "review", "keep"])]
    against: Option<PathBuf>,
    /// With --against: hold runs of these seeds against each other, too, from A up to, and not including, B, with the faults that a campaign draws for each
    #[arg(long, value_name = "A..B", requires = "against")]
    seeds: Option<Seeds>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 6] = [
    ("test", "everything below scenarios"),
    (
        "test scenarios/golden --level events --jobs 2",
        "every event of every golden log",
    ),
    (
        "test --bless 'fees are half' --keep scenarios/golden",
        "accept what differs, and add what is missing",
    ),
    ("test --review", "look at each difference first"),
    (
        "test --against ../base/program",
        "an older program on the same scenarios",
    ),
    (
        "test scenarios/day.toml --against ../base/program --seeds 0..200",
        "and on what a campaign draws",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nGolden logs that differ for the same reason are told once.\n\
     Exit: 0 all well, 1 a property or an expectation failed, 2 a scenario or the command is wrong, 4 nothing ran,\n\
     5 a golden log differs, 6 a log is damaged or incompatible, 7 a run used up one of its budgets.";

/// What there is to tell when all is tested.
pub(crate) struct Report<'a> {
    pub(crate) all: &'a [Tested],
    /// Scenarios that could not be compared, and why.
    pub(crate) skipped: &'a [(String, String)],
    pub(crate) wall: std::time::Duration,
}

pub(crate) fn test<S: System>(args: &TestArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    Held::named::<S>(args.level.as_deref(), &args.ignore_kind).map_err(Problem::usage)?;
    let writes = args.bless.is_some() || args.review;
    if writes && screen.is_ci() {
        return Err(Problem::usage(
            "golden logs are locked where CI is set: accept what differs on your own machine, and commit it",
        ));
    }
    if args
        .bless
        .as_deref()
        .is_some_and(|reason| reason.trim().is_empty())
    {
        return Err(Problem::usage("--bless needs a reason in words"));
    }
    let mut cases = find(&args.paths).map_err(Problem::usage)?;
    cases.retain(|case| {
        let name = case.name();
        args.filter.is_empty() || args.filter.iter().any(|text| name.contains(text.as_str()))
    });
    let begun = screen.elapsed();
    let jobs = args.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    );
    // Until the end of the test the logs of the other program are in a folder of their own.
    let mut other = None;
    let mut skipped = Vec::new();
    if let Some(program) = &args.against {
        let made = against::runs_of(program, &cases, args.seeds, jobs, screen)?;
        cases = made.cases;
        skipped = made.skipped;
        other = Some(made.folder);
    }
    if cases.is_empty() {
        screen.warning(
            "nothing ran: there is no scenario and no golden log here, or the filter leaves none",
        );
        return Ok(Exit::NothingRan);
    }
    let test = Test {
        level: args.level.as_deref(),
        ignore: &args.ignore_kind,
        locked: args.locked || screen.is_ci(),
        jobs,
        caught: panics::caught_there,
        timed: screen.timed(),
    };
    let mut all = run::<S>(&cases, &test, args.seeds.is_some(), screen);
    drop(other);
    let report = Report {
        all: &all,
        skipped: &skipped,
        wall: screen.elapsed().saturating_sub(begun),
    };
    let proposes = args.against.is_none().then_some(args.paths.as_slice());
    told::tell(&report, proposes, args.review, screen);
    write_reports(args, &report, screen)?;
    if writes {
        accept::accept::<S>(args, &mut all, screen)?;
    }
    let stopped = all.len() < cases.len();
    if stopped {
        let left = cases.len() - all.len();
        screen.warning(format!("stopped: {left} were not tested"));
    }
    let exits = all.iter().map(|tested| exit(&tested.standing));
    let exit = exits.reduce(Exit::and).unwrap_or(Exit::NothingRan);
    Ok(if stopped {
        exit.and(Exit::NothingRan)
    } else {
        exit
    })
}

/// Tests all cases and shows each as it comes; of many, only those with which something is wrong.
fn run<S: System>(
    cases: &[Case],
    test: &Test<'_>,
    many: bool,
    screen: &mut Screen<'_>,
) -> Vec<Tested> {
    let interrupts = Interrupts::of(screen);
    let widest = cases.iter().map(|case| case.name().chars().count()).max();
    let clock = screen.clock();
    let mut bar =
        crate::progress::Progress::new(screen.progress, move || clock(), "test", Goal::Unknown);
    let mut done = 0;
    let all = test.run::<S>(cases, |tested| {
        match tested {
            Some(tested) => {
                done += 1;
                if !many || !tested.standing.is_good() {
                    told::line(tested, widest.unwrap_or(0), screen);
                }
            }
            None => bar.says(format!(
                "{} of {}",
                grouped(done),
                grouped(cases.len() as u64)
            )),
        }
        !interrupts.any()
    });
    drop(bar);
    all
}

/// How the program ends because of a case.
pub(crate) fn exit(standing: &Standing) -> Exit {
    match standing {
        Standing::Passed { .. } | Standing::Same { .. } => Exit::Fine,
        Standing::Failed { .. } => Exit::Violated,
        Standing::Differs(apart) if !apart.violated.is_empty() => Exit::Violated,
        Standing::Differs(_) => Exit::Golden,
        Standing::Exhausted(_) => Exit::Exhausted,
        Standing::NothingRan => Exit::NothingRan,
        Standing::Broken(trouble) => match trouble {
            Trouble::Scenario(_)
            | Trouble::FromSeed(_)
            | Trouble::DataChanged(_)
            | Trouble::File(_)
            | Trouble::Level(_) => Exit::Usage,
            Trouble::Run(error) => exit_of(error),
            Trouble::NotWhole { .. } => Exit::Log,
            Trouble::NotAccepted { .. } | Trouble::ReadBack { .. } => Exit::Golden,
            Trouble::Panicked(_) => Exit::Internal,
        },
    }
}

fn write_reports(
    args: &TestArgs,
    report: &Report<'_>,
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let causes = by_cause(report.all);
    if let Some(path) = &args.junit {
        junit::write(path, report)?;
        screen.note(format!("JUnit XML: {}", path.display()));
    }
    let wanted = screen.wanted_summary();
    if let Some(path) = args.summary.as_ref().or(wanted.as_ref()) {
        markdown::append(path, report, &causes, &screen.program)?;
    }
    Ok(())
}

//! `fuzz`: many seeds of a scenario, what fails in them, and what they reach.

mod args;
mod bar;
mod matrix;
mod reached;
mod report;
mod shrinking;
mod table_file;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dacapo_kernel::{SchedulerKind, System};
use dacapo_lab::fuzz::{Campaign, Keep, Report, Runs, Seeds, Shard, Stopped};
use dacapo_lab::scenario::{Overrides, load};
use dacapo_lab::{CrashPoints, Swarm};

use crate::exit::{Exit, Problem};
use crate::interrupt::Interrupts;
use crate::log_file::{self, LogName, shown};
use crate::panics;
use crate::run::refuse_a_log;
use crate::screen::Screen;
use crate::text::shell_word;

pub(crate) use self::args::{AFTER, EXAMPLES, FuzzArgs};
use self::bar::Bar;
use self::report::Told;
use self::shrinking::Shrinking;

pub(crate) use self::matrix::matrix;

/// How many seeds are run where nobody says.
const SEEDS: u64 = 1_000;

/// From how many runs on something that was never reached says something.
const ENOUGH: u64 = 1_000;

pub(crate) fn fuzz<S: System>(
    args: &FuzzArgs,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    let (overrides, swarm) = drawn_from::<S>(args, screen)?;
    let loaded = load::<S>(&args.scenario, &overrides)?;
    let name = LogName::of::<S>(&loaded.plan, args.profile.as_deref());
    let folder = args.out.as_path();
    let keep = |seed: u64, log: &[u8]| keep(folder, &name, seed, log);
    let points = args
        .crash_everywhere
        .then(|| CrashPoints::of::<S>(&loaded.plan, &loaded.files, args.depth))
        .transpose()
        .map_err(|error| Problem::log(&shown(&args.scenario), &error))?;
    let runs = points.as_ref().map_or(Runs::Drawn(&swarm), Runs::Crashes);
    let campaign = campaign(args, &overrides, runs, Some(&keep));
    let interrupts = Interrupts::of(screen);
    let begun = screen.elapsed();
    let report = watched::<S>(&campaign, args.budget, &interrupts, screen)?;
    let wall = screen.elapsed().saturating_sub(begun);
    let shrinking = Shrinking {
        campaign: &campaign,
        name: &name,
        folder,
        wanted: !args.no_shrink,
        interrupts: &interrupts,
    };
    let shrunk = shrinking.all::<S>(&report, screen)?;
    let ended = report.stopped.map(|(why, _)| match why {
        Stopped::Failures => "so many failures were wanted",
        Stopped::Asked if interrupts.any() => "interrupted",
        Stopped::Asked => "the time is over",
    });
    Told::<S> {
        plan: &loaded.plan,
        campaign: &campaign,
        report: &report,
        shrunk: &shrunk,
        wall,
        ended,
        go_on: go_on(&report, &campaign, arguments),
        require_reached: args.require_reached,
    }
    .tell(screen);
    Ok(exit(&report, args.require_reached))
}

/// What is fixed for all seeds: the scenario with what goes before it, and what may be drawn.
fn drawn_from<S: System>(
    args: &FuzzArgs,
    screen: &Screen<'_>,
) -> Result<(Overrides, Swarm), Problem> {
    refuse_a_log(&args.scenario, screen)?;
    let swarm = Swarm {
        faults: args.faults.clone(),
        scheduler: scheduler(&args.scheduler),
    };
    let checked = swarm.faults.check(&S::faults());
    checked.map_err(|error| {
        let program = &screen.program;
        Problem::usage(format!("{error}; {program} faults lists them"))
    })?;
    let overrides = Overrides {
        set: args.set.clone(),
        profile: args.profile.clone(),
        defects: args.defects.clone(),
        ..Overrides::default()
    };
    Ok((overrides, swarm))
}

fn scheduler(name: &str) -> Option<SchedulerKind> {
    let mut known = SchedulerKind::NAMES.iter();
    known
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
}

fn campaign<'a>(
    args: &'a FuzzArgs,
    overrides: &'a Overrides,
    runs: Runs<'a>,
    keep: Option<&'a Keep<'a>>,
) -> Campaign<'a> {
    let to = match runs {
        Runs::Crashes(points) => points.cases(),
        Runs::Drawn(_) if args.budget.is_some() && !args.matrix => u64::MAX,
        Runs::Drawn(_) => SEEDS,
    };
    let all = Seeds {
        from: 0,
        to,
        shard: Shard::ALL,
    };
    let jobs = args.jobs.map(usize::from);
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Campaign {
        scenario: &args.scenario,
        overrides,
        runs,
        seeds: Seeds {
            shard: args.shard,
            ..args.seeds.unwrap_or(all)
        },
        jobs: jobs.unwrap_or_else(cores),
        max_failures: args.max_failures,
        sought: None,
        again_per_mille: args.check_determinism,
        canary_per_mille: args.canary,
        caught: panics::caught_there,
        keep,
    }
}

/// Writes the log of a run that failed.
fn keep(folder: &Path, name: &LogName, seed: u64, log: &[u8]) -> Result<PathBuf, String> {
    let path = folder.join(name.with_seed(seed));
    match log_file::write(&path, log) {
        Ok(()) => Ok(path),
        Err(problem) => Err(problem.in_short()),
    }
}

/// Runs the campaign, with a bar, until its time is over or somebody interrupts it.
fn watched<S: System>(
    campaign: &Campaign<'_>,
    budget: Option<Duration>,
    interrupts: &Interrupts,
    screen: &mut Screen<'_>,
) -> Result<Report, Problem> {
    let begun = screen.elapsed();
    let mut bar = Bar::new(screen, campaign.seeds);
    let report = campaign.run::<S>(|report| {
        let spent = screen.elapsed().saturating_sub(begun);
        bar.at(report, spent, screen);
        !interrupts.any() && budget.is_none_or(|budget| spent < budget)
    });
    drop(bar);
    Ok(report?)
}

/// The command that goes on where a campaign ended before its last seed.
fn go_on(report: &Report, campaign: &Campaign<'_>, arguments: &[OsString]) -> Option<String> {
    let (_, next) = report.stopped?;
    let mut words = vec!["fuzz".to_owned()];
    let mut given = arguments.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = given.next() {
        match word.as_ref() {
            "fuzz" => {}
            "--seeds" => drop(given.next()),
            word if word.starts_with("--seeds=") => {}
            word => words.push(shell_word(word)),
        }
    }
    words.push(format!("--seeds {next}..{}", campaign.seeds.to));
    Some(words.join(" "))
}

/// Names of what was to be reached and never was; where only crashes are gone through, nothing else is.
fn never<'a>(report: &'a Report, campaign: &Campaign<'_>) -> Vec<&'a str> {
    if matches!(campaign.runs, Runs::Crashes(_)) {
        return Vec::new();
    }
    report.never().map(|count| count.id.as_str()).collect()
}

/// Whether it says something that a part of what is to be reached never was.
fn lacks(report: &Report) -> bool {
    report.runs >= ENOUGH && report.sometimes.iter().any(|count| count.runs == 0)
}

fn exit(report: &Report, require_reached: bool) -> Exit {
    let mut exit = Exit::Fine;
    let mut add = |is: bool, other| {
        if is {
            exit = exit.and(other);
        }
    };
    add(!report.happened || report.runs == 0, Exit::NothingRan);
    add(report.exhausted > 0, Exit::Exhausted);
    add(report.failing > 0, Exit::Violated);
    add(require_reached && lacks(report), Exit::Violated);
    add(!report.diverged.is_empty(), Exit::Diverged);
    exit
}

//! The runs of another program, an older one, to hold this one's against: its logs are golden logs that
//! nobody keeps.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use dacapo_lab::fuzz::Seeds;
use dacapo_lab::golden::{Case, CaseKind};
use tempfile::TempDir;

use crate::exit::{Exit, Problem};
use crate::interrupt::Interrupts;
use crate::progress::{Goal, Progress};
use crate::screen::Screen;
use crate::text::counted;

/// How many seeds one call of the other program takes: few enough that all threads have something to do, and
/// that it is seen how far it is.
const SEEDS_AT_ONCE: u64 = 25;

/// What the other program made of the scenarios.
pub(super) struct Made {
    /// Its logs, each known by its scenario.
    pub(super) cases: Vec<Case>,
    /// Scenarios that it cannot run, and what it said.
    pub(super) skipped: Vec<(String, String)>,
    /// Where the logs are, until it is dropped.
    pub(super) folder: TempDir,
}

/// One call of the other program.
struct Call<'a> {
    scenario: &'a Case,
    /// Seeds of a campaign, from one up to another; the scenario as it stands if there are none.
    seeds: Option<(u64, u64)>,
}

/// Runs every scenario with the other program, and so many seeds of each with the faults that a campaign draws.
pub(super) fn runs_of(
    program: &Path,
    cases: &[Case],
    seeds: Option<Seeds>,
    jobs: usize,
    screen: &mut Screen<'_>,
) -> Result<Made, Problem> {
    let problem = |what: String| Problem::Other(Exit::Usage, what);
    if !program.is_file() {
        return Err(problem(format!(
            "{}: there is no such program",
            program.display()
        )));
    }
    // A name without a folder is a file here, not one that is searched for.
    let program = program
        .canonicalize()
        .map_err(|error| problem(format!("{}: {error}", program.display())))?;
    let folder = tempfile::tempdir().map_err(|error| {
        problem(format!(
            "no folder for the logs of the other program: {error}"
        ))
    })?;
    let calls = calls(cases, seeds);
    let mut all = make(&program, &calls, folder.path(), jobs, screen);
    if all.len() < calls.len() {
        let what = "stopped while the other program made its runs: nothing was compared";
        return Err(Problem::Other(Exit::NothingRan, what.to_owned()));
    }
    all.sort_by_key(|(at, _)| *at);
    let mut made = Made {
        cases: Vec::new(),
        skipped: Vec::new(),
        folder,
    };
    for (at, told) in all {
        let into = into(made.folder.path(), at);
        calls[at].take(&into, &told, &mut made);
    }
    Ok(made)
}

fn calls(cases: &[Case], seeds: Option<Seeds>) -> Vec<Call<'_>> {
    let scenarios = cases.iter().filter(|case| case.kind == CaseKind::Scenario);
    let mut calls = Vec::new();
    for scenario in scenarios {
        calls.push(Call {
            scenario,
            seeds: None,
        });
        let Some(seeds) = seeds else { continue };
        let mut from = seeds.from;
        while from < seeds.to {
            let to = seeds.to.min(from.saturating_add(SEEDS_AT_ONCE));
            calls.push(Call {
                scenario,
                seeds: Some((from, to)),
            });
            from = to;
        }
    }
    calls
}

/// Makes the calls; for each, what the program said if it made no log.
fn make(
    program: &Path,
    calls: &[Call<'_>],
    folder: &Path,
    jobs: usize,
    screen: &mut Screen<'_>,
) -> Vec<(usize, String)> {
    let interrupts = Interrupts::of(screen);
    let clock = screen.clock();
    let mut bar = Progress::new(
        screen.progress,
        move || clock(),
        "the other program",
        Goal::Unknown,
    );
    let (next, stop) = (&AtomicUsize::new(0), &AtomicBool::new(false));
    let (send, receive) = channel();
    let mut all = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, calls.len().max(1)) {
            let send = send.clone();
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(call) = calls.get(at) else { return };
                    let output = call.command(program, &into(folder, at)).output();
                    let told = match output {
                        Ok(output) => said(&output),
                        Err(error) => format!("it cannot be started: {error}"),
                    };
                    if send.send((at, told)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(send);
        for made in receive {
            all.push(made);
            bar.says(format!("{} of {}", all.len(), calls.len()));
            stop.store(interrupts.any(), Ordering::Relaxed);
        }
    });
    all
}

/// Where a call's logs go: a file, or a folder of them.
fn into(folder: &Path, call: usize) -> PathBuf {
    folder.join(format!("{call}.dlog"))
}

impl Call<'_> {
    fn command(&self, program: &Path, into: &Path) -> Command {
        let mut command = Command::new(program);
        let Some((from, to)) = self.seeds else {
            command.arg("run").arg(&self.scenario.path);
            command.arg("--out").arg(into);
            command.args(["--quiet", "--color", "never"]);
            return command;
        };
        command.arg("fuzz").arg(&self.scenario.path);
        command.arg("--out").arg(into);
        command.args(["--seeds", &format!("{from}..{to}")]);
        // A campaign keeps what fails, and a canary says that all do. With a schedule that is drawn, a task
        // more would send a run another way.
        command.args(["--canary", "1000", "--scheduler", "fifo", "--no-shrink"]);
        command.args(["--check-determinism", "0", "--jobs", "1"]);
        command.args(["--no-progress", "--quiet", "--color", "never"]);
        command
    }

    /// The logs that the call made, in the order of their seeds; what there is none of was skipped.
    fn take(&self, into: &Path, told: &str, made: &mut Made) {
        let name = self.scenario.name();
        let case = |path, known_as| Case {
            path,
            known_as: Some(known_as),
            kind: CaseKind::Golden,
        };
        let Some((from, to)) = self.seeds else {
            if into.is_file() {
                made.cases.push(case(into.to_owned(), name));
            } else {
                let why = format!("the other program has no run of it: {told}");
                made.skipped.push((name, why));
            }
            return;
        };
        let mut logs: Vec<(u64, PathBuf)> = std::fs::read_dir(into)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((seed_of(&entry.path())?, entry.path())))
            .collect();
        logs.sort();
        let missing = (to - from).saturating_sub(logs.len() as u64);
        if missing > 0 {
            let of = counted(missing, "seed", "seeds");
            let why = format!("the other program has no run of {of} from {from} on: {told}");
            made.skipped.push((name.clone(), why));
        }
        let seeds = logs.into_iter();
        made.cases
            .extend(seeds.map(|(seed, log)| case(log, format!("{name}, seed {seed:#x}"))));
    }
}

/// The seed in the name of a campaign's log, `NAME-SEED.dlog`, in hexadecimal digits.
fn seed_of(log: &Path) -> Option<u64> {
    let stem = log.file_name()?.to_str()?.strip_suffix(".dlog")?;
    u64::from_str_radix(stem.rsplit('-').next()?, 16).ok()
}

/// What a program that made no log said, in a line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let first = text.lines().find(|line| !line.trim().is_empty());
    first
        .unwrap_or("it said nothing")
        .chars()
        .take(300)
        .collect()
}

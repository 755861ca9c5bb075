//! What properties and the log take of the runs of a campaign: the same runs with both, without properties, and
//! without either, by turns, since one minute of a machine is not like the next.

use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Plan, Run, System};
use dacapo_lab::Swarm;
use dacapo_lab::scenario::{DataDir, Overrides, Varied};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::Config;

/// Enough for the kinds of run that the scenario draws.
const SEEDS: u64 = 200;
const ROUNDS: usize = 15;

/// What a seed draws.
struct Drawn {
    plan: Plan<Config>,
    files: DataDir,
}

/// Makes a run, and says how many events it has.
type Way = fn(&Drawn) -> u64;

/// How runs are made.
const WAYS: [(&str, Way); 3] = [
    ("every property, log in memory", |run| {
        record(Run::new(&run.plan), &run.files)
    }),
    ("no property, log in memory", |run| {
        record(Run::new(&run.plan).unchecked(), &run.files)
    }),
    ("no property, no log", |run| {
        let made = Run::<Orchestration>::new(&run.plan).unchecked();
        made.discard(&run.files).expect("it can be built").events
    }),
];

fn record(run: Run<'_, Orchestration>, files: &DataDir) -> u64 {
    let memory: BoxedStorage = Box::new(Memory(Vec::new()));
    let made = run.record(files, memory, SyncPolicy::Never);
    made.expect("memory does not fail").events
}

/// What each seed draws from the general scenario.
fn drawn(seeds: u64) -> Vec<Drawn> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/general.toml");
    let mut varied = Varied::<Orchestration>::read(&path, &Overrides::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let (swarm, kinds) = (Swarm::default(), Orchestration::faults());
    let mut draw = |seed| {
        let base = varied.of(seed).unwrap_or_else(|error| panic!("{error}"));
        Drawn {
            plan: swarm.plan(&base.plan, &kinds, seed),
            files: base.files.clone(),
        }
    };
    (0..seeds).map(&mut draw).collect()
}

/// How long it takes to make all runs in a way.
fn time(way: Way, runs: &[Drawn]) -> Duration {
    let begun = WallTime.start();
    for run in runs {
        black_box(way(run));
    }
    WallTime.end(begun)
}

/// The one in the middle; none has none.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() -> io::Result<()> {
    // Whoever only wants to know whether it works does not wait for it.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let (seeds, rounds) = if is_measured { (SEEDS, ROUNDS) } else { (8, 1) };
    let runs = drawn(seeds);
    let [(_, first), ..] = WAYS;
    let events: u64 = runs.iter().map(first).sum();
    let turns: Vec<[Duration; WAYS.len()]> = (0..rounds)
        .map(|_| WAYS.map(|(_, way)| time(way, &runs)))
        .collect();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{seeds} runs of general.toml with {} events each, {rounds} rounds by turns",
        events / seeds
    )?;
    for (place, (name, _)) in WAYS.iter().enumerate() {
        let each = turns.iter().map(|turn| turn[place].as_secs_f64());
        let share = turns
            .iter()
            .map(|turn| turn[place].as_secs_f64() / turn[0].as_secs_f64());
        writeln!(
            out,
            "{name:32} {:6.0} µs a run, {:.2} of the first",
            median(each.collect()) / seeds as f64 * 1e6,
            median(share.collect()),
        )?;
    }
    Ok(())
}

//! Bars: an agent that crosses averages and trades, with the whole orchestration and its full log.
//!
//! Three sizes, named by how many orders were filled in them, show that the cost grows with that
//! number and no faster; the files are read in each run, as `dacapo run` reads them.

use std::fmt::Write;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Outcome, Run, Stream};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::views::Views;

/// How many bars of a minute.
const SIZES: [u64; 3] = [50_000, 100_000, 200_000];

/// Trading days of twenty years.
const DAYS: u64 = 5_040;

/// When the first bar begins, in seconds since 1970: 2020-01-01. A smaller number would be no time that is
/// recognised.
const START: u64 = 1_577_836_800;

const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

/// Bars of so many seconds that wander, and a scenario that trades them, in a folder.
fn scenario(folder: &Path, bars: u64, seconds: u64) -> Loaded<Orchestration> {
    let mut chance = Stream::new(7, "bars", "walk");
    let mut text = String::from("unix,open,high,low,close,volume\n");
    let mut cents: u64 = 3_000_000;
    for bar in 1..=bars {
        let open = cents;
        // A thousandth up or down at most, and a little beyond both ends.
        cents = (cents + chance.below(6_001))
            .saturating_sub(3_000)
            .max(100_000);
        let (high, low) = (
            open.max(cents) + chance.below(500),
            open.min(cents) - chance.below(500),
        );
        let price = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        let [open, high, low, close] = [open, high, low, cents].map(price);
        writeln!(
            text,
            "{},{open},{high},{low},{close},12.5",
            START + bar * seconds
        )
        .expect("a text takes what fits into memory");
    }
    let scenario = format!(
        r#"
name = "bars"
symbols = ["BTC/USDT"]
store.kind = "none"

[run]
start = 2020-01-01T00:00:00Z
duration = "{}s"

[budgets]
virtual_seconds = 1000000000

[market]
source = "bars"
stamped = "close"
file = "bars.csv"
symbol = "BTC/USDT"

[agents]
technical_analysis = "absent"
regime_detection = "absent"
trading_decision.average_cross = {{ fast = 10, slow = 30, quantity = "0.01" }}

# Sure enough for the risk engine after any losses, and out of the market within hours.
[agents.decision]
base_confidence = 1.0
stop_pct = 0.6
target_pct = 1.2

[schedules]
trading_decision = {{ interval_bars = 1, depends_on = [] }}
portfolio_rebalance.enabled = false

[paper]
initial_balance = {{ USDT = "100000", BTC = "1" }}
"#,
        (bars + 1) * seconds
    );
    let path = folder.join("bars.toml");
    std::fs::write(folder.join("bars.csv"), text).expect("the folder was just made");
    std::fs::write(&path, scenario).expect("the folder was just made");
    load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn record(loaded: &Loaded<Orchestration>) -> Outcome<Views> {
    let memory: BoxedStorage = Box::new(Memory(Vec::new()));
    let run = Run::<Orchestration>::new(&loaded.plan);
    let outcome = run.record(&loaded.files, memory, SyncPolicy::Never);
    outcome.expect("memory does not fail")
}

fn bars(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for what is made up");
    let mut group =
        criterion.benchmark_group("bars, an average cross that trades, full log in memory");
    group.sample_size(10);
    let sizes = SIZES.map(|bars| (bars, MINUTE)).into_iter();
    for (bars, seconds) in sizes.chain([(DAYS, DAY)]) {
        let folder = folder.path().join(bars.to_string());
        std::fs::create_dir(&folder).expect("the folder around it is new");
        let loaded = scenario(&folder, bars, seconds);
        let filled = record(&loaded).world.view.trading.filled;
        assert!(filled > 0, "what fills no order measures no trading");
        let what = match seconds {
            DAY => format!("twenty years of days, {filled} orders filled"),
            _ => format!("{bars} minutes, {filled} orders filled"),
        };
        group.throughput(Throughput::Elements(bars));
        group.bench_with_input(
            BenchmarkId::from_parameter(what),
            &loaded,
            |bencher, loaded| {
                bencher.iter(|| record(loaded));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, bars);
criterion_main!(benches);

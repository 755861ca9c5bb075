//! Scenarios in which a store, an executor, an operator and the coordinator's host all misbehave around
//! the plans of a portfolio agent.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A trade of one batch.
#[derive(Clone, Debug)]
pub(super) struct Trade {
    pub(super) symbol: &'static str,
    pub(super) side: &'static str,
    pub(super) cents: u32,
}

/// A plan, and when it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) at_s: u32,
    /// Batch by batch; the first is traded at once.
    pub(super) batches: Vec<Vec<Trade>>,
    /// It is asked for twice at the same instant.
    pub(super) twice: bool,
}

/// The host of the coordinator goes down.
#[derive(Clone, Debug)]
pub(super) struct Crash {
    /// At an event that has to do with legs; otherwise at any.
    pub(super) at_a_leg: bool,
    pub(super) place: Index,
    pub(super) restart_s: u32,
}

/// Seconds from and until.
type Window = (f64, f64);

/// Everything that one scenario says.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) plans: Vec<Plan>,
    down: Vec<Window>,
    insert_fail: Vec<u64>,
    refused: Vec<u64>,
    raised: Vec<u64>,
    delay_s: f64,
    paused: Vec<Window>,
    pub(super) crashes: Vec<Crash>,
}

/// Between two batches of a plan.
pub(super) const INTERVAL_S: u32 = 3_600;
/// Batches after the first, at most.
const LATER: u32 = 3;
/// From here on the store works and trading is on: whatever is left can be finished.
const CALM_S: u32 = LATER * INTERVAL_S + 600;
/// How often trading is switched on again, as a crash may swallow a command.
const CALMS: u32 = 4;

/// A window that begins near the time of a plan or of a batch.
fn window(longest: f64) -> impl Strategy<Value = Window> {
    let near = (0..=LATER, 0.0..120.0, 0.5..longest);
    near.prop_map(|(batch, offset, len)| {
        let from = f64::from(batch * INTERVAL_S) + offset;
        (from, from + len)
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let symbols = select(&["BTC/USDT", "XRP/USDT"][..]);
    let trade = (symbols, select(&["buy", "sell"][..]), 1_000..9_999_u32);
    let trade = trade.prop_map(|(symbol, side, cents)| Trade {
        symbol,
        side,
        cents,
    });
    let batch = prop::collection::vec(trade, 0..3);
    let batches = prop::collection::vec(batch, 2..=1 + LATER as usize);
    (10..60_u32, batches, prop::bool::weighted(0.2)).prop_map(|(at_s, batches, twice)| Plan {
        at_s,
        batches,
        twice,
    })
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let plans = prop::collection::vec(plan(), 1..3);
    let down = prop::collection::vec(window(90.0), 0..4);
    let orders = || prop::collection::vec(0..12_u64, 0..3);
    let delay_s = select(&[0.0, 0.0, 0.25, 3.0][..]);
    let paused = prop::collection::vec(window(4_000.0), 0..3);
    let crash = (
        prop::bool::weighted(0.8),
        any::<Index>(),
        select(&[0, 1, 30][..]),
    );
    let crash = crash.prop_map(|(at_a_leg, place, restart_s)| Crash {
        at_a_leg,
        place,
        restart_s,
    });
    let crashes = prop::collection::vec(crash, 0..3);
    let drawn = (
        plans,
        down,
        orders(),
        orders(),
        orders(),
        delay_s,
        paused,
        crashes,
    );
    drawn.prop_map(
        |(mut plans, down, insert_fail, refused, raised, delay_s, paused, crashes)| {
            plans.sort_by_key(|plan| plan.at_s);
            plans.dedup_by_key(|plan| plan.at_s);
            Case {
                plans,
                down,
                insert_fail,
                refused,
                raised,
                delay_s,
                paused,
                crashes,
            }
        },
    )
}

impl Case {
    /// Three legs of one plan, and nothing that goes wrong by itself.
    pub(super) fn of_one_plan(twice: bool) -> Case {
        let trade = |side| Trade {
            symbol: "BTC/USDT",
            side,
            cents: 5_000,
        };
        let plan = Plan {
            at_s: 10,
            batches: vec![
                vec![],
                vec![trade("sell"), trade("buy")],
                vec![trade("buy")],
            ],
            twice,
        };
        Case {
            plans: vec![plan],
            down: vec![],
            insert_fail: vec![],
            refused: vec![],
            raised: vec![],
            delay_s: 0.0,
            paused: vec![],
            crashes: vec![],
        }
    }

    /// The same with an executor that takes its time.
    pub(super) fn slow(mut self, delay_s: f64) -> Case {
        self.delay_s = delay_s;
        self
    }

    /// The same with trading paused for some time.
    pub(super) fn paused(mut self, from_s: f64, until_s: f64) -> Case {
        self.paused.push((from_s, until_s));
        self
    }

    /// The scenario file, with crashes right after these events.
    pub(super) fn scenario(&self, crashes: &[(u64, u32)]) -> String {
        let mut text = String::from(HEAD);
        let mut say = |line: String| writeln!(text, "{line}").expect("a text takes every line");
        say(format!("duration = \"{}s\"", CALM_S + CALMS * 600));
        say("[agents]".to_owned());
        for agent in ["technical_analysis", "regime_detection", "trading_decision"] {
            say(format!("{agent} = \"absent\""));
        }
        say("portfolio_rebalance.plans = [".to_owned());
        for plan in &self.plans {
            say(format!("{},", plan.entry()));
        }
        // The schedule asks once an hour, too.
        let last = self.plans.iter().map(|plan| plan.at_s).max().unwrap_or(0);
        say(format!(
            "{{ from_seconds = {}, action = \"no_action\" }},\n]",
            last + 30
        ));
        say("[store]".to_owned());
        say(format!("insert_fail = {:?}", self.insert_fail));
        let down = self.down.iter().map(|(from, until)| [from, until]);
        say(format!("down = {:?}", down.collect::<Vec<_>>()));
        say("[live]".to_owned());
        say(format!(
            "fail = {:?}\nraise = {:?}",
            self.refused, self.raised
        ));
        say(format!("delay_seconds = {:?}", self.delay_s));
        for (seq, restart_s) in crashes {
            let crash = "[[faults]]\nkind = \"crash_host\"\nhost = \"coordinator\"";
            say(format!(
                "{crash}\nafter_event = {seq}\nrestart_after = \"{restart_s}s\""
            ));
        }
        for plan in &self.plans {
            let ask = "force_run = { task = \"portfolio_check\", symbol = \"PORTFOLIO\" }";
            for _ in 0..1 + u32::from(plan.twice) {
                say(format!("[[events]]\nat_seconds = {}\n{ask}", plan.at_s));
            }
        }
        let mut command = |at: f64, name: &str| {
            say(format!("[[events]]\nat_seconds = {at:?}"));
            say("publish.topic = \"coordinator_commands\"\npublish.source = \"desk\"".to_owned());
            say(format!("publish.payload = {{ command = \"{name}\" }}"));
        };
        for (from, until) in &self.paused {
            command(*from, "pause");
            command(*until, "resume");
        }
        for calm in 0..CALMS {
            command(f64::from(CALM_S + calm * 600), "resume");
        }
        text
    }
}

impl Plan {
    fn entry(&self) -> String {
        let trades = self.numbered().map(|(batch, trade)| {
            let Trade {
                symbol,
                side,
                cents,
            } = trade;
            let dollars = format!("{}.{:02}", cents / 100, cents % 100);
            format!(
                "{{ symbol = \"{symbol}\", action = \"{side}\", amount_usd = \"{dollars}\", batch_index = {batch} }}"
            )
        });
        format!(
            "{{ from_seconds = {}, action = \"rebalance\", dca_batches = {}, dca_interval_hours = 1, trades = [{}] }}",
            self.at_s,
            self.batches.len(),
            trades.collect::<Vec<_>>().join(", "),
        )
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &Trade)> {
        let batches = (0..).zip(&self.batches);
        batches.flat_map(|(batch, trades)| trades.iter().map(move |trade| (batch, trade)))
    }

    /// The trades that wait for their time, each with its batch.
    pub(super) fn later(&self) -> Vec<(u32, &Trade)> {
        self.numbered().filter(|(batch, _)| *batch > 0).collect()
    }
}

const HEAD: &str = r#"
name = "legs"
story = "Legs of a rebalancing, with everything around them going wrong."
symbols = ["BTC/USDT", "XRP/USDT"]
trading_mode = "live"
risk_mode = { approve_all = [] }
market = { source = "none" }
prices = { max_age_s = 100000 }
[[events]]
at_seconds = -1
set_price = { symbol = "BTC/USDT", price = 45000 }
[[events]]
at_seconds = -1
set_price = { symbol = "XRP/USDT", price = "0.60" }
[run]
"#;

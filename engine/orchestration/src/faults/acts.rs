//! What somebody outside may do to the orchestration, as acts of a plan of faults: an operator's commands,
//! breached limits, signals and evidence of every kind, subscribers, settings that differ.
//!
//! Each act adds to the configuration what a scenario could have said itself.

mod cycle;
mod payloads;
mod plans;
mod subscribers;

use std::time::Duration;

use dacapo_kernel::{FaultKind, How, Plan, Time};
use serde_json::Value;

use crate::amount::Amount;
use crate::bus::subscriptions::FailureCount;
use crate::config::{Config, OutsideEvent, Publication};
use crate::message::{Json, Name, Priority, Topic};
use crate::symbol::DOLLAR;

use payloads::{breach, command, evidence, malformed, signal};

/// A kind of act, at most so many times in a run.
const fn kind(
    name: &'static str,
    meaning: &'static str,
    value: &'static str,
    most: u64,
    times: u32,
) -> FaultKind {
    FaultKind {
        name,
        meaning,
        value,
        least: 0,
        most,
        how: How::Act { times },
    }
}

/// Every kind of act.
pub(super) const KINDS: &[FaultKind] = &[
    kind("operator.pause", "an operator pauses trading", "", 0, 8),
    kind("operator.resume", "an operator resumes trading", "", 0, 8),
    kind("operator.halt", "an operator halts trading", "", 0, 2),
    kind("operator.clear-halt", "an operator clears a halt", "", 0, 2),
    kind(
        "operator.disable-task",
        "an operator disables a task",
        "which task",
        4,
        2,
    ),
    kind(
        "operator.enable-task",
        "an operator enables a task",
        "which task",
        4,
        2,
    ),
    kind(
        "operator.force-run",
        "an operator has a task run at once",
        "which task and symbol",
        19,
        4,
    ),
    kind(
        "operator.bad-command",
        "an operator says what is no command",
        "what is wrong with it",
        7,
        3,
    ),
    kind(
        "risk.breach",
        "a limit of the account is breached",
        "which: 0 a day's loss, 1 a week's, 2 drawdown, 3 another, severe, 4 another, mild",
        4,
        3,
    ),
    kind(
        "signal.valid",
        "somebody outside sends a signal",
        "its symbol, side, price and leverage",
        255,
        6,
    ),
    kind(
        "signal.burst",
        "somebody outside sends many signals at once",
        "how many",
        90,
        1,
    ),
    kind(
        "signal.second-thoughts",
        "somebody sends a signal, and an operator pauses trading right after it",
        "how long after, in milliseconds",
        2_500,
        12,
    ),
    kind(
        "signal.malformed",
        "somebody outside sends a signal that is none",
        "what is wrong with it",
        35,
        4,
    ),
    kind(
        "signal.unknown-action",
        "a signal asks for an unknown action",
        "which",
        7,
        2,
    ),
    kind(
        "evidence.outside",
        "somebody outside says what it makes of a symbol",
        "what, of which symbol",
        255,
        8,
    ),
    kind(
        "subscriber.fails",
        "a subscriber fails on every message",
        "its topic",
        9,
        2,
    ),
    kind(
        "subscriber.fails-sometimes",
        "a subscriber fails on some messages",
        "its topic, and which",
        255,
        2,
    ),
    kind(
        "subscriber.slow",
        "a subscriber takes its time",
        "its topic, and how long",
        255,
        2,
    ),
    kind(
        "subscriber.calls-bus",
        "a subscriber publishes when it is told something",
        "its topic",
        9,
        2,
    ),
    kind(
        "subscriber.labels",
        "a subscriber listens twice to one topic",
        "its topic",
        9,
        2,
    ),
    kind(
        "subscriber.many",
        "very many subscribe to one topic",
        "its topic, and how many",
        1_299,
        1,
    ),
    kind(
        "subscriber.churn",
        "a subscriber comes and goes",
        "its topic",
        9,
        3,
    ),
    kind(
        "settings.history",
        "few messages are kept",
        "how many",
        200,
        1,
    ),
    kind(
        "settings.consecutive-breaker",
        "only failures in a row count against a subscriber",
        "",
        0,
        1,
    ),
    kind(
        "settings.partial-fills",
        "the exchange fills some orders in part",
        "",
        0,
        1,
    ),
    kind(
        "settings.signal-queue",
        "few signals may wait",
        "how many",
        10,
        1,
    ),
    kind("settings.remote-agents", "agents run elsewhere", "", 0, 1),
    kind(
        "settings.failures",
        "failures count from the start",
        "how many",
        12,
        1,
    ),
    kind("settings.slots", "few tasks run at once", "how many", 3, 1),
    kind(
        "settings.few-dollars",
        "the account begins with few dollars",
        "how many",
        300,
        1,
    ),
    kind(
        "settings.much-bitcoin",
        "the account begins with much bitcoin",
        "how many",
        1_000,
        1,
    ),
    kind(
        plans::NAME,
        "the portfolio follows plans that somebody wrote, buys before sells",
        "how large; odd: nobody judges its trades",
        9,
        1,
    ),
    kind(
        cycle::NAME,
        "the schedules get dependencies that run in a circle, if the loader takes them",
        "the task that begins the circle, counted in the order of the table",
        15,
        1,
    ),
];

/// What an act does to the plan of a run.
///
/// # Errors
/// If there is no such act.
pub(crate) fn act(plan: &mut Plan<Config>, what: &str, at: Time, value: u64) -> Result<(), String> {
    if what == cycle::NAME {
        cycle::add(plan, value);
        return Ok(());
    }
    let config = &mut plan.system;
    let said: Option<(Topic, &str, Value)> = match what {
        "operator.pause" => Some(command("pause", value, config)),
        "operator.resume" => Some(command("resume", value, config)),
        "operator.halt" => Some(command("halt", value, config)),
        "operator.clear-halt" => Some(command("clear_halt", value, config)),
        "operator.disable-task" => Some(command("disable_task", value, config)),
        "operator.enable-task" => Some(command("enable_task", value, config)),
        "operator.force-run" => Some(command("force_run", value, config)),
        "operator.bad-command" => Some(payloads::bad_command(value)),
        "risk.breach" => Some(breach(value)),
        "signal.valid" => signal(config, value),
        "signal.malformed" => malformed(config, value),
        "signal.unknown-action" => payloads::unknown_action(config, value),
        "evidence.outside" => Some(evidence(config, value)),
        "signal.second-thoughts" => {
            let later = at + Duration::from_millis(value);
            let pause = command("pause", 0, config);
            config.add_event(published(later, pause));
            signal(config, value)
        }
        "signal.burst" => {
            for number in 0..value {
                if let Some(said) = signal(config, number) {
                    config.add_event(published(at, said));
                }
            }
            None
        }
        _ if subscribers::act(config, what, at, value) || set(config, what, value) => None,
        _ => return Err(format!("there is no act `{what}`")),
    };
    if let Some(said) = said {
        config.add_event(published(at, said));
    }
    Ok(())
}

fn published(at: Time, (topic, source, payload): (Topic, &str, Value)) -> OutsideEvent {
    OutsideEvent {
        at_seconds: at.as_secs_f64(),
        publish: Some(Publication {
            topic,
            source: Name::from(source),
            priority: Priority::Normal,
            payload: Json(payload),
            ttl_seconds: 300.0,
        }),
        ..OutsideEvent::default()
    }
}

/// Changes a setting; whether there is such an act.
fn set(config: &mut Config, what: &str, value: u64) -> bool {
    let small = usize::try_from(value).unwrap_or(usize::MAX);
    match what {
        "settings.history" => config.message_bus.max_history_size = small.max(1),
        "settings.consecutive-breaker" => {
            config.message_bus.subscriptions.counting = FailureCount::Consecutive
        }
        "settings.partial-fills" => config.paper.simulate_partial_fills = true,
        "settings.few-dollars" => {
            let dollars = Amount::from_int(i64::try_from(value).unwrap_or(i64::MAX));
            config
                .paper
                .initial_balance
                .insert(DOLLAR.to_owned(), dollars);
        }
        "settings.much-bitcoin" => {
            let bitcoin = Amount::from_int(i64::try_from(value).unwrap_or(i64::MAX));
            let balance = &mut config.paper.initial_balance;
            balance.insert("BTC".to_owned(), bitcoin);
        }
        plans::NAME => plans::set(config, value),
        "settings.signal-queue" => config.coordinator.signal_queue = small.max(1),
        "settings.remote-agents" => config.agents.remote = true,
        "settings.failures" => {
            config.degradation.api_failures = u32::try_from(value / 2).unwrap_or(0);
            config.degradation.llm_failures = u32::try_from(value - value / 2).unwrap_or(0);
        }
        "settings.slots" => {
            config.coordinator.max_concurrent_tasks = u32::try_from(value).unwrap_or(1).max(1);
        }
        _ => return false,
    }
    true
}

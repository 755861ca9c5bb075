//! What the world outside must have come up with: signals, commands, alarms and replies of every kind that a
//! campaign claims to try. A kind that is never drawn is a kind that was never tested.

mod replies;
mod signals;

use dacapo_kernel::Sometimes;
use serde_json::Value;

use crate::domain_event::{DomainEvent, number};
use crate::message::{CircuitBreakerAlert, CommandRejected, Message, Payload, Topic};

/// One kind of what is said: its name, what it means, and what must be true of it.
type Kind<T> = (&'static str, &'static str, fn(&T) -> bool);

/// Alarms of the risk engine. One that names none of its three limits counts if it is severe.
const ALARMS: &[Kind<CircuitBreakerAlert>] = &[
    ("alarm.day", "a day's loss was alarming", |it| {
        limit(it) == "daily_loss"
    }),
    ("alarm.week", "a week's loss was alarming", |it| {
        limit(it) == "weekly_loss"
    }),
    ("alarm.drawdown", "a drawdown was alarming", |it| {
        limit(it) == "max_drawdown"
    }),
    (
        "alarm.other-severe",
        "something else was alarming, and severe",
        |it| limit(it) == "margin_call" && is_severe(it),
    ),
    (
        "alarm.other-mild",
        "something else was alarming, and mild",
        |it| limit(it) == "margin_call" && !is_severe(it),
    ),
];

/// Why a command was not carried out.
const REFUSALS: &[Kind<CommandRejected>] = &[
    (
        "command.unknown",
        "a command was none that is known",
        |it| it.reason == *"unknown command" && it.command != *"",
    ),
    (
        "command.none",
        "what should be a command named none",
        |it| it.command == *"",
    ),
    (
        "command.unknown-task",
        "a command named a task that there is not",
        |it| it.reason == *"unknown task",
    ),
    (
        "command.unsigned",
        "a halt was to be cleared by nobody, or for no reason",
        |it| it.command == *"clear_halt",
    ),
    (
        "command.malformed",
        "a command lacked what it needs",
        |it| it.command == *"force_run" && it.reason != *"unknown task",
    ),
];

pub(super) fn all() -> Vec<Sometimes<DomainEvent>> {
    let mut all = Vec::new();
    all.extend(signals::SHAPED.iter().map(|kind| {
        said(*kind, |message| match &message.payload {
            Payload::TradingSignal(signal) => Some(signal),
            _ => None,
        })
    }));
    all.extend(signals::UNSHAPED.iter().map(|kind| {
        said(*kind, |message| match &message.payload {
            Payload::Raw(Value::Object(fields)) if message.topic == Topic::TradingSignals => {
                Some(fields)
            }
            _ => None,
        })
    }));
    all.extend(ALARMS.iter().map(|kind| {
        said(*kind, |message| match &message.payload {
            Payload::CircuitBreakerAlert(alert) => Some(alert),
            _ => None,
        })
    }));
    all.extend(REFUSALS.iter().map(|kind| {
        said(*kind, |message| match &message.payload {
            Payload::CommandRejected(rejected) => Some(rejected),
            _ => None,
        })
    }));
    all.extend(
        replies::RESOLUTIONS
            .iter()
            .chain(replies::ADVICE)
            .map(|kind| replied(*kind)),
    );
    all
}

/// A message on the bus says something of this kind.
fn said<T: 'static>(
    (id, meaning, is_it): Kind<T>,
    of: fn(&Message) -> Option<&T>,
) -> Sometimes<DomainEvent> {
    Sometimes {
        id,
        meaning,
        watches: &[number::Published],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::Published(it)) => of(&it.message).is_some_and(is_it),
            _ => false,
        }),
    }
}

/// A model gives a reply of this kind.
fn replied((id, meaning, is_it): Kind<str>) -> Sometimes<DomainEvent> {
    Sometimes {
        id,
        meaning,
        watches: &[number::ModelAnswered],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::ModelAnswered(it)) => it.reply.said().is_ok_and(is_it),
            _ => false,
        }),
    }
}

fn limit(alert: &CircuitBreakerAlert) -> &str {
    alert.breach_type.as_deref().unwrap_or_default()
}

fn is_severe(alert: &CircuitBreakerAlert) -> bool {
    matches!(alert.severity.as_deref(), Some("high" | "critical"))
}

#[cfg(test)]
mod tests;

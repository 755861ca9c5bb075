//! Replies that are drawn from the seed: resolutions of conflicts, and messages of agents.

use std::time::Duration;

use dacapo_kernel::{Answer, Stream};
use serde_json::{Map, Value};

use super::{answer, odd};
use crate::agents::said::{Holds, fields_of};
use crate::config::{GeneratedMessages, GeneratedReplies};
use crate::domain_event::DomainEvent;
use crate::message::{Name, Topic};

/// A resolution.
pub(super) fn resolution(shares: &GeneratedReplies, chance: &mut Stream) -> Answer<DomainEvent> {
    let delay = delay(shares.delay_ms_min, shares.delay_ms_max, chance);
    let confidence = chance.below(1_000) as f64 / 1_000.0;
    let mut drawn = chance.below(1_000) as u32;
    let mut falls_in = |share: u32| {
        let hit = drawn < share;
        drawn = drawn.saturating_sub(share);
        hit
    };
    let said = if falls_in(shares.proceed_per_mille) {
        Ok(reply("proceed", confidence, ""))
    } else if falls_in(shares.modify_per_mille) {
        let pct = 10 + 10 * chance.below(6);
        Ok(reply(
            "modify",
            confidence,
            &format!(r#", "modifications": {{"size_reduction_pct": {pct}}}"#),
        ))
    } else if falls_in(shares.bold_per_mille) {
        Ok(reply("modify", confidence, &bold(chance)))
    } else if falls_in(shares.abort_per_mille) {
        Ok(reply("abort", confidence, ""))
    } else if falls_in(shares.error_per_mille) {
        Err("provider error 503".to_owned())
    } else if falls_in(shares.garbage_per_mille) {
        Ok("I would rather not say.".to_owned())
    } else if falls_in(shares.odd_per_mille) {
        Ok(odd::reply(chance))
    } else {
        Ok(reply("wait", confidence, ""))
    };
    answer(delay, said)
}

fn delay(least: u64, most: u64, chance: &mut Stream) -> Duration {
    Duration::from_millis(least + chance.below(most - least + 1))
}

/// Modifications that may ask for more risk than the signal: none of them is a mistake of form.
fn bold(chance: &mut Stream) -> String {
    let leverage = format!(r#""leverage": {}"#, 1 + chance.below(5));
    let entry = format!(
        r#""entry_adjustment_pct": {:.1}"#,
        chance.below(101) as f64 / 10.0 - 5.0
    );
    let fields = match chance.below(3) {
        0 => leverage,
        1 => entry,
        _ => format!("{leverage}, {entry}"),
    };
    format!(r#", "modifications": {{{fields}}}"#)
}

fn reply(action: &str, confidence: f64, more: &str) -> String {
    format!(
        r#"{{"action": "{action}", "confidence": {confidence}{more}, "reasoning": "drawn from the seed"}}"#
    )
}

/// A message on a topic, with what must be in it.
pub(super) fn message(
    shares: &GeneratedMessages,
    (topic, required): (Topic, &[Name]),
    chance: &mut Stream,
) -> Answer<DomainEvent> {
    let delay = delay(shares.delay_ms_min, shares.delay_ms_max, chance);
    let drawn = chance.below(1_000) as u32;
    if drawn < shares.error_per_mille {
        return answer(delay, Err("provider error 503".to_owned()));
    }
    if drawn < shares.error_per_mille + shares.garbage_per_mille {
        return answer(delay, Ok("I would rather not say.".to_owned()));
    }
    let mut fields = Map::new();
    let is_required = |name: &str| required.iter().any(|other| other.as_str() == name);
    match fields_of(topic) {
        Some(known) => {
            for (name, holds, needed) in known {
                if *needed || is_required(name) {
                    fields.insert((*name).to_owned(), value(*holds, chance));
                }
            }
        }
        None => {
            let each = required.iter().map(|name| name.to_string());
            fields.extend(each.map(|name| (name, value(Holds::Share, chance))));
        }
    }
    fields.insert("reason".to_owned(), "drawn from the seed".into());
    answer(delay, Ok(Value::Object(fields).to_string()))
}

fn value(holds: Holds, chance: &mut Stream) -> Value {
    match holds {
        Holds::Word(words) => words[chance.below(words.len() as u64) as usize].into(),
        Holds::Share => (chance.below(1_000) as f64 / 1_000.0).into(),
        Holds::Positive => (1 + chance.below(100_000)).into(),
        Holds::Count => (1 + chance.below(3)).into(),
    }
}

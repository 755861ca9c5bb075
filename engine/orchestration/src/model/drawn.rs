//! Replies that are drawn from the seed: resolutions of conflicts, messages of agents, and advice on rebalancing.

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
    if topic == Topic::PortfolioUpdates {
        return answer(delay, Ok(advice(chance)));
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

/// Advice on a rebalancing: how to carry it out, other trades, both or neither; now and then of no use.
fn advice(chance: &mut Stream) -> String {
    let mut fields = Map::new();
    if chance.below(2) == 0 {
        let strategies = ["limit", "market", "defer"];
        let drawn = strategies[chance.below(strategies.len() as u64) as usize];
        fields.insert("execution_strategy".to_owned(), drawn.into());
    }
    match chance.below(8) {
        0..=2 => {}
        3 => drop(fields.insert("trades".to_owned(), Value::Array(Vec::new()))),
        4 => drop(fields.insert("trades".to_owned(), "as you like".into())),
        _ => {
            let trades = (0..=chance.below(3)).map(|_| trade(chance)).collect();
            fields.insert("trades".to_owned(), Value::Array(trades));
        }
    }
    fields.insert("reason".to_owned(), "drawn from the seed".into());
    Value::Object(fields).to_string()
}

/// A trade that is advised. What may be left out is left out now and then, and now and then an amount is none.
fn trade(chance: &mut Stream) -> Value {
    let mut fields = Map::new();
    let symbol = ["BTC/USDT", "XRP/USDT"][chance.below(2) as usize];
    fields.insert("symbol".to_owned(), symbol.into());
    if let Some(action) = [None, Some("buy"), Some("sell")][chance.below(3) as usize] {
        fields.insert("action".to_owned(), action.into());
    }
    let dollars = 5 + chance.below(400);
    let amount = match chance.below(8) {
        0 => format!("{dollars}.25").into(),
        1 => "all of it".into(),
        2 => (-(dollars as i64)).into(),
        _ => dollars.into(),
    };
    fields.insert("amount_usd".to_owned(), amount);
    if chance.below(4) == 0 {
        fields.insert("execution_type".to_owned(), "market".into());
        fields.insert("priority".to_owned(), (1 + chance.below(3)).into());
    }
    Value::Object(fields)
}

fn value(holds: Holds, chance: &mut Stream) -> Value {
    match holds {
        Holds::Word(words) => words[chance.below(words.len() as u64) as usize].into(),
        Holds::Share => (chance.below(1_000) as f64 / 1_000.0).into(),
        Holds::Positive => (1 + chance.below(100_000)).into(),
        Holds::Count => (1 + chance.below(3)).into(),
    }
}

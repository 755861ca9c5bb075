//! The sound profile on a recorded run: no surprise, and every difference has a name.

use std::collections::BTreeSet;

use dacapo_kernel::{Finding, Verdict};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::coordinator::state::RunState;
use dacapo_orchestration::defect::{DEFECTS, Profile};
use dacapo_orchestration::domain_event::{DomainEvent, OrderSubmitted};
use dacapo_orchestration::message::Name;
use serde_json::Value;

use super::play::{Played, play, play_with};
use crate::case::Outcome;
use crate::notes;

/// Runs without defects, looks for surprises, and names the switches that make the difference to
/// `review-fixed`.
pub(crate) fn check(run: &Value) -> Outcome {
    let sound = play(run, "sound")?;
    no_surprise(run, &sound)?;
    let names = explain(run, &sound)?;
    let id = run["id"].as_str().unwrap_or_default();
    let told = if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    };
    notes::add(
        "sound differs from review-fixed by",
        format!("{id}: {told}"),
    );
    Ok(())
}

fn no_surprise(run: &Value, played: &Played) -> Outcome {
    if played.verdict != Verdict::Complete {
        return Err(format!("expected to complete, found {}", played.verdict));
    }
    for checked in &played.outcome.findings {
        if let Finding::Violated { at, what } = &checked.finding {
            let at = at.map_or("the end".to_owned(), |at| format!("event {at}"));
            return Err(format!("{} at {at}: {what}", checked.id));
        }
    }
    begins_as_told(run, played)?;
    let mut intents = BTreeSet::new();
    for event in &played.events {
        if let Some(DomainEvent::OrderSubmitted(order)) = event.domain() {
            let surprise = surprising(order, &mut intents);
            surprise.map_or(Ok(()), |what| Err(format!("event {}: {what}", event.seq)))?;
        }
    }
    Ok(())
}

/// What is surprising about an order, if anything is.
fn surprising(order: &OrderSubmitted, intents: &mut BTreeSet<Name>) -> Option<String> {
    let intent = &order.intent;
    if order.state != RunState::Running {
        return Some(format!("{intent} was sent while {}", order.state));
    }
    let again = !intents.insert(intent.clone());
    again.then(|| format!("{intent} was sent twice"))
}

/// The account that the properties of money are held against is the one that the run begins with.
fn begins_as_told(run: &Value, played: &Played) -> Outcome {
    let told = &run["input"]["execution_config"]["paper_trading"]["initial_balance"];
    let Some(told) = told.as_object() else {
        return Ok(());
    };
    for (asset, balance) in told {
        let told: Amount =
            serde_json::from_value(balance.clone()).map_err(|error| error.to_string())?;
        if played.initial_balance.get(asset) != Some(&told) {
            return Err(format!("expected to begin with {told} {asset}"));
        }
    }
    Ok(())
}

/// The switches whose repair changes the run, on the way from `review-fixed` to `sound`: they are
/// turned off one after the other, and each step that makes a difference counts.
fn explain(run: &Value, sound: &Played) -> Result<Vec<&'static str>, String> {
    let mut left: Vec<&'static str> = Profile::ReviewFixed
        .defects()
        .iter()
        .map(|info| info.name)
        .collect();
    let with = |names: &[&str]| -> Result<Value, String> {
        let overrides = Overrides {
            defects: names.iter().map(|&name| name.to_owned()).collect(),
            ..Overrides::default()
        };
        Ok(play_with(run, "sound", &overrides)?.told)
    };
    let mut before = with(&left)?;
    let mut names = Vec::new();
    for info in DEFECTS {
        let Some(at) = left.iter().position(|name| *name == info.name) else {
            continue;
        };
        left.remove(at);
        let after = with(&left)?;
        if after != before {
            names.push(info.name);
        }
        before = after;
    }
    if before == sound.told {
        Ok(names)
    } else {
        Err("the same run without defects differs from itself".to_owned())
    }
}

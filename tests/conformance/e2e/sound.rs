//! The sound profile on a recorded run: no surprise, and every difference has a name.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::Verdict;
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::amount::{Amount, AmountError};
use dacapo_orchestration::coordinator::state::RunState;
use dacapo_orchestration::defect::{DEFECTS, Profile};
use dacapo_orchestration::domain_event::{DomainEvent, Filled, OrderSubmitted, Proposed};
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
    let mut seen = Seen::default();
    for event in &played.events {
        if let Some(domain) = event.domain() {
            let surprise = seen.surprise(domain);
            surprise.map_or(Ok(()), |what| Err(format!("event {}: {what}", event.seq)))?;
        }
    }
    conserved(run, played)
}

/// What must be remembered of a run to be surprised by it.
#[derive(Default)]
struct Seen {
    /// Approved proposals of each symbol and side that were not sent so far.
    approved: BTreeMap<(Name, Name), u64>,
    intents: BTreeSet<Name>,
    executed_legs: BTreeSet<u64>,
}

impl Seen {
    /// What must not happen, if this event is it.
    fn surprise(&mut self, event: &DomainEvent) -> Option<String> {
        match event {
            DomainEvent::RiskJudged(judged) => {
                if matches!(judged.status.as_str(), "approved" | "modified") {
                    *self.approved.entry(trade(&judged.proposal)).or_default() += 1;
                }
                None
            }
            DomainEvent::OrderSubmitted(order) => self.surprising_order(order),
            DomainEvent::LegMarked(it) if it.status.as_str() == "executed" => {
                let again = !self.executed_legs.insert(it.leg);
                again.then(|| format!("leg {} was executed twice", it.leg))
            }
            DomainEvent::BalanceChanged(it) if it.balance.is_negative() => {
                Some(format!("{} {} is negative", it.balance, it.asset))
            }
            _ => None,
        }
    }

    fn surprising_order(&mut self, order: &OrderSubmitted) -> Option<String> {
        let intent = &order.intent;
        if order.state != RunState::Running {
            return Some(format!("{intent} was sent while {}", order.state));
        }
        if !self.intents.insert(intent.clone()) {
            return Some(format!("{intent} was sent twice"));
        }
        let approved = self.approved.entry(trade(&order.order)).or_default();
        let Some(left) = approved.checked_sub(1) else {
            return Some(format!("{intent} was sent without the risk engine's leave"));
        };
        *approved = left;
        None
    }
}

fn trade(proposal: &Proposed) -> (Name, Name) {
    (proposal.symbol.clone(), proposal.side.clone())
}

/// Every balance is what it began with and what the fills added to it.
fn conserved(run: &Value, played: &Played) -> Outcome {
    let initial = &run["input"]["execution_config"]["paper_trading"]["initial_balance"];
    let mut expected: BTreeMap<Name, Amount> = BTreeMap::new();
    for (asset, balance) in initial.as_object().into_iter().flatten() {
        let balance = serde_json::from_value(balance.clone());
        expected.insert(asset.as_str().into(), balance.map_err(|e| e.to_string())?);
    }
    let mut margin = false;
    for event in &played.events {
        if let Some(DomainEvent::Filled(fill)) = event.domain() {
            margin |= fill.margin;
            add(&mut expected, fill).map_err(|error| error.to_string())?;
        }
    }
    // What a margin position earns is settled without an exchange of balances.
    let shown = &played.outcome.world.view.trading.balances;
    let wrong = shown
        .iter()
        .find(|(asset, shown)| expected.get(*asset) != Some(*shown));
    match wrong {
        Some((asset, shown)) if !margin => {
            let expected = expected.get(asset).copied().unwrap_or_default();
            Err(format!(
                "the fills make {expected} {asset}, the account has {shown}"
            ))
        }
        _ => Ok(()),
    }
}

fn add(balances: &mut BTreeMap<Name, Amount>, fill: &Filled) -> Result<(), AmountError> {
    let (base, quote) = fill.symbol.split_once('/').unwrap_or((&fill.symbol, ""));
    let value = fill.size.times(fill.price)?;
    let (got, paid) = if fill.side.as_str() == "buy" {
        (fill.size, value.plus(fill.fee)?.negated())
    } else {
        (fill.size.negated(), value.minus(fill.fee)?)
    };
    for (asset, change) in [(base, got), (quote, paid)] {
        let balance = balances.entry(asset.into()).or_default();
        *balance = balance.plus(change)?;
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

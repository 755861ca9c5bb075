//! `llm.never-riskier`: what is proposed is held against the signal that it goes back to.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan};

use crate::config::Config;
use crate::domain_event::{DomainEvent, OrderSubmitted, Proposed, RiskJudged, TradeOrigin, number};
use crate::invariants::messages::Messages;
use crate::message::{Field, Message, Topic};

/// How many signals are kept in mind.
const KEPT: usize = 256;

/// The signals, which of them a model has changed, and how each was judged.
#[derive(Debug)]
pub(super) struct NeverRiskier {
    default_size_usd: f64,
    /// By how much an entry may be moved, in percent.
    entry_pct: (f64, f64),
    signals: Messages,
    changed: BTreeMap<u64, bool>,
    judged: BTreeMap<u64, Box<RiskJudged>>,
}

impl NeverRiskier {
    pub(super) fn new(plan: &Plan<Config>) -> NeverRiskier {
        let config = &plan.system;
        NeverRiskier {
            default_size_usd: config.coordinator.default_size_usd,
            entry_pct: config.modifications.entry_adjustment_pct,
            signals: Messages::of(&[Topic::TradingSignals]),
            changed: BTreeMap::new(),
            judged: BTreeMap::new(),
        }
    }

    fn propose(&self, number: u64, proposal: &Proposed) -> Result<(), String> {
        let Some(signal) = self.signals.get(number) else {
            return Ok(());
        };
        let asked = |name: &str, default: f64| {
            let field = signal.payload.field(name);
            field.or(Field::Float(default)).number().ok()
        };
        let changed = self.changed.get(&number) == Some(&true);
        if let Some(size) = asked("size_usd", self.default_size_usd) {
            within(proposal.size_usd, size, changed, "size")?;
        }
        if let Some(leverage) = asked("leverage", 1.0) {
            within(proposal.leverage as f64, leverage, changed, "leverage")?;
        }
        for (name, kept) in [
            ("stop_loss", proposal.stop_loss),
            ("take_profit", proposal.take_profit),
        ] {
            if signal.payload.field(name).number().ok() != kept {
                return Err(format!(
                    "expected the {name} of the signal, found another one"
                ));
            }
        }
        self.enter(signal, proposal, changed)
    }

    fn enter(&self, signal: &Message, proposal: &Proposed, changed: bool) -> Result<(), String> {
        let entry = proposal.entry_price;
        if let Ok(own) = signal.payload.field("entry_price").number() {
            let (least, most) = if changed { self.entry_pct } else { (0.0, 0.0) };
            let slack = own.abs() * 1e-9 + 0.0001;
            let (least, most) = (least.min(0.0), most.max(0.0));
            let allowed = own * (1.0 + least / 100.0) - slack..=own * (1.0 + most / 100.0) + slack;
            if !allowed.contains(&entry) {
                return Err("expected the entry near the signal's, found it moved too far".into());
            }
        }
        let beyond = proposal.stop_loss.is_some_and(|stop| {
            if proposal.side == *"buy" {
                entry <= stop
            } else {
                entry >= stop
            }
        });
        if beyond {
            return Err("expected to wait with an entry beyond its stop, found a proposal".into());
        }
        Ok(())
    }
}

/// A number that a model may lower, and that otherwise is the signal's own.
fn within(found: f64, own: f64, changed: bool, what: &str) -> Result<(), String> {
    if found > own {
        return Err(format!(
            "expected a {what} of at most the signal's, found a greater one"
        ));
    }
    if found < own && !changed {
        return Err(format!(
            "expected the {what} of the signal, found a smaller one"
        ));
    }
    Ok(())
}

/// What is sent is what was judged, with the reductions of the judgement and nothing else.
fn as_judged(sent: &OrderSubmitted, judged: &RiskJudged) -> Result<(), String> {
    let mut expected = judged.proposal.clone();
    expected.size_usd = judged.size_usd.unwrap_or(expected.size_usd);
    expected.leverage = judged.leverage.unwrap_or(expected.leverage);
    if sent.order != expected {
        return Err("expected risk to judge what is sent, found it changed afterwards".into());
    }
    Ok(())
}

/// A judgement only ever reduces, and what it refuses is not sent.
fn judge(judged: &RiskJudged) -> Result<(), String> {
    let asked = &judged.proposal;
    let raised = judged.size_usd.is_some_and(|size| size > asked.size_usd)
        || judged.leverage.is_some_and(|it| it > asked.leverage);
    if raised {
        return Err("expected a judgement to reduce, found it raises".into());
    }
    Ok(())
}

impl Invariant<DomainEvent> for NeverRiskier {
    fn id(&self) -> &'static str {
        "llm.never-riskier"
    }

    fn statement(&self) -> &'static str {
        "what a reply changes never raises size or leverage, and risk is checked after the change"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Published,
            number::ConflictResolved,
            number::RiskJudged,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(it)) => self.signals.keep(&it.message),
            Some(DomainEvent::ConflictResolved(it)) => {
                // Decided anew, it is judged anew.
                self.judged.remove(&it.signal);
                self.changed.insert(it.signal, it.action == *"modify");
                if self.changed.len() > KEPT {
                    self.changed.pop_first();
                }
            }
            Some(DomainEvent::RiskJudged(it)) => {
                judge(it)?;
                if let TradeOrigin::Signal(number) = it.origin {
                    self.propose(number, &it.proposal)?;
                    self.judged.insert(number, it.clone());
                    if self.judged.len() > KEPT {
                        self.judged.pop_first();
                    }
                }
            }
            Some(DomainEvent::OrderSubmitted(it)) => {
                if let TradeOrigin::Signal(number) = it.origin {
                    let judged = self.judged.remove(&number);
                    let judged = judged.filter(|judged| judged.rejections.is_empty());
                    let judged = judged.filter(|judged| {
                        judged.status == *"approved" || judged.status == *"modified"
                    });
                    let judged =
                        judged.ok_or("expected risk to let the trade pass first, found it sent")?;
                    as_judged(it, &judged)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{judged, published, resolved, submitted};
    use super::*;
    use crate::domain_event::ResolvedBy;
    use crate::invariants::planted::Planted;

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn signal(size: f64, leverage: i64, action: &'static str) -> Planted {
        let riskier = NeverRiskier {
            default_size_usd: 100.0,
            entry_pct: (-50.0, 50.0),
            signals: Messages::of(&[Topic::TradingSignals]),
            changed: BTreeMap::new(),
            judged: BTreeMap::new(),
        };
        let payload = json!({
            "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8, "size_usd": size,
            "leverage": leverage, "entry_price": 45_000, "stop_loss": 44_100.0,
        });
        Planted::of(riskier)
            .then(published(7, Topic::TradingSignals, 0, payload))
            .then(resolved(7, action, 0.8, ResolvedBy::Reply))
    }

    #[test]
    fn size_and_leverage_are_not_raised() {
        let what = signal(400.0, 2, "modify")
            .then(judged(OF_SIGNAL, "buy"))
            .violated();
        assert!(what.contains("a size of at most"), "{what}");
        let what = signal(500.0, 1, "modify")
            .then(judged(OF_SIGNAL, "buy"))
            .violated();
        assert!(what.contains("a leverage of at most"), "{what}");
        let what = signal(600.0, 2, "proceed")
            .then(judged(OF_SIGNAL, "buy"))
            .violated();
        assert!(what.contains("found a smaller one"), "{what}");
        signal(600.0, 3, "modify")
            .then(judged(OF_SIGNAL, "buy"))
            .holds();
    }

    #[test]
    fn entry_and_stop_stay_where_they_belong() {
        let moved = |entry: f64, stop: f64| {
            let mut moved = judged(OF_SIGNAL, "buy");
            moved.proposal.entry_price = entry;
            moved.proposal.stop_loss = Some(stop);
            moved
        };
        let what = signal(500.0, 2, "modify")
            .then(moved(44_000.0, 44_100.0))
            .violated();
        assert!(what.contains("beyond its stop"), "{what}");
        let what = signal(500.0, 2, "modify")
            .then(moved(90_000.0, 44_100.0))
            .violated();
        assert!(what.contains("moved too far"), "{what}");
        let what = signal(500.0, 2, "proceed")
            .then(moved(45_100.0, 44_100.0))
            .violated();
        assert!(what.contains("moved too far"), "{what}");
        let what = signal(500.0, 2, "modify")
            .then(moved(45_000.0, 43_000.0))
            .violated();
        assert!(what.contains("the stop_loss of"), "{what}");
        signal(500.0, 2, "modify")
            .then(moved(45_100.0, 44_100.0))
            .holds();
    }

    #[test]
    fn risk_judges_what_is_sent() {
        let unjudged = signal(500.0, 2, "modify").then(submitted("i", OF_SIGNAL, "buy"));
        assert!(unjudged.violated().ends_with("found it sent"));
        let mut refused = judged(OF_SIGNAL, "buy");
        refused.status = "rejected".into();
        let sent = signal(500.0, 2, "modify")
            .then(refused)
            .then(submitted("i", OF_SIGNAL, "buy"));
        assert!(sent.violated().ends_with("found it sent"));
        let mut reduced = judged(OF_SIGNAL, "buy");
        reduced.size_usd = Some(250.0);
        let sent = signal(500.0, 2, "modify")
            .then(reduced.clone())
            .then(submitted("i", OF_SIGNAL, "buy"));
        assert!(sent.violated().contains("changed afterwards"));
        reduced.size_usd = Some(501.0);
        assert!(
            signal(500.0, 2, "modify")
                .then(reduced)
                .violated()
                .ends_with("it raises")
        );
        signal(500.0, 2, "modify")
            .then(judged(OF_SIGNAL, "buy"))
            .then(submitted("i", OF_SIGNAL, "buy"))
            .holds();
    }
}

//! `trade.as-decided`: what is proposed is the signal with what consensus and a reply made of it, to the last bit.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Seq};

use super::decision::{Decision, decide};
use super::facts::Facts;
use super::reading::{Changes, Reading, read};
use crate::config::Config;
use crate::coordinator::modification::ModificationBounds;
use crate::domain_event::{
    ConflictResolved, DomainEvent, Proposed, ResolvedBy, SignalDropped, TradeOrigin, number,
};
use crate::invariants::messages::Messages;
use crate::invariants::replied::replied;
use crate::message::Topic;

/// How many signals are kept in mind.
const KEPT: usize = 256;

/// What was made of a signal so far.
#[derive(Clone, Copy, Debug)]
struct Weighed {
    confidence: f64,
    /// What a reply asked to change. None if that cannot be told: several were asked for at once.
    changes: Option<Changes>,
}

/// The signals, and what was made of them.
#[derive(Debug)]
pub(super) struct AsDecided {
    bounds: ModificationBounds,
    default_size_usd: f64,
    signals: Messages,
    weighed: BTreeMap<u64, Weighed>,
    /// The questions about conflicts that are open, and the reply that came last.
    asked: Vec<Seq>,
    replied: Option<Reading>,
    open: usize,
    /// Whether several conflicts are open, so that nobody can tell whose a reply is.
    mixed: bool,
}

impl AsDecided {
    pub(super) fn new(plan: &Plan<Config>) -> AsDecided {
        AsDecided {
            bounds: plan.system.modifications,
            default_size_usd: plan.system.coordinator.default_size_usd,
            signals: Messages::of(&[Topic::TradingSignals]),
            weighed: BTreeMap::new(),
            asked: Vec::new(),
            replied: None,
            open: 0,
            mixed: false,
        }
    }

    /// Nothing but a wish to buy or to sell is weighed at all.
    fn weigh(&mut self, signal: u64, confidence: f64) -> Result<(), String> {
        let changes = Some(Changes::default());
        let weighed = Weighed {
            confidence,
            changes,
        };
        self.weighed.insert(signal, weighed);
        if self.weighed.len() > KEPT {
            self.weighed.pop_first();
        }
        let Some(message) = self.signals.get(signal) else {
            return Ok(());
        };
        match Facts::of(&message.payload).text("action") {
            Some("BUY" | "SELL") => Ok(()),
            _ => Err("expected nothing but BUY and SELL to be weighed, found another".into()),
        }
    }

    fn resolve(&mut self, resolved: &ConflictResolved) {
        let is_changed = resolved.by == ResolvedBy::Reply && resolved.action == *"modify";
        if let Some(weighed) = self.weighed.get_mut(&resolved.signal)
            && is_changed
        {
            weighed.changes = match self.replied {
                Some(Reading::Valid { changes, .. }) if !self.mixed => Some(changes),
                _ => None,
            };
        }
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.mixed = false;
            self.asked.clear();
            self.replied = None;
        }
    }

    /// What a signal comes to, if that can be told.
    fn decision(&self, signal: u64) -> Option<Decision> {
        let message = self.signals.get(signal)?;
        let weighed = self.weighed.get(&signal)?;
        let changes = weighed.changes?;
        Some(decide(
            Facts::of(&message.payload),
            weighed.confidence,
            Some(&changes),
            &self.bounds,
            self.default_size_usd,
        ))
    }

    fn propose(&mut self, signal: u64, found: &Proposed) -> Result<(), String> {
        let decision = self.decision(signal);
        self.weighed.remove(&signal);
        let expected = match decision {
            None => return Ok(()),
            Some(Decision::Proposal(expected)) => expected,
            Some(_) => return Err("expected the signal to end, found it proposed".into()),
        };
        let field = |name: &str| {
            Err(format!(
                "expected the {name} that was decided, found another"
            ))
        };
        match () {
            () if expected.symbol != found.symbol => field("symbol"),
            () if expected.side != found.side => field("side"),
            () if expected.size_usd != found.size_usd => field("size"),
            () if expected.entry_price != found.entry_price => field("entry"),
            () if expected.stop_loss != found.stop_loss => field("stop"),
            () if expected.take_profit != found.take_profit => field("target"),
            () if expected.leverage != found.leverage => field("leverage"),
            () if expected.confidence != found.confidence => field("confidence"),
            () if expected.regime != found.regime => field("regime"),
            () => Ok(()),
        }
    }

    /// A signal ends for a reason that it has.
    fn end(&mut self, dropped: &SignalDropped) -> Result<(), String> {
        let decision = self.decision(dropped.signal);
        self.weighed.remove(&dropped.signal);
        let reason = dropped.reason.as_str();
        let fits = match (reason, decision) {
            ("UNKNOWN_ACTION", _) => self.signals.get(dropped.signal).is_none_or(|signal| {
                let facts = Facts::of(&signal.payload);
                !matches!(facts.text("action"), Some("BUY" | "SELL" | "HOLD"))
            }),
            ("ENTRY_BEYOND_STOP", Some(decision)) => decision == Decision::BeyondStop,
            ("INVALID_PROPOSAL", Some(decision)) => decision == Decision::Invalid,
            ("MALFORMED_SIGNAL", Some(decision)) => {
                matches!(decision, Decision::Malformed | Decision::Invalid)
            }
            _ => true,
        };
        if fits {
            return Ok(());
        }
        Err(format!(
            "expected a signal to end for its own reason, found {reason}"
        ))
    }
}

impl Invariant<DomainEvent> for AsDecided {
    fn id(&self) -> &'static str {
        "trade.as-decided"
    }

    fn statement(&self) -> &'static str {
        "what is proposed is the signal with the confidence of consensus and the changes of a reply, and \
         nothing else"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Published,
            number::ConsensusBuilt,
            number::ConflictFound,
            number::ModelAsked,
            number::ModelAnswered,
            number::ConflictResolved,
            number::SignalDropped,
            number::RiskJudged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.weighed.clear();
                self.asked.clear();
                (self.replied, self.open, self.mixed) = (None, 0, false);
            }
            Some(DomainEvent::Published(it)) => self.signals.keep(&it.message),
            Some(DomainEvent::ConsensusBuilt(it)) => self.weigh(it.signal, it.confidence)?,
            Some(DomainEvent::ConflictFound(_)) => {
                self.mixed |= self.open > 0;
                self.open += 1;
            }
            Some(DomainEvent::ModelAsked(it)) if it.purpose == *"resolution" => {
                self.asked.push(event.seq);
            }
            Some(DomainEvent::ModelAnswered(it)) => {
                let is_ours = event.cause.is_some_and(|call| self.asked.contains(&call));
                if let (true, Ok(text)) = (is_ours, replied(&it.reply)) {
                    self.replied = Some(read(text));
                }
            }
            Some(DomainEvent::ConflictResolved(it)) => self.resolve(it),
            Some(DomainEvent::SignalDropped(it)) => self.end(it)?,
            Some(DomainEvent::RiskJudged(it)) => {
                if let TradeOrigin::Signal(signal) = it.origin {
                    self.propose(signal, &it.proposal)?;
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

    use super::super::plant::{
        asked, config, conflict, consensus, judged, plan, published, resolved, says,
    };
    use super::*;
    use crate::domain_event::RiskJudged;
    use crate::invariants::planted::Planted;
    use crate::message::Name;

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn weighed(action: &str) -> Planted {
        let signal = json!({
            "symbol": "BTC/USDT", "action": action, "confidence": 0.5, "size_usd": 1_000.0,
            "leverage": 2, "entry_price": 45_000, "stop_loss": 44_100.0, "regime": null,
        });
        Planted::of(AsDecided::new(&plan(config())))
            .then(published(7, Topic::TradingSignals, 0, signal))
            .then(consensus(7, Vec::new(), 0, 0))
    }

    /// Weighed (0, 1), in conflict (2), asked about (3), answered (4) and resolved (5).
    fn changed(changes: &str) -> Planted {
        let reply = format!(r#"{{"action": "modify", "modifications": {changes}}}"#);
        weighed("BUY")
            .then(conflict(7))
            .then(asked("resolution"))
            .after(3, says(&reply))
            .then(resolved(7, "modify", 0.5, ResolvedBy::Reply))
    }

    fn spoilt(spoil: impl FnOnce(&mut Proposed)) -> RiskJudged {
        let mut judged = judged(OF_SIGNAL, "buy");
        spoil(&mut judged.proposal);
        judged
    }

    fn dropped(reason: &'static str) -> SignalDropped {
        SignalDropped {
            signal: 7,
            reason: Name::fixed(reason),
        }
    }

    #[test]
    fn what_is_proposed_is_what_was_decided() {
        let halved = || changed(r#"{"size_reduction_pct": 50, "note": 1}"#);
        halved().then(judged(OF_SIGNAL, "buy")).holds();
        let spoilt = [
            ("symbol", spoilt(|it| it.symbol = "XRP/USDT".into())),
            ("side", spoilt(|it| it.side = "sell".into())),
            ("size", spoilt(|it| it.size_usd = 499.0)),
            ("entry", spoilt(|it| it.entry_price = 45_001.0)),
            ("stop", spoilt(|it| it.stop_loss = None)),
            ("target", spoilt(|it| it.take_profit = Some(1.0))),
            ("leverage", spoilt(|it| it.leverage = 1)),
            ("confidence", spoilt(|it| it.confidence = 0.5)),
            ("regime", spoilt(|it| it.regime = Some("ranging".into()))),
        ];
        for (field, judged) in spoilt {
            let what = halved().then(judged).violated();
            assert_eq!(
                what,
                format!("expected the {field} that was decided, found another")
            );
        }
        let unchanged = weighed("BUY").then(spoilt_size(1_000.0));
        unchanged.holds();
        assert!(
            weighed("BUY")
                .then(judged(OF_SIGNAL, "buy"))
                .violated()
                .contains("the size")
        );
    }

    fn spoilt_size(size: f64) -> RiskJudged {
        spoilt(|it| it.size_usd = size)
    }

    #[test]
    fn a_signal_ends_for_its_own_reason() {
        let beyond = || changed(r#"{"entry_adjustment_pct": -2}"#);
        beyond().then(dropped("ENTRY_BEYOND_STOP")).holds();
        assert!(
            beyond()
                .then(dropped("INVALID_PROPOSAL"))
                .violated()
                .ends_with("INVALID_PROPOSAL")
        );
        let what = beyond().then(judged(OF_SIGNAL, "buy")).violated();
        assert!(what.ends_with("found it proposed"), "{what}");
        let nothing = || changed(r#"{"size_reduction_pct": 100}"#);
        nothing().then(dropped("INVALID_PROPOSAL")).holds();
        nothing().then(dropped("ENTRY_BEYOND_STOP")).violated();
        weighed("BUY").then(dropped("UNKNOWN_ACTION")).violated();
        weighed("BUY").then(dropped("NO_EXECUTOR")).holds();
    }

    #[test]
    fn only_a_wish_to_trade_is_weighed() {
        for action in ["HOLD", "buy", "CLOSE_LONG"] {
            let what = weighed(action).violated();
            assert!(what.ends_with("to be weighed, found another"), "{what}");
        }
    }

    #[test]
    fn whose_a_reply_is_must_be_clear() {
        let two = weighed("BUY")
            .then(conflict(7))
            .then(conflict(8))
            .then(asked("resolution"))
            .after(
                4,
                says(r#"{"action": "modify", "modifications": {"leverage": 1}}"#),
            )
            .then(resolved(7, "modify", 0.5, ResolvedBy::Reply));
        two.then(judged(OF_SIGNAL, "buy")).holds();
    }
}

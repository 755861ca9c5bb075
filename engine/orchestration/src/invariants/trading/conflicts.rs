//! `evidence.conflicts`: whatever contradicts a signal or each other is told, and nothing else is.

use dacapo_kernel::{Event, Invariant, Plan};

use super::contradictions::{Contradiction, contradictions, heard};
use super::facts::Facts;
use crate::config::Config;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{
    ConflictFound, ConsensusBuilt, DomainEvent, Evidence, TradeOrigin, number,
};
use crate::invariants::messages::Messages;
use crate::message::Topic;

/// What a signal that was weighed has to expect.
#[derive(Debug)]
struct Weighed {
    signal: u64,
    cited: Vec<Evidence>,
    /// None if it cannot be told, because what would have to be compared is no number.
    expected: Option<Vec<Contradiction>>,
}

/// What was said, and the signal that is looked into now.
#[derive(Debug)]
pub(super) struct Conflicts {
    threshold: f64,
    signals: Messages,
    evidence: Messages,
    weighed: Option<Weighed>,
}

impl Conflicts {
    pub(super) fn new(plan: &Plan<Config>) -> Conflicts {
        Conflicts {
            threshold: plan.system.conflicts.invoke_llm_threshold,
            signals: Messages::of(&[Topic::TradingSignals]),
            evidence: Messages::of(&TOPICS),
            weighed: None,
        }
    }

    /// What follows is decided at once, so only the signal that was weighed last waits for it.
    fn weigh(&mut self, built: &ConsensusBuilt) -> Result<(), String> {
        let place = |cited: &Evidence| TOPICS.iter().position(|topic| *topic == cited.topic);
        let places: Vec<_> = built.evidence.iter().map(place).collect();
        if places.is_sorted_by(|one, next| one < next) {
            let signal = self.signals.get(built.signal);
            let heard = heard(&built.evidence, &self.evidence);
            self.weighed = signal.zip(heard).map(|(signal, heard)| Weighed {
                signal: built.signal,
                cited: built.evidence.clone(),
                expected: contradictions(Facts::of(&signal.payload), &heard, self.threshold),
            });
            return Ok(());
        }
        Err(
            "expected one piece of evidence of each topic, in their order, found another list"
                .into(),
        )
    }

    fn found(&mut self, found: &ConflictFound) -> Result<(), String> {
        let Some(weighed) = self.take(found.signal) else {
            return Ok(());
        };
        if weighed.cited != found.evidence {
            return Err(
                "expected a conflict to rest on what was weighed, found other evidence".into(),
            );
        }
        let Some(expected) = weighed.expected else {
            return Err(
                "expected nothing to be compared that is no number, found a conflict".into(),
            );
        };
        if expected.is_empty() {
            return Err(format!(
                "expected no conflict where nothing contradicts anything, found {}",
                found
                    .kinds
                    .first()
                    .map_or("one without a name", |kind| kind)
            ));
        }
        if !found.kinds.iter().eq(expected.iter().map(|it| it.kind)) {
            return Err("expected each contradiction to be told once, found others".into());
        }
        Ok(())
    }

    /// A signal goes on, or ends, without a conflict.
    fn goes_on(&mut self, signal: u64, ended: Option<&str>) -> Result<(), String> {
        let Some(weighed) = self.take(signal) else {
            return Ok(());
        };
        match weighed.expected {
            Some(expected) => expected.first().map_or(Ok(()), |it| {
                Err(format!("expected a {} to be found, found none", it.kind))
            }),
            None if ended == Some("MALFORMED_SIGNAL") => Ok(()),
            None => Err(
                "expected a signal to end whose evidence cannot be compared, found it goes on"
                    .into(),
            ),
        }
    }

    fn take(&mut self, signal: u64) -> Option<Weighed> {
        self.weighed
            .take()
            .filter(|weighed| weighed.signal == signal)
    }
}

impl Invariant<DomainEvent> for Conflicts {
    fn id(&self) -> &'static str {
        "evidence.conflicts"
    }

    fn statement(&self) -> &'static str {
        "opposed opinions that are about equally sure, and a trade in a choppy market, are conflicts; \
         nothing else is"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Published,
            number::ConsensusBuilt,
            number::ConflictFound,
            number::SignalDropped,
            number::RiskJudged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.weighed = None,
            Some(DomainEvent::Published(it)) => {
                self.signals.keep(&it.message);
                self.evidence.keep(&it.message);
            }
            Some(DomainEvent::ConsensusBuilt(it)) => self.weigh(it)?,
            Some(DomainEvent::ConflictFound(it)) => self.found(it)?,
            Some(DomainEvent::SignalDropped(it)) => {
                self.goes_on(it.signal, Some(it.reason.as_str()))?;
            }
            Some(DomainEvent::RiskJudged(it)) => {
                if let TradeOrigin::Signal(signal) = it.origin {
                    self.goes_on(signal, None)?;
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

    use super::super::plant::{cited, config, conflict, consensus, judged, plan, published};
    use super::*;
    use crate::domain_event::SignalDropped;
    use crate::invariants::planted::Planted;
    use crate::message::Name;

    const BTC: &str = "BTC/USDT";

    fn evidence() -> Vec<Evidence> {
        vec![
            cited(1, Topic::TaSignals, BTC),
            cited(2, Topic::SentimentUpdates, BTC),
        ]
    }

    /// A signal whose evidence is a rising trend and a sentiment, as sure as that.
    fn weighed(bias: &str, sure: serde_json::Value) -> Planted {
        let trend = json!({"symbol": BTC, "bias": "long", "confidence": sure});
        let mood = json!({"symbol": BTC, "bias": bias, "confidence": 0.8});
        let signal = json!({"symbol": BTC, "action": "BUY", "confidence": 0.8});
        Planted::of(Conflicts::new(&plan(config())))
            .then(published(1, Topic::TaSignals, 0, trend))
            .then(published(2, Topic::SentimentUpdates, 0, mood))
            .then(published(7, Topic::TradingSignals, 0, signal))
            .then(consensus(7, evidence(), 1, 2))
    }

    fn found() -> ConflictFound {
        ConflictFound {
            evidence: evidence(),
            ..conflict(7)
        }
    }

    fn dropped(reason: &'static str) -> SignalDropped {
        SignalDropped {
            signal: 7,
            reason: Name::fixed(reason),
        }
    }

    #[test]
    fn what_contradicts_is_told() {
        let opposed = || weighed("bearish", json!(0.8));
        let trade = || judged(TradeOrigin::Signal(7), "buy");
        let what = opposed().then(trade()).violated();
        assert_eq!(
            what,
            "expected a ta_sentiment_conflict to be found, found none"
        );
        opposed().then(dropped("INVALID_PROPOSAL")).violated();
        opposed().then(found()).then(trade()).holds();
        let mut other = found();
        other.kinds.push(Name::fixed("regime_conflict"));
        assert!(opposed().then(other).violated().ends_with("found others"));
        let other = opposed().then(conflict(7)).violated();
        assert!(other.ends_with("other evidence"), "{other}");
    }

    #[test]
    fn nothing_else_is() {
        for agreed in [
            weighed("bullish", json!(0.8)),
            weighed("bearish", json!(0.5)),
        ] {
            let what = agreed.then(found()).violated();
            assert!(what.starts_with("expected no conflict where"), "{what}");
        }
        let agreed = weighed("bullish", json!(0.8));
        agreed.then(judged(TradeOrigin::Signal(7), "buy")).holds();
    }

    #[test]
    fn what_cannot_be_compared_ends_the_signal() {
        let unclear = || weighed("bearish", json!("high"));
        unclear().then(dropped("MALFORMED_SIGNAL")).holds();
        assert!(
            unclear()
                .then(found())
                .violated()
                .ends_with("found a conflict")
        );
        let what = unclear()
            .then(judged(TradeOrigin::Signal(7), "buy"))
            .violated();
        assert!(what.ends_with("it goes on"), "{what}");
    }

    #[test]
    fn evidence_is_told_once_and_in_order() {
        let twice = vec![
            cited(1, Topic::TaSignals, BTC),
            cited(3, Topic::TaSignals, BTC),
        ];
        let what = Planted::of(Conflicts::new(&plan(config())))
            .then(consensus(7, twice, 1, 2))
            .violated();
        assert!(what.ends_with("another list"), "{what}");
    }
}

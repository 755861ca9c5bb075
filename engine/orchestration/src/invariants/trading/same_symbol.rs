//! `evidence.same-symbol`: what speaks for or against a trade speaks of what is traded.

use dacapo_kernel::{Event, Invariant};

use super::facts::Facts;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{DomainEvent, Evidence, number};
use crate::invariants::messages::Messages;
use crate::message::{Name, Topic};

/// The signals and the evidence that they may rest on.
#[derive(Debug)]
pub(super) struct SameSymbol {
    signals: Messages,
    evidence: Messages,
}

impl SameSymbol {
    pub(super) fn new() -> SameSymbol {
        SameSymbol {
            signals: Messages::of(&[Topic::TradingSignals]),
            evidence: Messages::of(&TOPICS),
        }
    }

    fn check(&self, signal: u64, symbol: &Name, cited: &[Evidence]) -> Result<(), String> {
        let signal = self.signals.get(signal);
        for evidence in cited {
            let message = self.evidence.get(evidence.message);
            let same = match (signal, message) {
                (Some(signal), Some(message)) => {
                    let wanted = Facts::of(&signal.payload).get("symbol");
                    let found = Facts::of(&message.payload).get("symbol");
                    wanted
                        .zip(found)
                        .is_some_and(|(wanted, found)| wanted.agrees(found))
                }
                _ => evidence.symbol.as_ref() == Some(symbol) || symbol.is_empty(),
            };
            if !same {
                return Err(format!(
                    "expected evidence of the signal's symbol, found {} of another one",
                    evidence.topic
                ));
            }
            if message.is_some_and(|message| message.topic != evidence.topic) {
                return Err(
                    "expected evidence of the topic that it is cited for, found another".into(),
                );
            }
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for SameSymbol {
    fn id(&self) -> &'static str {
        "evidence.same-symbol"
    }

    fn statement(&self) -> &'static str {
        "evidence used for consensus and for conflicts carries the trade's symbol"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Published,
            number::ConsensusBuilt,
            number::ConflictFound,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConsensusBuilt, number::ConflictFound]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(published)) => {
                self.signals.keep(&published.message);
                self.evidence.keep(&published.message);
                Ok(())
            }
            Some(DomainEvent::ConsensusBuilt(it)) => {
                self.check(it.signal, &it.symbol, &it.evidence)
            }
            Some(DomainEvent::ConflictFound(it)) => self.check(it.signal, &it.symbol, &it.evidence),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{cited, consensus, published};
    use super::*;
    use crate::domain_event::ConflictFound;
    use crate::invariants::planted::Planted;

    fn evidence_of(symbol: &str) -> Planted {
        let signal = json!({ "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8 });
        let bias = json!({ "symbol": symbol, "bias": "long", "confidence": 0.8 });
        Planted::of(SameSymbol::new())
            .then(published(1, Topic::TaSignals, 0, bias))
            .then(published(2, Topic::TradingSignals, 0, signal))
    }

    #[test]
    fn evidence_of_another_symbol_is_none() {
        let built = consensus(2, vec![cited(1, Topic::TaSignals, "BTC/USDT")], 1, 1);
        let what = evidence_of("XRP/USDT").then(built.clone()).violated();
        assert!(what.ends_with("ta_signals of another one"), "{what}");
        let found = ConflictFound {
            signal: 2,
            symbol: Name::fixed("BTC/USDT"),
            kinds: Vec::new(),
            evidence: vec![cited(9, Topic::TaSignals, "XRP/USDT")],
        };
        let what = evidence_of("BTC/USDT").then(found).violated();
        assert!(what.ends_with("of another one"), "{what}");
        evidence_of("BTC/USDT").then(built).holds();
    }

    #[test]
    fn it_is_cited_for_its_topic() {
        let built = consensus(2, vec![cited(1, Topic::RegimeUpdates, "BTC/USDT")], 1, 1);
        let what = evidence_of("BTC/USDT").then(built).violated();
        assert!(what.contains("the topic"), "{what}");
    }
}

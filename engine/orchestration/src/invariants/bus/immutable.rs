//! What a message says after it was published.

use dacapo_kernel::{Event, Invariant};

use super::History;
use crate::coordinator::consensus;
use crate::domain_event::{ConsensusBuilt, DomainEvent, Evidence, number};
use crate::message::Message;

/// A message's content never changes after publish: nobody rewrites it, and whoever reads it
/// later reads what was published.
#[derive(Default)]
pub(super) struct Immutable {
    history: History,
}

impl Invariant<DomainEvent> for Immutable {
    fn id(&self) -> &'static str {
        "bus.immutable"
    }

    fn statement(&self) -> &'static str {
        "a message's content never changes after publish"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            History::MADE_FROM[0],
            History::MADE_FROM[1],
            History::MADE_FROM[2],
            number::MessageRewritten,
            number::ConsensusBuilt,
            number::ConflictFound,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::MessageRewritten(it)) => Err(format!(
                "expected msg-{} as it was published, found it rewritten",
                it.message
            )),
            Some(DomainEvent::ConsensusBuilt(it)) => {
                self.same_evidence(&it.evidence)?;
                self.same_signal(it)
            }
            Some(DomainEvent::ConflictFound(it)) => self.same_evidence(&it.evidence),
            Some(other) => {
                self.history.apply(event.time, other);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Immutable {
    fn same_evidence(&self, evidence: &[Evidence]) -> Result<(), String> {
        for it in evidence {
            let Some(message) = self.history.find(it.message) else {
                continue;
            };
            let symbol = it.symbol.as_ref().map(|symbol| symbol.as_str());
            if message.topic != it.topic || symbol_of(message) != symbol {
                return Err(format!(
                    "expected msg-{} as it was published, found its topic or symbol read otherwise",
                    it.message
                ));
            }
        }
        Ok(())
    }

    /// The confidence that consensus leaves shows which one it read.
    fn same_signal(&self, it: &ConsensusBuilt) -> Result<(), String> {
        let Some(signal) = self.history.find(it.signal) else {
            return Ok(());
        };
        if symbol_of(signal).unwrap_or_default() != it.symbol.as_str() {
            return Err(format!(
                "expected the signal msg-{} as it was published, found another symbol read",
                it.signal
            ));
        }
        match consensus::adjusted_confidence(&signal.payload, it.multiplier) {
            Ok(adjusted) if adjusted.to_bits() == it.confidence.to_bits() => Ok(()),
            _ => Err(format!(
                "expected the signal msg-{} as it was published, found another confidence read",
                it.signal
            )),
        }
    }
}

fn symbol_of(message: &Message) -> Option<&str> {
    message.payload.field("symbol").text()
}

#[cfg(test)]
mod tests {
    use super::super::samples::said;
    use super::*;
    use crate::domain_event::MessageRewritten;
    use crate::invariants::planted::Planted;
    use crate::message::{Payload, Topic};

    fn log() -> Planted {
        Planted::of(Immutable::default())
            .then(said(0, Topic::TaSignals, 0))
            .then(said(1, Topic::TradingSignals, 0))
    }

    fn read(symbol: &str, evidence: &str, confidence: f64) -> ConsensusBuilt {
        ConsensusBuilt {
            signal: 1,
            symbol: symbol.into(),
            evidence: vec![Evidence {
                message: 0,
                topic: Topic::TaSignals,
                symbol: Some(evidence.into()),
            }],
            agreement: 1,
            total: 1,
            multiplier: 1.3,
            confidence,
        }
    }

    #[test]
    fn who_reads_what_was_published_changes_nothing() {
        log().then(read("BTC/USDT", "BTC/USDT", 0.65)).holds();
    }

    #[test]
    fn a_rewritten_message_is_found() {
        let rewritten = MessageRewritten {
            message: 1,
            payload: Payload::empty(),
        };
        assert!(log().then(rewritten).violated().contains("rewritten"));
    }

    #[test]
    fn so_is_whatever_is_read_otherwise() {
        let found = |it| log().then(it).violated();
        let other = found(read("XRP/USDT", "BTC/USDT", 0.65));
        assert!(other.contains("another symbol"), "{other}");
        let other = found(read("BTC/USDT", "XRP/USDT", 0.65));
        assert!(other.contains("topic or symbol"), "{other}");
        let other = found(read("BTC/USDT", "BTC/USDT", 0.845));
        assert!(other.contains("another confidence"), "{other}");
    }
}

//! `number.finite`: no number of the state is NaN or an infinity. Amounts are decimals and cannot be.

use dacapo_kernel::{Event, Invariant};

use crate::domain_event::{DomainEvent, EmergencyOrder, Proposed, number};
use crate::message::{Field, Payload};

/// The numbers of payloads that anything is decided by.
const FIELDS: [&str; 7] = [
    "confidence",
    "entry_price",
    "stop_loss",
    "take_profit",
    "size_usd",
    "leverage",
    "consensus_multiplier",
];

/// It remembers nothing.
#[derive(Debug)]
pub(super) struct Finite;

fn finite(number: f64, what: &str) -> Result<(), String> {
    if number.is_finite() {
        return Ok(());
    }
    Err(format!("expected a finite {what}, found {number}"))
}

fn trade(trade: &Proposed) -> Result<(), String> {
    finite(trade.size_usd, "size")?;
    finite(trade.entry_price, "entry price")?;
    finite(trade.confidence, "confidence")?;
    finite(trade.stop_loss.unwrap_or_default(), "stop")?;
    finite(trade.take_profit.unwrap_or_default(), "target")
}

fn payload(payload: &Payload) -> Result<(), String> {
    // Raw JSON has no way to write them.
    if matches!(payload, Payload::Raw(_)) {
        return Ok(());
    }
    for name in FIELDS {
        if let Field::Float(number) = payload.field(name) {
            finite(number, name)?;
        }
    }
    Ok(())
}

impl Invariant<DomainEvent> for Finite {
    fn id(&self) -> &'static str {
        "number.finite"
    }

    fn statement(&self) -> &'static str {
        "NaN and infinity never enter the state"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Published,
            number::ConsensusBuilt,
            number::ConflictResolved,
            number::RiskJudged,
            number::OrderSubmitted,
            number::EmergencyOrdered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[
            number::ConsensusBuilt,
            number::ConflictResolved,
            number::RiskJudged,
            number::OrderSubmitted,
        ]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(it)) => payload(&it.message.payload),
            Some(DomainEvent::ConsensusBuilt(it)) => {
                finite(it.multiplier, "multiplier")?;
                finite(it.confidence, "confidence")
            }
            Some(DomainEvent::ConflictResolved(it)) => {
                finite(it.confidence, "confidence of a resolution")
            }
            Some(DomainEvent::RiskJudged(it)) => {
                trade(&it.proposal)?;
                finite(it.size_usd.unwrap_or_default(), "reduced size")?;
                let basis = it.basis.iter();
                basis
                    .clone()
                    .try_for_each(|basis| finite(basis.exposure_pct, "exposure"))?;
                let by_symbol = basis.flat_map(|basis| &basis.by_symbol);
                by_symbol
                    .into_iter()
                    .try_for_each(|it| finite(it.pct, "exposure of a symbol"))
            }
            Some(DomainEvent::OrderSubmitted(it)) => trade(&it.order),
            Some(DomainEvent::EmergencyOrdered(it)) => match it.order {
                EmergencyOrder::Reduce(pct) => finite(pct, "reduction"),
                EmergencyOrder::CloseAll => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{consensus, judged, published, resolved, submitted};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{EmergencyOrdered, ResolvedBy, RiskBasis, TradeOrigin};
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    const BAD: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

    fn found(event: impl Into<DomainEvent>) {
        let what = Planted::of(Finite).then(event).violated();
        assert!(what.starts_with("expected a finite"), "{what}");
    }

    #[test]
    fn no_number_of_a_trade_is_anything_else() {
        for bad in BAD {
            found(resolved(7, "wait", bad, ResolvedBy::Reply));
            let mut built = consensus(7, Vec::new(), 0, 0);
            built.multiplier = bad;
            found(built);
            let mut order = submitted("i", TradeOrigin::Plan, "buy");
            order.order.take_profit = Some(bad);
            found(order);
            let mut reduced = judged(TradeOrigin::Plan, "buy");
            reduced.size_usd = Some(bad);
            found(reduced);
            let mut based = judged(TradeOrigin::Plan, "buy");
            based.basis = Some(RiskBasis {
                equity: Amount::ZERO,
                exposure_pct: bad,
                by_symbol: Vec::new(),
            });
            found(based);
            found(EmergencyOrdered {
                order: EmergencyOrder::Reduce(bad),
                left: None,
            });
        }
    }

    #[test]
    fn no_message_carries_one() {
        let bias = json!({ "symbol": "BTC/USDT", "bias": "long", "confidence": 0.8 });
        let said = published(1, Topic::TaSignals, 0, bias);
        let mut message = (*said.message).clone();
        message.payload.set("confidence", Field::Float(f64::NAN));
        let mut broken = said.clone();
        broken.message = message.into();
        found(broken);
        Planted::of(Finite)
            .then(said)
            .then(judged(TradeOrigin::Plan, "buy"))
            .holds();
    }
}

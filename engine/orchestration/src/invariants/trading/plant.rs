//! Events that the tests of these properties plant.

use std::rc::Rc;

use serde_json::Value;

use crate::amount::Amount;
use crate::coordinator::state::RunState;
use crate::domain_event::{
    ConsensusBuilt, Evidence, Filled, OrderAnswered, OrderOutcome, OrderSubmitted, Proposed,
    Published, RiskJudged, StateChanged, TradeOrigin,
};
use crate::message::{Instant, Message, MessageId, Name, Payload, Priority, Topic, Ttl};

/// A change of the state.
pub(super) fn changed(from: RunState, to: RunState, by: &'static str) -> StateChanged {
    StateChanged {
        from,
        to,
        by: Name::fixed(by),
    }
}

/// A trade of 500 dollars in BTC/USDT at 45,000 with a stop.
pub(super) fn proposed(side: &'static str) -> Proposed {
    Proposed {
        symbol: Name::fixed("BTC/USDT"),
        side: Name::fixed(side),
        size_usd: 500.0,
        entry_price: 45_000.0,
        stop_loss: Some(if side == "buy" { 44_100.0 } else { 45_900.0 }),
        take_profit: None,
        leverage: 2,
        confidence: 0.8,
        regime: None,
    }
}

/// That trade, judged and approved.
pub(super) fn judged(origin: TradeOrigin, side: &'static str) -> RiskJudged {
    RiskJudged {
        origin,
        proposal: proposed(side),
        status: Name::fixed("approved"),
        rejections: Vec::new(),
        size_usd: None,
        leverage: None,
        basis: None,
    }
}

/// That trade, submitted while RUNNING.
pub(super) fn submitted(
    intent: &'static str,
    origin: TradeOrigin,
    side: &'static str,
) -> OrderSubmitted {
    OrderSubmitted {
        intent: Name::fixed(intent),
        origin,
        order: proposed(side),
        limit: None,
        state: RunState::Running,
    }
}

/// An answer to it.
pub(super) fn answered(
    intent: &'static str,
    order: Option<&'static str>,
    outcome: OrderOutcome,
) -> OrderAnswered {
    OrderAnswered {
        intent: Name::fixed(intent),
        order: order.map(Name::fixed),
        outcome,
    }
}

/// A message with the life that most have.
pub(super) fn published(number: u64, topic: Topic, at_s: i64, payload: Value) -> Published {
    Published {
        message: Rc::new(Message {
            id: MessageId::number(number),
            timestamp: Instant::from_micros(at_s * 1_000_000),
            topic,
            source: Name::fixed("somebody"),
            priority: Priority::Normal,
            payload: Payload::from_json(topic, payload),
            correlation_id: None,
            ttl: Ttl::default(),
        }),
        trimmed: 0,
    }
}

/// An execution of 0.01 BTC.
pub(super) fn filled(
    order: &'static str,
    intent: Option<&'static str>,
    side: &'static str,
    price: i64,
) -> Filled {
    Filled {
        order: Name::fixed(order),
        intent: intent.map(Name::fixed),
        symbol: Name::fixed("BTC/USDT"),
        side: Name::fixed(side),
        size: Amount::new(1, 2),
        price: Amount::from_int(price),
        fee: Amount::ZERO,
        margin: false,
    }
}

/// A citation of evidence.
pub(super) fn cited(message: u64, topic: Topic, symbol: &'static str) -> Evidence {
    Evidence {
        message,
        topic,
        symbol: Some(Name::fixed(symbol)),
    }
}

/// So many agents agree of those that spoke; the confidence stays as it is.
pub(super) fn consensus(
    signal: u64,
    evidence: Vec<Evidence>,
    agreement: u32,
    total: u32,
) -> ConsensusBuilt {
    ConsensusBuilt {
        signal,
        symbol: Name::fixed("BTC/USDT"),
        evidence,
        agreement,
        total,
        multiplier: 1.0,
        confidence: 0.8,
    }
}

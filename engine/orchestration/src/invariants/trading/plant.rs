//! Events that the tests of these properties plant.

use std::rc::Rc;

use dacapo_kernel::Plan;
use serde_json::{Value, json};

use crate::amount::Amount;
use crate::config::{Config, PriceSet};
use crate::coordinator::state::RunState;
use crate::domain_event::{
    ConflictFound, ConflictResolved, ConsensusBuilt, Counted, Evidence, Filled, MarketTrade,
    ModelAnswered, ModelAsked, ModelReply, OrderAnswered, OrderOutcome, OrderSubmitted,
    OutcomeCounted, OutsideActed, OutsideAction, PositionClosed, PositionOpened, Proposed,
    Published, ResolvedBy, RiskJudged, StateChanged, TradeOrigin,
};
use crate::message::{
    DegradationLevel, Instant, Message, MessageId, Name, Payload, Priority, Topic, Ttl,
};

/// A position that `order-3` opens.
pub(in crate::invariants) fn position_opened() -> PositionOpened {
    PositionOpened {
        position: 7,
        order: "order-3".into(),
        symbol: "BTC/USDT".into(),
        side: "sell".into(),
        size: Amount::ONE,
        entry_price: Amount::HUNDRED,
        leverage: 2,
        reserved: Amount::ZERO,
    }
}

/// The whole of it is closed.
pub(in crate::invariants) fn position_closed() -> PositionClosed {
    PositionClosed {
        position: 7,
        size: Amount::ONE,
        price: Amount::from_int(90),
        profit: Amount::from_int(20),
        reason: "take_profit".into(),
    }
}

/// A change of the state.
pub(in crate::invariants) fn changed(
    from: RunState,
    to: RunState,
    by: &'static str,
) -> StateChanged {
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
pub(in crate::invariants) fn judged(origin: TradeOrigin, side: &'static str) -> RiskJudged {
    RiskJudged {
        origin,
        proposal: proposed(side),
        status: Name::fixed("approved"),
        rejections: Vec::new(),
        warnings: Vec::new(),
        size_usd: None,
        leverage: None,
        basis: None,
    }
}

/// That trade, submitted while RUNNING.
pub(in crate::invariants) fn submitted(
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
pub(in crate::invariants) fn answered(
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
pub(in crate::invariants) fn published(
    number: u64,
    topic: Topic,
    at_s: i64,
    payload: Value,
) -> Published {
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

/// The same message in somebody's name.
pub(in crate::invariants) fn by(source: &'static str, said: Published) -> Published {
    let mut message = (*said.message).clone();
    message.source = Name::fixed(source);
    Published {
        message: message.into(),
        ..said
    }
}

/// An execution of 0.01 BTC.
pub(in crate::invariants) fn filled(
    order: &'static str,
    intent: Option<&'static str>,
    side: &'static str,
    price: i64,
) -> Filled {
    Filled {
        execution: 1,
        order: Name::fixed(order),
        intent: intent.map(Name::fixed),
        position: None,
        ordered: Amount::new(1, 2),
        leverage: 1,
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

/// A conflict about a signal.
pub(super) fn conflict(signal: u64) -> ConflictFound {
    ConflictFound {
        signal,
        symbol: Name::fixed("BTC/USDT"),
        kinds: vec![Name::fixed("ta_sentiment_conflict")],
        evidence: Vec::new(),
    }
}

/// What was decided about it.
pub(in crate::invariants) fn resolved(
    signal: u64,
    action: &'static str,
    confidence: f64,
    by: ResolvedBy,
) -> ConflictResolved {
    ConflictResolved {
        signal,
        action: Name::fixed(action),
        confidence,
        by,
    }
}

/// A model is asked.
pub(in crate::invariants) fn asked(purpose: &'static str) -> ModelAsked {
    ModelAsked {
        model: Name::fixed("m"),
        purpose: Name::fixed(purpose),
        prompt: String::new(),
        max_tokens: 1,
    }
}

/// A model says this.
pub(super) fn says(text: &str) -> ModelAnswered {
    ModelAnswered {
        reply: ModelReply::Text(text.to_owned()),
    }
}

/// A success or failure of a model was counted.
pub(super) fn llm_counted(success: bool) -> OutcomeCounted {
    OutcomeCounted {
        outcome: if success {
            Counted::LlmSuccess
        } else {
            Counted::LlmFailure
        },
        llm_failures: u32::from(!success),
        api_failures: 0,
        level: DegradationLevel::Normal,
    }
}

/// A trade in the market.
pub(in crate::invariants) fn traded(symbol: &'static str, price: i64) -> MarketTrade {
    MarketTrade {
        symbol: Name::fixed(symbol),
        price: Amount::from_int(price),
        size: Amount::ONE,
        taker_buys: None,
    }
}

/// Somebody sets a price by hand.
pub(super) fn set_price(symbol: &'static str, price: i64) -> OutsideActed {
    OutsideActed {
        action: OutsideAction::SetPrice(PriceSet {
            symbol: Name::fixed(symbol),
            price: Amount::from_int(price),
        }),
    }
}

/// The settings of a scenario that says nothing.
pub(super) fn config() -> Config {
    let least = json!({ "symbols": ["BTC/USDT"], "market": { "source": "none" } });
    serde_json::from_value(least).expect("the rest has defaults")
}

/// A plan with these settings and nothing else.
pub(super) fn plan(config: Config) -> Plan<Config> {
    Plan::of("planted", config)
}

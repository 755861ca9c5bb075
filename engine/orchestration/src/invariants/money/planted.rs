//! Events of rebalancings and orders for the tests of the properties of money.

use serde_json::json;

use crate::amount::Amount;
use crate::config::Config;
use crate::coordinator::state::RunState;
use crate::domain_event::{
    Filled, LegMarked, LegStored, OrderAnswered, OrderOutcome, OrderSubmitted, Proposed,
    RebalancePlanned, Subscribed, TradePlanned,
};
use crate::message::{Instant, Name, Topic};

/// A configuration that says nothing but what must be said.
pub(super) fn config() -> Config {
    let said = json!({ "symbols": ["BTC/USDT"], "market": { "source": "none" } });
    serde_json::from_value(said).expect("everything else has a default")
}

/// A trade over 100 dollars, due so many seconds into the run.
pub(in crate::invariants) fn leg(
    key: &str,
    side: &str,
    batch_index: i64,
    due_s: i64,
) -> TradePlanned {
    TradePlanned {
        key: key.into(),
        symbol: "BTC/USDT".into(),
        side: side.into(),
        amount_usd: Amount::HUNDRED,
        batch_index,
        due: Instant::from_micros(due_s * 1_000_000),
    }
}

/// A plan in batches an hour apart.
pub(in crate::invariants) fn plan(trades: Vec<TradePlanned>) -> RebalancePlanned {
    let last = trades.iter().map(|trade| trade.batch_index).max();
    RebalancePlanned {
        plan: 1,
        batches: last.unwrap_or(0) as u32 + 1,
        interval_hours: 1,
        total_usd: Amount::from_int(100 * trades.len() as i64),
        trades,
    }
}

/// The same trade in the store.
pub(super) fn stored(number: u64, trade: &TradePlanned) -> LegStored {
    LegStored {
        leg: number,
        key: trade.key.clone(),
        symbol: trade.symbol.clone(),
        side: trade.side.clone(),
        amount_usd: trade.amount_usd,
        batch_index: trade.batch_index,
        due: trade.due,
    }
}

/// An execution of an order over 10.
pub(super) fn fill(execution: u64, size: i64) -> Filled {
    Filled {
        execution,
        order: "order-1".into(),
        intent: Some("intent-1".into()),
        position: None,
        ordered: Amount::from_int(10),
        leverage: 1,
        symbol: "BTC/USDT".into(),
        side: "buy".into(),
        size: Amount::from_int(size),
        price: Amount::ONE,
        fee: Amount::ZERO,
        margin: false,
    }
}

pub(super) fn marked(leg: u64, status: &str) -> LegMarked {
    LegMarked {
        leg,
        status: status.into(),
    }
}

/// A proposal over 100 dollars at a price of 50.
pub(super) fn proposed(side: &str) -> Proposed {
    Proposed {
        symbol: "BTC/USDT".into(),
        side: side.into(),
        size_usd: 100.0,
        entry_price: 50.0,
        stop_loss: None,
        take_profit: None,
        leverage: 1,
        confidence: 0.8,
        regime: Some("rebalance".into()),
    }
}

/// A market order over 100 dollars.
pub(super) fn order(intent: &str, side: &str) -> OrderSubmitted {
    OrderSubmitted {
        intent: intent.into(),
        origin: crate::domain_event::TradeOrigin::Signal(1),
        order: proposed(side),
        limit: None,
        state: RunState::Running,
    }
}

pub(super) fn answered(intent: &str, outcome: OrderOutcome) -> OrderAnswered {
    OrderAnswered {
        intent: intent.into(),
        order: Some("order-1".into()),
        outcome,
    }
}

/// The coordinator subscribes to commands, the last thing before it goes to work.
pub(in crate::invariants) fn subscribed() -> Subscribed {
    Subscribed {
        topic: Topic::CoordinatorCommands,
        subscriber: Name::fixed(super::SUBSCRIBER),
        label: None,
        replaced: Vec::new(),
    }
}

//! Every known payload, as the struct of its fields.
//!
//! `Option` marks a field that may be absent, [`OrNull`] one that is there and may be null.
//! Confidences lie in 0 to 1, prices are in the quote currency, sizes in US dollars; nothing here checks it.

use serde_json::{Map, Value};

use super::Name;
use super::field::Field;
use super::shape::{FieldValue, Json, OrNull, shape};
use super::topic::Topic;
use super::vocabulary::{
    Action, CommandVerb, DegradationLevel, LevelEvent, Regime, SentimentBias, TechnicalBias,
};

shape! {
    /// What the technical analysis says of a symbol.
    pub struct TechnicalSignal {
        /// The pair, such as `BTC/USDT`.
        symbol: Name,
        /// Which way it leans.
        bias: TechnicalBias,
        /// How sure it is.
        confidence: f64,
    }
}

shape! {
    /// What kind of market a symbol is in.
    pub struct RegimeUpdate {
        /// The pair.
        symbol: Name,
        /// The kind of market.
        regime: Regime,
        /// How sure the agent is.
        confidence: f64,
    }
}

shape! {
    /// What sentiment says of a symbol.
    pub struct SentimentUpdate {
        /// The pair.
        symbol: Name,
        /// Which way it leans.
        bias: SentimentBias,
        /// How sure the agent is.
        confidence: f64,
    }
}

shape! {
    /// A trade that an agent proposes.
    pub struct TradingSignal {
        /// The pair.
        symbol: Name,
        /// What to do.
        action: Action,
        /// How sure the agent is.
        confidence: f64,
        /// The limit price.
        entry_price: Option<f64>,
        /// Where to give up.
        stop_loss: Option<f64>,
        /// Where to take the gain.
        take_profit: Option<f64>,
        /// How much to trade.
        size_usd: Option<f64>,
        /// How many times the size is moved by what is paid.
        leverage: Option<i64>,
        /// The kind of market that the agent saw.
        regime: Option<Regime>,
        /// What consensus multiplied the confidence by, once it has.
        consensus_multiplier: Option<f64>,
    }
}

shape! {
    /// What an operator asks of the coordinator.
    pub struct Command {
        /// What to do.
        command: CommandVerb,
        /// An object with `task_name`, `symbol`, `operator` or `reason`, as the command needs them.
        params: Option<Json>,
    }
}

shape! {
    /// A limit of the risk engine was breached.
    pub struct CircuitBreakerAlert {
        @ "alert_type": "circuit_breaker",
        /// Which limit.
        breach_type: Option<Name>,
        /// `low` to `critical`.
        severity: Option<Name>,
        /// For people.
        message: Option<Name>,
    }
}

shape! {
    /// A trade was refused.
    pub struct TradeRejected {
        @ "alert_type": "trade_rejected",
        /// The pair.
        symbol: Name,
        /// Why, as codes.
        rejections: Vec<Name>,
        /// `paper` or `live`.
        trading_mode: Name,
    }
}

shape! {
    /// A command was not understood.
    pub struct CommandRejected {
        @ "alert_type": "command_rejected",
        /// The command as it came.
        command: Name,
        /// Why.
        reason: Name,
    }
}

shape! {
    /// An order was accepted by the executor.
    pub struct OrderPlaced {
        @ "event_type": "order_placed",
        /// The order.
        order_id: OrNull<Name>,
        /// The position that it opened.
        position_id: OrNull<Name>,
        /// The pair.
        symbol: Name,
        /// `paper` or `live`.
        trading_mode: Name,
    }
}

shape! {
    /// The executor refused an order.
    pub struct OrderError {
        @ "event_type": "order_error",
        /// The pair.
        symbol: Name,
        /// Why.
        error_message: OrNull<Name>,
        /// `paper` or `live`.
        trading_mode: Name,
    }
}

shape! {
    /// One trade of a rebalance was executed.
    pub struct RebalanceTradeExecuted {
        @ "event_type": "rebalance_trade_executed",
        /// The order.
        order_id: OrNull<Name>,
        /// The pair.
        symbol: Name,
        /// `buy` or `sell`.
        side: Name,
        /// Which batch of the rebalance it belongs to, counted from 0.
        batch_index: i64,
    }
}

shape! {
    /// A position was opened.
    pub struct PositionOpened {
        @ "event_type": "position_opened",
        /// The whole position.
        position: Json,
    }
}

shape! {
    /// A position was closed.
    pub struct PositionClosed {
        @ "event_type": "position_closed",
        /// The whole position.
        position: Json,
        /// What closed it.
        reason: Name,
    }
}

shape! {
    /// The coordinator ignores trading signals from here on.
    pub struct CoordinatorPaused {
        @ "event": "coordinator_paused",
    }
}

shape! {
    /// The coordinator takes trading signals again.
    pub struct CoordinatorResumed {
        @ "event": "coordinator_resumed",
    }
}

shape! {
    /// One run of a task failed.
    pub struct TaskError {
        @ "event": "task_error",
        /// The task.
        task: Name,
        /// The symbol it ran for.
        symbol: Name,
        /// What went wrong, for people.
        error: Name,
    }
}

shape! {
    /// The degradation level changed.
    pub struct LevelChange {
        /// What the change is called.
        event: LevelEvent,
        /// The level before.
        old_level: DegradationLevel,
        /// The level now.
        new_level: DegradationLevel,
        /// Failures of language models.
        llm_failures: i64,
        /// Failures of everything else.
        api_failures: i64,
    }
}

shape! {
    /// The coordinator acted on a breached limit.
    pub struct EmergencyAction {
        @ "event": "emergency_action",
        /// Which limit.
        breach_type: OrNull<Name>,
        /// What was done.
        action_taken: Name,
        /// The text of the alert.
        alert_message: OrNull<Name>,
        /// The severity of the alert, or `unknown`.
        severity: Name,
    }
}

shape! {
    /// Positions that an emergency should have closed or reduced are still there.
    pub struct EmergencyUnfinished {
        @ "alert_type": "emergency_unfinished",
        /// How many.
        positions: i64,
    }
}

shape! {
    /// What is saved of the coordinator cannot be read: nothing is traded until an operator has looked
    /// into it.
    pub struct StoreUnreadable {
        @ "alert_type": "store_unreadable",
    }
}

shape! {
    /// What was committed to the store is not there any more: nothing is traded until an operator has
    /// looked into it.
    pub struct StoreLost {
        @ "alert_type": "store_lost",
        /// `store_gone`, `store_rolled_back` or `store_newer`.
        loss: Name,
    }
}

shape! {
    /// Tasks that were running when the coordinator last stopped.
    pub struct InFlightTasksRecovered {
        @ "event": "in_flight_tasks_recovered",
        /// Which.
        tasks: Vec<Name>,
        /// What is done about them.
        action: Name,
    }
}

shape! {
    /// The bus removed a subscription whose handler kept failing.
    pub struct HandlerRemoved {
        @ "event": "handler_removed",
        /// Whose subscription it was.
        subscriber: Name,
        /// Its label, if it had one.
        label: Option<Name>,
        /// On which topic.
        topic: Topic,
        /// How often it failed.
        failures: i64,
    }
}

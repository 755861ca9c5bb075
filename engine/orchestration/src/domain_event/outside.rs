//! What somebody outside did: publish, subscribe, set a price, ask for something.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::config::{
    AccountFigures, ForceRun, ManualReset, PriceSet, ScriptedSubscriber, TradeResult,
    Unsubscription,
};
use crate::message::{Name, Payload, Priority, Topic, Ttl};

/// Somebody outside, such as an operator, publishes a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutsideMessage {
    /// On which topic.
    pub topic: Topic,
    /// In whose name.
    pub source: Name,
    /// How urgent.
    pub priority: Priority,
    /// What it says.
    pub payload: Payload,
    /// How long it lives.
    pub ttl: Ttl,
}

numbered! {
    /// What somebody outside does besides publishing.
    pub enum OutsideAction {
        /// Subscribes a handler that follows a script.
        1 Subscribe(ScriptedSubscriber),
        /// Ends subscriptions.
        2 Unsubscribe(Unsubscription),
        /// Sets a price by hand.
        3 SetPrice(PriceSet),
        /// Tells the risk engine what the account is worth.
        4 TellRisk(AccountFigures),
        /// Tells the risk engine how a trade went.
        5 TradeResult(TradeResult),
        /// Runs a task at once.
        6 ForceRun(ForceRun),
        /// Asks how the coordinator is.
        7 Status,
        /// Stops the coordinator in good order.
        8 Stop,
        /// Resets the risk engine by hand.
        9 ResetRisk(ManualReset),
    }
}

/// Somebody outside does something besides publishing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutsideActed {
    /// What.
    pub action: OutsideAction,
}

/// What somebody outside wanted was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutsideRefused {
    /// What became of it: `subscription_rejected`, `publish_rejected`, `reset_refused` or `op_raised`.
    pub outcome: Name,
    /// Why.
    pub reason: String,
}

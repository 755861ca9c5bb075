//! What somebody outside does in a scenario: publishes, subscribes, sets prices, asks for things.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::amount::Amount;
use crate::message::{Json, Name, Priority, Topic};

/// One thing that somebody outside does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutsideEvent {
    /// When, in seconds since the start of the run. What lies before 0 happens before the
    /// coordinator starts, in the order of the file.
    pub at_seconds: f64,
    /// Publishes a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish: Option<Publication>,
    /// Subscribes a handler that follows a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<ScriptedSubscriber>,
    /// Ends subscriptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsubscribe: Option<Unsubscription>,
    /// Sets a price by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_price: Option<PriceSet>,
    /// Tells the risk engine what the account is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tell_risk: Option<AccountFigures>,
    /// Tells the risk engine that a trade was closed, and whether it won.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_result: Option<TradeResult>,
    /// Lifts what halts trading in the risk engine, and its cooldown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_risk: Option<ManualReset>,
    /// Runs a task at once, not by a command on the bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_run: Option<ForceRun>,
    /// Asks the coordinator how it is: the answer is an event of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Nothing>,
    /// Stops the coordinator in good order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Nothing>,
}

impl OutsideEvent {
    /// The names of what it says happens: one, in an event without a mistake.
    pub fn told(&self) -> Vec<&'static str> {
        let told = [
            ("publish", self.publish.is_some()),
            ("subscribe", self.subscribe.is_some()),
            ("unsubscribe", self.unsubscribe.is_some()),
            ("set_price", self.set_price.is_some()),
            ("tell_risk", self.tell_risk.is_some()),
            ("trade_result", self.trade_result.is_some()),
            ("reset_risk", self.reset_risk.is_some()),
            ("force_run", self.force_run.is_some()),
            ("status", self.status.is_some()),
            ("stop", self.stop.is_some()),
        ];
        let told = told.into_iter().filter(|(_, told)| *told);
        told.map(|(name, _)| name).collect()
    }
}

/// What needs no details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A message that somebody outside publishes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// On which topic.
    pub topic: Topic,
    /// In whose name.
    #[serde(default = "operator")]
    pub source: Name,
    /// How urgent.
    #[serde(default = "normal")]
    pub priority: Priority,
    /// What it says: a table, or JSON as text.
    #[serde(serialize_with = "as_people_write_it")]
    pub payload: Json,
    /// How long it lives.
    #[serde(default = "five_minutes")]
    pub ttl_seconds: f64,
}

/// A handler that follows a script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedSubscriber {
    /// Whose.
    pub subscriber: Name,
    /// To what.
    pub topic: Topic,
    /// Which of its subscriptions; one without a label replaces one without.
    #[serde(default)]
    pub label: Option<Name>,
    /// Which of its calls fail, counted from 0 over the subscriber's whole life.
    #[serde(default)]
    pub fails: Vec<u64>,
    /// Whether all of them fail.
    #[serde(default)]
    pub always_fails: bool,
    /// How long each call takes, in seconds.
    #[serde(default)]
    pub delay_seconds: f64,
    /// What it publishes in answer.
    #[serde(default)]
    pub reply: Option<Reply>,
}

/// What a scripted handler publishes in answer to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// On which topic.
    pub topic: Topic,
    /// What it says.
    pub payload: Json,
    /// How urgent.
    #[serde(default = "normal")]
    pub priority: Priority,
    /// To how many calls it answers; to all if left out.
    #[serde(default)]
    pub max: Option<u64>,
}

/// Which subscriptions end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscription {
    /// Whose.
    pub subscriber: Name,
    /// To what; to everything if left out.
    #[serde(default)]
    pub topic: Option<Topic>,
}

/// A price that is set by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSet {
    /// The pair.
    pub symbol: Name,
    /// In the pair's quote currency.
    pub price: Amount,
}

/// What the account is worth, in dollars, as the risk engine is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFigures {
    /// What the account is worth now.
    pub current_equity: Amount,
    /// Profit since the last daily reset.
    #[serde(default)]
    pub daily_pnl: Amount,
    /// Profit since the last weekly reset.
    #[serde(default)]
    pub weekly_pnl: Amount,
    /// How many positions are open.
    #[serde(default)]
    pub open_positions: u32,
    /// Exposure of all positions, in percent of equity.
    #[serde(default)]
    pub total_exposure_pct: f64,
    /// What may still be used as margin.
    pub available_margin: Amount,
}

/// How a trade went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradeResult {
    /// Whether it won.
    pub win: bool,
}

/// A reset of the risk engine by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ManualReset {
    /// Whether an administrator does it: nobody else may lift the halt of a drawdown.
    pub administrator: bool,
}

/// A task that is run at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceRun {
    /// Its name.
    pub task: Name,
    /// For which symbol.
    pub symbol: Name,
}

/// A table, or JSON as text where a null in it could not be said.
fn as_people_write_it<S: Serializer>(json: &Json, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() && has_null(&json.0) {
        serializer.collect_str(&json.0)
    } else {
        json.serialize(serializer)
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn operator() -> Name {
    Name::fixed("operator")
}

fn normal() -> Priority {
    Priority::Normal
}

fn five_minutes() -> f64 {
    300.0
}

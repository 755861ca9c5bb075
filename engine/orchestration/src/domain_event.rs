//! What happens in the orchestration, as events with explicit numbers.
//!
//! The market and the operator are inputs, model replies are answers, everything else follows.
//! A number is never reused; a changed body gets a new version and a conversion from the old.

use std::rc::Rc;

use dacapo_kernel::{events, numbered};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::coordinator::state::RunState;
use crate::message::{DegradationLevel, Message, Name, Payload, Priority, Topic, Ttl};

/// Two parties traded in the market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketTrade {
    /// The pair.
    pub symbol: Name,
    /// In the pair's quote currency.
    pub price: Amount,
    /// In the pair's base currency.
    pub size: Amount,
    /// Whether the party that came to the market bought, where that is known.
    pub taker_buys: Option<bool>,
}

/// The best prices on offer changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketQuote {
    /// The pair.
    pub symbol: Name,
    /// The best price that somebody buys at.
    pub bid: Amount,
    /// How much of the base currency is wanted there.
    pub bid_size: Amount,
    /// The best price that somebody sells at.
    pub ask: Amount,
    /// How much of the base currency is offered there.
    pub ask_size: Amount,
}

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

/// A language model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAsked {
    /// The name of the model.
    pub model: Name,
    /// What it is asked for: a resolution, or a probe.
    pub purpose: Name,
    /// The whole prompt.
    pub prompt: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

numbered! {
    /// What came back from a language model.
    pub enum ModelReply {
        /// Its text.
        1 Text(String),
        /// What went wrong.
        2 Error(String),
    }
}

/// What a language model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// Its text, or what went wrong.
    pub reply: ModelReply,
}

/// A message entered the bus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The message; it never changes.
    pub message: Rc<Message>,
    /// How many of the oldest messages left the full history for it.
    pub trimmed: u32,
}

/// A handler is called with a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// The number of the message.
    pub message: u64,
    /// Whose handler.
    pub subscriber: Name,
    /// Whether the delivering task holds the lock of the bus.
    pub under_lock: bool,
}

/// A handler raised an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandlerFailed {
    /// The number of the message.
    pub message: u64,
    /// Whose handler.
    pub subscriber: Name,
    /// What it raised.
    pub error: String,
}

/// Somebody subscribed to a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// To what.
    pub topic: Topic,
    /// Who.
    pub subscriber: Name,
    /// Which of its subscriptions.
    pub label: Option<Name>,
}

/// A subscription ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unsubscribed {
    /// To what.
    pub topic: Topic,
    /// Whose.
    pub subscriber: Name,
    /// The failures that removed it; none if the subscriber asked for it.
    pub failures: Option<u32>,
}

/// Messages were dropped from the history, other than for want of room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryShrunk {
    /// How many.
    pub dropped: u64,
    /// Whether because they had expired; otherwise because somebody asked for it.
    pub expired: bool,
}

/// The coordinator changed its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateChanged {
    /// From.
    pub from: RunState,
    /// To.
    pub to: RunState,
    /// What made it.
    pub by: Name,
}

numbered! {
    /// What counts towards or against degradation.
    #[derive(Copy, Eq)]
    pub enum Counted {
        /// A language model failed.
        1 LlmFailure,
        /// A language model answered.
        2 LlmSuccess,
        /// A task run failed.
        3 ApiFailure,
        /// A task run succeeded.
        4 ApiSuccess,
    }
}

/// An outcome was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeCounted {
    /// What.
    pub outcome: Counted,
    /// Failures of language models that count now.
    pub llm_failures: u32,
    /// Failures of everything else that count now.
    pub api_failures: u32,
    /// The level that follows.
    pub level: DegradationLevel,
}

/// A task is run for one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRunStarted {
    /// The task.
    pub task: Name,
    /// The symbol.
    pub symbol: Name,
    /// Whether a command asked for it, and not the schedule.
    pub forced: bool,
}

numbered! {
    /// How one run of a task went.
    pub enum TaskOutcome {
        /// It finished in time.
        1 Done,
        /// It was given up after its limit.
        2 TimedOut,
        /// It raised an error.
        3 Failed(String),
    }
}

/// A task run for one symbol ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRunEnded {
    /// The task.
    pub task: Name,
    /// The symbol.
    pub symbol: Name,
    /// How.
    pub outcome: TaskOutcome,
}

/// A task has finished for all its symbols; its interval begins anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFinished {
    /// The task.
    pub task: Name,
}

/// One message that consensus or a conflict rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The number of the message.
    pub message: u64,
    /// What it is about.
    pub topic: Topic,
    /// The symbol that it speaks of, if it names one.
    pub symbol: Option<Name>,
}

/// How far the other agents agree with a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsensusBuilt {
    /// The number of the message with the signal.
    pub signal: u64,
    /// The symbol of the signal.
    pub symbol: Name,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How many agree.
    pub agreement: u32,
    /// How many spoke.
    pub total: u32,
    /// What the confidence is multiplied by.
    pub multiplier: f64,
    /// The confidence afterwards.
    pub confidence: f64,
}

/// Agents contradict each other about a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictFound {
    /// The number of the message with the signal.
    pub signal: u64,
    /// The symbol of the signal.
    pub symbol: Name,
    /// The kinds of conflict.
    pub kinds: Vec<Name>,
    /// What they rest on.
    pub evidence: Vec<Evidence>,
}

numbered! {
    /// Where a resolution came from.
    #[derive(Copy, Eq)]
    pub enum ResolvedBy {
        /// A model's reply that passed validation.
        1 Reply,
        /// A reply that did not: the default.
        2 UnusableReply,
        /// No model answered in time.
        3 Timeout,
        /// Every model failed.
        4 Failure,
        /// The degradation level forbids asking.
        5 Level,
    }
}

/// What is done about a conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConflictResolved {
    /// The number of the message with the signal.
    pub signal: u64,
    /// `proceed`, `wait`, `modify`, `abort`, or whatever a trusted reply said.
    pub action: Name,
    /// How sure.
    pub confidence: f64,
    /// Where it came from.
    pub by: ResolvedBy,
}

/// Why a signal ended without an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalDropped {
    /// The number of the message with the signal.
    pub signal: u64,
    /// Why.
    pub reason: Name,
}

/// The risk engine judged a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskJudged {
    /// The pair.
    pub symbol: Name,
    /// `approved`, `modified`, `rejected` or `halted`.
    pub status: Name,
    /// Why it was refused, as codes.
    pub rejections: Vec<Name>,
    /// The size in dollars that it was reduced to, if it was.
    pub size_usd: Option<f64>,
    /// The leverage that it was reduced to, if it was.
    pub leverage: Option<i64>,
}

/// An order goes to the exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderSubmitted {
    /// What the order is for; the same intent is never sent twice.
    pub intent: Name,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In dollars.
    pub size_usd: Amount,
    /// The limit price; none for a market order.
    pub limit: Option<Amount>,
    /// The state of the coordinator at this instant.
    pub state: RunState,
}

numbered! {
    /// How an order ended, or that it rests.
    pub enum OrderOutcome {
        /// Executed, in whole or in part.
        1 Filled,
        /// It waits for its price.
        2 Resting,
        /// Refused, with a code.
        3 Refused(Name),
    }
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderAnswered {
    /// What the order is for.
    pub intent: Name,
    /// The number that the exchange gave it, if it took it.
    pub order: Option<Name>,
    /// How.
    pub outcome: OrderOutcome,
}

/// Trades of a rebalancing wait for their time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegsPlanned {
    /// How many.
    pub count: u64,
}

/// A trade of a rebalancing was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebalanceTradeSkipped {
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// Which batch it belongs to, counted from 0.
    pub batch_index: i64,
    /// Why, as a code.
    pub reason: Name,
}

/// An execution: balances changed hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// The order.
    pub order: Name,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In the base currency.
    pub size: Amount,
    /// In the quote currency.
    pub price: Amount,
    /// In the quote currency.
    pub fee: Amount,
    /// Whether it was on margin: the base currency did not change hands, and what the position
    /// earns or loses is settled when it is closed.
    pub margin: bool,
}

/// A balance after a fill or a settlement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceChanged {
    /// The currency.
    pub asset: Name,
    /// What is there now.
    pub balance: Amount,
}

events! {
    /// What happens in the orchestration.
    pub enum DomainEvent {
        /// Two parties traded in the market.
        64 "market trade" v 1 Input => MarketTrade(MarketTrade);
        /// The best prices on offer changed.
        65 "market quote" v 1 Input => MarketQuote(MarketQuote);
        /// Somebody outside publishes a message.
        66 "outside message" v 1 Input => OutsideMessage(OutsideMessage);
        /// A language model is asked.
        70 "model asked" v 1 Call => ModelAsked(ModelAsked);
        /// A language model answered.
        71 "model answered" v 1 Answer => ModelAnswered(ModelAnswered);
        /// A message entered the bus.
        80 "published" v 1 Consequence => Published(Published);
        /// A handler is called.
        81 "delivered" v 1 Consequence => Delivered(Delivered);
        /// A handler raised an error.
        82 "handler failed" v 1 Consequence => HandlerFailed(HandlerFailed);
        /// Somebody subscribed.
        83 "subscribed" v 1 Consequence => Subscribed(Subscribed);
        /// A subscription ended.
        84 "unsubscribed" v 1 Consequence => Unsubscribed(Unsubscribed);
        /// Messages left the history.
        85 "history shrunk" v 1 Consequence => HistoryShrunk(HistoryShrunk);
        /// The coordinator changed its state.
        90 "state changed" v 1 Consequence => StateChanged(StateChanged);
        /// An outcome was counted.
        91 "outcome counted" v 1 Consequence => OutcomeCounted(OutcomeCounted);
        /// A task is run for one symbol.
        92 "task run started" v 1 Consequence => TaskRunStarted(TaskRunStarted);
        /// A task run for one symbol ended.
        93 "task run ended" v 1 Consequence => TaskRunEnded(TaskRunEnded);
        /// A task has finished for all its symbols.
        94 "task finished" v 1 Consequence => TaskFinished(TaskFinished);
        /// How far the other agents agree.
        100 "consensus built" v 1 Consequence => ConsensusBuilt(ConsensusBuilt);
        /// Agents contradict each other.
        101 "conflict found" v 1 Consequence => ConflictFound(ConflictFound);
        /// What is done about a conflict.
        102 "conflict resolved" v 1 Consequence => ConflictResolved(ConflictResolved);
        /// Why a signal ended without an order.
        103 "signal dropped" v 1 Consequence => SignalDropped(SignalDropped);
        /// The risk engine judged a proposal.
        110 "risk judged" v 1 Consequence => RiskJudged(RiskJudged);
        /// An order goes to the exchange.
        120 "order submitted" v 1 Consequence => OrderSubmitted(OrderSubmitted);
        /// What became of an order.
        121 "order answered" v 1 Consequence => OrderAnswered(OrderAnswered);
        /// An execution.
        122 "filled" v 1 Consequence => Filled(Filled);
        /// A balance after a fill or a settlement.
        123 "balance changed" v 1 Consequence => BalanceChanged(BalanceChanged);
        /// Trades of a rebalancing wait for their time.
        130 "legs planned" v 1 Consequence => LegsPlanned(LegsPlanned);
        /// A trade of a rebalancing was not carried out.
        131 "rebalance trade skipped" v 1 Consequence => RebalanceTradeSkipped(RebalanceTradeSkipped);
    }
}

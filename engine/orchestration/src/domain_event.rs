//! What happens in the orchestration, as events with explicit numbers.
//!
//! The market and whoever acts from outside are inputs, model replies are answers, everything else
//! follows. A number is never reused; a changed body gets a new version and a conversion from the old.

mod bus;
mod coordinator;
mod market;
mod model;
mod outside;
mod packed;
mod process;
mod rebalance;
mod signal;
mod store;
mod trading;

use dacapo_kernel::events;

use packed::PackedAsked;

pub use bus::{
    Delivered, HandlerFailed, HistoryShrunk, MessageRewritten, Published, Subscribed, Unsubscribed,
};
pub use coordinator::{
    Counted, OutcomeCounted, ScheduleEnded, Started, StateChanged, StatusReported, TaskFinished,
    TaskOutcome, TaskRunEnded, TaskRunStarted, TaskSwitched,
};
pub use market::{BarsRead, ClockRead, MarketBar, MarketQuote, MarketTrade, TableRow, TapeRead};
pub use model::{LiveReply, ModelAnswered, ModelAsked, ModelReply, PromptKept, RequestRendered};
pub use outside::{OutsideActed, OutsideAction, OutsideMessage, OutsideRefused};
pub use process::{AgentSaid, ProcessAnswered, ProcessAsked, WakeAsked};
pub use rebalance::{LegsPlanned, RebalancePlanned, RebalanceTradeSkipped, TradePlanned};
pub use signal::{
    ConflictFound, ConflictResolved, ConsensusBuilt, Evidence, ResolvedBy, SignalDropped,
};
pub use store::{LegMarked, LegStored, StateRestored, StateSaved, StoreFailed};
pub use trading::{
    BalanceChanged, BarDoubtful, EmergencyOrder, EmergencyOrdered, Filled, JudgedWithoutWarnings,
    OrderAnswered, OrderOutcome, OrderSubmitted, PositionClosed, PositionOpened, Proposed,
    RiskBasis, RiskJudged, RiskReset, SymbolExposure, TradeOrigin,
};

events! {
    /// What happens in the orchestration.
    pub enum DomainEvent {
        /// Two parties traded in the market.
        64 "market trade" v 1 Input => MarketTrade(MarketTrade);
        /// The best prices on offer changed.
        65 "market quote" v 1 Input => MarketQuote(MarketQuote);
        /// Somebody outside publishes a message.
        66 "outside message" v 1 Input => OutsideMessage(OutsideMessage) in Box;
        /// Somebody outside does something else.
        67 "outside action" v 1 Input => OutsideActed(OutsideActed) in Box;
        /// What somebody outside wanted was not done.
        68 "outside refused" v 1 Consequence => OutsideRefused(OutsideRefused);
        /// A step of time is over, and what the market did in it.
        69 "market bar" v 1 Input => MarketBar(MarketBar);
        /// A language model is asked.
        70 "model asked" v 1 Call => ModelAsked(ModelAsked), or 2 as PackedAsked;
        /// A language model answered.
        71 "model answered" v 1 Answer => ModelAnswered(ModelAnswered) in Box;
        /// A file of bars was read.
        72 "bars read" v 1 Input => BarsRead(BarsRead) in Box;
        /// A row of a table of outputs can be known.
        73 "table row" v 1 Input => TableRow(TableRow);
        /// A text that many prompts share.
        74 "prompt kept" v 1 Consequence => PromptKept(PromptKept);
        /// What is sent to a provider of the next call of a model that is asked live.
        75 "request rendered" v 1 Consequence => RequestRendered(RequestRendered);
        /// An agent that is a program is asked.
        76 "process asked" v 1 Call => ProcessAsked(ProcessAsked);
        /// A program answered.
        77 "process answered" v 1 Answer => ProcessAnswered(ProcessAnswered);
        /// An agent that is a program says something for the log.
        78 "agent said" v 1 Consequence => AgentSaid(AgentSaid);
        /// The agent of a task wants to be asked again, besides its schedule.
        79 "wake asked" v 1 Consequence => WakeAsked(WakeAsked);
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
        /// A message in the history was changed.
        86 "message rewritten" v 1 Consequence => MessageRewritten(MessageRewritten) in Box;
        /// A tape was read.
        87 "tape read" v 1 Input => TapeRead(TapeRead) in Box;
        /// The coordinator and its bus begin.
        89 "started" v 1 Consequence => Started(Started);
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
        /// A task was enabled or disabled.
        95 "task switched" v 1 Consequence => TaskSwitched(TaskSwitched);
        /// The loop that keeps the schedule has ended.
        96 "schedule ended" v 1 Consequence => ScheduleEnded(ScheduleEnded);
        /// How the coordinator is.
        97 "status reported" v 1 Consequence => StatusReported(StatusReported);
        /// How far the other agents agree.
        100 "consensus built" v 1 Consequence => ConsensusBuilt(ConsensusBuilt);
        /// Agents contradict each other.
        101 "conflict found" v 1 Consequence => ConflictFound(ConflictFound);
        /// What is done about a conflict.
        102 "conflict resolved" v 1 Consequence => ConflictResolved(ConflictResolved);
        /// Why a signal ended without an order.
        103 "signal dropped" v 1 Consequence => SignalDropped(SignalDropped);
        /// The risk engine judged a proposal.
        110 "risk judged" v 2 Consequence => RiskJudged(RiskJudged) in Box, was 1 as JudgedWithoutWarnings;
        /// Somebody lifted by hand what halts trading in the risk engine.
        111 "risk reset" v 1 Consequence => RiskReset(RiskReset);
        /// An order goes to the exchange.
        120 "order submitted" v 1 Consequence => OrderSubmitted(OrderSubmitted) in Box;
        /// What became of an order.
        121 "order answered" v 1 Consequence => OrderAnswered(OrderAnswered);
        /// An execution.
        122 "filled" v 1 Consequence => Filled(Filled) in Box;
        /// A balance after a fill or a settlement.
        123 "balance changed" v 1 Consequence => BalanceChanged(BalanceChanged);
        /// Positions are to be closed or reduced.
        124 "emergency ordered" v 1 Consequence => EmergencyOrdered(EmergencyOrdered);
        /// A position was opened.
        125 "position opened" v 1 Consequence => PositionOpened(PositionOpened) in Box;
        /// A position was closed, in whole or in part.
        126 "position closed" v 1 Consequence => PositionClosed(PositionClosed);
        /// One bar touched both the stop and the target of a position.
        127 "bar doubtful" v 1 Consequence => BarDoubtful(BarDoubtful);
        /// A rebalancing begins.
        129 "rebalance planned" v 1 Consequence => RebalancePlanned(RebalancePlanned);
        /// Trades of a rebalancing wait for their time.
        130 "legs planned" v 1 Consequence => LegsPlanned(LegsPlanned);
        /// A trade of a rebalancing was not carried out.
        131 "rebalance trade skipped" v 1 Consequence => RebalanceTradeSkipped(RebalanceTradeSkipped);
        /// The state of the coordinator was saved.
        140 "state saved" v 1 Consequence => StateSaved(StateSaved);
        /// The coordinator went on from what was saved.
        141 "state restored" v 1 Consequence => StateRestored(StateRestored);
        /// A scheduled trade was stored.
        142 "leg stored" v 1 Consequence => LegStored(LegStored);
        /// The status of a stored trade changed.
        143 "leg marked" v 1 Consequence => LegMarked(LegMarked);
        /// The store did not do what it was asked.
        144 "store failed" v 1 Consequence => StoreFailed(StoreFailed);
    }
}

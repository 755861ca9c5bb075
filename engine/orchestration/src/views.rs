//! What people look at: the state of the orchestration, folded from its events.
//!
//! No simulated code reads this, and this reads nothing but events; so it can be rebuilt at any
//! event of a log without running anything.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Time, View};
use serde::Serialize;

use crate::amount::Amount;
use crate::coordinator::state::RunState;
use crate::domain_event::{
    DomainEvent, ModelAnswered, ModelReply, OrderOutcome, ResolvedBy, TaskOutcome,
};
use crate::message::{DegradationLevel, Name, Topic};

/// How many changes of the level, and how many orders, are kept for people; the counts go on.
const KEPT: usize = 1_000;

/// The state of the orchestration.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Views {
    /// The coordinator.
    pub coordinator: CoordinatorView,
    /// The bus.
    pub bus: BusView,
    /// The market, by symbol.
    pub market: BTreeMap<Name, MarketView>,
    /// The language models.
    pub models: ModelView,
    /// Orders and what came of them.
    pub trading: TradingView,
    /// What survives a crash.
    pub store: StoreView,
    /// What people outside wanted and was not done.
    pub outside_refused: u64,
}

/// The coordinator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoordinatorView {
    /// What it does.
    pub state: RunState,
    /// How degraded it is.
    pub level: DegradationLevel,
    /// Failures of language models that count.
    pub llm_failures: u32,
    /// Failures of everything else that count.
    pub api_failures: u32,
    /// Every change of the level, with its time.
    pub levels: Vec<(Time, DegradationLevel)>,
    /// The scheduled tasks.
    pub tasks: BTreeMap<Name, TaskView>,
    /// Signals that were weighed.
    pub signals: u64,
    /// Signals that met a conflict.
    pub conflicts: u64,
    /// What was done about conflicts, by action.
    pub resolutions: BTreeMap<Name, u64>,
    /// Resolutions that no model's reply gave.
    pub unresolved: u64,
    /// Signals that were dropped, by reason.
    pub dropped: BTreeMap<Name, u64>,
    /// Whether the loop that keeps the schedule has ended.
    pub schedule_ended: bool,
}

impl Default for CoordinatorView {
    fn default() -> CoordinatorView {
        CoordinatorView {
            state: RunState::Running,
            level: DegradationLevel::Normal,
            llm_failures: 0,
            api_failures: 0,
            levels: Vec::new(),
            tasks: BTreeMap::new(),
            signals: 0,
            conflicts: 0,
            resolutions: BTreeMap::new(),
            unresolved: 0,
            dropped: BTreeMap::new(),
            schedule_ended: false,
        }
    }
}

/// One scheduled task.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TaskView {
    /// Runs that are under way.
    pub running: u64,
    /// Runs that succeeded.
    pub done: u64,
    /// Runs that failed or took too long.
    pub failed: u64,
    /// When it last finished for all its symbols.
    pub last_run_ns: Option<Time>,
    /// Whether a command has disabled it.
    pub disabled: bool,
}

/// The bus.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BusView {
    /// Messages by topic.
    pub published: BTreeMap<Topic, u64>,
    /// Calls of handlers.
    pub deliveries: u64,
    /// Errors that handlers raised.
    pub errors: u64,
    /// Who is subscribed to what, in order.
    pub subscriptions: BTreeMap<Topic, Vec<Name>>,
    /// Messages in the history.
    pub history: u64,
}

/// One market.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MarketView {
    /// The price of the last trade.
    pub last: Option<Amount>,
    /// The best price that somebody buys at.
    pub bid: Option<Amount>,
    /// The best price that somebody sells at.
    pub ask: Option<Amount>,
    /// How many trades there were.
    pub trades: u64,
    /// How many quotes there were.
    pub quotes: u64,
}

/// The language models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ModelView {
    /// How often each was asked.
    pub asked: BTreeMap<Name, u64>,
    /// How often any replied.
    pub replied: u64,
    /// How often any failed.
    pub failed: u64,
}

/// Orders and what came of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TradingView {
    /// Proposals that the risk engine let pass, reduced or not.
    pub approved: u64,
    /// Proposals that it refused, by its first reason.
    pub rejected: BTreeMap<Name, u64>,
    /// Orders that were sent.
    pub submitted: u64,
    /// Orders that were filled.
    pub filled: u64,
    /// Orders that rest.
    pub resting: u64,
    /// Orders that were refused, by reason.
    pub refused: BTreeMap<Name, u64>,
    /// Trades of rebalancings that were put off until later.
    pub legs_planned: u64,
    /// Trades of rebalancings that were not carried out, by reason.
    pub rebalance_skipped: BTreeMap<Name, u64>,
    /// Every execution.
    pub fills: Vec<FillView>,
    /// Balances by currency, as far as any execution changed them.
    pub balances: BTreeMap<Name, Amount>,
}

/// What survives a crash.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoreView {
    /// How often the state of the coordinator was saved.
    pub saves: u64,
    /// When it last was.
    pub last_save_ns: Option<Time>,
    /// Scheduled trades by status.
    pub legs: BTreeMap<Name, u64>,
    /// The status of each scheduled trade that is not finished, by number.
    pub open_legs: BTreeMap<u64, Name>,
    /// What failed, by operation.
    pub failures: BTreeMap<Name, u64>,
}

/// One execution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FillView {
    /// When.
    pub time_ns: Time,
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
}

impl View<DomainEvent> for Views {
    fn apply(&mut self, event: &Event<DomainEvent>, domain: &DomainEvent) {
        match domain {
            DomainEvent::MarketTrade(trade) => {
                let market = entry(&mut self.market, &trade.symbol);
                market.last = Some(trade.price);
                market.trades += 1;
            }
            DomainEvent::MarketQuote(quote) => {
                let market = entry(&mut self.market, &quote.symbol);
                (market.bid, market.ask) = (Some(quote.bid), Some(quote.ask));
                market.quotes += 1;
            }
            DomainEvent::OutsideMessage(_) | DomainEvent::OutsideActed(_) => {}
            DomainEvent::OutsideRefused(_) => self.outside_refused += 1,
            DomainEvent::ModelAsked(_) | DomainEvent::ModelAnswered(_) => self.models.apply(domain),
            DomainEvent::Published(_)
            | DomainEvent::Delivered(_)
            | DomainEvent::HandlerFailed(_)
            | DomainEvent::Subscribed(_)
            | DomainEvent::Unsubscribed(_)
            | DomainEvent::HistoryShrunk(_) => self.bus.apply(domain),
            DomainEvent::Started(_) => {
                self.coordinator.begin();
                self.bus.history = 0;
                self.bus.subscriptions.clear();
            }
            DomainEvent::StateChanged(_)
            | DomainEvent::OutcomeCounted(_)
            | DomainEvent::TaskRunStarted(_)
            | DomainEvent::TaskRunEnded(_)
            | DomainEvent::TaskFinished(_)
            | DomainEvent::TaskSwitched(_)
            | DomainEvent::ScheduleEnded(_)
            | DomainEvent::StatusReported(_)
            | DomainEvent::StateRestored(_)
            | DomainEvent::ConsensusBuilt(_)
            | DomainEvent::ConflictFound(_)
            | DomainEvent::ConflictResolved(_)
            | DomainEvent::SignalDropped(_) => self.coordinator.apply(event.time, domain),
            DomainEvent::RiskJudged(_)
            | DomainEvent::OrderSubmitted(_)
            | DomainEvent::OrderAnswered(_)
            | DomainEvent::Filled(_)
            | DomainEvent::LegsPlanned(_)
            | DomainEvent::RebalanceTradeSkipped(_)
            | DomainEvent::EmergencyOrdered(_)
            | DomainEvent::BalanceChanged(_) => self.trading.apply(event.time, domain),
            DomainEvent::StateSaved(_)
            | DomainEvent::LegStored(_)
            | DomainEvent::LegMarked(_)
            | DomainEvent::StoreFailed(_) => self.store.apply(event.time, domain),
        }
    }
}

impl CoordinatorView {
    /// What was in memory only is gone.
    fn begin(&mut self) {
        self.state = RunState::Running;
        (self.llm_failures, self.api_failures) = (0, 0);
        self.level = DegradationLevel::Normal;
        self.conflicts = 0;
        self.schedule_ended = false;
        for task in self.tasks.values_mut() {
            (task.running, task.disabled) = (0, false);
        }
    }

    fn level_is(&mut self, time: Time, level: DegradationLevel) {
        if self.level != level {
            self.level = level;
            keep(&mut self.levels, (time, level));
        }
    }

    fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::StateChanged(changed) => self.state = changed.to,
            DomainEvent::OutcomeCounted(counted) => {
                self.llm_failures = counted.llm_failures;
                self.api_failures = counted.api_failures;
                self.level_is(time, counted.level);
            }
            DomainEvent::TaskRunStarted(run) => entry(&mut self.tasks, &run.task).running += 1,
            DomainEvent::TaskRunEnded(run) => {
                let task = entry(&mut self.tasks, &run.task);
                task.running = task.running.saturating_sub(1);
                match run.outcome {
                    TaskOutcome::Done => task.done += 1,
                    TaskOutcome::TimedOut | TaskOutcome::Failed(_) => task.failed += 1,
                }
            }
            DomainEvent::TaskFinished(finished) => {
                entry(&mut self.tasks, &finished.task).last_run_ns = Some(time);
            }
            DomainEvent::ConsensusBuilt(_) => self.signals += 1,
            DomainEvent::ConflictFound(_) => self.conflicts += 1,
            DomainEvent::ConflictResolved(resolved) => {
                *entry(&mut self.resolutions, &resolved.action) += 1;
                self.unresolved += u64::from(resolved.by != ResolvedBy::Reply);
            }
            DomainEvent::SignalDropped(signal) => *entry(&mut self.dropped, &signal.reason) += 1,
            DomainEvent::TaskSwitched(switched) => {
                entry(&mut self.tasks, &switched.task).disabled = !switched.enabled;
            }
            DomainEvent::ScheduleEnded(_) => self.schedule_ended = true,
            DomainEvent::StateRestored(restored) => {
                self.conflicts = restored.conflicts;
                self.llm_failures = restored.llm_failures;
                self.api_failures = restored.api_failures;
                self.level_is(time, restored.level);
            }
            _ => {}
        }
    }
}

impl BusView {
    fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Published(published) => {
                *self.published.entry(published.message.topic).or_default() += 1;
                self.history = (self.history + 1).saturating_sub(published.trimmed.into());
            }
            DomainEvent::Delivered(_) => self.deliveries += 1,
            DomainEvent::HandlerFailed(_) => self.errors += 1,
            DomainEvent::Subscribed(subscribed) => {
                let name = shown(&subscribed.subscriber, subscribed.label.as_ref());
                let names = self.subscriptions.entry(subscribed.topic).or_default();
                names.retain(|known| *known != name);
                names.push(name);
            }
            DomainEvent::Unsubscribed(ended) => {
                let name = shown(&ended.subscriber, ended.label.as_ref());
                if let Some(names) = self.subscriptions.get_mut(&ended.topic) {
                    names.retain(|known| *known != name);
                }
            }
            DomainEvent::HistoryShrunk(shrunk) => {
                self.history = self.history.saturating_sub(shrunk.dropped);
            }
            _ => {}
        }
    }
}

impl ModelView {
    fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::ModelAsked(asked) => *entry(&mut self.asked, &asked.model) += 1,
            DomainEvent::ModelAnswered(ModelAnswered {
                reply: ModelReply::Text(_),
            }) => self.replied += 1,
            DomainEvent::ModelAnswered(_) => self.failed += 1,
            _ => {}
        }
    }
}

impl TradingView {
    fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::RiskJudged(judged) => match judged.rejections.first() {
                None => self.approved += 1,
                Some(reason) => *entry(&mut self.rejected, reason) += 1,
            },
            DomainEvent::OrderSubmitted(_) => self.submitted += 1,
            DomainEvent::OrderAnswered(answered) => match &answered.outcome {
                OrderOutcome::Filled => self.filled += 1,
                OrderOutcome::Resting => self.resting += 1,
                OrderOutcome::Refused(reason) | OrderOutcome::Raised(reason) => {
                    *entry(&mut self.refused, reason) += 1;
                }
            },
            DomainEvent::Filled(fill) => keep(
                &mut self.fills,
                FillView {
                    time_ns: time,
                    symbol: fill.symbol.clone(),
                    side: fill.side.clone(),
                    size: fill.size,
                    price: fill.price,
                    fee: fill.fee,
                },
            ),
            DomainEvent::LegsPlanned(planned) => self.legs_planned += planned.count,
            DomainEvent::RebalanceTradeSkipped(skipped) => {
                *entry(&mut self.rebalance_skipped, &skipped.reason) += 1;
            }
            DomainEvent::BalanceChanged(changed) => {
                self.balances.insert(changed.asset.clone(), changed.balance);
            }
            _ => {}
        }
    }
}

impl StoreView {
    fn apply(&mut self, time: Time, event: &DomainEvent) {
        match event {
            DomainEvent::StateSaved(_) => {
                self.saves += 1;
                self.last_save_ns = Some(time);
            }
            DomainEvent::LegStored(stored) => self.mark(stored.leg, &Name::fixed("pending")),
            DomainEvent::LegMarked(marked) => self.mark(marked.leg, &marked.status),
            DomainEvent::StoreFailed(failed) => {
                *entry(&mut self.failures, &failed.operation) += 1;
            }
            _ => {}
        }
    }

    fn mark(&mut self, leg: u64, status: &Name) {
        if let Some(before) = self.open_legs.remove(&leg) {
            let count = entry(&mut self.legs, &before);
            *count = count.saturating_sub(1);
        }
        *entry(&mut self.legs, status) += 1;
        if matches!(status.as_str(), "pending" | "sending") {
            self.open_legs.insert(leg, status.clone());
        }
    }
}

/// A subscription as people see it: whose it is, and which of theirs.
fn shown(subscriber: &Name, label: Option<&Name>) -> Name {
    match label {
        None => subscriber.clone(),
        Some(label) => Name::from(format!("{subscriber}:{label}")),
    }
}

/// The entry of a name, made if it is new. A known name is not copied.
fn entry<'a, V: Default>(map: &'a mut BTreeMap<Name, V>, name: &Name) -> &'a mut V {
    if !map.contains_key(name) {
        map.insert(name.clone(), V::default());
    }
    map.get_mut(name)
        .expect("it was there, or has just been put there")
}

fn keep<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() < KEPT {
        rows.push(row);
    }
}

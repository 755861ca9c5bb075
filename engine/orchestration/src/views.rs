//! What people look at: the state of the orchestration, folded from its events.
//!
//! No simulated code reads this, and this reads nothing but events; so it can be rebuilt at any
//! event of a log without running anything.

mod bus;
mod coordinator;
mod models;
mod store;
mod trading;

use std::collections::BTreeMap;

use dacapo_kernel::{Event, View};
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::domain_event::{BarsRead, DomainEvent, TapeRead};
use crate::message::Name;

pub use bus::BusView;
pub use coordinator::{CoordinatorView, TaskView};
pub use models::ModelView;
pub use store::StoreView;
pub use trading::{FillView, TradingView};

/// How many changes of the level, and how many orders, are kept for people; the counts go on.
const KEPT: usize = 1_000;

/// The state of the orchestration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Views {
    /// The coordinator.
    pub coordinator: CoordinatorView,
    /// The bus.
    pub bus: BusView,
    /// The market, by symbol.
    pub market: BTreeMap<Name, MarketView>,
    /// What was found in files of bars.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bars_read: Vec<BarsRead>,
    /// What was found in a tape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tape_read: Option<TapeRead>,
    /// The language models.
    pub models: ModelView,
    /// Orders and what came of them.
    pub trading: TradingView,
    /// What survives a crash.
    pub store: StoreView,
    /// What people outside wanted and was not done.
    pub outside_refused: u64,
}

/// One market.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// How many bars there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bars: u64,
}

/// What a run without bars does not show.
fn is_zero(count: &u64) -> bool {
    *count == 0
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
            DomainEvent::MarketBar(bar) => {
                let market = entry(&mut self.market, &bar.symbol);
                market.last = Some(bar.close);
                market.bars += 1;
            }
            DomainEvent::BarsRead(read) => self.bars_read.push(BarsRead::clone(read)),
            DomainEvent::TapeRead(read) => self.tape_read = Some(TapeRead::clone(read)),
            DomainEvent::OutsideMessage(_)
            | DomainEvent::OutsideActed(_)
            | DomainEvent::TableRow(_)
            | DomainEvent::PromptKept(_)
            | DomainEvent::RequestRendered(_)
            | DomainEvent::ProcessAsked(_)
            | DomainEvent::ProcessAnswered(_)
            | DomainEvent::AgentSaid(_)
            | DomainEvent::WakeAsked(_) => {}
            DomainEvent::OutsideRefused(_) => self.outside_refused += 1,
            DomainEvent::ModelAsked(_) | DomainEvent::ModelAnswered(_) => self.models.apply(domain),
            DomainEvent::Published(_)
            | DomainEvent::Delivered(_)
            | DomainEvent::HandlerFailed(_)
            | DomainEvent::Subscribed(_)
            | DomainEvent::Unsubscribed(_)
            | DomainEvent::HistoryShrunk(_) => self.bus.apply(domain),
            DomainEvent::MessageRewritten(_) | DomainEvent::RiskReset(_) => {}
            DomainEvent::Started(_) => {
                self.coordinator.begin();
                self.bus.begin();
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
            | DomainEvent::BalanceChanged(_)
            | DomainEvent::PositionOpened(_)
            | DomainEvent::PositionClosed(_)
            | DomainEvent::BarDoubtful(_)
            | DomainEvent::RebalancePlanned(_) => self.trading.apply(event.time, domain),
            DomainEvent::StateSaved(_)
            | DomainEvent::LegStored(_)
            | DomainEvent::LegMarked(_)
            | DomainEvent::StoreFailed(_) => self.store.apply(event.time, domain),
        }
    }
}

/// The entry of a name, made if it is new.
fn entry<'a, V: Default>(map: &'a mut BTreeMap<Name, V>, name: &Name) -> &'a mut V {
    map.entry(name.clone()).or_default()
}

fn keep<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() < KEPT {
        rows.push(row);
    }
}

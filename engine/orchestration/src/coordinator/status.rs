//! How a coordinator is: what it answers when somebody asks.

use std::collections::BTreeMap;

use serde::Serialize;

use super::degradation::Dependency;
use super::{Coordinator, Statistics};
use crate::amount::Amount;
use crate::clock::start_us;
use crate::domain_event::StatusReported;
use crate::execution::PaperExecutor;
use crate::message::{Json, Name, Topic};
use crate::rebalance::Leg;

/// How a coordinator is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// RUNNING, PAUSED or HALTED, in lower case.
    pub state: &'static str,
    /// The degradation level.
    pub level: &'static str,
    /// `paper` or `live`.
    pub trading_mode: &'static str,
    /// What it has counted.
    pub statistics: Statistics,
    /// Failures of language models that count.
    pub llm_failures: u32,
    /// Failures of everything else that count.
    pub api_failures: u32,
    /// Successes of language models since their failures last changed.
    pub recovery_progress: u32,
    /// Its tasks, in the order of the table.
    pub tasks: Vec<TaskStatus>,
    /// The bus.
    pub bus: BusStatus,
    /// Scheduled trades that are in memory only.
    pub scheduled_in_memory: Vec<LegStatus>,
    /// What people outside asked for and is not done yet.
    pub operations_under_way: u64,
    /// The paper account, if there is one.
    pub paper: Option<PaperStatus>,
}

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskStatus {
    /// Its name.
    pub name: Name,
    /// The name of its agent.
    pub agent: Name,
    /// The pause between two runs, in seconds.
    pub interval_seconds: u64,
    /// Whether it is scheduled.
    pub enabled: bool,
    /// When it last finished, as ISO 8601.
    pub last_run: Option<String>,
    /// Whether it runs at the start, if it never ran.
    pub run_on_start: bool,
}

/// A scheduled trade.
#[derive(Clone, Debug, Serialize)]
pub struct LegStatus {
    /// The pair.
    pub symbol: String,
    /// Buy or sell.
    pub side: &'static str,
    /// In dollars.
    pub amount_usd: Amount,
    /// Which batch it belongs to, counted from 0.
    pub batch_index: u32,
    /// When it is due, as ISO 8601.
    pub due: String,
}

/// The bus.
#[derive(Clone, Debug, Serialize)]
pub struct BusStatus {
    /// Messages that were stored.
    pub published: u64,
    /// Handlers that finished.
    pub delivered: u64,
    /// Handlers that raised an error.
    pub errors: u64,
    /// Messages in the history.
    pub history_size: usize,
    /// Who is subscribed to what, in delivery order.
    pub subscriptions: BTreeMap<Topic, Vec<Name>>,
}

/// The paper account.
#[derive(Clone, Debug, Serialize)]
pub struct PaperStatus {
    /// By asset.
    pub balances: BTreeMap<String, Amount>,
    /// How many fills there were.
    pub trade_count: u64,
    /// What was paid in fees, whatever the currency.
    pub fees: Amount,
    /// Positions that are open.
    pub open_positions: usize,
    /// Positions that were closed.
    pub closed_positions: u64,
    /// The profit of closed positions, whatever the currency.
    pub realized_pnl: Amount,
}

impl PaperStatus {
    fn of(paper: &PaperExecutor) -> PaperStatus {
        let holdings = paper.portfolio().holdings();
        PaperStatus {
            balances: holdings
                .map(|(asset, holding)| (asset.to_owned(), holding.balance))
                .collect(),
            trade_count: paper.stats().trade_count,
            fees: paper.portfolio().fees_of_all_assets().unwrap_or_default(),
            open_positions: paper.positions.open_count(),
            closed_positions: paper.positions.closed_total(),
            realized_pnl: paper.positions.realized_pnl(),
        }
    }
}

impl Coordinator {
    /// How it is now, while so many operations from outside are under way.
    pub fn status(&self, operations_under_way: u64) -> Status {
        let counts = self.degradation.borrow().counts();
        let bus = self.bus.statistics();
        let start = start_us(&self.ctx);
        let timetable = self.timetable.borrow();
        let tasks = timetable.tasks().iter().map(|task| TaskStatus {
            name: task.name.clone(),
            agent: task.schedule.agent.clone(),
            interval_seconds: task.schedule.interval_seconds,
            enabled: task.enabled,
            last_run: task.last_run.map(|last| last.to_iso(start)),
            run_on_start: task.run_on_start,
        });
        let leg = |leg: &Leg| LegStatus {
            symbol: leg.trade.symbol.clone(),
            side: leg.trade.action.name(),
            amount_usd: leg.trade.amount_usd,
            batch_index: leg.trade.batch_index,
            due: leg.due.to_iso(start),
        };
        let degradation = self.degradation.borrow();
        Status {
            state: self.state.get().name(),
            level: self.level().name(),
            trading_mode: self.exchange.mode().name(),
            statistics: self.statistics.get(),
            llm_failures: counts.llm_failures,
            api_failures: counts.api_failures,
            recovery_progress: degradation.recovery_progress(Dependency::LanguageModel),
            tasks: tasks.collect(),
            bus: BusStatus {
                published: bus.total_published,
                delivered: bus.total_delivered,
                errors: bus.delivery_errors,
                history_size: bus.history_size,
                subscriptions: self.bus.subscribers(),
            },
            scheduled_in_memory: self.legs.borrow().in_memory().map(leg).collect(),
            operations_under_way,
            paper: self.exchange.look_at_paper(PaperStatus::of),
        }
    }

    /// Tells the log how it is.
    pub fn report_status(&self, operations_under_way: u64) {
        let status = serde_json::to_value(self.status(operations_under_way));
        let status = status.expect("a status is numbers, texts and lists of them");
        self.ctx.emit(StatusReported {
            status: Json(status),
        });
    }
}

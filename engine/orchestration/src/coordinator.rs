//! The coordinator: runs the agents on schedule, weighs their signals, and trades.
//!
//! A signal goes one way: `signal` takes it from the bus, [`consensus`] and [`conflict`] weigh
//! it, `resolution` asks a model, `route` has it judged and executed. Around that, `work` keeps
//! the schedule, `rebalance` the portfolio in balance, `command` and `emergency` obey, `watch`
//! keeps an eye on positions and models.

pub mod conflict;
pub mod consensus;
pub mod degradation;
pub mod evidence;
pub mod modification;
pub mod reply;
pub mod schedule;
pub mod state;

mod account;
mod command;
mod emergency;
mod intents;
mod legs;
mod outcome;
mod persistence;
mod rebalance;
mod resolution;
mod retry;
pub(crate) mod route;
mod run;
mod signal;
mod status;
pub(crate) mod transport;
mod watch;
mod work;

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::{Rc, Weak};

use dacapo_kernel::{Notify, Receiver, Sender, channel};
use serde::Serialize;

use crate::agents::{Agents, Known};
use crate::audit::{Up, agree};
use crate::bar_clock::BarClock;
use crate::bus::subscriptions::SubscriberKey;
use crate::bus::{Bus, Handler, HandlerError};
use crate::clock::{Clock, start_us};
use crate::config::Config;
use crate::defect::{Defect, Defects};
use crate::domain_event::StateChanged;
use crate::exchange::{Exchange, Notice};
use crate::message::{
    CoordinatorPaused, CoordinatorResumed, Draft, Message, Name, Payload, Priority, Topic,
};
use crate::model::ask::Asking;
use crate::model::mask::Mask;
use crate::risk::{Periods, RiskEngine};
use crate::store::Store;
use crate::views::Views;
use crate::{Ctx, Orchestration};

use degradation::Degradation;
use legs::Legs;
use persistence::Saving;
use schedule::Timetable;
use state::RunState;

pub use status::Status;

/// How many notices of the exchange may wait.
const NOTICES: usize = 1_024;

/// What the coordinator has counted since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Task runs that succeeded.
    pub total_task_runs: u64,
    /// Signals that met a conflict.
    pub total_conflicts_detected: u64,
    /// Conflicts for which a model replied.
    pub total_conflicts_resolved: u64,
    /// Orders that the executor answered.
    pub total_trades_routed: u64,
}

/// What a coordinator is put together from.
pub struct Parts {
    /// The settings.
    pub config: Rc<Config>,
    /// The defects that are on.
    pub defects: Defects,
    /// The tasks that it has, in the order of the table.
    pub timetable: Timetable,
    /// Who judges proposals.
    pub risk: RiskEngine,
    /// What its agents know.
    pub known: Known,
    /// How many bars have closed.
    pub bars: Rc<BarClock>,
    /// Who takes orders.
    pub exchange: Exchange,
    /// What survives its crashes.
    pub store: Store,
}

/// The coordinator of one host.
pub struct Coordinator {
    me: Weak<Coordinator>,
    ctx: Ctx,
    bus: Bus,
    config: Rc<Config>,
    defects: Defects,
    clock: Clock,
    bars: Rc<BarClock>,
    exchange: Exchange,
    store: Store,
    agents: Agents,
    source: Name,
    state: Cell<RunState>,
    stopped: Cell<bool>,
    /// Every position is being closed.
    closes: Cell<bool>,
    statistics: Cell<Statistics>,
    degradation: RefCell<Degradation>,
    timetable: RefCell<Timetable>,
    risk: RefCell<RiskEngine>,
    periods: Cell<Periods>,
    /// How many closed trades risk was told of.
    closings: Cell<u64>,
    legs: RefCell<Legs>,
    saving: RefCell<Saving>,
    /// What agents that run elsewhere have said and others overtake.
    overtaken: RefCell<Vec<transport::Overtaken>>,
    signals: Sender<Orchestration, Rc<Message>>,
    /// Taken by whoever handles the signals.
    queue: RefCell<Option<Receiver<Orchestration, Rc<Message>>>>,
    /// What is due may have changed.
    nudged: Notify,
    /// The level has changed.
    level_moved: Notify,
    /// How models are asked.
    asking: Rc<Asking>,
}

impl Coordinator {
    /// A coordinator that has not been told anything and does nothing yet.
    pub fn new(ctx: &Ctx, bus: Bus, parts: Parts) -> Rc<Coordinator> {
        let Parts {
            config,
            defects,
            timetable,
            risk,
            known,
            bars,
            exchange,
            store,
        } = parts;
        let (signals, queue) = channel(ctx, "signals", config.coordinator.signal_queue);
        let clock = Clock::new(defects);
        let now = clock.now(ctx);
        let mask = Mask::new(config.llm.mask, &config.symbols, start_us(ctx));
        let asking = Rc::new(Asking::new(mask));
        Rc::new_cyclic(|me| Coordinator {
            me: Weak::clone(me),
            source: Name::fixed("coordinator"),
            state: Cell::new(RunState::Running),
            stopped: Cell::new(false),
            closes: Cell::new(false),
            statistics: Cell::new(Statistics::default()),
            degradation: RefCell::new(Degradation::new(config.degradation, defects)),
            agents: Agents::new(
                ctx,
                Rc::clone(&config),
                &timetable,
                known,
                Rc::clone(&asking),
            ),
            timetable: RefCell::new(timetable),
            risk: RefCell::new(risk),
            periods: Cell::default(),
            closings: Cell::default(),
            legs: RefCell::default(),
            saving: RefCell::new(Saving::begun(now, ctx.float_seconds(), bars.bars().closed)),
            ctx: ctx.clone(),
            bus,
            config,
            defects,
            clock,
            bars,
            exchange,
            store,
            overtaken: RefCell::default(),
            signals,
            queue: RefCell::new(Some(queue)),
            nudged: Notify::new("schedule"),
            level_moved: Notify::new("degradation level"),
            asking,
        })
    }

    /// Listens to the bus, and keeps the schedule until the run ends.
    pub async fn serve(self: Rc<Self>, up: Up) {
        *up.borrow_mut() = Rc::downgrade(&self);
        self.subscribe().await;
        self.serve_beside();
        self.keep_schedule().await;
    }

    /// Starts what runs beside the schedule.
    pub fn serve_beside(self: &Rc<Self>) {
        let of = || Rc::clone(self);
        if let Some(queue) = self.queue.take() {
            let ctx = &self.ctx;
            drop(ctx.spawn_daemon("signals", of().handle_queue(queue)));
            if self.exchange.keeps_account() {
                let (tell, notices) = channel::<_, Notice>(ctx, "exchange notices", NOTICES);
                self.exchange.tell(tell);
                drop(ctx.spawn_daemon("position notices", of().announce_notices(notices)));
                drop(ctx.spawn_daemon("position watch", of().watch_positions()));
            }
            drop(ctx.spawn_daemon("model probe", of().probe_models()));
            let saves_by_bars = self.config.store.save_bars.is_some();
            if saves_by_bars || self.timetable.borrow().counts_bars() {
                drop(ctx.spawn_daemon("bar watch", of().watch_bars()));
            }
        }
    }

    /// Subscribes to the four topics that the coordinator listens to, in this order.
    pub async fn subscribe(self: &Rc<Self>) {
        let me = Rc::downgrade(self);
        let handlers = [
            (Topic::TradingSignals, self.on_signal(&me)),
            (
                Topic::RiskAlerts,
                handler(&me, |it, message| it.on_alert(message)),
            ),
            (Topic::ExecutionEvents, Handler::immediate(|_, _| Ok(()))),
            (
                Topic::CoordinatorCommands,
                handler(&me, |it, message| it.on_command(message)),
            ),
        ];
        for (topic, handler) in handlers {
            let key = SubscriberKey::new(self.source.clone());
            let subscribed = self.bus.subscribe(&self.ctx, topic, key, handler).await;
            subscribed.expect("the first subscriber of a new bus is below every limit");
        }
    }

    /// Whether the views tell of this coordinator what it knows itself.
    pub(crate) fn agrees_with(&self, views: &Views) -> Result<(), String> {
        let (shown, counts) = (&views.coordinator, self.degradation.borrow().counts());
        agree("state", self.state.get(), shown.state)?;
        agree("llm failures", counts.llm_failures, shown.llm_failures)?;
        agree("api failures", counts.api_failures, shown.api_failures)?;
        agree("level", self.level(), shown.level)?;
        let statistics = self.statistics.get();
        agree(
            "conflicts",
            statistics.total_conflicts_detected,
            shown.conflicts,
        )?;
        let bus = self.bus.statistics();
        agree("history", bus.history_size as u64, views.bus.history)?;
        let errors = views.bus.errors - views.bus.earlier_errors;
        agree("delivery errors", bus.delivery_errors, errors)?;
        let subscriptions: usize = views.bus.subscriptions.values().map(Vec::len).sum();
        agree("subscriptions", bus.subscriber_count, subscriptions)
    }

    // What the other files share.

    /// Publishes in the coordinator's name.
    async fn publish(&self, topic: Topic, payload: impl Into<Payload>, priority: Priority) {
        let draft = Draft::new(topic, self.source.clone(), payload).priority(priority);
        let published = self.bus.publish(&self.ctx, draft).await;
        published.expect("the coordinator names itself as the source and keeps the default life");
    }

    /// Changes the state and says so in the log; nothing happens if it is that state already.
    fn enter(&self, to: RunState, by: &str) {
        let from = self.state.replace(to);
        if from != to {
            self.ctx.emit(StateChanged {
                from,
                to,
                by: Name::from(by),
            });
            self.nudge();
        }
        // A halt after a stop in good order is a halt, too.
        self.remember_state(to, by);
    }

    /// Goes to PAUSED and announces it. Where a halt or a stop stands in the way nothing changes, nor what is kept of it.
    async fn pause(&self, by: &str) {
        let paused = self.state.get().paused(self.defects);
        if paused == RunState::Paused {
            self.enter(paused, by);
            self.publish(Topic::SystemEvents, CoordinatorPaused {}, Priority::High)
                .await;
        }
    }

    /// Goes from PAUSED to RUNNING and announces it; otherwise nothing.
    async fn resume(&self, by: &str) {
        if self.state.get() == RunState::Paused {
            self.enter(self.state.get().resumed(), by);
            self.publish(Topic::SystemEvents, CoordinatorResumed {}, Priority::High)
                .await;
        }
    }

    /// Has the loop work out anew when to look next.
    fn nudge(&self) {
        self.nudged.notify(&self.ctx);
    }

    /// Whether what cannot be handled is raised at whoever calls, and not told in an alert.
    fn raises_on_bad_input(&self) -> bool {
        self.defects.has(Defect::BadSignalFailsCoordinator)
    }

    fn count(&self, add: impl FnOnce(&mut Statistics)) {
        let mut statistics = self.statistics.get();
        add(&mut statistics);
        self.statistics.set(statistics);
    }
}

/// A handler that waits for a method of the coordinator, for as long as there is one.
fn handler<F>(
    me: &Weak<Coordinator>,
    act: impl Fn(Rc<Coordinator>, Rc<Message>) -> F + 'static,
) -> Handler
where
    F: Future<Output = Result<(), HandlerError>> + 'static,
{
    let me = Weak::clone(me);
    Handler::starting(move |_, message| match me.upgrade() {
        Some(it) => Box::pin(act(it, message)),
        None => Box::pin(ready(Ok(()))),
    })
}

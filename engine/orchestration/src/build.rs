//! Puts the orchestration on its hosts.
//!
//! The exchange and the market live on a host of their own and survive a crash of the coordinator's.
//! The coordinator's host has the bus, the coordinator, and whoever publishes for people outside.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::{BuildError, Inbox, Plan, Setup};

use crate::agents::llm;
use crate::agents::process::{self, News};
use crate::agents::{Known, MarketView, SharedTables, table};
use crate::audit::{self, Up};
use crate::bar_clock::BarClock;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::config::{Config, TradingMode};
use crate::coordinator::schedule::Timetable;
use crate::coordinator::{Coordinator, Parts};
use crate::defect::Defects;
use crate::domain_event::{DomainEvent, MarketBar, MarketTrade, Started};
use crate::exchange::Exchange;
use crate::execution::{PaperExecutor, PositionBook, PriceSource};
use crate::feeds::{MarketFeed, outside_events, table_rows};
use crate::message::Instant;
use crate::model::{self, FALLBACK, PRIMARY, SimulatedModels};
use crate::outside::Outside;
use crate::risk::RiskEngine;
use crate::store::Store;
use crate::{Ctx, Orchestration};

/// The hosts, in the order in which they start.
pub(crate) const HOSTS: [&str; 2] = ["exchange", "coordinator"];

pub(crate) fn build(
    plan: &Plan<Config>,
    defects: Defects,
    setup: &mut Setup<'_, Orchestration>,
) -> Result<(), BuildError> {
    let config = Rc::new(plan.system.clone());
    // A run without tables has no feed for them, and its log none of their names. Of one instant they come before
    // the market: a row that can be known when a bar closes is there for whoever looks at that bar.
    let rows = match config.tables().next() {
        Some(_) => Some(setup.feed("tables", |files| {
            table_rows(&config, plan.start_unix_ns, files)
        })?),
        None => None,
    };
    let ticks = setup.feed("market", |files| {
        MarketFeed::open(&config, (plan.seed, plan.start_unix_ns), files)
    })?;
    let outside = setup.feed("outside", |_| Ok(outside_events(&config.events)))?;
    models(&config, defects, setup)?;
    process::attach(plan, setup)?;

    let agents = &config.agents;
    let view = MarketView::new(&config.symbols, &agents.analysis, agents.average_cross())
        .map_err(|error| BuildError::Plan(error.to_string()))?;
    let view = Rc::new(RefCell::new(view));
    let exchange = exchange(&config, defects);
    let path = config.store.path.as_ref();
    let place = path.and_then(|path| setup.place_to_leave(path));
    let store = Store::of_run(config.store.clone(), plan.start_unix_ns / 1_000, place);
    let store = store.map_err(|what| BuildError::File {
        path: "store.path".to_owned(),
        what,
    })?;

    let tasks = config.schedules.tasks(&config.symbols, agents);
    let mut by_bars = tasks.iter().filter(|task| task.interval_bars.is_some());
    let only_crossings = by_bars.all(|task| task.by_crossings) && config.store.save_bars.is_none();
    let bars = Rc::new(BarClock::new(only_crossings, &config.evidence_windows));
    let news = Rc::new(RefCell::new(News::new(&config)));
    let follower = Follower {
        view: Rc::clone(&view),
        news: Rc::clone(&news),
        exchange: exchange.clone(),
        bars: Rc::clone(&bars),
    };
    let tables = SharedTables::default();
    let arrived = Rc::clone(&tables);
    setup.host(HOSTS[0], move |ctx| {
        if let Some(rows) = rows.clone() {
            let follow = table::follow(ctx.clone(), rows, Rc::clone(&arrived));
            drop(ctx.spawn_daemon("tables", follow));
        }
        follower.clone().follow_market(ctx, ticks.clone())
    });
    let (up, ids) = (Up::default(), Rc::new(Cell::new(0)));
    let (seen, venue) = (Rc::clone(&up), exchange.clone());
    setup.audit(move |world| audit::compare(&seen, &venue, world));
    setup.host(HOSTS[1], move |ctx| {
        let bus = Bus::new(&ctx, &config.message_bus, Rc::clone(&ids), defects);
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let parts = Parts {
            timetable: Timetable::new(tasks, Clock::new(defects).now(&ctx), defects),
            risk: RiskEngine::new(config.risk.clone()),
            config: Rc::clone(&config),
            defects,
            known: Known {
                market: Rc::clone(&view),
                tables: Rc::clone(&tables),
                news: Rc::clone(&news),
            },
            bars: Rc::clone(&bars),
            exchange: exchange.clone(),
            store: store.clone(),
        };
        coordinate(ctx, bus, outside.clone(), parts, Rc::clone(&up))
    });
    Ok(())
}

/// The executor that a configuration asks for.
pub(crate) fn exchange(config: &Config, defects: Defects) -> Exchange {
    let prices = PriceSource::new(config.prices.clone(), defects);
    match config.trading_mode {
        TradingMode::Live => Exchange::live(config.live.clone(), prices),
        TradingMode::Paper => Exchange::paper(PaperExecutor::new(
            config.paper.clone(),
            config.markets.clone(),
            prices,
            PositionBook::new(config.trailing),
            defects,
        )),
    }
}

/// Each model has its own provider; with the defect one provider serves both of those that resolve conflicts.
fn models(
    config: &Rc<Config>,
    defects: Defects,
    setup: &mut Setup<'_, Orchestration>,
) -> Result<(), BuildError> {
    let (primary, fallback) = (&config.llm.primary, &config.llm.fallback);
    let shared = model::is_shared(defects);
    let template = config.llm.template();
    let figures = &config.figures;
    setup.provider(PRIMARY, "primary model", |files| {
        let served = [Some(primary), shared.then_some(fallback)];
        let models = SimulatedModels::new(served.into_iter().flatten(), template);
        models.connected(figures, "primary model", files)
    })?;
    setup.provider(FALLBACK, "fallback model", |files| {
        SimulatedModels::new([fallback], template).connected(figures, "fallback model", files)
    })?;
    for (at, agent) in config.llms().enumerate() {
        let name = format!("model of {}", agent.agent);
        setup.provider(llm::port(at), name.as_str(), |files| {
            SimulatedModels::of_agent(&agent).connected(figures, &name, files)
        })?;
    }
    Ok(())
}

/// Who sees what the market does.
#[derive(Clone)]
struct Follower {
    view: Rc<RefCell<MarketView>>,
    news: Rc<RefCell<News>>,
    exchange: Exchange,
    bars: Rc<BarClock>,
}

impl Follower {
    /// Shows everything to the agents and to the exchange.
    async fn follow_market(self, ctx: Ctx, ticks: Inbox<Orchestration>) {
        loop {
            // Orders are matched against trades and bars; a quote is recorded for those who look at the log.
            match ticks.recv(&ctx).await.1 {
                DomainEvent::MarketTrade(trade) => self.trade(&ctx, &trade),
                DomainEvent::MarketBar(bar) => self.bar(&ctx, &bar),
                _ => {}
            }
        }
    }

    fn trade(&self, ctx: &Ctx, trade: &MarketTrade) {
        let MarketTrade {
            symbol,
            price,
            size,
            taker_buys,
        } = trade;
        // A price that is none is nothing to act on.
        if !price.is_positive() {
            return;
        }
        self.view
            .borrow_mut()
            .see_trade(symbol, *price, *size, *taker_buys);
        if !self.news.borrow().is_for_nobody() {
            let now = Instant::from(ctx.now());
            self.news.borrow_mut().trade(now, trade);
        }
        self.exchange.price(ctx, symbol, *price);
    }

    /// The exchange goes first: what it does in the bar happened before the bar was over.
    fn bar(&self, ctx: &Ctx, bar: &MarketBar) {
        let prices = [bar.open, bar.high, bar.low, bar.close];
        let mut crossed = false;
        if prices.iter().all(|price| price.is_positive()) {
            self.exchange.bar(ctx, bar);
            let mut view = self.view.borrow_mut();
            view.see_trade(&bar.symbol, bar.close, bar.volume, None);
            crossed = view.crossing(&bar.symbol).is_some();
            if !self.news.borrow().is_for_nobody() {
                let now = Instant::from(ctx.now());
                self.news.borrow_mut().bar(now, bar);
            }
        }
        // Time has passed, whatever the prices are.
        self.bars.tick(ctx, crossed);
    }
}

/// Takes the handlers off a bus whose host is gone: they hold the bus and the coordinator, which hold
/// them.
struct Gone(Bus);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.take_apart();
    }
}

/// Starts what runs beside the coordinator, and the coordinator.
async fn coordinate(ctx: Ctx, bus: Bus, inbox: Inbox<Orchestration>, parts: Parts, up: Up) {
    ctx.emit(Started {});
    let _gone = Gone(bus.clone());
    let config = Rc::clone(&parts.config);
    let news = Rc::clone(&parts.known.news);
    if config.message_bus.cleanup {
        let every = config.message_bus.cleanup_interval_seconds;
        bus.start_cleanup(&ctx, Duration::from_secs(every));
    }
    let exchange = parts.exchange.clone();
    let coordinator = Coordinator::new(&ctx, bus.clone(), parts);
    process::listen(&ctx, &bus, &config, &news).await;
    let outside = Outside::new(&ctx, bus, exchange, Rc::clone(&coordinator));
    outside.before_start(&config).await;
    coordinator.load().await;
    // Nobody outside gets a word in before the coordinator listens.
    drop(ctx.spawn_daemon("outside", outside.follow(inbox)));
    coordinator.serve(up).await;
}

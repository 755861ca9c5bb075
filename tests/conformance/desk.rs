//! A coordinator that is put together by hand, for families that drive one.

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_orchestration::Ctx;
use dacapo_orchestration::agents::{Known, MarketView};
use dacapo_orchestration::bar_clock::BarClock;
use dacapo_orchestration::bus::Bus;
use dacapo_orchestration::clock::Clock;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::coordinator::schedule::Timetable;
use dacapo_orchestration::coordinator::{Coordinator, Parts};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::exchange::Exchange;
use dacapo_orchestration::execution::PriceSource;
use dacapo_orchestration::message::{Draft, Name, Payload, Topic};
use dacapo_orchestration::risk::RiskEngine;
use dacapo_orchestration::store::Store;
use serde_json::json;

/// A coordinator that is put together by hand.
pub(crate) struct Desk {
    pub(crate) bus: Bus,
    pub(crate) coordinator: Rc<Coordinator>,
    pub(crate) store: Store,
}

impl Desk {
    /// Sets up a coordinator with the live executor of the configuration.
    pub(crate) fn new(
        ctx: &Ctx,
        config: &Config,
        defects: Defects,
        prepare: impl FnOnce(&mut Timetable, &mut RiskEngine),
    ) -> Desk {
        let bus = Bus::new(ctx, &config.message_bus, Rc::default(), defects);
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let mut timetable = Timetable::new(tasks, Clock::new(defects).now(ctx), defects);
        let mut risk = RiskEngine::new(config.risk.clone());
        prepare(&mut timetable, &mut risk);
        let store = Store::new(config.store.clone());
        let view =
            MarketView::new(&[], &config.agents.analysis, None).expect("the default windows");
        let parts = Parts {
            config: Rc::new(config.clone()),
            defects,
            timetable,
            risk,
            known: Known::of(Rc::new(RefCell::new(view))),
            bars: Rc::new(BarClock::new(false, &config.evidence_windows)),
            exchange: live(config, defects),
            store: store.clone(),
        };
        let coordinator = Coordinator::new(ctx, bus.clone(), parts);
        coordinator.serve_beside();
        Desk {
            bus,
            coordinator,
            store,
        }
    }

    /// Brings the coordinator into a state, as an operator would.
    pub(crate) async fn enter(&self, ctx: &Ctx, state: &str) {
        let command = match state {
            "RUNNING" => return,
            "PAUSED" => "pause",
            "HALTED" => "halt",
            other => panic!("unknown state {other}"),
        };
        let topic = Topic::CoordinatorCommands;
        let payload = Payload::from_json(topic, json!({ "command": command, "params": {} }));
        let draft = Draft::new(topic, Name::fixed("operator"), payload);
        let published = self.bus.publish(ctx, draft).await;
        published.expect("a command is a valid message");
    }
}

fn live(config: &Config, defects: Defects) -> Exchange {
    Exchange::live(
        config.live.clone(),
        PriceSource::new(config.prices.clone(), defects),
    )
}

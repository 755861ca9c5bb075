//! A stage for one part of the product: the kernel runs it in virtual time, with simulated models
//! and everything that happens in a log.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Budgets, BuildError, Event, Expect, FaultPlan, Files, Plan, Run, SchedulerKind,
    Seq, Time, Verdict,
};
use dacapo_orchestration::config::Config;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::domain_event::{DomainEvent, StatusReported};
use dacapo_orchestration::message::{Instant, Json};
use dacapo_orchestration::model::{FALLBACK, PRIMARY, SimulatedModels};
use dacapo_orchestration::{Ctx, Orchestration};
use dacapo_tests::events;
use serde_json::{Value, json};

use crate::encoding::T0_US;

/// What a play has come to: what it returned, and everything that happened.
pub(crate) struct Played<T> {
    pub(crate) returned: T,
    pub(crate) events: Vec<Event<DomainEvent>>,
}

/// Runs a play to its end.
pub(crate) fn play<T: 'static, F>(
    config: &Config,
    defects: Defects,
    play: impl FnOnce(Ctx) -> F + 'static,
) -> Played<T>
where
    F: Future<Output = T> + 'static,
{
    let plan = plan(config, defects);
    // No host of a stage crashes, so its task starts once.
    let play = Rc::new(Cell::new(Some(play)));
    let returned: Rc<RefCell<Option<T>>> = Rc::default();
    let kept = Rc::clone(&returned);
    let bytes = Rc::new(RefCell::new(Memory::default()));
    let storage: BoxedStorage = Box::new(bytes.clone());
    let outcome = Run::<Orchestration>::new(&plan)
        .unchecked()
        .built_by(move |plan, setup| {
            let llm = &plan.system.llm;
            setup.provider(PRIMARY, "models", |_| {
                Ok(SimulatedModels::new([&llm.primary, &llm.fallback], ""))
            })?;
            setup.provider(FALLBACK, "fallback model", |_| {
                Ok(SimulatedModels::new([&llm.fallback], ""))
            })?;
            let (play, kept) = (Rc::clone(&play), Rc::clone(&kept));
            setup.host("stage", move |ctx| {
                let (play, kept) = (Rc::clone(&play), Rc::clone(&kept));
                async move {
                    let play = play.take().expect("the stage starts once");
                    *kept.borrow_mut() = Some(play(ctx).await);
                }
            });
            Ok(())
        })
        .record(&NoFiles, storage, SyncPolicy::Never)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.verdict, Verdict::Complete);
    let returned = returned.take().expect("a play that completes returns");
    Played {
        returned,
        events: events(&bytes.take().0),
    }
}

fn plan(config: &Config, defects: Defects) -> Plan<Config> {
    Plan {
        name: "conformance".to_owned(),
        story: String::new(),
        seed: 1,
        start_unix_ns: T0_US * 1_000,
        duration_ns: None,
        scheduler: SchedulerKind::Fifo,
        budgets: Budgets::default(),
        faults: FaultPlan::default(),
        profile: String::new(),
        defects: defects.iter().map(|info| info.name.to_owned()).collect(),
        data: Vec::new(),
        expect: Expect::default(),
        system: config.clone(),
    }
}

/// Nothing is read.
struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        panic!("no case reads a file, but {path} was asked for")
    }
}

/// A configuration without a market, with these sections.
pub(crate) fn config(sections: Value) -> Config {
    let mut config = json!({
        "symbols": ["BTC/USDT", "XRP/USDT", "XRP/BTC"],
        "market": { "source": "none" },
        "trading_mode": "live",
        "schedules": {},
        "agents": {},
        "store": { "kind": "none" },
    });
    for (section, value) in sections.as_object().into_iter().flatten() {
        config[section] = value.clone();
    }
    for agent in [
        "technical_analysis",
        "regime_detection",
        "sentiment_analysis",
        "trading_decision",
        "portfolio_rebalance",
    ] {
        if config["agents"].get(agent).is_none() {
            config["agents"][agent] = json!("absent");
        }
    }
    serde_json::from_value(config).expect("the sections fit the configuration")
}

/// Lets time pass until so many seconds after the start.
pub(crate) async fn until(ctx: &Ctx, seconds: &Value) {
    let micros = crate::encoding::micros(seconds);
    ctx.sleep_until(Time::from_micros(micros.unsigned_abs()))
        .await;
}

/// A mark in the log, by which what follows can be told from what went before.
pub(crate) fn mark(ctx: &Ctx) -> Seq {
    ctx.emit(StatusReported {
        status: Json(Value::Null),
    })
}

/// The events between each mark and the next, and after the last.
pub(crate) fn between(
    events: &[Event<DomainEvent>],
    marks: &[Seq],
) -> Vec<Vec<Event<DomainEvent>>> {
    let mut parts: BTreeMap<usize, Vec<Event<DomainEvent>>> = BTreeMap::new();
    for event in events {
        let part = marks.partition_point(|mark| *mark < event.seq);
        parts.entry(part).or_default().push(event.clone());
    }
    (1..=marks.len())
        .map(|part| parts.remove(&part).unwrap_or_default())
        .collect()
}

/// Seconds since the start, as recordings write them.
pub(crate) fn seconds(time: Time) -> f64 {
    Instant::from(time).as_micros() as f64 / 1e6
}

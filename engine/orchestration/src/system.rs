//! The orchestration as a system under simulation: what the program asks of it.

use dacapo_kernel::{
    Brought, BuildError, Draft, Event, Exhibits, Fault, FaultKind, Figure, Files, Invariant, Level,
    Measure, Mistake, Plan, Profile, Rehearing, Section, Setup, Sometimes, Switch, System, Time,
    Trial, Wanted, World,
};
use dacapo_market::MarketConfig;

use crate::build;
use crate::config::{self, Config};
use crate::defect::{self, DEFECTS, Defects};
use crate::describe;
use crate::domain_event::DomainEvent;
use crate::exhibits;
use crate::faults;
use crate::figures;
use crate::init;
use crate::invariants;
use crate::levels;
use crate::rehearing;
use crate::sometimes;
use crate::summary;
use crate::views::Views;

/// The trading orchestration: what `dacapo` simulates.
#[derive(Debug)]
pub struct Orchestration;

impl System for Orchestration {
    const NAME: &'static str = "orchestration";
    type Event = DomainEvent;
    type View = Views;
    type Config = Config;

    fn resolve(plan: &mut Plan<Config>, files: &dyn Files) -> Result<(), Mistake> {
        config::check(&plan.system, Defects::named(&plan.defects))?;
        known_hosts(plan)?;
        open_market(&plan.system.market, files)?;
        for source in plan.system.tables() {
            let opened = files.open(&source.table.file);
            let at = format!("{}.file", source.at);
            opened.map_err(|error| Mistake::at(&at, error.to_string()))?;
        }
        config::read_templates(&mut plan.system, files)?;
        config::note_files(&plan.system, files)
    }

    fn scenario_for(brought: &Brought<'_>, files: &dyn Files) -> Option<Result<Draft, String>> {
        Some(init::scenario_for(brought, files))
    }

    fn plainest() -> Option<Config> {
        let plainest = r#"{"symbols": ["BTC/USDT"], "market": {"source": "none"}}"#;
        serde_json::from_str(plainest).ok()
    }

    fn build(plan: &Plan<Config>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        build::build(plan, Defects::named(&plan.defects), setup)
    }

    fn invariants(plan: &Plan<Config>) -> Vec<Box<dyn Invariant<DomainEvent>>> {
        invariants::all(plan)
    }

    fn sometimes(_: &Plan<Config>) -> Vec<Sometimes<DomainEvent>> {
        sometimes::all()
    }

    fn faults() -> Vec<FaultKind> {
        faults::kinds()
    }

    fn act(plan: &mut Plan<Config>, what: &str, at: Time, value: u64) -> Result<(), String> {
        faults::act(plan, what, at, value)
    }

    fn defects() -> Vec<Switch> {
        DEFECTS
            .iter()
            .map(|info| Switch {
                name: info.name,
                reference: info.reference,
                broken: info.broken,
                sound: info.sound,
                caught_by: info.caught_by,
            })
            .collect()
    }

    fn profiles() -> Vec<Profile> {
        let profile = |(profile, name, meaning): (defect::Profile, _, _)| Profile {
            name,
            meaning,
            defects: profile.defects().iter().map(|info| info.name).collect(),
        };
        // The default comes first.
        defect::Profile::ALL
            .into_iter()
            .rev()
            .map(profile)
            .collect()
    }

    fn rehearing(plan: &Plan<Config>) -> Option<Box<dyn Rehearing<DomainEvent>>> {
        Some(rehearing::rehearing(plan))
    }

    fn figures(world: &World<Views>) -> Vec<Figure> {
        let Views {
            coordinator,
            models,
            trading,
            bus,
            store,
            ..
        } = &world.view;
        let figure = |name, value: u64, meaning| Figure {
            name,
            value: value as f64,
            meaning,
        };
        let asked: u64 = models.asked.values().sum();
        let rejected: u64 = trading.rejected.values().sum();
        let executed = store.legs.get("executed").copied().unwrap_or(0);
        vec![
            figure(
                "task_runs",
                coordinator.tasks.values().map(|t| t.done).sum(),
                "task runs that succeeded",
            ),
            figure(
                "failed_runs",
                coordinator.tasks.values().map(|t| t.failed).sum(),
                "task runs that failed",
            ),
            figure(
                "signals",
                coordinator.signals,
                "trading signals that were weighed",
            ),
            figure(
                "conflicts",
                coordinator.conflicts,
                "signals that met a conflict",
            ),
            figure("model_calls", asked, "calls of language models"),
            figure(
                "risk_rejections",
                rejected,
                "proposals that the risk engine refused",
            ),
            figure("orders", trading.submitted, "orders that were sent"),
            figure("filled_orders", trading.filled, "orders that were filled"),
            figure("delivery_errors", bus.errors, "errors that handlers raised"),
            figure(
                "level_changes",
                coordinator.levels.len() as u64,
                "changes of the degradation level",
            ),
            figure(
                "legs_executed",
                executed,
                "scheduled trades that were carried out from the store",
            ),
            figure("saves", store.saves, "times the state was saved"),
        ]
    }

    fn measure(plan: &Plan<Config>, wanted: Wanted) -> Option<Box<dyn Measure<DomainEvent>>> {
        Some(figures::measure(plan, wanted))
    }

    fn across(trials: &[Trial]) -> Vec<Section> {
        figures::across(trials)
    }

    fn summary(world: &World<Views>) -> Vec<Section> {
        summary::summary(&world.view)
    }

    fn warnings(plan: &Plan<Config>, world: &World<Views>) -> Vec<String> {
        let mut warnings = summary::warnings(&plan.system, &world.view);
        if !world.view.models.asked.is_empty() {
            warnings.extend(figures::read_past(plan, world.now));
        }
        warnings
    }

    fn exhibits(plan: &Plan<Config>) -> Exhibits<DomainEvent> {
        exhibits::exhibits(plan)
    }

    fn levels() -> &'static [Level] {
        levels::LEVELS
    }

    fn level_of(event: &DomainEvent) -> Option<usize> {
        levels::level_of(event)
    }

    fn describe(event: &Event<DomainEvent>, domain: &DomainEvent) -> String {
        describe::event(event, domain)
    }

    fn tags(domain: &DomainEvent) -> Vec<(&'static str, String)> {
        describe::tags(domain)
    }
}

/// Whatever files the market names are there; what is in them is looked at when the run begins.
fn open_market(market: &MarketConfig, files: &dyn Files) -> Result<(), Mistake> {
    let open = |at: &str, file: &str| {
        let opened = files.open(file).map(drop);
        opened.map_err(|error| Mistake::at(at, error.to_string()))
    };
    match market {
        MarketConfig::Tape(tape) => open("market.file", &tape.file),
        MarketConfig::Bars(bars) => {
            let mut each = bars.files.iter().enumerate();
            each.try_for_each(|(i, it)| open(&format!("market.files.{i}.file"), &it.file))
        }
        MarketConfig::Generated(_) | MarketConfig::None => Ok(()),
    }
}

/// A fault strikes a host that exists.
fn known_hosts(plan: &Plan<Config>) -> Result<(), Mistake> {
    for (i, fault) in plan.faults.faults.iter().enumerate() {
        if let Fault::CrashHost { host, .. } = fault
            && !build::HOSTS.contains(&host.as_str())
        {
            let what = format!("unknown host `{host}`");
            return Err(Mistake::at(&format!("faults.{i}.host"), what).candidates(build::HOSTS));
        }
    }
    Ok(())
}

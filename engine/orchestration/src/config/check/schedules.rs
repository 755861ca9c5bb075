//! What must fit together in the schedules of the tasks.

use dacapo_kernel::Mistake;
use dacapo_market::MarketConfig;

use crate::config::schedule::Schedule;
use crate::config::{Config, Duty, TaskKind};
use crate::defect::{Defect, Defects};
use crate::message::Name;

pub(super) fn schedules(config: &Config, defects: Defects) -> Result<(), Mistake> {
    let schedules = config.schedules.resolve(&config.symbols);
    for schedule in &schedules {
        let at = |key: &str| place(schedule, key);
        if schedule.interval_seconds == 0 {
            return Err(Mistake::at(
                &at("interval_seconds"),
                "expected at least 1 second, found 0",
            ));
        }
        if let Some(bars) = schedule.interval_bars {
            by_bars(config, bars, &at("interval_bars"))?;
        }
        if !(schedule.timeout_seconds > 0.0 && schedule.timeout_seconds.is_finite()) {
            let found = schedule.timeout_seconds;
            let what = format!("expected a number of seconds above 0, found {found}");
            return Err(Mistake::at(&at("timeout_seconds"), what));
        }
        if schedule.max_concurrent_symbols == 0 {
            return Err(Mistake::at(
                &at("max_concurrent_symbols"),
                "expected at least 1, found 0",
            ));
        }
        for (i, symbol) in schedule.symbols.iter().enumerate() {
            let portfolio = Duty::Role(TaskKind::PortfolioRebalance);
            let known = schedule.duty == portfolio || config.symbols.contains(symbol);
            if !known {
                let what = format!("unknown symbol `{symbol}`: it is not among `symbols`");
                return Err(Mistake::at(&at(&format!("symbols.{i}")), what)
                    .candidates(config.symbols.iter().map(|name| name.to_string())));
            }
        }
        for (i, task) in schedule.depends_on.iter().enumerate() {
            if !schedules.iter().any(|other| other.name == *task) {
                let what = format!("unknown task `{task}`");
                return Err(Mistake::at(&at(&format!("depends_on.{i}")), what)
                    .candidates(schedules.iter().map(|other| other.name.to_string())));
            }
        }
    }
    if defects.has(Defect::DependencyCyclesAccepted) {
        return Ok(());
    }
    match dependency_cycle(&schedules) {
        None => Ok(()),
        Some(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|task| task.name.as_str()).collect();
            let at = place(cycle[0], "depends_on");
            let what = format!("the dependencies run in a circle: {}", names.join(" → "));
            Err(Mistake::at(&at, what).help("drop one of these dependencies"))
        }
    }
}

/// What else counts bars: how old evidence may be, and how often the state is saved.
pub(super) fn counts_of_bars(config: &Config) -> Result<(), Mistake> {
    let keys = ["ta_signals", "regime_updates", "sentiment_updates"];
    for (key, bars) in keys.into_iter().zip(config.evidence_windows.bars()) {
        if bars.is_some() {
            let at = format!("evidence_windows.{key}_bars");
            of_bars(config, &at, "evidence would count for ever", key)?;
        }
    }
    match config.store.save_bars {
        None => Ok(()),
        Some(0) => Err(Mistake::at(
            "store.save_bars",
            "expected at least 1 bar, found 0",
        )),
        Some(_) => {
            let instead = "store.kind = \"none\"";
            of_bars(config, "store.save_bars", "nothing would be saved", instead)
        }
    }
}

/// A schedule in bars needs bars.
fn by_bars(config: &Config, interval: u32, at: &str) -> Result<(), Mistake> {
    if interval == 0 {
        return Err(Mistake::at(at, "expected at least 1 bar, found 0"));
    }
    of_bars(config, at, "the task would never run", "interval_seconds")
}

/// A number of bars needs a market that has some.
fn of_bars(config: &Config, at: &str, why: &str, instead: &str) -> Result<(), Mistake> {
    if !matches!(config.market, MarketConfig::Bars(_)) {
        return Err(Mistake::at(at, format!("the market has no bars, so {why}"))
            .help(format!("use {instead}, or market.source = \"bars\"")));
    }
    Ok(())
}

/// Where a scenario says something of a task's schedule.
fn place(schedule: &Schedule, key: &str) -> String {
    match schedule.duty {
        Duty::Role(kind) => format!("schedules.{}.{key}", kind.agent()),
        Duty::Other(at) => format!("schedules.others.{at}.schedule.{key}"),
    }
}

/// A circle of enabled tasks that wait for each other, from the first of them back to itself.
fn dependency_cycle(schedules: &[Schedule]) -> Option<Vec<&Schedule>> {
    let find = |task: &Name| {
        schedules
            .iter()
            .find(|schedule| schedule.name == *task && schedule.enabled)
    };
    schedules
        .iter()
        .filter(|schedule| schedule.enabled)
        .find_map(|first| {
            let mut paths = vec![vec![first]];
            while let Some(path) = paths.pop() {
                let last = path[path.len() - 1];
                for next in last.depends_on.iter().filter_map(find) {
                    if next.name == first.name {
                        let mut cycle = path.clone();
                        cycle.push(first);
                        return Some(cycle);
                    }
                    if !path.iter().any(|seen| seen.name == next.name) {
                        let mut longer = path.clone();
                        longer.push(next);
                        paths.push(longer);
                    }
                }
            }
            None
        })
}

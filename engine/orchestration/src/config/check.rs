//! What must fit together in a configuration, beyond the type of each value.

mod market;
mod replies;
mod schedules;

use std::path::{Component, Path};

use dacapo_kernel::Mistake;

use super::average_cross;
use super::bounds::numbers;
use super::llm_agents;
use super::processes;
use super::{BreachAction, Config, Publication, StoreKind, TaskKind};
use crate::agents::indicator::{Flow, RegimeWindow, Trend};
use crate::defect::Defects;
use crate::symbol::Pair;

use market::market;
use replies::generated_replies;
use schedules::{counts_of_bars, schedules};

pub(super) use replies::{delays, replies};

/// Checks a configuration as a whole.
///
/// # Errors
/// The first mistake, with its place.
pub fn check(config: &Config, defects: Defects) -> Result<(), Mistake> {
    symbols(config)?;
    market(config)?;
    schedules(config, defects)?;
    counts_of_bars(config)?;
    for (at, model) in [
        ("llm.primary", &config.llm.primary),
        ("llm.fallback", &config.llm.fallback),
    ] {
        replies(at, &model.replies, generated_replies)?;
    }
    numbers(config)?;
    analysis(config)?;
    average_cross::check(config)?;
    emergency(config)?;
    outages(config)?;
    store_file(config)?;
    config.figures.check()?;
    tables(config)?;
    processes::check(config)?;
    llm_agents::check(config)?;
    events(config)
}

/// A table speaks for an agent that says messages, of symbols that there are.
fn tables(config: &Config) -> Result<(), Mistake> {
    for source in config.tables() {
        let at = |key: &str| format!("{}.{key}", source.at);
        let age = source.table.max_age_seconds;
        if !(age > 0.0 && age.is_finite()) {
            let what = format!("expected a number of seconds above 0, found {age}");
            return Err(Mistake::at(&at("max_age_seconds"), what));
        }
        if source.topic == TaskKind::PortfolioRebalance.topic() {
            return Err(
                Mistake::at(&source.at, "a portfolio makes plans, and a table has none")
                    .help("use `plans`, or a table for trading_decision"),
            );
        }
        if let Some(symbol) = &source.table.symbol
            && !config.symbols.contains(symbol)
        {
            let what = format!("unknown symbol `{symbol}`: it is not among `symbols`");
            return Err(Mistake::at(&at("symbol"), what)
                .candidates(config.symbols.iter().map(|name| name.to_string())));
        }
    }
    Ok(())
}

fn symbols(config: &Config) -> Result<(), Mistake> {
    if config.symbols.is_empty() {
        return Err(
            Mistake::at("symbols", "expected at least one symbol, found none")
                .help("name the pairs to trade, such as symbols = [\"BTC/USDT\"]"),
        );
    }
    for (i, symbol) in config.symbols.iter().enumerate() {
        let wrong = |what: String| Mistake::at(&format!("symbols.{i}"), what);
        if let Err(error) = symbol.parse::<Pair>() {
            return Err(wrong(error.to_string()));
        }
        if config.symbols[..i].contains(symbol) {
            return Err(wrong(format!("`{symbol}` is named twice")));
        }
    }
    Ok(())
}

/// The windows of the rules and the targets of the portfolio check themselves.
fn analysis(config: &Config) -> Result<(), Mistake> {
    let analysis = &config.agents.analysis;
    let windows = [
        ("trend", Trend::new(analysis.trend.clone()).map(drop)),
        (
            "regime",
            RegimeWindow::new(analysis.regime.clone()).map(drop),
        ),
        ("flow", Flow::new(analysis.flow.clone()).map(drop)),
    ];
    for (section, made) in windows {
        if let Err(error) = made {
            let at = format!("agents.analysis.{section}.{}", error.field);
            return Err(Mistake::at(&at, format!("`{at}`: {error}")));
        }
    }
    let portfolio = config.portfolio.check();
    portfolio.map_err(|error| Mistake::at("portfolio.target_allocation", error.to_string()))
}

/// Each event does one thing, at a time that a run has.
fn events(config: &Config) -> Result<(), Mistake> {
    for (i, event) in config.events.iter().enumerate() {
        let at = |key: &str| format!("events.{i}{key}");
        if !(-1e9..=1e9).contains(&event.at_seconds) {
            let what = format!("expected seconds, found {}", event.at_seconds);
            return Err(Mistake::at(&at(".at_seconds"), what));
        }
        let told = event.told();
        if told.len() != 1 {
            let what = format!("expected one thing that happens, found {}", told.len());
            let help = "an event has at_seconds and one of publish, subscribe, unsubscribe, \
                        set_price, tell_risk, trade_result, reset_risk, force_run, status, stop";
            return Err(Mistake::at(&at(""), what).help(help));
        }
        if let Some(publish) = &event.publish {
            publication(publish, |key| at(&format!(".publish.{key}")))?;
        }
        if let Some(subscribe) = &event.subscribe
            && !(0.0..=86_400.0).contains(&subscribe.delay_seconds)
        {
            let found = subscribe.delay_seconds;
            let what = format!("expected 0 to 86,400 seconds, found {found}");
            return Err(Mistake::at(&at(".subscribe.delay_seconds"), what));
        }
    }
    Ok(())
}

fn publication(publish: &Publication, at: impl Fn(&str) -> String) -> Result<(), Mistake> {
    if publish.source.as_str().is_empty() {
        return Err(Mistake::at(&at("source"), "expected a name, found nothing"));
    }
    if publish.ttl_seconds.is_nan() || publish.ttl_seconds <= 0.0 {
        let found = publish.ttl_seconds;
        let what = format!("expected more than 0 seconds, found {found}");
        return Err(Mistake::at(&at("ttl_seconds"), what));
    }
    Ok(())
}

/// A breached limit leads to something that is known.
fn emergency(config: &Config) -> Result<(), Mistake> {
    for (limit, rule) in &config.emergency.circuit_breaker {
        let at = |key: &str| format!("emergency.circuit_breaker.{limit}.{key}");
        if let Some(action) = &rule.action
            && BreachAction::from_name(action).is_none()
        {
            let what = format!("unknown action `{action}`");
            let known = BreachAction::ALL.iter().map(|known| known.name());
            return Err(Mistake::at(&at("action"), what).candidates(known));
        }
        if !(0.0..=100.0).contains(&rule.reduction_pct) {
            let found = rule.reduction_pct;
            let what = format!("expected a percentage from 0 to 100, found {found}");
            return Err(Mistake::at(&at("reduction_pct"), what));
        }
    }
    Ok(())
}

/// A file that a run makes lies where the run is made, and nowhere else.
fn store_file(config: &Config) -> Result<(), Mistake> {
    let Some(path) = &config.store.path else {
        return Ok(());
    };
    if config.store.kind != StoreKind::Sqlite {
        let what = "only a store of kind `sqlite` has a file";
        return Err(Mistake::at("store.path", what).help("set store.kind to `sqlite`"));
    }
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(is_plain) {
        let what = format!("expected a relative path without `..`, found `{path}`");
        return Err(Mistake::at("store.path", what)
            .help("the file is made below the folder in which the run is made"));
    }
    Ok(())
}

/// What fails, fails at a time that there is.
fn outages(config: &Config) -> Result<(), Mistake> {
    for (i, [from, until]) in config.store.down.iter().enumerate() {
        if !(from < until && from.abs() <= 1e9 && until.abs() <= 1e9) {
            let what = format!("expected [from, until] in seconds, found [{from}, {until}]");
            return Err(Mistake::at(&format!("store.down.{i}"), what));
        }
    }
    let delay = config.live.delay_seconds;
    if !(0.0..=86_400.0).contains(&delay) {
        let what = format!("expected 0 to 86,400 seconds, found {delay}");
        return Err(Mistake::at("live.delay_seconds", what));
    }
    Ok(())
}

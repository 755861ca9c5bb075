//! What must fit together in a configuration, beyond the type of each value.

use std::path::{Component, Path};

use dacapo_kernel::Mistake;

use super::average_cross;
use super::bounds::numbers;
use super::llm_agents;
use super::processes;
use super::{
    BreachAction, Config, Duty, GeneratedReplies, Publication, Replies, StoreKind, TaskKind,
};
use crate::agents::indicator::{Flow, RegimeWindow, Trend};
use crate::config::schedule::Schedule;
use crate::defect::{Defect, Defects};
use crate::market::{BarFile, BarsConfig, MarketConfig};
use crate::message::Name;
use crate::symbol::Pair;

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
        let at = format!("symbols.{i}");
        if let Err(error) = symbol.parse::<Pair>() {
            return Err(Mistake::at(&at, error.to_string()));
        }
        if config.symbols[..i].contains(symbol) {
            return Err(Mistake::at(&at, format!("`{symbol}` is named twice")));
        }
    }
    Ok(())
}

/// Every traded symbol needs a price.
fn market(config: &Config) -> Result<(), Mistake> {
    let (priced, how, add): (Vec<&str>, _, _) = match &config.market {
        MarketConfig::Generated(generated) => (
            generated
                .symbols
                .iter()
                .map(|walk| walk.symbol.as_str())
                .collect(),
            "the market generates none for it",
            "add it to market.symbols, or leave it out of symbols",
        ),
        MarketConfig::Bars(bars) => {
            bar_files(bars)?;
            (
                bars.files.iter().map(|file| file.symbol.as_str()).collect(),
                "no file of bars is named for it",
                "add a file for it to market.files, or leave it out of symbols",
            )
        }
        MarketConfig::Tape(_) | MarketConfig::None => return Ok(()),
    };
    for (i, symbol) in config.symbols.iter().enumerate() {
        if !priced.contains(&symbol.as_str()) {
            let what = format!("`{symbol}` has no prices: {how}");
            return Err(Mistake::at(&format!("symbols.{i}"), what)
                .help(add)
                .candidates(priced));
        }
    }
    Ok(())
}

/// Each market has one file.
fn bar_files(bars: &BarsConfig) -> Result<(), Mistake> {
    for (i, file) in bars.files.iter().enumerate() {
        let at = format!("market.files.{i}.symbol");
        if let Err(error) = file.symbol.parse::<Pair>() {
            return Err(Mistake::at(&at, error.to_string()));
        }
        let twice = |other: &BarFile| other.symbol == file.symbol;
        if bars.files[..i].iter().any(twice) {
            let what = format!("`{}` has two files", file.symbol);
            return Err(Mistake::at(&at, what).help("name one file for each symbol"));
        }
        if file.bar_s == Some(0) {
            let at = format!("market.files.{i}.bar_s");
            return Err(Mistake::at(&at, "expected at least 1 second, found 0"));
        }
    }
    Ok(())
}

fn schedules(config: &Config, defects: Defects) -> Result<(), Mistake> {
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
fn counts_of_bars(config: &Config) -> Result<(), Mistake> {
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

/// What a model replies; how replies are drawn is checked by `drawn`.
pub(super) fn replies<G>(
    at: &str,
    replies: &Replies<G>,
    drawn: impl Fn(&str, &G) -> Result<(), Mistake>,
) -> Result<(), Mistake> {
    match replies {
        Replies::Scripted(replies) if replies.is_empty() => Err(Mistake::at(
            &format!("{at}.replies.scripted"),
            "expected at least one reply",
        )
        .help("the last reply is given again and again, so one is enough")),
        Replies::Scripted(replies) => {
            for (i, reply) in replies.iter().enumerate() {
                let at = format!("{at}.replies.scripted.{i}");
                if reply.text.is_some() == reply.error.is_some() {
                    return Err(Mistake::at(&at, "expected either `text` or `error`")
                        .help("a model says something, or something goes wrong"));
                }
                if !(0.0..=86_400.0).contains(&reply.delay_seconds) {
                    let what = format!(
                        "expected 0 to 86,400 seconds, found {}",
                        reply.delay_seconds
                    );
                    return Err(Mistake::at(&format!("{at}.delay_seconds"), what));
                }
            }
            Ok(())
        }
        Replies::Generated(generated) => drawn(at, generated),
        Replies::Live(live) => super::live::check(at, live),
    }
}

fn generated_replies(at: &str, replies: &GeneratedReplies) -> Result<(), Mistake> {
    delays(at, replies.delay_ms_min, replies.delay_ms_max)?;
    let shares = [
        replies.proceed_per_mille,
        replies.modify_per_mille,
        replies.bold_per_mille,
        replies.abort_per_mille,
        replies.error_per_mille,
        replies.garbage_per_mille,
        replies.odd_per_mille,
    ];
    let total: u64 = shares.iter().copied().map(u64::from).sum();
    if total > 1_000 {
        let at = format!("{at}.replies.generated");
        return Err(
            Mistake::at(&at, format!("the shares add up to {total} in a thousand"))
                .help("what remains of the thousand is `wait`"),
        );
    }
    Ok(())
}

/// The shortest delay of drawn replies is not longer than the longest.
pub(super) fn delays(at: &str, least: u64, most: u64) -> Result<(), Mistake> {
    if least <= most {
        return Ok(());
    }
    let at = format!("{at}.replies.generated.delay_ms_min");
    let what = format!("expected at most delay_ms_max, {most}, found {least}");
    Err(Mistake::at(&at, what))
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
                        set_price, tell_risk, trade_result, force_run, status, stop";
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

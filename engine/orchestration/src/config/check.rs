//! What must fit together in a configuration, beyond the type of each value.

use dacapo_kernel::Mistake;

use super::bounds::numbers;
use super::{Config, GeneratedReplies, ModelConfig, Replies, TaskKind};
use crate::agents::indicator::{Flow, RegimeWindow, Trend};
use crate::config::schedule::Schedule;
use crate::defect::{Defect, Defects};
use crate::market::MarketConfig;
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
    model("llm.primary", &config.llm.primary)?;
    model("llm.fallback", &config.llm.fallback)?;
    numbers(config)?;
    analysis(config)?;
    messages(config)
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
    let MarketConfig::Generated(generated) = &config.market else {
        return Ok(());
    };
    let priced = || generated.symbols.iter().map(|walk| walk.symbol.as_str());
    for (i, symbol) in config.symbols.iter().enumerate() {
        if !priced().any(|known| known == symbol.as_str()) {
            return Err(Mistake::at(
                &format!("symbols.{i}"),
                format!("`{symbol}` has no prices: the market generates none for it"),
            )
            .help("add it to market.symbols, or leave it out of symbols")
            .candidates(priced().map(str::to_owned)));
        }
    }
    Ok(())
}

fn schedules(config: &Config, defects: Defects) -> Result<(), Mistake> {
    let schedules = config.schedules.resolve(&config.symbols);
    for schedule in &schedules {
        let at = |key: &str| format!("schedules.{}.{key}", schedule.kind.agent());
        if schedule.interval_seconds == 0 {
            return Err(Mistake::at(
                &at("interval_seconds"),
                "expected at least 1 second, found 0",
            ));
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
            let known =
                schedule.kind == TaskKind::PortfolioRebalance || config.symbols.contains(symbol);
            if !known {
                let what = format!("unknown symbol `{symbol}`: it is not among `symbols`");
                return Err(Mistake::at(&at(&format!("symbols.{i}")), what)
                    .candidates(config.symbols.iter().map(|name| name.to_string())));
            }
        }
        for (i, task) in schedule.depends_on.iter().enumerate() {
            if !TaskKind::ALL
                .iter()
                .any(|kind| kind.task() == task.as_str())
            {
                let what = format!("unknown task `{task}`");
                return Err(Mistake::at(&at(&format!("depends_on.{i}")), what)
                    .candidates(TaskKind::ALL.map(TaskKind::task)));
            }
        }
    }
    if defects.has(Defect::DependencyCyclesAccepted) {
        return Ok(());
    }
    match dependency_cycle(&schedules) {
        None => Ok(()),
        Some(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|kind| kind.task()).collect();
            let at = format!("schedules.{}.depends_on", cycle[0].agent());
            let what = format!("the dependencies run in a circle: {}", names.join(" → "));
            Err(Mistake::at(&at, what).help("drop one of these dependencies"))
        }
    }
}

/// A circle of enabled tasks that wait for each other, from the first of them back to itself.
fn dependency_cycle(schedules: &[Schedule]) -> Option<Vec<TaskKind>> {
    let find = |task: &Name| {
        schedules
            .iter()
            .find(|schedule| schedule.kind.task() == task.as_str() && schedule.enabled)
    };
    schedules
        .iter()
        .filter(|schedule| schedule.enabled)
        .find_map(|first| {
            let mut paths = vec![vec![first]];
            while let Some(path) = paths.pop() {
                let last = path[path.len() - 1];
                for next in last.depends_on.iter().filter_map(find) {
                    if next.kind == first.kind {
                        let mut cycle: Vec<_> = path.iter().map(|schedule| schedule.kind).collect();
                        cycle.push(first.kind);
                        return Some(cycle);
                    }
                    if !path.iter().any(|seen| seen.kind == next.kind) {
                        let mut longer = path.clone();
                        longer.push(next);
                        paths.push(longer);
                    }
                }
            }
            None
        })
}

fn model(at: &str, model: &ModelConfig) -> Result<(), Mistake> {
    match &model.replies {
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
        Replies::Generated(generated) => generated_replies(at, generated),
    }
}

fn generated_replies(at: &str, replies: &GeneratedReplies) -> Result<(), Mistake> {
    if replies.delay_ms_min > replies.delay_ms_max {
        let at = format!("{at}.replies.generated.delay_ms_min");
        let what = format!(
            "expected at most delay_ms_max, {}, found {}",
            replies.delay_ms_max, replies.delay_ms_min
        );
        return Err(Mistake::at(&at, what));
    }
    let shares = [
        replies.proceed_per_mille,
        replies.modify_per_mille,
        replies.abort_per_mille,
        replies.error_per_mille,
        replies.garbage_per_mille,
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

fn messages(config: &Config) -> Result<(), Mistake> {
    for (i, message) in config.messages.iter().enumerate() {
        let at = |key: &str| format!("messages.{i}.{key}");
        if !(0.0..=1e9).contains(&message.at_seconds) {
            let what = format!("expected 0 or more seconds, found {}", message.at_seconds);
            return Err(Mistake::at(&at("at_seconds"), what));
        }
        if message.source.as_str().is_empty() {
            return Err(Mistake::at(&at("source"), "expected a name, found nothing"));
        }
        if message.ttl_seconds.is_nan() || message.ttl_seconds <= 0.0 {
            let what = format!(
                "expected more than 0 seconds, found {}",
                message.ttl_seconds
            );
            return Err(Mistake::at(&at("ttl_seconds"), what));
        }
    }
    Ok(())
}

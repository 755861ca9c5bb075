//! The bounds of the numbers in a configuration, one row each.

use std::fmt::Display;

use dacapo_kernel::Mistake;

use super::Config;
use crate::amount::Amount;

/// What is wrong with one number, if it is not what it may be.
struct Bound(Option<Mistake>);

impl Bound {
    fn new(at: &str, found: impl Display, fits: bool, expected: &str) -> Bound {
        let wrong = || {
            let what = format!("`{at}`: expected {expected}, found {found}");
            Mistake::at(at, what)
        };
        Bound((!fits).then(wrong))
    }

    fn positive(at: &str, found: f64) -> Bound {
        Bound::new(
            at,
            found,
            found > 0.0 && found.is_finite(),
            "a number above 0",
        )
    }

    fn share(at: &str, found: f64) -> Bound {
        Bound::new(
            at,
            found,
            (0.0..=1.0).contains(&found),
            "a number from 0 to 1",
        )
    }

    fn percentage(at: &str, found: f64) -> Bound {
        Bound::new(
            at,
            found,
            (0.0..=100.0).contains(&found),
            "a percentage from 0 to 100",
        )
    }

    fn count(at: &str, found: u64) -> Bound {
        Bound::new(at, found, found > 0, "at least 1")
    }
}

/// Checks every number that has bounds of its own.
///
/// # Errors
/// The first number that is out of them, with its place.
pub(super) fn numbers(config: &Config) -> Result<(), Mistake> {
    let mut bounds = coordinator_bounds(config)
        .into_iter()
        .chain(agent_bounds(config))
        .chain(account_bounds(config))
        .chain(risk_bounds(config));
    match bounds.find_map(|Bound(wrong)| wrong) {
        None => Ok(()),
        Some(mistake) => Err(mistake),
    }
}

fn coordinator_bounds(config: &Config) -> Vec<Bound> {
    let Config {
        conflicts,
        coordinator,
        consensus,
        degradation,
        evidence_windows,
        ..
    } = config;
    let share = conflicts.primary_share_pct;
    let windows = [
        ("evidence_windows.ta_signals", evidence_windows.ta_signals),
        (
            "evidence_windows.regime_updates",
            evidence_windows.regime_updates,
        ),
        (
            "evidence_windows.sentiment_updates",
            evidence_windows.sentiment_updates,
        ),
    ];
    let mut bounds = vec![
        Bound::new(
            "conflicts.primary_share_pct",
            share,
            (1..=99).contains(&share),
            "a percentage from 1 to 99",
        ),
        Bound::count(
            "conflicts.max_resolution_time_ms",
            conflicts.max_resolution_time_ms,
        ),
        Bound::share(
            "conflicts.invoke_llm_threshold",
            conflicts.invoke_llm_threshold,
        ),
        Bound::count("coordinator.signal_queue", coordinator.signal_queue as u64),
        Bound::count(
            "coordinator.max_concurrent_tasks",
            coordinator.max_concurrent_tasks.into(),
        ),
        Bound::count(
            "coordinator.probe_interval_seconds",
            coordinator.probe_interval_seconds,
        ),
        Bound::positive("coordinator.default_size_usd", coordinator.default_size_usd),
        Bound::share(
            "consensus.high_agreement_threshold",
            consensus.high_agreement_threshold,
        ),
        Bound::share(
            "consensus.low_agreement_threshold",
            consensus.low_agreement_threshold,
        ),
        Bound::share(
            "consensus.max_confidence_boost",
            consensus.max_confidence_boost,
        ),
        Bound::share(
            "consensus.max_confidence_penalty",
            consensus.max_confidence_penalty,
        ),
        Bound::count(
            "degradation.recovery_threshold",
            degradation.recovery_threshold.into(),
        ),
        Bound::count(
            "degradation.failures_per_level",
            degradation.failures_per_level.into(),
        ),
        Bound::count(
            "message_bus.cleanup_interval_seconds",
            config.message_bus.cleanup_interval_seconds,
        ),
        Bound::count(
            "message_bus.subscriptions.per_topic",
            config.message_bus.subscriptions.per_topic as u64,
        ),
        Bound::count(
            "message_bus.subscriptions.failures",
            config.message_bus.subscriptions.failures.into(),
        ),
    ];
    bounds.extend(windows.map(|(at, window)| Bound::positive(at, window.as_secs_f64())));
    bounds
}

fn agent_bounds(config: &Config) -> Vec<Bound> {
    let decision = &config.agents.decision;
    let modifications = &config.modifications;
    let ordered = |at, least: f64, most: f64| {
        let found = format_args!("[{least}, {most}]");
        Bound::new(at, found, least <= most, "the least, then the most")
    };
    vec![
        Bound::share(
            "agents.decision.min_trend_confidence",
            decision.min_trend_confidence,
        ),
        Bound::share("agents.decision.base_confidence", decision.base_confidence),
        Bound::positive("agents.decision.size_usd", decision.size_usd),
        Bound::positive("agents.decision.stop_pct", decision.stop_pct),
        Bound::positive("agents.decision.target_pct", decision.target_pct),
        Bound::new(
            "agents.wild_per_mille",
            config.agents.wild_per_mille,
            config.agents.wild_per_mille <= 1_000,
            "0 to 1,000 of a thousand signals",
        ),
        ordered(
            "modifications.leverage",
            modifications.leverage.0 as f64,
            modifications.leverage.1 as f64,
        ),
        ordered(
            "modifications.size_reduction_pct",
            modifications.size_reduction_pct.0,
            modifications.size_reduction_pct.1,
        ),
        ordered(
            "modifications.entry_adjustment_pct",
            modifications.entry_adjustment_pct.0,
            modifications.entry_adjustment_pct.1,
        ),
    ]
}

/// The most decimals that an amount can have.
const MAX_DECIMALS: u32 = 28;

fn account_bounds(config: &Config) -> Vec<Bound> {
    let amount = |at: &str, found: Amount| {
        Bound::new(at, found, !found.is_negative(), "an amount of 0 or more")
    };
    let mut bounds = vec![
        amount(
            "paper.simulated_slippage_pct",
            config.paper.simulated_slippage_pct,
        ),
        Bound::count(
            "prices.max_age_s",
            config.prices.max_age_s.max(0).unsigned_abs(),
        ),
    ];
    for (asset, balance) in &config.paper.initial_balance {
        bounds.push(amount(&format!("paper.initial_balance.{asset}"), *balance));
    }
    let listed = config.markets.pairs.iter();
    let pairs = listed.map(|(symbol, rules)| (format!("markets.pairs.{symbol}"), rules));
    for (at, rules) in pairs.chain([("markets.other".to_owned(), &config.markets.other)]) {
        let decimals = |found: u32| (found, found <= MAX_DECIMALS, "0 to 28 decimals");
        let (found, fits, expected) = decimals(rules.price_decimals);
        bounds.push(Bound::new(
            &format!("{at}.price_decimals"),
            found,
            fits,
            expected,
        ));
        let (found, fits, expected) = decimals(rules.size_decimals);
        bounds.push(Bound::new(
            &format!("{at}.size_decimals"),
            found,
            fits,
            expected,
        ));
        bounds.push(amount(&format!("{at}.fee_pct"), rules.fee_pct));
    }
    bounds
}

fn risk_bounds(config: &Config) -> Vec<Bound> {
    let limits = &config.risk.limits;
    let leverage = limits.max_leverage.max(0).unsigned_abs();
    vec![
        Bound::count("risk.limits.max_leverage", leverage),
        Bound::percentage("risk.limits.max_position_pct", limits.max_position_pct),
        Bound::positive(
            "risk.limits.max_total_exposure_pct",
            limits.max_total_exposure_pct,
        ),
        Bound::percentage(
            "risk.limits.max_risk_per_trade_pct",
            limits.max_risk_per_trade_pct,
        ),
        Bound::positive(
            "risk.limits.max_correlated_exposure_pct",
            limits.max_correlated_exposure_pct,
        ),
    ]
}

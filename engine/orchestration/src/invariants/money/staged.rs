//! `legs.staged`: a large rebalancing is divided as its rules say.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use crate::agents::AgentKind;
use crate::amount::{Amount, AmountError, sum};
use crate::config::Config;
use crate::domain_event::{DomainEvent, RebalancePlanned, TradePlanned, number};
use crate::message::Name;
use crate::rebalance::RebalanceRules;

const HOUR_US: i64 = 3_600_000_000;

/// A plan has as many batches as its rules allow, an interval apart, and equal to the cent.
pub(super) struct Staged {
    /// The rules; none where somebody else than the portfolio's own makes the plans.
    rules: Option<RebalanceRules>,
}

impl Staged {
    pub(super) fn new(config: &Config) -> Staged {
        let by_rules = matches!(config.agents.portfolio_rebalance, AgentKind::Rules);
        Staged {
            rules: by_rules.then(|| config.portfolio.rebalancing.clone()),
        }
    }
}

/// The parts of each trade, by pair and side, in the order of their batches.
fn by_trade(plan: &RebalancePlanned) -> Vec<Vec<&TradePlanned>> {
    let mut trades: BTreeMap<(&Name, &Name), Vec<&TradePlanned>> = BTreeMap::new();
    for trade in &plan.trades {
        let parts = trades.entry((&trade.symbol, &trade.side)).or_default();
        parts.push(trade);
    }
    let mut trades: Vec<_> = trades.into_values().collect();
    for parts in &mut trades {
        parts.sort_by_key(|part| part.batch_index);
    }
    trades
}

/// One of so many equal parts, in whole cents.
fn share(amount: Amount, batches: u32) -> Result<Amount, AmountError> {
    Ok(amount.over(Amount::from_int(batches.into()))?.floor(2))
}

fn check(rules: &RebalanceRules, plan: &RebalancePlanned) -> Result<(), String> {
    let trades = by_trade(plan);
    // Numbers that do not fit are no plan in the first place.
    let amounts = trades
        .iter()
        .map(|parts| sum(parts.iter().map(|part| part.amount_usd)));
    let Ok(amounts) = amounts.collect::<Result<Vec<Amount>, AmountError>>() else {
        return Ok(());
    };
    let is_large_enough = |batches: u32| {
        let mut shares = amounts.iter().map(|amount| share(*amount, batches));
        shares.all(|part| part.is_ok_and(|part| part >= rules.min_trade_usd))
    };
    let divides = rules.dca.enabled && plan.total_usd >= rules.dca.threshold_usd;
    let most = if divides { rules.dca.batches } else { 1 };
    let expected = (2..=most).rev().find(|batches| is_large_enough(*batches));
    let expected = expected.unwrap_or(1);
    if plan.batches != expected {
        let found = plan.batches;
        return Err(format!(
            "expected a plan in {expected} batches, found one in {found}"
        ));
    }
    if expected == 1 {
        return Ok(());
    }
    if plan.interval_hours != rules.dca.interval_hours {
        return Err(format!(
            "expected {} hours between two batches, found {}",
            rules.dca.interval_hours, plan.interval_hours
        ));
    }
    for (parts, amount) in trades.iter().zip(amounts) {
        check_parts(parts, amount, plan)?;
    }
    Ok(())
}

/// One part of a trade in each batch, all equal but for the first, which has the cents that are left.
fn check_parts(
    parts: &[&TradePlanned],
    amount: Amount,
    plan: &RebalancePlanned,
) -> Result<(), String> {
    let is_there = |at: usize, part: &&&TradePlanned| part.batch_index == at as i64;
    let there = parts
        .iter()
        .enumerate()
        .filter(|(at, part)| is_there(*at, part));
    if parts.len() != plan.batches as usize || there.count() != parts.len() {
        return Err("expected a part of each trade in each batch, found otherwise".to_owned());
    }
    let Ok(equal) = share(amount, plan.batches) else {
        return Ok(());
    };
    for (part, before) in parts.iter().skip(1).zip(parts) {
        if part.amount_usd != equal {
            return Err(format!(
                "expected batches of {equal} dollars after the first, found one of {}",
                part.amount_usd
            ));
        }
        let apart = part.due.as_micros() - before.due.as_micros();
        if apart != plan.interval_hours * HOUR_US {
            return Err(format!(
                "expected batches {} hours apart, found {} s between two",
                plan.interval_hours,
                apart / 1_000_000
            ));
        }
    }
    Ok(())
}

impl Invariant<DomainEvent> for Staged {
    fn id(&self) -> &'static str {
        "legs.staged"
    }

    fn statement(&self) -> &'static str {
        "a plan is divided into as many batches as its rules allow, an interval apart, equal to the cent \
         but for the first"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::RebalancePlanned]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalancePlanned]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match (event.domain(), &self.rules) {
            (Some(DomainEvent::RebalancePlanned(plan)), Some(rules)) => check(rules, plan),
            _ => Ok(()),
        }
    }

    fn evaluable(&self) -> bool {
        self.rules.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::money::planted::{config, leg};
    use crate::invariants::planted::Planted;

    /// A trade over 100.01 dollars in three batches an hour apart.
    fn plan() -> RebalancePlanned {
        let part = |batch: i64, cents: i64| TradePlanned {
            amount_usd: Amount::new(cents, 2),
            ..leg(&format!("a{batch}"), "buy", batch, batch * 3_600)
        };
        RebalancePlanned {
            plan: 1,
            batches: 3,
            interval_hours: 1,
            total_usd: Amount::new(10_001, 2),
            trades: vec![part(0, 3_335), part(1, 3_333), part(2, 3_333)],
        }
    }

    fn log(plan: RebalancePlanned) -> Planted {
        let mut config = config();
        let rules = &mut config.portfolio.rebalancing;
        rules.min_trade_usd = Amount::from_int(10);
        rules.dca.enabled = true;
        rules.dca.threshold_usd = Amount::HUNDRED;
        rules.dca.batches = 3;
        rules.dca.interval_hours = 1;
        Planted::of(Staged::new(&config)).then(plan)
    }

    #[test]
    fn a_plan_that_is_divided_by_its_rules_holds() {
        log(plan()).holds();
        let small = RebalancePlanned {
            batches: 1,
            total_usd: Amount::from_int(99),
            trades: vec![leg("a", "sell", 0, 0)],
            ..plan()
        };
        log(small).holds();
    }

    #[test]
    fn any_other_division_is_found() {
        let mut fewer = plan();
        fewer.batches = 2;
        assert!(log(fewer).violated().contains("in 3 batches"));
        let mut unequal = plan();
        unequal.trades[1].amount_usd = Amount::new(3_334, 2);
        unequal.trades[0].amount_usd = Amount::new(3_334, 2);
        assert!(log(unequal).violated().contains("batches of 33.33"));
        let mut hasty = plan();
        hasty.trades[2] = TradePlanned {
            amount_usd: Amount::new(3_333, 2),
            ..leg("a2", "buy", 2, 3_601)
        };
        assert!(log(hasty).violated().contains("1 hours apart"));
        let mut gap = plan();
        gap.trades[2].batch_index = 3;
        assert!(log(gap).violated().contains("in each batch"));
        let mut rare = plan();
        rare.interval_hours = 2;
        assert!(log(rare).violated().contains("between two batches"));
    }
}

//! `rebalance.made`: where the account has drifted too far, whoever keeps it in balance makes a plan.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Time};

use super::prices::{BAR, CRASHED, HOST, OUTSIDE, Prices, STARTED, TASK_CRASHED, TRADE};
use crate::agents::AgentKind;
use crate::config::{Config, TaskKind, TradingMode};
use crate::domain_event::{DomainEvent, TaskOutcome, TaskRunEnded, number};
use crate::invariants::announced_plan;
use crate::invariants::exact::Exact;
use crate::message::Name;
use crate::rebalance::RebalanceConfig;
use crate::symbol::DOLLAR;

/// By how much a share may be off for other reasons, in percentage points.
const SLACK: f64 = 1e-6;

/// The account, what its assets cost, and whether a plan was announced.
#[derive(Debug)]
pub(super) struct Rebalanced {
    /// Whether rules that look at the account work plans out, and nothing gets lost on its way.
    plans: bool,
    rules: RebalanceConfig,
    max_age_ns: u64,
    prices: Prices,
    balances: BTreeMap<Name, f64>,
    /// Whether a plan was announced since the task began.
    announced: bool,
    met: bool,
}

impl Rebalanced {
    pub(super) fn new(plan: &Plan<Config>) -> Rebalanced {
        let config = &plan.system;
        let agent = &config.agents.portfolio_rebalance;
        let works_out = matches!(agent, AgentKind::Rules | AgentKind::Llm(_));
        let looks = config.portfolio.assumed.is_none() && config.trading_mode == TradingMode::Paper;
        let balances = config.paper.initial_balance.iter();
        Rebalanced {
            plans: works_out && looks && !config.agents.remote,
            rules: config.portfolio.clone(),
            max_age_ns: u64::try_from(config.prices.max_age_s).unwrap_or(0) * 1_000_000_000,
            prices: Prices::new(plan),
            balances: balances
                .map(|(asset, balance)| (Name::from(asset.as_str()), balance.in_floats()))
                .collect(),
            announced: false,
            met: false,
        }
    }

    fn end(&mut self, ended: &TaskRunEnded, now: Time) -> Result<(), String> {
        let is_it = ended.task == *TaskKind::PortfolioRebalance.task();
        if !is_it || ended.outcome != TaskOutcome::Done || self.announced {
            return Ok(());
        }
        let Some(drift) = self.drift(now) else {
            return Ok(());
        };
        self.met = true;
        let threshold = self.rules.rebalancing.threshold_pct.in_floats();
        if drift <= threshold + SLACK {
            return Ok(());
        }
        Err(format!(
            "expected a plan for an account that is {drift:.3} points off, found none"
        ))
    }

    /// How far some share is from its target at least, in percentage points; none where that is not sure.
    fn drift(&self, now: Time) -> Option<f64> {
        let (bags, target) = (&self.rules.hodl_bags, &self.rules.target_allocation);
        let dollars = self.free(DOLLAR, bags.usdt_amount.in_floats());
        let worths = [("BTC", bags.btc_amount), ("XRP", bags.xrp_amount)].map(|(asset, kept)| {
            let free = self.free(asset, kept.in_floats());
            self.price(asset, now)
                .map(|(low, high)| (free * low, free * high))
        });
        let [Some(btc), Some(xrp)] = worths else {
            return None;
        };
        let targets = [target.btc_pct, target.xrp_pct, target.usdt_pct].map(Exact::in_floats);
        let off = |btc: f64, xrp: f64| {
            let total = btc + xrp + dollars;
            let shares = [btc, xrp, dollars].map(|worth| worth / total * 100.0);
            let off = shares
                .iter()
                .zip(targets)
                .map(|(is, to_be)| (is - to_be).abs());
            let furthest = off.fold(0.0, f64::max);
            if total > 0.0 { furthest } else { 0.0 }
        };
        // Between two prices a share may be nearer to its target than at either.
        (btc.0 == btc.1 && xrp.0 == xrp.1).then(|| off(btc.0, xrp.0))
    }

    fn free(&self, asset: &str, kept: f64) -> f64 {
        let balance = self.balances.get(asset).copied().unwrap_or_default();
        (balance - kept).max(0.0)
    }

    /// The lowest and the highest price that may be in use, if there surely is one.
    fn price(&self, asset: &str, now: Time) -> Option<(f64, f64)> {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for it in self.prices.in_use(&format!("{asset}/{DOLLAR}"), now) {
            if it.age_ns >= self.max_age_ns {
                return None;
            }
            (low, high) = (low.min(it.in_floats), high.max(it.in_floats));
        }
        (high > 0.0 && self.prices.are_known()).then_some((low, high))
    }
}

impl Invariant<DomainEvent> for Rebalanced {
    fn id(&self) -> &'static str {
        "rebalance.made"
    }

    fn statement(&self) -> &'static str {
        "an account that has drifted too far gets a plan"
    }

    fn watches(&self) -> &'static [u16] {
        if !self.plans {
            return &[number::TaskRunEnded];
        }
        &[
            TRADE,
            BAR,
            OUTSIDE,
            STARTED,
            CRASHED,
            TASK_CRASHED,
            HOST,
            number::BalanceChanged,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::Published,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunEnded]]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if !self.plans {
            return Ok(());
        }
        self.prices.see(event);
        match event.domain() {
            Some(DomainEvent::BalanceChanged(it)) => {
                let balance = it.balance.in_floats();
                self.balances.insert(it.asset.clone(), balance);
            }
            Some(DomainEvent::TaskRunStarted(it))
                if it.task == *TaskKind::PortfolioRebalance.task() =>
            {
                self.announced = false;
            }
            Some(DomainEvent::Published(it)) => {
                self.announced |= announced_plan(&it.message).is_some();
            }
            Some(DomainEvent::TaskRunEnded(it)) => return self.end(it, event.time),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Finding;
    use serde_json::json;

    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{BalanceChanged, Published, TaskRunStarted};
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::{by, published, traded};
    use crate::message::Topic;

    const TASK: Name = Name::fixed("portfolio_check");

    /// Bitcoin at 100 and XRP at 1 dollar; 6 of the one, 600 of the other, and so many dollars. A plan is asked for.
    fn asked(dollars: &str, remote: bool) -> Planted {
        let sections = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"}, "agents": {"remote": remote},
            "paper": {"initial_balance": {"BTC": "6", "XRP": "600", "USDT": dollars}},
        });
        let config: Config = serde_json::from_value(sections).expect("it is one");
        Planted::of(Rebalanced::new(&Plan::of("planted", config)))
            .then(traded("BTC/USDT", 100))
            .then(traded("XRP/USDT", 1))
            .at(5.0)
            .then(TaskRunStarted {
                task: TASK,
                symbol: Name::fixed("PORTFOLIO"),
                forced: false,
            })
    }

    fn ended(outcome: TaskOutcome) -> TaskRunEnded {
        TaskRunEnded {
            task: TASK,
            symbol: Name::fixed("PORTFOLIO"),
            outcome,
        }
    }

    fn announced() -> Published {
        let plan = json!({"action": "rebalance"});
        by(
            "portfolio_rebalance",
            published(1, Topic::PortfolioUpdates, 0, plan),
        )
    }

    // Fails if an account may be left as it is that has drifted too far.
    #[test]
    fn an_account_that_is_off_gets_a_plan() {
        asked("600", false).then(ended(TaskOutcome::Done)).holds();
        let what = asked("1000", false)
            .then(ended(TaskOutcome::Done))
            .violated();
        assert!(what.contains("found none"), "{what}");
        let planned = asked("1000", false).then(announced());
        assert_eq!(
            planned.then(ended(TaskOutcome::Done)).finding(),
            Finding::NotEvaluable
        );
        let paid = BalanceChanged {
            asset: Name::fixed("USDT"),
            balance: Amount::from_int(600),
            reserved: Amount::ZERO,
        };
        asked("1000", false)
            .then(paid)
            .then(ended(TaskOutcome::Done))
            .holds();
    }

    // Fails if a plan is asked of somebody who failed, cannot know the prices, or whose plans may be lost.
    #[test]
    fn whoever_cannot_know_need_not_plan() {
        let failed = asked("1000", false).then(ended(TaskOutcome::TimedOut));
        assert_eq!(failed.finding(), Finding::NotEvaluable);
        let old = asked("1000", false).at(70.0).then(ended(TaskOutcome::Done));
        assert_eq!(old.finding(), Finding::NotEvaluable);
        let lost = asked("1000", true).then(ended(TaskOutcome::Done));
        assert_eq!(lost.finding(), Finding::NotEvaluable);
        let unsure = asked("1000", false).then(traded("XRP/USDT", 2));
        assert_eq!(
            unsure.then(ended(TaskOutcome::Done)).finding(),
            Finding::NotEvaluable
        );
    }
}

//! An auditor who has the log and nothing else: every execution at a price that somebody traded at, and
//! the properties of money, which hold every balance against what was exchanged, to the last digit.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Finding, Seq};
use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::domain_event::{BalanceChanged, DomainEvent, Filled};
use dacapo_tests::events;

use super::{examined, property};

/// What must be said of the money of a run in which something was traded.
const PROPERTIES: [&str; 5] = [
    "money.conserved",
    "money.notional",
    "money.non-negative",
    "fill.idempotent",
    "order.causal",
];

/// What the auditor remembers.
struct Prices {
    /// Every price at which each symbol was traded so far.
    traded: BTreeMap<String, BTreeSet<Amount>>,
    /// The lowest and the highest price of the last bar of each.
    bars: BTreeMap<String, (Amount, Amount)>,
    /// How far a market order may slip from such a price, in percent.
    slippage_pct: Amount,
}

/// Audits a log, and says how many executions there were.
pub(super) fn audit(log: &[u8]) -> Result<u64, String> {
    let examined = examined(log);
    for id in PROPERTIES {
        match &property(&examined.findings, id).finding {
            Finding::Held => {}
            other => return Err(format!("{id}: {other:?}")),
        }
    }
    let mut prices = Prices {
        traded: BTreeMap::new(),
        bars: BTreeMap::new(),
        slippage_pct: examined.plan.system.paper.simulated_slippage_pct,
    };
    let (mut fills, mut told) = (0, BTreeMap::new());
    for event in events(log) {
        match event.domain() {
            Some(DomainEvent::MarketTrade(trade)) => {
                let known = prices.traded.entry(trade.symbol.to_string()).or_default();
                known.insert(trade.price);
            }
            // In a bar every price between the lowest and the highest may have been traded at; later, the close.
            Some(DomainEvent::MarketBar(bar)) => {
                let known = prices.traded.entry(bar.symbol.to_string()).or_default();
                known.insert(bar.close);
                let range = (bar.low, bar.high);
                prices.bars.insert(bar.symbol.to_string(), range);
            }
            Some(DomainEvent::Filled(fill)) => {
                fills += 1;
                prices.enter(event.seq, fill)?;
            }
            Some(DomainEvent::BalanceChanged(BalanceChanged { asset, balance, .. })) => {
                told.insert(asset.clone(), *balance);
            }
            _ => {}
        }
    }
    let shown = examined.world.view.trading;
    if (shown.fills.len() as u64, &shown.balances) != (fills, &told) {
        return Err("the account that is shown is not the one that was told".to_owned());
    }
    Ok(fills)
}

impl Prices {
    fn enter(&self, seq: Seq, fill: &Filled) -> Result<(), String> {
        let (symbol, price) = (fill.symbol.as_str(), fill.price);
        if !self.could_cost(symbol, price) {
            return Err(format!(
                "event {seq}: nobody has traded {symbol} at or near {price} before"
            ));
        }
        if !fill.fee.is_positive() {
            return Err(format!("event {seq}: an execution without a fee"));
        }
        Ok(())
    }

    /// Whether somebody has traded at that price, or so near it that a market order slipped there.
    fn could_cost(&self, symbol: &str, price: Amount) -> bool {
        let in_bar = |(low, high): &(Amount, Amount)| (*low..=*high).contains(&price);
        if self.bars.get(symbol).is_some_and(in_bar) {
            return true;
        }
        let Some(traded) = self.traded.get(symbol) else {
            return false;
        };
        let slips = |from: &Amount| {
            let most = from
                .percent(self.slippage_pct)
                .expect("prices of a scenario are small");
            price.minus(*from).is_ok_and(|off| off.abs() <= most)
        };
        traded.contains(&price) || traded.iter().any(slips)
    }
}

#[cfg(test)]
mod tests {
    use dacapo_tests::{Story, begun_with};

    use super::*;

    /// The same executions from another beginning: the auditor must notice.
    #[test]
    fn a_cent_too_much_is_noticed() {
        let log = begun_with(Story::BinanceTape.log(), |plan| {
            let dollars = plan.system.paper.initial_balance.get_mut("USDT");
            let dollars = dollars.expect("the account begins with dollars");
            *dollars = dollars.plus(Amount::new(1, 2)).expect("it is small");
        });
        let complaint = audit(&log).unwrap_err();
        assert!(complaint.starts_with("money.conserved"), "{complaint}");
    }

    #[test]
    fn a_price_that_nobody_traded_at_is_noticed() {
        let prices = Prices {
            traded: BTreeMap::from([("BTC/USDT".to_owned(), BTreeSet::from([Amount::ONE]))]),
            bars: BTreeMap::new(),
            slippage_pct: Amount::ONE,
        };
        assert!(prices.could_cost("BTC/USDT", Amount::ONE));
        assert!(prices.could_cost("BTC/USDT", Amount::new(101, 2)));
        assert!(!prices.could_cost("BTC/USDT", Amount::from_int(2)));
    }
}

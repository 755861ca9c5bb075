//! An auditor who has the log and nothing else: every execution at a price that somebody traded
//! at, every balance the sum of what was there and what was exchanged, to the last digit.
//!
//! What a trade on margin does to the balances is taken from the log, not worked out here.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Seq, plan_of};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::domain_event::{DomainEvent, Filled};
use dacapo_orchestration::symbol::Pair;
use dacapo_tests::{events, reader, world_after};

/// What the auditor remembers.
struct Books {
    balances: BTreeMap<String, Amount>,
    /// Every price at which each symbol was traded so far.
    traded: BTreeMap<String, BTreeSet<Amount>>,
    /// How far a market order may slip from such a price, in percent.
    slippage_pct: Amount,
    /// Currencies that a trade on margin is about to change.
    on_margin: BTreeSet<String>,
    fills: u64,
    fees: u64,
}

/// Audits a log, and says how many executions there were.
pub(super) fn audit(log: &[u8]) -> Result<u64, String> {
    let plan = plan_of::<Orchestration>(&mut reader(log)).map_err(|error| error.to_string())?;
    let mut books = Books {
        balances: plan.system.paper.initial_balance,
        traded: BTreeMap::new(),
        slippage_pct: plan.system.paper.simulated_slippage_pct,
        on_margin: BTreeSet::new(),
        fills: 0,
        fees: 0,
    };
    for event in events(log) {
        if let Some(domain) = event.domain() {
            books.enter(event.seq, domain)?;
        }
    }
    let shown = world_after(log, None).view.trading;
    for (asset, balance) in &shown.balances {
        books.agree(asset.as_str(), *balance, "at the end")?;
    }
    if shown.fills.len() as u64 != books.fills {
        return Err(format!(
            "{} executions, {} are shown",
            books.fills,
            shown.fills.len()
        ));
    }
    if books.fees < books.fills {
        return Err(format!(
            "only {} of {} executions had a fee",
            books.fees, books.fills
        ));
    }
    Ok(books.fills)
}

impl Books {
    fn enter(&mut self, seq: Seq, event: &DomainEvent) -> Result<(), String> {
        match event {
            DomainEvent::MarketTrade(trade) => {
                let prices = self.traded.entry(trade.symbol.to_string()).or_default();
                prices.insert(trade.price);
                Ok(())
            }
            DomainEvent::Filled(fill) => self.fill(seq, fill),
            DomainEvent::BalanceChanged(changed) => {
                let asset = changed.asset.as_str();
                if self.on_margin.remove(asset) {
                    self.balances.insert(asset.to_owned(), changed.balance);
                }
                self.agree(asset, changed.balance, &format!("at event {seq}"))
            }
            _ => Ok(()),
        }
    }

    fn fill(&mut self, seq: Seq, fill: &Filled) -> Result<(), String> {
        let (symbol, price) = (fill.symbol.as_str(), fill.price);
        if !self.could_cost(symbol, price) {
            return Err(format!(
                "event {seq}: nobody has traded {symbol} at or near {price} before"
            ));
        }
        let exact = |amount: Result<Amount, _>| amount.expect("amounts of a scenario are small");
        let pair: Pair = symbol.parse().expect("the symbols of a scenario are pairs");
        let value = exact(fill.size.times(price));
        let (base, quote) = match fill.side.as_str() {
            "buy" => (fill.size, value.negated()),
            "sell" => (fill.size.negated(), value),
            other => return Err(format!("event {seq}: the side is {other}")),
        };
        if fill.margin {
            self.on_margin.insert(pair.quote);
        } else {
            self.book(&pair.base, base);
            self.book(&pair.quote, exact(quote.minus(fill.fee)));
        }
        self.fills += 1;
        self.fees += u64::from(fill.fee.is_positive());
        Ok(())
    }

    /// Whether somebody has traded at that price, or so near it that a market order slipped there.
    fn could_cost(&self, symbol: &str, price: Amount) -> bool {
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

    fn book(&mut self, asset: &str, amount: Amount) {
        let balance = self.balances.entry(asset.to_owned()).or_default();
        *balance = balance
            .plus(amount)
            .expect("amounts of a scenario are small");
    }

    fn agree(&self, asset: &str, shown: Amount, when: &str) -> Result<(), String> {
        let booked = self.balances.get(asset).copied().unwrap_or_default();
        if booked == shown {
            return Ok(());
        }
        Err(format!(
            "{asset} {when}: expected {booked} after every fill and fee, found {shown}"
        ))
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
        assert!(complaint.starts_with("USDT at event"), "{complaint}");
    }

    #[test]
    fn a_price_that_nobody_traded_at_is_noticed() {
        let mut books = Books {
            balances: BTreeMap::new(),
            traded: BTreeMap::from([("BTC/USDT".to_owned(), BTreeSet::from([Amount::ONE]))]),
            slippage_pct: Amount::ONE,
            on_margin: BTreeSet::new(),
            fills: 0,
            fees: 0,
        };
        let fill = |price| Filled {
            order: "1".into(),
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            size: Amount::ONE,
            price,
            fee: Amount::ZERO,
            margin: false,
        };
        assert_eq!(books.fill(Seq(1), &fill(Amount::ONE)), Ok(()));
        let slipped = Amount::new(101, 2);
        assert_eq!(books.fill(Seq(1), &fill(slipped)), Ok(()));
        assert!(books.fill(Seq(2), &fill(Amount::from_int(2))).is_err());
    }
}

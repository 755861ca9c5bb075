//! `rebalance.sells-first`: the sells of a batch come before its buys, which spend no more than there is.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{
    DomainEvent, LegMarked, OrderOutcome, OrderSubmitted, RebalancePlanned, number,
};
use crate::message::Name;
use crate::symbol::Pair;

/// No buy of a batch is submitted until all sells of that batch are terminal; a failed sell shrinks or
/// cancels the buys that it would have paid for.
pub(super) struct SellsFirst {
    /// The open trades of each batch of each plan.
    batches: BTreeMap<(u64, i64), Vec<Trade>>,
    /// In which batch each open trade is.
    batch_of: BTreeMap<Name, (u64, i64)>,
    /// The names of stored trades that are not over, by number.
    stored: BTreeMap<u64, Name>,
    /// What can be spent of each currency, where an account is kept.
    free: Option<BTreeMap<Name, Amount>>,
    bought: bool,
}

/// A trade that is not over.
struct Trade {
    key: Name,
    buys: bool,
    sent: bool,
    /// Stored trades outlive a crash.
    stored: bool,
}

impl SellsFirst {
    pub(super) fn new(config: &Config) -> SellsFirst {
        let balances = config.paper.initial_balance.iter();
        let begins = || balances.map(|(asset, free)| (Name::from(asset.as_str()), *free));
        SellsFirst {
            batches: BTreeMap::new(),
            batch_of: BTreeMap::new(),
            stored: BTreeMap::new(),
            free: (config.trading_mode == TradingMode::Paper).then(|| begins().collect()),
            bought: false,
        }
    }

    fn plan(&mut self, plan: &RebalancePlanned) {
        for planned in &plan.trades {
            let batch = (plan.plan, planned.batch_index);
            self.batch_of.insert(planned.key.clone(), batch);
            self.batches.entry(batch).or_default().push(Trade {
                key: planned.key.clone(),
                buys: planned.side.as_str() == "buy",
                sent: false,
                stored: false,
            });
        }
    }

    fn trade(&mut self, key: &str) -> Option<&mut Trade> {
        let batch = self.batches.get_mut(self.batch_of.get(key)?)?;
        batch.iter_mut().find(|trade| trade.key.as_str() == key)
    }

    fn over(&mut self, key: &str) {
        let Some(of) = self.batch_of.remove(key) else {
            return;
        };
        if let Some(batch) = self.batches.get_mut(&of) {
            batch.retain(|trade| trade.key.as_str() != key);
            if batch.is_empty() {
                self.batches.remove(&of);
            }
        }
    }

    fn submit(&mut self, order: &OrderSubmitted) -> Result<(), String> {
        let Some(of) = self.batch_of.get(&order.intent) else {
            return Ok(());
        };
        let (_, batch_number) = of;
        let batch = self.batches.get_mut(of).map(Vec::as_mut_slice);
        let batch = batch.unwrap_or_default();
        let Some(at) = batch.iter().position(|trade| trade.key == order.intent) else {
            return Ok(());
        };
        if batch[at].buys {
            self.bought = true;
            if let Some(sell) = batch.iter().find(|trade| !trade.buys) {
                let how = if sell.sent {
                    "one under way"
                } else {
                    "one not sent yet"
                };
                return Err(format!(
                    "expected the sells of a batch to be over before its buys, found {how}"
                ));
            }
        }
        // Those of one side are carried out as they were planned.
        let is_passed_over = |it: &Trade| !it.sent && it.buys == batch[at].buys;
        if *batch_number == 0 && batch[..at].iter().any(is_passed_over) {
            return Err(
                "expected the trades of one side in the order of the plan, found one passed over"
                    .to_owned(),
            );
        }
        batch[at].sent = true;
        let buys = batch[at].buys;
        if buys { self.is_funded(order) } else { Ok(()) }
    }

    /// A buy asks for no more than can be spent. Only buys for dollars are looked at: what another
    /// currency is worth is not known here.
    fn is_funded(&self, order: &OrderSubmitted) -> Result<(), String> {
        let Some(free) = &self.free else {
            return Ok(());
        };
        let pair = order.order.symbol.as_str().parse::<Pair>();
        let Some(pair) = pair.ok().filter(|pair| pair.dollar_symbol().is_none()) else {
            return Ok(());
        };
        let free = free.get(pair.quote.as_str()).copied().unwrap_or_default();
        match Amount::from_f64(order.order.size_usd) {
            Ok(wanted) if wanted > free => Err(format!(
                "expected a buy for at most the {free} dollars there are, found one for {wanted}"
            )),
            _ => Ok(()),
        }
    }

    fn mark(&mut self, marked: &LegMarked) {
        match marked.status.as_str() {
            "executed" | "failed" => {
                if let Some(key) = self.stored.remove(&marked.leg) {
                    self.over(&key);
                }
            }
            "pending" => {
                let key = self.stored.get(&marked.leg).cloned();
                if let Some(trade) = key.and_then(|key| self.trade(&key)) {
                    trade.sent = false;
                }
            }
            _ => {}
        }
    }

    /// A crash ends what was not stored.
    fn start(&mut self) {
        for batch in self.batches.values_mut() {
            for trade in batch.extract_if(.., |trade| !trade.stored) {
                self.batch_of.remove(&trade.key);
            }
        }
        self.batches.retain(|_, batch| !batch.is_empty());
    }
}

impl Invariant<DomainEvent> for SellsFirst {
    fn id(&self) -> &'static str {
        "rebalance.sells-first"
    }

    fn statement(&self) -> &'static str {
        "no buy of a batch, immediate or scheduled, is submitted until all sells of that batch are terminal; \
         a failed sell shrinks or cancels the buys it would have paid for"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::RebalancePlanned,
            number::RebalanceTradeSkipped,
            number::LegStored,
            number::LegMarked,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::BalanceChanged,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalancePlanned], &[number::OrderSubmitted]]
    }

    /// A store that comes back older than it was may have lost a sell and kept its buy.
    fn excludes(&self) -> &'static [&'static str] {
        super::FORGETFUL_STORE
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.start(),
            Some(DomainEvent::RebalancePlanned(plan)) => self.plan(plan),
            Some(DomainEvent::RebalanceTradeSkipped(skipped)) => self.over(&skipped.key),
            Some(DomainEvent::LegStored(it)) => {
                self.stored.insert(it.leg, it.key.clone());
                if let Some(trade) = self.trade(&it.key) {
                    trade.stored = true;
                }
            }
            Some(DomainEvent::LegMarked(marked)) => self.mark(marked),
            Some(DomainEvent::OrderSubmitted(order)) => return self.submit(order),
            Some(DomainEvent::OrderAnswered(it))
                if !matches!(it.outcome, OrderOutcome::Resting | OrderOutcome::Unknown) =>
            {
                self.over(&it.intent);
            }
            Some(DomainEvent::BalanceChanged(it)) => {
                if let Some(free) = &mut self.free
                    && let Ok(left) = it.balance.minus(it.reserved)
                {
                    free.insert(it.asset.clone(), left);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.bought
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::{BalanceChanged, RebalanceTradeSkipped, Started};
    use crate::invariants::money::planted::{answered, config, leg, marked, order, plan, stored};
    use crate::invariants::planted::Planted;

    fn log(trades: Vec<crate::domain_event::TradePlanned>) -> Planted {
        Planted::of(SellsFirst::new(&config())).then(plan(trades))
    }

    /// A buy that is listed before a sell.
    fn at_once() -> Planted {
        log(vec![leg("a", "buy", 0, 0), leg("b", "sell", 0, 0)])
    }

    fn skipped(key: &str) -> RebalanceTradeSkipped {
        RebalanceTradeSkipped {
            key: key.into(),
            symbol: "BTC/USDT".into(),
            side: "sell".into(),
            batch_index: 0,
            reason: "no_price".into(),
        }
    }

    #[test]
    fn sells_that_are_over_let_the_buys_go() {
        let sold = || at_once().then(order("b", "sell"));
        let filled = answered("b", OrderOutcome::Filled);
        sold().then(filled).then(order("a", "buy")).holds();
        let refused = answered("b", OrderOutcome::Refused("no_price".into()));
        sold().then(refused).then(order("a", "buy")).holds();
        at_once().then(skipped("b")).then(order("a", "buy")).holds();
    }

    // Fails if of two buys the second may be sent first.
    #[test]
    fn each_side_keeps_its_order() {
        let two = || log(vec![leg("a", "buy", 0, 0), leg("b", "buy", 0, 0)]);
        let what = two().then(order("b", "buy")).violated();
        assert!(what.contains("passed over"), "{what}");
        two().then(skipped("a")).then(order("b", "buy")).holds();
        two()
            .then(order("a", "buy"))
            .then(order("b", "buy"))
            .holds();
    }

    #[test]
    fn a_buy_before_a_sell_is_noticed() {
        let before = at_once().then(order("a", "buy")).violated();
        assert!(before.contains("one not sent yet"), "{before}");
        let beside = at_once().then(order("b", "sell"));
        let beside = beside.then(order("a", "buy")).violated();
        assert!(beside.contains("one under way"), "{beside}");
    }

    #[test]
    fn a_batch_is_held_to_it_across_a_crash_if_it_is_stored() {
        let legs = [leg("a", "buy", 1, 3_600), leg("b", "sell", 1, 3_600)];
        let again = || {
            log(legs.to_vec())
                .then(stored(1, &legs[0]))
                .then(stored(2, &legs[1]))
                .then(order("b", "sell"))
                .then(Started {})
        };
        let unknown = again().then(marked(2, "pending"));
        let unknown = unknown.then(order("a", "buy")).violated();
        assert!(unknown.contains("one not sent yet"), "{unknown}");
        again()
            .then(marked(2, "executed"))
            .then(order("a", "buy"))
            .holds();
        let forgotten = log(legs.to_vec()).then(Started {});
        let finding = forgotten.then(order("a", "buy")).finding();
        assert_eq!(finding, dacapo_kernel::Finding::NotEvaluable);
    }

    #[test]
    fn another_batch_does_not_matter() {
        let legs = vec![leg("a", "buy", 0, 0), leg("b", "sell", 1, 3_600)];
        log(legs).then(order("a", "buy")).holds();
    }

    #[test]
    fn a_buy_that_nothing_pays_for_is_noticed() {
        let poor = |reserved| {
            log(vec![leg("a", "buy", 0, 0)]).then(BalanceChanged {
                asset: "USDT".into(),
                balance: Amount::HUNDRED,
                reserved: Amount::from_int(reserved),
            })
        };
        poor(0).then(order("a", "buy")).holds();
        let unfunded = poor(1).then(order("a", "buy")).violated();
        assert!(unfunded.contains("at most the 99 dollars"), "{unfunded}");
    }
}

//! What there is to trade with, as the log tells it, and whether a trade was refused in spite of it.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::Time;

use crate::amount::Amount;
use crate::config::{Config, OutsideEvent};
use crate::domain_event::{BalanceChanged, RiskJudged};
use crate::message::Name;
use crate::symbol::DOLLAR;

/// What there is to trade with, where that is for the risk engine to know.
#[derive(Debug)]
pub(super) struct Account {
    balances: BTreeMap<Name, Amount>,
    /// When each asset was last priced in dollars.
    priced: BTreeMap<Name, Time>,
    max_age: Duration,
    /// Whether a part of the balance may stand behind a position.
    reserved: bool,
}

impl Account {
    pub(super) fn new(config: &Config) -> Account {
        let name = |(asset, amount): (&String, &Amount)| (Name::from(asset.as_str()), *amount);
        let mut account = Account {
            balances: config.paper.initial_balance.iter().map(name).collect(),
            priced: BTreeMap::new(),
            max_age: Duration::from_secs(config.prices.max_age_s.max(0).unsigned_abs()),
            reserved: false,
        };
        let before = |event: &&OutsideEvent| event.at_seconds < 0.0;
        let set = config.events.iter().filter(before);
        for set in set.filter_map(|event| event.set_price.as_ref()) {
            account.price(&set.symbol, set.price, Time::ZERO);
        }
        account
    }

    /// An asset has a price in dollars.
    pub(super) fn price(&mut self, symbol: &Name, price: Amount, now: Time) {
        if price.is_positive()
            && let Some((base, quote)) = symbol.as_str().split_once('/')
            && quote.eq_ignore_ascii_case(DOLLAR)
        {
            let known = self
                .priced
                .iter_mut()
                .find(|(asset, _)| asset.as_str() == base);
            match known {
                Some((_, at)) => *at = now,
                None => drop(self.priced.insert(Name::from(base), now)),
            }
        }
    }

    /// A trade was refused for want of money. That is wrong if the account can be valued and the
    /// money is there.
    pub(super) fn cannot_pay(&self, judged: &RiskJudged, now: Time) -> Result<(), String> {
        let is_fresh = |asset: &Name| {
            let at = self.priced.get(asset);
            // What arrives at this very instant may not have reached the exchange.
            at.is_some_and(|at| *at < now && now.since(*at) < self.max_age)
        };
        // What was ever held may still have to be priced, for a position.
        let mut held = self.balances.keys();
        let valued = held.all(|asset| asset.as_str() == DOLLAR || is_fresh(asset));
        let there = self
            .balances
            .get(DOLLAR)
            .map_or(0.0, |amount| amount.to_f64());
        let needed = judged.proposal.size_usd / judged.proposal.leverage.max(1) as f64;
        // A cent either way is no finding.
        if self.reserved || !valued || needed + 0.01 >= there {
            return Ok(());
        }
        Err("expected a trade that the account can pay for to pass, \
             found it refused for want of margin"
            .to_owned())
    }

    /// A balance is this from now on.
    pub(super) fn hold(&mut self, changed: &BalanceChanged) {
        self.balances.insert(changed.asset.clone(), changed.balance);
    }

    /// A part of the balance may stand behind a position from now on.
    pub(super) fn reserve(&mut self) {
        self.reserved = true;
    }
}

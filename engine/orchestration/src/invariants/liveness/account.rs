//! What there is to trade with, as the log tells it, and whether a trade was refused in spite of it.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::Time;

use crate::amount::Amount;
use crate::by_name::ByName;
use crate::config::Config;
use crate::domain_event::{BalanceChanged, RiskJudged};
use crate::invariants::exact::Exact;
use crate::invariants::set_before_start;
use crate::message::Name;
use crate::symbol::DOLLAR;

/// What there is to trade with, where that is for the risk engine to know.
#[derive(Debug)]
pub(super) struct Account {
    balances: BTreeMap<Name, Amount>,
    /// When each asset was last priced in dollars.
    priced: ByName<Time>,
    max_age: Duration,
    /// Whether a part of the balance may stand behind a position.
    reserved: bool,
}

impl Account {
    pub(super) fn new(config: &Config) -> Account {
        let name = |(asset, amount): (&String, &Amount)| (Name::from(asset.as_str()), *amount);
        let mut account = Account {
            balances: config.paper.initial_balance.iter().map(name).collect(),
            priced: ByName::default(),
            max_age: Duration::from_secs(config.prices.max_age_s.max(0).unsigned_abs()),
            reserved: false,
        };
        for set in set_before_start(config) {
            account.price(&set.symbol, set.price, Time::ZERO);
        }
        account
    }

    /// An asset has a price in dollars.
    pub(super) fn price(&mut self, symbol: &Name, price: Amount, now: Time) {
        if price.is_above_zero()
            && let Some(base) = priced_in_dollars(symbol)
        {
            *self.priced.or_insert_with(base, || now) = now;
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

/// What a symbol prices in dollars, if it does; nearly always it is written in upper case.
fn priced_in_dollars(symbol: &str) -> Option<&str> {
    let base = symbol.strip_suffix(DOLLAR);
    if let Some(base) = base.and_then(|base| base.strip_suffix('/'))
        && !base.as_bytes().contains(&b'/')
    {
        return Some(base);
    }
    let (base, quote) = symbol.split_once('/')?;
    quote.eq_ignore_ascii_case(DOLLAR).then_some(base)
}

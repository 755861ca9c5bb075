//! The prices that a source gave, and which of them the exchange may go by at an instant.
//!
//! A trade in the market reaches the exchange at its own instant, but other tasks may run before. A price
//! that is set by hand may be lost with the host that it was told to.

use dacapo_kernel::{Event, KernelEvent, Plan, Time};

use crate::amount::Amount;
use crate::config::{Config, PriceSet};
use crate::domain_event::{DomainEvent, MarketBar, OutsideAction, number};
use crate::invariants::exact::Exact;
use crate::invariants::set_before_start;
use crate::message::Name;
use crate::symbol::DOLLAR;

/// The kinds of event that tell of prices, for `watches`.
pub(super) const TRADE: u16 = number::MarketTrade;
/// What a market did in a step of time.
pub(super) const BAR: u16 = number::MarketBar;
/// What somebody outside does.
pub(super) const OUTSIDE: u16 = number::OutsideActed;
/// The coordinator begins, and with it what is set by hand before.
pub(super) const STARTED: u16 = number::Started;
/// A host crashed.
pub(super) const CRASHED: u16 = dacapo_kernel::number::HostCrashed;
/// A task crashed.
pub(super) const TASK_CRASHED: u16 = dacapo_kernel::number::TaskCrashed;
/// A host came up for the first time.
pub(super) const HOST: u16 = dacapo_kernel::number::HostStarted;

/// A price that a source gave.
#[derive(Clone, Copy, Debug)]
struct Given {
    price: Amount,
    /// The same as a float: it is looked at far more often than it changes.
    in_floats: f64,
    at: Time,
    /// Whether it surely reached the exchange.
    surely: bool,
}

/// A price that may be in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct InUse {
    pub(super) price: Amount,
    /// The same as a float.
    pub(super) in_floats: f64,
    pub(super) age_ns: u64,
}

/// The prices of a symbol.
#[derive(Debug)]
struct Quoted {
    symbol: Name,
    /// What it prices in dollars, if it does.
    in_dollars: Option<Name>,
    /// In the order in which they were given.
    given: Vec<Given>,
}

impl Quoted {
    fn of(symbol: &Name) -> Quoted {
        let pair = symbol.split_once('/');
        let in_dollars = pair.filter(|(_, quote)| quote.eq_ignore_ascii_case(DOLLAR));
        Quoted {
            symbol: symbol.clone(),
            in_dollars: in_dollars.map(|(base, _)| Name::from(base)),
            given: Vec::new(),
        }
    }

    fn is_of(&self, symbol: &str) -> bool {
        *self.symbol == *symbol || self.symbol.eq_ignore_ascii_case(symbol)
    }

    /// Those that may be in use.
    fn in_use(&self, now: Time) -> impl Iterator<Item = InUse> {
        let last = self.given.iter().rposition(|it| it.surely && it.at < now);
        self.given[last.unwrap_or(0)..].iter().map(move |it| InUse {
            price: it.price,
            in_floats: it.in_floats,
            age_ns: now.as_nanos() - it.at.as_nanos(),
        })
    }
}

/// The prices that may be in use.
#[derive(Debug, Default)]
pub(super) struct Prices {
    /// Set before the coordinator begins.
    before_start: Vec<PriceSet>,
    /// Set while nobody was there.
    missed: Vec<PriceSet>,
    /// By symbol.
    quoted: Vec<Quoted>,
    /// The last bar of each symbol, and when it closed.
    bars: Vec<(Time, MarketBar)>,
    hosts: Vec<(u32, Name)>,
    down: bool,
    /// The exchange itself failed: nobody can tell any more what it has seen.
    lost: bool,
}

impl Prices {
    pub(super) fn new(plan: &Plan<Config>) -> Prices {
        Prices {
            before_start: set_before_start(&plan.system).cloned().collect(),
            ..Prices::default()
        }
    }

    /// Whether it is known what the exchange may go by.
    pub(super) fn are_known(&self) -> bool {
        !self.lost
    }

    /// Takes one event into account.
    pub(super) fn see(&mut self, event: &Event<DomainEvent>) {
        let at = event.time;
        match event.kernel() {
            None => {}
            Some(KernelEvent::HostStarted(it)) => self.hosts.push((it.host.0, it.name.clone())),
            Some(KernelEvent::HostCrashed(it)) => {
                let is_exchange =
                    |(host, name): &(u32, Name)| *host == it.host.0 && *name == *"exchange";
                self.lost |= self.hosts.iter().any(is_exchange);
                self.down = true;
            }
            Some(KernelEvent::TaskCrashed(_)) => self.lost = true,
            Some(_) => {}
        }
        match event.domain() {
            Some(DomainEvent::MarketTrade(trade)) => {
                self.give(&trade.symbol, trade.price, at, true)
            }
            Some(DomainEvent::MarketBar(bar)) if bar.low.is_above_zero() => {
                self.give(&bar.symbol, bar.close, at, true);
                let known = self.bars.iter_mut().find(|it| it.1.symbol == bar.symbol);
                match known {
                    Some(known) => *known = (at, bar.clone()),
                    None => self.bars.push((at, bar.clone())),
                }
            }
            Some(DomainEvent::OutsideActed(acted)) => {
                if let OutsideAction::SetPrice(set) = &acted.action {
                    self.give(&set.symbol, set.price, at, false);
                    if self.down {
                        self.missed.push(set.clone());
                    }
                }
            }
            Some(DomainEvent::Started(_)) => {
                self.down = false;
                let missed = std::mem::take(&mut self.missed);
                for set in self.before_start.clone().into_iter().chain(missed) {
                    self.give(&set.symbol, set.price, at, false);
                }
            }
            _ => {}
        }
    }

    fn give(&mut self, symbol: &Name, price: Amount, at: Time, surely: bool) {
        // A price of nothing is refused.
        if !price.is_above_zero() {
            return;
        }
        let place = self.quoted.iter().position(|it| it.is_of(symbol));
        let place = place.unwrap_or_else(|| {
            self.quoted.push(Quoted::of(symbol));
            self.quoted.len() - 1
        });
        let given = &mut self.quoted[place].given;
        // What came before the last sure price of an earlier instant is out of use.
        if let Some(last) = given.iter().rposition(|it| it.surely && it.at < at) {
            given.drain(..last);
        }
        given.push(Given {
            price,
            in_floats: price.in_floats(),
            at,
            surely,
        });
    }

    /// The prices of a symbol that may be in use.
    pub(super) fn in_use(&self, symbol: &str, now: Time) -> impl Iterator<Item = InUse> {
        let of_symbol = self.quoted.iter().find(|it| it.is_of(symbol));
        of_symbol.into_iter().flat_map(move |it| it.in_use(now))
    }

    /// The same of an asset in dollars.
    pub(super) fn in_dollars(&self, asset: &str, now: Time) -> impl Iterator<Item = InUse> {
        let is_meant = |base: &Name| **base == *asset || base.eq_ignore_ascii_case(asset);
        let mut quoted = self.quoted.iter();
        let of_asset = quoted.find(|it| it.in_dollars.as_ref().is_some_and(is_meant));
        of_asset.into_iter().flat_map(move |it| it.in_use(now))
    }

    /// The bar of a symbol that closes now, if one does: any price in it may be met, and none after it.
    pub(super) fn bar(&self, symbol: &str, now: Time) -> Option<&MarketBar> {
        let closes =
            |(at, bar): &&(Time, MarketBar)| *at == now && bar.symbol.eq_ignore_ascii_case(symbol);
        Some(&self.bars.iter().find(closes)?.1)
    }
}

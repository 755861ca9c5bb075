//! What has become visible of each market, and how much of it an agent may know at an instant.
//!
//! A trade reaches whoever watches the market at its own instant, but other tasks may run before. So what came at the
//! very instant of a question may be known or not, in order.

use std::collections::BTreeMap;

use dacapo_kernel::Time;
use serde_json::{Value, json};

use crate::config::Config;
use crate::domain_event::{DomainEvent, MarketBar, MarketTrade};
use crate::invariants::exact::Exact;
use crate::message::{Instant, Name};

/// After so many times its length an average has forgotten what it began with.
const LENGTHS: usize = 40;

/// A trade or a bar.
#[derive(Debug)]
enum Tick {
    Trade(MarketTrade),
    Bar(MarketBar),
}

/// What became visible, and when.
#[derive(Debug)]
pub(super) struct Seen {
    at: Time,
    tick: Tick,
}

impl Seen {
    /// The price that it leaves.
    pub(super) fn price(&self) -> f64 {
        match &self.tick {
            Tick::Trade(trade) => trade.price.in_floats(),
            Tick::Bar(bar) => bar.close.in_floats(),
        }
    }

    /// How much was bought by who came to trade, less what was sold; none where that is not known.
    pub(super) fn bought(&self) -> Option<f64> {
        match &self.tick {
            Tick::Trade(trade) => {
                let size = trade.size.in_floats();
                let way = if trade.taker_buys? { 1.0 } else { -1.0 };
                (size > 0.0).then_some(way * size)
            }
            Tick::Bar(_) => None,
        }
    }

    /// How it is told.
    pub(super) fn line(&self) -> Value {
        let at = Instant::from(self.at).as_micros();
        match &self.tick {
            Tick::Trade(trade) => json!({"trade": {
                "at_us": at,
                "price": trade.price.in_floats(),
                "size": trade.size.in_floats(),
                "taker": match trade.taker_buys {
                    Some(true) => Some("buy"),
                    Some(false) => Some("sell"),
                    None => None,
                },
            }}),
            Tick::Bar(bar) => json!({"bar": {
                "closed_us": at,
                "open": bar.open.in_floats(),
                "high": bar.high.in_floats(),
                "low": bar.low.in_floats(),
                "close": bar.close.in_floats(),
                "volume": bar.volume.in_floats(),
            }}),
        }
    }
}

/// The newest of one market.
#[derive(Debug, Default)]
struct Newest {
    /// How many are no longer kept.
    left: usize,
    kept: Vec<Seen>,
}

/// The newest of what became visible, by symbol.
#[derive(Debug)]
pub(super) struct Market {
    keep: usize,
    markets: BTreeMap<Name, Newest>,
}

/// What an agent may know of a symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// How much became visible, what is no longer kept included.
    pub(super) count: usize,
    /// The newest of it.
    pub(super) newest: &'a [Seen],
}

impl Market {
    /// Nothing is visible yet; as much is kept as agents are told and rules look at.
    pub(super) fn of(config: &Config) -> Market {
        let rules = &config.agents.analysis;
        let cross = config
            .agents
            .average_cross()
            .map_or(0, |it| it.slow as usize);
        let looks = [
            LENGTHS * rules.trend.slow,
            rules.regime.window + 1,
            rules.flow.window,
            LENGTHS * cross,
        ];
        let told = config.listeners().map(|listener| listener.history);
        Market {
            keep: told.chain(looks).max().unwrap_or_default(),
            markets: BTreeMap::new(),
        }
    }

    /// Takes note of a trade or a bar. One with a price that is none tells nobody anything.
    pub(super) fn see(&mut self, event: &DomainEvent, at: Time) {
        let (symbol, is_priced, tick) = match event {
            DomainEvent::MarketTrade(it) => {
                let is_priced = it.price.is_above_zero();
                (&it.symbol, is_priced, Tick::Trade(it.clone()))
            }
            DomainEvent::MarketBar(it) => {
                let prices = [it.open, it.high, it.low, it.close];
                let is_priced = prices.iter().all(|price| price.is_above_zero());
                (&it.symbol, is_priced, Tick::Bar(it.clone()))
            }
            _ => return,
        };
        if !is_priced {
            return;
        }
        let Newest { left, kept } = self.markets.entry(symbol.clone()).or_default();
        if kept.len() > 2 * self.keep {
            *left += kept.len() - self.keep;
            kept.drain(..kept.len() - self.keep);
        }
        kept.push(Seen { at, tick });
    }

    /// What an agent may have known of a symbol at some moment from an instant on, the most first.
    pub(super) fn known(&self, symbol: &Name, since: Time) -> impl Iterator<Item = Known<'_>> {
        let market = self.markets.get(symbol);
        let (left, kept) = market.map_or((0, &[][..]), |it| (it.left, &it.kept));
        let surely = kept.partition_point(|seen| seen.at < since);
        (surely..=kept.len()).rev().map(move |end| Known {
            count: left + end,
            newest: &kept[..end],
        })
    }
}

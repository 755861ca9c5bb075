//! Where the paper exchange takes its prices from.
//!
//! In this order: an attached live feed, a cache of recent prices, a built-in table. The table is a
//! defect: it fills orders at prices that nobody quoted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::by_name::ByName;
use crate::defect::{Defect, Defects};
use crate::symbol::in_upper_case;

/// Which source is asked first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceMode {
    /// The live feed, if one is attached.
    LiveFeed,
    /// The cache: recorded prices are put there as they come due.
    Historical,
    /// The cache, where prices are set by hand.
    #[default]
    Mock,
}

/// Settings of the price source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceSourceConfig {
    /// Which source is asked first.
    pub mode: PriceMode,
    /// A cached price is used while it is younger than this.
    pub max_age_s: i64,
    /// The built-in prices by symbol, in the quote currency.
    pub table: BTreeMap<String, Amount>,
}

impl Default for PriceSourceConfig {
    fn default() -> PriceSourceConfig {
        let table = [
            ("BTC/USDT", Amount::from_int(45_000)),
            ("XRP/USDT", Amount::new(60, 2)),
            ("XRP/BTC", Amount::new(13, 6)),
        ];
        PriceSourceConfig {
            mode: PriceMode::default(),
            max_age_s: 60,
            table: table
                .map(|(symbol, price)| (symbol.to_owned(), price))
                .into(),
        }
    }
}

/// How often each source answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceStats {
    /// Answers from the cache.
    pub cache_hits: u64,
    /// Questions that neither feed nor cache could answer.
    pub cache_misses: u64,
    /// Prices that entered the cache, from the feed or pushed.
    pub updates: u64,
}

/// A price and when it was quoted, in microseconds since the run began.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quote {
    price: Amount,
    at_us: i64,
}

/// The price source. Symbols are matched in upper case.
#[derive(Clone, Debug)]
pub struct PriceSource {
    mode: PriceMode,
    max_age_us: i64,
    table: BTreeMap<String, Amount>,
    cache: ByName<Quote>,
    feed: Option<BTreeMap<String, Amount>>,
    stats: PriceStats,
    defects: Defects,
}

impl PriceSource {
    /// A source with an empty cache and no feed.
    pub fn new(config: PriceSourceConfig, defects: Defects) -> PriceSource {
        let table = config.table.into_iter();
        PriceSource {
            mode: config.mode,
            max_age_us: config.max_age_s * 1_000_000,
            table: table
                .map(|(symbol, price)| (symbol.to_uppercase(), price))
                .collect(),
            cache: ByName::default(),
            feed: None,
            stats: PriceStats::default(),
            defects,
        }
    }

    /// The price of `symbol` at `now_us`, if any source has one.
    pub fn get(&mut self, now_us: i64, symbol: &str) -> Option<Amount> {
        let symbol = in_upper_case(symbol);
        if let Some(price) = self.ask_feed(&symbol) {
            self.update(&symbol, price, now_us);
            return Some(price);
        }
        if let Some(quote) = self.cache.get(&symbol)
            && now_us - quote.at_us < self.max_age_us
        {
            self.stats.cache_hits += 1;
            return Some(quote.price);
        }
        self.stats.cache_misses += 1;
        if self.defects.has(Defect::MockPriceFallback) {
            self.table.get(symbol.as_ref()).copied()
        } else {
            None
        }
    }

    fn ask_feed(&self, symbol: &str) -> Option<Amount> {
        let feed = self.feed.as_ref()?;
        (self.mode == PriceMode::LiveFeed)
            .then(|| feed.get(symbol).copied())
            .flatten()
    }

    /// Takes a pushed price into the cache. Refused if a strictly newer one is there, or if it is not
    /// above zero. Returns whether it was taken.
    pub fn update(&mut self, symbol: &str, price: Amount, quoted_us: i64) -> bool {
        let symbol = in_upper_case(symbol);
        let known = self.cache.get_mut(&symbol);
        let newer = known.as_ref().is_some_and(|quote| quote.at_us > quoted_us);
        if newer || !price.is_positive() {
            return false;
        }
        let at_us = quoted_us;
        let quote = Quote { price, at_us };
        match known {
            Some(known) => *known = quote,
            None => drop(self.cache.or_insert_with(&symbol, || quote)),
        }
        self.stats.updates += 1;
        true
    }

    /// Sets a price by hand: in the table, and in the cache as quoted now. One that is not above zero
    /// is ignored.
    pub fn set(&mut self, now_us: i64, symbol: &str, price: Amount) {
        if !price.is_positive() {
            return;
        }
        let symbol = symbol.to_uppercase();
        let at_us = now_us;
        *self
            .cache
            .or_insert_with(&symbol, || Quote { price, at_us }) = Quote { price, at_us };
        self.table.insert(symbol, price);
    }

    /// Attaches a live feed that has nothing to say yet.
    pub fn attach_feed(&mut self) {
        self.feed = Some(BTreeMap::new());
    }

    /// What the feed answers for `symbol` from now on. `None` stands for silence and for an error, as
    /// does a price that is not above zero.
    pub fn set_feed(&mut self, symbol: &str, price: Option<Amount>) {
        let Some(feed) = &mut self.feed else { return };
        let symbol = symbol.to_uppercase();
        match price.filter(|price| price.is_positive()) {
            Some(price) => feed.insert(symbol, price),
            None => feed.remove(&symbol),
        };
    }

    /// Whether the cache has a price of `symbol` that is younger than `max_age_s`.
    pub fn is_fresh(&self, now_us: i64, symbol: &str, max_age_s: i64) -> bool {
        let quote = self.cache.get(&in_upper_case(symbol));
        quote.is_some_and(|quote| now_us - quote.at_us < max_age_s * 1_000_000)
    }

    /// How often each source answered.
    pub fn stats(&self) -> PriceStats {
        self.stats
    }

    /// How many symbols the cache knows.
    pub fn cached(&self) -> usize {
        self.cache.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Profile;

    const SECOND_US: i64 = 1_000_000;

    fn source(profile: Profile) -> PriceSource {
        PriceSource::new(PriceSourceConfig::default(), profile.defects())
    }

    #[test]
    fn no_price_is_made_up() {
        let mut sound = source(Profile::Sound);
        assert_eq!(sound.get(0, "BTC/USDT"), None);
        sound.update("btc/usdt", Amount::from_int(50_000), 0);
        assert_eq!(
            sound.get(59 * SECOND_US, "BTC/USDT"),
            Some(Amount::from_int(50_000))
        );
        assert_eq!(
            sound.get(60 * SECOND_US, "BTC/USDT"),
            None,
            "stale at exactly the limit"
        );
    }

    #[test]
    fn the_defect_makes_one_up() {
        let mut broken = source(Profile::ReviewFixed);
        assert_eq!(broken.get(0, "BTC/USDT"), Some(Amount::from_int(45_000)));
    }

    #[test]
    fn a_price_that_is_not_above_zero_is_no_price() {
        let mut sound = source(Profile::Sound);
        assert!(!sound.update("BTC/USDT", Amount::ZERO, 0));
        assert!(!sound.update("BTC/USDT", Amount::from_int(-1), 0));
        assert_eq!(sound.get(0, "BTC/USDT"), None);
    }
}

//! Trading pairs and the sides of a trade: names, the decimals of their prices and sizes, and what a trade costs.
//!
//! No price is kept here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// The asset in which equity, sizes and limits are counted: one US dollar.
pub const DOLLAR: &str = "USDT";

/// The side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The base is bought with the quote currency.
    Buy,
    /// The base is sold for the quote currency.
    Sell,
}

impl Side {
    /// The wire name: `buy` or `sell`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Buy => "buy",
            Side::Sell => "sell",
        }
    }

    /// The side of that wire name.
    pub fn from_name(name: &str) -> Option<Side> {
        [Side::Buy, Side::Sell]
            .into_iter()
            .find(|side| side.name() == name)
    }
}

/// The two sides of a symbol: `BTC/USDT` buys `BTC` for `USDT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// What is bought and sold; sizes count it.
    pub base: String,
    /// What is paid with; prices, values and fees count it.
    pub quote: String,
}

/// A symbol that is not `BASE/QUOTE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a symbol like BTC/USDT, found {0:?}")]
pub struct MalformedSymbol(pub String);

impl FromStr for Pair {
    type Err = MalformedSymbol;

    fn from_str(symbol: &str) -> Result<Pair, MalformedSymbol> {
        let (base, quote) = sides(symbol)?;
        Ok(Pair {
            base: base.to_owned(),
            quote: quote.to_owned(),
        })
    }
}

/// Base and quote currency of a symbol.
///
/// # Errors
/// [`MalformedSymbol`] if it is not `BASE/QUOTE`.
pub fn sides(symbol: &str) -> Result<(&str, &str), MalformedSymbol> {
    match symbol.split_once('/') {
        Some((base, quote)) if !base.is_empty() && !quote.is_empty() && !quote.contains('/') => {
            Ok((base, quote))
        }
        _ => Err(MalformedSymbol(symbol.to_owned())),
    }
}

/// The symbol in upper case, by which prices are kept; nearly always it is written so.
pub fn in_upper_case(symbol: &str) -> Cow<'_, str> {
    // Without a way out in between, bytes are looked at many at a time.
    let other = |byte: u8| !byte.is_ascii() | byte.is_ascii_lowercase();
    if !symbol
        .bytes()
        .fold(false, |found, byte| found | other(byte))
    {
        Cow::Borrowed(symbol)
    } else {
        Cow::Owned(symbol.to_uppercase())
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

impl Pair {
    /// The symbol whose price turns the quote currency into dollars; `None` if it is the dollar.
    pub fn dollar_symbol(&self) -> Option<String> {
        (self.quote != DOLLAR).then(|| format!("{}/{DOLLAR}", self.quote))
    }
}

/// Whether a symbol is the one that is `upper` in upper case.
pub fn is_symbol(symbol: &str, upper: &str) -> bool {
    symbol == upper || in_upper_case(symbol) == upper
}

/// What a venue says of one pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRules {
    /// Decimal places of a price.
    pub price_decimals: u32,
    /// Decimal places of a size, in units of the base.
    pub size_decimals: u32,
    /// Fee in percent of the value, charged in the quote currency.
    pub fee_pct: Amount,
}

/// The pairs that are known, and what holds for any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Markets {
    /// By symbol.
    pub pairs: BTreeMap<String, PairRules>,
    /// For a symbol that is not listed.
    pub other: PairRules,
}

impl Markets {
    /// The rules of `symbol`.
    pub fn rules(&self, symbol: &str) -> PairRules {
        self.pairs.get(symbol).copied().unwrap_or(self.other)
    }
}

impl Default for Markets {
    /// Three pairs at 0.26 %, the decimals of a large spot exchange.
    fn default() -> Markets {
        let rules = |price_decimals, size_decimals| PairRules {
            price_decimals,
            size_decimals,
            fee_pct: Amount::new(26, 2),
        };
        Markets {
            pairs: BTreeMap::from([
                ("BTC/USDT".to_owned(), rules(2, 8)),
                ("XRP/USDT".to_owned(), rules(5, 0)),
                ("XRP/BTC".to_owned(), rules(8, 0)),
            ]),
            other: rules(8, 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_has_exactly_two_sides() {
        let pair: Pair = "XRP/BTC".parse().unwrap();
        assert_eq!(pair.to_string(), "XRP/BTC");
        assert_eq!(pair.dollar_symbol().as_deref(), Some("BTC/USDT"));
        for symbol in ["BTCUSDT", "", "/USDT", "BTC/", "A/B/C"] {
            assert!(symbol.parse::<Pair>().is_err(), "{symbol:?}");
        }
    }

    #[test]
    fn an_unlisted_pair_has_eight_decimals() {
        let markets = Markets::default();
        assert_eq!(markets.rules("XRP/USDT").size_decimals, 0);
        assert_eq!(markets.rules("DOGE/USDT").size_decimals, 8);
    }
}

//! Invented markets: one seeded random walk per symbol, all stepping at the same interval, with jumps
//! where a scenario asks for them.
//!
//! The walk itself is elsewhere. There is no end: a run takes as many ticks as it needs.

use std::collections::VecDeque;
use std::sync::Arc;

use rust_decimal::Decimal;
use thiserror::Error;

use super::walk::{Walk, jump_units};
use super::{GeneratedConfig, Jump, Side, Tick, TickKind};

const MAX_INTERVAL_MS: u32 = 86_400_000;
const MAX_SYMBOLS: usize = 1_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// Trades of invented markets: at 0, and then one per symbol and interval, symbols in the order of the configuration.
#[derive(Clone, Debug)]
pub struct Generated {
    markets: Vec<GeneratedMarket>,
    interval_ns: u64,
    time_ns: u64,
    next: usize,
}

#[derive(Clone, Debug)]
struct GeneratedMarket {
    symbol: Arc<str>,
    walk: Walk,
    trade_size: Decimal,
    last_price: Decimal,
    /// When it jumps, and by how many hundred-millionths; the earliest first.
    jumps: VecDeque<(u64, i128)>,
}

impl Generated {
    /// The markets of `config`. `run_seed` is used where the configuration has no seed of its own.
    ///
    /// # Errors
    /// A value outside its bounds, a symbol that comes twice, or a jump of a symbol that is not there.
    pub fn new(config: &GeneratedConfig, run_seed: u64) -> Result<Self, GeneratedError> {
        if !(1..=MAX_INTERVAL_MS).contains(&config.interval_ms) {
            return Err(GeneratedError::Interval {
                actual_ms: config.interval_ms,
            });
        }
        if !(1..=MAX_SYMBOLS).contains(&config.symbols.len()) {
            return Err(GeneratedError::SymbolCount {
                actual: config.symbols.len(),
            });
        }
        let seed = config.seed.unwrap_or(run_seed);
        let mut markets: Vec<GeneratedMarket> = Vec::new();
        for walk in &config.symbols {
            if markets.iter().any(|market| *market.symbol == walk.symbol) {
                return Err(GeneratedError::SymbolTwice {
                    symbol: walk.symbol.clone(),
                });
            }
            markets.push(GeneratedMarket {
                walk: Walk::new(walk, seed)?,
                symbol: Arc::from(walk.symbol.as_str()),
                trade_size: walk.trade_size,
                last_price: walk.start_price,
                jumps: VecDeque::new(),
            });
        }
        place_jumps(&mut markets, &config.jumps)?;
        let interval_ns = u64::from(config.interval_ms) * NANOS_PER_MS;
        Ok(Generated {
            markets,
            interval_ns,
            time_ns: 0,
            next: 0,
        })
    }
}

fn place_jumps(markets: &mut [GeneratedMarket], jumps: &[Jump]) -> Result<(), GeneratedError> {
    let mut jumps: Vec<&Jump> = jumps.iter().collect();
    jumps.sort_by_key(|jump| jump.at_ms);
    for jump in jumps {
        let market = markets
            .iter_mut()
            .find(|market| *market.symbol == jump.symbol)
            .ok_or_else(|| GeneratedError::JumpOfUnknown {
                symbol: jump.symbol.clone(),
            })?;
        let units = jump_units(jump.percent).ok_or_else(|| GeneratedError::OutOfBounds {
            symbol: jump.symbol.clone(),
            field: "percent",
            value: jump.percent,
            expected: "above -100 and at most 1,000, with at most 6 decimals",
        })?;
        market
            .jumps
            .push_back((jump.at_ms.saturating_mul(NANOS_PER_MS), units));
    }
    Ok(())
}

impl GeneratedMarket {
    fn trade(&mut self, time_ns: u64) -> Tick {
        if time_ns > 0 {
            self.walk.step();
        }
        while let Some((_, units)) = self.jumps.pop_front_if(|(at_ns, _)| *at_ns <= time_ns) {
            self.walk.jump(units);
        }
        let price = self.walk.price();
        let side = if price < self.last_price {
            Side::Sell
        } else {
            Side::Buy
        };
        self.last_price = price;
        Tick {
            time_ns,
            symbol: Arc::clone(&self.symbol),
            kind: TickKind::Trade {
                price,
                size: self.trade_size,
                side: Some(side),
            },
        }
    }
}

impl Iterator for Generated {
    type Item = Tick;

    /// The next trade; a buy unless the price fell. `None` only when time itself runs out, after 584 years.
    fn next(&mut self) -> Option<Tick> {
        if self.next == self.markets.len() {
            self.time_ns = self.time_ns.checked_add(self.interval_ns)?;
            self.next = 0;
        }
        let tick = self.markets[self.next].trade(self.time_ns);
        self.next += 1;
        Some(tick)
    }
}

/// Why markets cannot be generated as configured.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(
    missing_docs,
    reason = "each message says what the variant and its fields mean"
)]
pub enum GeneratedError {
    #[error("interval_ms: expected 1 to 86,400,000, found {actual_ms}")]
    Interval { actual_ms: u32 },
    #[error("symbols: expected 1 to 1,000 of them, found {actual}")]
    SymbolCount { actual: usize },
    #[error("symbol {symbol:?} comes twice; give each market one entry")]
    SymbolTwice { symbol: String },
    #[error("symbol {symbol:?} is not 1 to 32 letters, digits or / - _ . :")]
    NotASymbol { symbol: String },
    #[error("{symbol}: {field} is {value}, expected {expected}")]
    OutOfBounds {
        symbol: String,
        field: &'static str,
        value: Decimal,
        expected: &'static str,
    },
    #[error("jumps: no symbol {symbol:?} is generated; add it to symbols or correct its name")]
    JumpOfUnknown { symbol: String },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WalkConfig;
    use proptest::prelude::*;

    fn config(symbols: &[&str]) -> GeneratedConfig {
        GeneratedConfig {
            seed: None,
            interval_ms: 1_000,
            symbols: symbols
                .iter()
                .map(|s| WalkConfig::new(*s, Decimal::from(100)))
                .collect(),
            jumps: Vec::new(),
        }
    }

    fn price(tick: &Tick) -> Decimal {
        match tick.kind {
            TickKind::Trade { price, .. } => price,
            TickKind::Quote { .. } | TickKind::Bar(_) => panic!("a generated market only trades"),
        }
    }

    fn series(config: &GeneratedConfig, seed: u64, symbol: &str, count: usize) -> Vec<Tick> {
        let ticks = Generated::new(config, seed).unwrap();
        ticks
            .filter(|tick| &*tick.symbol == symbol)
            .take(count)
            .collect()
    }

    #[test]
    fn this_seed_always_gave_these_prices() {
        let prices: Vec<String> = Generated::new(&config(&["BTC/USDT", "ETH/USDT"]), 1)
            .unwrap()
            .take(12)
            .map(|tick| {
                format!(
                    "{} {} {}",
                    tick.time_ns / 1_000_000_000,
                    tick.symbol,
                    price(&tick)
                )
            })
            .collect();
        assert_eq!(prices, RECORDED);
    }

    /// Recorded from the first version: another platform, build or release must not differ.
    const RECORDED: [&str; 12] = [
        "0 BTC/USDT 100.00",
        "0 ETH/USDT 100.00",
        "1 BTC/USDT 100.00",
        "1 ETH/USDT 100.00",
        "2 BTC/USDT 100.05",
        "2 ETH/USDT 100.01",
        "3 BTC/USDT 100.08",
        "3 ETH/USDT 100.03",
        "4 BTC/USDT 100.07",
        "4 ETH/USDT 100.02",
        "5 BTC/USDT 100.02",
        "5 ETH/USDT 100.06",
    ];

    #[test]
    fn a_jump_moves_its_market_from_its_time_on_and_no_other() {
        let calm = config(&["A", "B"]);
        let mut crash = calm.clone();
        crash.jumps = vec![Jump {
            at_ms: 2_500,
            symbol: "A".into(),
            percent: Decimal::from(-50),
        }];
        let (before, after) = (series(&calm, 9, "A", 6), series(&crash, 9, "A", 6));
        assert_eq!(before[..3], after[..3]);
        for (was, is) in before[3..].iter().zip(&after[3..]) {
            let half = price(was) / Decimal::TWO;
            assert!(
                (price(is) - half).abs() <= Decimal::new(1, 2),
                "{was:?} {is:?}"
            );
        }
        assert_eq!(series(&calm, 9, "B", 6), series(&crash, 9, "B", 6));
    }

    #[test]
    fn a_jump_at_zero_moves_the_first_price() {
        let mut config = config(&["A"]);
        config.jumps = vec![Jump {
            at_ms: 0,
            symbol: "A".into(),
            percent: Decimal::from(10),
        }];
        assert_eq!(price(&series(&config, 0, "A", 1)[0]), Decimal::from(110));
    }

    #[test]
    fn the_seed_of_the_configuration_comes_first() {
        let mut seeded = config(&["A"]);
        seeded.seed = Some(3);
        assert_eq!(
            series(&seeded, 8, "A", 50),
            series(&config(&["A"]), 3, "A", 50)
        );
        assert_ne!(
            series(&seeded, 8, "A", 50),
            series(&config(&["A"]), 8, "A", 50)
        );
    }

    #[test]
    fn refuses_a_configuration_that_means_nothing() {
        let jump = |symbol: &str, percent| Jump {
            at_ms: 0,
            symbol: symbol.into(),
            percent: Decimal::from(percent),
        };
        let cases = [
            (
                GeneratedConfig {
                    interval_ms: 0,
                    ..config(&["A"])
                },
                "interval_ms",
            ),
            (config(&[]), "symbols"),
            (config(&["A", "A"]), "twice"),
            (
                GeneratedConfig {
                    jumps: vec![jump("B", 1)],
                    ..config(&["A"])
                },
                "\"B\"",
            ),
            (
                GeneratedConfig {
                    jumps: vec![jump("A", -100)],
                    ..config(&["A"])
                },
                "percent",
            ),
        ];
        for (config, word) in cases {
            let error = Generated::new(&config, 0).unwrap_err().to_string();
            assert!(error.contains(word), "{word}: {error}");
        }
    }

    proptest! {
        #[test]
        fn another_symbol_changes_no_series(seed in any::<u64>()) {
            let (few, more) = (config(&["A", "B"]), config(&["C", "B", "AB", "A"]));
            for symbol in ["A", "B"] {
                prop_assert_eq!(series(&few, seed, symbol, 30), series(&more, seed, symbol, 30));
            }
            let prices = |symbol| series(&few, seed, symbol, 30).iter().map(price).collect::<Vec<_>>();
            prop_assert_ne!(prices("A"), prices("B"));
        }

        #[test]
        fn ticks_come_at_every_interval_in_the_order_of_the_configuration(interval_ms in 1u32..=86_400_000) {
            let config = GeneratedConfig { interval_ms, ..config(&["B", "A"]) };
            for (place, tick) in Generated::new(&config, 0).unwrap().take(20).enumerate() {
                prop_assert_eq!(tick.time_ns, place as u64 / 2 * u64::from(interval_ms) * NANOS_PER_MS);
                prop_assert_eq!(&*tick.symbol, ["B", "A"][place % 2]);
            }
        }
    }
}

//! The random walk of one market, in whole numbers from the seed to the price.
//!
//! Every step is integer arithmetic with a stated rounding, so the same seed gives the same prices on
//! every platform. When it steps, and what else trades at that instant, is decided by the generator.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rust_decimal::Decimal;

use super::generated::GeneratedError;
use super::{WalkConfig, is_symbol};

/// Prices are kept a millionth of a tick finer than they are shown, so that small steps add up.
const FINE_PER_TICK: i128 = 1_000_000;
/// The highest price, in ticks. Together with the bound on the digits of a tick it keeps every price exact.
const MAX_TICKS: i128 = 1_000_000_000_000;
const MAX_TICK_SIZE_MANTISSA: i128 = 999_999_999;

/// Returns are whole multiples of a hundred-millionth: a ten-thousandth of a basis point.
const RETURN_UNITS: i128 = 100_000_000;
const RETURN_UNITS_PER_BP: i64 = 10_000;
const RETURN_UNITS_PER_PERCENT: i64 = 1_000_000;
const MAX_STEP_BP: i64 = 1_000;
const MAX_JUMP_PERCENT: i64 = 1_000;

/// Twelve uniform draws of 16 bits: their sum has this mean, and a standard deviation of 65,536 less a
/// part in ten thousand million (each draw has variance (65536² - 1) / 12).
const DRAWS: usize = 12;
const DRAWS_MEAN: i128 = DRAWS as i128 * 0xffff / 2;
const DRAWS_DEVIATION: i128 = 65_536;

#[derive(Clone, Debug)]
pub(super) struct Walk {
    draws: ChaCha8Rng,
    tick_size: Decimal,
    fine: i128,
    drift: i128,
    volatility: i128,
}

impl Walk {
    /// A walk whose draws depend on `seed` and on the name of the market alone.
    pub(super) fn new(config: &WalkConfig, seed: u64) -> Result<Self, GeneratedError> {
        check(config)?;
        let tick_size = config.tick_size.normalize();
        Ok(Walk {
            draws: ChaCha8Rng::from_seed(key(seed, &config.symbol)),
            tick_size,
            fine: start_ticks(config)? * FINE_PER_TICK,
            drift: step_units(config, "drift_bp", config.drift_bp)?,
            volatility: step_units(config, "volatility_bp", config.volatility_bp)?,
        })
    }

    /// The price as it is quoted: the nearest tick, halves away from zero.
    pub(super) fn price(&self) -> Decimal {
        let ticks = divided(self.fine, FINE_PER_TICK);
        let ticks = i64::try_from(ticks).expect("a price is at most 10^12 ticks");
        Decimal::from(ticks) * self.tick_size
    }

    /// Moves by one interval: `price += price × (drift + volatility × z)`, where z is the sum of twelve
    /// uniform draws, centred and scaled to a standard deviation of one (it stays within -6 and 6).
    pub(super) fn step(&mut self) {
        let z = self.sum_of_draws() - DRAWS_MEAN;
        let scaled_return = self.drift * DRAWS_DEVIATION + self.volatility * z;
        self.shift(scaled_return, RETURN_UNITS * DRAWS_DEVIATION);
    }

    /// Moves at once by `units` hundred-millionths of the price.
    pub(super) fn jump(&mut self, units: i128) {
        self.shift(units, RETURN_UNITS);
    }

    fn shift(&mut self, numerator: i128, denominator: i128) {
        let moved = self.fine + divided(self.fine * numerator, denominator);
        self.fine = moved.clamp(FINE_PER_TICK, MAX_TICKS * FINE_PER_TICK);
    }

    fn sum_of_draws(&mut self) -> i128 {
        const BITS: usize = 16;
        const DRAWS_PER_WORD: usize = u64::BITS as usize / BITS;
        let mut sum = 0;
        for _ in 0..DRAWS / DRAWS_PER_WORD {
            let word = self.draws.next_u64();
            for place in 0..DRAWS_PER_WORD {
                sum += i128::from((word >> (place * BITS)) & 0xffff);
            }
        }
        sum
    }
}

/// The jump of `percent` in hundred-millionths, if it is one that a walk can make.
pub(super) fn jump_units(percent: Decimal) -> Option<i128> {
    let possible = percent > Decimal::from(-100) && percent <= Decimal::from(MAX_JUMP_PERCENT);
    possible
        .then(|| whole(percent, RETURN_UNITS_PER_PERCENT))
        .flatten()
}

fn key(seed: u64, symbol: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("dacapo market random walk, version 1");
    hasher.update(&seed.to_le_bytes());
    hasher.update(symbol.as_bytes());
    *hasher.finalize().as_bytes()
}

fn check(config: &WalkConfig) -> Result<(), GeneratedError> {
    if !is_symbol(&config.symbol) {
        return Err(GeneratedError::NotASymbol {
            symbol: config.symbol.clone(),
        });
    }
    let tick = config.tick_size.normalize();
    if tick <= Decimal::ZERO || tick.mantissa() > MAX_TICK_SIZE_MANTISSA {
        return Err(refused(
            config,
            "tick_size",
            tick,
            "above zero and of at most 9 digits",
        ));
    }
    if config.trade_size <= Decimal::ZERO {
        return Err(refused(
            config,
            "trade_size",
            config.trade_size,
            "above zero",
        ));
    }
    if config.volatility_bp < Decimal::ZERO {
        return Err(refused(
            config,
            "volatility_bp",
            config.volatility_bp,
            "zero or more",
        ));
    }
    Ok(())
}

fn start_ticks(config: &WalkConfig) -> Result<i128, GeneratedError> {
    let price = config.start_price;
    let ticks = price
        .checked_div(config.tick_size)
        .filter(|ticks| ticks.is_integer() && ticks.checked_mul(config.tick_size) == Some(price))
        .map(|ticks| ticks.normalize().mantissa())
        .filter(|ticks| (1..=MAX_TICKS).contains(ticks));
    ticks.ok_or_else(|| {
        refused(
            config,
            "start_price",
            price,
            "a whole number of ticks, from 1 to 10^12",
        )
    })
}

fn step_units(
    config: &WalkConfig,
    field: &'static str,
    bp: Decimal,
) -> Result<i128, GeneratedError> {
    let units = (bp.abs() <= Decimal::from(MAX_STEP_BP))
        .then(|| whole(bp, RETURN_UNITS_PER_BP))
        .flatten();
    units.ok_or_else(|| {
        refused(
            config,
            field,
            bp,
            "at most 1,000 either way, with at most 4 decimals",
        )
    })
}

/// `number × factor`, if that is a whole number.
fn whole(number: Decimal, factor: i64) -> Option<i128> {
    let product = number.checked_mul(Decimal::from(factor))?.normalize();
    product.is_integer().then(|| product.mantissa())
}

fn refused(
    config: &WalkConfig,
    field: &'static str,
    value: Decimal,
    expected: &'static str,
) -> GeneratedError {
    GeneratedError::OutOfBounds {
        symbol: config.symbol.clone(),
        field,
        value,
        expected,
    }
}

/// The quotient rounded to the nearest whole number, halves away from zero.
fn divided(numerator: i128, denominator: i128) -> i128 {
    let half = denominator / 2;
    (if numerator < 0 {
        numerator - half
    } else {
        numerator + half
    }) / denominator
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(drift_bp: i64, volatility_bp: i64) -> Walk {
        let config = WalkConfig {
            drift_bp: Decimal::from(drift_bp),
            volatility_bp: Decimal::from(volatility_bp),
            ..WalkConfig::new("BTC/USDT", Decimal::from(100))
        };
        Walk::new(&config, 7).unwrap()
    }

    #[test]
    fn without_volatility_only_drift_moves_the_price() {
        let mut walk = walk(100, 0);
        for _ in 0..2 {
            walk.step();
        }
        assert_eq!(walk.price(), Decimal::new(10_201, 2));
    }

    #[test]
    fn a_step_too_small_to_be_quoted_is_not_lost() {
        let mut config = WalkConfig::new("A", Decimal::ONE);
        (config.drift_bp, config.volatility_bp) = (Decimal::ONE, Decimal::ZERO);
        let mut walk = Walk::new(&config, 0).unwrap();
        walk.step();
        assert_eq!(walk.price(), Decimal::ONE);
        for _ in 1..100 {
            walk.step();
        }
        assert_eq!(walk.price(), Decimal::new(101, 2));
    }

    #[test]
    fn at_its_lowest_a_price_is_one_tick_and_can_rise_again() {
        let mut walk = walk(0, 0);
        for _ in 0..6 {
            walk.jump(jump_units(Decimal::from(-99)).unwrap());
        }
        assert_eq!(walk.price(), Decimal::new(1, 2));
        walk.jump(jump_units(Decimal::from(100)).unwrap());
        assert_eq!(walk.price(), Decimal::new(2, 2));
    }

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(
            [
                divided(5, 10),
                divided(4, 10),
                divided(-5, 10),
                divided(-4, 10)
            ],
            [1, 0, -1, 0]
        );
    }

    #[test]
    fn the_draws_have_the_stated_mean_and_deviation() {
        let mut walk = walk(0, 0);
        let count = 20_000;
        let deviations: Vec<i128> = (0..count)
            .map(|_| walk.sum_of_draws() - DRAWS_MEAN)
            .collect();
        let mean = deviations.iter().sum::<i128>() / count;
        let variance = deviations.iter().map(|d| d * d).sum::<i128>() / count;
        // Four standard errors: 4 × 65,536 / √20,000 for the mean, 4 × √(2 / 20,000) = 4 % for the variance.
        assert!(mean.abs() < 1_854, "mean {mean}");
        let expected = DRAWS_DEVIATION * DRAWS_DEVIATION;
        assert!(
            (variance - expected).abs() * 25 < expected,
            "variance {variance}"
        );
    }

    #[test]
    fn refuses_what_it_could_not_walk_exactly() {
        let base = || WalkConfig::new("A", Decimal::ONE);
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let cases = [
            (
                WalkConfig {
                    symbol: "A B".into(),
                    ..base()
                },
                "symbol",
            ),
            (
                WalkConfig {
                    tick_size: Decimal::ZERO,
                    ..base()
                },
                "tick_size",
            ),
            (
                WalkConfig {
                    tick_size: decimal("0.1234567891"),
                    ..base()
                },
                "tick_size",
            ),
            (
                WalkConfig {
                    trade_size: Decimal::ZERO,
                    ..base()
                },
                "trade_size",
            ),
            (
                WalkConfig {
                    start_price: decimal("1.005"),
                    ..base()
                },
                "start_price",
            ),
            (
                WalkConfig {
                    start_price: Decimal::NEGATIVE_ONE,
                    ..base()
                },
                "start_price",
            ),
            (
                WalkConfig {
                    start_price: decimal("10000000001"),
                    ..base()
                },
                "start_price",
            ),
            (
                WalkConfig {
                    volatility_bp: decimal("1000.1"),
                    ..base()
                },
                "volatility_bp",
            ),
            (
                WalkConfig {
                    volatility_bp: Decimal::NEGATIVE_ONE,
                    ..base()
                },
                "volatility_bp",
            ),
            (
                WalkConfig {
                    drift_bp: decimal("0.00001"),
                    ..base()
                },
                "drift_bp",
            ),
        ];
        for (config, field) in cases {
            let error = Walk::new(&config, 0).unwrap_err().to_string();
            assert!(error.contains(field), "{field}: {error}");
        }
    }

    #[test]
    fn jumps_have_bounds() {
        assert_eq!(jump_units(Decimal::from(-30)), Some(-30_000_000));
        assert_eq!(jump_units(Decimal::from(-100)), None);
        assert_eq!(jump_units(Decimal::from(1_001)), None);
        assert_eq!(jump_units(Decimal::new(1, 7)), None);
    }

    proptest! {
        #[test]
        fn the_wildest_walk_stays_between_its_bounds_and_on_its_ticks(
            seed in any::<u64>(),
            drift_bp in -1_000i64..=1_000,
            mantissa in 1i64..=999_999_999,
            scale in 0u32..=9,
            start in 1i64..=1_000_000_000_000,
        ) {
            let tick_size = Decimal::new(mantissa, scale);
            let config = WalkConfig {
                tick_size,
                drift_bp: Decimal::from(drift_bp),
                volatility_bp: Decimal::from(1_000),
                ..WalkConfig::new("A", Decimal::from(start) * tick_size)
            };
            let mut walk = Walk::new(&config, seed).unwrap();
            prop_assert_eq!(walk.price(), config.start_price);
            for _ in 0..200 {
                walk.step();
                let price = walk.price();
                prop_assert!(price >= tick_size);
                prop_assert!(price <= Decimal::from(1_000_000_000_000i64) * tick_size);
                prop_assert_eq!(price % tick_size, Decimal::ZERO);
            }
        }
    }
}

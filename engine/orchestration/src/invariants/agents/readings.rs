//! What the rules read of a market, worked out from all its prices at once.
//!
//! The formulas are those of the indicators. They are not shared: the rules keep sums from price to price.

use serde_json::{Value, json};

use super::market::Seen;
use crate::agents::AnalysisConfig;
use crate::agents::indicator::{FlowConfig, RegimeConfig, TrendConfig};

/// How far two ways to work out the same number may come apart.
const TOLERANCE: f64 = 1e-9;

/// How near two averages may be, as a part of them, until their distance is told by how they are rounded.
const HAIR: f64 = 1e-6;

/// A word that messages carry, and how sure it is.
pub(super) type Reading = (&'static str, f64);

/// Whether trend, regime and mood are told as they are.
pub(super) fn agree(config: &AnalysisConfig, seen: &[Seen], told: &Value) -> bool {
    let prices: Vec<f64> = seen.iter().map(Seen::price).collect();
    let flow: Vec<f64> = seen.iter().filter_map(Seen::bought).collect();
    let says = |told: &Value, word: &str, reading: Option<Reading>| match reading {
        None => told.is_null(),
        Some((expected, confidence)) => {
            let sure = told["confidence"].as_f64().unwrap_or(f64::NAN);
            told[word] == json!(expected) && (sure - confidence).abs() < TOLERANCE
        }
    };
    says(&told["trend"], "bias", trend(&config.trend, &prices))
        && says(&told["regime"], "regime", regime(&config.regime, &prices))
        && says(&told["mood"], "bias", mood(&config.flow, &flow))
}

/// Where two moving averages lead, against how far the price usually moves.
pub(super) fn trend(config: &TrendConfig, prices: &[f64]) -> Option<Reading> {
    let Averages {
        apart,
        usual,
        is_above,
    } = averages(config, prices)?;
    let strength = if apart + usual > 0.0 {
        apart / (apart + usual)
    } else {
        0.0
    };
    Some(if strength < config.threshold {
        ("neutral", 1.0 - strength)
    } else if is_above {
        ("long", strength)
    } else {
        ("short", strength)
    })
}

/// Whether the averages are so near that what is read of them hangs on how they are rounded, as in a market that has stood
/// still for long.
pub(super) fn is_a_hair(config: &TrendConfig, prices: &[f64]) -> bool {
    averages(config, prices).is_some_and(|it| it.apart < HAIR)
}

/// Two moving averages.
struct Averages {
    /// How far they are apart, as a part of the slow one.
    apart: f64,
    /// How far the price usually moves, as a part of it.
    usual: f64,
    /// Whether the fast one is above.
    is_above: bool,
}

fn averages(config: &TrendConfig, prices: &[f64]) -> Option<Averages> {
    if prices.len() < config.slow {
        return None;
    }
    let average = |length: usize, begin: f64, values: &mut dyn Iterator<Item = f64>| {
        let part = 2.0 / (length as f64 + 1.0);
        values.fold(begin, |average, value| {
            (1.0 - part) * average + part * value
        })
    };
    let mut squares = prices
        .windows(2)
        .map(|pair| (pair[1] / pair[0] - 1.0) * (pair[1] / pair[0] - 1.0));
    let fast = average(config.fast, prices[0], &mut prices.iter().copied());
    let slow = average(config.slow, prices[0], &mut prices.iter().copied());
    Some(Averages {
        apart: (fast / slow - 1.0).abs(),
        usual: average(config.slow, 0.0, &mut squares).sqrt(),
        is_above: fast > slow,
    })
}

/// What kind of market the last steps make.
pub(super) fn regime(config: &RegimeConfig, prices: &[f64]) -> Option<Reading> {
    let prices = &prices[prices.len().checked_sub(config.window + 1)?..];
    let steps: Vec<f64> = prices
        .windows(2)
        .map(|pair| pair[1] / pair[0] - 1.0)
        .collect();
    let usual = |steps: &[f64]| {
        let squares: f64 = steps.iter().map(|step| step * step).sum();
        (squares / steps.len() as f64).sqrt()
    };
    let share = |part: f64, whole: f64, else_: f64| if whole > 0.0 { part / whole } else { else_ };
    let (first, last) = (prices[0], prices[config.window]);
    let way: f64 = prices.windows(2).map(|it| (it[1] - it[0]).abs()).sum();
    let highest = prices.iter().copied().fold(first, f64::max);
    let lowest = prices.iter().copied().fold(first, f64::min);
    let efficiency = share((last - first).abs(), way, 0.0);
    let late = &steps[steps.len() - steps.len() / 4..];
    let burst = share(usual(late), usual(&steps), 1.0);
    let range = usual(&steps) * (steps.len() as f64).sqrt();
    let spread = share((highest - lowest) / first, range, 0.0);
    let rose = last >= first;
    let (word, sure) = match (rose, burst, efficiency) {
        (true, burst, _) if burst >= config.volatile => ("volatile_bull", 1.0 - 0.5 / burst),
        (false, burst, _) if burst >= config.volatile => ("volatile_bear", 1.0 - 0.5 / burst),
        (_, burst, _) if burst < config.quiet => ("breakout_potential", 1.0 - burst),
        (true, _, sure) if sure >= config.trending => ("trending_bull", sure),
        (false, _, sure) if sure >= config.trending => ("trending_bear", sure),
        (_, _, unsure) if spread < config.ranging => ("ranging", 1.0 - unsure),
        (_, _, unsure) => ("choppy", 1.0 - unsure),
    };
    Some((word, sure.clamp(0.0, 1.0)))
}

/// Whether those who came to trade rather bought or sold.
pub(super) fn mood(config: &FlowConfig, flow: &[f64]) -> Option<Reading> {
    let last = &flow[flow.len().checked_sub(config.window)?..];
    let (bought, sold): (Vec<f64>, Vec<f64>) = last.iter().partition(|size| **size > 0.0);
    let (bought, sold) = (bought.iter().sum::<f64>(), -sold.iter().sum::<f64>());
    let lean = (bought - sold).abs() / (bought + sold);
    Some(if lean < config.leaning {
        ("neutral", 1.0 - lean)
    } else {
        let word = match (bought > sold, lean >= config.strong) {
            (true, true) => "very_bullish",
            (true, false) => "bullish",
            (false, true) => "very_bearish",
            (false, false) => "bearish",
        };
        (word, lean)
    })
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Time;

    use super::*;
    use crate::agents::MarketView;
    use crate::amount::Amount;
    use crate::config::Config;
    use crate::domain_event::MarketTrade;
    use crate::invariants::agents::market::Market;
    use crate::message::Name;

    fn config() -> Config {
        let rules = json!({"trend": {"fast": 2, "slow": 4}, "regime": {"window": 8}, "flow": {"window": 5}});
        let plan = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"}, "agents": {"analysis": rules},
        });
        serde_json::from_value(plan).expect("the rest has defaults")
    }

    /// Whether the readings of the rules after these prices are those that are expected, with one of them changed.
    fn agree_after(prices: &[i64], change: impl Fn(&mut Value)) -> bool {
        let (config, symbol) = (config(), Name::fixed("BTC/USDT"));
        let rules = &config.agents.analysis;
        let mut view = MarketView::new(&config.symbols, rules, None).expect("windows fit");
        let mut market = Market::of(&config);
        for (second, price) in (0..).zip(prices) {
            let trade = MarketTrade {
                symbol: symbol.clone(),
                price: Amount::from_int(*price),
                size: Amount::from_int(1 + second % 3),
                taker_buys: Some(price % 2 == 0),
            };
            view.see_trade(&symbol, trade.price, trade.size, trade.taker_buys);
            market.see(&trade.into(), Time::from_secs(second as u64));
        }
        let word = |word: String, sure: f64| json!({"bias": word, "confidence": sure});
        let mut told = json!({
            "trend": view.trend(&symbol).map(|it| word(snake(it.bias), it.confidence)),
            "regime": view.regime(&symbol).map(|it| json!({"regime": snake(it.regime), "confidence": it.confidence})),
            "mood": view.mood(&symbol).map(|it| word(snake(it.mood), it.confidence)),
        });
        change(&mut told);
        let known = market.known(&symbol, Time::from_secs(1_000)).next();
        agree(rules, known.expect("there is one").newest, &told)
    }

    /// A variant as a message has it: `VeryBullish` is `very_bullish`.
    fn snake(variant: impl std::fmt::Debug) -> String {
        let mut word = String::new();
        for letter in format!("{variant:?}").chars() {
            if letter.is_uppercase() && !word.is_empty() {
                word.push('_');
            }
            word.push(letter.to_ascii_lowercase());
        }
        word
    }

    const PRICES: [i64; 12] = [100, 102, 101, 107, 109, 115, 114, 120, 131, 130, 129, 140];

    // Fails if the two ways to read a market come apart, or nothing is read before there is enough of it.
    #[test]
    fn both_ways_read_the_same() {
        for end in 0..PRICES.len() {
            assert!(agree_after(&PRICES[..end], |_| {}), "{end}");
        }
        assert!(agree_after(&[100; 12], |_| {}));
        let falling: Vec<i64> = PRICES.iter().rev().copied().collect();
        assert!(agree_after(&falling, |_| {}));
    }

    // Fails if a word or how sure it is may be another.
    #[test]
    fn another_reading_is_noticed() {
        for (field, word) in [("trend", "bias"), ("regime", "regime"), ("mood", "bias")] {
            assert!(!agree_after(&PRICES, |told| told[field][word] = "odd".into()));
            assert!(!agree_after(&PRICES, |told| told[field]["confidence"] = 0.123.into()));
            assert!(!agree_after(&PRICES, |told| told[field] = Value::Null));
        }
        assert!(!agree_after(&PRICES[..3], |told| told["mood"] =
            json!({"bias": "bullish"})));
    }
}

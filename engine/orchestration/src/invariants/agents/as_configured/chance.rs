//! What agents whose outputs are drawn from the seed may say.

use crate::agents::AgentsConfig;
use crate::config::TaskKind;
use crate::message::Payload;

/// How far a number may lie from the one that is expected, as a part of it.
const TOLERANCE: f64 = 1e-9;
/// What a wild trade may cost, in dollars.
const SIZES: [f64; 9] = [
    -50.0, 0.0, 40.0, 100.0, 250.0, 600.0, 1_500.0, 2_500.0, 7_000.0,
];
/// By how many percent its entry may be off the market.
const ENTRIES: [f64; 4] = [-0.25, 0.0, 0.25, 1.0];
/// How many percent its stop may be away from its entry, on the right side or the wrong one.
const STOPS: (f64, f64) = (-1.0, 8.0);
/// How many times as far its target may be.
const REWARDS: (f64, f64) = (-1.0, 3.0);

/// Whether an agent of this kind may say this at a price.
pub(super) fn fits(
    config: &AgentsConfig,
    kind: TaskKind,
    price: Option<f64>,
    said: &Payload,
) -> bool {
    let word = |name: &str| said.field(name).text().unwrap_or_default();
    let number = |name: &str| said.field(name).number().ok();
    let is_sure = number("confidence").is_some_and(|it| (0.0..=1.0).contains(&it));
    let has_word = match kind {
        TaskKind::TechnicalAnalysis => ["long", "short", "neutral"].contains(&word("bias")),
        TaskKind::SentimentAnalysis => {
            let known = [
                "neutral",
                "bullish",
                "bearish",
                "very_bullish",
                "very_bearish",
            ];
            known.contains(&word("bias"))
        }
        TaskKind::RegimeDetection => !word("regime").is_empty(),
        TaskKind::TradingDecision => price.is_some_and(|price| {
            let is_wild = config.wild_per_mille > 0;
            is_usual(price, &word, &number) || is_wild && is_wild_one(price, &word, &number)
        }),
        TaskKind::PortfolioRebalance => false,
    };
    is_sure && has_word
}

/// 100 dollars at the market, two percent of risk for four.
fn is_usual<'a>(
    price: f64,
    word: &impl Fn(&str) -> &'a str,
    number: &impl Fn(&str) -> Option<f64>,
) -> bool {
    let (below, above) = match word("action") {
        "BUY" | "HOLD" => (0.98, 1.04),
        "SELL" => (1.02, 0.96),
        _ => return false,
    };
    let is = |name: &str, expected: f64| number(name).is_some_and(|it| near(it, expected));
    let has_leverage = number("leverage").is_some_and(|it| [1.0, 2.0, 3.0].contains(&it));
    is("entry_price", price)
        && is("stop_loss", price * below)
        && is("take_profit", price * above)
        && is("size_usd", 100.0)
        && has_leverage
        && word("regime") == "ranging"
}

/// Too bold, too timid, or no good at all; never anything else.
fn is_wild_one<'a>(
    price: f64,
    word: &impl Fn(&str) -> &'a str,
    number: &impl Fn(&str) -> Option<f64>,
) -> bool {
    let up = if word("action") == "SELL" { -1.0 } else { 1.0 };
    let Some(entry) = number("entry_price") else {
        return false;
    };
    let off = (entry / price - 1.0) * 100.0;
    let away = |level: f64, up: f64| up * (level / entry - 1.0) * 100.0;
    let within = |number: f64, (least, most): (f64, f64)| {
        (least - TOLERANCE..=most + TOLERANCE).contains(&number)
    };
    let stop = number("stop_loss").map(|stop| away(stop, -up));
    let target = number("take_profit").map(|target| away(target, up));
    let widest = (REWARDS.0 * STOPS.1, REWARDS.1 * STOPS.1);
    ["BUY", "SELL", "HOLD"].contains(&word("action"))
        && ENTRIES.iter().any(|pct| (off - pct).abs() < 1e-6)
        && stop.is_none_or(|stop| within(stop, STOPS))
        && target.is_none_or(|target| match stop {
            Some(stop) => within(target / stop.abs(), REWARDS),
            None => within(target, widest),
        })
        && number("size_usd").is_none_or(|size| SIZES.contains(&size))
        && number("leverage").is_none_or(|leverage| within(leverage, (0.0, 7.0)))
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= TOLERANCE * other.abs()
}

//! Prices that come as they may, and prices that do not.

use serde_json::json;

use super::*;
use crate::amount::Amount;
use crate::invariants::planted::{Planted, fault};

const SYMBOL: Name = Name::fixed("BTC/USDT");

/// A market that trades every ten seconds and moves by one percent at most, with a jump at 30 seconds.
fn begun() -> Planted {
    let market = json!({
        "source": "generated", "interval_ms": 10_000, "symbols": [{
            "symbol": "BTC/USDT", "start_price": 100, "tick_size": "0.1", "trade_size": 2,
            "volatility_bp": "16.6666",
        }],
        "jumps": [{"at_ms": 29_000, "symbol": "BTC/USDT", "percent": -50}],
    });
    let sections = json!({"symbols": ["BTC/USDT"], "market": market});
    let system = serde_json::from_value(sections).expect("it is one");
    let mut plan = Plan::of("planted", system);
    plan.faults.quiet_from = Some(Time::from_secs(100));
    Planted::of(AsWritten::new(&plan)).then(trade("100", true))
}

fn trade(price: &str, taker_buys: bool) -> MarketTrade {
    MarketTrade {
        symbol: SYMBOL,
        price: price.parse().expect("it is a price"),
        size: Amount::from_int(2),
        taker_buys: Some(taker_buys),
    }
}

// Fails if a price may leap, lie between two ticks, come at another time, twice or in another size.
#[test]
fn a_price_moves_as_it_may() {
    begun().at(10.0).then(trade("101.1", true)).holds();
    begun().at(10.0).then(trade("99.0", false)).holds();
    for (at, price, buys) in [
        (10.0, "101.3", true),
        (10.0, "98.7", false),
        (10.0, "100.25", true),
        (10.0, "100.5", false),
        (10.0, "99.5", true),
        (10.1, "100", true),
        (0.0, "100", true),
        (20.0, "100", true),
    ] {
        begun().at(at).then(trade(price, buys)).violated();
    }
    let other = MarketTrade {
        size: Amount::ONE,
        ..trade("100", true)
    };
    begun().at(10.0).then(other).violated();
    let other = MarketTrade {
        symbol: Name::fixed("XRP/USDT"),
        ..trade("100", true)
    };
    begun().at(10.0).then(other).violated();
}

// Fails if a jump may come early, late or not at all.
#[test]
fn a_jump_comes_at_its_time() {
    let calm = || {
        let first = begun().at(10.0).then(trade("100", true));
        first.at(20.0)
    };
    calm().then(trade("50", false)).violated();
    let until = || calm().then(trade("100", true)).at(30.0);
    until().then(trade("50", false)).holds();
    until().then(trade("100", true)).violated();
    let after = until().then(trade("50", false)).at(40.0);
    after.then(trade("50", true)).holds();
}

// Fails if a price that is kept back needs no fault, or longer than its fault says.
#[test]
fn what_does_not_come_was_kept_back() {
    for door in ["market.gap", "market.stale"] {
        let silent = |seconds| begun().at(20.0).kernel(fault(door, seconds));
        silent(5).then(trade("100", true)).holds();
        let later = |seconds| silent(seconds).then(trade("100", true));
        later(60).at(60.0).then(trade("50", false)).holds();
        later(15).at(60.0).then(trade("50", false)).violated();
        later(600).at(120.0).then(trade("50", false)).violated();
    }
    let other = begun().at(20.0).kernel(fault("market.crash", 5));
    other.then(trade("95", false)).violated();
}

// Fails if a crash may be of another depth, a price that is none be one, or either last.
#[test]
fn what_befalls_a_price_is_seen_in_it() {
    let crash = || begun().at(10.0).kernel(fault("market.crash", 40));
    crash().then(trade("60.03", false)).holds();
    crash().then(trade("100", true)).violated();
    crash().then(trade("40", false)).violated();
    let after = crash().then(trade("60", false)).at(20.0);
    after.then(trade("100", true)).holds();
    let none = || begun().at(10.0).kernel(fault("market.bad-price", 1));
    none().then(trade("-100", false)).holds();
    none().then(trade("100", true)).violated();
    begun().at(10.0).then(trade("0", false)).violated();
}

// Fails if a bar may have a price outside of its own bounds, or less than nothing in it.
#[test]
fn a_bar_is_one() {
    let sections = json!({"symbols": ["BTC/USDT"], "market": {"source": "none"}});
    let system: Config = serde_json::from_value(sections).expect("it is one");
    let begun = || Planted::of(AsWritten::new(&Plan::of("planted", system.clone())));
    let bar = |open, high, low, close, volume| MarketBar {
        symbol: SYMBOL,
        open: Amount::from_int(open),
        high: Amount::from_int(high),
        low: Amount::from_int(low),
        close: Amount::from_int(close),
        volume: Amount::from_int(volume),
    };
    begun().then(bar(5, 6, 4, 5, 0)).holds();
    begun().then(bar(4, 4, 4, 4, 1)).holds();
    for wrong in [
        bar(7, 6, 4, 5, 1),
        bar(3, 6, 4, 5, 1),
        bar(5, 6, 4, 7, 1),
        bar(5, 6, 4, 3, 1),
        bar(5, 6, 0, 5, 1),
        bar(5, 6, 4, 5, -1),
    ] {
        begun().then(wrong).violated();
    }
    let none = || begun().kernel(fault("market.bad-price", 0));
    none().then(bar(0, 0, 0, 0, 1)).holds();
    none().then(bar(5, 6, 4, 5, 1)).violated();
}

// Fails if a price that cannot rise any further is expected to jump back from where it did not come.
#[test]
fn a_price_has_a_lowest_and_a_highest() {
    let market = json!({
        "source": "generated", "interval_ms": 10_000, "symbols": [{
            "symbol": "BTC/USDT", "start_price": "1000000000000", "tick_size": 1, "trade_size": 2,
        }],
        "jumps": [
            {"at_ms": 2_000, "symbol": "BTC/USDT", "percent": -50},
            {"at_ms": 1_000, "symbol": "BTC/USDT", "percent": 900},
        ],
    });
    let sections = json!({"symbols": ["BTC/USDT"], "market": market});
    let plan = Plan::of(
        "planted",
        serde_json::from_value(sections).expect("it is one"),
    );
    let begun = || Planted::of(AsWritten::new(&plan)).then(trade("1000000000000", true));
    let jumped = begun().at(10.0);
    jumped.then(trade("500000000000", false)).holds();
    let jumped = begun().at(10.0);
    jumped.then(trade("900000000000", false)).violated();
}

//! Accounts that add up, and one planted mistake of each kind.

use super::*;
use crate::amount::Amount;
use crate::invariants::money::planted::config;
use crate::invariants::planted::Planted;

/// An account with 10,000 USDT, and no fees.
fn log() -> Planted {
    let mut config = config();
    for rules in config.markets.pairs.values_mut() {
        rules.fee_pct = Amount::ZERO;
    }
    Planted::of(Conserved::new(&config))
}

fn int(amount: i64) -> Amount {
    Amount::from_int(amount)
}

/// One BTC at 4,000.
fn fill(side: &str, leverage: i64, position: Option<u64>) -> Filled {
    Filled {
        execution: 1,
        order: if position.is_none() {
            "order-1"
        } else {
            "close"
        }
        .into(),
        intent: None,
        position,
        ordered: int(1),
        leverage,
        symbol: "BTC/USDT".into(),
        side: side.into(),
        size: int(1),
        price: int(4_000),
        fee: Amount::ZERO,
        margin: leverage > 1,
    }
}

fn balance(asset: &str, balance: i64, reserved: i64) -> BalanceChanged {
    BalanceChanged {
        asset: asset.into(),
        balance: int(balance),
        reserved: int(reserved),
    }
}

fn opened(leverage: i64, reserved: i64) -> PositionOpened {
    PositionOpened {
        position: 1,
        order: "order-1".into(),
        symbol: "BTC/USDT".into(),
        side: "buy".into(),
        size: int(1),
        entry_price: int(4_000),
        leverage,
        reserved: int(reserved),
    }
}

fn closed(price: i64, leverage: i64) -> PositionClosed {
    PositionClosed {
        position: 1,
        size: int(1),
        price: int(price),
        profit: int((price - 4_000) * leverage),
        reason: "stop_loss".into(),
    }
}

fn closing(price: i64, leverage: i64) -> Filled {
    Filled {
        price: int(price),
        ..fill("sell", leverage, Some(1))
    }
}

/// A spot position is open.
fn spot() -> Planted {
    log()
        .then(fill("buy", 1, None))
        .then(balance("BTC", 1, 0))
        .then(balance("USDT", 6_000, 0))
        .then(opened(1, 0))
}

/// A position on margin is open.
fn margin() -> Planted {
    log()
        .then(fill("buy", 2, None))
        .then(balance("USDT", 10_000, 2_000))
        .then(opened(2, 2_000))
}

#[test]
fn what_is_bought_and_sold_again_adds_up() {
    spot()
        .then(closing(3_000, 1))
        .then(balance("BTC", 0, 0))
        .then(balance("USDT", 9_000, 0))
        .then(closed(3_000, 1))
        .holds();
    margin()
        .then(closing(3_000, 2))
        .then(balance("USDT", 8_000, 0))
        .then(closed(3_000, 2))
        .holds();
}

#[test]
fn a_loss_takes_no_more_than_there_is() {
    let mut deep = closed(1, 5);
    deep.size = int(1);
    log()
        .then(Filled {
            price: int(4_000),
            ..fill("buy", 5, None)
        })
        .then(balance("USDT", 10_000, 800))
        .then(opened(5, 800))
        .then(closing(1, 5))
        .then(balance("USDT", 0, 0))
        .then(deep)
        .holds();
}

#[test]
fn a_balance_that_is_off_by_anything_is_noticed() {
    let bought = || log().then(fill("buy", 1, None)).then(balance("BTC", 1, 0));
    let wrong = bought().then(balance("USDT", 6_001, 0)).violated();
    assert_eq!(wrong, "expected a balance of 6000 USDT, found 6001");
    let missing = bought().then(fill("buy", 1, None)).violated();
    assert!(missing.contains("the balance of USDT"), "{missing}");
    let reserved = log().then(fill("buy", 2, None));
    let reserved = reserved.then(balance("USDT", 10_000, 0)).violated();
    assert!(reserved.contains("to be reserved"), "{reserved}");
}

#[test]
fn a_fee_that_nobody_charges_is_noticed() {
    let dear = Filled {
        fee: int(1),
        ..fill("buy", 1, None)
    };
    assert_eq!(log().then(dear).violated(), "expected a fee of 0, found 1");
}

#[test]
fn the_table_says_what_is_spot_and_what_is_margin() {
    let leveraged = Filled {
        margin: false,
        ..fill("buy", 2, None)
    };
    assert!(
        log()
            .then(leveraged)
            .violated()
            .contains("a trade on margin")
    );
    let short = fill("sell", 1, None);
    assert!(log().then(short).violated().contains("a trade on margin"));
    let covered = Filled {
        margin: true,
        ..fill("buy", 1, None)
    };
    assert!(log().then(covered).violated().contains("an exchange of"));
    let nobody = log().then(fill("buy", 2, None));
    let nobody = nobody.then(balance("USDT", 10_000, 2_000));
    let nobody = nobody.then(fill("buy", 1, None)).violated();
    assert!(
        nobody.contains("a position for a trade on margin"),
        "{nobody}"
    );
}

#[test]
fn a_position_that_is_not_settled_is_noticed() {
    let spot = spot().then(closed(3_000, 1)).violated();
    assert!(spot.contains("exchange 1 back"), "{spot}");
    let margin = margin().then(closed(3_000, 2)).violated();
    assert!(margin.contains("give the margin back"), "{margin}");
}

#[test]
fn a_position_is_settled_at_its_price_and_size_and_profit() {
    let sold = || {
        spot()
            .then(closing(3_000, 1))
            .then(balance("BTC", 0, 0))
            .then(balance("USDT", 9_000, 0))
    };
    let price = sold().then(closed(3_001, 1)).violated();
    assert!(price.contains("at 3001"), "{price}");
    let mut earned = closed(3_000, 1);
    earned.profit = int(5);
    assert!(sold().then(earned).violated().contains("a profit of -1000"));
    let untold = sold().then(fill("buy", 1, None)).violated();
    assert!(untold.contains("to be closed by its execution"), "{untold}");
    let wrong_way = spot().then(fill("buy", 1, Some(1))).violated();
    assert!(wrong_way.contains("opposite trade"), "{wrong_way}");
    assert!(
        log()
            .then(closed(1, 1))
            .violated()
            .contains("an open position")
    );
}

#[test]
fn a_position_is_what_was_traded() {
    let traded = || {
        log()
            .then(fill("buy", 1, None))
            .then(balance("BTC", 1, 0))
            .then(balance("USDT", 6_000, 0))
    };
    let other = traded().then(opened(3, 0)).violated();
    assert!(other.contains("found another"), "{other}");
    let again = traded().then(opened(1, 0)).then(opened(1, 0)).violated();
    assert!(again.contains("an execution before a position"), "{again}");
}

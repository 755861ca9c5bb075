//! What the sound paper exchange does where the defects do otherwise. Most tests show both.

use std::collections::BTreeMap;

use super::*;
use crate::amount::Amount;
use crate::defect::{Defects, Profile};
use crate::symbol::{Markets, Side};

const SECOND_US: i64 = 1_000_000;

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// 10,000 USDT and 0.5 BTC; BTC at 50,000, XRP at 0.5, no slippage, all quoted now.
fn exchange(defects: Defects) -> PaperExecutor {
    let balances = [("USDT", "10000"), ("BTC", "0.5"), ("XRP", "0")];
    let config = PaperConfig {
        initial_balance: balances
            .map(|(asset, balance)| (asset.to_owned(), amount(balance)))
            .into(),
        simulated_slippage_pct: Amount::ZERO,
        ..PaperConfig::default()
    };
    let prices = PriceSource::new(PriceSourceConfig::default(), defects);
    let book = PositionBook::default();
    let mut exchange = PaperExecutor::new(config, Markets::default(), prices, book, defects);
    for (symbol, price) in [
        ("BTC/USDT", "50000"),
        ("XRP/USDT", "0.5"),
        ("XRP/BTC", "0.00001"),
    ] {
        push(&mut exchange, 0, symbol, price);
    }
    exchange
}

fn push(exchange: &mut PaperExecutor, at_us: i64, symbol: &str, price: &str) -> Vec<Outcome> {
    let price = amount(price);
    exchange
        .push_price(at_us, symbol, price, at_us, &mut certain)
        .unwrap()
}

/// Draws that change nothing: no partial fills, and slippage is zero anyway.
fn certain(_: Draw) -> f64 {
    1.0
}

fn signal(symbol: &str, side: Side, size_usd: i64, leverage: i64) -> TradeRequest {
    TradeRequest {
        intent: IntentId("signal-1".to_owned()),
        symbol: symbol.to_owned(),
        side,
        size_usd: Amount::from_int(size_usd),
        entry_price: None,
        leverage,
        stop_loss: None,
        take_profit: None,
        purpose: Purpose::Signal,
    }
}

fn trade(exchange: &mut PaperExecutor, now_us: i64, request: TradeRequest) -> Outcome {
    let prepared = exchange.prepare(now_us, request).unwrap();
    exchange.complete(now_us, prepared, &mut certain)
}

fn balance(exchange: &PaperExecutor, asset: &str) -> Amount {
    exchange.portfolio().balance(asset)
}

/// Balances less everything that the fills did, which must be the initial balances; and every
/// reservation within its balance.
fn assert_conserved(exchange: &PaperExecutor) {
    let mut left: BTreeMap<&str, Amount> = BTreeMap::new();
    for (asset, holding) in exchange.portfolio().holdings() {
        assert!(!holding.balance.is_negative() && holding.reserved <= holding.balance);
        left.insert(asset, holding.balance);
    }
    for change in exchange.fills().flat_map(|fill| &fill.changes) {
        let before = left.get_mut(change.asset.as_str()).unwrap();
        *before = before.minus(change.balance).unwrap();
    }
    for (asset, initial) in &exchange.config.initial_balance {
        assert_eq!(left[asset.as_str()], *initial, "{asset}");
    }
}

#[test]
fn a_spot_position_is_exchanged_back_when_it_closes() {
    let mut sound = exchange(Defects::NONE);
    let opened = trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 5_000, 1));
    let position = opened.position.unwrap();
    assert_eq!(position.backing, Backing::Spot);
    assert_eq!(balance(&sound, "BTC"), amount("0.6"));
    assert_eq!(
        balance(&sound, "USDT"),
        amount("4987"),
        "5000 and a fee of 13"
    );

    let price = amount("60000");
    let closed = sound
        .close_position(SECOND_US, position.id, price, CloseReason::Manual)
        .unwrap()
        .unwrap();
    assert_eq!(closed.closed.realized_pnl, amount("1000"));
    assert_eq!(balance(&sound, "BTC"), amount("0.5"));
    assert_eq!(
        balance(&sound, "USDT"),
        amount("10971.4"),
        "6000 less a fee of 15.6"
    );
    assert_conserved(&sound);
}

#[test]
fn the_defect_closes_without_touching_the_balances() {
    let mut broken = exchange(Profile::ReviewFixed.defects());
    let opened = trade(&mut broken, 0, signal("BTC/USDT", Side::Buy, 5_000, 1));
    let before = broken.portfolio().clone();
    let id = opened.position.unwrap().id;
    let closed = broken
        .close_position(SECOND_US, id, amount("60000"), CloseReason::Manual)
        .unwrap()
        .unwrap();
    assert_eq!(closed.fill, None);
    assert_eq!(*broken.portfolio(), before);
}

#[test]
fn a_leveraged_position_reserves_its_margin_and_gives_it_back_with_the_profit() {
    let mut sound = exchange(Defects::NONE);
    let opened = trade(&mut sound, 0, signal("BTC/USDT", Side::Sell, 5_000, 2));
    let position = opened.position.unwrap();
    let reserved = amount("2500");
    assert_eq!(position.backing, Backing::Margin { reserved });
    assert_eq!(balance(&sound, "BTC"), amount("0.5"), "nothing was sold");
    assert_eq!(sound.portfolio().available("USDT"), amount("7487"));

    push(&mut sound, SECOND_US, "BTC/USDT", "49000");
    assert_eq!(
        sound.equity(SECOND_US).unwrap(),
        amount("34687"),
        "with 200 unrealised"
    );
    let closed = sound
        .close_position(SECOND_US, position.id, amount("49000"), CloseReason::Manual)
        .unwrap()
        .unwrap();
    assert_eq!(closed.closed.realized_pnl, amount("200"));
    assert_eq!(sound.portfolio().available("USDT"), amount("10174.26"));
    assert_conserved(&sound);
}

/// Margins with more decimals than a sum of them can have would leave the second less than it gives back.
#[test]
fn a_third_of_a_value_as_margin_does_not_keep_another_position_from_being_closed() {
    let mut exchange = exchange(Defects::NONE);
    push(&mut exchange, 0, "BTC/USDT", "45245.91");
    push(&mut exchange, 0, "XRP/USDT", "0.61534");
    for (symbol, side, leverage) in [("BTC/USDT", Side::Buy, 2), ("XRP/USDT", Side::Sell, 3)] {
        let opened = trade(&mut exchange, 0, signal(symbol, side, 100, leverage));
        assert_eq!(opened.result, Ok(Progress::Filled));
    }
    for position in [2, 1] {
        let symbol = &exchange.positions.get(PositionId(position)).unwrap().symbol;
        let price = amount(if symbol == "BTC/USDT" {
            "44000"
        } else {
            "0.63"
        });
        let closed = exchange.close_position(0, PositionId(position), price, CloseReason::StopLoss);
        assert!(closed.unwrap().is_some(), "position {position}");
    }
    assert_eq!(exchange.portfolio().holding("USDT").reserved, Amount::ZERO);
}

#[test]
fn half_of_a_margin_position_gives_back_half_of_its_margin() {
    let mut sound = exchange(Defects::NONE);
    trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 5_000, 2));
    let closed = sound.reduce_all(0, amount("50"), None, CloseReason::Emergency);
    assert!(closed.iter().all(|(_, result)| result.is_ok()));
    let rest = sound.positions.open_positions().next().unwrap();
    assert_eq!(rest.size, amount("0.05"));
    assert_eq!(sound.portfolio().holding("USDT").reserved, amount("1250"));
    sound.reduce_all(0, Amount::HUNDRED, None, CloseReason::Emergency);
    assert_eq!(sound.positions.open_positions().count(), 0);
    assert_eq!(sound.portfolio().holding("USDT").reserved, Amount::ZERO);
    assert_conserved(&sound);
}

#[test]
fn a_loss_beyond_everything_leaves_nothing_and_no_debt() {
    let mut sound = exchange(Defects::NONE);
    let opened = trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 30_000, 5));
    let id = opened.position.unwrap().id;
    let price = amount("40000");
    let closed = sound
        .close_position(0, id, price, CloseReason::StopLoss)
        .unwrap()
        .unwrap();
    assert_eq!(
        closed.fill.unwrap().fee,
        Amount::ZERO,
        "nothing is left to charge"
    );
    assert_eq!(balance(&sound, "USDT"), Amount::ZERO);
    assert_conserved(&sound);
}

#[test]
fn a_spot_close_trades_no_more_than_is_left() {
    let mut sound = exchange(Defects::NONE);
    let opened = trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 5_000, 1));
    let sell = TradeRequest {
        purpose: Purpose::Rebalance,
        ..signal("BTC/USDT", Side::Sell, 29_000, 1)
    };
    let sold = trade(&mut sound, 0, sell);
    assert_eq!((sold.result, sold.position), (Ok(Progress::Filled), None));
    let id = opened.position.unwrap().id;
    let closed = sound
        .close_position(0, id, amount("50000"), CloseReason::Manual)
        .unwrap()
        .unwrap();
    assert_eq!(closed.fill.unwrap().size, amount("0.02"));
    assert_eq!(sound.positions.open_positions().count(), 0);
    assert_conserved(&sound);
}

#[test]
fn a_rebalancing_never_borrows() {
    let mut sound = exchange(Defects::NONE);
    let sell = TradeRequest {
        purpose: Purpose::Rebalance,
        ..signal("XRP/USDT", Side::Sell, 100, 1)
    };
    let outcome = trade(&mut sound, 0, sell);
    assert!(matches!(
        outcome.result,
        Err(ExecutionError::InsufficientBalance(_))
    ));
    assert_eq!(outcome.order.unwrap().status, OrderStatus::Rejected);
}

#[test]
fn the_risk_engine_is_told_what_is_free_and_what_was_earned() {
    let mut sound = exchange(Defects::NONE);
    trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 3_500, 2));
    let (day, week) = (amount("35000"), amount("34000"));
    let (account, _) = sound.account(0, Some(day), Some(week)).unwrap();
    assert_eq!(account.equity, amount("34990.9"), "a fee of 9.1");
    assert_eq!(
        account.available_margin,
        amount("8240.9"),
        "a margin of 1750"
    );
    assert_eq!(
        (account.daily_pnl, account.weekly_pnl),
        (amount("-9.1"), amount("990.9"))
    );
    assert_eq!(account.open_positions, 1);
}

#[test]
fn a_trailing_stop_is_activated_by_the_leveraged_profit_and_then_follows() {
    let rules = TrailingRules {
        enabled: true,
        ..TrailingRules::default()
    };
    let mut book = PositionBook::new(rules);
    let new = NewPosition {
        order: None,
        symbol: "BTC/USDT".to_owned(),
        direction: Direction::Long,
        size: Amount::ONE,
        entry_price: amount("50000"),
        leverage: 2,
        stop_loss: None,
        take_profit: None,
        trailing: true,
        backing: Backing::Spot,
    };
    let id = book.open(0, new).unwrap().id;
    let mut stop_at = |price: &str| {
        book.set_price("BTC/USDT", amount(price)).unwrap();
        book.trail().unwrap();
        book.get(id).unwrap().stop_loss
    };
    assert_eq!(stop_at("50250"), None, "0.5 % at leverage 2 activates it");
    assert_eq!(stop_at("50400"), Some(amount("49644")));
    assert_eq!(stop_at("50300"), Some(amount("49644")));
}

#[test]
fn a_position_is_validated_before_anything_is_paid() {
    let too_much = signal("BTC/USDT", Side::Buy, 1_000, 6);
    let mut sound = exchange(Defects::NONE);
    let refused = sound.prepare(0, too_much.clone()).unwrap_err();
    assert_eq!(refused, ExecutionError::LeverageLimit(6));
    assert_eq!(sound.fills().count(), 0);

    let mut broken = exchange(Profile::ReviewFixed.defects());
    let outcome = trade(&mut broken, 0, too_much);
    assert_eq!(outcome.result, Err(ExecutionError::LeverageLimit(6)));
    assert_eq!(broken.fills().count(), 1, "paid for all the same");
}

#[test]
fn a_resting_order_is_filled_when_its_price_comes() {
    let buy_lower = TradeRequest {
        entry_price: Some(amount("49000")),
        stop_loss: Some(amount("48000")),
        ..signal("BTC/USDT", Side::Buy, 4_900, 1)
    };
    let mut sound = exchange(Defects::NONE);
    let placed = trade(&mut sound, 0, buy_lower.clone());
    assert_eq!(placed.result, Ok(Progress::Resting));
    assert_eq!(push(&mut sound, SECOND_US, "BTC/USDT", "49500"), []);
    let filled = push(&mut sound, 2 * SECOND_US, "BTC/USDT", "48900");
    let position = filled[0].position.as_ref().unwrap();
    assert_eq!(position.entry_price, amount("49000"));
    assert_eq!(position.stop_loss, Some(amount("48000")));
    let stats = sound.stats();
    assert_eq!((stats.placed, stats.filled, stats.rejected), (1, 1, 0));
    assert_eq!(push(&mut sound, 3 * SECOND_US, "BTC/USDT", "48800"), []);
    let status = sound.find(&IntentId("signal-1".to_owned())).unwrap().status;
    assert_eq!(status, OrderStatus::Filled);

    let mut broken = exchange(Profile::ReviewFixed.defects());
    let failed = trade(&mut broken, 0, buy_lower);
    assert_eq!(failed.result, Err(ExecutionError::NotFilled));
    assert_eq!(push(&mut broken, SECOND_US, "BTC/USDT", "48900"), []);
    assert_eq!(broken.resting_orders().count(), 1);
}

#[test]
fn a_cancelled_order_is_not_filled() {
    let mut sound = exchange(Defects::NONE);
    let sell_higher = TradeRequest {
        entry_price: Some(amount("51000")),
        ..signal("BTC/USDT", Side::Sell, 5_100, 1)
    };
    let id = trade(&mut sound, 0, sell_higher).order.unwrap().id;
    assert_eq!(sound.cancel(id).unwrap().status, OrderStatus::Cancelled);
    assert_eq!(push(&mut sound, SECOND_US, "BTC/USDT", "52000"), []);
    assert_eq!(sound.cancel(id), None);
}

#[test]
fn dollars_become_bitcoin_before_they_buy_xrp() {
    let size = |defects| {
        let mut exchange = exchange(defects);
        let buy = signal("XRP/BTC", Side::Buy, 500, 1);
        exchange.prepare(0, buy).unwrap().terms.size
    };
    assert_eq!(
        size(Defects::NONE),
        amount("1000"),
        "500 dollars are 0.01 BTC"
    );
    assert_eq!(size(Profile::ReviewFixed.defects()), amount("50000000"));
}

#[test]
fn a_price_that_has_gone_stale_fills_nothing() {
    let mut sound = exchange(Defects::NONE);
    let prepared = sound
        .prepare(0, signal("BTC/USDT", Side::Buy, 1_000, 1))
        .unwrap();
    let outcome = sound.complete(61 * SECOND_US, prepared, &mut certain);
    assert_eq!(
        outcome.result,
        Err(ExecutionError::NoPrice("BTC/USDT".to_owned()))
    );
    assert_eq!(outcome.order.unwrap().status, OrderStatus::Error);
}

#[test]
fn exposure_is_a_share_of_equity_and_counts_what_rests() {
    let exposures = |defects| {
        let mut exchange = exchange(defects);
        trade(&mut exchange, 0, signal("BTC/USDT", Side::Buy, 3_500, 2));
        let rests = TradeRequest {
            entry_price: Some(amount("0.4")),
            ..signal("XRP/USDT", Side::Buy, 700, 1)
        };
        trade(&mut exchange, 0, rests);
        exchange.exposure(0, Amount::from_int(35_000)).unwrap()
    };
    let sound = exposures(Defects::NONE);
    assert_eq!(sound.by_symbol["BTC/USDT"], 20.0);
    assert_eq!((sound.by_symbol["XRP/USDT"], sound.total_pct), (2.0, 22.0));
    let broken = exposures(Profile::ReviewFixed.defects());
    assert_eq!(
        broken.by_symbol,
        BTreeMap::from([("BTC/USDT".to_owned(), 100.0)])
    );
}

#[test]
fn a_position_counts_at_the_price_that_opened_it() {
    let mut sound = exchange(Defects::NONE);
    let dear = TradeRequest {
        entry_price: Some(amount("51000")),
        ..signal("BTC/USDT", Side::Buy, 5_100, 2)
    };
    push(&mut sound, 0, "BTC/USDT", "50000");
    trade(&mut sound, 0, dear);
    let at_once = sound.equity(0).unwrap();
    push(&mut sound, 0, "BTC/USDT", "50000");
    assert_eq!(at_once, sound.equity(0).unwrap());
}

#[test]
fn stop_and_target_close_at_the_price_that_was_seen() {
    let mut sound = exchange(Defects::NONE);
    let with_levels = TradeRequest {
        stop_loss: Some(amount("49000")),
        take_profit: Some(amount("52000")),
        ..signal("BTC/USDT", Side::Buy, 5_000, 2)
    };
    trade(&mut sound, 0, with_levels);
    assert!(sound.close_due(0).is_empty());
    push(&mut sound, SECOND_US, "BTC/USDT", "52500");
    let (_, closed) = sound.close_due(SECOND_US).remove(0);
    let closed = closed.unwrap().closed;
    assert_eq!(
        (closed.reason, closed.exit_price),
        (CloseReason::TakeProfit, amount("52500"))
    );
    assert!(closed.won());
    assert_conserved(&sound);
}

#[test]
fn a_closed_position_is_shown_as_messages_show_it() {
    let mut sound = exchange(Defects::NONE);
    trade(&mut sound, 100_000, signal("BTC/USDT", Side::Buy, 5_000, 2));
    let (_, closed) = sound
        .reduce_all(SECOND_US, Amount::HUNDRED, None, CloseReason::Manual)
        .remove(0);
    let payload = closed.unwrap().closed.payload(1_736_121_600_000_000);
    assert_eq!(payload["opened_at"], "2025-01-06T00:00:00.100000+00:00");
    assert_eq!(payload["closed_at"], "2025-01-06T00:00:01.000000+00:00");
    assert_eq!(
        (&payload["status"], &payload["side"]),
        (&"closed".into(), &"long".into())
    );
    assert_eq!(payload["realized_pnl"], "0");
}

#[test]
fn history_is_bounded() {
    let mut sound = exchange(Defects::NONE);
    sound.config.max_trade_history = 2;
    for _ in 0..4 {
        trade(&mut sound, 0, signal("BTC/USDT", Side::Buy, 100, 1));
    }
    let ids: Vec<u64> = sound.fills().map(|fill| fill.execution.0).collect();
    assert_eq!(ids, [3, 4]);
    assert_eq!(sound.stats().trade_count, 4);
}

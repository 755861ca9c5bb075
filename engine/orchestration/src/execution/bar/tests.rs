//! What a bar does to positions and resting orders: in doubt, what is worse.

use super::super::{
    IntentId, PaperConfig, PositionBook, PriceSource, PriceSourceConfig, Progress, Purpose,
    TradeRequest, TrailingRules,
};
use super::*;
use crate::defect::Defects;
use crate::symbol::Markets;

fn exchange() -> PaperExecutor {
    let config = PaperConfig {
        initial_balance: [("USDT", 10_000), ("BTC", 10)]
            .map(|(asset, balance)| (asset.to_owned(), Amount::from_int(balance)))
            .into(),
        simulated_slippage_pct: Amount::ZERO,
        ..PaperConfig::default()
    };
    let prices = PriceSource::new(PriceSourceConfig::default(), Defects::NONE);
    let book = PositionBook::new(TrailingRules::default());
    let mut exchange = PaperExecutor::new(config, Markets::default(), prices, book, Defects::NONE);
    push(&mut exchange, 0, [100, 100, 100, 100]);
    exchange
}

fn push(
    exchange: &mut PaperExecutor,
    at_us: i64,
    [open, high, low, close]: [i64; 4],
) -> BarOutcome {
    let bar = MarketBar {
        symbol: "BTC/USDT".into(),
        open: Amount::from_int(open),
        high: Amount::from_int(high),
        low: Amount::from_int(low),
        close: Amount::from_int(close),
        volume: Amount::ONE,
    };
    exchange.push_bar(at_us, &bar, &mut |_| 1.0).unwrap()
}

/// Opens a position of 1,000 dollars at 100, with a stop and a target 10 away.
fn open(exchange: &mut PaperExecutor, side: Side, limit: Option<i64>) -> Outcome {
    let entry = limit.unwrap_or(100);
    let way = if side == Side::Buy { 1 } else { -1 };
    let request = TradeRequest {
        intent: IntentId("signal-1".to_owned()),
        symbol: "BTC/USDT".to_owned(),
        side,
        size_usd: Amount::from_int(1_000),
        entry_price: limit.map(Amount::from_int),
        leverage: 1,
        stop_loss: Some(Amount::from_int(entry - way * 10)),
        take_profit: Some(Amount::from_int(entry + way * 10)),
        purpose: Purpose::Signal,
    };
    let prepared = exchange.prepare(1, request).unwrap();
    exchange.complete(1, prepared, &mut |_| 1.0)
}

fn ends(side: Side, bar: [i64; 4]) -> Option<(i64, CloseReason, usize)> {
    let mut exchange = exchange();
    open(&mut exchange, side, None);
    let done = push(&mut exchange, 60, bar);
    let (_, closed) = done.closed.first()?;
    let closed = &closed.as_ref().unwrap().closed;
    let price = closed.exit_price.to_f64() as i64;
    Some((price, closed.reason, done.doubtful.len()))
}

/// A position that leaves at another price, or for another reason, fails here.
#[test]
fn a_long_leaves_where_the_bar_touched_its_stop_or_target() {
    let ends = |bar| ends(Side::Buy, bar);
    assert_eq!(ends([100, 105, 95, 101]), None);
    assert_eq!(
        ends([100, 105, 90, 101]),
        Some((90, CloseReason::StopLoss, 0))
    );
    assert_eq!(
        ends([100, 110, 95, 101]),
        Some((110, CloseReason::TakeProfit, 0))
    );
    assert_eq!(
        ends([80, 85, 75, 82]),
        Some((80, CloseReason::StopLoss, 0)),
        "opened below its stop"
    );
    assert_eq!(
        ends([120, 125, 115, 118]),
        Some((120, CloseReason::TakeProfit, 0)),
        "opened above its target"
    );
}

#[test]
fn a_short_leaves_the_other_way_round() {
    let ends = |bar| ends(Side::Sell, bar);
    assert_eq!(
        ends([100, 110, 95, 101]),
        Some((110, CloseReason::StopLoss, 0))
    );
    assert_eq!(
        ends([100, 105, 90, 101]),
        Some((90, CloseReason::TakeProfit, 0))
    );
    assert_eq!(
        ends([120, 125, 115, 118]),
        Some((120, CloseReason::StopLoss, 0))
    );
    assert_eq!(
        ends([80, 85, 75, 82]),
        Some((80, CloseReason::TakeProfit, 0))
    );
}

/// If the target were taken where both were touched, or nobody counted it, this fails.
#[test]
fn of_stop_and_target_in_one_bar_the_stop_is_taken_and_counted() {
    let both = [100, 115, 85, 101];
    assert_eq!(ends(Side::Buy, both), Some((90, CloseReason::StopLoss, 1)));
    assert_eq!(
        ends(Side::Sell, both),
        Some((110, CloseReason::StopLoss, 1))
    );
    // At the open there is no doubt.
    assert_eq!(
        ends(Side::Buy, [111, 115, 85, 101]),
        Some((111, CloseReason::TakeProfit, 0))
    );
}

#[test]
fn a_resting_order_is_filled_when_the_bar_reaches_it() {
    let mut exchange = exchange();
    let rests = open(&mut exchange, Side::Buy, Some(95));
    assert_eq!(rests.result, Ok(Progress::Resting));
    assert!(
        push(&mut exchange, 60, [100, 101, 96, 97])
            .filled
            .is_empty()
    );
    let done = push(&mut exchange, 120, [97, 108, 94, 107]);
    assert_eq!(done.filled.len(), 1);
    assert_eq!(
        done.filled[0].fill.as_ref().unwrap().price,
        Amount::from_int(95)
    );
    assert!(
        done.closed_again.is_empty(),
        "its target was touched, but perhaps before the fill"
    );
}

#[test]
fn an_order_that_a_bar_fills_may_be_stopped_in_it() {
    let mut exchange = exchange();
    open(&mut exchange, Side::Buy, Some(95));
    let done = push(&mut exchange, 60, [100, 108, 84, 90]);
    let (_, again) = &done.closed_again[0];
    let closed = &again.as_ref().unwrap().closed;
    assert_eq!(
        (closed.exit_price, closed.reason),
        (Amount::from_int(85), CloseReason::StopLoss)
    );
    assert_eq!(exchange.positions.open_positions().count(), 0);
}

#[test]
fn the_close_is_the_price_until_the_next_bar() {
    let mut exchange = exchange();
    push(&mut exchange, 60, [100, 120, 80, 103]);
    assert_eq!(
        exchange.prices.get(61, "BTC/USDT"),
        Some(Amount::from_int(103))
    );
}

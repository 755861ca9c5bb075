//! Plans that follow from an account, and some that do not.

use serde_json::{Value, json};

use super::*;
use crate::domain_event::{BalanceChanged, MarketTrade, TradePlanned};
use crate::invariants::planted::Planted;
use crate::invariants::trading::plant::{by, judged, published, submitted};
use crate::message::Topic;

/// Bitcoin at 100 and XRP at 1 dollar; 10 of the one, 200 of the other, 600 dollars.
fn account() -> Planted {
    let sections = json!({
        "symbols": ["BTC/USDT"], "market": {"source": "none"},
        "paper": {"initial_balance": {"BTC": "9", "XRP": "200", "USDT": "600"}},
    });
    let config: Config = serde_json::from_value(sections).expect("it is one");
    let trade = |symbol: &'static str, price| MarketTrade {
        symbol: Name::fixed(symbol),
        price: Amount::from_int(price),
        size: Amount::ONE,
        taker_buys: None,
    };
    let priced = Planted::of(Needed::new(&Plan::of("planted", config)))
        .then(trade("BTC/USDT", 100))
        .then(trade("XRP/USDT", 1));
    priced.then(BalanceChanged {
        asset: Name::fixed("BTC"),
        balance: Amount::from_int(10),
        reserved: Amount::ZERO,
    })
}

fn plan() -> Value {
    json!({
        "action": "rebalance", "timestamp": "1970-01-01T00:00:00.000000+00:00",
        "current_allocation": {
            "btc_value_usd": 1_000.0, "xrp_value_usd": 200.0, "usdt_value_usd": 600.0, "total_equity_usd": 1_800.0,
            "btc_pct": 1_000.0 / 18.0, "xrp_pct": 200.0 / 18.0, "usdt_pct": 600.0 / 18.0,
            "max_deviation_pct": 1_000.0 / 18.0 - 33.33,
        },
        "total_trade_value_usd": 800.0,
        "trades": [
            {"symbol": "BTC/USDT", "action": "sell", "amount_usd": 400.0},
            {"symbol": "XRP/USDT", "action": "buy", "amount_usd": 200.0},
            {"symbol": "XRP/USDT", "action": "buy", "amount_usd": 200.0},
        ],
    })
}

fn announced(plan: Value) -> Published {
    let said = published(1, Topic::PortfolioUpdates, 0, plan);
    by("portfolio_rebalance", said)
}

fn holds(log: Planted) -> bool {
    matches!(log.finding(), dacapo_kernel::Finding::NotEvaluable)
}

// Fails if a plan may be made of another account, at other prices, or may drive it elsewhere.
#[test]
fn a_plan_follows_from_the_account() {
    assert!(holds(account().then(announced(plan()))));
    for (field, wrong) in [
        ("btc_value_usd", json!(900.0)),
        ("usdt_value_usd", json!(500.0)),
        ("xrp_pct", json!(12.0)),
        ("total_equity_usd", json!(1_700.0)),
        ("max_deviation_pct", json!(3.0)),
    ] {
        let mut other = plan();
        other["current_allocation"][field] = wrong;
        account().then(announced(other)).violated();
    }
    for (place, field, wrong) in [
        (0, "action", json!("buy")),
        (0, "amount_usd", json!(300.0)),
        (1, "symbol", json!("BTC/USDT")),
    ] {
        let mut other = plan();
        other["trades"][place][field] = wrong;
        account().then(announced(other)).violated();
    }
    let mut none = plan();
    none["trades"] = json!([]);
    account().then(announced(none)).violated();
    let mut other = plan();
    other["total_trade_value_usd"] = json!(700.0);
    account().then(announced(other.clone())).violated();
    let late = account().at(5.0).then(announced(other));
    assert!(holds(late), "what comes late is judged");
}

/// A buy of this many dollars is planned.
fn planned(dollars: i64) -> Planted {
    let trade = TradePlanned {
        key: Name::fixed("rebalance-1-0"),
        symbol: Name::fixed("BTC/USDT"),
        side: Name::fixed("buy"),
        amount_usd: Amount::from_int(dollars),
        batch_index: 0,
        due: Instant::from_micros(0),
    };
    account().then(RebalancePlanned {
        plan: 1,
        batches: 1,
        interval_hours: 0,
        total_usd: Amount::from_int(dollars),
        trades: vec![trade],
    })
}

fn skipped() -> RebalanceTradeSkipped {
    RebalanceTradeSkipped {
        key: Name::fixed("rebalance-1-0"),
        symbol: Name::fixed("BTC/USDT"),
        side: Name::fixed("buy"),
        batch_index: 0,
        reason: Name::fixed("unfunded"),
    }
}

// Fails if a buy may be skipped, or made smaller, with dollars there to pay for it.
#[test]
fn a_buy_is_smaller_only_for_want_of_dollars() {
    planned(500).then(skipped()).violated();
    planned(5_000).then(skipped()).violated();
    let none = BalanceChanged {
        asset: Name::fixed("USDT"),
        balance: Amount::from_int(600),
        reserved: Amount::from_int(595),
    };
    planned(5_000).then(none).then(skipped()).holds();
    // A sample trade is over 500 dollars.
    let sent = |log: Planted| {
        let judged = log.then(judged(TradeOrigin::Plan, "buy"));
        judged.then(submitted("rebalance-1-0", TradeOrigin::Plan, "buy"))
    };
    sent(planned(500)).holds();
    let poor = BalanceChanged {
        asset: Name::fixed("USDT"),
        balance: Amount::from_int(600),
        reserved: Amount::from_int(595),
    };
    let what = sent(planned(500).then(poor)).violated();
    assert!(what.contains("to be skipped"), "{what}");
    sent(planned(520)).violated();
    sent(planned(5_000)).violated();
}

//! `paper_fills`.

use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::execution::{
    Draw, ExecutionError, IntentId, Order, OrderKind, OrderTerms, Outcome, PaperConfig,
    PaperExecutor, PositionBook, PriceSource, PriceSourceConfig, Progress, Purpose, TradeRequest,
};
use dacapo_orchestration::symbol::{Markets, PairRules, Side};
use serde_json::{Value, json};

use crate::encoding::{amount, maybe_amount};

/// `paper_fills`.
pub(super) fn paper_fills(input: &Value, defects: Defects) -> Value {
    let mut exchange = exchange(input, defects);
    let mut draws = Draws::new(input);
    let mut now_us = 0;
    let orders = input["orders"].as_array().unwrap();
    let results: Vec<Value> = orders
        .iter()
        .map(|order| {
            for (symbol, price) in order["set_prices"].as_object().into_iter().flatten() {
                exchange.prices.set(now_us, symbol, amount(price));
            }
            let began_us = now_us;
            let outcome = place(&mut exchange, &mut now_us, order, &mut draws);
            result(&exchange, &outcome, now_us - began_us)
        })
        .collect();
    json!({ "results": results })
}

/// The random numbers of a case: the last one repeats.
struct Draws {
    uniform: Vec<f64>,
    unit: Vec<f64>,
}

impl Draws {
    fn new(input: &Value) -> Draws {
        let list = |key: &str| {
            let numbers = input[key].as_array().unwrap().iter().rev();
            numbers
                .map(|n| n.as_str().unwrap().parse().unwrap())
                .collect()
        };
        Draws {
            uniform: list("random_uniform"),
            unit: list("random_unit"),
        }
    }

    fn draw(&mut self, draw: Draw) -> f64 {
        let list = match draw {
            // The recorded exchange suffers no fault.
            Draw::Imposed => return 1.0,
            Draw::Slippage | Draw::PartialFraction => &mut self.uniform,
            Draw::PartialChance => &mut self.unit,
        };
        if list.len() > 1 {
            list.pop().unwrap()
        } else {
            list[0]
        }
    }
}

fn exchange(input: &Value, defects: Defects) -> PaperExecutor {
    let object = |key: &str| input[key].as_object().unwrap().clone().into_iter();
    let decimals = |key: &str| u32::try_from(input[key].as_u64().unwrap()).unwrap();
    let config = PaperConfig {
        initial_balance: object("balances").map(|(a, b)| (a, amount(&b))).collect(),
        fill_delay_ms: input["fill_delay_ms"].as_u64().unwrap(),
        simulated_slippage_pct: amount(&input["slippage_pct"]),
        simulate_partial_fills: input["simulate_partial_fills"].as_bool().unwrap(),
        ..PaperConfig::default()
    };
    let pairs = object("symbols");
    let markets = Markets {
        pairs: pairs
            .map(|(symbol, rules)| (symbol, serde_json::from_value(rules).unwrap()))
            .collect(),
        other: PairRules {
            price_decimals: decimals("default_price_decimals"),
            size_decimals: decimals("default_size_decimals"),
            fee_pct: amount(&input["default_fee_pct"]),
        },
    };
    let prices = PriceSourceConfig {
        table: object("prices")
            .map(|(s, price)| (s, amount(&price)))
            .collect(),
        ..PriceSourceConfig::default()
    };
    let prices = PriceSource::new(prices, defects);
    PaperExecutor::new(config, markets, prices, PositionBook::default(), defects)
}

fn place(
    exchange: &mut PaperExecutor,
    now_us: &mut i64,
    order: &Value,
    draws: &mut Draws,
) -> Outcome {
    let symbol = order["symbol"].as_str().unwrap().to_owned();
    let side = Side::from_name(order["side"].as_str().unwrap()).unwrap();
    let delay_us = i64::try_from(exchange.config.fill_delay_ms).unwrap() * 1_000;
    if order["kind"] == "order" {
        let kind: OrderKind = serde_json::from_value(order["order_type"].clone()).unwrap();
        let (size, price) = (amount(&order["size"]), maybe_amount(&order["price"]));
        let terms = OrderTerms {
            symbol,
            side,
            kind,
            size,
            price,
        };
        *now_us += delay_us;
        return exchange.submit(*now_us, terms, &mut |draw| draws.draw(draw));
    }
    let request = TradeRequest {
        intent: IntentId("case".to_owned()),
        symbol,
        side,
        size_usd: amount(&order["size_usd"]),
        entry_price: Some(amount(&order["entry_price"])).filter(|price| price.is_positive()),
        leverage: order["leverage"].as_i64().unwrap(),
        stop_loss: None,
        take_profit: None,
        purpose: Purpose::Signal,
    };
    match exchange.prepare(*now_us, request) {
        Ok(prepared) => {
            *now_us += delay_us;
            exchange.complete(*now_us, prepared, &mut |draw| draws.draw(draw))
        }
        Err(error) => Outcome {
            result: Err(error),
            order: None,
            fill: None,
            position: None,
        },
    }
}

fn result(exchange: &PaperExecutor, outcome: &Outcome, elapsed_us: i64) -> Value {
    let stats = exchange.stats();
    let portfolio = exchange.portfolio();
    let balances: serde_json::Map<_, _> = portfolio
        .holdings()
        .map(|(asset, holding)| (asset.to_owned(), json!(holding.balance)))
        .collect();
    let error = outcome.result.as_ref().err().map(|error| match error {
        // The original runs off the end of a list here, and its caller sees that.
        ExecutionError::MalformedSymbol(_) => "other:list index out of range",
        error => error.code(),
    });
    let mut answer = json!({
        "success": outcome.result == Ok(Progress::Filled),
        "error": error,
        "elapsed_s": elapsed_us as f64 / 1e6,
        "order": outcome.order.as_ref().map(order_json),
        "balances": balances,
        "stats": {
            "placed": stats.placed,
            "filled": stats.filled,
            "rejected": stats.rejected,
            "open": exchange.resting_orders().count(),
            "trade_count": stats.trade_count,
        },
        "total_fees_paid": portfolio.fees_of_all_assets().unwrap(),
    });
    if matches!(outcome.result, Err(ExecutionError::MalformedSymbol(_))) {
        answer["raised"] = json!(true);
    }
    answer
}

fn order_json(order: &Order) -> Value {
    json!({
        "order_type": order.terms.kind,
        "status": order.status,
        "size": order.terms.size,
        "price": order.terms.price,
        "filled_size": order.filled_size,
        "filled_price": order.filled_price.map(|price: Amount| price.to_string()),
        "fee": order.fee,
        "fee_currency": order.fee_currency,
    })
}

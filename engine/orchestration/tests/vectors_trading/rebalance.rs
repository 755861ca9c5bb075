//! `rebalance_calc` and `rebalance_llm`.

use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::rebalance::{
    Advice, Allocation, Holdings, Plan, RebalanceConfig, RebalanceError, RebalanceTrade,
    UnitPrices, order_immediate, plan,
};
use serde_json::{Value, json};

use crate::case::{amount, check};

#[test]
fn calculated_trades() {
    check("rebalance_calc", answer);
}

#[test]
fn trades_that_a_model_advises() {
    check("rebalance_llm", answer);
}

fn answer(input: &Value, defects: Defects) -> Value {
    let config: RebalanceConfig = serde_json::from_value(input["config"].clone()).unwrap();
    let balances = &input["config"]["mock_balances"];
    let holdings = Holdings {
        btc: amount(&balances["BTC"]),
        xrp: amount(&balances["XRP"]),
        usdt: amount(&balances["USDT"]),
    };
    let prices = &input["config"]["mock_prices"];
    let prices = UnitPrices {
        btc: amount(&prices["BTC/USDT"]),
        xrp: amount(&prices["XRP/USDT"]),
    };
    let advice = match &input["llm"] {
        Value::Null => Advice::NotAsked,
        llm => llm["text"].as_str().map_or(Advice::Failed, Advice::Text),
    };
    let allocation = Allocation::new(&config, &holdings, &prices).unwrap();
    match plan(&config, allocation, input["force"] == true, &advice) {
        Ok(plan) => plan_json(&plan, defects),
        Err(RebalanceError::TargetAllocationSum(_)) => {
            json!({ "config_error": "target_allocation_sum" })
        }
        Err(error) => panic!("{error}"),
    }
}

fn plan_json(plan: &Plan, defects: Defects) -> Value {
    let mut answer = serde_json::to_value(plan).unwrap();
    for (shown, trade) in answer["trades"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip(&plan.trades)
    {
        shown["amount_usd_f64"] = json!(trade.amount_usd.to_f64());
    }
    let at_once = |trade: &&RebalanceTrade| trade.batch_index == 0;
    let mut immediate: Vec<_> = plan.trades.iter().filter(at_once).collect();
    order_immediate(&mut immediate, |trade| trade.action, defects);
    let order = immediate
        .iter()
        .map(|trade| json!([trade.symbol, trade.action, trade.amount_usd]));
    answer["immediate_execution_order"] = order.collect();
    answer
}

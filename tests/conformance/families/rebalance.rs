//! `rebalance_calc` and `rebalance_llm`.

use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::rebalance::{
    Advice, Allocation, Holdings, Plan, RebalanceConfig, RebalanceError, RebalanceTrade,
    UnitPrices, order_immediate, plan,
};
use serde_json::{Value, json};

use crate::encoding::amount;

/// `rebalance_calc`, whose recordings do not look at the order of execution.
pub(super) fn calculated(input: &Value, _: Defects) -> Value {
    match planned(input) {
        Ok(plan) => plan_json(&plan),
        Err(refused) => refused,
    }
}

/// `rebalance_llm`.
pub(super) fn advised(input: &Value, defects: Defects) -> Value {
    match planned(input) {
        Ok(plan) => {
            let mut answer = plan_json(&plan);
            answer["immediate_execution_order"] = immediate_order(&plan, defects);
            answer
        }
        Err(refused) => refused,
    }
}

/// The plan, or the answer of a configuration that is refused.
fn planned(input: &Value) -> Result<Plan, Value> {
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
        Ok(plan) => Ok(plan),
        Err(RebalanceError::TargetAllocationSum(_)) => {
            Err(json!({ "config_error": "target_allocation_sum" }))
        }
        Err(error) => panic!("{error}"),
    }
}

fn plan_json(plan: &Plan) -> Value {
    let mut answer = serde_json::to_value(plan).unwrap();
    let shown = answer["trades"].as_array_mut().unwrap().iter_mut();
    for (shown, trade) in shown.zip(&plan.trades) {
        shown["amount_usd_f64"] = json!(trade.amount_usd.to_f64());
    }
    answer
}

fn immediate_order(plan: &Plan, defects: Defects) -> Value {
    let at_once = |trade: &&RebalanceTrade| trade.batch_index == 0;
    let mut immediate: Vec<_> = plan.trades.iter().filter(at_once).collect();
    order_immediate(&mut immediate, |trade| trade.action, defects);
    let order = immediate
        .iter()
        .map(|trade| json!([trade.symbol, trade.action, trade.amount_usd]));
    order.collect()
}

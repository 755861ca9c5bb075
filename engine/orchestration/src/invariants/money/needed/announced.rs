//! What an announced plan tells of the account, and whether its trades follow from that.

use serde_json::Value;

use crate::amount::Amount;
use crate::invariants::exact::Exact;
use crate::invariants::{TOLERANCE, near};
use crate::rebalance::RebalanceConfig;
use crate::symbol::DOLLAR;

/// What a plan tells of an asset.
pub(super) struct Part {
    pub(super) asset: &'static str,
    /// By what it is traded for dollars; none for dollars themselves.
    pub(super) symbol: Option<&'static str>,
    /// In dollars, and in percent of the total.
    pub(super) worth: f64,
    pct: f64,
    /// What is never traded.
    pub(super) kept: Amount,
    target_pct: Amount,
}

/// Whether shares, need and trades of a plan follow from the worths that it tells, and those from the account.
pub(super) fn check(
    plan: &Value,
    rules: &RebalanceConfig,
    is_worth: impl Fn(&Part) -> bool,
) -> Result<(), String> {
    let told = &plan["current_allocation"];
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let (bags, target) = (&rules.hodl_bags, &rules.target_allocation);
    let assets = [
        Part {
            asset: "BTC",
            symbol: Some("BTC/USDT"),
            worth: number(&told["btc_value_usd"]),
            pct: number(&told["btc_pct"]),
            kept: bags.btc_amount,
            target_pct: target.btc_pct,
        },
        Part {
            asset: "XRP",
            symbol: Some("XRP/USDT"),
            worth: number(&told["xrp_value_usd"]),
            pct: number(&told["xrp_pct"]),
            kept: bags.xrp_amount,
            target_pct: target.xrp_pct,
        },
        Part {
            asset: DOLLAR,
            symbol: None,
            worth: number(&told["usdt_value_usd"]),
            pct: number(&told["usdt_pct"]),
            kept: bags.usdt_amount,
            target_pct: target.usdt_pct,
        },
    ];
    let total = assets.iter().map(|it| it.worth).sum::<f64>();
    require("the total", near(total, number(&told["total_equity_usd"])))?;
    let mut furthest = 0.0_f64;
    for it in &assets {
        require("a share", near(it.pct, it.worth / total * 100.0))?;
        furthest = furthest.max((it.pct - it.target_pct.in_floats()).abs());
        require("a worth", is_worth(it))?;
    }
    require(
        "the deviation",
        near(furthest, number(&told["max_deviation_pct"])),
    )?;
    let least = rules.rebalancing.threshold_pct.in_floats();
    require("a need", furthest >= least * (1.0 - TOLERANCE))?;
    let trades = plan["trades"].as_array();
    let trades: Vec<&Value> = trades.into_iter().flatten().collect();
    let mut sum = 0.0;
    for it in &assets {
        let Some(symbol) = it.symbol else { continue };
        let missing = total / 3.0 - it.worth;
        let of_symbol = trades.iter().filter(|trade| trade["symbol"] == symbol);
        let side = if missing > 0.0 { "buy" } else { "sell" };
        require("a side", of_symbol.clone().all(|it| it["action"] == side))?;
        let amount: f64 = of_symbol.map(|trade| number(&trade["amount_usd"])).sum();
        let smallest = rules.rebalancing.min_trade_usd.in_floats();
        let expected = if missing.abs() < smallest {
            0.0
        } else {
            missing.abs()
        };
        let is_edge = near(missing.abs(), smallest);
        require("an amount", is_edge || near(amount, expected))?;
        sum += amount;
    }
    require(
        "what all trades are worth",
        near(sum, number(&plan["total_trade_value_usd"])),
    )
}

fn require(what: &str, so: bool) -> Result<(), String> {
    if so {
        return Ok(());
    }
    Err(format!(
        "expected {what} that follows from the account, found another in a plan"
    ))
}

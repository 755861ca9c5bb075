//! `risk_validation` and `risk_sequences`.

use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::risk::{
    AccountUpdate, Clocks, Decision, ProposalDraft, ProposalError, RiskConfig, RiskEngine,
    RiskState, Strictness, validate_proposal,
};
use serde_json::{Value, json};

use crate::encoding::{T0_US, amount, micros, time};

/// `risk_validation`.
pub(super) fn validation(input: &Value, defects: Defects) -> Value {
    let draft = draft(&input["proposal"]);
    let mut proposal = match validate_proposal(&draft, defects) {
        Ok(proposal) => proposal,
        Err(ProposalError::Invalid(wrong)) => return json!({ "proposal_errors": wrong }),
        Err(ProposalError::EntryNotComparable) => return json!({ "raises": "type_error" }),
    };
    let confidences = &input["proposal"]["agent_confidences"];
    proposal.ta_confidence = confidences["technical_analysis"].as_f64().unwrap_or(0.0);
    proposal.sentiment_confidence = confidences["sentiment_analysis"].as_f64().unwrap_or(0.0);

    let mut engine = RiskEngine::new(config(input));
    engine.state = state(&input["state"]);
    let strictness = Strictness::from_name(input["entry_strictness"].as_str().unwrap());
    let decision = engine.validate(clocks(&input["now"]), &proposal, strictness);
    let state = &engine.state;
    json!({
        "status": decision.status,
        "approved": decision.approved(),
        "rejection_codes": decision.rejections,
        "warning_codes": decision.warnings,
        "modifications": decision.modifications,
        "modified": decision.modified.as_ref().map(|modified| {
            json!({ "size_usd": modified.size_usd, "leverage": modified.leverage })
        }),
        "risk_per_trade_pct": decision.risk_per_trade_pct,
        "portfolio_exposure_pct": decision.portfolio_exposure_pct,
        "state_after": {
            "trading_halted": state.trading_halted,
            "triggered_breakers": state.triggered_breakers,
            "daily_pnl_pct": state.daily_pnl_pct,
            "weekly_pnl_pct": state.weekly_pnl_pct,
            "in_cooldown": state.in_cooldown,
        },
    })
}

/// `risk_sequences`.
pub(super) fn sequences(input: &Value, defects: Defects) -> Value {
    let mut engine = RiskEngine::new(config(input));
    let ops = input["ops"].as_array().unwrap();
    let steps: Vec<Value> = ops
        .iter()
        .map(|op| {
            let answer = apply(&mut engine, op, defects);
            step(&engine.state, answer)
        })
        .collect();
    json!({ "steps": steps })
}

fn apply(engine: &mut RiskEngine, op: &Value, defects: Defects) -> Value {
    let clocks = clocks(&op["t"]);
    match op["op"].as_str().unwrap() {
        "update_state" => {
            let account = AccountUpdate {
                equity: amount(&op["current_equity"]),
                daily_pnl: amount(&op["daily_pnl"]),
                weekly_pnl: amount(&op["weekly_pnl"]),
                open_positions: op["open_positions"].as_u64().unwrap() as u32,
                total_exposure_pct: op["total_exposure_pct"].as_f64().unwrap(),
                available_margin: amount(&op["available_margin"]),
            };
            engine.update(&account).unwrap();
        }
        "result" => engine.record_result(clocks.now_us, op["win"].as_bool().unwrap()),
        "post_trade" => engine.record_post_trade(clocks.now_us),
        "volatility" => {
            let (atr, average) = (op["atr"].as_f64().unwrap(), op["avg"].as_f64().unwrap());
            return json!(engine.record_volatility(clocks.now_us, atr, average));
        }
        "reset_daily" => engine.reset_daily(),
        "reset_weekly" => engine.reset_weekly(),
        "manual_reset" => {
            return json!(
                engine
                    .reset_manually(op["admin"].as_bool().unwrap())
                    .is_some()
            );
        }
        "validate" => {
            let proposal = validate_proposal(&draft(&op["proposal"]), defects).unwrap();
            let Decision {
                status, rejections, ..
            } = engine.validate(clocks, &proposal, Strictness::Normal);
            return json!({ "status": status, "codes": rejections });
        }
        other => panic!("unknown operation {other}"),
    }
    Value::Null
}

fn step(state: &RiskState, answer: Value) -> Value {
    json!({
        "return": answer,
        "halted": state.trading_halted,
        "breakers": state.triggered_breakers,
        "losses": state.consecutive_losses,
        "wins": state.consecutive_wins,
        "trades_today": state.trades_today,
        "in_cooldown": state.in_cooldown,
        "cooldown_until": state.cooldown_until.map(time),
        "drawdown_pct": state.current_drawdown_pct,
        "max_drawdown_pct": state.max_drawdown_pct,
        "peak_equity": state.peak_equity,
        "daily_pnl_pct": state.daily_pnl_pct,
        "weekly_pnl_pct": state.weekly_pnl_pct,
        "volatility_spike_active": state.volatility_spike_active,
    })
}

fn config(input: &Value) -> RiskConfig {
    serde_json::from_value(input["config"].clone()).unwrap()
}

/// The state as encoded: times are seconds since the start, both clocks alike.
pub(super) fn state(value: &Value) -> RiskState {
    let mut value = value.clone();
    let cooldown = &value["cooldown_until"];
    value["cooldown_until"] = if cooldown.is_null() {
        Value::Null
    } else {
        json!(micros(cooldown))
    };
    for mark in ["last_daily_reset", "last_weekly_reset"] {
        value[mark] = json!(T0_US + micros(&value[mark]));
    }
    serde_json::from_value(value).unwrap()
}

fn clocks(seconds: &Value) -> Clocks {
    let now_us = micros(seconds);
    Clocks {
        now_us,
        wall_us: T0_US + now_us,
    }
}

fn draft(value: &Value) -> ProposalDraft {
    ProposalDraft {
        symbol: value["symbol"].clone(),
        side: value["side"].clone(),
        size_usd: value["size_usd"].clone(),
        entry_price: value["entry_price"].clone(),
        stop_loss: value["stop_loss"].clone(),
        take_profit: value["take_profit"].clone(),
        leverage: value["leverage"].clone(),
        confidence: value["confidence"].clone(),
        regime: value["regime"].clone(),
        market: false,
    }
}

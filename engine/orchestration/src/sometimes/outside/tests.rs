//! What is ordinary is of no kind, and what is odd of its own.

use serde_json::json;

use super::replies::{ADVICE, DEEP, RESOLUTIONS};
use super::signals::{SHAPED, UNSHAPED};
use super::*;
use crate::message::{Action, Name, Regime, TradingSignal};

/// The names of the kinds that something is of.
fn kinds<T: ?Sized>(all: &[Kind<T>], it: &T) -> Vec<&'static str> {
    let of = all.iter().filter(|(_, _, is_it)| is_it(it));
    of.map(|(id, ..)| *id).collect()
}

fn ordinary(action: Action) -> TradingSignal {
    let up = if action == Action::Sell { -1.0 } else { 1.0 };
    TradingSignal {
        symbol: Name::fixed("BTC/USDT"),
        action,
        confidence: 0.7,
        entry_price: Some(100.0),
        stop_loss: Some(100.0 - up * 2.0),
        take_profit: Some(100.0 + up * 4.0),
        size_usd: Some(100.0),
        leverage: Some(5),
        regime: Some(Regime::Ranging),
        consensus_multiplier: None,
    }
}

// Fails if a kind is reached by a signal that is not of it, or not by one that is.
#[test]
fn a_signal_is_of_the_kinds_that_it_is_of() {
    type Spoil = fn(&mut TradingSignal);
    let odd: &[(&str, Spoil)] = &[
        ("signal.no-stop", |it| it.stop_loss = None),
        ("signal.no-target", |it| it.take_profit = None),
        ("signal.no-size", |it| it.size_usd = None),
        ("signal.no-leverage", |it| it.leverage = None),
        ("signal.no-regime", |it| it.regime = None),
        ("signal.leverage-zero", |it| it.leverage = Some(0)),
        ("signal.leverage-beyond", |it| it.leverage = Some(6)),
        ("signal.size-zero", |it| it.size_usd = Some(0.0)),
        ("signal.size-negative", |it| it.size_usd = Some(-50.0)),
    ];
    for action in [Action::Buy, Action::Sell] {
        assert_eq!(kinds(SHAPED, &ordinary(action)), [""; 0]);
        for (kind, spoil) in odd {
            let mut signal = ordinary(action);
            spoil(&mut signal);
            assert_eq!(kinds(SHAPED, &signal), [*kind]);
        }
    }
}

// Fails if the side of a stop or a target is that of the other direction.
#[test]
fn a_level_is_on_a_side() {
    for (action, up) in [(Action::Buy, 1.0), (Action::Sell, -1.0)] {
        let with = |stop: f64, target: f64| {
            let mut signal = ordinary(action);
            signal.stop_loss = Some(100.0 - up * stop);
            signal.take_profit = Some(100.0 + up * target);
            kinds(SHAPED, &signal)
        };
        assert_eq!(with(-1.0, 4.0), ["signal.stop-wrong"]);
        assert_eq!(with(0.25, 4.0), ["signal.stop-near"]);
        assert_eq!(with(8.0, 9.0), ["signal.stop-far"]);
        assert_eq!(with(2.0, -1.0), ["signal.target-wrong"]);
        assert_eq!(with(2.0, 1.0), ["signal.target-near"]);
    }
}

// Fails if an alarm is taken for another, or a mild one for a severe one.
#[test]
fn an_alarm_is_of_its_limit() {
    let alarm = |limit: &'static str, severity: &'static str| {
        let alert = CircuitBreakerAlert {
            breach_type: Some(Name::fixed(limit)),
            severity: Some(Name::fixed(severity)),
            message: None,
        };
        kinds(ALARMS, &alert)
    };
    assert_eq!(alarm("daily_loss", "high"), ["alarm.day"]);
    assert_eq!(alarm("weekly_loss", "high"), ["alarm.week"]);
    assert_eq!(alarm("max_drawdown", "low"), ["alarm.drawdown"]);
    assert_eq!(alarm("margin_call", "high"), ["alarm.other-severe"]);
    assert_eq!(alarm("margin_call", "critical"), ["alarm.other-severe"]);
    assert_eq!(alarm("margin_call", "medium"), ["alarm.other-mild"]);
}

// Fails if a refusal is taken for another.
#[test]
fn a_command_is_refused_for_its_reason() {
    let refused = |command: &'static str, reason: &'static str| {
        let (command, reason) = (Name::fixed(command), Name::fixed(reason));
        kinds(REFUSALS, &CommandRejected { command, reason })
    };
    let unknown = "unknown command";
    assert_eq!(refused("sell_everything", unknown), ["command.unknown"]);
    assert_eq!(refused("", unknown), ["command.none"]);
    let task = refused("enable_task", "unknown task");
    assert_eq!(task, ["command.unknown-task"]);
    let unsigned = refused("clear_halt", "clear_halt needs an operator and a reason");
    assert_eq!(unsigned, ["command.unsigned"]);
    let malformed = refused("force_run", "type error: a number was expected");
    assert_eq!(malformed, ["command.malformed"]);
}

// Fails if what a reply says is not seen, or seen in one that does not say it.
#[test]
fn a_reply_is_of_the_kinds_that_it_is_of() {
    let plain = r#"{"action": "wait", "confidence": 0.5}"#;
    assert_eq!(kinds(RESOLUTIONS, plain), [""; 0]);
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(DEEP), close.repeat(DEEP));
        let reply = format!(r#"{{"action": "wait", "confidence": 0.5, "note": {open}1{close}}}"#);
        kinds(RESOLUTIONS, &reply)
    };
    assert_eq!(deep("[", "]"), ["reply.deep"]);
    assert_eq!(deep(r#"{"a":"#, "}"), ["reply.deep-objects"]);
    let of_changes = |changes: &str| {
        let reply =
            format!(r#"{{"action": "modify", "confidence": 1, "modifications": {{{changes}}}}}"#);
        kinds(RESOLUTIONS, &reply)
    };
    for (kind, reply) in [
        ("reply.blank", "I would rather not say."),
        ("reply.cut", r#"{"action": "wait", "confidence""#),
        (
            "reply.framed",
            r#"So: {"action": "wait", "confidence": 1} Done."#,
        ),
        (
            "reply.twice",
            r#"{"action": "abort", "action": "wait", "confidence": 1}"#,
        ),
        ("reply.no-action", r#"{"confidence": 0.5}"#),
        ("reply.no-confidence", r#"{"action": "wait"}"#),
    ] {
        assert_eq!(kinds(RESOLUTIONS, reply), [kind]);
    }
    assert_eq!(of_changes(r#""leverage": 2"#), ["reply.one-change"]);
    let two = r#""leverage": 2, "size_reduction_pct": 5"#;
    assert_eq!(of_changes(two), [""; 0]);
    let three = format!(r#"{two}, "entry_adjustment_pct": 1"#);
    assert_eq!(of_changes(&three), ["reply.all-changes"]);
    assert_eq!(of_changes(r#""hurry": 1"#), ["reply.change-unknown"]);
}

// Fails if a signal that fits no shape is taken for another, or an ordinary one for it.
#[test]
fn what_fits_no_shape_is_seen_field_by_field() {
    let odd = |json: Value| {
        let fields = json.as_object().expect("it is one").clone();
        kinds(UNSHAPED, &fields)
    };
    let ordinary = json!({"action": "BUY", "symbol": "BTC/USDT", "leverage": 2});
    assert_eq!(odd(ordinary), [""; 0]);
    let null = json!({"action": "BUY", "symbol": "BTC/USDT", "leverage": null});
    assert_eq!(odd(null), ["signal.null"]);
    let truth = json!({"action": "BUY", "symbol": "BTC/USDT", "leverage": true});
    assert_eq!(odd(truth), ["signal.truth"]);
    assert_eq!(odd(json!({"action": "BUY"})), ["signal.symbol-missing"]);
}

// Fails if advice is not seen, or seen in one that does not give it.
#[test]
fn advice_is_of_the_kinds_that_it_is_of() {
    let trade = |amount: Value| json!({"trades": [{"symbol": "BTC/USDT", "amount_usd": amount}]});
    assert_eq!(kinds(ADVICE, &trade(json!(70)).to_string()), [""; 0]);
    for (kind, advice) in [
        ("advice.limit", json!({"execution_strategy": "limit"})),
        ("advice.market", json!({"execution_strategy": "market"})),
        ("advice.defer", json!({"execution_strategy": "defer"})),
        ("advice.no-trades", json!({"trades": []})),
        ("advice.trades-unreadable", json!({"trades": "as you like"})),
        ("advice.amount-negative", trade(json!(-70))),
        ("advice.amount-unreadable", trade(json!("all of it"))),
    ] {
        assert_eq!(kinds(ADVICE, &advice.to_string()), [kind]);
    }
}

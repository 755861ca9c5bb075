//! A payload says the same as JSON, as a struct, and in the log.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::message::Name;
use crate::message::vocabulary::{Action, TechnicalBias};

/// One object per shape, as it is published.
fn published() -> Vec<(Topic, Value)> {
    use Topic::*;
    vec![
        (
            TaSignals,
            json!({"symbol": "BTC/USDT", "bias": "long", "confidence": 0.7}),
        ),
        (
            RegimeUpdates,
            json!({"symbol": "BTC/USDT", "regime": "choppy", "confidence": 0.6}),
        ),
        (
            SentimentUpdates,
            json!({"symbol": "XRP/USDT", "bias": "bearish", "confidence": 0.5}),
        ),
        (
            TradingSignals,
            json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8,
            "entry_price": 45000.0, "stop_loss": 44100.0, "take_profit": 47250.0,
            "size_usd": 500.0, "leverage": 2, "regime": "ranging"}),
        ),
        (
            TradingSignals,
            json!({"symbol": "BTC/USDT", "action": "HOLD", "confidence": 0.5}),
        ),
        (
            CoordinatorCommands,
            json!({"command": "enable_task", "params": {"task_name": "t"}}),
        ),
        (
            RiskAlerts,
            json!({"alert_type": "circuit_breaker", "breach_type": "daily_loss",
            "severity": "high", "message": "m"}),
        ),
        (
            RiskAlerts,
            json!({"alert_type": "trade_rejected", "symbol": "BTC/USDT",
            "rejections": ["LOW_RR"], "trading_mode": "paper"}),
        ),
        (
            RiskAlerts,
            json!({"alert_type": "command_rejected", "command": "x", "reason": "y"}),
        ),
        (
            ExecutionEvents,
            json!({"event_type": "order_placed", "order_id": "o", "position_id": null,
            "symbol": "BTC/USDT", "trading_mode": "live"}),
        ),
        (
            ExecutionEvents,
            json!({"event_type": "order_error", "symbol": "XRP/BTC",
            "error_message": "no price", "trading_mode": "paper"}),
        ),
        (
            ExecutionEvents,
            json!({"event_type": "rebalance_trade_executed", "order_id": "o",
            "symbol": "BTC/USDT", "side": "sell", "batch_index": 0}),
        ),
        (
            PortfolioUpdates,
            json!({"event_type": "position_opened", "position": {"id": "p"}}),
        ),
        (
            PortfolioUpdates,
            json!({"event_type": "position_closed", "position": {"id": "p"},
            "reason": "stop_loss"}),
        ),
        (SystemEvents, json!({"event": "coordinator_paused"})),
        (SystemEvents, json!({"event": "coordinator_resumed"})),
        (
            SystemEvents,
            json!({"event": "task_error", "task": "t", "symbol": "s", "error": "e"}),
        ),
        (
            SystemEvents,
            json!({"event": "degradation_increased", "old_level": "NORMAL",
            "new_level": "REDUCED", "llm_failures": 0, "api_failures": 3}),
        ),
        (
            SystemEvents,
            json!({"event": "emergency_action", "breach_type": "daily_loss",
            "action_taken": "pause_trading", "alert_message": "d", "severity": "high"}),
        ),
        (
            SystemEvents,
            json!({"event": "in_flight_tasks_recovered", "tasks": ["a", "b"],
            "action": "marked_for_rerun"}),
        ),
        (
            SystemEvents,
            json!({"event": "handler_removed", "subscriber": "s",
            "topic": "ta_signals", "failures": 10}),
        ),
    ]
}

fn through_the_log(payload: &Payload) -> Payload {
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(payload, config).expect("a payload encodes");
    let (read, length) = bincode::serde::decode_from_slice(&bytes, config).expect("it decodes");
    assert_eq!(length, bytes.len(), "nothing is left over");
    read
}

#[test]
fn every_shape_says_what_is_published() {
    for (topic, json) in published() {
        let payload = Payload::from_json(topic, json.clone());
        assert!(!matches!(payload, Payload::Raw(_)), "{json} fits no shape");
        assert_eq!(payload.to_json(), json);
        assert_eq!(through_the_log(&payload), payload);
        for (name, value) in json.as_object().expect("all are objects") {
            assert!(payload.field(name).equals(value.into()), "{name} of {json}");
        }
    }
}

#[test]
fn what_fits_almost_stays_raw() {
    let exact = json!({"symbol": "BTC/USDT", "bias": "long", "confidence": 0.7});
    for (name, value) in [
        ("confidence", json!(1)),
        ("confidence", json!("0.7")),
        ("bias", json!("LONG")),
        ("bias", Value::Null),
        ("note", json!("one field more")),
    ] {
        let mut json = exact.clone();
        json[name] = value;
        let payload = Payload::from_json(Topic::TaSignals, json.clone());
        assert_eq!(payload, Payload::Raw(json));
    }
    assert!(matches!(
        Payload::from_json(Topic::MarketData, exact),
        Payload::Raw(_)
    ));
}

#[test]
fn a_value_that_a_shape_cannot_hold_makes_it_raw() {
    let mut payload = Payload::from(TechnicalSignal {
        symbol: Name::fixed("BTC/USDT"),
        bias: TechnicalBias::Long,
        confidence: 0.5,
    });
    payload.set("confidence", Field::Float(0.75));
    assert!(matches!(&payload, Payload::TechnicalSignal(signal) if signal.confidence == 0.75));
    payload.set("confidence", Field::Text("high"));
    assert_eq!(payload.field("confidence").text(), Some("high"));
    assert!(payload.field("bias").is("long"));
    assert!(matches!(payload, Payload::Raw(_)));
}

#[test]
fn an_unknown_kind_is_refused_by_number() {
    let bytes = bincode::serde::encode_to_vec((999_u16, "{}"), bincode::config::standard())
        .expect("a pair encodes");
    let read: Result<(Payload, usize), _> =
        bincode::serde::decode_from_slice(&bytes, bincode::config::standard());
    assert!(read.expect_err("no such kind").to_string().contains("999"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(BUY|HOLD|BTC/USDT|.{0,5})".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_signal_with_any_field_comes_back_as_it_was(
        name in "(symbol|action|confidence|size_usd|leverage|regime|other)",
        value in any_json(),
    ) {
        let mut json = json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.5});
        json[name] = value;
        let payload = Payload::from_json(Topic::TradingSignals, json.clone());
        prop_assert_eq!(payload.to_json(), json);
        prop_assert_eq!(through_the_log(&payload), payload);
    }
}

#[test]
fn a_typed_signal_is_read_like_its_json() {
    let json = json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.5});
    let Payload::TradingSignal(signal) = Payload::from_json(Topic::TradingSignals, json) else {
        panic!("it fits");
    };
    assert_eq!(signal.action, Action::Buy);
    assert!(Payload::from(signal).field("size_usd").is_missing());
}

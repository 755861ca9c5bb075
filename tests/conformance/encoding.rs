//! The recordings' own ways to write times and decimals.

use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::message::Instant;
use serde_json::{Value, json};

/// Midnight of Monday 2025-01-06 UTC, where every case begins, in microseconds since 1970.
pub(crate) const T0_US: i64 = 1_736_121_600_000_000;

/// Seconds as microseconds.
pub(crate) fn micros(seconds: &Value) -> i64 {
    (seconds.as_f64().expect("a number of seconds") * 1e6).round() as i64
}

/// Microseconds as the encoding of a time.
pub(crate) fn time(micros: i64) -> Value {
    json!({ "$t": micros as f64 / 1e6 })
}

/// Seconds as an instant.
pub(crate) fn instant(seconds: &Value) -> Instant {
    Instant::from_secs_f64(seconds.as_f64().expect("a number of seconds"))
}

/// A decimal, given as text or as a number.
pub(crate) fn amount(value: &Value) -> Amount {
    serde_json::from_value(value.clone()).expect("a decimal")
}

/// A decimal that may be missing.
pub(crate) fn maybe_amount(value: &Value) -> Option<Amount> {
    (!value.is_null()).then(|| amount(value))
}

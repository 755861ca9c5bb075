//! A figure as people read it: its value in its unit, how sure it is, or why it is not defined.

use dacapo_kernel::{Measurement, Time, Unit};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::text::figure;

/// What stands where there is no value.
pub(crate) const UNDEFINED: &str = "not defined";

/// What the parts of a run are called.
pub(crate) const PARTS: [&str; 3] = ["whole", "before", "after"];

/// The value of a figure in its unit.
pub(crate) fn value(of: &Measurement) -> String {
    match &of.value {
        Ok(value) => in_unit(*value, of.unit),
        Err(_) => UNDEFINED.to_owned(),
    }
}

/// The ends of its interval; empty if there is none.
pub(crate) fn interval(of: &Measurement) -> String {
    of.interval.map_or_else(String::new, |interval| {
        let (low, high) = (interval.low, interval.high);
        format!("{} and {}", in_unit(low, of.unit), in_unit(high, of.unit))
    })
}

fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => figure(value),
        Unit::Share => format!("{} %", short(value * 100.0)),
        Unit::Ratio => short(value),
        Unit::Seconds => format!("{} s", figure(value)),
        Unit::Instant => Timestamp::from_millisecond((value * 1e3).round() as i64)
            .map_or_else(|_| figure(value), |instant| instant.to_string()),
        Unit::Of(name) => format!("{} {name}", short(value)),
    }
}

/// With as many digits as say something: two behind the point of a large number, up to six of a small one.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        100.0.. => 2,
        0.1.. => 4,
        _ => 6,
    };
    let text = format!("{value:.digits$}");
    // A number that rounds to zero has no sign.
    match text.parse() {
        Ok(0.0) => "0".to_owned(),
        _ => text,
    }
}

/// A virtual time as an instant of the wall clock that the run began with.
pub(crate) fn instant(start_unix_ns: i64, time: Time) -> String {
    let nanos = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanosecond(start_unix_ns.into())
        .and_then(|start| start.checked_add(SignedDuration::from_nanos(nanos)))
        .map_or_else(|_| time.to_string(), |instant| instant.to_string())
}

/// A figure for programs: its value is null where it is not defined, and `why` says the reason.
pub(crate) fn as_json(of: &Measurement) -> Value {
    let interval = of.interval.map(
        |interval| json!({"low": interval.low, "high": interval.high, "confidence": interval.confidence}),
    );
    json!({
        "figure": of.name,
        "unit": of.unit.name(),
        "value": of.value.as_ref().ok(),
        "why": of.value.as_ref().err(),
        "interval": interval,
        "meaning": of.meaning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a unit is shown as another one, or a small number as nothing.
    #[test]
    fn each_unit_is_shown_in_its_way() {
        let shown = [
            (1234.0, Unit::Count),
            (-0.0512, Unit::Share),
            (0.000_012, Unit::Share),
            (0.0, Unit::Ratio),
            (-1e-9, Unit::Ratio),
            (1.5, Unit::Ratio),
            (10_123.456, Unit::Of("coins")),
            (86_400.0, Unit::Seconds),
            (86_400.5, Unit::Instant),
            (1e300, Unit::Instant),
        ]
        .map(|(value, unit)| in_unit(value, unit));
        assert_eq!(
            shown[..9],
            [
                "1,234",
                "-5.1200 %",
                "0.001200 %",
                "0",
                "0",
                "1.5000",
                "10123.46 coins",
                "86,400 s",
                "1970-01-02T00:00:00.5Z",
            ]
        );
        assert!(!shown[9].is_empty());
    }
}

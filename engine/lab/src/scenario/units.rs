//! Durations and instants as people write them, as the nanoseconds that a plan carries.

use jiff::fmt::friendly::SpanParser;
use jiff::{SignedDuration, Timestamp};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

/// A duration such as `3m 5s`, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nanos(pub(super) u64);

/// An instant such as `2025-03-25T23:07:00Z`, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant(pub(super) i64);

impl Default for Instant {
    /// 2025-01-06T00:00:00Z, a Monday.
    fn default() -> Instant {
        Instant(1_736_121_600_000_000_000)
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nanos, D::Error> {
        const SHAPE: &str = "a duration such as \"90s\", \"3m 5s\" or \"24h\"";
        let text = text(deserializer, SHAPE)?;
        let unfit = |expected: &str| D::Error::invalid_value(Unexpected::Str(&text), &expected);
        let span = SpanParser::new()
            .parse_duration(&text)
            .map_err(|_| unfit(SHAPE))?;
        if span < SignedDuration::ZERO {
            return Err(unfit("a duration of zero or more"));
        }
        u64::try_from(span.as_nanos())
            .map(Nanos)
            .map_err(|_| unfit("a duration of at most 584 years"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        const SHAPE: &str = "a date and time with its offset, such as \"2025-03-25T23:07:00Z\"";
        let text = text(deserializer, SHAPE)?;
        let unfit = |expected: &str| D::Error::invalid_value(Unexpected::Str(&text), &expected);
        let instant: Timestamp = match text.parse() {
            Ok(instant) => instant,
            Err(_) if text.parse::<jiff::civil::DateTime>().is_ok() => {
                return Err(unfit(
                    "an offset from UTC at the end, such as `Z` or `+01:00`",
                ));
            }
            Err(_) => return Err(unfit(SHAPE)),
        };
        i64::try_from(instant.as_nanosecond())
            .map(Instant)
            .map_err(|_| unfit("a date from 1678 to 2261"))
    }
}

/// The text, or the mistake that something else stands there.
fn text<'de, D: Deserializer<'de>>(
    deserializer: D,
    shape: &'static str,
) -> Result<String, D::Error> {
    struct Text(&'static str);
    impl serde::de::Visitor<'_> for Text {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }
    deserializer.deserialize_str(Text(shape))
}

//! Messages as JSON objects, both ways.
//!
//! Inside a run, time is counted from its start; the outside writes dates. The two meet here, by
//! way of the [`Epoch`]. Whether a message may be published is not asked here.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::{Instant, Message, MessageId, Name, Payload, Priority, Topic, Ttl};

/// The date at which a run starts: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(i64);

impl Epoch {
    /// The epoch that lies `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Epoch {
        Epoch(micros)
    }

    /// The date of `instant`; none if it lies beyond the years -9999 to 9999.
    fn date(self, instant: Instant) -> Option<Timestamp> {
        let micros = self.0.checked_add(instant.as_micros())?;
        Timestamp::from_microsecond(micros).ok()
    }

    fn instant(self, date: Timestamp) -> Instant {
        Instant::from_micros(date.as_microsecond().saturating_sub(self.0))
    }
}

/// How the date of a message was written, so that it can be written like that again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// With this offset from UTC.
    Offset(Offset),
    /// Without one, which is read as UTC.
    Naive,
}

impl Zone {
    /// With the offset `+00:00`.
    pub const UTC: Zone = Zone::Offset(Offset::UTC);
}

/// A message that was read, and how its date was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The message.
    pub message: Message,
    /// The zone of its date.
    pub zone: Zone,
}

/// Why JSON is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A field without a default is missing.
    #[error("message without `{field}`: it has no default")]
    MissingField {
        /// The name of the field.
        field: &'static str,
    },
    /// A field holds what it cannot hold.
    #[error("message field `{field}` is not {expected}")]
    InvalidValue {
        /// The name of the field.
        field: &'static str,
        /// What it can hold.
        expected: &'static str,
    },
}

/// Reads a message.
///
/// Only `topic` and `source` are mandatory. An absent id becomes `fresh`; an absent, null or empty
/// timestamp becomes `now`; the other defaults are normal priority, an empty payload, no
/// correlation id and a life of 300 seconds.
///
/// # Errors
///
/// A mandatory field is missing, or a field holds a value of the wrong kind: an unknown topic, a
/// priority that is not one of the numbers 1 to 4, a timestamp that is not an ISO 8601 date.
pub fn decode(
    json: &Value,
    now: Instant,
    epoch: Epoch,
    fresh: MessageId,
) -> Result<Decoded, DecodeError> {
    let topic = mandatory(json, "topic")?
        .as_str()
        .and_then(Topic::from_name)
        .ok_or(invalid("topic", "the name of a topic"))?;
    let source = text("source", mandatory(json, "source")?)?;
    let (timestamp, zone) = decode_timestamp(json.get("timestamp"), now, epoch)?;
    let message = Message {
        id: match json.get("id") {
            Some(id) => MessageId::given(&text("id", id)?),
            None => fresh,
        },
        timestamp,
        topic,
        source,
        priority: json
            .get("priority")
            .map_or(Ok(Priority::Normal), decode_priority)?,
        payload: json.get("payload").map_or_else(Payload::empty, |payload| {
            Payload::from_json(topic, payload.clone())
        }),
        correlation_id: match json.get("correlation_id") {
            None | Some(Value::Null) => None,
            Some(id) => Some(text("correlation_id", id)?),
        },
        ttl: match json.get("ttl_seconds") {
            None => Ttl::default(),
            Some(secs) => secs
                .as_f64()
                .map(Ttl::from_secs)
                .ok_or(invalid("ttl_seconds", "a number"))?,
        },
    };
    Ok(Decoded { message, zone })
}

/// Writes a message, its date in the given zone.
///
/// A date beyond the year 9999 is written as null.
pub fn encode(message: &Message, zone: Zone, epoch: Epoch) -> Value {
    let mut object = Map::new();
    object.insert("id".into(), message.id.to_string().into());
    let date = epoch.date(message.timestamp);
    object.insert("timestamp".into(), date.map(|date| iso(date, zone)).into());
    object.insert("topic".into(), message.topic.name().into());
    object.insert("source".into(), message.source.as_str().into());
    object.insert("priority".into(), message.priority.code().into());
    object.insert("payload".into(), message.payload.to_json());
    let correlation = message.correlation_id.as_ref().map(Name::as_str);
    object.insert("correlation_id".into(), correlation.into());
    object.insert("ttl_seconds".into(), seconds(message.ttl));
    Value::Object(object)
}

fn mandatory<'a>(json: &'a Value, field: &'static str) -> Result<&'a Value, DecodeError> {
    json.get(field).ok_or(DecodeError::MissingField { field })
}

fn invalid(field: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::InvalidValue { field, expected }
}

fn text(field: &'static str, value: &Value) -> Result<Name, DecodeError> {
    value
        .as_str()
        .map(Name::from)
        .ok_or(invalid(field, "a text"))
}

/// A number is compared by its value, so that 3.0 is a priority; a text of digits is not.
fn decode_priority(value: &Value) -> Result<Priority, DecodeError> {
    let number = value.as_f64();
    Priority::ALL
        .iter()
        .copied()
        .find(|priority| number == Some(f64::from(priority.code())))
        .ok_or(invalid("priority", "one of the numbers 1 to 4"))
}

fn decode_timestamp(
    value: Option<&Value>,
    now: Instant,
    epoch: Epoch,
) -> Result<(Instant, Zone), DecodeError> {
    match value {
        None | Some(Value::Null) => Ok((now, Zone::UTC)),
        Some(Value::String(text)) if text.is_empty() => Ok((now, Zone::UTC)),
        Some(value) => value
            .as_str()
            .and_then(parse_iso)
            .map(|(date, zone)| (epoch.instant(date), zone))
            .ok_or(invalid("timestamp", "an ISO 8601 date")),
    }
}

/// A date alone is its midnight.
fn parse_iso(text: &str) -> Option<(Timestamp, Zone)> {
    let pieces = Pieces::parse(text).ok()?;
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let offset = pieces.to_numeric_offset();
    let local = pieces
        .date()
        .to_datetime(pieces.time().unwrap_or(jiff::civil::Time::midnight()));
    let date = offset.unwrap_or(Offset::UTC).to_timestamp(local).ok()?;
    Some((date, offset.map_or(Zone::Naive, Zone::Offset)))
}

/// `YYYY-MM-DDTHH:MM:SS[.ffffff]`, then the offset as `+HH:MM[:SS]` unless the zone is naive.
fn iso(date: Timestamp, zone: Zone) -> String {
    let offset = match zone {
        Zone::Offset(offset) => offset,
        Zone::Naive => Offset::UTC,
    };
    let local: DateTime = offset.to_datetime(date);
    let mut text = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let micros = local.subsec_nanosecond() / 1_000;
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    if zone != Zone::Naive {
        let secs = offset.seconds();
        let (sign, secs) = (if secs < 0 { '-' } else { '+' }, secs.unsigned_abs());
        text.push_str(&format!("{sign}{:02}:{:02}", secs / 3_600, secs / 60 % 60));
        if secs % 60 != 0 {
            text.push_str(&format!(":{:02}", secs % 60));
        }
    }
    text
}

/// Whole seconds are written as a whole number.
fn seconds(ttl: Ttl) -> Value {
    let secs = ttl.as_secs();
    let whole = secs as i64;
    if whole as f64 == secs {
        json!(whole)
    } else {
        json!(secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch::from_micros(1_736_121_600_000_000);

    fn through(timestamp: &str) -> Result<(i64, Value), DecodeError> {
        let json = json!({"topic": "ta_signals", "source": "x", "timestamp": timestamp});
        let decoded = decode(&json, Instant::START, EPOCH, MessageId::number(0))?;
        let written = encode(&decoded.message, decoded.zone, EPOCH);
        Ok((
            decoded.message.timestamp.as_micros(),
            written["timestamp"].clone(),
        ))
    }

    #[test]
    fn a_date_is_written_in_the_zone_in_which_it_was_read() {
        for (read, micros, written) in [
            (
                "2025-01-06T00:00:01.5Z",
                1_500_000,
                "2025-01-06T00:00:01.500000+00:00",
            ),
            (
                "2025-01-05T23:59:59-00:30",
                1_799_000_000,
                "2025-01-05T23:59:59-00:30",
            ),
            (
                "2025-01-06T05:30:00+05:30:01",
                -1_000_000,
                "2025-01-06T05:30:00+05:30:01",
            ),
            (
                "2025-01-06 00:00:00.0000019",
                1,
                "2025-01-06T00:00:00.000001",
            ),
        ] {
            assert_eq!(through(read), Ok((micros, written.into())), "{read}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "yesterday",
            "2025-13-01",
            "2025-01-06T00:00:00Z[UTC]",
            "12:00:00",
        ] {
            assert!(through(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_field_of_the_wrong_kind_is_refused_by_name() {
        for (field, value) in [
            ("id", json!(5)),
            ("source", Value::Null),
            ("priority", json!("3")),
            ("priority", json!(5)),
            ("ttl_seconds", json!("300")),
            ("correlation_id", json!(1)),
            ("timestamp", json!(1)),
        ] {
            let mut json = json!({"topic": "ta_signals", "source": "x"});
            json[field] = value;
            let error = decode(&json, Instant::START, EPOCH, MessageId::number(0));
            let error = error.expect_err("it is refused").to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}

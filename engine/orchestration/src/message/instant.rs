//! Points and lengths of time as messages know them: whole microseconds.
//!
//! The kernel's [`Time`] never lies before the start of a run; the timestamp of a message may.
//! Clocks are not here: whoever asks for an age says what time it is.

use std::fmt;
use std::ops::{Add, Sub};

use dacapo_kernel::Time;
use jiff::{Timestamp, tz::Offset};
use serde::{Deserialize, Serialize};

/// A point in time: microseconds since the start of the run, negative before it.
///
/// The range is 292,000 years either side; what would leave it stays at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instant(i64);

impl Instant {
    /// The start of the run.
    pub const START: Instant = Instant(0);

    /// The instant `micros` microseconds after the start of the run.
    pub const fn from_micros(micros: i64) -> Instant {
        Instant(micros)
    }

    /// The instant `secs` seconds after the start of the run, rounded to the nearest microsecond.
    pub fn from_secs_f64(secs: f64) -> Instant {
        Instant(Span::from_secs_f64(secs).0)
    }

    /// Microseconds since the start of the run.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The date and time in UTC, as ISO 8601, of a run that began `start_us` microseconds after 1970.
    pub fn to_iso(self, start_us: i64) -> String {
        let moment = Timestamp::from_microsecond(start_us.saturating_add(self.0));
        let utc = Offset::UTC.to_datetime(moment.unwrap_or(Timestamp::MAX));
        // By hand: with the state saved and plans announced, a run writes dates by the hundred.
        let mut text = String::with_capacity("2025-01-06T00:00:00.000000+00:00".len());
        // A sign counts as a digit.
        let (year, is_before) = (u32::from(utc.year().unsigned_abs()), utc.year() < 0);
        if is_before {
            text.push('-');
        }
        if is_before && year < 1_000 {
            digits::<3>(&mut text, year);
        } else {
            digits::<4>(&mut text, year);
        }
        for (before, number) in [
            ('-', utc.month()),
            ('-', utc.day()),
            ('T', utc.hour()),
            (':', utc.minute()),
            (':', utc.second()),
        ] {
            text.push(before);
            digits::<2>(&mut text, number.unsigned_abs().into());
        }
        text.push('.');
        digits::<6>(&mut text, utc.subsec_nanosecond().unsigned_abs() / 1_000);
        text.push_str("+00:00");
        text
    }

    /// The instant that ISO 8601 with an offset says, if it does.
    pub fn from_iso(text: &str, start_us: i64) -> Option<Instant> {
        let moment: Timestamp = text.parse().ok()?;
        Some(Instant(moment.as_microsecond().saturating_sub(start_us)))
    }
}

/// Appends a number with `N` digits, zeros first.
fn digits<const N: usize>(text: &mut String, mut number: u32) {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    text.push_str(std::str::from_utf8(&digits).expect("digits are text"));
}

/// Nanoseconds are cut off: a message never appears to be younger than it is.
impl From<Time> for Instant {
    fn from(time: Time) -> Instant {
        Instant(i64::try_from(time.as_nanos() / 1_000).unwrap_or(i64::MAX))
    }
}

impl Sub for Instant {
    type Output = Span;

    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Instant {
    type Output = Instant;

    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, micros) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:06}s", micros / 1_000_000, micros % 1_000_000)
    }
}

/// A length of time in microseconds. The age of a message that lies in the future is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(i64);

impl Span {
    /// A length of whole seconds.
    pub const fn from_secs(secs: i64) -> Span {
        Span(secs.saturating_mul(1_000_000))
    }

    /// A length of seconds, rounded to the nearest microsecond.
    ///
    /// The decimal fraction that was meant survives: 0.3 is exactly 300,000 microseconds although
    /// the `f64` is not exactly 0.3. Not a number is no time at all.
    pub fn from_secs_f64(secs: f64) -> Span {
        Span((secs * 1e6).round_ties_even() as i64)
    }

    /// Microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Twice as long.
    pub const fn doubled(self) -> Span {
        Span(self.0.saturating_mul(2))
    }

    /// Seconds, rounded to the nearest `f64`.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

/// Written and read as seconds by people, as microseconds by the log.
impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(self.as_secs_f64())
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        if deserializer.is_human_readable() {
            f64::deserialize(deserializer).map(Span::from_secs_f64)
        } else {
            i64::deserialize(deserializer).map(Span)
        }
    }
}

/// How long a message lives: seconds, as the publisher wrote them.
///
/// Kept unrounded, because a life of a nanosecond is legal (it ends within the microsecond in which it
/// began) and one of zero is not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ttl(f64);

impl Ttl {
    /// A life of `secs` seconds. Whether that is legal is asked when the message is published.
    pub const fn from_secs(secs: f64) -> Ttl {
        Ttl(secs)
    }

    /// Seconds.
    pub const fn as_secs(self) -> f64 {
        self.0
    }

    /// Whether a message of this `age` is expired: strictly older than its time to live.
    pub fn is_over(self, age: Span) -> bool {
        age > self.as_span()
    }

    /// The greatest age at which a message is alive.
    pub fn as_span(self) -> Span {
        Span::from_secs_f64(self.0)
    }
}

impl Default for Ttl {
    /// 300 seconds.
    fn default() -> Ttl {
        Ttl(300.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_fraction_of_a_second_is_exact() {
        assert_eq!(Span::from_secs_f64(0.3).as_micros(), 300_000);
        assert_eq!(
            Span::from_secs_f64(190.55099999999993).as_micros(),
            190_551_000
        );
        assert_eq!(Instant::from_secs_f64(-1.5).to_string(), "-1.500000s");
    }

    proptest::proptest! {
        /// Fails if a digit, a sign or a separator is not where the library has it.
        #[test]
        fn a_date_is_written_as_the_library_writes_it(micros in -377_705_023_201_000_000_i64..253_402_207_200_999_999) {
            let utc = Timestamp::from_microsecond(micros).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            let expected = utc.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
            proptest::prop_assert_eq!(Instant(micros).to_iso(0), expected);
        }
    }

    #[test]
    fn a_message_is_alive_at_exactly_its_time_to_live() {
        let ttl = Ttl::from_secs(0.3);
        assert!(!ttl.is_over(Span(300_000)));
        assert!(ttl.is_over(Span(300_001)));
        assert!(!Ttl::from_secs(1e-9).is_over(Span(0)));
        assert!(Ttl::from_secs(1e-9).is_over(Span(1)));
    }
}

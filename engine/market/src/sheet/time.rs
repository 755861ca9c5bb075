//! Times in cells: which form a column has, and what instant each of its cells is.
//!
//! The form is recognised from the first cell and holds for the whole column. A time without a zone takes
//! the zone that is stated, UTC unless one is. The rules of zones with daylight saving are compiled in, the same
//! on every machine; a time that a clock of such a zone shows twice, or never, is no instant and is refused.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;

use super::SheetProblem;
use super::cell::number;

/// The form in which a column writes its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// A number of these since 1970-01-01 UTC.
    Since1970(Unit),
    /// A date, which stands for its midnight.
    Date,
    /// A date and time without a zone.
    Local,
    /// A date and time with its offset from UTC.
    WithOffset,
    /// As a pattern of `strftime` says.
    Pattern(String),
}

/// What a number of an epoch time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl Unit {
    const ALL: [Unit; 4] = [Unit::Seconds, Unit::Millis, Unit::Micros, Unit::Nanos];

    fn nanos(self) -> i64 {
        match self {
            Unit::Seconds => 1_000_000_000,
            Unit::Millis => 1_000_000,
            Unit::Micros => 1_000,
            Unit::Nanos => 1,
        }
    }

    /// The unit in which a number of this size is a time after 1973 and before 5138.
    fn of_size(number: Decimal) -> Option<Unit> {
        let fits = |unit: &Unit| {
            let seconds = number / Decimal::from(1_000_000_000 / unit.nanos());
            seconds >= Decimal::from(100_000_000) && seconds < Decimal::from(100_000_000_000i64)
        };
        Unit::ALL.into_iter().find(fits)
    }

    /// The nanoseconds of a whole number that [`Unit::of_size`] takes for this unit, as nearly all are.
    fn whole(self, text: &str) -> Option<i128> {
        if text.len() > 18 {
            return None;
        }
        let mut count = 0_i64;
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            // So few digits do not overflow.
            count = count.wrapping_mul(10).wrapping_add(i64::from(digit));
        }
        let seconds = count / (1_000_000_000 / self.nanos());
        let is_likely = (100_000_000..100_000_000_000).contains(&seconds);
        is_likely.then(|| i128::from(count) * i128::from(self.nanos()))
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Millis => "milliseconds",
            Unit::Micros => "microseconds",
            Unit::Nanos => "nanoseconds",
        }
    }

    /// The short name, as a scenario says it.
    fn from_name(name: &str) -> Option<Unit> {
        match name {
            "s" => Some(Unit::Seconds),
            "ms" => Some(Unit::Millis),
            "us" => Some(Unit::Micros),
            "ns" => Some(Unit::Nanos),
            _ => None,
        }
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeFormat::Since1970(unit) => write!(f, "{} since 1970-01-01 UTC", unit.name()),
            TimeFormat::Date => f.write_str("date"),
            TimeFormat::Local => f.write_str("date and time without a zone"),
            TimeFormat::WithOffset => f.write_str("date and time with its zone"),
            TimeFormat::Pattern(pattern) => f.write_str(pattern),
        }
    }
}

impl TimeFormat {
    /// The form that a scenario names: `s`, `ms`, `us`, `ns`, or a pattern of `strftime`.
    pub fn named(name: &str) -> TimeFormat {
        Unit::from_name(name).map_or_else(
            || TimeFormat::Pattern(name.to_owned()),
            TimeFormat::Since1970,
        )
    }

    /// The form of a cell, if it is one that is recognised.
    pub fn recognise(text: &str) -> Option<TimeFormat> {
        if date(text).is_some() {
            return Some(TimeFormat::Date);
        }
        if let Ok(number) = number(text) {
            return Unit::of_size(number).map(TimeFormat::Since1970);
        }
        if has_offset(text) {
            return with_offset(text).map(|_| TimeFormat::WithOffset);
        }
        local(text).map(|_| TimeFormat::Local)
    }

    /// Whether its times say by themselves which instant they are.
    fn is_absolute(&self) -> bool {
        match self {
            TimeFormat::Since1970(_) | TimeFormat::WithOffset => true,
            TimeFormat::Date | TimeFormat::Local => false,
            TimeFormat::Pattern(pattern) => pattern.contains("%z") || pattern.contains("%:z"),
        }
    }
}

/// The times of one column.
#[derive(Clone, Debug)]
pub struct Times {
    format: Option<TimeFormat>,
    zone: Option<(String, TimeZone)>,
}

impl Times {
    /// A column whose form is known or will be recognised, and whose zone is stated or UTC.
    ///
    /// # Errors
    /// In words, a zone that is none.
    pub fn new(format: Option<TimeFormat>, zone: Option<&str>) -> Result<Times, String> {
        let zone = match zone {
            None => None,
            Some(name) => Some((name.to_owned(), zone_named(name)?)),
        };
        Ok(Times { format, zone })
    }

    /// The form, once the first cell has been read.
    pub fn format(&self) -> Option<&TimeFormat> {
        self.format.as_ref()
    }

    /// The zone that was taken for times without one; none where times have their own.
    pub fn zone(&self) -> Option<&str> {
        let format = self.format.as_ref()?;
        let name = self.zone.as_ref().map_or("UTC", |(name, _)| name.as_str());
        (!format.is_absolute()).then_some(name)
    }

    /// The instant of a cell: nanoseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// An empty cell, one of another form than those before it, a time that cannot be held.
    pub fn read(&mut self, text: &str) -> Result<i64, SheetProblem> {
        if text.is_empty() {
            return Err(SheetProblem::NoValue { expected: "a time" });
        }
        let format = match self.format.take() {
            Some(format) => format,
            None => TimeFormat::recognise(text).ok_or_else(|| SheetProblem::NotATime {
                value: text.to_owned(),
            })?,
        };
        let read = self.read_as(&format, text);
        self.format = Some(format);
        read
    }

    fn read_as(&self, format: &TimeFormat, text: &str) -> Result<i64, SheetProblem> {
        if let (true, Some((zone, _))) = (format.is_absolute(), &self.zone) {
            return Err(SheetProblem::ZoneTwice {
                value: text.to_owned(),
                zone: zone.clone(),
            });
        }
        let mut doubtful = None;
        let mut here = |at: DateTime| self.at_zone(at, &mut doubtful);
        let nanos = match format {
            TimeFormat::Since1970(unit) => unit.whole(text).or_else(|| {
                number(text)
                    .ok()
                    .filter(|number| is_plausible(*number, *unit))
                    .and_then(|number| number.checked_mul(Decimal::from(unit.nanos())))
                    .filter(Decimal::is_integer)
                    .and_then(|nanos| i128::try_from(nanos).ok())
            }),
            TimeFormat::Date => {
                date(text).and_then(|date| here(date.to_datetime(civil::Time::midnight())))
            }
            TimeFormat::Local if !has_offset(text) => local(text).and_then(&mut here),
            TimeFormat::Local => None,
            TimeFormat::WithOffset if has_offset(text) => {
                with_offset(text).map(Timestamp::as_nanosecond)
            }
            TimeFormat::WithOffset => None,
            TimeFormat::Pattern(pattern) => by_pattern(pattern, text, &mut here),
        };
        if let Some(problem) = doubtful {
            return Err(problem);
        }
        let Some(nanos) = nanos else {
            return Err(SheetProblem::OtherTime {
                value: text.to_owned(),
                form: format.to_string(),
                hint: hint(format, text),
            });
        };
        i64::try_from(nanos).map_err(|_| SheetProblem::FarTime {
            value: text.to_owned(),
        })
    }

    /// The instant at which a clock of the zone shows this; what is wrong where it does so twice, or never.
    fn at_zone(&self, at: DateTime, doubtful: &mut Option<SheetProblem>) -> Option<i128> {
        let Some((name, zone)) = &self.zone else {
            return Some(Offset::UTC.to_timestamp(at).ok()?.as_nanosecond());
        };
        let shown = zone.to_ambiguous_timestamp(at);
        if shown.is_ambiguous() {
            let how = match shown.offset() {
                AmbiguousOffset::Gap { .. } => "never",
                _ => "twice",
            };
            *doubtful = Some(SheetProblem::DoubtfulTime {
                value: at.to_string(),
                how,
                zone: name.clone(),
            });
            return None;
        }
        Some(shown.unambiguous().ok()?.as_nanosecond())
    }
}

fn by_pattern(
    pattern: &str,
    text: &str,
    here: &mut dyn FnMut(DateTime) -> Option<i128>,
) -> Option<i128> {
    let parsed = BrokenDownTime::parse(pattern, text).ok()?;
    if let Ok(timestamp) = parsed.to_timestamp() {
        return Some(timestamp.as_nanosecond());
    }
    let at = parsed.to_datetime().or_else(|_| {
        let date = parsed.to_date()?;
        Ok::<_, jiff::Error>(date.to_datetime(civil::Time::midnight()))
    });
    at.ok().and_then(here)
}

fn is_plausible(number: Decimal, unit: Unit) -> bool {
    Unit::of_size(number).is_none_or(|likely| likely == unit)
}

fn hint(format: &TimeFormat, text: &str) -> &'static str {
    match format {
        TimeFormat::Local | TimeFormat::Date if has_offset(text) => {
            "it has a zone and those before it have none: write all in UTC"
        }
        TimeFormat::WithOffset => "those before it have a zone: write all in UTC",
        TimeFormat::Pattern(_) => "see time_format",
        _ => "all cells of the column have the form of the first one",
    }
}

/// UTC, an offset such as `+02:00`, or a name such as `America/New_York`.
fn zone_named(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "UTC" | "Z") {
        return Ok(TimeZone::UTC);
    }
    // Short names such as EST mean one thing here and another there.
    if name.contains('/')
        && let Ok(zone) = TimeZoneDatabase::bundled().get(name)
    {
        return Ok(zone);
    }
    let parts = name.split_at_checked(1).and_then(|(sign, rest)| {
        let sign = match sign {
            "+" => 1,
            "-" => -1,
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(hours) || !digits(minutes) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        (minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
    });
    let offset = parts.and_then(|seconds| Offset::from_seconds(seconds).ok());
    offset.map(TimeZone::fixed).ok_or_else(|| {
        format!(
            "expected zone = \"UTC\", an offset such as \"+02:00\", or a name such as \"America/New_York\", found {}",
            super::Shown(name)
        )
    })
}

/// Four digits of a year, two of a month, two of a day, apart or not.
fn date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<i16>().ok())
            .flatten()
    };
    let (year, month, day) = match bytes.len() {
        8 => (digits(0..4)?, digits(4..6)?, digits(6..8)?),
        10 if bytes[4] == bytes[7] && matches!(bytes[4], b'-' | b'/') => {
            (digits(0..4)?, digits(5..7)?, digits(8..10)?)
        }
        _ => return None,
    };
    if !(1_678..=2_261).contains(&year) {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Whether something after the time says which zone it is in.
fn has_offset(text: &str) -> bool {
    let after_date = text.get(10..).unwrap_or_default();
    after_date.contains(['Z', 'z', '+', '-']) || without_word(text).is_some()
}

/// The text before a word for UTC, if it ends with one.
fn without_word(text: &str) -> Option<&str> {
    [" UTC", " GMT"]
        .into_iter()
        .find_map(|word| text.strip_suffix(word))
}

fn with_offset(text: &str) -> Option<Timestamp> {
    if let Some(at) = plain_utc(text.as_bytes()) {
        return Some(at);
    }
    match without_word(text) {
        Some(local_text) => local(local_text)?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|at| at.timestamp()),
        None => with_dashes(text).parse().ok(),
    }
}

/// `2018-04-04T00:05:00Z`, as most files have it; anything else is read at length.
fn plain_utc(text: &[u8]) -> Option<Timestamp> {
    let [date_time @ .., b'Z'] = text else {
        return None;
    };
    let form = b"0000-00-00T00:00:00";
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        mark => byte == mark,
    };
    if date_time.len() != form.len() || !date_time.iter().zip(form).all(fits) {
        return None;
    }
    let number = |from: usize| {
        let two = &date_time[from..from + 2];
        i8::try_from((two[0] - b'0') * 10 + (two[1] - b'0')).ok()
    };
    let year = i16::from(number(0)?) * 100 + i16::from(number(2)?);
    let at = DateTime::new(
        year,
        number(5)?,
        number(8)?,
        number(11)?,
        number(14)?,
        number(17)?,
        0,
    );
    Offset::UTC.to_timestamp(at.ok()?).ok()
}

fn local(text: &str) -> Option<DateTime> {
    date(text.get(..10)?)?;
    with_dashes(text).parse().ok()
}

/// The date written with dashes, where it is written with slashes.
fn with_dashes(text: &str) -> String {
    text.replacen('/', "-", 2)
}

#[cfg(test)]
mod tests;

//! Reads a table of outputs, to its last row, before the run begins.
//!
//! What is no output of the agent is an error with its line and column: a slip in a table of signals would
//! otherwise show only as a run in which nothing is traded.

use std::io::Read;

use dacapo_market::sheet::{Row, Sheet, SheetError, SheetProblem, TimeFormat, Times, number};
use serde_json::{Map, Value};

use super::TableConfig;
use crate::message::{Action, Instant, Name, Regime, SentimentBias, TechnicalBias, Topic};

const MAX_ROWS: u64 = 5_000_000;
const MAX_BYTES: u64 = 1 << 30;
const MICRO_NS: i128 = 1_000;

/// Fields of a trading signal that are fractions whatever they look like.
const FRACTIONS: [&str; 5] = [
    "confidence",
    "entry_price",
    "stop_loss",
    "take_profit",
    "size_usd",
];

/// One output, and from when on it can be known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) knowable_at: Instant,
    pub(crate) symbol: Name,
    pub(crate) output: Value,
    pub(crate) line: u64,
}

/// The agent that a table speaks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) topic: Topic,
    /// The symbols of the scenario.
    pub(crate) symbols: &'a [Name],
    /// Virtual time zero, in nanoseconds since 1970-01-01 UTC.
    pub(crate) start_ns: i64,
}

/// The rows of a table by the instant from which they can be known. Of those before the start, the last of each symbol.
///
/// # Errors
/// What is wrong with the table, with the line and the column.
pub(crate) fn rows(
    config: &TableConfig,
    speaker: Speaker<'_>,
    input: impl Read,
) -> Result<Vec<Known>, SheetError> {
    let mut sheet = Sheet::open(&config.file, input, MAX_ROWS, MAX_BYTES)?;
    let reader = Reader::new(config, speaker, sheet.header());
    let reader = reader.map_err(|problem| sheet.error(1, None, problem))?;
    let format = config.time_format.as_deref().map(TimeFormat::named);
    let times = Times::new(format, config.zone.as_deref());
    let mut times = times.map_err(|what| sheet.error(1, None, SheetProblem::Nonsense { what }))?;
    let mut known = Vec::new();
    loop {
        let (line, read) = match sheet.next_row()? {
            None => break,
            Some(row) => (row.line, reader.read(&row, &mut times)),
        };
        known.push(read.map_err(|(column, problem)| sheet.error(line, column, problem))?);
    }
    if known.is_empty() {
        return Err(sheet.error(1, None, SheetProblem::NoRows));
    }
    known.sort_by_key(|row| row.knowable_at);
    for (at, row) in known.iter().enumerate() {
        let same = |other: &&Known| other.symbol == row.symbol;
        let others = known[..at].iter().rev();
        let twin = others
            .take_while(|other| other.knowable_at == row.knowable_at)
            .find(same);
        if let Some(twin) = twin {
            let what = format!(
                "a second row for {} at the instant of line {}: which of them holds is not known",
                row.symbol, twin.line
            );
            return Err(sheet.error(row.line, Some(reader.time), SheetProblem::Nonsense { what }));
        }
    }
    Ok(from_start(known))
}

/// Without those that another one has replaced before the start.
fn from_start(known: Vec<Known>) -> Vec<Known> {
    let later = known.partition_point(|row| row.knowable_at <= Instant::START);
    let mut seen: Vec<Name> = Vec::new();
    let mut kept = Vec::new();
    for row in known[..later].iter().rev() {
        if !seen.contains(&row.symbol) {
            seen.push(row.symbol.clone());
            kept.push(row.clone());
        }
    }
    kept.reverse();
    kept.extend(known.into_iter().skip(later));
    kept
}

type Flaw = (Option<usize>, SheetProblem);

struct Reader<'a> {
    config: &'a TableConfig,
    speaker: Speaker<'a>,
    header: Vec<String>,
    time: usize,
    symbol: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(
        config: &'a TableConfig,
        speaker: Speaker<'a>,
        header: &[String],
    ) -> Result<Reader<'a>, SheetProblem> {
        let place = |name: &str| header.iter().position(|known| known == name);
        let needed =
            |what: &'static str, said: Option<&str>| match (place(said.unwrap_or(what)), said) {
                (Some(place), _) => Ok(place),
                (None, Some(name)) => Err(SheetProblem::NoSuchColumn {
                    what,
                    name: name.to_owned(),
                    names: header.to_vec(),
                }),
                (None, None) => Err(SheetProblem::NoColumn {
                    what,
                    names: header.to_vec(),
                }),
            };
        let time = needed("knowable_at", config.columns.knowable_at.as_deref())?;
        let symbol = match (&config.symbol, config.columns.symbol.as_deref()) {
            (Some(_), None) => None,
            (_, said) => Some(needed("symbol", said)?),
        };
        for what in needed_fields(speaker.topic) {
            if place(what).is_none() {
                let names = header.join(", ");
                let what = format!("no column {what}; the columns are {names}");
                return Err(SheetProblem::Nonsense { what });
            }
        }
        Ok(Reader {
            config,
            speaker,
            header: header.to_vec(),
            time,
            symbol,
        })
    }

    fn read(&self, row: &Row<'_>, times: &mut Times) -> Result<Known, Flaw> {
        let at_ns = times.read(row.cell(self.time));
        let at_ns = at_ns.map_err(|problem| (Some(self.time), problem))?;
        let symbol = self.symbol_of(row)?;
        let mut fields = Map::new();
        fields.insert("symbol".to_owned(), symbol.as_str().into());
        for (at, name) in self.header.iter().enumerate() {
            // An index without a name is no field.
            if at == self.time || Some(at) == self.symbol || name.is_empty() {
                continue;
            }
            let value = field(self.speaker.topic, name, row.cell(at));
            if let Some(value) = value.map_err(|problem| (Some(at), problem))? {
                fields.insert(name.clone(), value);
            }
        }
        for name in needed_fields(self.speaker.topic) {
            if !fields.contains_key(*name) {
                let place = self.header.iter().position(|known| known == name);
                return Err((
                    place,
                    SheetProblem::NoValue {
                        expected: "a value",
                    },
                ));
            }
        }
        // Rounded up: nothing is said a moment before it could be known.
        let since_start = i128::from(at_ns) - i128::from(self.speaker.start_ns);
        let micros =
            since_start.div_euclid(MICRO_NS) + i128::from(since_start.rem_euclid(MICRO_NS) > 0);
        Ok(Known {
            knowable_at: Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)),
            symbol,
            output: Value::Object(fields),
            line: row.line,
        })
    }

    fn symbol_of(&self, row: &Row<'_>) -> Result<Name, Flaw> {
        let (Some(place), symbols) = (self.symbol, self.speaker.symbols) else {
            return Ok(self.config.symbol.clone().unwrap_or(Name::EMPTY));
        };
        let found = row.cell(place);
        let known = symbols.iter().find(|symbol| symbol.as_str() == found);
        known.cloned().ok_or_else(|| {
            let names: Vec<&str> = symbols.iter().map(|symbol| symbol.as_str()).collect();
            let problem = SheetProblem::Wrong {
                expected: format!("a symbol of the scenario: {}", names.join(", ")),
                value: found.to_owned(),
            };
            (Some(place), problem)
        })
    }
}

/// The fields without which an output of this topic says nothing.
fn needed_fields(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::TradingSignals => &["action", "confidence"],
        Topic::TaSignals | Topic::SentimentUpdates => &["bias", "confidence"],
        Topic::RegimeUpdates => &["regime", "confidence"],
        _ => &[],
    }
}

/// What a cell says; nothing if it is empty, as a data frame writes what it does not have.
fn field(topic: Topic, name: &str, text: &str) -> Result<Option<Value>, SheetProblem> {
    if text.is_empty() || matches!(text, "nan" | "NaN" | "None" | "null" | "<NA>") {
        return Ok(None);
    }
    let word = |words: Vec<&'static str>, text: String| {
        if words.contains(&text.as_str()) {
            Ok(Some(Value::from(text)))
        } else {
            Err(SheetProblem::Wrong {
                expected: format!("one of {}", words.join(", ")),
                value: text,
            })
        }
    };
    match (topic, name) {
        // The coordinator trades these two, and holds.
        (Topic::TradingSignals, "action") => {
            let words = [Action::Buy, Action::Sell, Action::Hold].map(Action::name);
            return word(words.into(), text.to_uppercase());
        }
        (Topic::TaSignals, "bias") => {
            let words = TechnicalBias::ALL.iter().map(|bias| bias.name());
            return word(words.collect(), text.to_lowercase());
        }
        (Topic::SentimentUpdates, "bias") => {
            let words = SentimentBias::ALL.iter().map(|bias| bias.name());
            return word(words.collect(), text.to_lowercase());
        }
        (Topic::RegimeUpdates | Topic::TradingSignals, "regime") => {
            let words = Regime::ALL.iter().map(|regime| regime.name());
            return word(words.collect(), text.to_lowercase());
        }
        _ => {}
    }
    let parsed = number(text).ok().map(|_| text);
    let is_fraction = FRACTIONS.contains(&name);
    let value = match parsed {
        None if is_fraction || name == "leverage" => {
            return Err(SheetProblem::Wrong {
                expected: "a number".to_owned(),
                value: text.to_owned(),
            });
        }
        None => match text {
            "True" | "true" => Value::from(true),
            "False" | "false" => Value::from(false),
            _ => Value::from(text),
        },
        Some(text) => as_number(text, is_fraction, name == "leverage")?,
    };
    let is_share = value
        .as_f64()
        .is_some_and(|share| (0.0..=1.0).contains(&share));
    if name == "confidence" && !is_share {
        return Err(SheetProblem::Wrong {
            expected: "a number from 0 to 1".to_owned(),
            value: text.to_owned(),
        });
    }
    Ok(Some(value))
}

fn as_number(text: &str, is_fraction: bool, is_whole: bool) -> Result<Value, SheetProblem> {
    let fraction = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let whole = match text.parse::<i64>() {
        Ok(whole) => Some(whole),
        // A data frame writes a whole number as 1.0 once a cell of its column was empty.
        Err(_) => text.strip_suffix(".0").and_then(|whole| whole.parse().ok()),
    };
    match (whole, fraction) {
        (Some(whole), _) if !is_fraction => Ok(whole.into()),
        (_, Some(fraction)) if !is_whole => Ok(fraction.into()),
        _ => Err(SheetProblem::Wrong {
            expected: "a whole number".to_owned(),
            value: text.to_owned(),
        }),
    }
}

/// Whether an output is one that the topic knows.
#[cfg(test)]
pub(super) fn is_known(topic: Topic, output: &Value) -> bool {
    use crate::message::Payload;
    !matches!(Payload::from_json(topic, output.clone()), Payload::Raw(_))
}

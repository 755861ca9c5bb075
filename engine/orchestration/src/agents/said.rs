//! What an agent outside says, read strictly: a message on its topic about the symbol that it was asked about.
//!
//! Programs and language models are read by the same rules; what becomes of a slip is the affair of whoever asked.

use dacapo_kernel::Unfit;
use serde_json::{Map, Value};

use crate::message::{Action, Name, Payload, Regime, SentimentBias, TechnicalBias, Topic};

/// Who speaks: on which topic, asked about which symbol, of those that there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) topic: Topic,
    pub(crate) symbol: &'a Name,
    pub(crate) symbols: &'a [Name],
}

/// A field of a message, and what it may hold.
#[derive(Clone, Copy)]
pub(crate) enum Holds {
    Word(&'static [&'static str]),
    /// A number from 0 to 1.
    Share,
    /// A number above 0.
    Positive,
    /// A whole number, 1 or more.
    Count,
}

impl Holds {
    /// What it may hold, for whoever is to say it.
    pub(crate) fn told(self) -> String {
        match self {
            Holds::Word(words) => format!("one of {}", words.join(", ")),
            Holds::Share => "a number from 0 to 1".to_owned(),
            Holds::Positive => "a number above 0".to_owned(),
            Holds::Count => "a whole number, 1 or more".to_owned(),
        }
    }
}

const ACTIONS: [&str; 3] = [Action::Buy.name(), Action::Sell.name(), Action::Hold.name()];

/// The fields of a message of a topic: their names, what they hold, and whether they are needed. None for a topic on
/// which anything may be said.
pub(crate) fn fields_of(topic: Topic) -> Option<&'static [(&'static str, Holds, bool)]> {
    const CONFIDENCE: (&str, Holds, bool) = ("confidence", Holds::Share, true);
    const SIGNAL: &[(&str, Holds, bool)] = &[
        ("action", Holds::Word(&ACTIONS), true),
        CONFIDENCE,
        ("entry_price", Holds::Positive, false),
        ("stop_loss", Holds::Positive, false),
        ("take_profit", Holds::Positive, false),
        ("size_usd", Holds::Positive, false),
        ("leverage", Holds::Count, false),
        ("regime", Holds::Word(Regime::NAMES), false),
    ];
    const TECHNICAL: &[(&str, Holds, bool)] = &[
        ("bias", Holds::Word(TechnicalBias::NAMES), true),
        CONFIDENCE,
    ];
    const SENTIMENT: &[(&str, Holds, bool)] = &[
        ("bias", Holds::Word(SentimentBias::NAMES), true),
        CONFIDENCE,
    ];
    const REGIME: &[(&str, Holds, bool)] =
        &[("regime", Holds::Word(Regime::NAMES), true), CONFIDENCE];
    match topic {
        Topic::TradingSignals => Some(SIGNAL),
        Topic::TaSignals => Some(TECHNICAL),
        Topic::SentimentUpdates => Some(SENTIMENT),
        Topic::RegimeUpdates => Some(REGIME),
        _ => None,
    }
}

/// The payload of a message about the symbol that was asked about.
pub(crate) fn payload(
    speaker: &Speaker<'_>,
    mut fields: Map<String, Value>,
) -> Result<Value, Unfit> {
    let said = fields.remove("symbol");
    match said.as_ref().map(Value::as_str) {
        None => {}
        Some(Some(symbol)) if symbol == speaker.symbol.as_str() => {}
        Some(Some(symbol)) if speaker.symbols.iter().any(|known| known.as_str() == symbol) => {
            let what = format!(
                "it is about {symbol}, and was asked about {}",
                speaker.symbol
            );
            return Err(Unfit::new(
                what,
                "say of each symbol what is to be said when it is asked about",
            ));
        }
        Some(_) => {
            let known: Vec<&str> = speaker.symbols.iter().map(|name| name.as_str()).collect();
            let what = format!(
                "unknown symbol {}; the symbols are {}",
                said.unwrap_or_default(),
                known.join(", ")
            );
            return Err(Unfit::new(what, "leave `symbol` out: it is filled in"));
        }
    }
    let mut read = Map::new();
    read.insert("symbol".to_owned(), speaker.symbol.as_str().into());
    let Some(known) = fields_of(speaker.topic) else {
        read.extend(fields);
        return Ok(Value::Object(read));
    };
    for (name, value) in fields {
        let Some((_, holds, _)) = known.iter().find(|(known, ..)| *known == name) else {
            let names: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
            let what = format!(
                "unknown field {name:?}; the fields are {}",
                names.join(", ")
            );
            return Err(Unfit::new(what, "leave it out, or say it with `log`"));
        };
        let value = field(*holds, &value).map_err(|expected| {
            let help = "leave a field out that has no value";
            Unfit::new(format!("{name}: expected {expected}, found {value}"), help)
        })?;
        read.insert(name, value);
    }
    if let Some((name, ..)) = known
        .iter()
        .find(|(name, _, needed)| *needed && !read.contains_key(*name))
    {
        let what = format!("`{name}` is missing");
        return Err(Unfit::new(
            what,
            format!("a message on {} needs it", speaker.topic),
        ));
    }
    debug_assert!(
        !matches!(
            Payload::from_json(speaker.topic, Value::Object(read.clone())),
            Payload::Raw(_)
        ),
        "what was judged fits the shape of its topic"
    );
    Ok(Value::Object(read))
}

/// A value as its field holds it, or what is expected there.
fn field(holds: Holds, value: &Value) -> Result<Value, String> {
    let number = value.as_f64().filter(|number| number.is_finite());
    let read = match holds {
        Holds::Word(words) => value
            .as_str()
            .filter(|word| words.contains(word))
            .map(Value::from),
        Holds::Share => number
            .filter(|share| (0.0..=1.0).contains(share))
            .map(Value::from),
        Holds::Positive => number.filter(|number| *number > 0.0).map(Value::from),
        Holds::Count => value.as_i64().filter(|count| *count >= 1).map(Value::from),
    };
    read.ok_or_else(|| holds.told())
}

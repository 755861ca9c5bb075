//! The effects that a program may have, read strictly: what is none, or says nothing that is known, ends the run.

use dacapo_kernel::Unfit;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::message::{Action, Name, Payload, Regime, SentimentBias, TechnicalBias, Topic};

/// The most characters that a program may say in one line for the log, or of why it fails.
const MAX_TEXT: usize = 4_000;

/// The longest time after which a program may want to be asked again, in seconds.
const MAX_WAKE: f64 = 1e9;

/// Who speaks: on which topic, asked about which symbol, of those that there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker<'a> {
    pub(crate) topic: Topic,
    pub(crate) symbol: &'a Name,
    pub(crate) symbols: &'a [Name],
}

/// What a program wants done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// What is to be published, with its symbol.
    pub(super) publish: Option<Value>,
    /// Lines for the log.
    pub(super) log: Vec<String>,
    /// After how many seconds it wants to be asked again.
    pub(super) wake: Option<f64>,
    /// What the agent raises instead.
    pub(super) fail: Option<String>,
}

/// One effect, an object with one field.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Effect {
    Publish(Map<String, Value>),
    Log(String),
    Wake(Wake),
    Fail(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wake {
    after_seconds: f64,
}

/// A field of a message, and what it may hold.
#[derive(Clone, Copy)]
enum Holds {
    Word(&'static [&'static str]),
    /// A number from 0 to 1.
    Share,
    /// A number above 0.
    Positive,
    /// A whole number, 1 or more.
    Count,
}

const ACTIONS: [&str; 3] = [Action::Buy.name(), Action::Sell.name(), Action::Hold.name()];

/// Reads a list of effects.
///
/// # Errors
/// Which of them is wrong, how, and what to do.
pub(super) fn read(speaker: &Speaker<'_>, effects: &Value) -> Result<Said, Unfit> {
    let Value::Array(effects) = effects else {
        return Err(Unfit::new("expected a list of effects", "write a list"));
    };
    let mut said = Said::default();
    for (at, effect) in (1..).zip(effects) {
        add(&mut said, speaker, effect)
            .map_err(|unfit| Unfit::new(format!("effect {at}: {}", unfit.what), unfit.help))?;
    }
    if said.publish.is_some() && said.fail.is_some() {
        let help = "an agent either fails or says something";
        return Err(Unfit::new("it publishes and fails at once", help));
    }
    Ok(said)
}

fn add(said: &mut Said, speaker: &Speaker<'_>, effect: &Value) -> Result<(), Unfit> {
    let read = Effect::deserialize(effect).map_err(|error| {
        let help = r#"an effect is {"publish": {…}}, {"log": "…"}, {"wake": {"after_seconds": …}} or {"fail": "…"}"#;
        Unfit::new(error.to_string(), help)
    })?;
    match read {
        Effect::Publish(fields) => {
            let payload = payload(speaker, fields)?;
            once(&mut said.publish, payload, "publish")
        }
        Effect::Log(text) => {
            said.log.push(short(text)?);
            Ok(())
        }
        Effect::Wake(Wake { after_seconds }) => {
            if !(after_seconds > 0.0 && after_seconds <= MAX_WAKE) {
                let what = format!("expected after_seconds above 0, found {after_seconds}");
                return Err(Unfit::new(what, "an agent is asked again later, not now"));
            }
            once(&mut said.wake, after_seconds, "wake")
        }
        Effect::Fail(text) => once(&mut said.fail, short(text)?, "fail"),
    }
}

fn once<T>(place: &mut Option<T>, value: T, name: &str) -> Result<(), Unfit> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => {
            let what = format!("a second `{name}` in one answer");
            Err(Unfit::new(
                what,
                "give each of them once; only `log` may be repeated",
            ))
        }
    }
}

fn short(text: String) -> Result<String, Unfit> {
    match text.chars().count() {
        0..=MAX_TEXT => Ok(text),
        more => {
            let what = format!("a text of {more} characters, the most is {MAX_TEXT}");
            Err(Unfit::new(what, "say it shorter, or in several lines"))
        }
    }
}

/// The fields of a message of a topic: their names, what they hold, and whether they are needed. None for a topic on
/// which anything may be said.
fn fields_of(topic: Topic) -> Option<&'static [(&'static str, Holds, bool)]> {
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
fn payload(speaker: &Speaker<'_>, mut fields: Map<String, Value>) -> Result<Value, Unfit> {
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
    match holds {
        Holds::Word(words) => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(word.into()),
            _ => Err(format!("one of {}", words.join(", "))),
        },
        Holds::Share => match number {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(share.into()),
            _ => Err("a number from 0 to 1".to_owned()),
        },
        Holds::Positive => match number {
            Some(number) if number > 0.0 => Ok(number.into()),
            _ => Err("a number above 0".to_owned()),
        },
        Holds::Count => match value.as_i64() {
            Some(count) if count >= 1 => Ok(count.into()),
            _ => Err("a whole number, 1 or more".to_owned()),
        },
    }
}

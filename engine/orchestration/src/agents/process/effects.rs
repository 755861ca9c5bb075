//! The effects that a program may have, read strictly: what is none, or says nothing that is known, ends the run.

use dacapo_kernel::Unfit;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::agents::said::{Speaker, payload};

/// The most characters that a program may say in one line for the log, or of why it fails.
const MAX_TEXT: usize = 4_000;

/// The longest time after which a program may want to be asked again, in seconds.
const MAX_WAKE: f64 = 1e9;

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

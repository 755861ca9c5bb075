//! The map from a trace to a log: which lines are which events, where their times and actors are, and
//! what their bodies say. It is TOML.

use std::fs;
use std::path::{Path, PathBuf};

use dacapo_kernel::{EventSet, Kind, System};
use serde::Deserialize;

use super::template::Template;
use crate::filter::kind_named;
use crate::pattern::Condition;
use crate::scenario::SCENARIO_BYTES_MAX;
use crate::value_path::ValuePath;

/// A map that was read.
pub struct Map<S: System> {
    /// The file, as it was named.
    pub path: String,
    /// Where it is; what it names is looked for from here.
    pub folder: PathBuf,
    /// What the trace is called.
    pub name: String,
    /// What it is about.
    pub story: Option<String>,
    /// The scenario whose configuration the properties go by.
    pub scenario: Option<PathBuf>,
    pub(super) time: TimeAt,
    pub(super) id: Option<ValuePath>,
    pub(super) cause: Option<ValuePath>,
    pub(super) rules: Vec<Rule>,
    covers: Vec<u16>,
    system: std::marker::PhantomData<S>,
}

/// Where the time of a line is.
#[derive(Clone, Debug)]
pub(super) struct TimeAt {
    pub(super) at: ValuePath,
    pub(super) unit: Unit,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    /// `2026-11-25T10:00:00.5Z`.
    Rfc3339,
    /// Seconds since 1970, with a fraction.
    S,
    /// Milliseconds since 1970.
    Ms,
    /// Microseconds since 1970.
    Us,
    /// Nanoseconds since 1970.
    Ns,
}

/// Which lines are which event.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) when: Vec<Condition>,
    pub(super) kind: &'static Kind,
    pub(super) actor: Template,
    pub(super) body: Template,
}

/// What is wrong with a map.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {what}")]
pub struct MapError {
    /// The map.
    pub path: String,
    /// What is wrong, and where in it.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    story: Option<String>,
    system: Option<String>,
    scenario: Option<PathBuf>,
    #[serde(default)]
    covers: Vec<String>,
    time: WrittenTime,
    id: Option<WrittenId>,
    #[serde(default)]
    event: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTime {
    at: String,
    unit: Unit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenId {
    at: String,
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    #[serde(default)]
    when: Vec<String>,
    kind: String,
    actor: toml::Value,
    #[serde(default = "nothing")]
    body: toml::Value,
}

fn nothing() -> toml::Value {
    toml::Value::Table(toml::Table::new())
}

impl<S: System> Map<S> {
    /// Reads a map.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or names what there is not.
    pub fn read(path: &Path) -> Result<Map<S>, MapError> {
        let shown = path.to_string_lossy().into_owned();
        let wrong = |what: String| MapError {
            path: shown.clone(),
            what,
        };
        let size = fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
        if size.len() > SCENARIO_BYTES_MAX {
            return Err(wrong(format!(
                "a map has at most {SCENARIO_BYTES_MAX} bytes, this one has {}",
                size.len()
            )));
        }
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let written: Written = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            wrong(format!("line {line}: {}", error.message()))
        })?;
        if let Some(system) = written.system.filter(|system| system != S::NAME) {
            return Err(wrong(format!(
                "the map is for the system {system:?}, this program is about {:?}",
                S::NAME
            )));
        }
        let place = |text: &str| {
            let place: Result<ValuePath, _> = text.parse();
            place.map_err(|error| wrong(error.to_string()))
        };
        let kind = |word: &str| kind_named::<S>(word).map_err(|error| wrong(error.to_string()));
        let mut rules = Vec::new();
        for (at, rule) in written.event.into_iter().enumerate() {
            let number = at + 1;
            let here = |what: String| wrong(format!("event {number} ({}): {what}", rule.kind));
            let when = rule.when.iter().map(|text| text.parse());
            let when: Result<Vec<Condition>, _> = when.collect();
            let found = kind(&rule.kind)?;
            let mut own = S::Event::KINDS.iter();
            rules.push(Rule {
                when: when.map_err(|error| here(error.to_string()))?,
                kind: own.find(|kind| kind.number == found).ok_or_else(|| {
                    here("only the system's own events can be in a trace".to_owned())
                })?,
                actor: Template::read(&rule.actor).map_err(here)?,
                body: Template::read(&rule.body).map_err(here)?,
            });
        }
        if rules.is_empty() {
            return Err(wrong(
                "the map says of no line which event it is; add [[event]] with when, kind, actor and body"
                    .to_owned(),
            ));
        }
        let covers: Result<Vec<u16>, MapError> =
            written.covers.iter().map(|word| kind(word)).collect();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let cause = written.id.as_ref().and_then(|id| id.cause.as_deref());
        Ok(Map {
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
            name: written.name.unwrap_or_else(|| stem.into_owned()),
            story: written.story,
            scenario: written.scenario,
            time: TimeAt {
                at: place(&written.time.at)?,
                unit: written.time.unit,
            },
            cause: cause.map(place).transpose()?,
            id: written.id.as_ref().map(|id| place(&id.at)).transpose()?,
            rules,
            covers: covers?,
            path: shown.clone(),
            system: std::marker::PhantomData,
        })
    }

    /// The kinds of event that a trace would have, had they happened.
    pub(super) fn kinds(&self) -> impl Iterator<Item = u16> + '_ {
        let mapped = self.rules.iter().map(|rule| rule.kind.number);
        mapped.chain(self.covers.iter().copied())
    }
}

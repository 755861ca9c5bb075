//! A place in what an event says or in a state: names joined by dots, such as `queue.done_by.3`.
//!
//! Only what lies at the place is made into a value; everything beside it is passed over, so that a
//! place can be looked at after every event of a log. A path may leave out what only wraps a value:
//! the name of a variant, the number of a kind, a text that is itself JSON.

mod probe;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;

use self::probe::Probe;

/// A place in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuePath {
    parts: Vec<String>,
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected names joined by dots, such as queue.done_by.3, with quotes around a name that has a dot \
     itself; found {found:?}"
)]
pub struct PathError {
    /// The text.
    pub found: String,
}

impl FromStr for ValuePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<ValuePath, PathError> {
        let error = || PathError {
            found: text.to_owned(),
        };
        let (mut parts, mut rest) = (Vec::new(), text.trim());
        loop {
            let (part, behind) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(error)?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if part.is_empty() {
                return Err(error());
            }
            parts.push(part.to_owned());
            match behind.strip_prefix('.') {
                Some(more) => rest = more,
                None if behind.is_empty() => return Ok(ValuePath { parts }),
                None => return Err(error()),
            }
        }
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match part.contains('.') {
                true => write!(f, "{dot}\"{part}\"")?,
                false => write!(f, "{dot}{part}")?,
            }
        }
        Ok(())
    }
}

impl ValuePath {
    /// The place with these names.
    pub(crate) fn of_parts(parts: Vec<String>) -> ValuePath {
        ValuePath { parts }
    }

    /// Its names.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// What lies there; none if there is no such place.
    pub fn of<T: Serialize + ?Sized>(&self, value: &T) -> Option<Value> {
        value.serialize(Probe(&self.parts)).ok().flatten()
    }

    /// Puts a value there, through texts that are JSON too.
    ///
    /// # Errors
    /// If there is no such place; says how far the path leads, and what is there.
    pub fn set(&self, root: &mut Value, new: Value) -> Result<(), NoPlace> {
        put(root, &self.parts, new).map_err(|(left, known)| NoPlace {
            path: self.to_string(),
            part: self
                .parts
                .get(self.parts.len() - left)
                .cloned()
                .unwrap_or_default(),
            known,
        })
    }
}

/// Why nothing can be put at a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no `{part}` on the way to `{path}`{}", is_there(known))]
pub struct NoPlace {
    /// The path.
    pub path: String,
    /// The name that is not there.
    pub part: String,
    /// What is there instead.
    pub known: Vec<String>,
}

fn is_there(known: &[String]) -> String {
    match known {
        [] => "; what is there has no parts".to_owned(),
        some => format!("; what is there: {}", some.join(", ")),
    }
}

/// Puts a value below another. The error: how many names of the path are left, and what is there.
fn put(at: &mut Value, path: &[String], new: Value) -> Result<(), (usize, Vec<String>)> {
    let Some((name, below)) = path.split_first() else {
        *at = new;
        return Ok(());
    };
    match at {
        Value::Object(fields) if fields.contains_key(name) => match fields.get_mut(name) {
            Some(field) => put(field, below, new),
            None => Ok(()),
        },
        // The name of a variant around what it holds.
        Value::Object(fields) if fields.len() == 1 && is_variant(fields) => {
            let known = names(fields);
            match fields.values_mut().next() {
                Some(held) => put(held, path, new),
                None => Err((path.len(), known)),
            }
        }
        Value::Object(fields) => Err((path.len(), names(fields))),
        Value::Array(items) => {
            let count = items.len();
            let place = name.parse().ok().filter(|at: &usize| *at < count);
            match place {
                Some(place) => put(&mut items[place], below, new),
                None if count == 2 && items[0].is_u64() => put(&mut items[1], path, new),
                None => Err((
                    path.len(),
                    (0..count.min(8)).map(|at| at.to_string()).collect(),
                )),
            }
        }
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text).ok();
            let Some(mut inner) = inner.filter(|inner| inner.is_object() || inner.is_array())
            else {
                return Err((path.len(), Vec::new()));
            };
            put(&mut inner, path, new)?;
            *text = inner.to_string();
            Ok(())
        }
        _ => Err((path.len(), Vec::new())),
    }
}

/// The names of variants begin with a capital, the names of fields do not.
fn is_variant(fields: &serde_json::Map<String, Value>) -> bool {
    let mut names = fields.keys();
    names.all(|name| name.starts_with(|c: char| c.is_uppercase()))
}

fn names(fields: &serde_json::Map<String, Value>) -> Vec<String> {
    fields.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Serialize)]
    enum Reply {
        Text(String),
        Nothing,
    }

    #[derive(Serialize)]
    struct Answered {
        reply: Reply,
        none: Reply,
        by: BTreeMap<u32, (u16, Vec<&'static str>)>,
    }

    fn answered() -> Answered {
        Answered {
            reply: Reply::Text(r#"{"action": "wait", "more": [1, {"b": 2}]}"#.to_owned()),
            none: Reply::Nothing,
            by: BTreeMap::from([(3, (7, vec!["x", "y"]))]),
        }
    }

    fn at(path: &str) -> Option<Value> {
        path.parse::<ValuePath>().unwrap().of(&answered())
    }

    // Fails if a wrapping has to be named, or may not be, or a name leads somewhere it should not.
    #[test]
    fn a_path_leads_through_what_only_wraps_a_value() {
        assert_eq!(at("reply.action"), Some(json!("wait")));
        assert_eq!(at("reply.Text.action"), Some(json!("wait")));
        assert_eq!(at("reply.more.1.b"), Some(json!(2)));
        assert_eq!(at("none"), Some(json!("Nothing")));
        assert_eq!(at("by.3.1.0"), Some(json!("x")));
        assert_eq!(at("by.3.0"), Some(json!(7)));
        assert_eq!(at("\"by\".3"), Some(json!([7, ["x", "y"]])));
        for nowhere in ["reply.x", "by.4", "none.x", "by.3.1.2", "x"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
        for wrong in ["", "a..b", ".a", "a.", "\"a", "\"a\"b"] {
            assert!(wrong.parse::<ValuePath>().is_err(), "{wrong}");
        }
    }

    // Fails if a value lands elsewhere than where the same path reads it.
    #[test]
    fn what_is_put_at_a_path_is_read_there() {
        let mut root = serde_json::to_value(answered()).unwrap();
        for path in ["reply.action", "reply.more.1.b", "by.3.1.0", "none"] {
            let place: ValuePath = path.parse().unwrap();
            place.set(&mut root, json!("new")).unwrap();
            assert_eq!(place.of(&root), Some(json!("new")), "{path}");
        }
        assert!(root["reply"]["Text"].is_string(), "a text stays a text");
        let nowhere: ValuePath = "reply.acton".parse().unwrap();
        let error = nowhere.set(&mut root, json!(1)).unwrap_err();
        assert_eq!(error.part, "acton");
        assert_eq!(error.known, ["action", "more"]);
    }
}

//! What an event says, put together from a line: fixed values, and places of the line.
//!
//! A text that begins with `$` is a place: `$payload.symbol`. Behind it may stand what it is to be
//! (`|text`, `|number`, `|json` for the text of its JSON), and `?` if it may be missing. `$$` begins a
//! text with one `$`.

use serde_json::{Map, Number, Value};

use crate::value_path::ValuePath;

/// What is put together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    Fixed(Value),
    Place {
        path: ValuePath,
        what: What,
        may_miss: bool,
    },
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
}

/// What a place is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    AsIs,
    Text,
    Number,
    Json,
}

impl Template {
    /// Reads a template as it is written.
    pub(super) fn read(written: &toml::Value) -> Result<Template, String> {
        Ok(match written {
            toml::Value::String(text) => match text.strip_prefix('$') {
                None => Template::Fixed(text.as_str().into()),
                Some(rest) if rest.starts_with('$') => Template::Fixed(rest.into()),
                Some(place) => Template::place(place)?,
            },
            toml::Value::Integer(number) => Template::Fixed((*number).into()),
            toml::Value::Float(number) => Template::Fixed(
                Number::from_f64(*number)
                    .map(Value::Number)
                    .ok_or_else(|| format!("{number} is no number that an event can have"))?,
            ),
            toml::Value::Boolean(is) => Template::Fixed((*is).into()),
            toml::Value::Datetime(time) => Template::Fixed(time.to_string().into()),
            toml::Value::Array(items) => {
                let items: Result<Vec<Template>, String> =
                    items.iter().map(Template::read).collect();
                Template::Array(items?)
            }
            toml::Value::Table(fields) => {
                let fields = fields.iter();
                let fields: Result<Vec<(String, Template)>, String> = fields
                    .map(|(name, value)| Ok((name.clone(), Template::read(value)?)))
                    .collect();
                Template::Object(fields?)
            }
        })
    }

    fn place(text: &str) -> Result<Template, String> {
        let (text, may_miss) = match text.strip_suffix('?') {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (path, what) = match text.split_once('|') {
            None => (text, What::AsIs),
            Some((path, "text")) => (path, What::Text),
            Some((path, "number")) => (path, What::Number),
            Some((path, "json")) => (path, What::Json),
            Some((_, other)) => {
                return Err(format!(
                    "a place is made `text`, `number` or `json`, not `{other}`"
                ));
            }
        };
        let path = path.parse().map_err(|error| format!("{error}"))?;
        Ok(Template::Place {
            path,
            what,
            may_miss,
        })
    }

    /// What a line makes of it.
    pub(super) fn fill(&self, line: &Value) -> Result<Value, String> {
        match self {
            Template::Fixed(value) => Ok(value.clone()),
            Template::Array(items) => items
                .iter()
                .map(|item| item.fill(line))
                .collect::<Result<Vec<Value>, String>>()
                .map(Value::Array),
            Template::Object(fields) => {
                let mut filled = Map::new();
                for (name, field) in fields {
                    filled.insert(name.clone(), field.fill(line)?);
                }
                Ok(Value::Object(filled))
            }
            Template::Place {
                path,
                what,
                may_miss,
            } => match path.of(line) {
                None if *may_miss => Ok(Value::Null),
                None => Err(format!("there is no `{path}` in it")),
                Some(value) => made(value, *what, path),
            },
        }
    }
}

fn made(value: Value, what: What, path: &ValuePath) -> Result<Value, String> {
    Ok(match (what, value) {
        (What::AsIs, value) => value,
        (What::Json, value) => value.to_string().into(),
        (What::Text, Value::String(text)) => text.into(),
        (What::Text, value) => value.to_string().into(),
        (What::Number, Value::String(text)) => serde_json::from_str::<Number>(&text)
            .map(Value::Number)
            .map_err(|_| format!("`{path}` is {text:?}, which is no number"))?,
        (What::Number, number @ Value::Number(_)) => number,
        (What::Number, other) => return Err(format!("`{path}` is {other}, which is no number")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(written: &str, line: &Value) -> Result<Value, String> {
        let table: toml::Table = toml::from_str(&format!("it = {written}")).unwrap();
        Template::read(&table["it"])?.fill(line)
    }

    // Fails if a place is taken for a text, or what is missing for nothing.
    #[test]
    fn a_body_is_put_together_from_what_is_fixed_and_what_a_line_has() {
        let line = json!({"a": {"b": "7.5", "c": 3}});
        let is = |written: &str| filled(written, &line).ok();
        assert_eq!(is(r#""$a.b""#), Some(json!("7.5")));
        assert_eq!(is(r#""$a.b|number""#), Some(json!(7.5)));
        assert_eq!(is(r#""$a.c|text""#), Some(json!("3")));
        assert_eq!(is(r#""$a|json""#), Some(json!(r#"{"b":"7.5","c":3}"#)));
        assert_eq!(
            is(r#"{x = "$a.c", y = [1, "$$z"]}"#),
            Some(json!({"x": 3, "y": [1, "$z"]}))
        );
        assert_eq!(is(r#""$a.d?""#), Some(Value::Null));
        assert!(filled(r#""$a.d""#, &line).unwrap_err().contains("`a.d`"));
        assert!(filled(r#""$a|number""#, &line).is_err());
        assert!(filled(r#""$a|size""#, &line).is_err());
        assert!(filled(r#""$""#, &line).is_err());
    }
}

//! One field of a payload, typed or raw, and what reading it the wrong way raises.
//!
//! The simulated code is dynamically typed and trusts its input. Whoever reads a field says what it
//! expects, and gets the error that the original would raise; nothing is validated here.

use serde_json::Value;
use thiserror::Error;

use super::Name;

/// An error that the simulated code raises on input that it did not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Raised {
    /// The type is right, the value is not.
    #[error("value error: the text or number cannot be converted")]
    Value,
    /// The type is wrong.
    #[error("type error: a number was expected")]
    Type,
    /// A number is too large to be converted.
    #[error("overflow: the number is too large to be converted")]
    Overflow,
    /// Something was divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// JSON is nested too deeply.
    #[error("recursion limit: the JSON is nested too deeply")]
    RecursionLimit,
}

/// One field of a payload.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// The payload has no such field.
    Missing,
    /// It is null.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A list of names.
    Names(&'a [Name]),
    /// An object, a list, or a whole number beyond 64 bits.
    Json(&'a Value),
}

impl<'a> Field<'a> {
    /// The field itself, or `default` if it is missing. Null is not missing.
    pub fn or(self, default: Field<'a>) -> Field<'a> {
        match self {
            Field::Missing => default,
            present => present,
        }
    }

    /// Whether the payload has no such field.
    pub fn is_missing(self) -> bool {
        matches!(self, Field::Missing)
    }

    /// Whether it is exactly this text.
    pub fn is(self, text: &str) -> bool {
        self.text() == Some(text)
    }

    /// Its text, if it is one.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its value as an operand of arithmetic.
    ///
    /// # Errors
    ///
    /// A type error for anything but a number; true and false are the numbers 1 and 0.
    pub fn number(self) -> Result<f64, Raised> {
        match self {
            Field::Float(number) => Ok(number),
            Field::Int(number) => Ok(number as f64),
            Field::Bool(truth) => Ok(f64::from(u8::from(truth))),
            Field::Json(Value::Number(number)) => number.as_f64().ok_or(Raised::Overflow),
            _ => Err(Raised::Type),
        }
    }

    /// A field of the object that this field is; missing in anything but an object.
    pub fn get(self, name: &str) -> Field<'a> {
        match self {
            Field::Json(value) => Field::from(value.get(name)),
            _ => Field::Missing,
        }
    }

    /// Whether both are there and equal. Numbers are compared by value, whatever their type.
    pub fn equals(self, other: Field<'_>) -> bool {
        match (self, other) {
            (Field::Text(a), Field::Text(b)) => a == b,
            (Field::Names(_) | Field::Json(_) | Field::Null, _) => {
                self.to_json() == other.to_json()
            }
            _ => matches!((self.number(), other.number()), (Ok(a), Ok(b)) if a == b),
        }
    }

    /// The same as JSON. A missing field is none; a number that is not finite is null.
    pub fn to_json(self) -> Option<Value> {
        Some(match self {
            Field::Missing => return None,
            Field::Null => Value::Null,
            Field::Bool(truth) => truth.into(),
            Field::Int(number) => number.into(),
            Field::Float(number) => number.into(),
            Field::Text(text) => text.into(),
            Field::Names(names) => names.iter().map(Name::as_str).collect(),
            Field::Json(value) => value.clone(),
        })
    }
}

impl<'a> From<&'a Value> for Field<'a> {
    fn from(value: &'a Value) -> Field<'a> {
        match value {
            Value::Null => Field::Null,
            Value::Bool(truth) => Field::Bool(*truth),
            Value::String(text) => Field::Text(text),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Field::Int(whole),
                None if number.is_f64() => number.as_f64().map_or(Field::Json(value), Field::Float),
                None => Field::Json(value),
            },
            Value::Array(_) | Value::Object(_) => Field::Json(value),
        }
    }
}

impl<'a> From<Option<&'a Value>> for Field<'a> {
    fn from(value: Option<&'a Value>) -> Field<'a> {
        value.map_or(Field::Missing, Field::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equality_is_by_value_and_never_with_something_missing() {
        let (one, text, list) = (json!(1), json!("1"), json!(["a"]));
        assert!(Field::from(&one).equals(Field::Float(1.0)));
        assert!(Field::from(&one).equals(Field::Bool(true)));
        assert!(!Field::from(&one).equals(Field::from(&text)));
        assert!(Field::Names(&[Name::fixed("a")]).equals(Field::from(&list)));
        assert!(Field::Null.equals(Field::Null));
        for other in [Field::Missing, Field::Null, Field::Int(0), Field::Text("")] {
            assert!(!Field::Missing.equals(other) && !other.equals(Field::Missing));
        }
    }

    #[test]
    fn only_numbers_take_part_in_arithmetic() {
        assert_eq!(Field::Bool(true).number(), Ok(1.0));
        assert_eq!(Field::Text("0.5").number(), Err(Raised::Type));
        assert_eq!(Field::Null.number(), Err(Raised::Type));
    }
}

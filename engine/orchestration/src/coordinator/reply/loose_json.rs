//! JSON as the simulated code's parser takes it, which is looser than the standard.
//!
//! NaN, infinities and whole numbers of any length are values here. Every departure from strict
//! JSON is noted, so that a reader who wants the standard can refuse the whole. Lone halves of
//! surrogate pairs cannot be held and become U+FFFD.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

mod parser;

use parser::{MAX_DEPTH, MAX_DIGITS};

/// A JSON value, loosely.
#[derive(Clone, Debug, PartialEq)]
pub enum Loose {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond 64 bits: its digits, with a minus sign if it is negative.
    BigInt(String),
    /// Any other number, `NaN` and infinities included.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Loose>),
    /// An object. Of equal keys the last one counts.
    Object(BTreeMap<String, Loose>),
}

/// A value and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The value.
    pub value: Loose,
    /// Whether the text is JSON by the standard, too: every number finite, every surrogate
    /// paired, nested 128 deep at most.
    pub is_strict: bool,
}

/// Why a text is not even loose JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// It is not JSON.
    #[error("not JSON from byte {at} on")]
    Syntax {
        /// Where.
        at: usize,
    },
    /// It is nested too deeply.
    #[error("JSON nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A whole number is too long.
    #[error("whole number of more than {MAX_DIGITS} digits")]
    TooLong,
}

impl Loose {
    /// Parses a whole text.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or beyond what the original's parser can take.
    pub fn parse(text: &str) -> Result<Parsed, ParseError> {
        parser::parse(text)
    }

    /// Its value, if it is a number that an `f64` is near to.
    pub fn number(&self) -> Option<f64> {
        match self {
            Loose::Int(number) => Some(*number as f64),
            Loose::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Loose::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its value, if it is a finite number. True and false are no numbers here.
    pub fn finite(&self) -> Option<f64> {
        let number = match self {
            Loose::Int(number) => *number as f64,
            Loose::BigInt(digits) => digits.parse().ok()?,
            Loose::Float(number) => *number,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }
}

impl From<&str> for Loose {
    fn from(text: &str) -> Loose {
        Loose::Text(text.to_owned())
    }
}

/// The loose JSON text that parses to the same value.
impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loose::Null => f.write_str("null"),
            Loose::Bool(truth) => write!(f, "{truth}"),
            Loose::Int(number) => write!(f, "{number}"),
            Loose::BigInt(digits) => f.write_str(digits),
            Loose::Float(number) if number.is_nan() => f.write_str("NaN"),
            Loose::Float(number) if number.is_infinite() => f.write_str(if *number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            }),
            Loose::Float(number) => write!(f, "{number:?}"),
            Loose::Text(text) => write_text(f, text),
            Loose::List(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Loose::Object(fields) => {
                f.write_str("{")?;
                for (place, (key, value)) in fields.iter().enumerate() {
                    f.write_str(if place > 0 { "," } else { "" })?;
                    write_text(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "{}", serde_json::Value::from(text))
}

#[cfg(test)]
mod tests;

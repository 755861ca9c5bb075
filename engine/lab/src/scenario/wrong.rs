//! A mistake met while deserialising: its kind, its place, the path of keys that leads to it.
//!
//! Types that are read in two passes, such as enums told apart by a key, lose the place of what
//! is in them; it is found again by looking for what the mistake names.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::complaint::Complaint;
use super::safe::clipped;
use super::tree::{Node, Span, Value};

/// How much of a value is repeated in a message, in characters.
const VALUE_MAX: usize = 60;

/// A mistake met while deserialising.
#[derive(Debug)]
pub(super) struct Wrong(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: Reason,
    span: Option<Span>,
    /// The keys that lead to the place, the innermost first.
    path: Vec<String>,
}

/// What kind of mistake it is.
#[derive(Debug)]
pub(super) enum Reason {
    /// There is no such key.
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    /// There is no such word.
    UnknownWord {
        word: String,
        known: &'static [&'static str],
    },
    /// This is no word at all.
    NoWord {
        found: String,
        known: &'static [&'static str],
    },
    /// A key that must be there is not.
    MissingKey(&'static str),
    /// A value of another type, or outside its range.
    Unfit { expected: String, found: String },
    /// What a type says in its own words.
    Said(String),
    /// Nobody asked for this value. Whoever knows its key makes an unknown key of it.
    Ignored,
}

impl Wrong {
    pub(super) fn new(reason: Reason) -> Wrong {
        Wrong(Box::new(Inner {
            reason,
            span: None,
            path: Vec::new(),
        }))
    }

    pub(super) fn is_ignored(&self) -> bool {
        matches!(self.0.reason, Reason::Ignored)
    }

    /// The same mistake at a place, unless its place is known.
    pub(super) fn at(mut self, span: Span) -> Wrong {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same mistake below a key.
    pub(super) fn under(mut self, key: &str) -> Wrong {
        self.0.path.push(key.to_owned());
        self
    }

    /// The same mistake somewhere in a node, unless its place is known.
    pub(super) fn in_node(mut self, node: &Node) -> Wrong {
        if self.0.span.is_some() || self.is_ignored() {
            return self;
        }
        let (span, path) = match self.found_in(node).as_mut_slice() {
            [(span, path)] => (*span, std::mem::take(path)),
            _ => (node.span, Vec::new()),
        };
        self.0.path.extend(path);
        self.at(span)
    }

    /// The place, and what to say.
    pub(super) fn into_flaw(self) -> (Option<Span>, Complaint) {
        let Inner {
            reason,
            span,
            mut path,
        } = *self.0;
        path.reverse();
        let path = path.join(".");
        (span, complaint(reason, &path))
    }

    /// Every place below a node that what the mistake names could mean.
    fn found_in(&self, node: &Node) -> Vec<(Span, Vec<String>)> {
        let mut places = Vec::new();
        self.collect(node, &mut Vec::new(), &mut places);
        places
    }

    fn collect(&self, node: &Node, path: &mut Vec<String>, out: &mut Vec<(Span, Vec<String>)>) {
        let inner_first = |path: &[String]| path.iter().rev().cloned().collect();
        let names_value = match &self.0.reason {
            Reason::Unfit { found, .. } | Reason::NoWord { found, .. } => {
                *found == node.described()
            }
            Reason::UnknownWord { word, .. } => {
                matches!(&node.value, Value::Text(text) if text == word)
            }
            _ => false,
        };
        if names_value {
            out.push((node.span, inner_first(path)));
        }
        let mut below = |name: String, node: &Node| {
            path.push(name);
            self.collect(node, path, out);
            path.pop();
        };
        match &node.value {
            Value::Table(table) => {
                for (key, node) in &table.entries {
                    below(key.text.clone(), node);
                }
                if let Reason::UnknownKey { key, .. } = &self.0.reason
                    && let Some(key) = table.key(key)
                {
                    out.push((key.span, inner_first(path)));
                }
            }
            Value::Array(items) => {
                for (number, node) in items.iter().enumerate() {
                    below(number.to_string(), node);
                }
            }
            _ => {}
        }
    }
}

fn complaint(reason: Reason, path: &str) -> Complaint {
    let of = |what: String| match path {
        "" => what,
        path => format!("`{path}`: {what}"),
    };
    let inside = match path {
        "" => String::new(),
        path => format!(" in `{path}`"),
    };
    let all = |known: &'static [&'static str]| known.iter().copied();
    match reason {
        Reason::UnknownKey { key, known } => Complaint::new(format!(
            "unknown key `{}`{inside}",
            clipped(&key, VALUE_MAX)
        ))
        .instead(&key, "the keys here are", all(known)),
        Reason::UnknownWord { word, known } => Complaint::new(of(format!(
            "unknown word `{}`",
            clipped(&word, VALUE_MAX)
        )))
        .instead(&word, "the words here are", all(known)),
        Reason::NoWord { found, known } => Complaint::new(of(format!(
            "expected a word in quotes, found {found}"
        )))
        .instead("", "the words here are", all(known)),
        Reason::MissingKey(key) => Complaint::new(format!("the key `{key}` is missing{inside}"))
            .help(format!("add `{key} = …`")),
        Reason::Unfit { expected, found } => {
            Complaint::new(of(format!("expected {expected}, found {found}")))
        }
        Reason::Said(text) => Complaint::new(of(text)),
        Reason::Ignored => Complaint::new(of("is not used".to_owned())),
    }
}

impl Node {
    /// What stands here, in the words of a message.
    pub(super) fn described(&self) -> String {
        match &self.value {
            Value::Text(text) | Value::Date(text) => described(Unexpected::Str(text)),
            Value::Integer(number) => format!("the number {number}"),
            Value::Float(number) => described(Unexpected::Float(*number)),
            Value::Bool(value) => described(Unexpected::Bool(*value)),
            Value::Array(_) => described(Unexpected::Seq),
            Value::Table(_) => described(Unexpected::Map),
        }
    }
}

fn described(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number:?}"),
        Unexpected::Char(c) => described(Unexpected::Str(c.encode_utf8(&mut [0; 4]))),
        Unexpected::Str(text) => format!("the text \"{}\"", clipped(text, VALUE_MAX)),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Other(what) => what.to_owned(),
        other => other.to_string(),
    }
}

/// What a type says that it expects, in the words of somebody who writes TOML.
fn wanted(expected: &dyn Expected) -> String {
    let said = expected.to_string();
    let range = |least: i128, most: i128| format!("a whole number from {least} to {most}");
    match said.as_str() {
        "u8" => range(0, u8::MAX.into()),
        "u16" => range(0, u16::MAX.into()),
        "u32" => range(0, u32::MAX.into()),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" => range(i8::MIN.into(), i8::MAX.into()),
        "i16" => range(i16::MIN.into(), i16::MAX.into()),
        "i32" => range(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" | "i128" => "a whole number".to_owned(),
        "u128" => "a whole number, 0 or more".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64"
        | "a nonzero usize" => "a whole number, 1 or more".to_owned(),
        "a string" | "string" => "text in quotes".to_owned(),
        "a character" => "one character in quotes".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        "unit" => "nothing".to_owned(),
        said if said.starts_with("struct ") => "a table".to_owned(),
        said => said.to_owned(),
    }
}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(text: T) -> Wrong {
        Wrong::new(Reason::Said(text.to_string()))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Wrong {
        Wrong::new(Reason::Unfit {
            expected: wanted(expected),
            found: described(found),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Wrong {
        Wrong::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Wrong {
        Wrong::new(Reason::Unfit {
            expected: wanted(expected),
            found: format!("{length} entries"),
        })
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Wrong {
        Wrong::new(Reason::UnknownWord {
            word: word.to_owned(),
            known,
        })
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Wrong {
        Wrong::new(Reason::UnknownKey {
            key: key.to_owned(),
            known,
        })
    }

    fn missing_field(key: &'static str) -> Wrong {
        Wrong::new(Reason::MissingKey(key))
    }

    fn duplicate_field(key: &'static str) -> Wrong {
        Wrong::new(Reason::Said(format!("`{key}` is given twice")))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.reason)
    }
}

impl std::error::Error for Wrong {}

//! A TOML document as a tree in which every key and value knows where it was written.
//!
//! What the values mean is decided when the tree is deserialised.

use toml::de::{DeArray, DeTable, DeValue};
use toml_parser::lexer::TokenKind;

use super::complaint::Complaint;

/// How many names a key can have, joined by dots.
const KEY_PARTS_MAX: usize = 16;
/// How deep tables and arrays can lie in each other.
const DEPTH_MAX: usize = 64;

/// Who wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The scenario file.
    File,
    /// The option with this number.
    Option(usize),
}

/// Where something was written: bytes of the file, or of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) origin: Origin,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Span,
}

/// What TOML can say.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Bool(bool),
    /// A date or time without quotes, as it was written.
    Date(String),
    Array(Vec<Node>),
    Table(Table),
}

/// Keys and values in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Table {
    pub(super) entries: Vec<(Key, Node)>,
}

/// A key and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) span: Span,
}

/// What is wrong with a document, and where.
pub(super) type Flaw = (Span, Complaint);

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries.iter().find(|(k, _)| k.text == key);
        entry.map(|(_, node)| node)
    }

    pub(super) fn key(&self, key: &str) -> Option<&Key> {
        let entry = self.entries.iter().find(|(k, _)| k.text == key);
        entry.map(|(key, _)| key)
    }

    /// Forgets a key and what it says.
    pub(super) fn leave_out(&mut self, key: &str) {
        self.entries.retain(|(known, _)| known.text != key);
    }

    /// Puts what another table says in place of what this one says: tables entry by entry, everything else as a whole.
    pub(super) fn overlay(&mut self, over: &Table) {
        for (key, new) in &over.entries {
            let mut entries = self.entries.iter_mut();
            match entries.find(|(known, _)| known.text == key.text) {
                None => self.entries.push((key.clone(), new.clone())),
                Some((_, node)) => match (&mut node.value, &new.value) {
                    (Value::Table(old), Value::Table(new)) => old.overlay(new),
                    _ => *node = new.clone(),
                },
            }
        }
    }
}

impl Node {
    /// The entries of a whole document.
    pub(super) fn table(&mut self) -> &mut Table {
        match &mut self.value {
            Value::Table(table) => table,
            _ => unreachable!("a document is a table, and an override only goes into it"),
        }
    }

    /// A key of a table, with its place.
    pub(super) fn key(&self, key: &str) -> Option<&Key> {
        match &self.value {
            Value::Table(table) => table.key(key),
            _ => None,
        }
    }

    /// What stands below one key or number.
    pub(super) fn below(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(table) => table.get(key),
            Value::Array(items) => key.parse().ok().and_then(|n: usize| items.get(n)),
            _ => None,
        }
    }
}

/// Reads a document.
///
/// # Errors
/// If it is not TOML, or nested deeper than anybody writes by hand.
pub(super) fn document(text: &str) -> Result<Node, Flaw> {
    let place = Place {
        origin: Origin::File,
        offset: 0,
    };
    refuse_long_keys(text, place)?;
    let table = DeTable::parse(text).map_err(|error| not_toml(text, place, &error))?;
    Ok(Node {
        span: place.span(0..0),
        value: Value::Table(place.table(table.into_inner(), 0)?),
    })
}

/// Reads one value, as an option gives it from byte `offset` on.
///
/// # Errors
/// If it is not a TOML value.
pub(super) fn value(text: &str, origin: Origin, offset: usize) -> Result<Node, Flaw> {
    let place = Place { origin, offset };
    refuse_long_keys(text, place)?;
    let value = DeValue::parse(text).map_err(|error| not_toml(text, place, &error))?;
    place.node(value, 0)
}

/// Where a piece of TOML begins.
#[derive(Clone, Copy)]
struct Place {
    origin: Origin,
    offset: usize,
}

impl Place {
    fn span(self, bytes: std::ops::Range<usize>) -> Span {
        Span {
            origin: self.origin,
            start: self.offset + bytes.start,
            end: self.offset + bytes.end,
        }
    }

    fn table(self, table: DeTable<'_>, depth: usize) -> Result<Table, Flaw> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let key = Key {
                span: self.span(key.span()),
                text: key.into_inner().into_owned(),
            };
            entries.push((key, self.node(value, depth + 1)?));
        }
        entries.sort_by_key(|(key, _)| key.span.start);
        Ok(Table { entries })
    }

    fn array(self, array: DeArray<'_>, depth: usize) -> Result<Vec<Node>, Flaw> {
        let node = |item| self.node(item, depth + 1);
        array.into_iter().map(node).collect()
    }

    fn node(self, node: toml::Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Flaw> {
        let span = self.span(node.span());
        if depth > DEPTH_MAX {
            let what = format!("nested more than {DEPTH_MAX} deep");
            return Err((span, Complaint::new(what).help("write it flatter")));
        }
        let out_of_range = |kind| {
            let what = format!("this {kind} is out of range");
            (span, Complaint::new(what).help("write a smaller one"))
        };
        let value = match node.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(digits) => {
                let value = i128::from_str_radix(digits.as_str(), digits.radix());
                Value::Integer(value.map_err(|_| out_of_range("whole number"))?)
            }
            DeValue::Float(digits) => {
                let value = digits.as_str().parse().unwrap_or(f64::INFINITY);
                if value.is_infinite() && !digits.as_str().contains("inf") {
                    return Err(out_of_range("number"));
                }
                Value::Float(value)
            }
            DeValue::Boolean(value) => Value::Bool(value),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(array) => Value::Array(self.array(array, depth)?),
            DeValue::Table(table) => Value::Table(self.table(table, depth)?),
        };
        Ok(Node { value, span })
    }
}

/// Dotted keys nest without brackets, so the parser's own bound on depth does not see them.
fn refuse_long_keys(text: &str, place: Place) -> Result<(), Flaw> {
    let mut dots = 0;
    for token in toml_parser::Source::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Atom
            | TokenKind::Whitespace
            | TokenKind::LiteralString
            | TokenKind::BasicString => {}
            _ => dots = 0,
        }
        if dots >= KEY_PARTS_MAX {
            let span = place.span(token.span().start()..token.span().end());
            let what = format!("a key has at most {KEY_PARTS_MAX} parts");
            return Err((span, Complaint::new(what).help("write it shorter")));
        }
    }
    Ok(())
}

fn not_toml(text: &str, place: Place, error: &toml::de::Error) -> Flaw {
    let bytes = error.span().unwrap_or(0..0);
    let found = text.get(bytes.clone()).unwrap_or_default();
    let complaint = if error.message() == "duplicate key" {
        Complaint::new(format!("`{found}` is given twice")).help("keep one of the two")
    } else {
        Complaint::new(format!("not valid TOML: {}", error.message()))
            .help("text stands in quotes, keys before `=`, tables in `[` and `]`")
    };
    (place.span(bytes), complaint)
}

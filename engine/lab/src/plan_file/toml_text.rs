//! TOML as text from plain values, laid out as a person would: short values on a line, tables as
//! sections, lists of tables as sections of their own.
//!
//! Whole numbers are written up to 64 bits without a sign, which the loader takes and the `toml`
//! crate does not write.

use serde_json::{Map, Value};

use super::PlanFileError;

/// How long a line can be before a value is spread over several.
const WIDTH: usize = 100;
/// How deep sections lie in each other; below, tables are written on a line. A dotted key has at
/// most 16 parts.
const SECTIONS_DEEP: usize = 8;

/// Writes what stands on lines of its own: everything of a table that needs no section.
pub(super) fn lines(table: &Map<String, Value>, out: &mut String) -> Result<(), PlanFileError> {
    for (name, value) in table {
        if !needs_section(name, value, 1) {
            line(name, value, out)?;
        }
    }
    Ok(())
}

/// Writes the sections of a table, which stand behind its lines.
pub(super) fn sections(table: &Map<String, Value>, out: &mut String) -> Result<(), PlanFileError> {
    sections_below(&[], table, out)
}

fn sections_below(
    path: &[&str],
    table: &Map<String, Value>,
    out: &mut String,
) -> Result<(), PlanFileError> {
    for (name, value) in table {
        if !needs_section(name, value, path.len() + 1) {
            continue;
        }
        let path: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
        match value {
            Value::Object(inner) => section(&path, ("[", "]"), inner, out)?,
            Value::Array(items) => {
                for inner in items.iter().filter_map(Value::as_object) {
                    section(&path, ("[[", "]]"), inner, out)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn section(
    path: &[&str],
    (open, close): (&str, &str),
    table: &Map<String, Value>,
    out: &mut String,
) -> Result<(), PlanFileError> {
    let keys: Vec<String> = path.iter().map(|name| key(name)).collect();
    let (mut own, mut below) = (String::new(), String::new());
    for (name, value) in table {
        if !needs_section(name, value, path.len() + 1) {
            line(name, value, &mut own)?;
        }
    }
    sections_below(path, table, &mut below)?;
    // A table that only holds others is there because they are; an item of a list is not.
    if !own.is_empty() || below.is_empty() || open == "[[" {
        out.push_str(&format!("\n{open}{}{close}\n", keys.join(".")));
    }
    out.push_str(&own);
    out.push_str(&below);
    Ok(())
}

/// Whether a value is a table, or a list of tables, that is too long for a line. At the top every
/// table is a section.
fn needs_section(name: &str, value: &Value, depth: usize) -> bool {
    let is_long = || match on_a_line(value) {
        Ok(text) => key(name).len() + 3 + text.chars().count() > WIDTH,
        Err(_) => true,
    };
    match value {
        _ if depth > SECTIONS_DEEP => false,
        Value::Object(_) => depth == 1 || is_long(),
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_object) && is_long(),
        _ => false,
    }
}

/// Writes one key with its value; nothing for one that is absent.
fn line(name: &str, value: &Value, out: &mut String) -> Result<(), PlanFileError> {
    if value.is_null() {
        return Ok(());
    }
    let text = on_a_line(value)?;
    match value {
        Value::Array(items) if name.len() + 3 + text.chars().count() > WIDTH => {
            out.push_str(&format!("{} = [\n", key(name)));
            for item in items {
                out.push_str(&format!("    {},\n", on_a_line(item)?));
            }
            out.push_str("]\n");
        }
        _ => out.push_str(&format!("{} = {text}\n", key(name))),
    }
    Ok(())
}

/// A value without a line break in it.
pub(super) fn on_a_line(value: &Value) -> Result<String, PlanFileError> {
    Ok(match value {
        Value::Null => return Err(PlanFileError::Null),
        Value::Bool(value) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Number(number) => match number.as_f64() {
            // What is no whole number has a point or an exponent in this form.
            Some(float) if number.is_f64() => format!("{float:?}"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(on_a_line).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let present = table.iter().filter(|(_, value)| !value.is_null());
            let entries: Vec<String> = present
                .map(|(name, value)| Ok(format!("{} = {}", key(name), on_a_line(value)?)))
                .collect::<Result<_, PlanFileError>>()?;
            if entries.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", entries.join(", "))
            }
        }
    })
}

/// A key, quoted where it has to be.
pub(super) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text in quotes, with everything escaped that cannot stand in one, or could act on a terminal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if crate::scenario::printable(c.encode_utf8(&mut [0; 4]))
                .chars()
                .eq([c]) =>
            {
                out.push(c);
            }
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

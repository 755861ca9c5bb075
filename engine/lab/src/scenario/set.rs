//! What the command line says goes into the tree before anything is read from it, so that a
//! value from an option passes the same checks as one from the file.

use super::complaint::Complaint;
use super::safe::clipped;
use super::source::Source;
use super::tree::{self, Key, Node, Origin, Span, Table, Value};
use super::{Overrides, ScenarioError};

/// Puts every override into the tree: `--set` in order, then the options of their own.
///
/// # Errors
/// If an option is no `key=value`, or leads through something that has no such place.
pub(super) fn apply(
    root: &mut Node,
    source: &mut Source,
    overrides: &Overrides,
) -> Result<(), ScenarioError> {
    for set in &overrides.set {
        let origin = source.option(format!("--set {set}"));
        let span = whole(origin);
        parsed(set, origin)
            .and_then(|(path, node)| put(root, &path, node))
            .map_err(|complaint| source.complain(Some(span), complaint))?;
    }
    for (option, path, value) in own_options(overrides) {
        let span = whole(source.option(option));
        let node = Node {
            value: with_span(value, span),
            span,
        };
        put(root, &path.map(str::to_owned), node)
            .map_err(|complaint| source.complain(Some(span), complaint))?;
    }
    Ok(())
}

type OwnOption = (String, [&'static str; 2], OwnValue);

enum OwnValue {
    Number(u64),
    Word(String),
    Words(Vec<String>),
}

fn own_options(overrides: &Overrides) -> Vec<OwnOption> {
    let mut own = Vec::new();
    if let Some(seed) = overrides.seed {
        let option = format!("--seed {seed}");
        own.push((option, ["run", "seed"], OwnValue::Number(seed)));
    }
    if let Some(profile) = &overrides.profile {
        let option = format!("--profile {profile}");
        own.push((option, ["run", "profile"], OwnValue::Word(profile.clone())));
    }
    if !overrides.defects.is_empty() {
        let option = format!("--defects {}", overrides.defects.join(","));
        let words = OwnValue::Words(overrides.defects.clone());
        own.push((option, ["run", "defects"], words));
    }
    if let Some(scheduler) = &overrides.scheduler {
        let option = format!("--scheduler {scheduler}");
        let word = OwnValue::Word(scheduler.clone());
        own.push((option, ["run", "scheduler"], word));
    }
    if let Some(events) = overrides.max_events {
        let option = format!("--max-events {events}");
        own.push((option, ["budgets", "events"], OwnValue::Number(events)));
    }
    own
}

fn with_span(value: OwnValue, span: Span) -> Value {
    let word = |word| Node {
        value: Value::Text(word),
        span,
    };
    match value {
        OwnValue::Number(number) => Value::Integer(number.into()),
        OwnValue::Word(word) => Value::Text(word),
        OwnValue::Words(words) => Value::Array(words.into_iter().map(word).collect()),
    }
}

/// A whole option as a place; which part of it is wrong is plain from the message.
fn whole(origin: Origin) -> Span {
    Span {
        origin,
        start: 0,
        end: 0,
    }
}

/// The path and the value of `dotted.key=value`.
fn parsed(set: &str, origin: Origin) -> Result<(Vec<String>, Node), Complaint> {
    let shape = "write `--set section.key=value`, such as `--set run.seed=7`";
    let Some((key, text)) = set.split_once('=') else {
        return Err(Complaint::new("expected `key=value`, found no `=`").help(shape));
    };
    let (key, text) = (key.trim(), text.trim());
    let path = path(key).ok_or_else(|| {
        let key = clipped(key, 60);
        Complaint::new(format!("`{key}` is no key: names joined by dots")).help(shape)
    })?;
    if text.is_empty() {
        return Err(Complaint::new(format!("`{key}` has no value"))
            .help(format!("for an empty text write `--set '{key}=\"\"'`")));
    }
    let node = match tree::value(text, origin, 0) {
        Ok(node) => node,
        // What cannot have been meant as anything else is a word.
        Err(_) if !text.starts_with(['"', '\'', '[', '{']) => Node {
            value: Value::Text(text.to_owned()),
            span: whole(origin),
        },
        Err((_, complaint)) => return Err(complaint),
    };
    Ok((path, node))
}

/// The names of a dotted key, quoted or not.
fn path(key: &str) -> Option<Vec<String>> {
    let document = tree::document(&format!("{key}=0")).ok()?;
    let mut node = &document;
    let mut path = Vec::new();
    while let Value::Table(table) = &node.value {
        let [(key, below)] = table.entries.as_slice() else {
            return None;
        };
        path.push(key.text.clone());
        node = below;
    }
    (node.value == Value::Integer(0)).then_some(path)
}

/// Puts a value at a path, making the tables on the way.
fn put(root: &mut Node, path: &[String], new: Node) -> Result<(), Complaint> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(());
    };
    let mut node = root;
    for (depth, key) in parents.iter().enumerate() {
        node = below(node, key, &path[..depth], new.span)?;
    }
    let place = below(node, last, parents, new.span)?;
    *place = new;
    Ok(())
}

/// What stands under a key, made as an empty table if there is nothing.
fn below<'n>(
    node: &'n mut Node,
    key: &str,
    above: &[String],
    span: Span,
) -> Result<&'n mut Node, Complaint> {
    let found = node.described();
    match &mut node.value {
        Value::Table(table) => {
            let at = match table.entries.iter().position(|(k, _)| k.text == key) {
                Some(at) => at,
                None => {
                    let value = Value::Table(Table::default());
                    let text = key.to_owned();
                    table
                        .entries
                        .push((Key { text, span }, Node { value, span }));
                    table.entries.len() - 1
                }
            };
            Ok(&mut table.entries[at].1)
        }
        Value::Array(items) => {
            let (above, count) = (above.join("."), items.len());
            key.parse()
                .ok()
                .and_then(|number: usize| items.get_mut(number))
                .ok_or_else(|| {
                    Complaint::new(format!(
                        "`{above}` has {count} entries, counted from 0, and none at `{key}`"
                    ))
                    .help("name one that is there; new ones go into the file")
                })
        }
        _ => Err(Complaint::new(format!(
            "`{}` is {found}, so it has no `{key}`",
            above.join(".")
        ))
        .help("set the value itself, or another key")),
    }
}

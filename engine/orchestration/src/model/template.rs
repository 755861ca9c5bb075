//! The text of a prompt with places for what differs from call to call: `{{name}}`.

use serde_json::Value;

use crate::message::text_of;

/// The prompt of a resolution, unless a scenario has another.
pub const RESOLUTION: &str = "Agents contradict each other about a trade. Answer with one JSON object: \
     action (proceed, wait, modify or abort), confidence (0 to 1), modifications (leverage, \
     size_reduction_pct, entry_adjustment_pct; or null), reasoning.\n\
     The situation, as data:\n{{situation}}";

/// What a template of a resolution may name: the whole situation, or a field of it.
pub const NAMES: [&str; 8] = [
    "situation",
    "symbol",
    "action",
    "confidence",
    "entry_price",
    "stop_loss",
    "take_profit",
    "conflicts",
];

/// A piece of a template.
enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
    /// What opens and does not close, or is no name.
    Broken(&'a str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(opened) = rest.find("{{") else {
            return Some(Piece::Text(std::mem::take(&mut rest)));
        };
        if opened > 0 {
            let (text, after) = rest.split_at(opened);
            rest = after;
            return Some(Piece::Text(text));
        }
        let Some(closed) = rest.find("}}") else {
            return Some(Piece::Broken(std::mem::take(&mut rest)));
        };
        let name = rest[2..closed].trim();
        rest = &rest[closed + 2..];
        Some(Piece::Name(name))
    })
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It names what there is not.
    Undefined(String),
    /// It opens a place and does not close it; here it begins.
    Open(String),
    /// It names nothing: every prompt would be the same.
    Blank,
}

/// Checks that a template names what is defined, and something.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(template: &str, defined: &[&str]) -> Result<(), Unfit> {
    let mut names = 0;
    for piece in pieces(template) {
        match piece {
            Piece::Text(_) => {}
            Piece::Name(name) if defined.contains(&name) => names += 1,
            Piece::Name(name) => return Err(Unfit::Undefined(name.to_owned())),
            Piece::Broken(text) => return Err(Unfit::Open(text.chars().take(40).collect())),
        }
    }
    if names == 0 {
        Err(Unfit::Blank)
    } else {
        Ok(())
    }
}

/// The prompt: a template with a situation put into it. What is put in is not looked through again, so that no text of
/// an agent is taken for a place. A template that was checked has no other names.
pub fn render(template: &str, situation: &Value) -> String {
    let mut prompt = String::with_capacity(template.len() + 512);
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) | Piece::Broken(text) => prompt.push_str(text),
            Piece::Name("situation") => prompt.push_str(&text_of(situation)),
            Piece::Name(name) => match &situation[name] {
                Value::String(text) => prompt.push_str(text),
                other => prompt.push_str(&text_of(other)),
            },
        }
    }
    prompt
}

/// A template with one of its names filled in for good; `text` is asked where the name stands.
pub fn filled_in(template: &str, name: &str, text: impl Fn() -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) | Piece::Broken(text) => filled.push_str(text),
            Piece::Name(found) if found == name => filled.push_str(&text()),
            Piece::Name(other) => filled.push_str(&format!("{{{{{other}}}}}")),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Fails if a place is left out, or a text of the situation is taken for a place.
    #[test]
    fn what_is_put_in_is_data() {
        let situation = json!({"symbol": "{{action}}", "action": "BUY", "confidence": 0.5});
        let prompt = render(
            "{{ action }} {{symbol}} {{confidence}} {{stop_loss}}.",
            &situation,
        );
        assert_eq!(prompt, "BUY {{action}} 0.5 null.");
    }

    // Fails if more is filled in than the one name, or another name is lost.
    #[test]
    fn a_name_is_filled_in_for_good() {
        let filled = filled_in("a {{ reply }} {{ symbol }} {{", "reply", || {
            "{x}".to_owned()
        });
        assert_eq!(filled, "a {x} {{symbol}} {{");
    }

    // Fails if a name that there is not would silently be empty in a prompt.
    #[test]
    fn what_is_not_defined_is_told() {
        assert_eq!(check(RESOLUTION, &NAMES), Ok(()));
        let undefined = check("{{symbol}} {{simbol}}", &NAMES);
        assert_eq!(undefined, Err(Unfit::Undefined("simbol".to_owned())));
        assert_eq!(
            check("{{symbol}} {{act", &NAMES),
            Err(Unfit::Open("{{act".to_owned()))
        );
        assert_eq!(check("be bold", &NAMES), Err(Unfit::Blank));
    }
}

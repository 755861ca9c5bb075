//! The identity of a failure: two runs fail in the same way if the same property says the same of
//! them, numbers and names aside.

use crate::judgement::Failure;

/// How long the text of a cause is at most, in characters.
const CAUSE_MAX: usize = 240;

/// Longest word in capitals that is taken for a name; longer ones are states that a rule speaks of.
const CAPITALS_MAX: usize = 5;

/// What failures are put together by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The property, or `verdict`, or `figure` with its name.
    pub property: String,
    /// What it says without what differs from run to run: numbers, quoted words, names; of a deadlock or
    /// a stall also who waits for what.
    pub cause: String,
}

impl Group {
    /// The group of a failure.
    pub fn of(failure: &Failure) -> Group {
        let mut cause = format!(
            "expected {}, found {}",
            without_particulars(&failure.expected),
            without_particulars(&failure.actual)
        );
        // A circle begins anywhere, and of many tasks that wait for the same one is enough.
        let mut waits: Vec<String> = failure
            .waits
            .iter()
            .map(|wait| without_particulars(wait))
            .collect();
        waits.sort_unstable();
        waits.dedup();
        for wait in waits {
            cause.push_str("; ");
            cause.push_str(&wait);
        }
        if let Some((end, _)) = cause.char_indices().nth(CAUSE_MAX) {
            cause.truncate(end);
        }
        Group {
            property: failure.property.clone(),
            cause,
        }
    }
}

/// A text in which numbers are `#` and names are `_`, and repeated ones stand once.
fn without_particulars(text: &str) -> String {
    let text = without_quoted(text);
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = without_name(word);
        // Lists differ in length from run to run.
        let is_particular = word.chars().all(|c| "#_,;".contains(c));
        let before = words.last().map(|before| core_of(before));
        if is_particular && before == Some(core_of(&word)) {
            words.pop();
        }
        words.push(word);
    }
    words.join(" ")
}

/// The word without the punctuation of its sentence.
fn core_of(word: &str) -> &str {
    word.trim_matches(|c: char| ",;:.()[]{}".contains(c))
}

/// What stands between two equal quotation marks is a name that somebody gave.
fn without_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['"', '`', '\'']) {
        let (before, quoted) = rest.split_at(at);
        let mark = quoted.chars().next().unwrap_or('"');
        // An apostrophe is no quotation mark.
        let in_word = before.ends_with(char::is_alphanumeric);
        let end = quoted[1..].find(mark).filter(|_| !in_word);
        out.push_str(before);
        match end {
            Some(end) => {
                out.push('_');
                rest = &quoted[end + 2..];
            }
            None => {
                out.push(mark);
                rest = &quoted[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// One word; a number becomes `#`, and so does every part of a name that has one; a name in capitals
/// becomes `_`.
fn without_name(word: &str) -> String {
    let core = core_of(word);
    let capitals = core.chars().all(|c| c.is_uppercase() || c == '/');
    let short = core.chars().count() <= CAPITALS_MAX;
    let shown = if core.is_empty() {
        return word.to_owned();
    } else if capitals && core.chars().count() > 1 && (short || core.contains('/')) {
        "_".to_owned()
    } else if !core.contains(|c: char| c.is_ascii_digit()) {
        return word.to_owned();
    } else if core.starts_with(char::is_alphabetic) {
        let part = |part: &str| match part.contains(|c: char| c.is_ascii_digit()) {
            true => "#".to_owned(),
            false => part.to_owned(),
        };
        core.split('-').map(part).collect::<Vec<_>>().join("-")
    } else {
        "#".to_owned()
    };
    match word.ends_with([',', ';', ':']) {
        true => format!("{shown}{}", &word[word.len() - 1..]),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(actual: &str) -> String {
        let failure = Failure {
            property: "kitchen.once".to_owned(),
            at: None,
            expected: "once".to_owned(),
            actual: actual.to_owned(),
            waits: Vec::new(),
        };
        Group::of(&failure).cause
    }

    #[test]
    fn runs_that_differ_in_numbers_and_names_only_fail_in_the_same_way() {
        let same = [
            ("dish 2 by cook-1", "dish 31 by cook-22"),
            ("12.50 of AB/CDE left", "-3 of FGH/IJ left"),
            ("`one` and \"two\"", "`three` and \"four\""),
            ("events 3, 17, 20 late", "events 4 late"),
            ("at 00:01:02.5: none", "at 17:00:00: none"),
        ];
        for (one, other) in same {
            assert_eq!(cause(one), cause(other));
        }
    }

    #[test]
    fn what_a_rule_speaks_of_tells_failures_apart() {
        let different = [
            ("served while CLOSED", "served while OPENING"),
            ("dish 2 burnt", "dish 2 cold"),
            ("the cook's plate", "the guest's plate"),
        ];
        for (one, other) in different {
            assert_ne!(cause(one), cause(other));
        }
    }

    #[test]
    fn a_circle_of_waits_is_the_same_wherever_it_begins() {
        let deadlock = |waits: [&str; 2]| {
            Group::of(&Failure {
                property: "verdict".to_owned(),
                at: None,
                expected: "complete".to_owned(),
                actual: "2 tasks wait for each other".to_owned(),
                waits: waits.map(str::to_owned).to_vec(),
            })
        };
        let (stove, pan) = ("cook-1 (t2) holds stove", "cook-2 (t3) holds pan");
        assert_eq!(deadlock([stove, pan]), deadlock([pan, stove]));
        assert_ne!(deadlock([stove, pan]), deadlock([stove, stove]));
    }
}

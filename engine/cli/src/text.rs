//! Numbers and spans as people read them, and words that a shell takes back.

use std::time::Duration;

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// One or several, with its number.
pub(crate) fn counted(number: u64, one: &str, several: &str) -> String {
    let word = if number == 1 { one } else { several };
    format!("{} {word}", grouped(number))
}

/// A figure: whole numbers without a fraction, others with up to six digits of it.
pub(crate) fn figure(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}{}", grouped(value.abs() as u64))
    } else {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// A span of wall time in the unit that fits it.
pub(crate) fn span(span: Duration) -> String {
    match span.as_nanos() {
        0..1_000_000 => format!("{} µs", span.as_micros()),
        1_000_000..10_000_000_000 => format!("{} ms", span.as_millis()),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

/// A seed as the screens show it.
pub(crate) fn seed(seed: u64) -> String {
    format!("{seed:#x}")
}

/// A word as a shell takes it: quoted where it has to be.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(figure(-1234.0), "-1,234");
        assert_eq!(figure(0.125), "0.125");
        assert_eq!(figure(f64::NAN), "NaN");
        assert_eq!(counted(1, "event", "events"), "1 event");
    }

    #[test]
    fn a_word_with_anything_special_is_quoted() {
        assert_eq!(shell_word("runs/a-1.dlog"), "runs/a-1.dlog");
        assert_eq!(shell_word("my runs"), "'my runs'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}

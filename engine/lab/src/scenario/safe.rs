//! Foreign text made fit for a terminal: what would move the cursor, change a colour or turn
//! the direction of writing becomes something that can be seen.
//!
//! How long a text may be, and where it stands, is decided by whoever prints it.

/// The text with every control, bidirectional and invisible character as an escape such as
/// `\n` or `\u{1b}`. One line in, one line out.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The same, cut after `most` characters with an ellipsis.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((cut, _)) => printable(&text[..cut]) + "…",
        None => printable(text),
    }
}

/// A visible stand-in of one character for every character, so that columns stay what they are.
pub(super) fn stand_in(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        c if is_unsafe(c) => '\u{fffd}',
        c => c,
    }
}

/// Whether a character acts on a terminal, on the order of writing, or cannot be seen at all.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_never_sees_what_would_act_on_it() {
        let foreign = "a\u{1b}[31mb\u{9b}2Jc\u{202e}d\u{2066}e\u{7f}f\ng\r\u{200b}";
        assert_eq!(
            printable(foreign),
            "a\\u{1b}[31mb\\u{9b}2Jc\\u{202e}d\\u{2066}e\\u{7f}f\\ng\\r\\u{200b}"
        );
        let shown: String = foreign.chars().map(stand_in).collect();
        assert_eq!(shown.chars().count(), foreign.chars().count());
        assert!(!shown.chars().any(is_unsafe), "{shown:?}");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        let text = "größer als 3 — 東京 \"quoted\" \\n";
        assert_eq!(printable(text), text);
        assert_eq!(clipped("abcdef", 3), "abc…");
        assert_eq!(clipped("abc", 3), "abc");
    }
}

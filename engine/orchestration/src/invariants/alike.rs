//! Whether two fields of messages say the same, told by other code than the one that looks for evidence.

use crate::message::Field;

/// Whether both fields are there and say the same.
pub(super) fn alike(one: Field<'_>, other: Field<'_>) -> bool {
    match (one, other) {
        (Field::Text(one), Field::Text(other)) => one == other,
        (Field::Text(_), _) | (_, Field::Text(_)) => false,
        // What is no text is compared by the rules of the language that the original was written in.
        _ => one.equals(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a text may be like another one, or like what is none.
    #[test]
    fn a_text_is_like_itself_alone() {
        assert!(alike(Field::Text("BTC/USDT"), Field::Text("BTC/USDT")));
        assert!(!alike(Field::Text("BTC/USDT"), Field::Text("XRP/USDT")));
        assert!(!alike(Field::Text("1"), Field::Int(1)));
        assert!(!alike(Field::Missing, Field::Text("")));
        assert!(alike(Field::Int(1), Field::Float(1.0)));
    }
}

//! The word that somebody probably meant.

/// The longest word that is compared; nobody means a longer one.
const WORD_MAX: usize = 64;

/// The nearest of the known words, if it is near: at most a third of its letters are wrong.
/// Case does not count, nor does `-` for `_`; of equals the first is taken.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > WORD_MAX {
        return None;
    }
    let word = folded(word);
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word, &folded(known)), known))
        .filter(|(wrong, known)| *wrong <= (known.chars().count() / 3).max(1))
        .filter(|(wrong, known)| *wrong < known.chars().count())
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, known)| known)
}

/// Known words for a sentence: all of them, or the first dozen.
pub(super) fn listed<'a>(known: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    let mut list: Vec<String> = known.iter().take(MOST).map(|k| format!("`{k}`")).collect();
    if known.len() > MOST {
        list.push(format!("{} more", known.len() - MOST));
    }
    match list.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

fn folded(word: &str) -> String {
    word.to_lowercase().replace(['-', ' '], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["technical_analysis", "sound", "fifo"];
        assert_eq!(
            nearest("tecnical-analysis", known),
            Some("technical_analysis")
        );
        assert_eq!(nearest("FIFO", known), Some("fifo"));
        assert_eq!(nearest("sonud", known), Some("sound"));
        assert_eq!(nearest("random", known), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest(&"sound".repeat(1_000_000), known), None);
    }

    #[test]
    fn a_long_list_is_cut() {
        let many: Vec<String> = (0..14).map(|n| n.to_string()).collect();
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
        assert!(listed(many.iter().map(String::as_str)).ends_with("`11` and 2 more"));
    }
}

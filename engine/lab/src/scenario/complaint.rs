//! What is wrong, before it is known where: the sentence, the nearest word, what to do.

use super::nearest::{listed, nearest};

/// What is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) what: String,
    pub(super) suggestion: Option<String>,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(super) fn new(what: impl Into<String>) -> Complaint {
        Complaint {
            what: what.into(),
            suggestion: None,
            help: None,
        }
    }

    /// The same with what to do about it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Complaint {
        self.help = Some(help.into());
        self
    }

    /// The same with the nearest of the words that would have been right, or with all of them.
    /// `known` says what the words are, such as `the keys here are`.
    pub(super) fn instead<'a>(
        mut self,
        found: &str,
        known: &str,
        words: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Complaint {
        self.suggestion = nearest(found, words.clone()).map(str::to_owned);
        let words = listed(words);
        if self.help.is_none() && !words.is_empty() {
            self.help = Some(format!("{known} {words}"));
        }
        self
    }
}

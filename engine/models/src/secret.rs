//! A key: something that is used and never shown.
//!
//! It has no `Clone`, no `Serialize`, and one way out, [`Secret::exposed`], which only the header of a request takes.

use std::fmt;

/// What stands where a key would.
const HIDDEN: &str = "[key]";

/// The shortest key: of a shorter one every other word of a text might be an occurrence.
const LEAST: usize = 8;

/// A key to a provider.
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Secret {
    /// A key, as it was found.
    ///
    /// # Errors
    /// If it cannot be one, in words that say nothing of it.
    pub(crate) fn new(text: &str) -> Result<Secret, &'static str> {
        let text = text.trim();
        if text.len() < LEAST {
            return Err("is shorter than 8 characters, which no key is");
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("has characters that no key has: only letters, digits and signs of ASCII");
        }
        Ok(Secret(text.to_owned()))
    }

    /// The key itself, for the header of a request.
    pub(crate) fn exposed(&self) -> &str {
        &self.0
    }

    /// A text that somebody else wrote, without the key, should it be in there.
    pub(crate) fn withheld_from(&self, text: &str) -> String {
        text.replace(&self.0, HIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is printed in any way fails here.
    #[test]
    fn a_key_is_not_shown() {
        let secret = Secret::new(" sk-canary-0123456789\n").unwrap();
        assert_eq!(
            format!("{secret} {secret:?} {:#?}", Some(&secret)).find("canary"),
            None
        );
        assert_eq!(
            secret.withheld_from("no key like sk-canary-0123456789."),
            "no key like [key]."
        );
        assert_eq!(secret.exposed(), "sk-canary-0123456789");
    }

    /// A complaint that repeats what it complains of fails here.
    #[test]
    fn what_is_no_key_is_refused_without_saying_it() {
        for wrong in [
            "",
            "  ",
            "sk-7",
            "a key with spaces",
            "line\nbreak-in-it",
            "schlüssel-schlüssel",
        ] {
            let error = Secret::new(wrong).err().unwrap();
            assert!(wrong.trim().is_empty() || !error.contains(wrong), "{wrong}");
        }
    }
}

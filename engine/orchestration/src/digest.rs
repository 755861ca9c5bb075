//! What a text is recognised by.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first 16 bytes of BLAKE3 over a text; in hexadecimal for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The digest of a text.
    pub fn of(text: &str) -> Digest {
        let mut first = [0; 16];
        first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        Digest(first)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 16]>::deserialize(deserializer).map(Digest);
        }
        let text = String::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        Ok(Digest(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if two texts have one digest, or a digest that was told cannot be read again.
    #[test]
    fn a_digest_is_told_and_read_again() {
        let digest = Digest::of("a");
        assert_ne!(digest, Digest::of("b"));
        let told = serde_json::to_string(&digest).unwrap();
        assert_eq!(told.len(), 34);
        assert_eq!(serde_json::from_str::<Digest>(&told).unwrap(), digest);
    }
}

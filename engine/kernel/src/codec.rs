//! Bodies to bytes and back: bincode 2 in its `standard()` configuration, always with a limit.
//!
//! `codec/write.rs` writes the same bytes as bincode, faster, and is tested against it.
//!
//! The only file that names bincode. What a body means, and which kind and version it has, is
//! written beside it by the log; a bare enum is never given to this codec, because the order of
//! its variants would become the file format.

mod write;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use write::{Bytes, Refusal};

/// The largest body in bytes, encoded: 16 MiB.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

const CONFIG: Configuration<LittleEndian, Varint, Limit<MAX_BODY>> =
    bincode::config::standard().with_limit::<MAX_BODY>();

/// Why a value could not be encoded, or bytes could not be decoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The encoded value is larger than [`MAX_BODY`].
    #[error(
        "the encoded body is larger than {MAX_BODY} bytes: split it, or store it beside the log and record its digest"
    )]
    TooLarge,
    /// The value cannot be encoded at all.
    #[error("the value cannot be encoded: {0}")]
    Encode(EncodeError),
    /// The bytes are not a value of the expected type.
    #[error(
        "{len} bytes are not a value of the expected type: {source}; was the record's kind and version looked at first?"
    )]
    Decode {
        /// How many bytes were given.
        len: usize,
        /// What the decoder met.
        source: DecodeError,
    },
    /// The value ended before the bytes did.
    #[error(
        "the value ends at byte {used} of {len}: the bytes were written by another version of its type"
    )]
    Leftover {
        /// Bytes that the value took.
        used: usize,
        /// Bytes that were given.
        len: usize,
    },
}

/// Appends the bytes of `value` to `out`. Nothing is allocated besides what `out` grows by.
///
/// # Errors
/// If the value takes more than [`MAX_BODY`] bytes or refuses to be serialised; `out` is then as
/// it was before.
#[inline]
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = out.len();
    match value.serialize(&mut Bytes(out)) {
        Ok(()) if out.len() - start <= MAX_BODY => Ok(()),
        Ok(()) => {
            out.truncate(start);
            Err(CodecError::TooLarge)
        }
        Err(refusal) => {
            out.truncate(start);
            Err(refused(&refusal))
        }
    }
}

/// The value that `bytes` hold, to the last byte.
///
/// # Errors
/// If the bytes are not such a value, claim more than [`MAX_BODY`] bytes, or go on after it.
#[inline]
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, used) = decode_prefix(bytes)?;
    if used != bytes.len() {
        return Err(CodecError::Leftover {
            used,
            len: bytes.len(),
        });
    }
    Ok(value)
}

/// The value at the beginning of `bytes`, and how many bytes it takes.
///
/// # Errors
/// If the bytes do not begin with such a value, or it claims more than [`MAX_BODY`] bytes.
#[inline]
pub fn decode_prefix<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|source| CodecError::Decode {
        len: bytes.len(),
        source,
    })
}

#[cold]
fn refused(refusal: &Refusal) -> CodecError {
    CodecError::Encode(EncodeError::OtherString(refusal.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back() {
        let value = (
            7_u64,
            -3_i64,
            0.5_f64,
            String::from("ask"),
            vec![1_u8, 2],
            Some(250_u32),
        );
        let mut bytes = vec![0xEE];
        encode(&value, &mut bytes).unwrap();
        assert_eq!(bytes[0], 0xEE, "what was there stays");
        let back: (u64, i64, f64, String, Vec<u8>, Option<u32>) = decode(&bytes[1..]).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn bytes_after_the_value_are_refused_unless_a_prefix_is_asked_for() {
        let mut bytes = Vec::new();
        encode(&300_u64, &mut bytes).unwrap();
        bytes.push(0);
        assert!(matches!(
            decode::<u64>(&bytes),
            Err(CodecError::Leftover { used: 3, len: 4 })
        ));
        assert_eq!(decode_prefix::<u64>(&bytes).unwrap(), (300, 3));
    }

    #[test]
    fn a_hostile_length_is_an_error() {
        let mut bytes = vec![253];
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        assert!(decode::<Vec<u64>>(&bytes).is_err());
        assert!(decode::<String>(&bytes).is_err());
        assert!(decode::<Vec<String>>(&bytes).is_err());
    }

    #[test]
    fn too_large_a_value_leaves_the_buffer_alone() {
        let mut bytes = vec![1, 2, 3];
        let large = vec![0_u8; MAX_BODY + 1];
        assert!(matches!(
            encode(&large, &mut bytes),
            Err(CodecError::TooLarge)
        ));
        assert_eq!(bytes, [1, 2, 3]);
    }

    #[test]
    fn every_cut_of_a_value_is_an_error() {
        let mut bytes = Vec::new();
        encode(
            &(70_000_u32, String::from("limit order"), vec![1.5_f64; 3]),
            &mut bytes,
        )
        .unwrap();
        for cut in 0..bytes.len() {
            assert!(
                decode::<(u32, String, Vec<f64>)>(&bytes[..cut]).is_err(),
                "cut at {cut}"
            );
        }
    }
}

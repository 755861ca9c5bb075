//! The chain of hashes that ties each block to all that came before it.
//!
//! It is a guard against accidents and a fingerprint, not a signature: whoever can write the file
//! can also write a new chain.

use std::fmt;

use crate::id::Seq;

/// Bytes of a [`Chain`].
pub(crate) const CHAIN_LEN: usize = 16;
/// Bytes hashed before a block's payload: the previous chain, first sequence number, count.
pub(crate) const PREFIX_LEN: usize = CHAIN_LEN + 8 + 4;

/// BLAKE3 over everything up to some point of a log, cut to 16 bytes. The chain at the end of a
/// run is the run's fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain(pub [u8; CHAIN_LEN]);

impl Chain {
    /// The first 16 bytes of BLAKE3 over `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Chain {
        let hash = blake3::hash(bytes);
        let (cut, _) = hash
            .as_bytes()
            .split_first_chunk()
            .expect("a BLAKE3 hash has 32 bytes");
        Chain(*cut)
    }

    /// The chain after a block. `room` is [`PREFIX_LEN`] bytes to write in, then the payload.
    ///
    /// The prefix is laid down before the payload because BLAKE3 is fastest over one run of bytes.
    pub(crate) fn follow(self, first_seq: Seq, count: u32, room: &mut [u8]) -> Chain {
        room[..16].copy_from_slice(&self.0);
        room[16..24].copy_from_slice(&first_seq.0.to_le_bytes());
        room[24..PREFIX_LEN].copy_from_slice(&count.to_le_bytes());
        Chain::of(room)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// Lower-case hexadecimal, without a prefix.
pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_block_changes_the_chain() {
        let chain = |previous: u8, seq, count, payload: &[u8]| {
            let mut room = vec![0; PREFIX_LEN];
            room.extend_from_slice(payload);
            Chain([previous; 16]).follow(Seq(seq), count, &mut room)
        };
        let base = chain(0, 1, 2, b"abc");
        assert_eq!(base, chain(0, 1, 2, b"abc"));
        for other in [
            chain(1, 1, 2, b"abc"),
            chain(0, 2, 2, b"abc"),
            chain(0, 1, 3, b"abc"),
            chain(0, 1, 2, b"abd"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn it_is_shown_as_hexadecimal() {
        assert_eq!(Chain([0xA5; 16]).to_string(), "a5".repeat(16));
    }
}

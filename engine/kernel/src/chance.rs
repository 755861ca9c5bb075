//! Seeded streams of random numbers: one per actor and purpose.
//!
//! A stream's key is derived from the run's seed and two names, so a new actor or a new purpose
//! changes nobody else's draws. Whether a draw is logged is decided where it is asked for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::id::ActorId;

/// What every key is derived in: BLAKE3's key derivation, whose first half is the same for all of them.
static CONTEXT: LazyLock<ContextKey> =
    LazyLock::new(|| hash_derive_key_context("dacapo 2026 random stream"));

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream for a purpose of an actor, in runs with this seed.
    pub fn new(seed: u64, actor: &str, purpose: &str) -> Stream {
        let (seed, length) = (seed.to_le_bytes(), (actor.len() as u64).to_le_bytes());
        let named = [&seed, &length, actor.as_bytes(), purpose.as_bytes()].concat();
        let mut hasher = blake3::Hasher::new_from_context_key(&CONTEXT);
        hasher.update(&named);
        Stream(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// A number in `0..bound`, all equally likely. A bound of 0 or 1 gives 0.
    ///
    /// Multiply and shift with rejection (Lemire, "Fast random integer generation in an
    /// interval", 2019).
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            // The division is slow, and its result is always less than the bound.
            let low = product as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number in `0.0..1.0` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        unit_from(self.below(UNIT_BOUND))
    }
}

/// How many values a draw for [`unit_from`] has.
pub(crate) const UNIT_BOUND: u64 = 1 << 53;

/// A draw below [`UNIT_BOUND`] as a number in `0.0..1.0`; exact.
pub(crate) fn unit_from(draw: u64) -> f64 {
    draw as f64 / UNIT_BOUND as f64
}

/// The streams of each actor, by what they are for.
type Streams = BTreeMap<ActorId, Vec<(&'static str, Stream)>>;

/// Every stream of a run, made when first asked for.
#[derive(Debug)]
pub(crate) struct Chance {
    seed: u64,
    streams: Streams,
    doors: Streams,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance {
            seed,
            streams: Streams::new(),
            doors: Streams::new(),
        }
    }

    /// The stream that decides whether a door opens for an actor.
    pub(crate) fn door(&mut self, actor: ActorId, name: &str, door: &'static str) -> &mut Stream {
        let seed = self.seed;
        let new = || Stream::new(seed, name, &format!("door {door}"));
        among(&mut self.doors, actor, door, new)
    }

    /// The stream of an actor for a purpose; its name is asked for when the stream is made.
    pub(crate) fn stream<'a>(
        &mut self,
        actor: ActorId,
        name: impl FnOnce() -> &'a str,
        purpose: &'static str,
    ) -> &mut Stream {
        let seed = self.seed;
        let new = || Stream::new(seed, name(), purpose);
        among(&mut self.streams, actor, purpose, new)
    }
}

/// The stream of an actor for something; one that `new` makes, if there is none yet.
fn among<'s>(
    streams: &'s mut Streams,
    actor: ActorId,
    purpose: &'static str,
    new: impl FnOnce() -> Stream,
) -> &'s mut Stream {
    let streams = streams.entry(actor).or_default();
    let at = streams
        .iter()
        .position(|(known, _)| *known == purpose)
        .unwrap_or_else(|| {
            streams.push((purpose, new()));
            streams.len() - 1
        });
    &mut streams[at].1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, actor: &str, purpose: &str) -> Vec<u64> {
        let mut stream = Stream::new(seed, actor, purpose);
        (0..4).map(|_| stream.below(1 << 40)).collect()
    }

    #[test]
    fn seed_actor_and_purpose_each_change_the_stream() {
        let base = first(1, "ab", "c");
        assert_eq!(base, first(1, "ab", "c"));
        assert_ne!(base, first(2, "ab", "c"));
        assert_ne!(base, first(1, "ax", "c"));
        assert_ne!(base, first(1, "a", "bc"), "names do not run together");
    }

    #[test]
    fn a_stream_keeps_its_draws_when_others_are_asked_in_between() {
        let mut alone = Chance::new(7);
        let mut mixed = Chance::new(7);
        for _ in 0..100 {
            let expected = alone.stream(ActorId(1), || "one", "p").below(1000);
            mixed.stream(ActorId(2), || "two", "p").below(1000);
            mixed.stream(ActorId(1), || "one", "q").below(1000);
            assert_eq!(
                mixed.stream(ActorId(1), || "one", "p").below(1000),
                expected
            );
        }
    }

    #[test]
    fn draws_lie_below_their_bound_and_reach_every_value() {
        let mut stream = Stream::new(3, "a", "b");
        let mut seen = [0u32; 5];
        (0..1000).for_each(|_| seen[stream.below(5) as usize] += 1);
        assert!(seen.iter().all(|n| (150..250).contains(n)), "{seen:?}");
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }
}

//! Every single flipped bit is seen. In a closed log it is always refused; in one that was not
//! closed, damage inside the very last block looks like a torn write, and only there.

use dacapo_kernel::Seq;
use dacapo_kernel::log::{Ending, LogError, Memory, Reader, SyncPolicy, recover_storage, salvage};

use crate::support::{Event, Parts, closed, events, read, unclosed};

fn flipped(log: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = log.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn every_bit_of_a_closed_log_counts(written: &[Event], policy: SyncPolicy) {
    let log = closed(written, policy).storage.0;
    for bit in 0..log.len() * 8 {
        let bytes = flipped(&log, bit);
        let (found, outcome) = read(&bytes);
        assert!(
            outcome.is_err(),
            "bit {bit} of byte {} went unseen",
            bit / 8
        );
        assert!(written.starts_with(&found), "bit {bit} changed an event");
    }
}

fn every_bit_before_the_last_block_counts(written: &[Event], policy: SyncPolicy) {
    let log = unclosed(written, policy);
    let last = Parts::of(&log).blocks.last().unwrap().clone();
    for bit in 0..log.len() * 8 {
        let (found, outcome) = read(&flipped(&log, bit));
        assert!(written.starts_with(&found), "bit {bit} changed an event");
        match outcome {
            Err(_) => {}
            Ok(Ending::Torn { offset, .. }) if last.contains(&(bit / 8)) => {
                assert_eq!(offset, last.start as u64);
            }
            Ok(ending) => panic!("bit {bit} of byte {} was taken for {ending:?}", bit / 8),
        }
    }
}

#[test]
fn closed_log() {
    every_bit_of_a_closed_log_counts(&events(25), SyncPolicy::Interval(6));
}

#[test]
fn unclosed_log() {
    every_bit_before_the_last_block_counts(&events(25), SyncPolicy::Interval(6));
}

#[test]
#[ignore = "long: every bit of 1,000 events, best in release"]
fn closed_log_of_a_thousand_events() {
    every_bit_of_a_closed_log_counts(&events(1_000), SyncPolicy::Interval(100));
}

#[test]
#[ignore = "long: every bit of 1,000 events, best in release"]
fn unclosed_log_of_a_thousand_events() {
    every_bit_before_the_last_block_counts(&events(1_000), SyncPolicy::Interval(100));
}

/// Whatever is flipped, no event that a seek reaches is another one than was written.
#[test]
fn seeking_in_a_flipped_log_never_misreads() {
    let written = events(25);
    let log = closed(&written, SyncPolicy::Interval(6)).storage.0;
    for bit in 0..log.len() * 8 {
        let Ok(mut reader) = Reader::open(Memory(flipped(&log, bit))) else {
            continue;
        };
        for seq in [24, 3, 13] {
            let Ok(()) = reader.seek(Seq(seq as u64)) else {
                continue;
            };
            let Ok(found) = reader.next() else { continue };
            let found = found.expect("the event before the end");
            assert_eq!(
                (found.head, found.body),
                (written[seq].head, &written[seq].body[..])
            );
        }
    }
}

/// A log that is damaged is not recovered, nothing in it is changed, and salvage copies what is sound.
#[test]
fn damage_in_the_middle_is_refused_by_place_and_salvaged() {
    let written = events(25);
    let log = unclosed(&written, SyncPolicy::Interval(6));
    let block = Parts::of(&log).blocks[2].clone();
    for at in [
        block.start,
        block.start + 20,
        block.start + 64,
        block.end - 1,
    ] {
        let bytes = flipped(&log, at * 8 + 3);
        let refused = recover_storage(Memory(bytes.clone()), SyncPolicy::Every).unwrap_err();
        let placed = matches!(refused, LogError::Damaged { offset, seq: Seq(12), .. } if offset == block.start as u64);
        assert!(placed, "{refused}");

        let salvaged = salvage(Memory(bytes), Memory::default()).unwrap();
        assert_eq!(
            (salvaged.events, salvaged.left),
            (12, (log.len() - block.start) as u64)
        );
        assert!(matches!(salvaged.damage, Some(LogError::Damaged { .. })));
        let (found, ending) = read(&salvaged.storage.0);
        assert_eq!(found, written[..12]);
        assert_eq!(
            ending.unwrap(),
            Ending::Closed {
                chain: salvaged.chain,
                events: 12
            }
        );
    }
}

/// The search for what was written later goes through the file in pieces; a block that begins at
/// the seam of two is found.
#[test]
fn a_later_block_is_found_wherever_it_begins() {
    for body_len in (65_380..65_460).step_by(3) {
        let mut written = events(3);
        written[1].body.resize(body_len, 1);
        let log = unclosed(&written, SyncPolicy::Every);
        let damaged = flipped(&log, Parts::of(&log).blocks[1].start * 8);
        let refused = read(&damaged).1;
        assert!(
            matches!(refused, Err(LogError::Damaged { .. })),
            "{body_len}: {refused:?}"
        );
    }
}

/// The same error again and again, never a sudden end.
#[test]
fn asking_again_after_damage_gives_the_same_answer() {
    let log = unclosed(&events(25), SyncPolicy::Interval(6));
    let at = Parts::of(&log).blocks[1].start + 70;
    let mut reader = Reader::open(Memory(flipped(&log, at * 8))).unwrap();
    for _ in 0..6 {
        reader.next().unwrap().unwrap();
    }
    for _ in 0..3 {
        assert!(matches!(
            reader.next(),
            Err(LogError::Damaged { seq: Seq(6), .. })
        ));
        assert!(matches!(
            reader.peek(),
            Err(LogError::Damaged { seq: Seq(6), .. })
        ));
        assert!(reader.ending().is_err());
    }
    reader.seek(Seq(2)).unwrap();
    assert_eq!(reader.next().unwrap().unwrap().seq, Seq(2));
}

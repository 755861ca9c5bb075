//! Blocks removed, moved, repeated, or taken from another log.

use dacapo_kernel::Seq;
use dacapo_kernel::log::{Header, LogError, Memory, SyncPolicy, Writer};
use proptest::prelude::*;

use crate::support::{Event, Parts, append, closed, events, header, read, unclosed};

const POLICY: SyncPolicy = SyncPolicy::Interval(5);

/// A log with its blocks in the given order, closed or not.
fn arranged(log: &[u8], order: &[usize]) -> Vec<u8> {
    let parts = Parts::of(log);
    let mut bytes = log[parts.header.clone()].to_vec();
    for block in order {
        bytes.extend_from_slice(&log[parts.blocks[*block].clone()]);
    }
    bytes.extend_from_slice(&log[parts.footer]);
    bytes
}

fn is_rejected(bytes: &[u8], written: &[Event]) {
    let (found, outcome) = read(bytes);
    let refused = outcome.unwrap_err();
    assert!(written.starts_with(&found));
    let named = matches!(
        refused,
        LogError::Gap { .. } | LogError::Fork { .. } | LogError::Damaged { .. }
    );
    assert!(named, "{refused}");
}

#[test]
fn a_block_removed_moved_or_repeated_is_rejected() {
    let written = events(25);
    let (with_end, without) = (
        closed(&written, POLICY).storage.0,
        unclosed(&written, POLICY),
    );
    for first in 0..5 {
        let removed: Vec<usize> = (0..5).filter(|block| *block != first).collect();
        is_rejected(&arranged(&with_end, &removed), &written);
        if first < 4 {
            is_rejected(&arranged(&without, &removed), &written);
        }
        for second in 0..5 {
            let mut repeated: Vec<usize> = (0..5).collect();
            repeated.insert(second + 1, first);
            is_rejected(&arranged(&with_end, &repeated), &written);
            is_rejected(&arranged(&without, &repeated), &written);
            let mut swapped: Vec<usize> = (0..5).collect();
            swapped.swap(first, second);
            if first != second {
                is_rejected(&arranged(&with_end, &swapped), &written);
                is_rejected(&arranged(&without, &swapped), &written);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_other_order_of_blocks_is_rejected(
        order in prop::collection::vec(0_usize..5, 0..9), is_closed: bool,
    ) {
        let written = events(25);
        let is_prefix = order.iter().copied().eq(0..order.len());
        let log = if is_closed { closed(&written, POLICY).storage.0 } else { unclosed(&written, POLICY) };
        if is_prefix && (!is_closed || order.len() == 5) {
            return Ok(());
        }
        is_rejected(&arranged(&log, &order), &written);
    }
}

#[test]
fn a_removed_block_is_a_gap() {
    let log = unclosed(&events(25), POLICY);
    let place = Parts::of(&log).blocks[1].start as u64;
    let refused = read(&arranged(&log, &[0, 2, 3, 4])).1.unwrap_err();
    let named = matches!(refused, LogError::Gap { offset, expected: Seq(5), found: Seq(10) } if offset == place);
    assert!(named, "{refused}");
}

/// The same place, length, number of events; another history.
#[test]
fn a_block_from_another_log_is_a_fork() {
    let written = events(25);
    let mut other = written.clone();
    other[1].body[0] ^= 0x40;
    let (ours, theirs) = (
        closed(&written, POLICY).storage.0,
        closed(&other, POLICY).storage.0,
    );
    let parts = Parts::of(&ours);
    for at in 0..5 {
        let block = parts.blocks[at].clone();
        let mut spliced = ours.clone();
        spliced[block.clone()].copy_from_slice(&theirs[block.clone()]);
        let (found, outcome) = read(&spliced);
        // The first block is sound by itself: the next one does not follow from it.
        let fork_at = at.max(1);
        assert_eq!(found.len(), fork_at * 5);
        let refused = outcome.unwrap_err();
        let placed = matches!(refused, LogError::Fork { offset, .. } if offset == parts.blocks[fork_at].start as u64);
        assert!(placed, "block {at}: {refused}");
    }
}

/// The same events under another seed.
#[test]
fn blocks_behind_another_header_are_a_fork() {
    let written = events(25);
    let other = Header {
        seed: 43,
        ..header()
    };
    let mut writer = Writer::create(Memory::default(), &other, POLICY).unwrap();
    for event in &written {
        append(&mut writer, event).unwrap();
    }
    let theirs = writer.close().unwrap().storage.0;
    let mut spliced = closed(&written, POLICY).storage.0;
    let end = Parts::of(&spliced).header.end;
    spliced[..end].copy_from_slice(&theirs[..end]);
    assert!(matches!(read(&spliced).1, Err(LogError::Fork { .. })));
}

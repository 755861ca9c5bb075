//! A log cut at every byte is read up to the cut or refused, never misread.

use dacapo_kernel::log::{Ending, LogError, Memory, SyncPolicy, recover_storage};

use crate::support::{Parts, append, closed, events, read, unclosed};

const POLICY: SyncPolicy = SyncPolicy::Interval(6);

/// How many of the events lie in blocks that end at or before `cut`.
fn whole_events(parts: &Parts, cut: usize) -> usize {
    let blocks = parts.blocks.iter().filter(|block| block.end <= cut).count();
    (blocks * 6).min(25)
}

#[test]
fn a_cut_log_gives_its_whole_blocks() {
    let written = events(25);
    let log = closed(&written, POLICY).storage.0;
    let parts = Parts::of(&log);
    for cut in 0..log.len() {
        let (found, outcome) = read(&log[..cut]);
        if cut < parts.header.end {
            assert!(found.is_empty());
            let refused = outcome.unwrap_err();
            let named = matches!(
                refused,
                LogError::NotALog { .. } | LogError::HeaderDamaged { .. }
            );
            assert!(named, "cut at {cut}: {refused}");
            continue;
        }
        let whole = whole_events(&parts, cut);
        assert_eq!(found, written[..whole], "cut at {cut}");
        let boundary = parts
            .blocks
            .iter()
            .map(|block| block.end)
            .take_while(|end| *end <= cut)
            .last();
        let boundary = boundary.unwrap_or(parts.header.end);
        match outcome.unwrap() {
            Ending::Open { events, .. } => assert_eq!((events, cut), (whole as u64, boundary)),
            Ending::Torn {
                offset,
                dropped,
                events,
                ..
            } => {
                assert_eq!(events, whole as u64);
                assert_eq!(
                    (offset, dropped),
                    (boundary as u64, (cut - boundary) as u64)
                );
                assert!(dropped > 0);
            }
            Ending::Closed { .. } => panic!("cut at {cut} and said to be closed"),
        }
    }
}

#[test]
fn a_cut_log_is_recovered_and_goes_on() {
    let written = events(25);
    let log = closed(&written, POLICY).storage.0;
    let parts = Parts::of(&log);
    for cut in parts.header.end..log.len() {
        let (mut writer, recovered) = recover_storage(Memory(log[..cut].to_vec()), POLICY).unwrap();
        let whole = whole_events(&parts, cut);
        assert_eq!(recovered.events, whole as u64);
        assert_eq!(writer.durable().map_or(0, |seq| seq.0 + 1), whole as u64);
        for event in &written[whole..] {
            append(&mut writer, event).unwrap();
        }
        let again = writer.close().unwrap();
        let (found, outcome) = read(&again.storage.0);
        assert_eq!(found, written, "cut at {cut}");
        assert_eq!(
            outcome.unwrap(),
            Ending::Closed {
                chain: again.chain,
                events: 25
            }
        );
    }
}

/// A file system may grow a file before it has written what belongs there.
#[test]
fn a_tail_of_zeros_is_torn() {
    let written = events(25);
    let log = unclosed(&written, POLICY);
    let last = Parts::of(&log).blocks.last().unwrap().clone();
    for zeros in [1, 63, 64, 65, 4096, 70_000, 200_000] {
        let mut longer = log.clone();
        longer.resize(log.len() + zeros, 0);
        let (found, outcome) = read(&longer);
        assert_eq!(found, written);
        let torn = matches!(outcome.unwrap(), Ending::Torn { offset, dropped, .. }
            if offset == log.len() as u64 && dropped == zeros as u64);
        assert!(torn, "{zeros} zeros");
    }
    for from in last.clone() {
        let mut zeroed = log.clone();
        zeroed[from..].fill(0);
        if zeroed == log {
            continue;
        }
        let (found, outcome) = read(&zeroed);
        assert_eq!(found, written[..24], "zeros from {from}");
        assert!(
            matches!(outcome.unwrap(), Ending::Torn { .. }),
            "zeros from {from}"
        );
    }
}

/// An interrupted end mark leaves a log that goes on; it was not closed.
#[test]
fn a_zero_filled_end_mark_is_torn() {
    let written = events(25);
    let log = closed(&written, POLICY).storage.0;
    for from in log.len() - 16..log.len() {
        let mut zeroed = log.clone();
        zeroed[from..].fill(0);
        let (found, outcome) = read(&zeroed);
        assert_eq!(found, written);
        assert!(
            matches!(outcome.unwrap(), Ending::Torn { .. }),
            "zeros from {from}"
        );
    }
}

#[test]
fn bytes_behind_the_end_are_damage() {
    for more in [
        &b"\0"[..],
        b"x",
        &[0; 100],
        b"DEND\0\0\0\0\0\0\0\0\r\n\x1a\n",
    ] {
        let mut log = closed(&events(25), POLICY).storage.0;
        log.extend_from_slice(more);
        let refused = read(&log).1.unwrap_err();
        assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
    }
}

//! Going on with a log that was not closed.

use dacapo_kernel::log::{Ending, LogError, Memory, SyncPolicy, recover_storage};

use crate::support::{Parts, append, closed, events, read, u32_at, unclosed};

const POLICY: SyncPolicy = SyncPolicy::Interval(6);

#[test]
fn a_closed_log_is_not_recovered() {
    let log = closed(&events(25), POLICY).storage;
    let refused = recover_storage(log, POLICY).unwrap_err();
    assert!(
        matches!(refused, LogError::AlreadyClosed { events: 25 }),
        "{refused}"
    );
}

#[test]
fn recovering_twice_is_recovering_once() {
    let log = unclosed(&events(25), POLICY);
    let cut = log[..log.len() - 3].to_vec();
    let written = events(30);
    let finish = |times: usize| {
        let mut storage = Memory(cut.clone());
        for _ in 1..times {
            let (writer, _) = recover_storage(storage, POLICY).unwrap();
            // Dropped at once, as if the process were killed. Its bytes are those of the storage.
            drop(writer);
            storage = Memory(cut[..Parts::of(&log).blocks[3].end].to_vec());
        }
        let (mut writer, _) = recover_storage(storage, POLICY).unwrap();
        for event in &written[24..] {
            append(&mut writer, event).unwrap();
        }
        writer.close().unwrap().storage.0
    };
    assert_eq!(finish(1), finish(2));
    assert_eq!(finish(1), finish(3));
    assert_eq!(read(&finish(1)).0, written);
}

#[test]
fn each_recovery_is_an_epoch() {
    let mut storage = Memory(unclosed(&events(4), POLICY));
    let written = events(12);
    for start in [4, 8] {
        let (mut writer, _) = recover_storage(storage, POLICY).unwrap();
        for event in &written[start..start + 4] {
            append(&mut writer, event).unwrap();
        }
        let mut bytes = writer.close().unwrap().storage.0;
        bytes.truncate(Parts::of(&bytes).footer.start);
        storage = Memory(bytes);
    }
    let epochs: Vec<u32> = Parts::of(&storage.0)
        .blocks
        .iter()
        .map(|at| u32_at(&storage.0, at.start + 44))
        .collect();
    assert_eq!(epochs, [0, 1, 2]);
    assert_eq!(read(&storage.0).0, written);
}

/// What a closed log knows of itself does not tell that it was once interrupted.
#[test]
fn a_recovered_log_has_the_footer_of_one_that_was_never_interrupted() {
    let written = events(24);
    let whole = closed(&written, POLICY).storage.0;
    let half = Memory(whole[..Parts::of(&whole).blocks[1].end].to_vec());
    let (mut writer, recovered) = recover_storage(half, POLICY).unwrap();
    assert_eq!(recovered.events, 12);
    for event in &written[12..] {
        append(&mut writer, event).unwrap();
    }
    let again = writer.close().unwrap();
    let (footer, other) = (Parts::of(&whole).footer, Parts::of(&again.storage.0).footer);
    assert_eq!(whole[footer], again.storage.0[other]);
}

#[test]
fn an_empty_log_is_recovered_empty() {
    let (writer, recovered) = recover_storage(Memory(unclosed(&[], POLICY)), POLICY).unwrap();
    assert_eq!((recovered.events, writer.durable()), (0, None));
    let closed = writer.close().unwrap();
    assert_eq!(
        read(&closed.storage.0).1.unwrap(),
        Ending::Closed {
            chain: closed.chain,
            events: 0
        }
    );
}

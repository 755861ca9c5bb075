//! The disk fails at every operation there is, once or for ever, or is full at every length. The
//! writer ends cleanly: nothing is acknowledged after it, no sync is tried again, and what is on the
//! disk is a log with everything that was acknowledged.

use std::io::ErrorKind;

use dacapo_kernel::log::{LogError, Memory, SyncPolicy, Writer, recover_storage, salvage};

use crate::disk::{Disk, Failure, Flaws, Random};
use crate::lives::{Promised, begin, broken_promise, resume};
use crate::support::{Parts, append, closed, events, header};

const POLICY: SyncPolicy = SyncPolicy::Interval(4);

/// Every operation, once and for ever, as a full disk and as a broken one.
fn failures() -> impl Iterator<Item = Flaws> {
    let each = |at| {
        [
            (false, ErrorKind::StorageFull),
            (true, ErrorKind::StorageFull),
        ]
        .into_iter()
        .chain([(false, ErrorKind::Other), (true, ErrorKind::Other)])
        .map(move |(sticky, kind)| Failure { at, sticky, kind })
    };
    (0..).flat_map(each).map(|failure| Flaws {
        fails: Some(failure),
        ..Flaws::default()
    })
}

/// Only the storage's own error is reported, and it says what to do.
fn is_of_the_storage(error: &LogError) {
    assert!(matches!(error, LogError::Io { .. }), "{error}");
    assert!(error.to_string().contains("see to the disk"), "{error}");
}

#[test]
fn an_error_at_any_operation_of_writing_loses_nothing_acknowledged() {
    let written = events(12);
    for (tried, flaws) in failures().enumerate() {
        let disk = Disk::new(Vec::new(), u64::MAX, flaws);
        let mut promised = Promised::default();
        let Err(error) = begin(disk.clone(), &written, (POLICY, None), &mut promised) else {
            // Header, three blocks, footer, end mark, each with its sync, and a look at the length.
            assert_eq!(tried, 4 * 13, "operations, four failures each");
            return;
        };
        is_of_the_storage(&error);
        let broken = broken_promise(&disk.content(), &written, POLICY, promised);
        assert_eq!(broken, None, "{flaws:?}");
        // Somebody saw to the disk, and the next process goes on.
        let again = disk.repaired();
        if promised.is_created {
            resume(again.clone(), &written, (POLICY, None), &mut promised)
                .or_else(only_closed)
                .unwrap();
            promised.is_closed = true;
            let broken = broken_promise(&again.content(), &written, POLICY, promised);
            assert_eq!(broken, None, "{flaws:?}");
        }
    }
}

/// A sync fails, the system takes what was to be written for written, another process recovers what
/// it reads, and the power is lost: what the recovery acknowledged is there. It fails if recovery believes
/// the cache.
#[test]
fn what_is_recovered_after_a_failed_sync_outlives_a_loss_of_power() {
    let written = events(12);
    let mut recovered = 0;
    for flaws in failures().take_while(|flaws| flaws.fails.is_some_and(|failure| failure.at < 13)) {
        let disk = Disk::new(Vec::new(), u64::MAX, flaws);
        let mut promised = Promised::default();
        let _ = begin(disk.clone(), &written, (POLICY, None), &mut promised);
        let again = disk.repaired();
        let Ok((writer, _)) = recover_storage(again.clone(), POLICY) else {
            continue;
        };
        recovered += 1;
        promised.is_created = true;
        promised.events = writer.durable().map_or(0, |seq| seq.0 + 1);
        for seed in 1..20 {
            let content = again.after_loss(&mut Random(seed));
            let broken = broken_promise(&content, &written, POLICY, promised);
            assert_eq!(broken, None, "{flaws:?}");
        }
    }
    assert!(recovered > 30, "{recovered}");
}

/// The end mark was written, and its sync failed: nobody was told that the log is closed, and it is.
fn only_closed(error: LogError) -> Result<(), LogError> {
    match error {
        LogError::AlreadyClosed { .. } => Ok(()),
        error => Err(error),
    }
}

/// After the first error the writer touches the disk no more: a sync that failed is not tried again,
/// since its success would prove nothing.
#[test]
fn a_writer_that_failed_neither_writes_nor_syncs_nor_acknowledges() {
    let written = events(12);
    let mut ended = 0;
    for flaws in failures().take_while(|flaws| flaws.fails.is_some_and(|failure| failure.at < 13)) {
        let disk = Disk::new(Vec::new(), u64::MAX, flaws);
        let Ok(mut writer) = Writer::create(disk.clone(), &header(), POLICY) else {
            continue;
        };
        let failed = written
            .iter()
            .any(|event| append(&mut writer, event).is_err());
        if !failed {
            continue;
        }
        ended += 1;
        let (before, acknowledged) = (disk.operations(), writer.durable());
        for _ in 0..3 {
            let refused = append(&mut writer, &written[0]).unwrap_err();
            assert!(matches!(refused, LogError::WriterEnded), "{refused}");
            let refused = writer.sync().unwrap_err();
            assert!(matches!(refused, LogError::WriterEnded), "{refused}");
        }
        assert_eq!(writer.durable(), acknowledged, "{flaws:?}");
        assert!(matches!(writer.close(), Err(LogError::WriterEnded)));
        assert_eq!(disk.operations(), before, "{flaws:?}");
    }
    assert_eq!(ended, 4 * 6, "three blocks, each with its sync");
}

#[test]
fn an_error_at_any_operation_of_recovering_is_no_damage_and_loses_nothing() {
    let written = events(12);
    let log = closed(&written, POLICY).storage.0;
    let blocks = Parts::of(&log).blocks;
    let torn = &log[..blocks[1].end + 10];
    for flaws in failures() {
        let disk = Disk::new(torn.to_vec(), u64::MAX, flaws);
        let mut promised = Promised {
            is_created: true,
            events: 8,
            is_closed: false,
        };
        match resume(disk.clone(), &written, (POLICY, None), &mut promised) {
            Err(error) => is_of_the_storage(&error),
            Ok(()) => return,
        }
        let broken = broken_promise(&disk.content(), &written, POLICY, promised);
        assert_eq!(broken, None, "{flaws:?}");
    }
}

#[test]
fn an_error_at_any_operation_of_salvaging_leaves_the_log_as_it_was() {
    let written = events(12);
    let mut log = closed(&written, POLICY).storage.0;
    let at = Parts::of(&log).blocks[1].start + 70;
    log[at] ^= 1;
    for (reading, mut done) in [(true, false), (false, false)] {
        for flaws in failures() {
            let (from_flaws, into_flaws) = match reading {
                true => (flaws, Flaws::default()),
                false => (Flaws::default(), flaws),
            };
            let from = Disk::new(log.clone(), u64::MAX, from_flaws);
            let into = Disk::new(Vec::new(), u64::MAX, into_flaws);
            let outcome = salvage(from.clone(), into);
            assert_eq!(from.content(), log);
            match outcome {
                Err(error) => is_of_the_storage(&error),
                Ok(salvaged) => {
                    assert_eq!(salvaged.events, 4);
                    done = true;
                    break;
                }
            }
        }
        assert!(done);
    }
}

/// Full at every length: also in the middle of a header, a block, a footer or an end mark.
#[test]
fn a_disk_that_is_full_at_any_length_leaves_a_log_that_goes_on() {
    let written = events(12);
    let whole = closed(&written, POLICY).storage.0;
    for capacity in 0..whole.len() {
        let flaws = Flaws {
            capacity: Some(capacity),
            ..Flaws::default()
        };
        let disk = Disk::new(Vec::new(), u64::MAX, flaws);
        let mut promised = Promised::default();
        let error = begin(disk.clone(), &written, (POLICY, None), &mut promised).unwrap_err();
        is_of_the_storage(&error);
        assert_eq!(disk.content(), whole[..capacity]);
        let broken = broken_promise(&disk.content(), &written, POLICY, promised);
        assert_eq!(broken, None, "capacity {capacity}");
        if promised.is_created {
            let (_, recovered) = recover_storage(Memory(disk.content()), POLICY).unwrap();
            assert!(recovered.events >= promised.events);
        }
    }
}

//! What is read of a golden log is what was written: each of its events, written again, has the same bytes.
//!
//! A run that is the same to the last byte says nothing of that: it writes and reads nothing back but its inputs.

use dacapo_kernel::log::Reader;
use dacapo_kernel::{BoxedStorage, Event, RunError, System};

use super::Trouble;

/// Reads every event and writes it again. One of an earlier version of its kind is written in the newest, so it is
/// passed over.
///
/// # Errors
/// The first event that is another one after it was read.
pub(super) fn check<S: System>(mut recorded: Reader<BoxedStorage>) -> Result<(), Trouble> {
    let mut again = Vec::new();
    while let Some(record) = recorded.next().map_err(RunError::from)? {
        let (seq, head) = (record.seq, record.head);
        let event = Event::<S::Event>::decode(seq, head.time, head.kind, head.version, record.body);
        let event = event.map_err(RunError::from)?;
        let kind = event.kind();
        if kind.version != head.version {
            continue;
        }
        again.clear();
        event.encode(&mut again).map_err(RunError::from)?;
        if again != record.body {
            return Err(Trouble::ReadBack {
                seq: seq.0,
                kind: kind.name,
            });
        }
    }
    Ok(())
}

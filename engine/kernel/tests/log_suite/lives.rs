//! A log that is written in several lives, and what somebody who listened to its writers may rely on.

use dacapo_kernel::log::{LogError, Memory, Storage, SyncPolicy, Writer, recover_storage, salvage};

use crate::support::{Event, append, header, read};

/// What somebody who listened to the writers may rely on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Promised {
    /// Whether there is a log at all.
    pub(crate) is_created: bool,
    pub(crate) events: u64,
    pub(crate) is_closed: bool,
}

impl Promised {
    fn hear<S: Storage>(&mut self, writer: &Writer<S>) {
        let durable = writer.durable().map_or(0, |seq| seq.0 + 1);
        self.events = self.events.max(durable);
    }
}

/// Goes on with a log until its storage fails or the log is closed. `sync_every` asks for a sync after
/// so many events, whatever the policy says.
fn go_on<S: Storage>(
    mut writer: Writer<S>,
    written: &[Event],
    sync_every: Option<u64>,
    promised: &mut Promised,
) -> Result<(), LogError> {
    promised.is_created = true;
    promised.hear(&writer);
    let begin = writer.next_seq().0 as usize;
    for event in written.iter().skip(begin) {
        let appended = append(&mut writer, event);
        promised.hear(&writer);
        let seq = appended?;
        if sync_every.is_some_and(|every| (seq.0 + 1).is_multiple_of(every)) {
            let synced = writer.sync();
            promised.hear(&writer);
            synced?;
        }
    }
    let closed = writer.close()?;
    promised.events = closed.events;
    promised.is_closed = true;
    Ok(())
}

/// The first life.
pub(crate) fn begin<S: Storage>(
    storage: S,
    written: &[Event],
    (policy, sync_every): (SyncPolicy, Option<u64>),
    promised: &mut Promised,
) -> Result<(), LogError> {
    let writer = Writer::create(storage, &header(), policy)?;
    go_on(writer, written, sync_every, promised)
}

/// A later life.
pub(crate) fn resume<S: Storage>(
    storage: S,
    written: &[Event],
    (policy, sync_every): (SyncPolicy, Option<u64>),
    promised: &mut Promised,
) -> Result<(), LogError> {
    let (writer, _) = recover_storage(storage, policy)?;
    go_on(writer, written, sync_every, promised)
}

/// What is promised and does not hold.
pub(crate) fn broken_promise(
    content: &[u8],
    written: &[Event],
    policy: SyncPolicy,
    promised: Promised,
) -> Option<String> {
    if !promised.is_created {
        return None;
    }
    let kept = match recover_storage(Memory(content.to_vec()), policy) {
        Ok((_, recovered)) if !promised.is_closed => recovered.events,
        Err(LogError::AlreadyClosed { events }) => events,
        Ok(_) => return Some("a closed log is open again".into()),
        Err(error) => return Some(error.to_string()),
    };
    let (found, outcome) = read(content);
    if let Err(error) = outcome {
        return Some(error.to_string());
    }
    if kept < promised.events || found.len() as u64 != kept {
        return Some(format!(
            "{} of {} promised events are left, {kept} are said to be",
            found.len(),
            promised.events
        ));
    }
    (!written.starts_with(&found)).then(|| "an event is another one".into())
}

/// The same where a log may be refused as damaged: what was promised is still read, and salvaged.
pub(crate) fn broken_promise_of_reading(
    content: &[u8],
    written: &[Event],
    promised: Promised,
) -> Option<String> {
    if !promised.is_created {
        return None;
    }
    let (found, _) = read(content);
    let salvaged = match salvage(Memory(content.to_vec()), Memory::default()) {
        Ok(salvaged) => salvaged.events,
        Err(error) => return Some(error.to_string()),
    };
    if (found.len() as u64) < promised.events || salvaged < promised.events {
        return Some(format!(
            "{} of {} promised events can be read, {salvaged} salvaged",
            found.len(),
            promised.events
        ));
    }
    (!written.starts_with(&found)).then(|| "an event is another one".into())
}

//! Small logs, and a reader of block boundaries that goes by the documented bytes alone.

use std::ops::Range;

use dacapo_kernel::log::{
    Chain, Closed, Ending, Head, Header, KindEntry, LogError, Memory, Reader, RunId, Storage,
    SyncPolicy, Writer,
};
use dacapo_kernel::{Seq, Time};

/// An event as a test writes and reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn header() -> Header {
    Header {
        run_id: RunId([0xA1; 16]),
        seed: 42,
        scenario_digest: [0xD5; 32],
        engine: "test 1.0".into(),
        first_seq: Seq(0),
        previous: Chain([0; 16]),
        kinds: vec![
            KindEntry {
                kind: 1,
                name: "tick".into(),
                version: 1,
                critical: true,
            },
            KindEntry {
                kind: 2,
                name: "note".into(),
                version: 3,
                critical: false,
            },
        ],
    }
}

/// `count` events whose bodies and times all differ.
pub(crate) fn events(count: u64) -> Vec<Event> {
    (0..count)
        .map(|at| Event {
            head: Head {
                kind: 1 + (at % 2) as u16,
                version: 1,
                flags: (at % 3) as u8,
                time: Time::from_nanos(at * at * 1_000),
            },
            body: (0..1 + at % 7).map(|byte| (at * 31 + byte) as u8).collect(),
        })
        .collect()
}

pub(crate) fn append<S: Storage>(writer: &mut Writer<S>, event: &Event) -> Result<Seq, LogError> {
    writer.append(event.head, |out| {
        out.extend_from_slice(&event.body);
        Ok(())
    })
}

pub(crate) fn writer(policy: SyncPolicy) -> Writer<Memory> {
    Writer::create(Memory::default(), &header(), policy).unwrap()
}

/// A closed log of these events.
pub(crate) fn closed(events: &[Event], policy: SyncPolicy) -> Closed<Memory> {
    let mut writer = writer(policy);
    for event in events {
        append(&mut writer, event).unwrap();
    }
    writer.close().unwrap()
}

/// A log of these events without a footer. All of it is written.
pub(crate) fn unclosed(events: &[Event], policy: SyncPolicy) -> Vec<u8> {
    let bytes = closed(events, policy).storage.0;
    let end = Parts::of(&bytes)
        .blocks
        .last()
        .map_or(Parts::of(&bytes).header.end, |last| last.end);
    bytes[..end].to_vec()
}

/// What a log gives up to its end or to the first error.
pub(crate) fn read(bytes: &[u8]) -> (Vec<Event>, Result<Ending, LogError>) {
    let mut events = Vec::new();
    let outcome = read_into(bytes, &mut events);
    (events, outcome)
}

fn read_into(bytes: &[u8], events: &mut Vec<Event>) -> Result<Ending, LogError> {
    let mut reader = Reader::open(Memory(bytes.to_vec()))?;
    let first = reader.header().first_seq.0;
    while let Some(record) = reader.next()? {
        assert_eq!(record.seq, Seq(first + events.len() as u64));
        events.push(Event {
            head: record.head,
            body: record.body.to_vec(),
        });
    }
    reader.ending()
}

/// Where the parts of a sound log lie, by the table of bytes in the documentation.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) header: Range<usize>,
    pub(crate) blocks: Vec<Range<usize>>,
    /// Empty if the log is not closed.
    pub(crate) footer: Range<usize>,
}

impl Parts {
    pub(crate) fn of(bytes: &[u8]) -> Parts {
        let header = 0..u32_at(bytes, 12) as usize;
        let mut blocks = Vec::new();
        let mut at = header.end;
        while bytes.get(at + 4..at + 8) == Some(b"DBLK") {
            let end = at + 64 + u32_at(bytes, at + 12) as usize;
            blocks.push(at..end);
            at = end;
        }
        Parts {
            header,
            blocks,
            footer: at..bytes.len(),
        }
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Makes the checksum of the block head at `at` fit again, as a hostile writer would.
pub(crate) fn reseal_head(bytes: &mut [u8], at: usize) {
    let checksum = crc32c::crc32c(&bytes[at + 4..at + 64]);
    bytes[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
}

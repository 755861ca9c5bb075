//! The figures of the documentation, on the machine at hand: best of several rounds, by the wall
//! clock. Run in release, with nothing else running.
#![expect(
    clippy::disallowed_types,
    reason = "it measures real time, and nothing is replayed"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use dacapo_kernel::codec;
use dacapo_kernel::log::{Head, Reader, SyncPolicy, Writer};
use dacapo_kernel::{Seq, Time};

use crate::support::header;

const EVENTS: u64 = 2_000_000;
const ROUNDS: usize = 7;
/// Eight wide integers and a float: 80 bytes.
type Body = ([u64; 8], f64);
const BODY: usize = 80;
const RECORD: usize = 16 + BODY;

#[test]
#[ignore = "a measurement"]
fn figures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    let whole = |sync_every| raw(&path, EVENTS, sync_every);
    best("write the same bytes raw, 64 KiB at a time", || whole(None));
    best("append, then close", || {
        append(&path, EVENTS, SyncPolicy::Never)
    });
    best("read and verify, borrowed", || {
        read(&path, |body| u64::from(body[9]))
    });
    best("read, verify and decode", || {
        read(&path, |body| codec::decode::<Body>(body).unwrap().0[0])
    });
    best("write raw, sync every 1,000 events", || {
        raw(&path, EVENTS / 20, Some(1_000))
    });
    best("append, sync every 1,000 events", || {
        append(&path, EVENTS / 20, SyncPolicy::Interval(1_000))
    });
}

/// How long it takes to stand at any event of ten million, in a log that was just opened and in one that
/// is open.
#[test]
#[ignore = "a measurement"]
fn seeks() {
    const MANY: u64 = 10_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.dlog");
    append(&path, MANY, SyncPolicy::Never);
    let mut place: u64 = 7;
    let mut took = [Vec::new(), Vec::new()];
    let mut open = Reader::open_path(&path).unwrap();
    for _ in 0..200 {
        place = (place * 6_364_136 + 1_442_695) % MANY;
        let begin = Instant::now();
        let mut fresh = Reader::open_path(&path).unwrap();
        fresh.seek(Seq(place)).unwrap();
        assert_eq!(fresh.next().unwrap().unwrap().seq, Seq(place));
        took[0].push(begin.elapsed());
        let begin = Instant::now();
        open.seek(Seq(place)).unwrap();
        assert_eq!(open.next().unwrap().unwrap().seq, Seq(place));
        took[1].push(begin.elapsed());
    }
    for (took, what) in took.iter_mut().zip(["just opened", "open"]) {
        took.sort_unstable();
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        println!("seek, {what}: median {median:?}, worst {worst:?}");
    }
}

/// Prints the best rate of an act that says how many events it did; writing ends durable each time.
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
fn best(what: &str, mut act: impl FnMut() -> u64) {
    let rate = |_| {
        let begin = Instant::now();
        act() as f64 / begin.elapsed().as_secs_f64()
    };
    let best = (0..ROUNDS).map(rate).fold(0.0, f64::max);
    println!("{:>8.2} M events/s  {what}", best / 1e6);
}

fn raw(path: &Path, events: u64, sync_every: Option<u64>) -> u64 {
    let _ = fs::remove_file(path);
    let mut file = fs::File::create(path).unwrap();
    let mut block = Vec::with_capacity(64 * 1024 + RECORD);
    for at in 0..events {
        let mut record = [1_u8; RECORD];
        record[..8].copy_from_slice(&at.to_le_bytes());
        block.extend_from_slice(&record);
        let sync_is_due = sync_every.is_some_and(|every| (at + 1).is_multiple_of(every));
        if sync_is_due || block.len() > 64 * 1024 {
            file.write_all(&block).unwrap();
            block.clear();
        }
        if sync_is_due {
            file.sync_data().unwrap();
        }
    }
    file.write_all(&block).unwrap();
    file.sync_data().unwrap();
    events
}

fn append(path: &Path, events: u64, policy: SyncPolicy) -> u64 {
    let _ = fs::remove_file(path);
    let mut writer = Writer::create_path(path, &header(), policy).unwrap();
    let mut body = Vec::new();
    codec::encode(&([1_u64 << 40; 8], 0.5_f64), &mut body).unwrap();
    assert_eq!(body.len(), BODY);
    for at in 0..events {
        body[1..5].copy_from_slice(&(at as u32).to_le_bytes());
        let head = Head {
            kind: 1,
            version: 1,
            flags: 0,
            time: Time::from_nanos(at * 1_000),
        };
        writer
            .append(head, |out| {
                out.extend_from_slice(&body);
                Ok(())
            })
            .unwrap();
    }
    writer.close().unwrap().events
}

fn read(path: &Path, mut look: impl FnMut(&[u8]) -> u64) -> u64 {
    let mut reader = Reader::open_path(path).unwrap();
    let (mut events, mut sum) = (0, 0_u64);
    while let Some(record) = reader.next().unwrap() {
        events += 1;
        sum = sum.wrapping_add(look(record.body));
    }
    assert!(sum > 0);
    events
}

//! The figures of `docs/durability.md`, on the machine at hand, by the wall clock. Run in release, with
//! nothing else running.
//!
//! What a disk does varies more from second to second than what is measured here, so appending to a
//! log and writing the same bytes raw take turns, and the ratio is the median over pairs.
#![expect(
    clippy::disallowed_types,
    reason = "it measures real time, and nothing is replayed"
)]
#![allow(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use dacapo_kernel::log::{File, Head, Reader, SyncPolicy, Writer, recover_storage};
use dacapo_kernel::{Seq, Time};

use crate::support::header;

/// Bytes of a body.
const BODY: usize = 256;
/// Bytes of a record's head, and of a block's.
const HEADS: (usize, usize) = (16, 64);
/// How many events are made durable together.
const GROUP: u64 = 100;
/// How many groups are one measurement.
const GROUPS: u64 = 100;
const ROUNDS: usize = 41;

fn head(seq: u64) -> Head {
    Head {
        kind: 1,
        version: 1,
        flags: 0,
        time: Time::from_nanos(seq * 1_000),
    }
}

fn body(seq: u64) -> [u8; BODY] {
    let mut body = [7; BODY];
    body[..8].copy_from_slice(&seq.to_le_bytes());
    body
}

fn append(writer: &mut Writer<File>, events: u64) {
    for _ in 0..events {
        let seq = writer.next_seq().0;
        let body = body(seq);
        let appended = writer.append(head(seq), |out| {
            out.extend_from_slice(&body);
            Ok(())
        });
        appended.unwrap();
    }
}

/// Writes the same number of bytes at the end of a file and syncs, as often.
fn write_raw(file: &mut fs::File, seq: u64) {
    let mut block = Vec::with_capacity(GROUP as usize * (BODY + HEADS.0) + HEADS.1);
    for group in 0..GROUPS {
        block.clear();
        block.resize(HEADS.1, 0);
        for at in 0..GROUP {
            block.extend_from_slice(&[0; HEADS.0]);
            block.extend_from_slice(&body(seq + group * GROUP + at));
        }
        file.write_all(&block).unwrap();
        file.sync_data().unwrap();
    }
}

/// Seconds that something takes.
fn seconds(act: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    act();
    begin.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
#[ignore = "a measurement"]
fn durable_appends() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let policy = SyncPolicy::Interval(GROUP);
    let mut writer = Writer::create_path(&log, &header(), policy).unwrap();
    let mut raw = fs::File::create(folder.path().join("raw")).unwrap();
    let (mut logs, mut raws, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut time_log = || seconds(|| append(&mut writer, GROUP * GROUPS));
        let mut time_raw = || seconds(|| write_raw(&mut raw, 0));
        // Each goes first in half of the rounds.
        let (log, raw) = match round % 2 {
            0 => (time_log(), time_raw()),
            _ => {
                let raw = time_raw();
                (time_log(), raw)
            }
        };
        logs.push((GROUP * GROUPS) as f64 / log);
        raws.push((GROUP * GROUPS) as f64 / raw);
        ratios.push(raw / log);
    }
    assert_eq!(
        writer.durable(),
        Some(Seq(ROUNDS as u64 * GROUP * GROUPS - 1))
    );
    let (log, raw, ratio) = (median(logs), median(raws), median(ratios));
    println!("{log:>10.0} entries of {BODY} bytes/s, durable in groups of {GROUP}");
    println!("{raw:>10.0} the same bytes written and synced raw");
    println!("{ratio:>10.2} of raw, median of {ROUNDS} pairs");
}

fn record(path: &Path, events: u64) -> Writer<File> {
    let mut writer = Writer::create_path(path, &header(), SyncPolicy::Never).unwrap();
    append(&mut writer, events);
    writer.sync().unwrap();
    writer
}

fn say(what: &str, seconds: f64) {
    println!("{:>8.1} ms  {what}", seconds * 1e3);
}

#[test]
#[ignore = "a measurement"]
fn recovery_of_a_million_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let events = 1_000_000;
    drop(record(&path, events));
    let whole = fs::read(&path).unwrap();
    println!(
        "{events} events of {BODY} bytes, {} MB",
        whole.len() / 1_000_000
    );

    let mut times = Vec::new();
    for _ in 0..7 {
        // The last block is torn; cutting it is part of what is measured.
        fs::write(&path, &whole[..whole.len() - 10]).unwrap();
        fs::File::open(&path).unwrap().sync_all().unwrap();
        times.push(seconds(|| {
            let file = File::open_locked(&path).unwrap();
            let (writer, recovered) = recover_storage(file, SyncPolicy::Every).unwrap();
            assert!(recovered.dropped > 0 && writer.next_seq().0 > events - 500);
        }));
    }
    say(
        "recover, torn and never closed: every byte verified",
        median(times),
    );

    fs::remove_file(&path).unwrap();
    record(&path, events).close().unwrap();
    let times = (0..7).map(|_| {
        seconds(|| {
            let mut reader = Reader::open_path(&path).unwrap();
            assert!(reader.ending().unwrap().is_closed());
            reader.seek(Seq(events - 1)).unwrap();
            assert_eq!(reader.next().unwrap().unwrap().body, body(events - 1));
        })
    });
    say(
        "open a closed log by its index, and read its last event",
        median(times.collect()),
    );
}

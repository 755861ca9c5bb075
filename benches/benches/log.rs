//! The log alone: appending beside writing the same bytes, synced at the end or group by group;
//! reading and checking beside reading the same bytes.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_kernel::codec;
use dacapo_kernel::log::{Chain, Head, Header, Reader, RunId, SyncPolicy, Writer};
use dacapo_kernel::{Seq, Time};
use serde::{Deserialize, Serialize};

const EVENTS: u64 = 200_000;
/// What one record takes in the file: a head of 16 bytes and a body of 80.
const RECORD: usize = 96;
/// What both sides hand to the system at once.
const BLOCK: usize = 64 * 1024;

/// A body of 80 bytes as the codec writes it.
#[derive(Serialize, Deserialize)]
struct Quote {
    price: f64,
    size: f64,
    bid: f64,
    ask: f64,
    more: [f64; 6],
}

fn quote(number: u64) -> Quote {
    let price = 60_000.0 + (number % 997) as f64;
    Quote {
        price,
        size: 0.5,
        bid: price - 1.0,
        ask: price + 1.0,
        more: [price; 6],
    }
}

fn header() -> Header {
    Header {
        run_id: RunId([7; 16]),
        seed: 1,
        scenario_digest: [0; 32],
        engine: "bench".to_owned(),
        first_seq: Seq(0),
        previous: Chain([0; 16]),
        kinds: Vec::new(),
    }
}

fn append(path: &Path, sync: SyncPolicy) {
    let mut writer = Writer::replace_path(path, &header(), sync).expect("the disk works");
    for number in 0..EVENTS {
        let head = Head {
            kind: 64,
            version: 1,
            flags: 0,
            time: Time::from_nanos(number * 1_000),
        };
        let quote = quote(number);
        writer
            .append(head, |out| codec::encode(&quote, out))
            .expect("the disk works");
    }
    writer.close().expect("the disk works");
}

/// The same number of bytes in writes of the same size, synced as often.
fn write_raw(path: &Path, sync_every: Option<u64>) {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(path)
        .expect("the disk works");
    let block = vec![7u8; BLOCK];
    let chunk = sync_every.map_or(BLOCK, |events| (events as usize * RECORD).min(BLOCK));
    let mut left = EVENTS as usize * RECORD;
    while left > 0 {
        let part = chunk.min(left);
        file.write_all(&block[..part]).expect("the disk works");
        if sync_every.is_some() {
            file.sync_data().expect("the disk works");
        }
        left -= part;
    }
    file.sync_data().expect("the disk works");
}

fn appending(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, raw) = (folder.path().join("log"), folder.path().join("raw"));
    let mut group = criterion.benchmark_group("append 80-byte bodies, per event");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("log, one sync at the end", |bencher| {
        bencher.iter(|| append(&log, SyncPolicy::Never));
    });
    group.bench_function("raw write, one sync at the end", |bencher| {
        bencher.iter(|| write_raw(&raw, None));
    });
    group.bench_function("log, a sync every 1000", |bencher| {
        bencher.iter(|| append(&log, SyncPolicy::Interval(1_000)));
    });
    group.bench_function("raw write, a sync every 1000", |bencher| {
        bencher.iter(|| write_raw(&raw, Some(1_000)));
    });
    group.finish();
}

/// Entries of 256 bytes that are durable in groups of 100: what an event store is asked for.
fn durable(criterion: &mut Criterion) {
    /// What one record takes in the file, a block's head besides.
    const ENTRY: usize = 16 + 256;
    const GROUP: u64 = 100;
    let folder = tempfile::tempdir().expect("a folder");
    let (log, raw) = (folder.path().join("log"), folder.path().join("raw"));
    let mut group = criterion.benchmark_group("durable, entries of 256 bytes in groups of 100");
    group.throughput(Throughput::Elements(GROUP));
    let body = [7_u8; 256];
    let mut writer =
        Writer::create_path(&log, &header(), SyncPolicy::Interval(GROUP)).expect("the disk works");
    group.bench_function("log", |bencher| {
        bencher.iter(|| {
            for _ in 0..GROUP {
                let head = Head {
                    kind: 64,
                    version: 1,
                    flags: 0,
                    time: Time::from_nanos(writer.next_seq().0),
                };
                let appended = writer.append(head, |out| {
                    out.extend_from_slice(&body);
                    Ok(())
                });
                appended.expect("the disk works");
            }
        });
    });
    let mut file = File::create(&raw).expect("the disk works");
    let block = vec![7u8; 64 + GROUP as usize * ENTRY];
    group.bench_function("raw write and sync", |bencher| {
        bencher.iter(|| {
            file.write_all(&block).expect("the disk works");
            file.sync_data().expect("the disk works");
        });
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    append(&path, SyncPolicy::Never);
    let mut group = criterion.benchmark_group("read, per event");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("log, verified and decoded", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::open_path(&path).expect("the log is sound");
            let mut sum = 0.0;
            while let Some(record) = reader.next().expect("the log is sound") {
                let quote: Quote = codec::decode(record.body).expect("the log is sound");
                sum += quote.price;
            }
            black_box(sum)
        });
    });
    group.bench_function("log, verified only", |bencher| {
        bencher.iter(|| {
            let mut reader = Reader::open_path(&path).expect("the log is sound");
            let mut bytes = 0;
            while let Some(record) = reader.next().expect("the log is sound") {
                bytes += record.body.len();
            }
            black_box(bytes)
        });
    });
    group.bench_function("raw read of the same bytes", |bencher| {
        let mut buffer = vec![0u8; BLOCK];
        bencher.iter(|| {
            let mut file = File::open(&path).expect("the log is there");
            let mut bytes = 0;
            loop {
                match file.read(&mut buffer).expect("the disk works") {
                    0 => break,
                    read => bytes += black_box(&buffer[..read]).len(),
                }
            }
            black_box(bytes)
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = appending, durable, reading
}
criterion_main!(benches);

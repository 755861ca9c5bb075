//! Files that nobody's accident made: lengths, counts and offsets chosen to hurt, with checksums
//! that fit. An error each time, never a panic and never memory that the file does not hold.

use std::process::Command;

use dacapo_kernel::Seq;
use dacapo_kernel::log::{Ending, LogError, Memory, Reader, SyncPolicy, Writer, recover_storage};
use proptest::prelude::*;

use crate::support::{Parts, append, closed, events, header, read, reseal_head, unclosed};

const POLICY: SyncPolicy = SyncPolicy::Interval(6);

/// Reads in every way there is. That it returns is the test.
fn exercise(bytes: &[u8]) {
    let _ = read(bytes);
    if let Ok(mut reader) = Reader::open(Memory(bytes.to_vec())) {
        for seq in [0, 24, 25, 7, u64::MAX] {
            let _ = reader.seek(Seq(seq));
            let _ = reader.peek();
            let _ = reader.next();
        }
        let _ = reader.ending();
    }
    let _ = recover_storage(Memory(bytes.to_vec()), POLICY);
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

#[test]
fn hostile_lengths_are_errors() {
    let written = events(25);
    let log = unclosed(&written, POLICY);
    let block = Parts::of(&log).blocks[1].start;
    for value in [
        0,
        1,
        15,
        16,
        0x1_0000,
        0x1_0001,
        0x0100_0010,
        0x0100_0011,
        0x7FFF_FFFF,
        u32::MAX,
    ] {
        for fields in [&[12_usize][..], &[16], &[20], &[12, 16]] {
            let mut bytes = log.clone();
            for field in fields {
                put(&mut bytes, block + field, &value.to_le_bytes());
            }
            reseal_head(&mut bytes, block);
            exercise(&bytes);
            let (found, outcome) = read(&bytes);
            assert_eq!(found, written[..6], "{value} in {fields:?}");
            // A length that reaches behind the end of the file is what a torn write looks like.
            let is_seen = matches!(outcome, Err(_) | Ok(Ending::Torn { .. }));
            assert!(is_seen, "{value} in {fields:?}");
        }
    }
}

/// The length of a record, in a block whose checksum fits and whose chain is its own.
#[test]
fn a_record_longer_than_its_block_is_an_error() {
    let log = unclosed(&events(6), POLICY);
    let block = Parts::of(&log).blocks[0].clone();
    for (len, since) in [(u32::MAX, 0), (1_000, 0), (0, 0), (2, 0), (1, u64::MAX)] {
        let mut bytes = log.clone();
        put(&mut bytes, block.start + 64, &len.to_le_bytes());
        put(
            &mut bytes,
            block.start + 64 + 17 + 8,
            &u64::MAX.to_le_bytes(),
        );
        put(&mut bytes, block.start + 64 + 8, &u64::to_le_bytes(since));
        seal_payload(&mut bytes, &log, block.clone());
        exercise(&bytes);
        let refused = read(&bytes).1.unwrap_err();
        assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
    }
}

/// Fewer records than the block holds, and records of another time or recovery than the blocks around.
#[test]
fn a_block_that_does_not_fit_its_place_is_an_error() {
    let log = unclosed(&events(6), POLICY);
    let block = Parts::of(&log).blocks[0].clone();
    let mut fewer = log.clone();
    fewer[block.start + 20] = 5;
    seal_payload(&mut fewer, &log, block);
    let (found, outcome) = read(&fewer);
    assert_eq!(found, events(5));
    is_damaged(outcome);
    assert!(recover_storage(Memory(fewer), POLICY).is_err());

    let log = unclosed(&events(25), POLICY);
    let blocks = Parts::of(&log).blocks;
    let mut later = log.clone();
    later[blocks[2].start + 32] ^= 1;
    reseal_head(&mut later, blocks[2].start);
    is_damaged(read(&later).1);
    let mut earlier = log.clone();
    earlier[blocks[1].start + 44] = 1;
    reseal_head(&mut earlier, blocks[1].start);
    is_damaged(read(&earlier).1);
}

/// A sound footer of the same length, which belongs to other events.
#[test]
fn a_footer_of_another_log_is_an_error() {
    let ours = closed(&events(25), POLICY).storage.0;
    let mut other = events(25);
    other[24].body[0] ^= 1;
    let theirs = closed(&other, POLICY).storage.0;
    let footer = Parts::of(&ours).footer;
    let mut spliced = ours.clone();
    spliced[footer.clone()].copy_from_slice(&theirs[footer.clone()]);
    is_damaged(read(&spliced).1);

    // The same again where one thing only is another.
    let checksum_at = footer.end - 20;
    for (at, what) in [(32, "events"), (24, "last time"), (16, "chain")] {
        let mut bytes = ours.clone();
        bytes[checksum_at - at] ^= 1;
        let all = crc32c::crc32c(&bytes[footer.start..checksum_at]);
        put(&mut bytes, checksum_at, &all.to_le_bytes());
        assert!(read(&bytes).1.is_err(), "{what}");
    }
}

fn is_damaged(outcome: Result<Ending, LogError>) {
    let refused = outcome.unwrap_err();
    assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
}

/// Gives the only block of a log the checksum and the chain of its present payload.
fn seal_payload(bytes: &mut [u8], original: &[u8], block: std::ops::Range<usize>) {
    let initial = Reader::open(Memory(original.to_vec()))
        .unwrap()
        .header()
        .initial_chain();
    let payload = bytes[block.start + 64..block.end].to_vec();
    let mut hashed = initial.0.to_vec();
    hashed.extend_from_slice(&bytes[block.start + 24..block.start + 32]);
    hashed.extend_from_slice(&bytes[block.start + 20..block.start + 24]);
    hashed.extend_from_slice(&payload);
    let chain = blake3::hash(&hashed);
    put(
        bytes,
        block.start + 40,
        &crc32c::crc32c(&payload).to_le_bytes(),
    );
    put(bytes, block.start + 48, &chain.as_bytes()[..16]);
    reseal_head(bytes, block.start);
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let log = unclosed(&events(25), POLICY);
    let block = Parts::of(&log).blocks[1].start;
    for (at, name) in [(8, "codec"), (9, "compression"), (10, "block flag")] {
        let mut bytes = log.clone();
        bytes[block + at] = 2;
        reseal_head(&mut bytes, block);
        let refused = read(&bytes).1.unwrap_err();
        assert!(refused.to_string().contains(name), "{refused}");
        let named =
            matches!(refused, LogError::Unsupported { offset, .. } if offset == block as u64);
        assert!(named, "{refused}");
    }
    let mut bytes = log.clone();
    bytes[8] = 2;
    assert!(matches!(
        read(&bytes).1,
        Err(LogError::NewerFormat {
            found: 2,
            supported: 1
        })
    ));
    for not_a_log in [&b""[..], b"PK\x03\x04 and so on", b"\x89", &log[1..]] {
        let refused = read(not_a_log).1.unwrap_err();
        let named = matches!(
            refused,
            LogError::NotALog { .. } | LogError::HeaderDamaged { .. }
        );
        assert!(named, "{refused}");
    }
}

/// The index of a footer with offsets and numbers of all sizes, its checksums made to fit.
#[test]
fn a_hostile_index_is_an_error() {
    let log = closed(&events(25), POLICY).storage.0;
    let footer = Parts::of(&log).footer;
    let checksum_at = footer.end - 20;
    for field in (8..checksum_at - footer.start - 7).step_by(2) {
        for value in [0, 1, 1 << 16, 1 << 31, u64::MAX - 63, u64::MAX] {
            let mut bytes = log.clone();
            put(&mut bytes, footer.start + field, &value.to_le_bytes());
            let head = crc32c::crc32c(&bytes[footer.start + 4..footer.start + 24]);
            put(&mut bytes, footer.start, &head.to_le_bytes());
            let all = crc32c::crc32c(&bytes[footer.start..checksum_at]);
            put(&mut bytes, checksum_at, &all.to_le_bytes());
            exercise(&bytes);
        }
    }
}

/// An index of several blocks, as long logs have, with one entry that leads astray.
#[test]
fn a_hostile_entry_of_a_long_index_is_an_error() {
    let mut header = header();
    header.first_seq = Seq(100);
    let mut writer = Writer::create(Memory::default(), &header, POLICY).unwrap();
    for event in events(25) {
        append(&mut writer, &event).unwrap();
    }
    let log = writer.close().unwrap().storage.0;
    let honest: Vec<[u64; 3]> = Parts::of(&log)
        .blocks
        .iter()
        .map(|block| {
            [24, 32, 0].map(|at| {
                if at == 0 {
                    block.start as u64
                } else {
                    u64_at(&log, block.start + at)
                }
            })
        })
        .collect();
    let sound = with_index(&log, &honest);
    assert!(read(&sound).1.is_ok());
    for seq in 100..125 {
        let mut reader = Reader::open(Memory(sound.clone())).unwrap();
        reader.seek(Seq(seq)).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().seq, Seq(seq));
    }
    for (entry, field) in (0..honest.len()).flat_map(|entry| [(entry, 0), (entry, 1), (entry, 2)]) {
        for value in [0, 1, 99, 106, 150, 1 << 40, u64::MAX - 1, u64::MAX] {
            let mut index = honest.clone();
            index[entry][field] = value;
            let bytes = with_index(&log, &index);
            exercise(&bytes);
            let Ok(mut reader) = Reader::open(Memory(bytes)) else {
                continue;
            };
            for seq in 100..126 {
                let Ok(()) = reader.seek(Seq(seq)) else {
                    continue;
                };
                let found = reader.next().unwrap().map_or(Seq(125), |record| record.seq);
                assert_eq!(found, Seq(seq));
            }
        }
    }
    let before_all: Vec<[u64; 3]> = [[0, 0, 0]]
        .into_iter()
        .chain(honest[1..].iter().copied())
        .collect();
    let behind_all: Vec<[u64; 3]> = honest
        .iter()
        .map(|[seq, time, at]| [*seq, *time, at + (1 << 40)])
        .collect();
    for index in [before_all, behind_all] {
        let refused = Reader::open(Memory(with_index(&log, &index)))
            .map(drop)
            .unwrap_err();
        assert!(matches!(refused, LogError::Damaged { .. }), "{refused}");
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// The closed log with another index in its footer, everything around it made to fit.
fn with_index(log: &[u8], index: &[[u64; 3]]) -> Vec<u8> {
    let footer = Parts::of(log).footer;
    let honest = u32::from_le_bytes(
        log[footer.start + 16..footer.start + 20]
            .try_into()
            .unwrap(),
    );
    let behind_index = footer.start + 24 + honest as usize * 24;
    let checksum_at = footer.end - 20;
    let mut head = log[footer.start + 4..footer.start + 24].to_vec();
    put(&mut head, 12, &(index.len() as u32).to_le_bytes());
    let mut new = crc32c::crc32c(&head).to_le_bytes().to_vec();
    new.extend_from_slice(&head);
    new.extend(index.iter().flatten().flat_map(|field| field.to_le_bytes()));
    new.extend_from_slice(&log[behind_index..checksum_at]);
    let total_at = new.len() - 40;
    let total = (footer.start + new.len() + 20) as u64;
    put(&mut new, total_at, &total.to_le_bytes());
    let checksum = crc32c::crc32c(&new);
    let mut bytes = log[..footer.start].to_vec();
    bytes.extend_from_slice(&new);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&log[footer.end - 16..]);
    bytes
}

/// An event whose body holds a log does not make a torn tail look like damage.
#[test]
fn a_log_inside_an_event_is_no_part_of_the_log() {
    let mut written = events(8);
    written[7].body = closed(&events(25), POLICY).storage.0;
    let log = unclosed(&written, POLICY);
    let last = Parts::of(&log).blocks[1].clone();
    let cut = &log[..last.end - 1];
    let (found, outcome) = read(cut);
    assert_eq!(found, written[..6]);
    assert!(outcome.is_ok(), "{outcome:?}");
    let whole = read(&log);
    assert_eq!(
        whole.0, written,
        "it ends with an end mark that is not its own"
    );
    assert!(whole.1.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_behind_a_header_return(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let log = unclosed(&events(12), POLICY);
        let header = Parts::of(&log).header.end;
        let mut bytes = log[..header].to_vec();
        bytes.extend_from_slice(&tail);
        exercise(&bytes);
        exercise(&tail);
        let mut bytes = log;
        bytes.extend_from_slice(&tail);
        exercise(&bytes);
    }

    #[test]
    fn any_few_changed_bytes_return(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), reseal: bool,
    ) {
        let mut bytes = closed(&events(25), POLICY).storage.0;
        let parts = Parts::of(&bytes);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if reseal {
            for block in parts.blocks {
                let payload = crc32c::crc32c(&bytes[block.start + 64..block.end]);
                put(&mut bytes, block.start + 40, &payload.to_le_bytes());
                reseal_head(&mut bytes, block.start);
            }
        }
        exercise(&bytes);
    }
}

/// The tests above once more with 512 MB of address space, where a hostile length that is believed
/// ends the process.
#[test]
fn hostile_lengths_need_little_memory() {
    let program = std::env::current_exe().unwrap();
    let limited = Command::new("sh")
        .args(["-c", "ulimit -v 524288 && exec \"$0\" --test-threads=1 hostile::hostile_lengths hostile::a_record hostile::a_hostile --skip little_memory"])
        .arg(program)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&limited.stdout);
    assert!(limited.status.success(), "{said}");
    assert!(said.contains("4 passed"), "{said}");
}

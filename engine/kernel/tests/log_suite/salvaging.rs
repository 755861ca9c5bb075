//! What salvage tells of a log: what it keeps, what it leaves, and why.
//!
//! Each would fail if a part were left out, named twice or counted wrongly; the parts must join
//! without a gap from the last sound byte to the end of the file.

use dacapo_kernel::Seq;
use dacapo_kernel::log::{
    Ending, LogError, Lost, Memory, Remains, Salvage, SyncPolicy, recover_storage,
};

use crate::disk::{Disk, Flaws, Random};
use crate::support::{Parts, append, closed, events, read, unclosed};

/// Five blocks: events 0 to 5, 6 to 11, 12 to 17, 18 to 23, 24.
const POLICY: SyncPolicy = SyncPolicy::Interval(6);

fn survey(log: &[u8]) -> Salvage<Memory> {
    let survey = Salvage::survey(Memory(log.to_vec())).unwrap();
    let mut at = survey.sound_bytes();
    for part in survey.lost() {
        assert_eq!(part.bytes.start, at, "a gap between parts");
        assert!(part.bytes.end > at, "an empty part");
        at = part.bytes.end;
    }
    if !survey.lost().is_empty() {
        assert_eq!(at, log.len() as u64);
    }
    survey
}

/// A part with the events that are in it.
fn lost(bytes: std::ops::Range<usize>, events: std::ops::Range<u64>, remains: Remains) -> Lost {
    Lost {
        bytes: bytes.start as u64..bytes.end as u64,
        events: Some(Seq(events.start)..Seq(events.end)),
        remains,
    }
}

fn footer(bytes: std::ops::Range<usize>) -> Lost {
    Lost {
        bytes: bytes.start as u64..bytes.end as u64,
        events: None,
        remains: Remains::Footer,
    }
}

#[test]
fn a_sound_log_loses_nothing() {
    let closed = closed(&events(25), POLICY).storage.0;
    let open = unclosed(&events(25), POLICY);
    for log in [&closed, &open] {
        let survey = survey(log);
        assert_eq!(survey.lost(), []);
        assert_eq!(survey.events(), Seq(0)..Seq(25));
    }
    assert!(matches!(survey(&closed).state(), Ok(Ending::Closed { .. })));
    assert!(matches!(survey(&open).state(), Ok(Ending::Open { .. })));
}

#[test]
fn a_changed_byte_costs_its_block_and_all_that_hangs_on_it() {
    let log = closed(&events(25), POLICY).storage.0;
    let Parts {
        blocks,
        footer: end,
        ..
    } = Parts::of(&log);
    // In the payload: the head still tells which events they were. In the head: the next block tells.
    for at in [blocks[1].start + 70, blocks[1].start + 30] {
        let mut damaged = log.clone();
        damaged[at] ^= 4;
        let survey = survey(&damaged);
        assert_eq!(survey.events(), Seq(0)..Seq(6));
        assert!(matches!(survey.state(), Err(LogError::Damaged { .. })));
        let expected = [
            lost(blocks[1].clone(), 6..12, Remains::Damaged),
            lost(blocks[2].start..blocks[4].end, 12..25, Remains::Whole),
            footer(end.clone()),
        ];
        assert_eq!(survey.lost(), expected, "byte {at}");
    }
}

/// The footer tells how many events there were; without one, nobody knows.
#[test]
fn the_last_block_of_a_closed_log_is_known_by_the_footer() {
    let log = closed(&events(25), POLICY).storage.0;
    let Parts {
        blocks,
        footer: end,
        ..
    } = Parts::of(&log);
    let mut damaged = log.clone();
    damaged[blocks[4].start + 1] ^= 1;
    let expected = [
        lost(blocks[4].clone(), 24..25, Remains::Damaged),
        footer(end),
    ];
    assert_eq!(survey(&damaged).lost(), expected);

    damaged[log.len() - 30] ^= 1;
    let survey = survey(&damaged);
    assert_eq!(survey.lost()[0].events, None);
    assert_eq!(survey.lost()[1].remains, Remains::Footer);
}

#[test]
fn a_block_that_was_removed_or_is_of_another_log_leaves_whole_blocks() {
    let log = unclosed(&events(25), POLICY);
    let blocks = Parts::of(&log).blocks;
    let without: Vec<u8> = [&log[..blocks[1].start], &log[blocks[2].start..]].concat();
    let gap = survey(&without);
    assert!(matches!(gap.state(), Err(LogError::Gap { .. })));
    let whole = blocks[1].start..without.len();
    assert_eq!(gap.lost(), [lost(whole, 12..25, Remains::Whole)]);

    let mut other = events(25);
    other[1].body[0] ^= 1;
    let other = unclosed(&other, POLICY);
    let spliced: Vec<u8> = [&log[..blocks[1].start], &other[blocks[1].start..]].concat();
    let fork = survey(&spliced);
    assert!(matches!(fork.state(), Err(LogError::Fork { .. })));
    let whole = blocks[1].start..spliced.len();
    assert_eq!(fork.lost(), [lost(whole, 6..25, Remains::Whole)]);
}

#[test]
fn a_torn_log_loses_its_last_write_only() {
    let log = unclosed(&events(25), POLICY);
    let last = Parts::of(&log).blocks[3].clone();
    for cut in [
        last.start + 1,
        last.start + 63,
        last.start + 64,
        last.end - 1,
    ] {
        let survey = survey(&log[..cut]);
        assert!(matches!(survey.state(), Ok(Ending::Torn { .. })));
        assert_eq!(survey.events(), Seq(0)..Seq(18));
        let [part] = survey.lost() else {
            panic!("{:?}", survey.lost());
        };
        assert_eq!(part.remains, Remains::Torn);
        // A whole head tells which events were on their way.
        let known = (cut >= last.start + 64).then_some(Seq(18)..Seq(24));
        assert_eq!(part.events, known, "cut at {cut}");
    }
    let closed = closed(&events(25), POLICY).storage.0;
    let survey = survey(&closed[..closed.len() - 3]);
    assert_eq!(survey.events(), Seq(0)..Seq(25));
    assert_eq!(survey.lost()[0].remains, Remains::Footer);
}

/// The copy is a log like any other: it reads, is closed, and is not recovered.
#[test]
fn whatever_is_changed_the_copy_is_a_sound_log() {
    let written = events(25);
    let log = closed(&written, POLICY).storage.0;
    let header = Parts::of(&log).header.end;
    for at in header..log.len() {
        let mut damaged = log.clone();
        damaged[at] ^= 0x10;
        let survey = survey(&damaged);
        let kept = survey.events().end.0 as usize;
        let salvaged = survey.copy_closed(Memory::default()).unwrap();
        assert_eq!(salvaged.bytes, salvaged.storage.0.len() as u64);
        assert_eq!(salvaged.chain, survey.chain());
        let (found, ending) = read(&salvaged.storage.0);
        assert_eq!(found, written[..kept], "byte {at}");
        assert!(ending.unwrap().is_closed());
        let again = recover_storage(salvaged.storage, POLICY);
        assert!(matches!(again, Err(LogError::AlreadyClosed { .. })));

        // Left open, it goes on as if it had been cut off there.
        let open = survey.copy_into(Memory::default()).unwrap();
        let (mut writer, recovered) = recover_storage(open, POLICY).unwrap();
        assert_eq!((recovered.events, recovered.dropped), (kept as u64, 0));
        for event in &written[kept..] {
            append(&mut writer, event).unwrap();
        }
        assert_eq!(read(&writer.close().unwrap().storage.0).0, written);
    }
}

#[test]
fn without_a_sound_header_nothing_can_be_saved() {
    let log = closed(&events(25), POLICY).storage.0;
    for at in 16..Parts::of(&log).header.end {
        let mut damaged = log.clone();
        damaged[at] ^= 1;
        let refused = Salvage::survey(Memory(damaged)).unwrap_err();
        let named = matches!(refused, LogError::HeaderDamaged { .. });
        assert!(named, "byte {at}: {refused}");
    }
}

/// A file of nothing but heads that promise blocks is told in a bounded number of parts.
#[test]
fn any_number_of_false_parts_is_told_in_few() {
    let log = unclosed(&events(25), POLICY);
    let blocks = Parts::of(&log).blocks;
    let mut hostile = log[..blocks[1].end - 1].to_vec();
    for _ in 0..5_000 {
        hostile.extend_from_slice(&log[blocks[3].clone()]);
        hostile.push(0);
    }
    let survey = survey(&hostile);
    assert!(survey.lost().len() <= 1_001, "{}", survey.lost().len());
}

/// Going on after recovery writes blocks of a later epoch, which salvage copies as they are.
#[test]
fn a_log_of_several_lives_is_salvaged() {
    let written = events(30);
    let half = unclosed(&written[..12], POLICY);
    let (mut writer, _) = recover_storage(Memory(half), POLICY).unwrap();
    for event in &written[12..] {
        append(&mut writer, event).unwrap();
    }
    let mut log = writer.close().unwrap().storage.0;
    let last = Parts::of(&log).blocks[4].clone();
    log[last.start + 66] ^= 1;
    let salvaged = survey(&log).copy_closed(Memory::default()).unwrap();
    assert_eq!(salvaged.events, 24);
    assert_eq!(read(&salvaged.storage.0).0, written[..24]);
}

/// Without the sync of the copy, or of its footer, this fails.
#[test]
fn a_copy_is_durable() {
    let log = closed(&events(25), POLICY).storage.0;
    let mut damaged = log.clone();
    damaged[Parts::of(&log).blocks[3].start + 70] ^= 1;
    let survey = survey(&damaged);
    for seed in 1..20 {
        let (open, whole) = (disk(), disk());
        survey.copy_into(open.clone()).unwrap();
        survey.copy_closed(whole.clone()).unwrap();
        for disk in [open, whole] {
            assert_eq!(disk.after_loss(&mut Random(seed)), disk.content());
        }
    }
}

fn disk() -> Disk {
    Disk::new(Vec::new(), u64::MAX, Flaws::default())
}

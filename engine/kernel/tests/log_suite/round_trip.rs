//! What is appended is read again, in whatever blocks it lies.

use dacapo_kernel::codec::{self, CodecError, MAX_BODY};
use dacapo_kernel::log::{
    Chain, Ending, Head, Header, LogError, Memory, Reader, SyncPolicy, Writer,
};
use dacapo_kernel::{Seq, Time};
use proptest::prelude::*;

use crate::support::{Event, Parts, append, closed, events, header, read, unclosed, writer};

fn any_event() -> impl Strategy<Value = (u64, Event)> {
    let body = prop_oneof![
        20 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (60_000_usize..70_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    (0_u64..1 << 40, any::<(u16, u8, u8)>(), body).prop_map(
        |(since, (kind, version, flags), body)| {
            (
                since,
                Event {
                    head: Head {
                        kind,
                        version,
                        flags,
                        time: Time::ZERO,
                    },
                    body,
                },
            )
        },
    )
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any_event(), 0..80).prop_map(|drawn| {
        let mut now = 0;
        let at_its_time = |(since, mut event): (u64, Event)| {
            now += since;
            event.head.time = Time::from_nanos(now);
            event
        };
        drawn.into_iter().map(at_its_time).collect()
    })
}

fn any_policy() -> impl Strategy<Value = SyncPolicy> {
    prop_oneof![
        Just(SyncPolicy::Never),
        Just(SyncPolicy::Every),
        (1_u64..20).prop_map(SyncPolicy::Interval)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_log_is_read_as_it_was_written(written in any_events(), policy in any_policy()) {
        let log = closed(&written, policy);
        prop_assert_eq!(log.bytes, log.storage.0.len() as u64);
        let (found, ending) = read(&log.storage.0);
        prop_assert_eq!(&found, &written);
        let events = written.len() as u64;
        prop_assert_eq!(ending.unwrap(), Ending::Closed { chain: log.chain, events });

        let (found, ending) = read(&unclosed(&written, policy));
        prop_assert_eq!(&found, &written);
        prop_assert_eq!(ending.unwrap(), Ending::Open { chain: log.chain, events });
    }

    #[test]
    fn seeking_is_the_same_as_reading_up_to_there(
        written in any_events(), policy in any_policy(), seeks in prop::collection::vec(0_u64..80, 1..12),
        is_closed: bool,
    ) {
        let bytes = if is_closed { closed(&written, policy).storage.0 } else { unclosed(&written, policy) };
        let mut reader = Reader::open(Memory(bytes)).unwrap();
        for seq in seeks {
            let target = Seq(seq);
            if seq > written.len() as u64 {
                let refused = reader.seek(target).unwrap_err();
                let end = Seq(written.len() as u64);
                let expected = matches!(refused, LogError::NoSuchEvent { end: found, .. } if found == end);
                prop_assert!(expected, "{}", refused);
                continue;
            }
            reader.seek(target).unwrap();
            prop_assert_eq!(reader.next_seq(), target);
            for expected in written.iter().skip(seq as usize).take(3) {
                prop_assert_eq!(reader.peek().unwrap().unwrap().body, &expected.body);
                let record = reader.next().unwrap().unwrap();
                prop_assert_eq!((record.head, record.body), (expected.head, expected.body.as_slice()));
            }
        }
    }
}

/// Bodies of 40 KiB: several index marks, so that seeking goes by them.
#[test]
fn seeking_goes_by_the_index_of_a_long_log() {
    let mut writer = writer(SyncPolicy::Never);
    for at in 0..200_u64 {
        let head = Head {
            kind: 1,
            version: 1,
            flags: 0,
            time: Time::from_secs(at),
        };
        writer
            .append(head, |out| {
                out.resize(out.len() + 40 * 1024, at as u8);
                Ok(())
            })
            .unwrap();
    }
    let mut reader = Reader::open(writer.close().unwrap().storage).unwrap();
    for seq in [199, 0, 150, 149, 30, 31, 198, 200, 77] {
        reader.seek(Seq(seq)).unwrap();
        match reader.next().unwrap() {
            Some(record) => {
                assert_eq!((record.seq, record.body[0]), (Seq(seq), seq as u8));
                assert_eq!(record.head.time, Time::from_secs(seq));
            }
            None => assert_eq!(seq, 200),
        }
    }
    reader.seek(Seq(3)).unwrap();
    let mut rest = 0;
    while reader.next().unwrap().is_some() {
        rest += 1;
    }
    assert_eq!(rest, 197);
}

#[test]
fn the_header_comes_back_with_its_kinds_in_order() {
    let mut header = header();
    header.first_seq = Seq(500);
    header.previous = Chain([7; 16]);
    header.kinds.reverse();
    let mut writer = Writer::create(Memory::default(), &header, SyncPolicy::Never).unwrap();
    assert_eq!(writer.durable(), None);
    let seq = append(&mut writer, &events(1)[0]).unwrap();
    assert_eq!(seq, Seq(500));
    let reader = Reader::open(writer.close().unwrap().storage).unwrap();
    header.kinds.reverse();
    assert_eq!(reader.header(), &header);
    assert_eq!(reader.next_seq(), Seq(500));
}

#[test]
fn a_kind_with_two_entries_is_refused() {
    let mut header = header();
    header.kinds[1].kind = 1;
    let refused = Writer::create(Memory::default(), &header, SyncPolicy::Never).unwrap_err();
    assert!(
        matches!(refused, LogError::KindTwice { kind: 1 }),
        "{refused}"
    );
}

#[test]
fn a_later_program_that_does_the_same_has_the_same_fingerprint() {
    let chain_of = |header: &Header| {
        let mut writer = Writer::create(Memory::default(), header, SyncPolicy::Never).unwrap();
        for event in events(5) {
            append(&mut writer, &event).unwrap();
        }
        writer.close().unwrap().chain
    };
    let base = chain_of(&header());
    let mut later = header();
    later.engine = "test 2.0".into();
    later.kinds.pop();
    assert_eq!(chain_of(&later), base);
    for change in [
        |header: &mut Header| header.seed += 1,
        |header: &mut Header| header.run_id.0[3] ^= 1,
        |header: &mut Header| header.scenario_digest[31] ^= 1,
        |header: &mut Header| header.previous.0[0] ^= 1,
        |header: &mut Header| header.first_seq = Seq(1),
    ] {
        let mut other = header();
        change(&mut other);
        assert_ne!(chain_of(&other), base);
    }
}

#[test]
fn any_difference_in_an_event_changes_the_fingerprint() {
    let base = closed(&events(20), SyncPolicy::Never).chain;
    for change in [
        |event: &mut Event| event.body[0] ^= 1,
        |event: &mut Event| event.head.kind = 9,
        |event: &mut Event| event.head.version = 9,
        |event: &mut Event| event.head.flags = 9,
        |event: &mut Event| event.head.time = Time::from_nanos(event.head.time.as_nanos() + 1),
    ] {
        let mut other = events(20);
        change(&mut other[11]);
        assert_ne!(closed(&other, SyncPolicy::Never).chain, base);
    }
    let later =
        |event: &mut Event| event.head.time = Time::from_nanos(event.head.time.as_nanos() + 5);
    let mut all_later = events(20);
    all_later.iter_mut().for_each(later);
    assert_ne!(
        closed(&all_later, SyncPolicy::Never).chain,
        base,
        "the first time counts too"
    );
}

#[test]
fn a_refused_event_leaves_the_log_as_it_was() {
    let events = events(3);
    let mut writer = writer(SyncPolicy::Never);
    for event in &events[..2] {
        append(&mut writer, event).unwrap();
    }
    let head = Head {
        time: Time::from_nanos(999),
        ..events[1].head
    };
    let early = writer.append(head, |_| Ok(())).unwrap_err();
    assert!(
        matches!(early, LogError::TimeBackwards { seq: Seq(2), .. }),
        "{early}"
    );

    let unencodable = writer.append(events[2].head, |out| {
        out.extend_from_slice(b"half of it");
        Err(CodecError::TooLarge)
    });
    assert!(matches!(
        unencodable,
        Err(LogError::Encode { seq: Seq(2), .. })
    ));

    let large = writer.append(events[2].head, |out| {
        out.resize(out.len() + MAX_BODY + 1, 0);
        Ok(())
    });
    assert!(matches!(large, Err(LogError::TooLarge { .. })));

    append(&mut writer, &events[2]).unwrap();
    assert_eq!(read(&writer.close().unwrap().storage.0).0, events);
}

#[test]
fn the_largest_body_has_a_block_of_its_own() {
    let mut writer = writer(SyncPolicy::Never);
    let sizes = [10, MAX_BODY, 20, 64 * 1024 - 16, 64 * 1024 - 15, 30];
    for size in sizes {
        let head = Head {
            kind: 1,
            version: 1,
            flags: 0,
            time: Time::ZERO,
        };
        writer
            .append(head, |out| {
                out.resize(out.len() + size, 5);
                Ok(())
            })
            .unwrap();
    }
    let bytes = writer.close().unwrap().storage.0;
    let lengths: Vec<usize> = Parts::of(&bytes)
        .blocks
        .iter()
        .map(|block| block.len() - 64)
        .collect();
    assert_eq!(
        lengths,
        [26, MAX_BODY + 16, 36, 64 * 1024, 64 * 1024 + 1, 46]
    );
    let (found, _) = read(&bytes);
    assert_eq!(
        found
            .iter()
            .map(|event| event.body.len())
            .collect::<Vec<_>>(),
        sizes
    );
}

#[test]
fn bodies_are_encoded_where_they_stand() {
    let mut writer = writer(SyncPolicy::Never);
    let head = Head {
        kind: 1,
        version: 1,
        flags: 0,
        time: Time::ZERO,
    };
    let value = ("BTC-USD", 61_000_u64, Some(0.25_f64));
    writer
        .append(head, |out| codec::encode(&value, out))
        .unwrap();
    let mut reader = Reader::open(writer.close().unwrap().storage).unwrap();
    let record = reader.next().unwrap().unwrap();
    let back: (String, u64, Option<f64>) = codec::decode(record.body).unwrap();
    assert_eq!(back, ("BTC-USD".into(), 61_000, Some(0.25)));
}

#[test]
fn durable_follows_the_policy() {
    let durable = |policy, count| {
        let mut writer = writer(policy);
        for event in events(count) {
            append(&mut writer, &event).unwrap();
        }
        writer.durable()
    };
    assert_eq!(durable(SyncPolicy::Never, 9), None);
    assert_eq!(durable(SyncPolicy::Every, 9), Some(Seq(8)));
    assert_eq!(durable(SyncPolicy::Interval(4), 9), Some(Seq(7)));
    assert_eq!(durable(SyncPolicy::Interval(4), 3), None);
}

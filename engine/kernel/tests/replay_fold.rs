//! Folding and seeking in a log of many blocks.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use common::{Stage, Story, ms, reader};
use dacapo_kernel::{Events, RunError, Seq, Snapshots, World, causes, fold};

/// A run whose log has many blocks.
fn long() -> Story {
    Story::of(|ctx| async move {
        for round in 0..2_000 {
            ctx.emit(format!("round {round} {}", "x".repeat(round % 97)));
            ctx.random("dice", 6);
            ctx.sleep(ms(1)).await;
        }
    })
}

#[test]
fn a_fold_stops_at_the_event_that_it_is_asked_for() {
    let told = long().tell();
    let mut log = Events::new(reader(&told.bytes));
    for at in [0, 1, 2, 500, 3_333, told.outcome.events - 1] {
        let world = fold::<Stage>(&mut log, Some(Seq(at))).unwrap();
        assert_eq!(world.last, Some(Seq(at)));
        assert_eq!(world.now, told.events[at as usize].time);
    }
}

#[test]
fn seeking_finds_what_folding_finds_wherever_one_has_been_before() {
    let told = long().tell();
    let mut log = Events::new(reader(&told.bytes));
    let mut snapshots = Snapshots::<Stage>::every(256, "a log");
    let last = told.outcome.events - 1;
    let mut at = 1;
    for _ in 0..60 {
        at = at * 7_919 % last;
        let sought = snapshots.seek(&mut log, Seq(at), |_, _| {}).unwrap();
        let mut folded = World::default();
        told.events[..=at as usize]
            .iter()
            .for_each(|event| folded.apply(event));
        assert_eq!(sought, folded, "at {at}");
    }
    let end = snapshots.seek(&mut log, Seq(last), |_, _| {}).unwrap();
    assert_eq!(end, told.outcome.world);
    let beyond = snapshots
        .seek(&mut log, Seq(last + 100), |_, _| {})
        .unwrap();
    assert_eq!(beyond, end, "after the last event comes nothing");
}

// Fails if states of another log or program are taken for those of this one, or if what is damaged is believed.
#[test]
fn what_was_kept_as_text_is_used_only_where_it_fits() {
    let told = long().tell();
    let mut log = Events::new(reader(&told.bytes));
    let last = Seq(told.outcome.events - 1);
    let folded = fold::<Stage>(&mut log, Some(Seq(2_000))).unwrap();
    let mut sought = |snapshots: &mut Snapshots<Stage>| {
        let state = snapshots.seek(&mut log, Seq(2_000), |_, _| {}).unwrap();
        assert_eq!(state, folded);
        snapshots.news().is_some()
    };
    let mut first = Snapshots::<Stage>::every(256, "a log");
    assert!(sought(&mut first), "there are states to keep");
    let text = first.news().unwrap().to_owned();
    assert_eq!(text.lines().count(), 1 + 2_001 / 256);

    let again = |text: &str, every, of| Snapshots::<Stage>::read(text.to_owned(), every, of);
    assert!(!sought(&mut again(&text, 256, "a log")), "nothing is new");
    assert!(sought(&mut again(&text, 256, "another")));
    assert!(sought(&mut again(&text, 255, "a log")));
    assert!(sought(&mut again(&text[..text.len() - 1], 256, "a log")));
    assert!(sought(&mut again("", 256, "a log")));
    // A state that cannot be read, or is one of another moment, is made again, and so are all behind it.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(6, 7);
    let swapped = lines.join("\n") + "\n";
    assert!(sought(&mut again(&swapped, 256, "a log")));
    let broken = text.replacen("\"last\":1791", "\"last\":", 1);
    assert_ne!(broken, text);
    assert!(sought(&mut again(&broken, 256, "a log")));

    // It goes on where it ended.
    let mut more = again(&text, 256, "a log");
    let end = more.seek(&mut log, last, |_, _| {}).unwrap();
    assert_eq!(end, told.outcome.world);
    assert!(more.news().unwrap().starts_with(&text));
}

#[test]
fn a_damaged_block_is_an_error_from_the_event_on_that_it_holds() {
    let told = long().tell();
    let mut bytes = told.bytes.clone();
    let place = bytes.len() * 3 / 4;
    bytes[place] ^= 0x10;
    let mut log = Events::new(reader(&bytes));
    assert!(fold::<Stage>(&mut log, Some(Seq(10))).is_ok());
    assert!(matches!(
        fold::<Stage>(&mut log, None),
        Err(RunError::Log(_))
    ));
}

#[test]
fn the_chain_of_causes_leads_back_to_an_input_or_a_beginning() {
    let told = long().tell();
    let mut log = Events::new(reader(&told.bytes));
    let last = told
        .events
        .iter()
        .rfind(|event| event.cause.is_some())
        .unwrap();
    let chain = causes(&mut log, last, usize::MAX).unwrap();
    assert!(
        chain.len() > 4_000,
        "each round follows from the one before"
    );
    assert_eq!(chain.last().unwrap().cause, None);
    for pair in chain.windows(2) {
        assert_eq!(pair[0].cause, Some(pair[1].seq));
    }
}

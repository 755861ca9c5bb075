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
    let mut snapshots = Snapshots::<Stage>::every(256);
    let last = told.outcome.events - 1;
    let mut at = 1;
    for _ in 0..60 {
        at = at * 7_919 % last;
        let sought = snapshots.seek(&mut log, Seq(at)).unwrap();
        let mut folded = World::default();
        told.events[..=at as usize]
            .iter()
            .for_each(|event| folded.apply(event));
        assert_eq!(sought, folded, "at {at}");
    }
    let end = snapshots.seek(&mut log, Seq(last)).unwrap();
    assert_eq!(end, told.outcome.world);
    let beyond = snapshots.seek(&mut log, Seq(last + 100)).unwrap();
    assert_eq!(beyond, end, "after the last event comes nothing");
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

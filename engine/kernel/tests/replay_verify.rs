//! Verifying: the first difference is found and named, whatever kind it is.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::rc::Rc;

use common::{Act, Stage, Story, Told, arrived, asked, at_ms, events_of, ms, reader, said};
use dacapo_kernel::log::{LogError, Memory, Storage, SyncPolicy, Writer};
use dacapo_kernel::{
    Body, Divergence, Event, EventSet, Events, KernelEvent, RunError, Seq, Verified, World, causes,
    channel, fold,
};

/// A pipeline of two tasks. `fee` is the constant of the code that a story changes.
fn pipeline(fee: u64, steps: u64) -> Story {
    Story::of(move |ctx| async move {
        let (sender, mut receiver) = channel(&ctx, "orders", 4);
        let voice = ctx.clone();
        let clerk = ctx.spawn("clerk", async move {
            while let Some(order) = receiver.recv().await {
                let price = voice.random("price", 100);
                voice.emit(format!("order {order}: {price} and {fee}"));
            }
        });
        for order in 0..steps {
            ctx.sleep(ms(10)).await;
            ctx.emit(format!("order {order}"));
            sender.send(order).await.unwrap();
        }
        drop(sender);
        clerk.join().await.unwrap();
    })
}

fn difference(verified: Verified<Stage>) -> (Divergence<Act>, World<common::Minutes>) {
    match verified {
        Verified::Diverged(difference, world) => (*difference, *world),
        Verified::Same(_) => panic!("expected a difference, found none"),
        Verified::SameSoFar(_) => panic!("expected a difference, found the end of the log"),
    }
}

fn what(event: &Option<Event<Act>>) -> Option<&str> {
    event.as_ref().and_then(said)
}

#[test]
fn a_changed_constant_is_named_at_the_first_event_that_differs() {
    let told = pipeline(5, 3).tell();
    let (found, world) = difference(pipeline(6, 3).verify(&told.bytes));
    let first = told
        .events
        .iter()
        .find(|event| said(event).is_some_and(|s| s.ends_with("and 5")));
    let first = first.unwrap();
    assert_eq!(found.seq, first.seq);
    assert_eq!(found.expected.as_ref(), Some(first));
    let expected = what(&found.expected).unwrap().to_owned();
    assert_eq!(
        what(&found.actual),
        Some(expected.replace("and 5", "and 6").as_str())
    );
    assert_eq!(found.actual.as_ref().unwrap().cause, first.cause);
    assert_eq!(
        world.last,
        Some(Seq(first.seq.0 - 1)),
        "the state before the difference"
    );

    let mut log = Events::new(reader(&told.bytes));
    let chain = causes(&mut log, first, 10).unwrap();
    let names: Vec<_> = chain.iter().map(|event| event.kind().name).collect();
    let way = ["draw", "said", "timer fired", "task started"];
    assert_eq!(names[..3], way[..3], "from the effect back to its causes");
    assert_eq!(*names.last().unwrap(), "task started");
    assert_eq!(said(&chain[1]), Some("order 0"));
    assert_eq!(causes(&mut log, first, 2).unwrap().len(), 2);
}

#[test]
fn an_extra_consequence_is_a_difference() {
    let told = pipeline(5, 3).tell();
    let (found, _) = difference(pipeline(5, 4).verify(&told.bytes));
    // The fourth order sleeps where the recorded run had closed its channel.
    assert!(found.expected.is_some() && found.actual.is_some());
    let (expected, actual) = (found.expected.unwrap(), found.actual.unwrap());
    assert_ne!(expected.body, actual.body);
    assert_eq!(expected.seq, actual.seq);
}

#[test]
fn a_missing_consequence_is_a_difference() {
    let told = pipeline(5, 4).tell();
    let (found, _) = difference(pipeline(5, 3).verify(&told.bytes));
    assert_ne!(found.expected.unwrap().body, found.actual.unwrap().body);
}

#[test]
fn code_that_stops_waiting_for_an_input_is_named_at_the_input() {
    let story = |items: u64| {
        Story::staged(move |setup| {
            let feed = (0..3).map(|n| (at_ms(n), arrived(&format!("item {n}"))));
            let inbox = setup.feed("feed", |_| Ok(feed)).unwrap();
            setup.host("main", move |ctx| {
                let inbox = inbox.clone();
                async move {
                    for _ in 0..items {
                        inbox.recv(&ctx).await;
                    }
                    ctx.sleep(ms(10)).await;
                }
            });
        })
    };
    let told = story(3).tell();
    assert!(matches!(
        story(2).verify(&told.bytes),
        Verified::Diverged(..)
    ));
    assert!(matches!(
        story(4).verify(&told.bytes),
        Verified::Diverged(..)
    ));
}

#[test]
fn an_input_that_nobody_takes_is_a_difference_with_nothing_as_its_actual() {
    let with_feed = Story::staged(|setup| {
        let items = [(at_ms(1), arrived("item"))].into_iter();
        let _ = setup.feed("feed", |_| Ok(items)).unwrap();
        setup.host("main", |ctx| async move { ctx.sleep(ms(5)).await });
    });
    // The same actors, but nobody is behind the feed's name.
    let without = Story::staged(|setup| {
        let nobody = std::iter::empty();
        let _ = setup.feed("feed", |_| Ok(nobody)).unwrap();
        setup.host("main", |ctx| async move { ctx.sleep(ms(5)).await });
    });
    let told = with_feed.tell();
    assert!(
        matches!(without.verify(&told.bytes), Verified::Same(_)),
        "the log has the item"
    );
    let other = Story::of(|ctx| async move { ctx.sleep(ms(5)).await });
    let (found, _) = difference(other.verify(&told.bytes));
    assert!(
        found.actual.is_some(),
        "the actors are named in another order"
    );
    let forged = replaced(&told, |event| {
        if matches!(event.body, Body::Domain(Act::Arrived(_))) {
            event.actor = dacapo_kernel::ActorId(2);
        }
    });
    let (found, _) = difference(with_feed.verify(&forged));
    assert_eq!(found.actual, None, "nobody of that name takes items");
    assert_eq!(found.expected.unwrap().kind().name, "arrived");
}

#[test]
fn a_log_that_goes_on_after_the_run_is_a_difference() {
    let told = pipeline(5, 2).tell();
    let longer = rewritten(&told.events, |events| {
        let mut last = events.last().unwrap().clone();
        last.seq = last.seq.next();
        events.push(last);
    });
    let (found, _) = difference(pipeline(5, 2).verify(&longer));
    assert_eq!(found.seq, Seq(told.events.len() as u64));
    assert!(found.expected.is_some() && found.actual.is_none());
}

#[test]
fn a_log_that_was_closed_too_early_is_a_difference() {
    let told = pipeline(5, 2).tell();
    for left_out in 1..8 {
        let shorter = rewritten(&told.events, |events| {
            events.truncate(events.len() - left_out)
        });
        let (found, _) = difference(pipeline(5, 2).verify(&shorter));
        assert_eq!(found.expected, None, "{left_out} left out");
        assert_eq!(
            found.actual.as_ref(),
            Some(&told.events[told.events.len() - left_out])
        );
    }
}

#[test]
fn a_log_that_was_cut_off_is_the_same_so_far() {
    let story = pipeline(5, 4);
    let told = story.tell();
    let mut lengths = std::collections::BTreeSet::new();
    for cut in [1, 3, 10, 20] {
        let open = unclosed(&told.events[..told.events.len() - cut]);
        match story.verify(&open) {
            Verified::SameSoFar(outcome) => {
                assert_eq!(outcome.events, (told.events.len() - cut) as u64);
                lengths.insert(outcome.events);
                let folded = fold::<Stage>(&mut Events::new(reader(&open)), None).unwrap();
                assert_eq!(outcome.world, folded);
            }
            _ => panic!("{cut} events are missing, and nothing differs"),
        }
    }
    assert_eq!(lengths.len(), 4);
    let changed = pipeline(6, 4).verify(&unclosed(&told.events[..told.events.len() - 3]));
    assert!(
        matches!(changed, Verified::Diverged(..)),
        "what is there is still compared"
    );
}

#[test]
fn a_changed_input_is_fed_back_and_its_consequences_differ() {
    let told = pipeline(5, 2).tell();
    let forged = replaced(&told, |event| {
        if let Body::Kernel(KernelEvent::Draw(draw)) = &mut event.body {
            draw.value = (draw.value + 1) % 100;
        }
    });
    let (found, _) = difference(pipeline(5, 2).verify(&forged));
    let draw = told.first("draw").seq;
    assert_eq!(
        found.seq,
        draw.next(),
        "the draw itself is an input: it is taken as it is"
    );
}

#[test]
fn a_log_of_another_system_is_refused_by_name() {
    let told = pipeline(5, 1).tell();
    let other = replaced(&told, |event| {
        if let Body::Kernel(KernelEvent::RunStarted(started)) = &mut event.body {
            started.system = "circus".into();
        }
    });
    pipeline(5, 1).prepare();
    match dacapo_kernel::verify::<Stage>(reader(&other), None) {
        Err(RunError::OtherSystem { expected, found }) => {
            assert_eq!((expected, found.as_str()), ("stage", "circus"));
        }
        _ => panic!("the log is of a circus"),
    }
    let empty = unclosed(&[]);
    let refused = dacapo_kernel::verify::<Stage>(reader(&empty), None);
    assert!(matches!(refused, Err(RunError::Plan(_))));
}

#[test]
fn a_damaged_log_is_an_error_and_not_a_difference() {
    let told = pipeline(5, 4).tell();
    let mut bytes = told.bytes.clone();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    pipeline(5, 4).prepare();
    let refused = dacapo_kernel::verify::<Stage>(reader(&bytes), None);
    assert!(matches!(
        refused,
        Err(RunError::Log(LogError::Damaged { .. }))
    ));
}

#[test]
fn an_asked_question_that_is_never_answered_waits_in_a_replay_too() {
    use dacapo_kernel::{Answer, Odds, Port, Provider, Time};
    struct Slow;
    impl Provider<Act> for Slow {
        fn answer(&mut self, _: Seq, _: &Act, _: Time, _: &mut Odds<'_>) -> Answer<Act> {
            Answer {
                after: ms(100_000),
                event: common::answered("too late"),
            }
        }
    }
    let told = Story::staged(|setup| {
        setup.provider(Port(0), "slow", |_| Ok(Slow)).unwrap();
        setup.host("main", |ctx| async move {
            ctx.call(Port(0), asked("?")).await;
        });
    })
    .with(|plan| plan.duration_ns = Some(1_000_000_000))
    .tell();
    assert_eq!(told.verdict(), &dacapo_kernel::Verdict::Complete);
    assert_eq!(told.outcome.world.calls.len(), 1);
}

/// A log of the same events with a change to some of them.
fn replaced(told: &Told, change: impl Fn(&mut Event<Act>)) -> Vec<u8> {
    rewritten(&told.events, |events| events.iter_mut().for_each(&change))
}

/// A closed log of changed events.
fn rewritten(events: &[Event<Act>], change: impl FnOnce(&mut Vec<Event<Act>>)) -> Vec<u8> {
    let mut events = events.to_vec();
    change(&mut events);
    let closed = written(&events).close().unwrap();
    let bytes = closed.storage.0;
    assert_eq!(events_of(&bytes), events);
    bytes
}

/// A log of these events that nobody closed.
fn unclosed(events: &[Event<Act>]) -> Vec<u8> {
    let storage = common::Shared::default();
    let kept = Rc::clone(&storage);
    let mut writer = write_all(storage, events);
    writer.sync().unwrap();
    kept.take().0
}

fn written(events: &[Event<Act>]) -> Writer<Memory> {
    write_all(Memory::default(), events)
}

fn write_all<T: Storage>(storage: T, events: &[Event<Act>]) -> Writer<T> {
    let template = pipeline(5, 1).record();
    let header = reader(&template.bytes).header().clone();
    let mut writer = Writer::create(storage, &header, SyncPolicy::Never).unwrap();
    for event in events {
        let kind = event.kind();
        let head = dacapo_kernel::log::Head {
            kind: kind.number,
            version: kind.version,
            flags: 0,
            time: event.time,
        };
        writer.append(head, |out| event.encode(out)).unwrap();
    }
    writer
}

#[test]
fn the_kinds_of_kernel_and_domain_have_numbers_of_their_own() {
    let table = dacapo_kernel::kind_table::<Act>();
    let numbers: std::collections::BTreeSet<u16> = table.iter().map(|kind| kind.kind).collect();
    assert_eq!(numbers.len(), table.len());
    assert!(
        KernelEvent::KINDS
            .iter()
            .all(|kind| kind.number < dacapo_kernel::FIRST_DOMAIN_KIND)
    );
    assert!(
        Act::KINDS
            .iter()
            .all(|kind| kind.number >= dacapo_kernel::FIRST_DOMAIN_KIND)
    );
}

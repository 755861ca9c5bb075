//! Forks: as recorded up to an event, another input there, and on from there; and a log that replays.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::rc::Rc;

use common::{
    Act, NoFiles, Shared, Stage, Story, Told, answered, arrived, asked, at_ms, events_of, ms,
    reader,
};
use dacapo_kernel::{
    Answer, Body, Change, Event, EventSet, Fault, FaultInjected, Fork, Forked, KernelEvent, Odds,
    Port, Provider, Recording, Reused, Run, Seq, Time, When,
};

/// Answers what was asked, later and later, with a number that is drawn; sometimes it is in a mood.
struct Oracle(u64);

impl Provider<Act> for Oracle {
    fn answer(&mut self, _: Seq, request: &Act, _: Time, odds: &mut Odds<'_>) -> Answer<Act> {
        let Act::Asked(request) = request else {
            panic!("only questions are asked")
        };
        self.0 += 1;
        let mood = odds
            .fault("mood")
            .map_or(String::new(), |n| format!(" mood {n}"));
        let drawn = odds.stream().below(1_000);
        Answer {
            after: ms(self.0),
            event: answered(&format!("{}: {drawn}{mood}", request.what)),
        }
    }
}

/// A reader of a feed and two askers on two hosts, in any order, with draws, faults and a crash.
fn busy() -> Story {
    Story::staged(|setup| {
        setup
            .provider(Port(0), "oracle", |_| Ok(Oracle(0)))
            .unwrap();
        let items = (0..20).map(|n| (at_ms(n * 7), arrived(&format!("item {n}"))));
        let inbox = setup.feed("feed", move |_| Ok(items)).unwrap();
        setup.host("reader", move |ctx| {
            let inbox = inbox.clone();
            async move {
                loop {
                    if let (_, Act::Arrived(item)) = inbox.recv(&ctx).await {
                        ctx.emit(format!("read {}", item.what));
                    }
                }
            }
        });
        setup.host("askers", |ctx| async move {
            for name in ["ann", "bob"] {
                let actor = ctx.actor(name);
                drop(ctx.spawn_daemon(name, async move {
                    for turn in 0..10u32 {
                        let answer = actor.call(Port(0), asked(&format!("{name} {turn}"))).await;
                        let Act::Answered(answer) = answer else {
                            return;
                        };
                        actor.emit(answer.what.clone());
                        // Whoever is told to stop asks nothing more.
                        if answer.what == "stop" {
                            return;
                        }
                        if let Some(value) = actor.fault("trip") {
                            actor.emit(format!("{name} trips {value}"));
                        }
                        actor.sleep(ms(1 + actor.random("pause", 9))).await;
                    }
                }));
            }
            ctx.sleep(ms(150)).await;
        });
    })
    .random()
    .seed(5)
    .with(|plan| plan.duration_ns = Some(200_000_000))
    .fault(Fault::CrashHost {
        host: "reader".to_owned(),
        when: When::Time(at_ms(60)),
        restart_after: Some(20_000_000),
    })
    .fault(Fault::Door {
        door: "mood".to_owned(),
        actor: None,
        per_mille: 300,
        least: 1,
        most: 9,
        until: None,
    })
    .fault(Fault::Door {
        door: "trip".to_owned(),
        actor: None,
        per_mille: 300,
        least: 1,
        most: 9,
        until: None,
    })
}

fn fork(story: &Story, bytes: &[u8], at: Seq, change: Change<Act>) -> (Told, Reused) {
    story.prepare();
    let recording = Rc::new(Recording::read(reader(bytes)).unwrap());
    let storage = Shared::default();
    let run = Run::<Stage>::new(&story.plan);
    let made = run.fork(
        &recording,
        Fork { at, change },
        &NoFiles,
        Some(Box::new(storage.clone())),
    );
    let Forked::Ended(outcome, reused) = made.unwrap() else {
        panic!("a fork of event {at} differs before it")
    };
    let bytes = storage.take().0;
    let told = Told {
        outcome: *outcome,
        events: events_of(&bytes),
        bytes,
    };
    told.hold_together(story);
    (told, reused)
}

fn is_input(event: &Event<Act>) -> bool {
    event.kind().role.is_input()
}

// Fails if a door of a fork gives anything else than the recording has, before the event or behind it.
#[test]
fn a_fork_that_changes_nothing_is_the_recording_to_the_last_byte() {
    let told = busy().record();
    let inputs: Vec<&Event<Act>> = told.events.iter().filter(|event| is_input(event)).collect();
    assert!(inputs.len() > 60, "{}", inputs.len());
    for event in inputs.into_iter().step_by(4) {
        let (same, reused) = fork(
            &busy(),
            &told.bytes,
            event.seq,
            Change::Says(event.body.clone()),
        );
        assert!(same.bytes == told.bytes, "a fork at {event:?} differs");
        assert_eq!(reused.answers_generated + reused.draws_generated, 0);
    }
}

// Fails if the change does not arrive, or anything before it is touched, or answers to the questions
// that are still asked get lost.
#[test]
fn another_answer_changes_what_follows_and_nothing_else() {
    let told = busy().record();
    let of = |text: &str| {
        let is = |event: &&Event<Act>| matches!(event.domain(), Some(Act::Answered(a)) if a.what.starts_with(text));
        told.events.iter().find(is).unwrap()
    };
    let third = of("ann 3:").seq;
    let says = Change::Says(Body::Domain(answered("stop")));
    let (forked, reused) = fork(&busy(), &told.bytes, third, says);
    let at = third.0 as usize;
    assert_eq!(forked.events[..at], told.events[..at]);
    assert_eq!(forked.events[at].domain(), Some(&answered("stop")));
    assert!(!forked.said().iter().any(|said| said.starts_with("ann 4")));
    let bobs = |told: &Told| -> Vec<String> {
        let said = told
            .said()
            .into_iter()
            .filter(|said| said.starts_with("bob") && !said.contains("trips"));
        said.map(str::to_owned).collect()
    };
    assert_eq!(bobs(&forked), bobs(&told), "bob is answered as recorded");
    assert!(
        reused.answers_recorded > 3 && reused.answers_generated == 0,
        "{reused:?}"
    );
    keeps_its_change(&forked);
}

/// A fork of a fork has the first change, although no plan and no seed knows of it.
fn keeps_its_change(forked: &Told) {
    let last = forked.events.iter().rfind(|event| is_input(event)).unwrap();
    let same = Change::Says(last.body.clone());
    let (again, _) = fork(&busy(), &forked.bytes, last.seq, same);
    assert!(again.bytes == forked.bytes);
}

// Fails if what is left out comes nevertheless, or takes others with it.
#[test]
fn what_is_left_out_does_not_come() {
    let told = busy().record();
    let mut kinds: Vec<&str> = Vec::new();
    for event in told.events.iter().filter(|event| is_input(event)) {
        let kind = event.kind().name;
        if kinds.contains(&kind)
            || ["run started", "draw", "choice", "host restarted"].contains(&kind)
        {
            continue;
        }
        kinds.push(kind);
        let (forked, _) = fork(&busy(), &told.bytes, event.seq, Change::LeftOut);
        let at = event.seq.0 as usize;
        assert_eq!(forked.events[..at], told.events[..at]);
        assert_ne!(forked.events[at].body, event.body, "{kind}");
        keeps_its_change(&forked);
        if kind == "arrived" {
            assert!(told.said().contains(&"read item 0"));
            assert!(!forked.said().contains(&"read item 0"));
            assert!(forked.said().contains(&"read item 1"));
        }
    }
    let expected = ["arrived", "answered", "fault injected", "host crashed"];
    assert!(
        expected.iter().all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
}

// Fails if a value of a fault, a draw or a choice is not taken, or a time.
#[test]
fn every_sort_of_input_can_be_another_one() {
    let told = busy().record();
    let mut seen: Vec<&str> = Vec::new();
    for event in &told.events {
        let changed: KernelEvent = match event.kernel() {
            Some(KernelEvent::Draw(draw)) => {
                let mut draw = draw.clone();
                draw.value = (draw.value + 1) % draw.bound;
                draw.into()
            }
            Some(KernelEvent::Choice(choice)) => {
                let mut choice = choice.clone();
                choice.index = (choice.index + 1) % choice.of;
                choice.into()
            }
            Some(KernelEvent::FaultInjected(fault)) => FaultInjected {
                value: 99,
                ..fault.clone()
            }
            .into(),
            _ => continue,
        };
        if seen
            .iter()
            .filter(|kind| **kind == event.kind().name)
            .count()
            == 3
        {
            continue;
        }
        seen.push(event.kind().name);
        let body = Body::Kernel(changed);
        let (forked, _) = fork(&busy(), &told.bytes, event.seq, Change::Says(body.clone()));
        assert_eq!(forked.events[event.seq.0 as usize].body, body);
        keeps_its_change(&forked);
    }
    assert!(seen.len() >= 7, "{seen:?}");
    let item = told.first("arrived");
    let later = item.time + ms(3);
    let (forked, _) = fork(&busy(), &told.bytes, item.seq, Change::Comes(later));
    let moved = forked.events.iter().find(|event| event.body == item.body);
    assert_eq!(moved.unwrap().time, later);
    let answer = told.first("answered");
    let later = answer.time + ms(30);
    let (forked, _) = fork(&busy(), &told.bytes, answer.seq, Change::Comes(later));
    let moved = forked.events.iter().find(|event| event.body == answer.body);
    assert_eq!(moved.unwrap().time, later);
}

// Fails if another program's log is continued as if it were this one's.
#[test]
fn a_program_that_differs_before_the_event_is_noticed() {
    let told = busy().record();
    let last = told
        .events
        .iter()
        .rev()
        .find(|event| is_input(event))
        .unwrap();
    let other = busy().seed(6);
    other.prepare();
    let recording = Rc::new(Recording::read(reader(&told.bytes)).unwrap());
    let fork = Fork {
        at: last.seq,
        change: Change::LeftOut,
    };
    let made = Run::<Stage>::new(&other.plan).fork(&recording, fork, &NoFiles, None);
    let Forked::Diverged(divergence) = made.unwrap() else {
        panic!("another seed makes another plan, which is the first event")
    };
    assert_eq!(divergence.seq, Seq(0));
    assert_eq!(Act::KINDS.len(), 4);
}

//! The outside: feeds, providers and calls, and that a replay asks none of them.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use common::{Act, Stage, Story, answered, arrived, asked, at_ms, ms};
use dacapo_kernel::{Answer, Fault, Odds, Port, Provider, Seq, Time, Verdict, Verified};

const DESK: Port = Port(3);

/// Answers after a drawn time, and counts how often it was asked.
struct Desk {
    slowest_ms: u64,
    asked: Rc<Cell<u32>>,
}

impl Provider<Act> for Desk {
    fn answer(&mut self, _: Seq, request: &Act, now: Time, odds: &mut Odds<'_>) -> Answer<Act> {
        let chance = odds.stream();
        self.asked.set(self.asked.get() + 1);
        let Act::Asked(asked) = request else {
            panic!("only what is asked is given to a provider");
        };
        Answer {
            after: ms(chance.below(self.slowest_ms) + 1),
            event: answered(&format!("{} (asked at {now})", asked.what)),
        }
    }
}

fn what_was_answered(act: &Act) -> &str {
    match act {
        Act::Answered(answered) => &answered.what,
        other => panic!("expected an answer, found {other:?}"),
    }
}

#[test]
fn items_arrive_at_their_times_and_in_their_order() {
    let told = Story::staged(|setup| {
        let early = [(at_ms(1), arrived("a1")), (at_ms(5), arrived("a5"))];
        let also = [(at_ms(5), arrived("b5")), (at_ms(2), arrived("b2, late"))];
        let early = setup.feed("early", |_| Ok(early.into_iter())).unwrap();
        let also = setup.feed("also", |_| Ok(also.into_iter())).unwrap();
        for (name, inbox) in [("listener a", early), ("listener b", also)] {
            setup.host(name, move |ctx| {
                let inbox = inbox.clone();
                async move {
                    for _ in 0..2 {
                        let (_, Act::Arrived(item)) = inbox.recv(&ctx).await else {
                            panic!("a feed gives what arrives");
                        };
                        ctx.emit(item.what);
                    }
                }
            });
        }
    })
    .tell();
    // At one instant the feed that was declared first comes first; an item whose time has
    // passed arrives now.
    assert_eq!(
        told.said_at(),
        [(1, "a1"), (5, "a5"), (5, "b5"), (5, "b2, late")]
    );
    let arrivals = told
        .events
        .iter()
        .filter(|event| event.kind().name == "arrived");
    assert!(arrivals.clone().all(|event| event.cause.is_none()));
    for arrival in arrivals {
        let effect = told
            .events
            .iter()
            .find(|event| event.cause == Some(arrival.seq));
        assert!(
            effect.is_some(),
            "what follows from an item names it as its cause"
        );
    }
}

#[test]
fn an_item_comes_before_the_timers_of_its_instant() {
    let told = Story::staged(|setup| {
        let items = [(at_ms(5), arrived("item"))].into_iter();
        let inbox = setup.feed("feed", |_| Ok(items)).unwrap();
        setup.host("sleeper", |ctx| async move {
            ctx.sleep(ms(5)).await;
            ctx.emit("slept");
        });
        setup.host("listener", move |ctx| {
            let inbox = inbox.clone();
            async move {
                inbox.recv(&ctx).await;
                ctx.emit("received");
            }
        });
    })
    .tell();
    assert_eq!(told.said_at(), [(5, "received"), (5, "slept")]);
}

#[test]
fn a_call_is_answered_in_the_task_that_made_it() {
    let told = Story::staged(|setup| {
        let desk = |_| {
            Ok(Desk {
                slowest_ms: 1,
                asked: Rc::default(),
            })
        };
        setup.provider(DESK, "desk", desk).unwrap();
        setup.host("main", |ctx| async move {
            let answer = ctx.call(DESK, asked("a")).await;
            ctx.emit(what_was_answered(&answer));
        });
    })
    .tell();
    assert_eq!(told.said_at(), [(1, "a (asked at 00:00:00.000)")]);
    let (call, answer) = (told.first("asked"), told.first("answered"));
    assert_eq!(answer.cause, Some(call.seq));
    assert_eq!(told.first("said").cause, Some(answer.seq));
    assert_eq!(told.outcome.world.actor_name(answer.actor), "desk");
}

#[test]
fn a_call_that_is_given_up_is_cancelled_and_its_answer_is_never_seen() {
    let told = Story::staged(|setup| {
        let desk = |_| {
            Ok(Desk {
                slowest_ms: 1,
                asked: Rc::default(),
            })
        };
        setup.provider(DESK, "desk", desk).unwrap();
        setup.host("main", |ctx| async move {
            let given_up = ctx.timeout(ms(1), ctx.call(DESK, asked("a"))).await;
            ctx.emit(format!("at the limit: {}", given_up.is_ok()));
            // Nothing is left to come: were the answer still on its way, time would move on.
            std::future::pending::<()>().await;
        });
    })
    .tell();
    assert_eq!(told.said_at(), [(1, "at the limit: false")]);
    let cancelled = told.first("call cancelled");
    assert_eq!(cancelled.time, at_ms(1));
    assert!(told.outcome.world.calls.is_empty());
    assert_eq!(told.verdict().name(), "stall");
}

#[test]
fn a_late_answer_to_a_call_that_was_given_up_moves_no_time() {
    let told = Story::staged(|setup| {
        let late = |_| {
            Ok(Desk {
                slowest_ms: 1_000,
                asked: Rc::default(),
            })
        };
        setup.provider(DESK, "desk", late).unwrap();
        setup.host("main", |ctx| async move {
            let call = ctx.call(DESK, asked("a"));
            ctx.timeout(Duration::from_nanos(1), call)
                .await
                .unwrap_err();
            std::future::pending::<()>().await;
        });
    })
    .tell();
    assert_eq!(told.outcome.world.now, Time::from_nanos(1));
    assert_eq!(told.verdict().name(), "stall");
}

#[test]
fn a_replay_opens_no_feed_makes_no_provider_and_asks_nobody() {
    let opened = Rc::new(Cell::new(0));
    let made = Rc::new(Cell::new(0));
    let asked_for = Rc::new(Cell::new(0));
    let counts = (Rc::clone(&opened), Rc::clone(&made), Rc::clone(&asked_for));
    let story = Story::staged(move |setup| {
        let (opened, made, asked_for) = counts.clone();
        let open = |_| {
            opened.set(opened.get() + 1);
            Ok((1..4).map(|n| (at_ms(n * 10), arrived("item"))))
        };
        let inbox = setup.feed("feed", open).unwrap();
        let make = |_| {
            made.set(made.get() + 1);
            Ok(Desk {
                slowest_ms: 5,
                asked: asked_for,
            })
        };
        setup.provider(DESK, "desk", make).unwrap();
        setup.host("main", move |ctx| {
            let inbox = inbox.clone();
            async move {
                for _ in 0..3 {
                    inbox.recv(&ctx).await;
                    let answer = ctx.call(DESK, asked("?")).await;
                    ctx.emit(what_was_answered(&answer));
                }
            }
        });
    });
    let told = story.record();
    assert_eq!((opened.get(), made.get(), asked_for.get()), (1, 1, 3));
    assert!(matches!(story.verify(&told.bytes), Verified::Same(_)));
    assert_eq!((opened.get(), made.get(), asked_for.get()), (1, 1, 3));
    story.tell();
}

#[test]
fn a_call_at_a_port_that_nobody_registered_is_a_panic_of_its_task() {
    let told = Story::of(|ctx| async move {
        ctx.call(DESK, asked("anybody?")).await;
    })
    .tell();
    match told.verdict() {
        Verdict::Panic(panic) => assert!(panic.message.contains("port 3"), "{panic:?}"),
        other => panic!("expected a panic, found {other}"),
    }
}

#[test]
fn what_goes_into_a_door_is_in_the_log() {
    let story = |per_mille: u32| {
        let story = Story::of(|ctx| async move {
            let other = ctx.actor("somebody else");
            let mut open = 0;
            for n in 0..200 {
                // Which of the questions was answered yes must be the same in a replay, even
                // where several are asked between two events.
                other.buggify("cellar door");
                if ctx.buggify("cellar door") {
                    open += 1;
                    ctx.emit(format!("at {n}"));
                }
            }
            ctx.emit(format!("{open}"));
        });
        let door = Fault::Door {
            door: "cellar door".to_owned(),
            actor: None,
            per_mille,
            least: 0,
            most: 0,
            until: None,
        };
        story.fault(door).tell()
    };
    assert_eq!(story(0).said(), ["0"]);
    assert_eq!(story(1000).said().last(), Some(&"200"));
    let now_and_then = story(250);
    let open: usize = now_and_then.said().last().unwrap().parse().unwrap();
    assert!((20..80).contains(&open), "{open}");
    assert!(now_and_then.count("fault injected") > open);
}

/// The draws of an actor in a run.
fn draws_of(told: &common::Told, actor: &str) -> Vec<u64> {
    told.events
        .iter()
        .filter(|event| told.outcome.world.actor_name(event.actor) == actor)
        .filter_map(|event| match event.kernel() {
            Some(dacapo_kernel::KernelEvent::Draw(draw)) => Some(draw.value),
            _ => None,
        })
        .collect()
}

fn gamblers(names: &'static [&'static str]) -> Story {
    Story::staged(move |setup| {
        for name in names {
            setup.host(*name, |ctx: dacapo_kernel::Ctx<Stage>| async move {
                for _ in 0..10 {
                    ctx.random("dice", 1 << 40);
                    ctx.random_unit("luck");
                    ctx.sleep(ms(1)).await;
                }
            });
        }
    })
}

#[test]
fn a_new_actor_changes_nobody_elses_draws() {
    let two = gamblers(&["ann", "bob"]).tell();
    let three = gamblers(&["zoe", "ann", "bob"]).tell();
    for actor in ["ann", "bob"] {
        assert_eq!(draws_of(&two, actor).len(), 20);
        assert_eq!(draws_of(&two, actor), draws_of(&three, actor));
    }
    assert_ne!(draws_of(&two, "ann"), draws_of(&two, "bob"));
    let other_seed = gamblers(&["ann", "bob"]).seed(2).tell();
    assert_ne!(draws_of(&two, "ann"), draws_of(&other_seed, "ann"));
    let other_order = gamblers(&["ann", "bob"]).random().tell();
    assert_eq!(draws_of(&two, "ann"), draws_of(&other_order, "ann"));
}

#[test]
fn a_random_schedule_differs_by_seed_and_is_followed_without_a_scheduler() {
    let story = |seed| gamblers(&["ann", "bob", "cid"]).seed(seed).random();
    let told = story(1).tell();
    let indexes = |told: &common::Told| -> Vec<u32> {
        let kernel = told.events.iter().filter_map(|event| event.kernel());
        kernel
            .filter_map(|event| match event {
                dacapo_kernel::KernelEvent::Choice(choice) => Some(choice.index),
                _ => None,
            })
            .collect()
    };
    assert!(indexes(&told).iter().any(|index| *index > 0));
    let others = (2..8).map(|seed| indexes(&story(seed).tell()));
    assert!(others.into_iter().any(|other| other != indexes(&told)));
    // The log alone decides: a story with another scheduler follows it all the same, because
    // its plan comes from the log and its choices too.
    assert!(matches!(
        gamblers(&["ann", "bob", "cid"]).verify(&told.bytes),
        Verified::Same(_)
    ));
}

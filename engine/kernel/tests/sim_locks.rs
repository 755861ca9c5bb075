//! Waiting for each other: locks, semaphores, channels, and the cycles that waits can close.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use common::{Act, Stage, Story, Told, ms};
use dacapo_kernel::{
    Ctx, Event, KernelEvent, Lock, NoDeadlock, Semaphore, SendError, Verdict, channel,
};

/// Takes a lock, says so, holds it for a while.
async fn hold(ctx: Ctx<Stage>, lock: Lock<Stage>, millis: u64, who: &'static str) {
    let _held = lock.acquire().await;
    ctx.emit(who);
    ctx.sleep(ms(millis)).await;
}

/// Takes two locks one after the other, with some time in between.
async fn take_both(ctx: Ctx<Stage>, first: Lock<Stage>, second: Lock<Stage>) {
    let _first = first.acquire().await;
    ctx.sleep(ms(1)).await;
    let _second = second.acquire().await;
    ctx.emit("has both");
}

fn kernel_events(told: &Told) -> impl Iterator<Item = &KernelEvent> {
    told.events.iter().filter_map(Event::kernel)
}

fn cycles(told: &Told) -> Vec<String> {
    kernel_events(told)
        .filter_map(|event| match event {
            KernelEvent::CycleClosed(closed) => Some(closed.cycle.to_string()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_free_lock_neither_yields_nor_leaves_a_trace() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        let other = ctx.clone();
        ctx.spawn("other", async move {
            other.emit("other");
        });
        for _ in 0..3 {
            let held = lock.acquire().await;
            assert!(lock.is_held_by_me());
            drop(held);
            assert!(!lock.is_held_by_me());
        }
        ctx.emit("main");
    })
    .tell();
    assert_eq!(told.said(), ["main", "other"]);
    assert!(!told.kinds().iter().any(|kind| kind.starts_with("lock")));
}

#[test]
fn a_lock_is_handed_on_first_come_first_served() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        for who in ["a", "b", "c"] {
            ctx.spawn(who, hold(ctx.clone(), lock.clone(), 10, who));
        }
        ctx.sleep(ms(1)).await;
        // Whoever asks later gets it later, even if it asks at the instant of the release.
        ctx.sleep(ms(9)).await;
        hold(ctx.clone(), lock, 0, "late").await;
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(0, "a"), (10, "b"), (20, "c"), (30, "late")]
    );
    assert_eq!(told.count("lock blocked"), 3);
    assert_eq!(told.count("lock granted"), 3);
    assert!(told.outcome.world.contended.is_empty());
}

#[test]
fn a_wait_that_is_given_up_leaves_the_line() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        ctx.spawn("holder", hold(ctx.clone(), lock.clone(), 20, "holder"));
        ctx.yield_now().await;
        let (voice, its) = (ctx.clone(), lock.clone());
        ctx.spawn("impatient", async move {
            let given = voice.timeout(ms(5), its.acquire()).await;
            voice.emit(format!("impatient: {}", given.is_ok()));
        });
        ctx.yield_now().await;
        ctx.spawn("patient", hold(ctx.clone(), lock, 0, "patient"));
    })
    .tell();
    let expected = [(0, "holder"), (5, "impatient: false"), (20, "patient")];
    assert_eq!(told.said_at(), expected);
    assert_eq!(told.count("lock abandoned"), 1);
    assert_eq!(told.count("lock granted"), 1);
}

#[test]
fn a_lock_that_came_too_late_is_handed_on() {
    // The lock is granted and the limit reached at the same instant: the limit wins, and the
    // lock must not be lost with the wait.
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        ctx.spawn("holder", hold(ctx.clone(), lock.clone(), 5, "holder"));
        ctx.yield_now().await;
        let (voice, its) = (ctx.clone(), lock.clone());
        ctx.spawn("unlucky", async move {
            let given = voice.timeout(ms(5), its.acquire()).await;
            voice.emit(format!("unlucky: {}", given.is_ok()));
        });
        ctx.yield_now().await;
        ctx.spawn("next", hold(ctx.clone(), lock, 0, "next"));
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(0, "holder"), (5, "unlucky: false"), (5, "next")]
    );
    assert_eq!(told.count("lock granted"), 2);
}

#[test]
fn a_task_that_takes_its_own_lock_again_is_reported_at_the_event_that_closes_the_circle() {
    let told = Story::of(|ctx| async move {
        let voice = ctx.clone();
        ctx.spawn("ticker", async move {
            loop {
                voice.sleep(ms(10)).await;
                voice.emit("tick");
            }
        });
        let lock = Lock::new(&ctx, "state");
        let _held = lock.acquire().await;
        ctx.sleep(ms(25)).await;
        let _again = lock.acquire().await;
        ctx.emit("never");
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(10, "tick"), (20, "tick")],
        "the run ends, the timer would not"
    );
    let end: Vec<_> = told.kinds().into_iter().rev().take(3).collect();
    assert_eq!(end, ["run ended", "cycle closed", "lock blocked"]);
    match told.verdict() {
        Verdict::Deadlock(cycle) => {
            assert_eq!(cycle.links.len(), 1);
            let circle = "main (t0) ─waits for→ state ─held by→ main (t0)";
            assert_eq!(cycle.to_string(), circle);
        }
        other => panic!("expected a deadlock, found {other}"),
    }
}

#[test]
fn two_locks_taken_in_opposite_order_are_a_deadlock() {
    let story = |same_order: bool| {
        Story::of(move |ctx| async move {
            let (a, b) = (Lock::new(&ctx, "a"), Lock::new(&ctx, "b"));
            ctx.spawn("left", take_both(ctx.clone(), a.clone(), b.clone()));
            let (first, second) = if same_order { (a, b) } else { (b, a) };
            ctx.spawn("right", take_both(ctx.clone(), first, second));
        })
        .invariants(|| vec![Box::new(NoDeadlock)])
    };
    let broken = story(false).tell();
    let circle = "right (t2) ─waits for→ a ─held by→ left (t1); \
                  left (t1) ─waits for→ b ─held by→ right (t2)";
    assert_eq!(cycles(&broken), [circle]);
    assert_eq!(broken.verdict().name(), "deadlock");
    assert!(matches!(
        broken.outcome.findings[0].finding,
        dacapo_kernel::Finding::Violated { at: Some(at), .. } if at == broken.first("cycle closed").seq
    ));
    let sound = story(true).tell();
    assert_eq!(sound.said(), ["has both", "has both"]);
    assert_eq!(sound.verdict(), &Verdict::Complete);
    assert_eq!(
        sound.outcome.findings[0].finding,
        dacapo_kernel::Finding::Held
    );
}

#[test]
fn a_join_can_be_part_of_the_circle() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        let _held = lock.acquire().await;
        let child = ctx.spawn("child", hold(ctx.clone(), lock.clone(), 0, "never"));
        child.join().await.unwrap();
    })
    .tell();
    let circle = "child (t1) ─waits for→ lock ─held by→ main (t0); \
                  main (t0) ─waits for the end of→ child (t1)";
    assert_eq!(cycles(&told), [circle]);
    assert_eq!(told.verdict().name(), "deadlock");
}

#[test]
fn a_circle_that_a_timeout_breaks_is_recorded_and_the_run_goes_on() {
    let told = Story::of(|ctx| async move {
        let (a, b) = (Lock::new(&ctx, "a"), Lock::new(&ctx, "b"));
        let (voice, first, second) = (ctx.clone(), b.clone(), a.clone());
        let careful = ctx.spawn("careful", async move {
            let _first = first.acquire().await;
            voice.sleep(ms(1)).await;
            let given = voice.timeout(ms(10), second.acquire()).await;
            voice.emit(format!("careful: {}", given.is_ok()));
        });
        take_both(ctx.clone(), a, b).await;
        careful.join().await.unwrap();
    })
    .tell();
    assert_eq!(told.said_at(), [(11, "careful: false"), (11, "has both")]);
    assert_eq!(told.verdict(), &Verdict::Complete);
    assert_eq!(told.count("cycle closed"), 1);
    let closed = told.first("cycle closed");
    let broken = told.first("cycle broken");
    assert_eq!(broken.cause, Some(closed.seq));
    match (closed.kernel(), broken.kernel()) {
        (Some(KernelEvent::CycleClosed(closed)), Some(KernelEvent::CycleBroken(broken))) => {
            assert!(closed.cycle.breakable);
            assert_eq!(broken.by, dacapo_kernel::TaskId(1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(told.outcome.world.cycles.len(), 1, "it stays in the state");
}

#[test]
fn a_semaphore_with_one_holder_who_can_go_on_is_no_circle() {
    let told = Story::of(|ctx| async move {
        let two = Semaphore::new(&ctx, "two", 2);
        let (voice, its) = (ctx.clone(), two.clone());
        ctx.spawn("free", async move {
            let _permit = its.acquire().await;
            voice.sleep(ms(10)).await;
        });
        ctx.yield_now().await;
        let _one = two.acquire().await;
        assert_eq!(two.holders().len(), 2);
        let _other = two.acquire().await;
        ctx.emit("has two");
    })
    .tell();
    assert_eq!(told.said_at(), [(10, "has two")]);
    assert_eq!(told.count("cycle closed"), 0);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn a_semaphore_whose_holders_all_wait_for_it_is_a_circle() {
    let told = Story::of(|ctx| async move {
        let two = Semaphore::new(&ctx, "two", 2);
        for who in ["left", "right"] {
            let (voice, its) = (ctx.clone(), two.clone());
            ctx.spawn(who, async move {
                let _one = its.acquire().await;
                voice.sleep(ms(1)).await;
                let _two = its.acquire().await;
            });
        }
    })
    .tell();
    assert_eq!(cycles(&told).len(), 1);
    assert_eq!(told.verdict().name(), "deadlock");
}

#[test]
fn a_permit_that_another_task_gives_back_goes_to_whoever_waits() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        let permit = lock.acquire().await;
        let voice = ctx.clone();
        ctx.spawn("carrier", async move {
            voice.sleep(ms(5)).await;
            drop(permit);
        });
        ctx.spawn("waiter", hold(ctx.clone(), lock, 0, "waiter"));
    })
    .tell();
    assert_eq!(told.said_at(), [(5, "waiter")]);
}

#[test]
fn a_full_channel_makes_its_sender_wait_for_room() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = channel(&ctx, "narrow", 1);
        let voice = ctx.clone();
        ctx.spawn("sender", async move {
            for n in 0..3 {
                sender.send(n).await.unwrap();
                voice.emit(format!("sent {n}"));
            }
            assert_eq!(sender.try_send(3), Err(SendError::Full(3)));
        });
        ctx.sleep(ms(1)).await;
        while let Some(n) = receiver.recv().await {
            ctx.emit(format!("received {n}"));
            ctx.sleep(ms(1)).await;
        }
        ctx.emit("closed");
    })
    .tell();
    let expected = [
        (0, "sent 0"),
        (1, "received 0"),
        (1, "sent 1"),
        (2, "received 1"),
        (2, "sent 2"),
        (3, "received 2"),
        (4, "closed"),
    ];
    assert_eq!(told.said_at(), expected);
}

#[test]
fn a_sender_that_gives_up_in_the_line_does_not_keep_the_next_one_waiting() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = channel(&ctx, "narrow", 1);
        sender.try_send("filler").unwrap();
        let (voice, first) = (ctx.clone(), sender.clone());
        ctx.spawn("first", async move {
            let sent = voice.timeout(ms(5), first.send("first")).await;
            voice.emit(format!("first: {}", sent.is_ok()));
        });
        let second = sender.clone();
        ctx.spawn(
            "second",
            async move { second.send("second").await.unwrap() },
        );
        drop(sender);
        ctx.sleep(ms(10)).await;
        while let Some(what) = receiver.recv().await {
            ctx.emit(what);
        }
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(5, "first: false"), (10, "filler"), (10, "second")]
    );
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn a_sender_that_was_woken_and_then_aborted_wakes_the_next_one() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = channel(&ctx, "narrow", 1);
        sender.try_send("filler").unwrap();
        let first = sender.clone();
        let first = ctx.spawn("first", async move { first.send("first").await });
        let second = sender.clone();
        ctx.spawn(
            "second",
            async move { second.send("second").await.unwrap() },
        );
        drop(sender);
        ctx.sleep(ms(1)).await;
        // Taking the filler wakes the first sender; it never gets to run.
        ctx.emit(receiver.recv().await.unwrap());
        first.abort();
        ctx.emit(receiver.recv().await.unwrap());
    })
    .tell();
    assert_eq!(told.said(), ["filler", "second"]);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn a_channel_without_its_receiver_refuses_messages() {
    let told = Story::of(|ctx| async move {
        let (sender, receiver) = channel::<Stage, _>(&ctx, "post", 1);
        sender.try_send(1).unwrap();
        let voice = ctx.clone();
        ctx.spawn("sender", async move {
            voice.emit(format!("{:?}", sender.send(2).await));
            voice.emit(format!("{:?}", sender.try_send(3)));
        });
        ctx.sleep(ms(1)).await;
        drop(receiver);
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(1, "Err(Closed(2))"), (1, "Err(Closed(3))")]
    );
}

#[test]
fn what_follows_a_message_follows_from_what_its_sender_did() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = channel(&ctx, "post", 1);
        let voice = ctx.clone();
        ctx.spawn("receiver", async move {
            receiver.recv().await;
            voice.emit("effect");
        });
        ctx.sleep(ms(1)).await;
        ctx.emit("cause");
        sender.try_send(()).unwrap();
        ctx.emit("something else");
    })
    .tell();
    let place = |what: &str| {
        let found = told
            .events
            .iter()
            .find(|event| matches!(event.domain(), Some(Act::Said(said)) if said.what == what));
        found.unwrap()
    };
    assert_eq!(place("effect").cause, Some(place("cause").seq));
}

//! Who runs when: the order of tasks and timers, and how tasks end.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::time::Duration;

use common::{Stage, Story, ms};
use dacapo_kernel::{Ctx, JoinError, KernelEvent, TaskEnding, Verdict};

/// Says a word, some time later.
async fn say_after(ctx: Ctx<Stage>, millis: u64, what: &'static str) {
    ctx.sleep(ms(millis)).await;
    ctx.emit(what);
}

#[test]
fn tasks_run_in_the_order_in_which_they_became_ready() {
    let told = Story::of(|ctx| async move {
        for name in ["a", "b", "c"] {
            let voice = ctx.clone();
            ctx.spawn(name, async move {
                voice.emit(format!("{name} begins"));
                voice.yield_now().await;
                voice.emit(format!("{name} goes on"));
            });
        }
        ctx.emit("main ends");
    })
    .tell();
    let begun = ["main ends", "a begins", "b begins", "c begins"];
    let gone_on = ["a goes on", "b goes on", "c goes on"];
    assert_eq!(told.said(), [&begun[..], &gone_on].concat());
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn timers_fire_by_deadline_and_then_in_the_order_in_which_they_were_set() {
    let told = Story::of(|ctx| async move {
        for (millis, what) in [
            (2, "2 first"),
            (1, "1 first"),
            (2, "2 second"),
            (1, "1 second"),
        ] {
            ctx.spawn(what, say_after(ctx.clone(), millis, what));
        }
    })
    .tell();
    let expected = [
        (1, "1 first"),
        (1, "1 second"),
        (2, "2 first"),
        (2, "2 second"),
    ];
    assert_eq!(told.said_at(), expected);
}

#[test]
fn a_timer_fires_only_when_nobody_can_run() {
    let told = Story::of(|ctx| async move {
        ctx.spawn("sleeper", say_after(ctx.clone(), 0, "the timer fired"));
        for step in 0..3 {
            ctx.yield_now().await;
            ctx.emit(format!("step {step}"));
        }
    })
    .tell();
    assert_eq!(
        told.said(),
        ["step 0", "step 1", "step 2", "the timer fired"]
    );
}

#[test]
fn everybody_who_is_due_at_an_instant_wakes_before_what_follows_from_any_of_them() {
    let told = Story::of(|ctx| async move {
        for name in ["a", "b"] {
            let voice = ctx.clone();
            ctx.spawn(name, async move {
                voice.sleep(ms(1)).await;
                voice.emit(format!("{name} wakes"));
                voice.yield_now().await;
                voice.emit(format!("{name} goes on"));
            });
        }
    })
    .tell();
    assert_eq!(
        told.said(),
        ["a wakes", "b wakes", "a goes on", "b goes on"]
    );
}

#[test]
fn a_sleep_of_no_time_lets_everybody_else_go_first() {
    let told = Story::of(|ctx| async move {
        let other = ctx.clone();
        ctx.spawn("other", async move {
            other.emit("other 1");
            other.yield_now().await;
            other.emit("other 2");
        });
        ctx.emit("before");
        ctx.sleep(Duration::ZERO).await;
        ctx.emit("after");
    })
    .tell();
    assert_eq!(told.said(), ["before", "other 1", "other 2", "after"]);
    assert_eq!(told.outcome.world.now, dacapo_kernel::Time::ZERO);
}

#[test]
fn a_timeout_beats_a_completion_at_the_same_instant() {
    let told = Story::of(|ctx| async move {
        // The sleep was set first and fires first; the limit is reached all the same.
        let (sender, mut receiver) = dacapo_kernel::channel(&ctx, "post", 1);
        let other = ctx.clone();
        ctx.spawn("sender", async move {
            other.sleep(ms(5)).await;
            sender.try_send(()).unwrap();
        });
        ctx.yield_now().await;
        let late = ctx.timeout(ms(5), receiver.recv()).await;
        ctx.emit(format!("at the limit: {}", late.is_ok()));
        let (sender, mut receiver) = dacapo_kernel::channel(&ctx, "post", 1);
        let other = ctx.clone();
        ctx.spawn("sender", async move {
            other.sleep(ms(4)).await;
            sender.try_send(()).unwrap();
        });
        let early = ctx.timeout(ms(5), receiver.recv()).await;
        ctx.emit(format!("before the limit: {}", early.is_ok()));
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(5, "at the limit: false"), (9, "before the limit: true")]
    );
}

#[test]
fn a_choice_is_logged_only_where_there_is_one() {
    let alone = Story::of(|ctx| async move {
        for _ in 0..5 {
            ctx.yield_now().await;
        }
    });
    assert_eq!(alone.tell().count("choice"), 0);
    let two = Story::of(|ctx| async move {
        let other = ctx.clone();
        ctx.spawn("other", async move { other.yield_now().await });
        ctx.yield_now().await;
    });
    assert_eq!(two.tell().count("choice"), 2);
}

#[test]
fn a_task_that_was_aborted_in_the_queue_is_no_choice() {
    let told = Story::of(|ctx| async move {
        let other = ctx.clone();
        let gone = ctx.spawn("gone", async move {
            other.emit("never");
        });
        gone.abort();
        ctx.yield_now().await;
    })
    .tell();
    assert_eq!(told.count("choice"), 0, "{:?}", told.kinds());
    assert!(told.said().is_empty());
}

#[test]
fn a_join_gives_what_the_task_returned() {
    let told = Story::of(|ctx| async move {
        let other = ctx.clone();
        let slow = ctx.spawn("slow", async move {
            other.sleep(ms(3)).await;
            7
        });
        let fast = ctx.spawn("fast", async { 8 });
        ctx.emit(format!("slow {:?}", slow.join().await));
        ctx.emit(format!("fast {:?}", fast.join().await));
    })
    .tell();
    assert_eq!(told.said_at(), [(3, "slow Ok(7)"), (3, "fast Ok(8)")]);
    assert_eq!(
        told.count("join blocked"),
        1,
        "an end that has come is not waited for"
    );
}

#[test]
fn a_panic_that_a_join_sees_is_an_error_and_the_run_goes_on() {
    let told = Story::of(|ctx| async move {
        let bad = ctx.spawn("bad", async { panic!("the roof is on fire") });
        let seen: Result<(), JoinError> = bad.join().await;
        ctx.emit(format!("{seen:?}"));
    })
    .tell();
    assert_eq!(told.said(), [r#"Err(Panicked("the roof is on fire"))"#]);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn a_panic_that_nobody_sees_ends_the_run() {
    let dropped_before = Story::of(|ctx| async move {
        ctx.spawn("bad", async { panic!("unseen") });
        ctx.sleep(ms(1)).await;
        ctx.emit("never");
    });
    let dropped_after = Story::of(|ctx| async move {
        let bad = ctx.spawn("bad", async { panic!("unseen") });
        ctx.sleep(ms(1)).await;
        ctx.emit("the handle is still there");
        drop(bad);
        ctx.emit("never");
    });
    let main_task = Story::of(|_| async { panic!("unseen") });
    for (story, name) in [
        (dropped_before, "bad"),
        (dropped_after, "bad"),
        (main_task, "main"),
    ] {
        let told = story.tell();
        assert!(!told.said().contains(&"never"));
        match told.verdict() {
            Verdict::Panic(panic) => {
                assert_eq!(
                    (panic.name.as_str(), panic.message.as_str()),
                    (name, "unseen")
                );
            }
            other => panic!("expected a panic, found {other}"),
        }
    }
}

#[test]
fn the_guards_of_an_aborted_task_are_released() {
    let told = Story::of(|ctx| async move {
        let lock = dacapo_kernel::Lock::new(&ctx, "lock");
        let (voice, its) = (ctx.clone(), lock.clone());
        let holder = ctx.spawn("holder", async move {
            let _held = its.acquire().await;
            voice.sleep(ms(1_000)).await;
            voice.emit("never");
        });
        ctx.sleep(ms(1)).await;
        let (voice, its) = (ctx.clone(), lock.clone());
        let waiter = ctx.spawn("waiter", async move {
            let _held = its.acquire().await;
            voice.emit("the waiter has it");
        });
        ctx.sleep(ms(1)).await;
        holder.abort();
        ctx.emit(format!("aborted: {}", holder.is_finished()));
        ctx.emit(format!("{:?}", holder.join().await));
        waiter.join().await.unwrap();
    })
    .tell();
    let expected = [
        (2, "aborted: true"),
        (2, "Err(Aborted)"),
        (2, "the waiter has it"),
    ];
    assert_eq!(told.said_at(), expected);
    assert_eq!(told.count("lock granted"), 1);
}

#[test]
fn a_task_that_aborts_itself_ends_where_it_next_waits() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = dacapo_kernel::channel(&ctx, "own handle", 1);
        let voice = ctx.clone();
        let handle = ctx.spawn("lemming", async move {
            let handle: dacapo_kernel::JoinHandle<Stage, ()> = receiver.recv().await.unwrap();
            handle.abort();
            voice.emit("still here");
            voice.yield_now().await;
            voice.emit("never");
        });
        assert!(sender.try_send(handle).is_ok());
        ctx.sleep(ms(1)).await;
        ctx.emit("main ends");
    })
    .tell();
    assert_eq!(told.said(), ["still here", "main ends"]);
    let ended = |event: &KernelEvent| matches!(event, KernelEvent::TaskEnded(ended) if ended.ending == TaskEnding::Aborted);
    assert_eq!(
        told.events
            .iter()
            .filter_map(|e| e.kernel())
            .filter(|e| ended(e))
            .count(),
        1
    );
}

#[test]
fn handles_that_go_before_and_after_the_end_leave_each_place_free_once() {
    // A place in the table that were given out twice would mix two tasks up.
    let told = Story::of(|ctx| async move {
        for round in 0..20 {
            let quick = ctx.spawn("quick", async {});
            drop(ctx.spawn("detached", async {}));
            let other = ctx.clone();
            let parent = ctx.spawn("parent", async move {
                let inner = other.clone();
                let _child = other.spawn("child", async move { inner.sleep(ms(1_000)).await });
                other.sleep(ms(1_000)).await;
            });
            ctx.yield_now().await;
            ctx.yield_now().await;
            parent.abort();
            drop(parent);
            drop(quick);
            let workers: Vec<_> = (0..3)
                .map(|n| {
                    let voice = ctx.clone();
                    ctx.spawn(format!("worker {n}"), async move {
                        voice.yield_now().await;
                        (round, n)
                    })
                })
                .collect();
            for (n, worker) in workers.into_iter().enumerate() {
                assert_eq!(worker.join().await, Ok((round, n)));
            }
        }
        ctx.emit("all as they should be");
    })
    .with(|plan| plan.duration_ns = Some(500_000_000))
    .tell();
    assert_eq!(told.said(), ["all as they should be"]);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn daemons_do_not_keep_a_run_alive() {
    let told = Story::of(|ctx| async move {
        let voice = ctx.clone();
        ctx.spawn_daemon("ticker", async move {
            loop {
                voice.sleep(ms(10)).await;
                voice.emit("tick");
            }
        });
        ctx.sleep(ms(25)).await;
    })
    .tell();
    assert_eq!(told.said_at(), [(10, "tick"), (20, "tick")]);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn code_that_runs_while_the_run_is_taken_apart_leaves_no_trace() {
    struct Loud(Ctx<Stage>);
    impl Drop for Loud {
        fn drop(&mut self) {
            self.0.emit("somebody drops me");
            self.0.spawn("a late child", async {});
        }
    }
    let told = Story::of(|ctx| async move {
        let voice = ctx.clone();
        ctx.spawn_daemon("daemon", async move {
            let _loud = Loud(voice.clone());
            let _louder = Loud(voice.clone());
            voice.sleep(ms(1_000)).await;
        });
        ctx.sleep(ms(1)).await;
    })
    .tell();
    assert!(told.said().is_empty());
}

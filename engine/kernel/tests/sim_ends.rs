//! How runs end: budgets, stalls, livelocks, durations, and runs that are interrupted.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::time::Duration;

use common::{NoFiles, Shared, Stage, Story, arrived, at_ms, ms};
use dacapo_kernel::log::SyncPolicy;
use dacapo_kernel::{Budget, Lock, Notify, Run, Time, Verdict, channel};

/// One task that says something every millisecond, for ever.
fn chatter() -> Story {
    Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.sleep(ms(1)).await;
        }
    })
}

#[test]
fn a_run_is_complete_when_its_time_is_over() {
    let told = chatter()
        .with(|plan| plan.duration_ns = Some(5_500_000))
        .tell();
    assert_eq!(told.verdict(), &Verdict::Complete);
    assert_eq!(told.said().len(), 6);
    assert_eq!(told.outcome.world.now, Time::from_micros(5_500));
}

#[test]
fn events_are_bounded() {
    let told = chatter().with(|plan| plan.budgets.events = 20).tell();
    assert_eq!(told.verdict(), &Verdict::Exhausted(Budget::Events(20)));
    assert_eq!(told.events.len(), 21, "the verdict itself comes on top");
}

#[test]
fn virtual_time_is_bounded() {
    let told = Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.sleep(ms(700)).await;
        }
    })
    .with(|plan| plan.budgets.virtual_seconds = 2)
    .tell();
    assert_eq!(
        told.verdict(),
        &Verdict::Exhausted(Budget::Time(2_000_000_000))
    );
    assert_eq!(told.said().len(), 3);
}

#[test]
fn events_at_one_instant_are_bounded() {
    let bounded = |story: Story| story.with(|plan| plan.budgets.events_at_one_instant = 30);
    let exhausted = Verdict::Exhausted(Budget::EventsAtOneInstant(30));
    let yielding = bounded(Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.yield_now().await;
        }
    }));
    assert_eq!(yielding.tell().verdict(), &exhausted);
    let elsewhen = bounded(Story::of(|ctx| async move {
        for _ in 0..50 {
            ctx.emit("on");
            ctx.sleep(ms(1)).await;
        }
    }));
    assert_eq!(elsewhen.tell().verdict(), &Verdict::Complete);
}

#[test]
fn a_task_that_never_waits_is_stopped_in_the_middle() {
    let told = Story::of(|ctx| async move {
        loop {
            ctx.emit("on and on");
        }
    })
    .with(|plan| plan.budgets.events = 50)
    .tell();
    assert_eq!(told.verdict(), &Verdict::Exhausted(Budget::Events(50)));
}

#[test]
fn steps_that_leave_no_trace_are_bounded_too() {
    let told = Story::of(|ctx| async move {
        loop {
            ctx.yield_now().await;
        }
    })
    .with(|plan| plan.budgets.events_at_one_instant = 30)
    .tell();
    assert_eq!(
        told.verdict(),
        &Verdict::Exhausted(Budget::EventsAtOneInstant(30))
    );
}

#[test]
fn tasks_are_bounded() {
    let told = Story::of(|ctx| async move {
        for n in 0..20 {
            let voice = ctx.clone();
            ctx.spawn(
                format!("child {n}"),
                async move { voice.sleep(ms(1)).await },
            );
        }
    })
    .with(|plan| plan.budgets.tasks = 10)
    .tell();
    assert_eq!(told.verdict(), &Verdict::Exhausted(Budget::Tasks(10)));
}

#[test]
fn what_waits_in_an_inbox_is_bounded() {
    let told = Story::staged(|setup| {
        let items = (0..20).map(|n| (at_ms(n), arrived("item")));
        let inbox = setup.feed("feed", |_| Ok(items)).unwrap();
        setup.host("main", move |ctx| {
            let inbox = inbox.clone();
            async move {
                ctx.sleep(Duration::from_secs(1)).await;
                inbox.recv(&ctx).await;
            }
        });
    })
    .with(|plan| plan.budgets.queue = 10)
    .tell();
    assert_eq!(told.verdict(), &Verdict::Exhausted(Budget::Queue(10)));
}

#[test]
fn a_stall_lists_who_waits_for_what() {
    let told = Story::of(|ctx| async move {
        let (sender, mut receiver) = channel::<Stage, ()>(&ctx, "post", 1);
        let child = ctx.spawn("child", async move { receiver.recv().await });
        ctx.spawn("parent", async move { drop(child.join().await) });
        let lock = Lock::new(&ctx, "lock");
        let holder = lock.clone();
        ctx.spawn("holder", async move {
            let _held = holder.acquire().await;
            let () = std::future::pending().await;
            drop(sender);
        });
        ctx.yield_now().await;
        let _held = lock.acquire().await;
    })
    .tell();
    let Verdict::Stall(waiting) = told.verdict() else {
        panic!("expected a stall, found {}", told.verdict());
    };
    let waits: Vec<_> = waiting
        .iter()
        .map(|waiting| (waiting.name.as_str(), waiting.wait.as_str()))
        .collect();
    let expected = [
        ("main", "lock lock"),
        ("child", "channel post"),
        ("parent", "the end of child"),
        ("holder", "something that the kernel does not see"),
    ];
    assert_eq!(waits, expected);
}

#[test]
fn waiting_for_the_outside_alone_is_no_stall() {
    let story = Story::staged(|setup| {
        let inbox = setup.feed("feed", |_| Ok([(at_ms(3), arrived("only"))].into_iter()));
        let inbox = inbox.unwrap();
        setup.host("main", move |ctx| {
            let inbox = inbox.clone();
            async move {
                loop {
                    inbox.recv(&ctx).await;
                    ctx.emit("got it");
                }
            }
        });
    });
    let ends = |duration_ns| {
        let told = story
            .clone()
            .with(|plan| plan.duration_ns = duration_ns)
            .tell();
        (told.outcome.verdict, told.outcome.world.now)
    };
    assert_eq!(ends(None), (Verdict::Complete, at_ms(3)));
    assert_eq!(ends(Some(10_000_000)), (Verdict::Complete, at_ms(10)));
}

#[test]
fn a_task_at_rest_is_no_stall_whatever_it_waits_for() {
    let waits = |rests: bool| {
        let story = Story::of(move |ctx| async move {
            let changed = Notify::new("changed");
            if rests {
                ctx.at_rest(changed.wait(&ctx)).await;
            } else {
                changed.wait(&ctx).await;
            }
        });
        story.tell().verdict().name()
    };
    assert_eq!((waits(true), waits(false)), ("complete", "stall"));
}

#[test]
fn what_a_task_waits_for_after_its_rest_can_stall() {
    let told = Story::of(|ctx| async move {
        let changed = Notify::new("changed");
        let nudge = changed.clone();
        let of_child = ctx.clone();
        ctx.spawn("child", async move { nudge.notify(&of_child) });
        ctx.at_rest(changed.wait(&ctx)).await;
        ctx.emit("nudged");
        changed.wait(&ctx).await;
    })
    .tell();
    assert_eq!(told.said(), ["nudged"]);
    assert_eq!(told.verdict().name(), "stall");
}

#[test]
fn time_that_passes_without_progress_is_a_livelock() {
    let spinning = Story::of(|ctx| async move {
        ctx.emit("the last word");
        loop {
            ctx.sleep(ms(400)).await;
        }
    })
    .with(|plan| plan.budgets.idle_seconds = 3);
    let told = spinning.tell();
    assert_eq!(told.verdict(), &Verdict::Livelock(3_200_000_000));
    let busy = Story::of(|ctx| async move {
        for _ in 0..20 {
            ctx.sleep(ms(400)).await;
            ctx.emit("progress");
        }
    })
    .with(|plan| plan.budgets.idle_seconds = 3);
    assert_eq!(busy.tell().verdict(), &Verdict::Complete);
}

#[test]
fn an_input_that_lay_beyond_the_end_is_not_needed_to_verify_the_end() {
    // The replay does not know of the item that would have come; the recording ended before it.
    let far = |plan: fn(&mut dacapo_kernel::Plan<()>)| {
        Story::staged(|setup| {
            let items = [(at_ms(1), arrived("near")), (at_ms(60_000), arrived("far"))];
            let inbox = setup.feed("feed", move |_| Ok(items.into_iter())).unwrap();
            setup.host("main", move |ctx| {
                let inbox = inbox.clone();
                async move {
                    inbox.recv(&ctx).await;
                    ctx.emit("one");
                    std::future::pending().await
                }
            });
        })
        .with(plan)
        .tell()
        .outcome
        .verdict
    };
    assert_eq!(
        far(|plan| plan.duration_ns = Some(50_000_000_000)),
        Verdict::Complete
    );
    let time = far(|plan| plan.budgets.virtual_seconds = 30);
    assert_eq!(time, Verdict::Exhausted(Budget::Time(30_000_000_000)));
    let idle = far(|plan| plan.budgets.idle_seconds = 30);
    assert_eq!(idle, Verdict::Livelock(59_999_000_000));
}

#[test]
fn a_run_that_somebody_interrupts_can_be_verified() {
    let story = Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.sleep(ms(1)).await;
        }
    });
    let storage = Shared::default();
    story.prepare();
    let mut calls = 0;
    let outcome = Run::<Stage>::new(&story.plan)
        .watch(|seq, now| {
            calls += 1;
            assert!(seq.0 > 0 && now > Time::ZERO);
            calls < 3
        })
        .record(&NoFiles, Box::new(storage.clone()), SyncPolicy::Never)
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Interrupted);
    let bytes = storage.take().0;
    match story.verify(&bytes) {
        dacapo_kernel::Verified::Same(again) => assert_eq!(again.world, outcome.world),
        _ => panic!("an interrupted run is the same when it is interrupted at the same step"),
    }
}

// Fails if time moves without being asked for, is asked for twice, or a run that was ended while it was held back is not
// the same when it is made again.
#[test]
fn a_run_that_is_held_back_asks_before_its_time_moves() {
    let story = Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.sleep(ms(1)).await;
        }
    })
    // Where nobody is asked, nobody ends it either.
    .with(|plan| plan.duration_ns = Some(10_000_000));
    let storage = Shared::default();
    story.prepare();
    let mut asked = Vec::new();
    let outcome = Run::<Stage>::new(&story.plan)
        .paced(|seq, until| {
            assert!(seq.0 > 0);
            asked.push(until);
            asked.len() < 4
        })
        .record(&NoFiles, Box::new(storage.clone()), SyncPolicy::Never)
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Interrupted);
    assert_eq!(outcome.world.now, Time::from_nanos(3_000_000));
    let expected = [1, 2, 3, 4].map(|ms| Time::from_nanos(ms * 1_000_000));
    assert_eq!(asked, expected);
    match story.verify(&storage.take().0) {
        dacapo_kernel::Verified::Same(again) => assert_eq!(again.world, outcome.world),
        _ => panic!("a run that was ended while it was held back ends there again"),
    }
}

// Fails if somebody is held back beyond the end of the run, or at an instant that has come already.
#[test]
fn nobody_is_held_back_beyond_the_end_or_twice_at_one_instant() {
    let story = Story::of(|ctx| async move {
        loop {
            ctx.emit("on");
            ctx.sleep(Duration::ZERO).await;
            ctx.emit("at once");
            ctx.sleep(ms(2)).await;
        }
    })
    .with(|plan| plan.duration_ns = Some(5_000_000));
    story.prepare();
    let mut asked = Vec::new();
    let outcome = Run::<Stage>::new(&story.plan)
        .paced(|_, until| {
            asked.push(until);
            true
        })
        .record(&NoFiles, Box::new(Shared::default()), SyncPolicy::Never)
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Complete);
    let expected = [2, 4, 5].map(|ms| Time::from_nanos(ms * 1_000_000));
    assert_eq!(asked, expected);
}

#[test]
#[cfg(debug_assertions)]
fn an_audit_looks_whenever_no_task_can_run_and_says_what_differs() {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    let story = |broken: bool| {
        Story::staged(move |setup| {
            let count = Rc::new(Cell::new(0));
            let kept = Rc::clone(&count);
            setup.audit(move |world| {
                let shown = world.view.said.len();
                if shown == kept.get() {
                    Ok(())
                } else {
                    Err(format!("shown {shown}, kept {}", kept.get()))
                }
            });
            setup.host("main", move |ctx| {
                let count = Rc::clone(&count);
                async move {
                    for n in 0..3 {
                        ctx.emit("one more");
                        // Differing for a moment is allowed; waiting while differing is not.
                        if !(broken && n == 2) {
                            count.set(count.get() + 1);
                        }
                        ctx.sleep(ms(1)).await;
                    }
                }
            });
        })
    };
    story(false).tell();
    let panic = catch_unwind(AssertUnwindSafe(|| story(true).record()));
    let panic = panic
        .err()
        .expect("the audit sees that something is missing");
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("shown 3, kept 2"), "{message}");
    assert!(message.contains("at 00:00:00.002"), "{message}");
}

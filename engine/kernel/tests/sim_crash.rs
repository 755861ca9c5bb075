//! Crashes: of a task, of a host at a time, of a host at any event; restarts; lost calls.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use common::{Act, Stage, Story, Told, answered, arrived, asked, at_ms, ms};
use dacapo_kernel::{
    Answer, CallOutcome, Ctx, Fault, HostId, JoinError, KernelEvent, Lock, Odds, Port, Provider,
    Seq, Setup, Stream, Time, Verdict, When, channel,
};

const DESK: Port = Port(0);

/// Answers after some time; knows of some lost calls that they were done.
struct Desk {
    after: Duration,
}

impl Provider<Act> for Desk {
    fn answer(&mut self, call: Seq, _: &Act, _: Time, _: &mut Odds<'_>) -> Answer<Act> {
        Answer {
            after: self.after,
            event: answered(&format!("answer to {call}")),
        }
    }

    fn lost(&mut self, _: Seq, chance: &mut Stream) -> CallOutcome {
        match chance.below(3) {
            0 => CallOutcome::NotSent,
            1 => CallOutcome::Done,
            _ => CallOutcome::Unknown,
        }
    }
}

fn crash(host: &str, when: When, restart_after_ms: Option<u64>) -> Fault {
    Fault::CrashHost {
        host: host.to_owned(),
        when,
        restart_after: restart_after_ms.map(|millis| millis * 1_000_000),
    }
}

fn kernel_events(told: &Told) -> Vec<(Seq, &KernelEvent)> {
    let seen = |event: &'_ dacapo_kernel::Event<Act>| event.seq;
    told.events
        .iter()
        .filter_map(|event| Some((seen(event), event.kernel()?)))
        .collect()
}

/// Says when it is dropped, and would go on doing all kinds of things.
struct LastWords(Ctx<Stage>, &'static str);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.emit(format!("last words of {}", self.1));
        self.0.random("last words", 10);
        self.0.buggify("last door");
    }
}

#[test]
fn a_task_that_crashes_gives_its_guards_back_and_its_joiner_sees_it() {
    let told = Story::of(|ctx| async move {
        let lock = Lock::new(&ctx, "lock");
        let (voice, its) = (ctx.clone(), lock.clone());
        let victim = ctx.spawn("victim", async move {
            let _held = its.acquire().await;
            voice.sleep(ms(1_000)).await;
        });
        ctx.yield_now().await;
        let (voice, its) = (ctx.clone(), lock.clone());
        ctx.spawn("waiter", async move {
            let _held = its.acquire().await;
            voice.emit("the waiter has it");
        });
        let seen: Result<(), JoinError> = victim.join().await;
        ctx.emit(format!("{seen:?}"));
    })
    .fault(Fault::CrashTask {
        task: "victim".to_owned(),
        at: at_ms(7),
    })
    .tell();
    assert_eq!(
        told.said_at(),
        [(7, "the waiter has it"), (7, "Err(Crashed)")]
    );
    assert_eq!(told.count("task crashed"), 1);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

/// Two hosts. A worker keeps a count in memory, asks the desk, holds locks, sends to the other
/// host's task; the other host keeps going whatever happens to the first.
fn two_hosts(setup: &mut Setup<'_, Stage>) {
    setup
        .provider(DESK, "desk", |_| Ok(Desk { after: ms(3) }))
        .unwrap();
    let items = (1..=4).map(|n| (at_ms(n * 4), arrived(&format!("item {n}"))));
    let inbox = setup.feed("feed", |_| Ok(items)).unwrap();
    let life = Rc::new(Cell::new(0));
    setup.host("worker", move |ctx| {
        life.set(life.get() + 1);
        worker(ctx, inbox.clone(), life.get())
    });
    setup.host("watcher", |ctx| async move {
        for n in 0..8 {
            ctx.sleep(ms(3)).await;
            ctx.emit(format!("watch {n}"));
            ctx.yield_now().await;
        }
    });
}

async fn worker(ctx: Ctx<Stage>, inbox: dacapo_kernel::Inbox<Stage>, life: u32) {
    ctx.emit(format!("life {life}"));
    let _words = LastWords(ctx.clone(), "the worker");
    let lock = Lock::new(&ctx, "lock");
    let (sender, mut receiver) = channel(&ctx, "post", 1);
    let (voice, its) = (ctx.clone(), lock.clone());
    let child = ctx.spawn("child", async move {
        let _words = LastWords(voice.clone(), "the child");
        while let Some(item) = receiver.recv().await {
            let _held = its.acquire().await;
            voice.sleep(ms(1)).await;
            voice.emit(format!("child has {item}"));
        }
    });
    for _ in 0..2 {
        let (seq, _) = inbox.recv(&ctx).await;
        let _held = lock.acquire().await;
        ctx.random("dice", 6);
        sender.send(seq).await.unwrap();
        let answer = ctx.timeout(ms(2), ctx.call(DESK, asked("now?"))).await;
        ctx.emit(format!("soon: {}", answer.is_ok()));
        ctx.call(DESK, asked("at leisure?")).await;
        ctx.emit("at last");
    }
    drop(sender);
    child.join().await.unwrap();
    ctx.emit(format!("life {life} ends well"));
}

/// What was said at the end of the crash story, and by whom after which crash.
fn nothing_of_the_dead(told: &Told, host: HostId) {
    let mut alive = std::collections::BTreeMap::new();
    let mut down = false;
    for event in &told.events {
        match event.kernel() {
            Some(KernelEvent::TaskStarted(started)) if started.host == host => {
                assert!(!down, "{event:?} starts on a host that is down");
                alive.insert(started.task, ());
            }
            Some(KernelEvent::HostCrashed(crashed)) if crashed.host == host => down = true,
            Some(KernelEvent::HostRestarted(restarted)) if restarted.host == host => {
                assert!(alive.is_empty(), "tasks survive a crash: {alive:?}");
                down = false;
            }
            Some(KernelEvent::TaskEnded(ended)) => drop(alive.remove(&ended.task)),
            _ => {}
        }
        let by_the_host = told.outcome.world.actor_name(event.actor) == "worker";
        assert!(
            !(down && by_the_host && event.domain().is_some()),
            "{event:?} comes from a host that is down"
        );
    }
    if down {
        assert!(alive.is_empty(), "tasks survive a crash: {alive:?}");
        let left = told.outcome.world.processes.values();
        assert_eq!(left.filter(|process| process.host == host).count(), 0);
    }
}

#[test]
fn a_host_that_crashes_loses_everything_and_begins_again_by_its_factory() {
    let told = Story::staged(two_hosts)
        .fault(crash("worker", When::Time(at_ms(6)), Some(1)))
        .tell();
    let lives: Vec<_> = told
        .said()
        .into_iter()
        .filter(|said| said.starts_with("life"))
        .collect();
    assert_eq!(lives, ["life 1", "life 2", "life 2 ends well"]);
    assert_eq!(told.verdict(), &Verdict::Complete);
    assert_eq!(told.count("call lost"), 1);
    let words = |who: &str| {
        told.said()
            .iter()
            .filter(|said| said.ends_with(who))
            .count()
    };
    assert_eq!(
        (words("the worker"), words("the child")),
        (1, 1),
        "only of the second life"
    );
    nothing_of_the_dead(&told, HostId(1));
    let crashed = told.first("host crashed");
    assert_eq!(crashed.time, at_ms(6));
    assert_eq!(told.first("host restarted").time, at_ms(7));
}

#[test]
fn a_host_can_be_cut_off_at_any_event() {
    let quiet = Story::staged(two_hosts).tell();
    assert_eq!(quiet.verdict(), &Verdict::Complete);
    let mut cut_short = 0;
    for event in &quiet.events {
        let story =
            Story::staged(two_hosts).fault(crash("worker", When::Event(event.seq), Some(5)));
        let told = story.tell();
        let at = told.first("host crashed").seq;
        let built = quiet.first("choice").seq;
        assert_eq!(
            at,
            event.seq.next().max(Seq(built.0)),
            "right after event {}",
            event.seq
        );
        nothing_of_the_dead(&told, HostId(1));
        cut_short += usize::from(told.count("task ended") > 0);
        assert!(told.said().contains(&"watch 7"), "the other host goes on");
    }
    assert!(cut_short > 40, "{cut_short}");
}

#[test]
fn a_host_can_be_cut_off_for_good_at_any_event_under_any_schedule() {
    for seed in 0..5 {
        let quiet = Story::staged(two_hosts).seed(seed).random().tell();
        for event in quiet.events.iter().step_by(3) {
            let told = Story::staged(two_hosts)
                .seed(seed)
                .random()
                .fault(crash("worker", When::Event(event.seq), None))
                .tell();
            nothing_of_the_dead(&told, HostId(1));
        }
    }
}

#[test]
fn the_other_host_can_be_cut_off_while_this_one_runs() {
    // The event that the crash follows is this host's own: its task must go on undisturbed.
    let story = |fault: Option<Fault>| {
        let story = Story::staged(|setup| {
            setup.host("worker", |ctx| async move {
                for n in 0..5 {
                    ctx.emit(format!("{n}"));
                }
                ctx.sleep(ms(1)).await;
                ctx.emit("end");
            });
            setup.host("victim", |ctx| async move {
                ctx.sleep(ms(5)).await;
                ctx.emit("never");
            });
        });
        fault.into_iter().fold(story, Story::fault)
    };
    let quiet = story(None).tell();
    let third = quiet
        .events
        .iter()
        .find(|event| common::said(event) == Some("2"))
        .unwrap()
        .seq;
    let told = story(Some(crash("victim", When::Event(third), None))).tell();
    assert_eq!(told.said(), ["0", "1", "2", "3", "4", "end"]);
    assert_eq!(told.first("host crashed").seq, third.next());
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn nothing_that_a_cut_task_did_after_the_crash_reaches_another_host() {
    let story = |fault: Option<Fault>| {
        let story = Story::staged(|setup| {
            let post = Rc::new(std::cell::RefCell::new(None));
            let given = Rc::clone(&post);
            setup.host("receiver", move |ctx| {
                let given = Rc::clone(&given);
                async move {
                    let (sender, mut receiver) = channel(&ctx, "post", 4);
                    given.replace(Some(sender));
                    while let Some(word) = receiver.recv().await {
                        ctx.emit(format!("received {word}"));
                    }
                }
            });
            setup.host("sender", move |ctx| {
                let post = Rc::clone(&post);
                async move {
                    let sender = post.borrow_mut().take().unwrap();
                    sender.try_send("before").unwrap();
                    ctx.emit("sent one");
                    sender.try_send("after").unwrap();
                    ctx.emit("sent two");
                }
            });
        });
        fault.into_iter().fold(story, Story::fault)
    };
    let quiet = story(None).tell();
    assert!(quiet.said().contains(&"received after"));
    let one = quiet
        .events
        .iter()
        .find(|event| common::said(event) == Some("sent one"));
    let cut = crash("sender", When::Event(one.unwrap().seq), None);
    let told = story(Some(cut)).tell();
    assert_eq!(told.said(), ["sent one", "received before"]);
}

#[test]
fn a_lock_between_hosts_passes_on_when_its_holder_is_cut_off() {
    let story = |fault: Option<Fault>| {
        let story = Story::staged(|setup| {
            let shared = Rc::new(std::cell::RefCell::new(None));
            let made = Rc::clone(&shared);
            setup.host("holder", move |ctx| {
                let made = Rc::clone(&made);
                async move {
                    let lock = Lock::new(&ctx, "lock");
                    made.replace(Some(lock.clone()));
                    let _held = lock.acquire().await;
                    ctx.sleep(ms(5)).await;
                    ctx.emit("the holder is awake");
                    ctx.emit("the holder is done");
                }
            });
            setup.host("waiter", move |ctx| {
                let shared = Rc::clone(&shared);
                async move {
                    let lock = shared.borrow_mut().take().unwrap();
                    let _held = lock.acquire().await;
                    ctx.emit("the waiter has it");
                }
            });
        });
        fault.into_iter().fold(story, Story::fault)
    };
    let quiet = story(None).tell();
    let awake = quiet
        .events
        .iter()
        .find(|e| common::said(e) == Some("the holder is awake"));
    let told = story(Some(crash("holder", When::Event(awake.unwrap().seq), None))).tell();
    assert_eq!(told.said(), ["the holder is awake", "the waiter has it"]);
    assert!(told.outcome.world.contended.is_empty());
}

#[test]
fn a_run_waits_for_a_host_that_will_come_up_again() {
    let told = Story::of(|ctx| async move {
        ctx.sleep(ms(10)).await;
        ctx.emit("up");
    })
    .fault(crash("main", When::Time(at_ms(5)), Some(100)))
    .tell();
    assert_eq!(told.said_at(), [(115, "up")]);
    let for_good = Story::of(|ctx| async move {
        ctx.sleep(ms(10)).await;
        ctx.emit("up");
    })
    .fault(crash("main", When::Time(at_ms(5)), None))
    .tell();
    assert_eq!(
        for_good.outcome.world.now,
        at_ms(5),
        "nothing is left to wait for"
    );
    assert_eq!(for_good.verdict(), &Verdict::Complete);
}

#[test]
fn a_host_that_is_down_cannot_crash() {
    let told = Story::of(|ctx| async move {
        ctx.sleep(ms(10)).await;
        ctx.emit("up");
    })
    .fault(crash("main", When::Time(at_ms(5)), Some(10)))
    .fault(crash("main", When::Time(at_ms(8)), Some(1)))
    .fault(crash("main", When::Time(at_ms(20)), Some(10)))
    .tell();
    assert_eq!(told.count("host crashed"), 2);
    assert_eq!(told.said_at(), [(40, "up")]);
}

#[test]
fn what_became_of_a_lost_call_is_drawn_and_in_the_log() {
    let mut outcomes = std::collections::BTreeSet::new();
    for seed in 0..12 {
        let told = Story::staged(|setup| {
            setup
                .provider(DESK, "desk", |_| Ok(Desk { after: ms(50) }))
                .unwrap();
            setup.host("main", |ctx| async move {
                ctx.call(DESK, asked("?")).await;
            });
        })
        .seed(seed)
        .fault(crash("main", When::Time(at_ms(5)), None))
        .tell();
        let (call, lost) = (told.first("asked").seq, told.first("call lost"));
        assert_eq!(lost.cause, Some(call));
        match lost.kernel() {
            Some(KernelEvent::CallLost(lost)) => {
                assert_eq!(lost.call, call);
                outcomes.insert(format!("{:?}", lost.outcome));
            }
            other => panic!("{other:?}"),
        }
        assert!(told.outcome.world.calls.is_empty());
        assert_eq!(
            told.count("answered"),
            0,
            "nobody is there to hear the answer"
        );
        assert_eq!(told.count("call cancelled"), 0, "a crash cancels nothing");
    }
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
}

#[test]
fn a_crash_at_an_answer_does_not_lose_the_call_again() {
    let story = |fault: Option<Fault>| {
        let story = Story::staged(|setup| {
            setup
                .provider(DESK, "desk", |_| Ok(Desk { after: ms(5) }))
                .unwrap();
            setup.host("main", |ctx| async move {
                ctx.call(DESK, asked("?")).await;
                ctx.emit("answered");
            });
        });
        fault.into_iter().fold(story, Story::fault)
    };
    let quiet = story(None).tell();
    let answer = quiet.first("answered").seq;
    let told = story(Some(crash("main", When::Event(answer), Some(1)))).tell();
    assert_eq!(told.count("call lost"), 0);
    assert_eq!(
        told.said_at(),
        [(11, "answered")],
        "the second life asks again"
    );
    let events = kernel_events(&told);
    assert!(events.iter().any(|(seq, event)| {
        *seq == answer.next()
            && matches!(event, KernelEvent::HostCrashed(crashed) if crashed.abrupt)
    }));
}

#[test]
fn a_cut_before_the_first_step_leaves_nothing_but_the_crash() {
    let told = Story::of(|ctx| async move {
        ctx.emit("up");
    })
    .fault(crash("main", When::Event(Seq(0)), None))
    .tell();
    assert!(told.said().is_empty());
    assert_eq!(told.count("host crashed"), 1);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

#[test]
fn a_planned_crash_that_finds_nothing_moves_no_time() {
    let told = Story::of(|ctx| async move {
        ctx.sleep(ms(1)).await;
        std::future::pending::<()>().await;
    })
    .fault(Fault::CrashTask {
        task: "nobody".to_owned(),
        at: at_ms(50),
    })
    .tell();
    assert_eq!(told.outcome.world.now, at_ms(1));
    assert_eq!(told.verdict().name(), "stall");
}

#[test]
fn a_host_that_would_come_up_after_the_end_does_not_shorten_the_run() {
    let told = Story::of(|ctx| async move {
        ctx.sleep(ms(100)).await;
    })
    .fault(crash("main", When::Time(at_ms(5)), Some(100)))
    .with(|plan| plan.duration_ns = Some(50_000_000))
    .tell();
    assert_eq!(told.outcome.world.now, at_ms(50));
    assert_eq!(told.verdict(), &Verdict::Complete);
}

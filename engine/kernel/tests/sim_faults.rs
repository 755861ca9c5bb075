//! Faults as data: rates, single strikes, planned choices, jumps of the wall clock, crashes in recovery,
//! and what properties make of them.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use common::{Act, Story, Told, answered, arrived, asked, at_ms, ms};
use dacapo_kernel::{
    Answer, Event, Fault, Feed, Finding, Invariant, KernelEvent, Odds, Port, Provider,
    SchedulerKind, Seq, Time, Verdict, When,
};

const DOOR: &str = "cellar door";

fn door(actor: Option<&str>, per_mille: u32, (least, most): (u64, u64)) -> Fault {
    Fault::Door {
        door: DOOR.to_owned(),
        actor: actor.map(str::to_owned),
        per_mille,
        least,
        most,
        until: None,
    }
}

fn strike(actor: &str, asked: u64, value: u64) -> Fault {
    Fault::Strike {
        door: DOOR.to_owned(),
        actor: actor.to_owned(),
        asked,
        value,
    }
}

/// Two actors ask at a door ten times each, a millisecond apart, and say with which value it opened.
fn callers() -> Story {
    Story::of(|ctx| async move {
        for _ in 0..10 {
            for name in ["ann", "bob"] {
                let actor = ctx.actor(name);
                if let Some(value) = actor.fault(DOOR) {
                    actor.emit(format!("{name} {value}"));
                }
            }
            ctx.sleep(ms(1)).await;
        }
    })
}

#[test]
fn a_strike_opens_a_door_once_for_one_actor_with_its_value() {
    let told = callers()
        .fault(strike("bob", 3, 7))
        .fault(strike("ann", 0, 9))
        .tell();
    assert_eq!(told.said_at(), [(0, "ann 9"), (3, "bob 7")]);
}

#[test]
fn a_rate_can_be_for_one_actor_and_its_values_lie_in_their_range() {
    let told = callers().fault(door(Some("bob"), 1_000, (5, 6))).tell();
    assert_eq!(told.said().len(), 10);
    assert!(
        told.said()
            .iter()
            .all(|said| matches!(*said, "bob 5" | "bob 6"))
    );
    assert!(told.said().contains(&"bob 5") && told.said().contains(&"bob 6"));
}

#[test]
fn a_door_is_shut_from_its_end_on_and_all_are_from_the_quiet_on() {
    let mut shut = door(None, 1_000, (0, 0));
    if let Fault::Door { until, .. } = &mut shut {
        *until = Some(at_ms(4));
    }
    let last = |told: &Told| told.said_at().last().map(|(at, _)| *at);
    assert_eq!(last(&callers().fault(shut.clone()).tell()), Some(3));
    let quiet = |plan: &mut dacapo_kernel::Plan<()>| plan.faults.quiet_from = Some(at_ms(2));
    let told = callers()
        .fault(shut)
        .fault(strike("ann", 6, 1))
        .with(quiet)
        .tell();
    assert_eq!(
        last(&told),
        Some(1),
        "a strike after the quiet does not come either"
    );
}

#[test]
fn a_fault_that_is_taken_away_changes_none_of_the_others() {
    let both = callers().fault(door(None, 300, (1, 9))).tell();
    let ann = callers().fault(door(Some("ann"), 300, (1, 9))).tell();
    let of_ann = |told: &Told| -> Vec<String> {
        let said = told
            .said()
            .into_iter()
            .filter(|said| said.starts_with("ann"));
        said.map(str::to_owned).collect()
    };
    assert!(!of_ann(&both).is_empty());
    assert_eq!(of_ann(&both), of_ann(&ann));
}

#[test]
fn the_plan_says_when_the_faults_end_if_anybody_can_tell() {
    let ends = |faults: Vec<Fault>| dacapo_kernel::FaultPlan::from(faults).ends();
    assert_eq!(ends(Vec::new()), Some(Time::ZERO));
    assert_eq!(ends(vec![door(None, 1, (0, 0))]), None);
    assert_eq!(ends(vec![strike("ann", 0, 0)]), None);
    let crash = |when, restart_after| Fault::CrashHost {
        host: "main".to_owned(),
        when,
        restart_after,
    };
    let later = crash(When::Time(at_ms(5)), Some(2_000_000));
    assert_eq!(ends(vec![later.clone()]), Some(at_ms(7)));
    assert_eq!(ends(vec![later, crash(When::Event(Seq(9)), None)]), None);
}

/// Three tasks that are ready together, each of which says its name.
fn three() -> Story {
    Story::of(|ctx| async move {
        for name in ["one", "two", "three"] {
            let own = ctx.clone();
            ctx.spawn(name, async move {
                own.emit(name);
            });
        }
    })
}

#[test]
fn a_planned_choice_differs_from_the_queue_there_and_nowhere_else() {
    assert_eq!(three().tell().said(), ["one", "two", "three"]);
    let choose = |choice, index| Fault::Choose { choice, index };
    assert_eq!(
        three().fault(choose(0, 2)).tell().said(),
        ["three", "one", "two"]
    );
    assert_eq!(
        three().fault(choose(1, 1)).tell().said(),
        ["one", "three", "two"]
    );
    let beyond = three().fault(choose(0, 99)).fault(choose(77, 1)).tell();
    assert_eq!(beyond.said(), ["three", "one", "two"]);
}

#[test]
fn priorities_find_an_order_that_a_queue_never_has() {
    let order = |seed| {
        let pct = three()
            .seed(seed)
            .with(|plan| plan.scheduler = SchedulerKind::Pct);
        pct.tell().said().join(" ")
    };
    assert!((0..20).any(|seed| order(seed).starts_with("three")));
}

#[test]
fn the_wall_clock_jumps_and_virtual_time_does_not() {
    let story = Story::of(|ctx| async move {
        for _ in 0..3 {
            ctx.emit(format!("{} {}", ctx.now().as_nanos(), ctx.wall_unix_ns()));
            ctx.sleep(ms(1)).await;
        }
    });
    let jump = |at, by| Fault::JumpClock { at, by };
    let told = story
        .fault(jump(Time::from_micros(500), 1_000))
        .fault(jump(Time::from_micros(1_500), -3_000))
        .tell();
    assert_eq!(told.said(), ["0 0", "1000000 1001000", "2000000 1998000"]);
    assert_eq!(told.count("clock jumped"), 2);
}

#[test]
fn a_crash_in_recovery_strikes_so_many_events_after_the_restart() {
    let story = Story::of(|ctx| async move {
        for step in 0..5 {
            ctx.emit(format!("step {step}"));
        }
        ctx.sleep(ms(100)).await;
    });
    let crash = |when| Fault::CrashHost {
        host: "main".to_owned(),
        when,
        restart_after: Some(1_000_000),
    };
    let told = story
        .fault(crash(When::Time(at_ms(3))))
        .fault(crash(When::Recovery(3)))
        .fault(crash(When::Recovery(2)))
        .tell();
    let lives: Vec<usize> = told
        .said()
        .split(|said| *said == "step 0")
        .skip(1)
        .map(|life| life.len() + 1)
        .collect();
    // A restart, the task, and then the steps: the third event is the second step.
    assert_eq!(lives, [5, 2, 1, 5]);
    assert_eq!(told.count("host crashed"), 3);
}

struct Desk;

impl Provider<Act> for Desk {
    fn answer(&mut self, _: Seq, _: &Act, _: Time, odds: &mut Odds<'_>) -> Answer<Act> {
        let late = odds.fault(DOOR).unwrap_or(0);
        Answer {
            after: ms(1 + late),
            event: answered("yes"),
        }
    }
}

struct Post(u64);

impl Feed<Act> for Post {
    fn next(&mut self, odds: &mut Odds<'_>) -> Option<(Time, Act)> {
        self.0 += 1 + odds.fault("lost post").unwrap_or(0);
        (self.0 < 8).then(|| (at_ms(self.0), arrived(&format!("letter {}", self.0))))
    }
}

#[test]
fn a_provider_and_a_feed_ask_at_doors_of_their_own() {
    let story = Story::staged(|setup| {
        setup.provider(Port(1), "desk", |_| Ok(Desk)).unwrap();
        let post = setup.feed("post", |_| Ok(Post(0))).unwrap();
        setup.host("main", move |ctx| {
            let post = post.clone();
            async move {
                ctx.call(Port(1), asked("ready?")).await;
                ctx.emit("answered");
                ctx.at_rest(async {
                    loop {
                        let (_, item) = post.recv(&ctx).await;
                        ctx.emit(format!("{item:?}"));
                    }
                })
                .await
            }
        });
    });
    let lost = Fault::Strike {
        door: "lost post".to_owned(),
        actor: "post".to_owned(),
        asked: 2,
        value: 3,
    };
    let told = story.fault(strike("desk", 0, 4)).fault(lost).tell();
    assert_eq!(told.said_at()[0], (5, "answered"));
    let letters: Vec<bool> = (1..8)
        .map(|n| {
            told.said()
                .iter()
                .any(|said| said.contains(&format!("letter {n}")))
        })
        .collect();
    assert_eq!(letters, [true, true, false, false, false, true, true]);
    let injected = told.first("fault injected");
    assert_eq!(injected.cause, Some(told.first("asked").seq));
}

#[test]
fn a_panic_that_is_somebody_elses_affair_ends_neither_the_task_nor_the_run() {
    let told = Story::of(|ctx| async move {
        let within = ctx.clone();
        let fails = ctx.catch_panic(async move {
            within.sleep(ms(1)).await;
            std::panic::resume_unwind(Box::new("no more"));
        });
        let failed: Result<(), String> = ctx.timeout(ms(9), fails).await.unwrap();
        ctx.emit(format!("{failed:?}"));
        // A wait of this task is under no limit any more.
        ctx.sleep(ms(1)).await;
        let fine = ctx.catch_panic(async { 7 }).await;
        ctx.emit(format!("{fine:?}"));
    })
    .tell();
    assert_eq!(told.said(), ["Err(\"no more\")", "Ok(7)"]);
    assert_eq!(told.verdict(), &Verdict::Complete);
}

/// Nothing is ever said; it needs something that was said, and excludes the door.
#[derive(Default)]
struct Silence {
    needs_said: bool,
}

impl Invariant<Act> for Silence {
    fn id(&self) -> &'static str {
        "silence"
    }

    fn statement(&self) -> &'static str {
        "nobody says anything late"
    }

    fn watches(&self) -> &'static [u16] {
        &[64]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        if self.needs_said { &[&[64]] } else { &[] }
    }

    fn excludes(&self) -> &'static [&'static str] {
        &[DOOR]
    }

    fn observe(&mut self, event: &Event<Act>) -> Result<(), String> {
        assert_eq!(event.kind().number, 64, "only what is watched is shown");
        if event.time > Time::ZERO {
            return Err("expected silence, found words".to_owned());
        }
        Ok(())
    }
}

#[test]
fn a_property_is_not_evaluable_without_what_it_needs_or_under_what_it_excludes() {
    let finding = |story: Story, needs_said| {
        let made = move || vec![Box::new(Silence { needs_said }) as Box<dyn Invariant<Act>>];
        let told = story.invariants(made).tell();
        told.outcome.findings[0].finding.clone()
    };
    let quiet = || Story::of(|ctx| async move { ctx.sleep(ms(1)).await });
    assert_eq!(finding(quiet(), false), Finding::Held);
    assert_eq!(finding(quiet(), true), Finding::NotEvaluable);
    assert_eq!(finding(callers(), false), Finding::Held);
    let early = callers().fault(strike("ann", 0, 1));
    assert_eq!(finding(early, true), Finding::NotEvaluable);
    let loud = Story::of(|ctx| async move {
        ctx.sleep(ms(1)).await;
        ctx.emit("late");
    });
    assert!(matches!(
        finding(loud, true),
        Finding::Violated { at: Some(_), .. }
    ));
    let told = callers().fault(strike("ann", 0, 1)).tell();
    assert!(matches!(
        told.first("fault injected").kernel(),
        Some(KernelEvent::FaultInjected(fault)) if fault.value == 1
    ));
}

#[test]
fn what_is_done_elsewhere_is_done_whole_although_the_caller_crashes_midway() {
    let story = |fault: Option<Fault>| {
        let story = Story::staged(|setup| {
            setup.host("main", |ctx| async move {
                ctx.elsewhere(|| {
                    ctx.emit("booked one");
                    ctx.emit("booked the other");
                });
                ctx.emit("heard of it");
            });
        });
        fault.into_iter().fold(story, Story::fault)
    };
    let all = ["booked one", "booked the other", "heard of it"];
    let quiet = story(None).tell();
    assert_eq!(quiet.said(), all);
    let one = quiet
        .events
        .iter()
        .find(|event| common::said(event) == Some("booked one"));
    let crash = Fault::CrashHost {
        host: "main".to_owned(),
        when: When::Event(one.unwrap().seq),
        restart_after: None,
    };
    assert_eq!(story(Some(crash)).tell().said(), all[..2]);
}

//! The quiet part of a run: whatever the plan has, nothing goes wrong in it.

mod common;

use common::{Act, Stage, Story, Told, at_ms, ms};
use dacapo_kernel::{CRASH_HOST, Ctx, Fault, Seq, Time, When};

/// Speaks every ten milliseconds for half a second, and asks at a door each time.
fn story(fault: Fault, quiet_from: Option<Time>) -> Told {
    let story = Story::of(|ctx: Ctx<Stage>| async move {
        for turn in 0..50 {
            ctx.sleep(ms(10)).await;
            ctx.fault("door");
            ctx.emit(Act::from(format!("turn {turn}")));
        }
    });
    let quiet = story
        .fault(fault)
        .with(|plan| plan.faults.quiet_from = quiet_from);
    quiet.tell()
}

fn crash(when: When) -> Fault {
    Fault::CrashHost {
        host: "main".to_owned(),
        when,
        restart_after: Some(1),
    }
}

#[test]
fn a_crash_after_an_event_strikes_only_before_the_quiet_part() {
    let fault = || crash(When::Event(Seq(60)));
    let struck = story(fault(), None);
    let at = struck.first("host crashed").time;
    assert_eq!(struck.outcome.struck, [CRASH_HOST]);
    let later = story(fault(), Some(at + ms(1)));
    assert_eq!(later.first("host crashed").time, at);
    let quiet = story(fault(), Some(at));
    assert_eq!(quiet.count("host crashed"), 0);
    assert_eq!(quiet.outcome.struck, [""; 0]);
}

#[test]
fn a_door_is_shut_in_the_quiet_part() {
    let door = || Fault::Door {
        door: "door".to_owned(),
        actor: None,
        per_mille: 1_000,
        least: 1,
        most: 1,
        until: None,
    };
    let told = story(door(), Some(at_ms(105)));
    assert_eq!(told.count("fault injected"), 10);
    assert_eq!(told.outcome.struck, ["door"]);
    assert_eq!(story(door(), None).count("fault injected"), 50);
}

//! What fuzzing once found in the orchestration itself, as scenarios that it was shrunk to.

use dacapo_kernel::{Finding, Verdict};
use dacapo_lab::scenario::Overrides;
use dacapo_tests::{record, root};

use super::defects::violated;

/// The scenario with this name passes, and this property has something to judge in it.
fn holds(name: &str, property: &str) {
    let path = root().join(format!("scenarios/regressions/{name}.toml"));
    let run = record(&path, &Overrides::default());
    assert_eq!(run.outcome.verdict, Verdict::Complete);
    assert_eq!(violated(&run.outcome.findings), Vec::<&str>::new());
    let judged = run.outcome.findings.iter().find(|it| it.id == property);
    assert_eq!(judged.map(|it| &it.finding), Some(&Finding::Held));
}

#[test]
fn what_is_opened_while_everything_is_being_closed_is_closed_as_well() {
    holds("emergency-meets-fills", "live.emergency-flat");
}

#[test]
fn a_trade_that_closed_while_the_host_was_down_cools_down_from_then_on() {
    holds("closed-while-down", "time.monotone");
}

#[test]
fn a_trade_that_closed_at_the_instant_of_a_crash_is_cooled_down_after() {
    holds("stopped-at-the-crash", "time.monotone");
}

#[test]
fn one_close_serves_two_alerts_of_one_instant() {
    holds("two-alerts-one-close", "live.emergency-flat");
}

#[test]
fn a_pause_of_what_was_stopped_is_no_halt() {
    holds("paused-after-a-stop", "halt.sticks");
}

#[test]
fn a_reset_lifts_the_cooldown_of_what_was_not_counted_yet() {
    holds("reset-before-counting", "risk.explained");
}

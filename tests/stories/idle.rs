//! A run in which nothing is ever decided passes, but not without a word.

use dacapo_lab::scenario::Overrides;
use dacapo_tests::{Story, record, set};

use super::warnings;

fn told(story: Story, overrides: &Overrides) -> Vec<String> {
    let run = record(&story.path(), overrides);
    assert_eq!(run.outcome.verdict.name(), "complete");
    warnings(&run.plan, &run.outcome)
}

#[test]
fn a_run_whose_decisions_never_run_says_so() {
    let off = set(&[
        "schedules.trading_decision.enabled=false",
        "run.duration=2h",
    ]);
    let said = told(Story::Day, &off);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("nothing was ever decided: the task trading_decision never ran"));
}

#[test]
fn a_run_in_which_nobody_is_to_decide_says_nothing_of_it() {
    let absent = set(&["agents.trading_decision=absent", "run.duration=2h"]);
    assert_eq!(told(Story::Day, &absent), Vec::<String>::new());
}

#[test]
fn a_run_whose_agent_always_holds_says_so() {
    let never_sure = set(&[
        "agents.decision.min_trend_confidence=1.0",
        "run.duration=3h",
    ]);
    let said = told(Story::Day, &never_sure);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("6 runs of trading_decision held"),
        "{said:?}"
    );
}

#[test]
fn a_run_whose_signals_are_all_refused_says_by_what() {
    let poor = set(&["paper.initial_balance.USDT=1"]);
    let said = told(Story::BinanceTape, &poor);
    assert_eq!(
        said,
        ["no order was ever filled: INSUFFICIENT_MARGIN 57 times"]
    );
}

#[test]
fn a_run_that_trades_has_nothing_to_warn_of() {
    assert_eq!(
        told(Story::BinanceTape, &Overrides::default()),
        Vec::<String>::new()
    );
}

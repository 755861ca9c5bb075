//! Random numbers belong to an actor and a purpose: a new actor changes nobody else's.

use std::collections::BTreeMap;

use dacapo_kernel::KernelEvent;
use dacapo_tests::{Story, events, record, set, world_after};

/// What each actor drew, by its name and the purpose.
type Draws = BTreeMap<(String, String), Vec<(u64, u64)>>;

fn draws(changes: &[&str]) -> Draws {
    let mut values = vec!["run.duration=6h"];
    values.extend(changes);
    let log = record(&Story::Day.path(), &set(&values)).log;
    let actors = world_after(&log, None).actors;
    let mut draws = Draws::new();
    for event in events(&log) {
        if let Some(KernelEvent::Draw(draw)) = event.kernel() {
            let whose = (actors[&event.actor].to_string(), draw.purpose.to_string());
            draws
                .entry(whose)
                .or_default()
                .push((draw.bound, draw.value));
        }
    }
    draws
}

#[test]
fn a_new_actor_that_draws_changes_nobody_elses_draws() {
    // Rebalancing would draw the slippage of its market orders.
    let few = draws(&["schedules.portfolio_rebalance.enabled=false"]);
    let many = draws(&[
        "schedules.portfolio_rebalance.enabled=false",
        "agents.technical_analysis=random",
        "agents.regime_detection=random",
    ]);
    let actors = |draws: &Draws| -> Vec<String> {
        let mut names: Vec<String> = draws.keys().map(|(actor, _)| actor.clone()).collect();
        names.dedup();
        names
    };
    assert_eq!(actors(&few), ["sentiment_analysis"]);
    assert_eq!(
        actors(&many),
        [
            "regime_detection",
            "sentiment_analysis",
            "technical_analysis"
        ]
    );
    for (whose, expected) in &few {
        assert!(
            expected.len() >= 30,
            "{whose:?} drew only {} times",
            expected.len()
        );
        assert_eq!(many.get(whose), Some(expected), "{whose:?}");
    }
}

#[test]
fn another_seed_changes_them_all() {
    let one = draws(&[]);
    let other = draws(&["run.seed=25"]);
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (whose, drawn) in &one {
        assert_ne!(other.get(whose), Some(drawn), "{whose:?}");
    }
}

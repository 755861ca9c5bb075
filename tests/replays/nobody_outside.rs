//! What the outside would say by now makes no difference to a replay: it is not asked.

use std::fs;

use dacapo_lab::scenario::Overrides;
use dacapo_market::MarketConfig;
use dacapo_orchestration::config::Replies;
use dacapo_tests::{Story, begun_with, record, replay, root, set};
use tempfile::tempdir;

use super::assert_same;

#[test]
fn a_replay_needs_no_scenario_and_no_data() {
    let folder = tempdir().expect("a temporary folder can be made");
    let data = "data/binance-2025-03-25.csv.gz";
    fs::create_dir(folder.path().join("data")).expect("the folder is new");
    fs::copy(
        root().join("scenarios").join(data),
        folder.path().join(data),
    )
    .expect("the tape ships with the project");
    let scenario = folder.path().join(Story::BinanceTape.file());
    fs::copy(Story::BinanceTape.path(), &scenario).expect("a file can be copied");
    let log = record(&scenario, &set(&["run.duration=20s"])).log;
    folder.close().expect("the folder is ours");
    assert_same(replay(&log), &log);
}

/// The models would answer otherwise, the tape is gone, the seed is another: no door to the
/// outside is opened, so nobody notices.
#[test]
fn a_replay_asks_no_model_no_market_and_no_chance() {
    let log = begun_with(Story::BinanceTape.log(), |plan| {
        plan.seed += 1;
        let MarketConfig::Tape(tape) = &mut plan.system.market else {
            panic!("the scenario plays a tape");
        };
        tape.file = "data/there-is-no-such-tape.csv.gz".to_owned();
        for model in [&mut plan.system.llm.primary, &mut plan.system.llm.fallback] {
            let Replies::Scripted(script) = &mut model.replies else {
                panic!("the replies are scripted");
            };
            script.clear();
        }
    });
    assert_same(replay(&log), &log);

    let other_seed = begun_with(Story::Day.log(), |plan| plan.seed += 1);
    assert_same(replay(&other_seed), &other_seed);
}

/// The control: a recording made with those changes is another run.
#[test]
fn a_recording_asks_them_all() {
    let hours = "run.duration=4h";
    let recorded = |overrides: &Overrides| record(&Story::Day.path(), overrides).log;
    let as_shipped = recorded(&set(&[hours]));
    assert!(recorded(&set(&[hours, "run.seed=25"])) != as_shipped);

    let tape = |changes: &[&str]| record(&Story::BinanceTape.path(), &set(changes)).outcome;
    let short = "run.duration=20s";
    let asked = tape(&[short]).world.view.models;
    assert!(asked.replied > 0, "{asked:?}");
    let silent = "llm.primary.replies.scripted=[{ delay_seconds = 0.1, error = \"gone\" }]";
    let refused = tape(&[short, silent]).world.view.models;
    assert!(refused.failed > asked.failed, "{refused:?}");
}

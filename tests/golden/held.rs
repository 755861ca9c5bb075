//! The golden logs of the project hold at `decisions`. What a switch or a constant changes is noticed, at an event
//! where a person would begin to look, and told once for nearly all logs that notice it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dacapo_kernel::Plan;
use dacapo_lab::golden::{Case, Standing, Test, Tested, by_cause, find, log_bytes, write_log};
use dacapo_market::MarketConfig;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::agents::AgentKind;
use dacapo_orchestration::config::Config;
use dacapo_tests::{begun_with, root};

const FOLDER: &str = "scenarios/golden";

fn tested(cases: &[Case]) -> Vec<Tested> {
    let test = Test {
        level: None,
        ignore: &[],
        locked: true,
        jobs: 2,
        caught: |work| {
            work();
            Ok(())
        },
        timed: |work| {
            work();
            Duration::ZERO
        },
    };
    test.run::<Orchestration>(cases, |_| true)
}

/// Fails if a scenario does not come to what it expects, runs or is refused otherwise than it says, or if today's code
/// behaves otherwise than the golden logs say; then `dacapo test scenarios` tells where and why.
#[test]
fn the_scenarios_and_their_golden_logs_hold() {
    let cases = find(&[root().join("scenarios")]).expect("the folder is read");
    assert!(cases.len() >= 200, "only {} cases", cases.len());
    let wrong = tested(&cases)
        .into_iter()
        .filter(|it| !it.standing.is_good());
    let wrong: Vec<Tested> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Fails if a run that cannot be made from its seed is told without the line that asks for it.
#[test]
fn a_run_that_reads_a_file_is_not_held_to_its_seed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let name = "eurusd-averages.dlog.gz";
    let log = folder.path().join(name);
    fs::copy(root().join(FOLDER).join(name), &log).expect("the log is there");
    let beside = folder.path().join("eurusd-averages.golden.toml");
    fs::write(beside, "inputs = \"generated\"\n").expect("the folder is ours");
    let tested = tested(&[Case::of(&log).expect("it is a log")]);
    let Standing::Broken(trouble) = &tested[0].standing else {
        panic!("{:?}", tested[0].standing);
    };
    let told = trouble.to_string();
    assert!(
        told.contains("there is no such file") && told.contains("inputs = \"generated\""),
        "{told}"
    );
}

/// Fails if what is drawn otherwise is passed over where nothing is decided by it, or held where it is fed back.
#[test]
fn a_run_that_is_held_to_its_seed_is_held_to_what_is_drawn() {
    let kept = root().join(FOLDER).join("drawn/still-market.dlog.gz");
    let drawn_otherwise = begun_with(&log_bytes(&kept).expect("the log is read"), |plan| {
        let MarketConfig::Generated(generated) = &mut plan.system.market else {
            panic!("its prices are not generated");
        };
        // Nobody decides anything by the size of a trade.
        let size = &mut generated.symbols[0].trade_size;
        *size += *size;
    });
    let but_for_trades = "inputs = \"generated\"\nignore = [\"market trade\"]\n";
    assert_differs(&drawn_otherwise, "inputs = \"generated\"\n", true);
    assert_differs(&drawn_otherwise, but_for_trades, false);
    assert_differs(&drawn_otherwise, "inputs = \"recorded\"\n", false);
}

/// Fails if a kind that counts beside those of the level does not, or any other does.
#[test]
fn a_log_may_be_held_to_what_a_model_is_told() {
    let kept = root().join(FOLDER).join("drawn/prompt-forms.dlog.gz");
    let told_otherwise = begun_with(&log_bytes(&kept).expect("the log is read"), |plan| {
        let AgentKind::Llm(model) = &mut plan.system.agents.trading_decision else {
            panic!("it is no model");
        };
        let template = model.template.text.as_mut().expect("it has one");
        template.push_str("Be brief.");
    });
    assert_differs(&told_otherwise, "also = [\"model asked\"]\n", true);
    assert_differs(&told_otherwise, "", false);
}

/// Holds a log to what the file beside it says.
fn assert_differs(log: &[u8], beside: &str, differs: bool) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("told.dlog.gz");
    write_log(&path, log).expect("the log is written");
    fs::write(folder.path().join("told.golden.toml"), beside).expect("the folder is ours");
    let tested = tested(&[Case::of(&path).expect("it is a log")]);
    let standing = &tested[0].standing;
    let told = matches!(standing, Standing::Differs(_));
    assert_eq!(told, differs, "{beside}: {standing:?}");
    assert!(differs || standing.is_good(), "{beside}: {standing:?}");
}

/// Fails if a run that is made from its seed reads a file as if it were the one that was read before.
#[test]
fn a_file_that_is_another_by_now_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (name, data) = ("tape-of-trades.dlog.gz", "data/forms/tape-trades.csv");
    let log = folder.path().join(name);
    fs::copy(root().join(FOLDER).join("read").join(name), &log).expect("the log is there");
    let beside = folder.path().join("tape-of-trades.golden.toml");
    fs::write(beside, "inputs = \"generated\"\n").expect("the folder is ours");
    fs::create_dir_all(folder.path().join("data/forms")).expect("the folder is ours");
    let text = fs::read_to_string(root().join("scenarios").join(data)).expect("it is there");
    let other = text.replacen("USDT,0.1", "USDT,0.2", 1);
    for (text, is_same) in [(text, true), (other, false)] {
        fs::write(folder.path().join(data), text).expect("the folder is ours");
        let tested = tested(&[Case::of(&log).expect("it is a log")]);
        match &tested[0].standing {
            Standing::Same { .. } => assert!(is_same),
            Standing::Broken(trouble) => {
                let told = trouble.to_string();
                assert!(!is_same && told.contains(data), "{told}");
                assert!(told.contains("not as it was"), "{told}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Fails if views that read the same events otherwise are told as one reason whatever they read, or apart although
/// they read the same thing.
#[test]
fn states_that_are_read_otherwise_are_told_by_what_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let kept = root().join(FOLDER);
    let changes = [
        ("deadlock", "published", "bus"),
        ("forgotten-halt", "published", "bus"),
        ("broken-subscriber", "signals", "coordinator"),
    ];
    let cases = changes.map(|(name, field, part)| {
        let [log, state] = ["dlog.gz", "state.json"].map(|end| format!("{name}.{end}"));
        fs::copy(kept.join(&log), folder.path().join(&log)).expect("the log is there");
        let text = fs::read_to_string(kept.join(&state)).expect("the state is there");
        let mut json: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        json["view"][part][field] = "another".into();
        fs::write(folder.path().join(&state), json.to_string()).expect("the folder is ours");
        Case::of(&folder.path().join(&log)).expect("it is a log")
    });
    let told = by_cause(&tested(&cases));
    let told: Vec<(usize, &str)> = told
        .iter()
        .map(|it| (it.of.len(), it.what.as_str()))
        .collect();
    let line =
        |field| format!("the view of orchestration: the same events, another state in {field}");
    let [bus, coordinator] =
        ["state.view.bus.published", "state.view.coordinator.signals"].map(line);
    assert_eq!(told, [(2, bus.as_str()), (1, coordinator.as_str())]);
}

/// The golden logs as other code would have made them, in a folder of their own.
fn as_if(change: &dyn Fn(&mut Plan<Config>), into: &Path) -> Vec<Case> {
    let cases = find(&[root().join(FOLDER)]).expect("the folder is read");
    for case in cases {
        let bytes = fs::metadata(&case.path).expect("the log is there").len();
        // The short ones are enough, and quick.
        if bytes > 6_000 {
            continue;
        }
        let log = log_bytes(&case.path).expect("the log is read");
        let name = case.path.file_name().expect("it has a name");
        let told = begun_with(&log, change);
        write_log(&into.join(name), &told).expect("the log is written");
    }
    find(&[into.to_owned()]).expect("the folder is read")
}

type Changed = (&'static str, fn(&mut Plan<Config>), &'static [&'static str]);

fn on(plan: &mut Plan<Config>, defect: &str) {
    plan.defects.push(defect.to_owned());
}

/// Changes that need no other program: constants of the plan, and switches, each a condition at one place.
const CHANGES: [Changed; 8] = [
    (
        "more boost",
        |plan| plan.system.consensus.max_confidence_boost *= 0.9,
        &["consensus built"],
    ),
    (
        "another share of the budget",
        |plan| plan.system.conflicts.primary_share_pct = 10,
        &["call cancelled", "conflict resolved", "timer fired"],
    ),
    (
        "a lower threshold",
        |plan| plan.system.degradation.failures_per_level = 2,
        &["outcome counted", "state restored"],
    ),
    (
        "evidence of any symbol",
        |plan| on(plan, "no-symbol-filter"),
        &["consensus built"],
    ),
    (
        "orders before they are noted",
        |plan| on(plan, "unknown-action-sells"),
        &["signal dropped", "consensus built"],
    ),
    (
        "handlers under the lock",
        |plan| on(plan, "handler-under-lock"),
        &["delivered", "run ended"],
    ),
    (
        "a halt ends by itself",
        |plan| on(plan, "halt-lifted-by-pause"),
        &["state changed", "published", "schedule ended"],
    ),
    (
        "no breaker for handlers",
        |plan| on(plan, "no-handler-breaker"),
        &["unsubscribed", "published", "delivered", "handler failed"],
    ),
];

/// Fails if a change goes unnoticed, is named somewhere else, or falls apart into many reasons.
#[test]
fn a_change_is_noticed_where_one_would_look_and_told_once() {
    let mut wrong = Vec::new();
    for (name, change, points_at) in CHANGES {
        let folder = tempfile::tempdir().expect("a folder");
        let all = tested(&as_if(&change, folder.path()));
        let mut causes = by_cause(&all);
        causes.retain(|cause| matches!(all[cause.of[0]].standing, Standing::Differs(_)));
        let differ = causes.iter().map(|cause| cause.of.len()).sum::<usize>();
        let Some(largest) = causes.first() else {
            wrong.push(format!("{name} is not noticed"));
            continue;
        };
        if largest.of.len() * 100 < differ * 95 {
            wrong.push(format!("{name}: {differ} logs fall apart: {causes:#?}"));
        }
        let Standing::Differs(apart) = &all[largest.of[0]].standing else {
            panic!("{name}: a reason names what does not differ");
        };
        let mut kinds = Vec::new();
        for difference in [
            Some(&apart.difference),
            apart.detail.as_ref().map(|it| &it.difference),
        ] {
            let sides = difference
                .into_iter()
                .flat_map(|it| [&it.expected, &it.actual]);
            kinds.extend(sides.flatten().map(|line| line.kind));
        }
        if !kinds.iter().any(|kind| points_at.contains(kind)) {
            wrong.push(format!("{name}: {kinds:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

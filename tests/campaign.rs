//! Campaigns over the general scenario, and short ones over every other, with every property and nothing else to judge by.
//! A long one over the general scenario has to reach everything that it means to try.
//!
//! A build for release, as mistakes are tried with, runs more of each. `DACAPO_CAMPAIGN_SEEDS` says how many seeds of the
//! general scenario are run.

use std::path::Path;

use dacapo_lab::Swarm;
use dacapo_lab::fuzz::{Campaign, Report, Runs, Seeds, Shard, caught};
use dacapo_lab::scenario::Overrides;

use dacapo_orchestration::Orchestration;
use dacapo_tests::root;

/// How many seeds are run unless the environment says otherwise.
const SEEDS: &str = if cfg!(debug_assertions) { "40" } else { "4000" };

/// From how many runs of the general scenario on each kind of thing has happened.
const ENOUGH: u64 = 4_000;

/// How many of every other scenario.
const FEW: Seeds = Seeds {
    from: 0,
    to: if cfg!(debug_assertions) { 3 } else { 30 },
    shard: Shard::ALL,
};

/// Twenty years with faults take minutes: what they add to a shorter run is nothing that a property looks at.
const TOO_LONG: &str = "sp500.toml";

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds a test runs is nothing that is simulated"
)]
fn wanted() -> String {
    std::env::var("DACAPO_CAMPAIGN_SEEDS").unwrap_or_else(|_| SEEDS.to_owned())
}

#[test]
fn nothing_fails_in_the_general_scenario_and_everything_is_reached() {
    let seeds = wanted().parse();
    let seeds = seeds.expect("DACAPO_CAMPAIGN_SEEDS is a number or a range");
    let report = holds(&root().join("scenarios/general.toml"), seeds);
    println!("{} runs of {} events", report.runs, report.events);
    if report.runs >= ENOUGH {
        let never = unreached(&report);
        assert!(never.is_empty(), "never reached: {}", never.join(", "));
    }
}

/// What a campaign means to try and never did: properties that could not be evaluated in any run, what is to be reached
/// sometimes, kinds of fault.
fn unreached(report: &Report) -> Vec<&str> {
    let unjudged = report.properties.iter().filter(|count| count.runs == 0);
    let never = unjudged.chain(report.never());
    never.map(|count| count.id.as_str()).collect()
}

#[test]
fn nothing_fails_in_any_other_scenario() {
    let mut scenarios = 0;
    for folder in ["scenarios", "scenarios/defects", "scenarios/regressions"] {
        let entries = std::fs::read_dir(root().join(folder)).expect("it is a folder");
        for path in entries.map(|entry| entry.expect("it is listed").path()) {
            let is_scenario = path.extension().is_some_and(|it| it == "toml");
            if is_scenario && !path.ends_with("general.toml") && !path.ends_with(TOO_LONG) {
                holds(&path, FEW);
                scenarios += 1;
            }
        }
    }
    assert!(scenarios > 70, "{scenarios}");
}

/// Runs a campaign in which nothing may fail.
#[track_caller]
fn holds(scenario: &Path, seeds: Seeds) -> Report {
    let name = scenario.file_stem().expect("it is a file");
    let name = name.to_string_lossy();
    let keep = |seed: u64, log: &[u8]| {
        let path = std::env::temp_dir().join(format!("dacapo-campaign-{name}-{seed}.dlog"));
        std::fs::write(&path, log).map_err(|error| error.to_string())?;
        Ok(path)
    };
    let campaign = Campaign {
        scenario,
        overrides: &Overrides::default(),
        runs: Runs::Drawn(&Swarm::default()),
        seeds,
        jobs: 2,
        max_failures: None,
        sought: None,
        again_per_mille: 100,
        canary_per_mille: 0,
        caught,
        keep: Some(&keep),
    };
    let report = campaign
        .run::<Orchestration>(|_| true)
        .unwrap_or_else(|error| panic!("{error}"));
    let groups = report.groups.iter().map(|found| {
        let (group, seed) = (&found.group, found.seed);
        format!(
            "{name}, seed {seed}, {} runs: {}: {}",
            found.runs, group.property, group.cause
        )
    });
    let groups: Vec<String> = groups.collect();
    assert!(groups.is_empty(), "{}", groups.join("\n"));
    assert!(report.diverged.is_empty(), "{name}: {:?}", report.diverged);
    report
}

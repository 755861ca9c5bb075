//! A campaign over the general scenario, with every property and nothing else to judge by.
//!
//! `DACAPO_CAMPAIGN_SEEDS` says how many seeds are run.

use std::path::PathBuf;

use dacapo_lab::Swarm;
use dacapo_lab::fuzz::{Campaign, Runs, Seeds, caught};
use dacapo_lab::scenario::Overrides;

use dacapo_orchestration::Orchestration;
use dacapo_tests::root;

/// How many seeds are run unless the environment says otherwise.
const SEEDS: &str = "40";

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds a test runs is nothing that is simulated"
)]
fn wanted() -> String {
    std::env::var("DACAPO_CAMPAIGN_SEEDS").unwrap_or_else(|_| SEEDS.to_owned())
}

#[test]
fn nothing_fails_in_the_general_scenario_and_every_run_is_made_again_the_same() {
    let seeds: Seeds = wanted()
        .parse()
        .expect("DACAPO_CAMPAIGN_SEEDS is a number or a range");
    let scenario: PathBuf = root().join("scenarios/general.toml");
    let keep = |seed: u64, log: &[u8]| {
        let path = std::env::temp_dir().join(format!("dacapo-campaign-{seed}.dlog"));
        std::fs::write(&path, log).map_err(|error| error.to_string())?;
        Ok(path)
    };
    let campaign = Campaign {
        scenario: &scenario,
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
    println!("{} runs of {} events", report.runs, report.events);
    let groups = report.groups.iter().map(|found| {
        let (group, seed) = (&found.group, found.seed);
        format!(
            "seed {seed}, {} runs: {}: {}",
            found.runs, group.property, group.cause
        )
    });
    let groups: Vec<String> = groups.collect();
    assert!(groups.is_empty(), "{}", groups.join("\n"));
    assert!(report.diverged.is_empty(), "{:?}", report.diverged);
}

//! The examples of the scenario reference are scenarios: each fits the least one that runs.

use std::fs;
use std::path::Path;

use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_tests::root;
use toml::{Table, Value};

/// Where the orchestration's own part of the reference begins.
const BEGINNING: &str = "# The sections of the orchestration";

/// What every example is added to.
const LEAST: &str = r#"
name = "least"
symbols = ["BTC/USDT", "XRP/USDT"]

[run]
duration = "10m"

[market]
source = "none"
"#;

/// The TOML of a page's code blocks, each with the number of its first line.
fn examples(page: &str) -> Vec<(usize, String)> {
    let mut examples: Vec<(usize, String)> = Vec::new();
    let mut within = false;
    for (number, line) in (1..).zip(page.lines()) {
        match line.trim() {
            "```toml" => {
                within = true;
                examples.push((number + 1, String::new()));
            }
            "```" => within = false,
            _ if within => {
                if let Some((_, text)) = examples.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            _ => {}
        }
    }
    examples
}

/// What is wrong with an example, if anything is.
fn mistake(example: &str, folder: &Path) -> Option<String> {
    let mut scenario: Table = toml::from_str(LEAST).expect("the least scenario is TOML");
    let said: Table = match toml::from_str(example) {
        Ok(said) => said,
        Err(error) => return Some(error.to_string()),
    };
    for (key, value) in said {
        scenario.insert(key, value);
    }
    let path = folder.join("example.toml");
    let text = toml::to_string(&Value::Table(scenario)).expect("a table is TOML");
    fs::write(&path, text).expect("the scenario is written");
    let loaded = load::<Orchestration>(&path, &Overrides::default());
    loaded.err().map(|error| error.to_string())
}

/// A folder with the data that examples name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the scenarios");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder for the data");
    let tape = "binance-2025-03-25.csv.gz";
    let from = root().join("scenarios/data").join(tape);
    fs::copy(from, data.join(tape)).expect("the tape is copied");
    // A scenario loads if its files are there; what is in them is looked at when it runs.
    for name in ["btc.csv", "xrp.csv", "signals.csv"] {
        fs::write(data.join(name), "").expect("a file is written");
    }
    folder
}

#[test]
fn every_example_of_the_reference_is_a_scenario() {
    let page = fs::read_to_string(root().join("docs/scenarios.md")).expect("the reference is read");
    let begins = page.lines().position(|line| line == BEGINNING);
    let begins = begins.expect("the reference has a part on the orchestration");
    let folder = folder();
    let examples = examples(&page).into_iter();
    let own: Vec<_> = examples.filter(|(number, _)| *number > begins).collect();
    assert!(own.len() > 20, "only {} examples were found", own.len());
    let wrong = own.iter().filter_map(|(number, example)| {
        let what = mistake(example, folder.path())?;
        Some(format!("docs/scenarios.md:{number}: {what}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_example_with_a_key_that_does_not_exist_is_noticed() {
    let folder = folder();
    let told = mistake("[coordinator]\nsignal_queues = 8\n", folder.path());
    assert!(told.is_some_and(|told| told.contains("signal_queues")));
    assert!(mistake("[coordinator]\nsignal_queue = 8\n", folder.path()).is_none());
}

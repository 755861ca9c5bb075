//! What is declared in another order changes its own order and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dacapo_kernel::Time;
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::Topic;
use dacapo_tests::{Story, events, record, root, set};
use tempfile::tempdir;

#[test]
fn the_sections_of_a_scenario_may_stand_in_any_order() {
    for story in Story::ALL {
        let folder = tempdir().expect("a temporary folder can be made");
        copy_data(&folder.path().join("data"));
        let text = fs::read_to_string(story.path()).expect("the scenario ships with the project");
        let backwards = backwards(&text);
        assert_ne!(backwards, text);
        let path = folder.path().join("backwards.toml");
        fs::write(&path, backwards).expect("the folder is ours");
        let log = record(&path, &Overrides::default()).log;
        assert!(
            log == story.log(),
            "{story:?} depends on the order of its sections"
        );
    }
}

/// The order in which symbols are declared is the order in which they are asked about at one
/// instant. What is found out about each of them is the same.
#[test]
fn the_order_of_symbols_changes_no_price_and_no_analysis() {
    let day = |symbols: &str| {
        let symbols = format!("symbols={symbols}");
        let values = ["run.duration=4h", symbols.as_str()];
        by_symbol(&record(&Story::Day.path(), &set(&values)).log)
    };
    let declared = day(r#"["BTC/USDT", "XRP/USDT", "XRP/BTC"]"#);
    let backwards = day(r#"["XRP/BTC", "XRP/USDT", "BTC/USDT"]"#);
    assert_eq!(declared.len(), 3);
    for (symbol, expected) in &declared {
        assert!(
            expected.len() > 400,
            "{symbol}: only {} events",
            expected.len()
        );
        assert_eq!(backwards.get(symbol), Some(expected), "{symbol}");
    }
}

/// The same for the symbols of a generated market: each follows a path of its own.
#[test]
fn the_order_of_generated_markets_changes_no_price() {
    let text = fs::read_to_string(Story::Day.path()).expect("the scenario ships with the project");
    let lines: Vec<&str> = text.lines().collect();
    let market = |line: &&str| line.trim_start().starts_with("{ symbol = ");
    let first = lines
        .iter()
        .position(market)
        .expect("markets are listed one a line");
    let count = lines.iter().filter(|line| market(line)).count();
    assert_eq!(count, 3);
    let mut backwards = lines.clone();
    backwards[first..first + count].reverse();

    let folder = tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("day.toml");
    fs::write(&path, backwards.join("\n")).expect("the folder is ours");
    let hours = set(&["run.duration=4h"]);
    let prices = |path: &Path| by_symbol(&record(path, &hours).log);
    assert_eq!(prices(&path), prices(&Story::Day.path()));
}

/// What is found out about each symbol, and when: its trades, and what the agents that look at
/// the market alone say of it.
fn by_symbol(log: &[u8]) -> BTreeMap<String, Vec<(Time, String)>> {
    let mut found: BTreeMap<String, Vec<(Time, String)>> = BTreeMap::new();
    let mut note = |symbol: &str, time, what: String| {
        found
            .entry(symbol.to_owned())
            .or_default()
            .push((time, what));
    };
    for event in events(log) {
        match event.domain() {
            Some(DomainEvent::MarketTrade(trade)) => {
                note(trade.symbol.as_str(), event.time, trade.price.to_string());
            }
            Some(DomainEvent::Published(published))
                if matches!(
                    published.message.topic,
                    Topic::TaSignals | Topic::RegimeUpdates
                ) =>
            {
                let payload = published.message.payload.to_json();
                let symbol = payload["symbol"]
                    .as_str()
                    .expect("an analysis names its symbol");
                note(symbol, event.time, payload.to_string());
            }
            _ => {}
        }
    }
    found
}

/// The sections of a scenario file from the last to the first, after what stands before them.
fn backwards(text: &str) -> String {
    let mut sections = vec![String::new()];
    for line in text.lines() {
        if line.starts_with('[') {
            sections.push(String::new());
        }
        let section = sections
            .last_mut()
            .expect("there is one from the beginning");
        section.push_str(line);
        section.push('\n');
    }
    sections[1..].reverse();
    sections.concat()
}

fn copy_data(to: &Path) {
    fs::create_dir(to).expect("the folder is new");
    let data = fs::read_dir(root().join("scenarios/data")).expect("data ships with the project");
    for entry in data {
        let from = entry.expect("the folder can be read").path();
        let name = from.file_name().expect("a file has a name");
        if from.is_file() {
            fs::copy(&from, to.join(name)).expect("a file can be copied");
        }
    }
}

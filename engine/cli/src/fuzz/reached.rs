//! What the runs of a campaign reached: in how many each property could be evaluated, what came up
//! sometimes, which faults struck.

use dacapo_lab::fuzz::{Campaign, Count, Report, Runs};
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::text::grouped;

/// How many names of what was never reached are told, unless all are wanted.
const NEVER: usize = 12;

/// Properties and what is to be reached, each with a number of runs: those that are rare, unless
/// everything is wanted.
///
/// Where only crashes are gone through, nothing else is to be reached.
pub(super) fn tell(report: &Report, campaign: &Campaign<'_>, screen: &mut Screen<'_>) {
    if report.runs == 0 {
        return;
    }
    if matches!(campaign.runs, Runs::Crashes(_)) {
        screen.line("");
        line("evaluable", "properties", &report.properties, 0, screen);
        return;
    }
    screen.line("");
    line(
        "evaluable",
        "properties",
        &report.properties,
        report.runs,
        screen,
    );
    line(
        "reached",
        "sometimes-properties",
        &report.sometimes,
        report.runs,
        screen,
    );
    line(
        "struck",
        "kinds of fault",
        &report.faults,
        report.runs,
        screen,
    );
    if screen.verbose {
        let columns = ["property", "evaluable in", "what must hold"];
        screen.table("Properties", &columns, &rows(&report.properties));
        let columns = ["sometimes", "reached in", "what that is"];
        screen.table("Reached", &columns, &rows(&report.sometimes));
        let columns = ["fault", "struck in", "what it does"];
        screen.table("Faults", &columns, &rows(&report.faults));
    }
}

/// What is said of what was never reached: all of its names, or the first few.
pub(super) fn never_reached(names: &[&str], all: bool) -> String {
    let told = if all {
        names.len()
    } else {
        NEVER.min(names.len())
    };
    let mut text = format!("never reached: {}", names[..told].join(", "));
    if told < names.len() {
        let more = names.len() - told;
        text.push_str(&format!(" and {more} more, which --verbose names"));
    }
    text
}

/// How many of a list came up at all; and the rarest among so many runs.
fn line(word: &str, of: &str, counts: &[Count], among: u64, screen: &mut Screen<'_>) {
    if counts.is_empty() {
        return;
    }
    let met = counts.iter().filter(|count| count.runs > 0).count();
    let mut text = format!("  {word:11}  {met} of {} {of}", counts.len());
    let mut rare: Vec<&Count> = counts
        .iter()
        .filter(|count| count.runs * 50 < among)
        .collect();
    rare.sort_by_key(|count| count.runs);
    let few: Vec<String> = rare
        .iter()
        .take(6)
        .map(|count| format!("{} in {}", count.id, grouped(count.runs)))
        .collect();
    if !few.is_empty() {
        text.push_str(&format!("; rarely: {}", few.join(", ")));
        if rare.len() > few.len() {
            text.push_str(&format!(" and {} more", rare.len() - few.len()));
        }
    }
    screen.line(Screen::safe(text));
}

fn rows(counts: &[Count]) -> Vec<Vec<String>> {
    let row = |count: &Count| {
        vec![
            count.id.clone(),
            grouped(count.runs),
            count.meaning.to_owned(),
        ]
    };
    counts.iter().map(row).collect()
}

/// The same as JSON.
pub(super) fn counts(counts: &[Count]) -> Vec<Value> {
    let count = |count: &Count| json!({"id": count.id, "runs": count.runs});
    counts.iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a long list hides what a campaign fails for, or fills the screen of one that passes.
    #[test]
    fn a_long_list_is_cut_where_nothing_fails_for_it() {
        let names: Vec<String> = (1..=14).map(|number| format!("n{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let cut = never_reached(&names, false);
        assert!(
            cut.ends_with("n11, n12 and 2 more, which --verbose names"),
            "{cut}"
        );
        assert!(never_reached(&names, true).ends_with("n13, n14"));
        assert_eq!(never_reached(&names[..2], false), "never reached: n1, n2");
    }
}

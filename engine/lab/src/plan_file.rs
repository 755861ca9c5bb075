//! A resolved plan as a scenario file that a person can read, and that loads as that very plan.
//!
//! What a run is about comes first, then what goes wrong in it, then the system's own sections.
//! Data files are named as the plan names them: whoever writes the file sees to it that they lie
//! beside it.

mod defaults;
mod fault_section;
mod toml_text;

use dacapo_kernel::{Budgets, Plan, SchedulerKind, System, Time};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::defects::beyond_profile;
use crate::scenario::printable;

use self::toml_text::{on_a_line, quoted};

pub(crate) use self::fault_section::kind_of;

/// Why a plan cannot be written as a scenario file.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The system's part is no table.
    #[error("the system's configuration is no table of keys, which a scenario file consists of")]
    NoTable,
    /// A list has a hole.
    #[error("a list of the system's configuration has an absent item, which TOML cannot write")]
    Null,
    /// The system's part cannot be serialised.
    #[error("the system's configuration cannot be written: {0}")]
    Config(#[from] serde_json::Error),
    /// The wall clock at the beginning has no date.
    #[error("the start {0} ns since 1970 is no date that a scenario file can have")]
    Start(i64),
}

/// The text of a scenario file that loads as this plan.
///
/// # Errors
/// If the plan holds something that no scenario file can say.
pub fn plan_file<S: System>(plan: &Plan<S::Config>) -> Result<String, PlanFileError> {
    let system = match serde_json::to_value(&plan.system)? {
        Value::Object(system) => system,
        Value::Null => Map::new(),
        _ => return Err(PlanFileError::NoTable),
    };
    let system = defaults::left_out::<S::Config>(system);
    let mut out = format!("name = {}\n", quoted(&plan.name));
    if !plan.story.is_empty() {
        out.push_str(&story(&plan.story));
    }
    let mut own = String::new();
    toml_text::lines(&system, &mut own)?;
    if !own.is_empty() {
        out.push('\n');
        out.push_str(&own);
    }
    run::<S>(plan, &mut out)?;
    for fault in &plan.faults.faults {
        fault_section::write::<S>(fault, &mut out);
    }
    budgets(&plan.budgets, &mut out)?;
    expect(plan, &mut out)?;
    toml_text::sections(&system, &mut out)?;
    Ok(out)
}

/// The story, over several lines if it is long: the loader joins them again.
fn story(story: &str) -> String {
    const LINE: usize = 96;
    let whole = format!("story = {}\n", quoted(story));
    if whole.chars().count() <= LINE {
        return whole;
    }
    let (mut out, mut line) = (String::from("story = \"\"\"\n"), String::new());
    for word in story.split_whitespace() {
        let word = quoted(word);
        let word = &word[1..word.len() - 1];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > LINE {
            out.push_str(&std::mem::take(&mut line));
            out.push('\n');
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push_str("\n\"\"\"\n");
    out
}

fn run<S: System>(plan: &Plan<S::Config>, out: &mut String) -> Result<(), PlanFileError> {
    out.push_str("\n[run]\n");
    out.push_str(&format!("seed = {:#x}\n", plan.seed));
    let start = Timestamp::from_nanosecond(i128::from(plan.start_unix_ns))
        .map_err(|_| PlanFileError::Start(plan.start_unix_ns))?;
    out.push_str(&format!("start = \"{start}\"\n"));
    if let Some(ns) = plan.duration_ns {
        out.push_str(&format!("duration = \"{}\"\n", duration(ns)));
    }
    let named = |(_, kind): &&(&str, SchedulerKind)| *kind == plan.scheduler;
    if let Some((name, _)) = SchedulerKind::NAMES.iter().find(named) {
        out.push_str(&format!("scheduler = \"{name}\"\n"));
    }
    if !plan.profile.is_empty() {
        out.push_str(&format!("profile = {}\n", quoted(&plan.profile)));
    }
    let (added, _) = beyond_profile::<S>(plan);
    if !added.is_empty() {
        out.push_str(&format!("defects = {}\n", on_a_line(&json!(added))?));
    }
    if let Some(quiet) = plan.faults.quiet_from {
        let quiet = duration(quiet.as_nanos());
        out.push_str(&format!("quiet_from = \"{quiet}\"\n"));
    }
    Ok(())
}

/// The bounds that are not as usual.
fn budgets(budgets: &Budgets, out: &mut String) -> Result<(), PlanFileError> {
    let (mine, usual) = (
        serde_json::to_value(budgets)?,
        serde_json::to_value(Budgets::default())?,
    );
    let mut differing = Map::new();
    for (key, value) in mine.as_object().into_iter().flatten() {
        if usual.get(key) != Some(value) {
            differing.insert(key.clone(), value.clone());
        }
    }
    if !differing.is_empty() {
        out.push_str("\n[budgets]\n");
        toml_text::lines(&differing, out)?;
    }
    Ok(())
}

fn expect<C>(plan: &Plan<C>, out: &mut String) -> Result<(), PlanFileError> {
    if let Some(verdict) = &plan.expect.verdict {
        out.push_str(&format!("\n[expect]\nverdict = {}\n", quoted(verdict)));
    }
    if !plan.expect.figures.is_empty() {
        let mut figures = Map::new();
        for bound in &plan.expect.figures {
            let bounds = json!({ "at_least": bound.at_least, "at_most": bound.at_most });
            figures.insert(bound.figure.clone(), bounds);
        }
        out.push_str("\n[expect.figures]\n");
        for (figure, bounds) in &figures {
            // On a line each, however long.
            out.push_str(&format!(
                "{} = {}\n",
                toml_text::key(figure),
                on_a_line(bounds)?
            ));
        }
    }
    Ok(())
}

/// A span of nanoseconds as a scenario file has it, such as `1h 2m 250ms`.
pub(crate) fn duration(ns: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let (mut left, mut parts) = (ns, Vec::new());
    for (unit, name) in UNITS {
        if left >= unit {
            parts.push(format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    if parts.is_empty() {
        return "0s".to_owned();
    }
    parts.join(" ")
}

/// An instant of a run as a span since its beginning.
pub(crate) fn since_start(at: Time) -> String {
    duration(at.as_nanos())
}

/// A sentence as a comment.
fn comment(text: &str) -> String {
    format!("# {}\n", printable(text))
}

//! What is to be said of a run: the properties that failed, and what was expected of it.
//!
//! A run fails by its verdict, by a property, or by a figure that is not as expected. A verdict
//! that the scenario expects is not a failure, nor is the property that says the same.

use dacapo_kernel::{
    Budget, Checked, Cycle, Figure, Finding, Plan, Seq, Switch, System, Verdict, Wait, Waiting,
    World,
};

use crate::tell::waits;

/// What is to be said of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// What failed, in the order in which it was noticed.
    pub failures: Vec<Failure>,
    /// The budget that the run used up, unless that was expected.
    pub exhausted: Option<Budget>,
    /// What the scenario expects, and what is.
    pub expectations: Vec<Expectation>,
    /// The figures of the run.
    pub figures: Vec<Figure>,
}

/// One thing that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The property, or `verdict`, or `figure` with its name.
    pub property: String,
    /// The event at which it failed; none if only the end showed it.
    pub at: Option<Seq>,
    /// What should be.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// Who waits for whom, one text for each wait.
    pub waits: Vec<String>,
    /// The defects that are on and that this property is said to notice.
    pub defects: Vec<&'static str>,
}

/// One expectation of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What it is about.
    pub of: String,
    /// What is expected.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// Whether the two agree.
    pub met: bool,
}

/// What is known of a run when it is over, be it from running it or from its log.
pub struct Ended<'a, S: System> {
    /// What was planned.
    pub plan: &'a Plan<S::Config>,
    /// How it ended; none if the log does not say.
    pub verdict: Option<&'a Verdict>,
    /// The last state.
    pub world: &'a World<S::View>,
    /// What the properties say.
    pub findings: &'a [Checked],
}

impl Judgement {
    /// Whether nothing failed.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && self.exhausted.is_none()
    }
}

/// Judges a run.
pub fn judge<S: System>(ended: &Ended<'_, S>) -> Judgement {
    let figures = S::figures(ended.world);
    let mut failures = violated(ended);
    let expected_verdict = expected_verdict(ended.plan);
    let mut expectations = Vec::new();
    let mut exhausted = None;
    if let Some(verdict) = ended.verdict {
        let met = verdict.name() == expected_verdict;
        expectations.push(Expectation {
            of: "verdict".to_owned(),
            expected: expected_verdict.to_owned(),
            actual: verdict.name().to_owned(),
            met,
        });
        match verdict {
            _ if met => {}
            Verdict::Exhausted(budget) => exhausted = Some(*budget),
            _ => failures.extend(failure_of(verdict, expected_verdict, ended)),
        }
    }
    for bound in &ended.plan.expect.figures {
        let expectation = bounded(bound, &figures);
        // A run that used up a budget says nothing of what would have come.
        if !expectation.met && exhausted.is_none() {
            failures.push(Failure {
                property: expectation.of.clone(),
                at: None,
                expected: expectation.expected.clone(),
                actual: expectation.actual.clone(),
                waits: Vec::new(),
                defects: Vec::new(),
            });
        }
        expectations.push(expectation);
    }
    label::<S>(ended.plan, &mut failures);
    Judgement {
        failures,
        exhausted,
        expectations,
        figures,
    }
}

/// Says of each failure which of the defects that are on it is assigned to.
fn label<S: System>(plan: &Plan<S::Config>, failures: &mut [Failure]) {
    if failures.is_empty() || plan.defects.is_empty() {
        return;
    }
    let mut switches = S::defects();
    switches.retain(|switch| plan.defects.iter().any(|on| on == switch.name));
    for failure in failures {
        let mine = switches
            .iter()
            .filter(|switch| catches(switch, &failure.property));
        failure.defects = mine.map(|switch| switch.name).collect();
    }
}

/// Whether a property is one of those that notice a defect.
pub fn catches(switch: &Switch, property: &str) -> bool {
    caught_by(switch).any(|id| id == property)
}

/// The properties that notice a defect.
pub(crate) fn caught_by(switch: &Switch) -> impl Iterator<Item = &'static str> {
    let ids = switch.caught_by.split(',').map(str::trim);
    // A list for people says `the verdict`.
    ids.map(|id| id.strip_prefix("the ").unwrap_or(id))
}

fn expected_verdict<C>(plan: &Plan<C>) -> &str {
    plan.expect.verdict.as_deref().unwrap_or("complete")
}

/// The properties that were violated, without the one that only repeats an expected verdict.
fn violated<S: System>(ended: &Ended<'_, S>) -> Vec<Failure> {
    let expects_deadlock = expected_verdict(ended.plan) == "deadlock"
        && matches!(ended.verdict, Some(Verdict::Deadlock(_)));
    let mut failures = Vec::new();
    for checked in ended.findings {
        let Finding::Violated { at, what } = &checked.finding else {
            continue;
        };
        let cycle = at.and_then(|at| cycle_at(ended.world, at));
        if cycle.is_some() && expects_deadlock {
            continue;
        }
        let (expected, actual) = match cycle {
            Some(cycle) => (checked.statement.to_owned(), in_short(cycle)),
            None => expected_and_actual(checked.statement, what),
        };
        failures.push(Failure {
            property: checked.id.to_owned(),
            at: *at,
            expected,
            actual,
            waits: cycle.map_or_else(Vec::new, waits),
            defects: Vec::new(),
        });
    }
    failures
}

fn in_short(cycle: &Cycle) -> String {
    let end = if cycle.breakable {
        "a timeout can break it"
    } else {
        "nothing can break it"
    };
    match cycle.links.len() {
        1 => format!("a task waits for itself, {end}"),
        many => format!("{many} tasks wait for each other, {end}"),
    }
}

/// What a task of a stalled run waits for: a lock by its name, where it is one.
fn wanted<V>(world: &World<V>, waiting: &Waiting) -> String {
    let wait = world
        .processes
        .get(&waiting.task)
        .and_then(|process| process.wait.as_ref());
    match wait {
        Some(Wait::Lock { lock, .. }) => match world.contended.get(lock) {
            Some(contention) => contention.name.to_string(),
            None => waiting.wait.clone(),
        },
        Some(Wait::Join { on, .. }) => match world.processes.get(on) {
            Some(other) => format!("the end of {} ({on})", other.name),
            None => waiting.wait.clone(),
        },
        None => waiting.wait.clone(),
    }
}

fn cycle_at<V>(world: &World<V>, at: Seq) -> Option<&Cycle> {
    let found = world.cycles.iter().find(|(seq, _)| *seq == at);
    found.map(|(_, cycle)| cycle)
}

/// A property says `expected A, found B`, or anything else beside its statement.
fn expected_and_actual(statement: &str, what: &str) -> (String, String) {
    let parts = what
        .strip_prefix("expected ")
        .and_then(|rest| rest.split_once(", found "));
    match parts {
        Some((expected, actual)) => (expected.to_owned(), actual.to_owned()),
        None => (statement.to_owned(), what.to_owned()),
    }
}

/// The failure that a verdict is, unless a property has said the same already.
fn failure_of<S: System>(
    verdict: &Verdict,
    expected: &str,
    ended: &Ended<'_, S>,
) -> Option<Failure> {
    let (at, actual, waits) = match verdict {
        Verdict::Deadlock(cycle) => {
            let last = ended.world.cycles.last().map(|(seq, _)| *seq);
            let is_said = |checked: &Checked| matches!(checked.finding, Finding::Violated { at, .. } if at.is_some() && at == last);
            if ended.findings.iter().any(is_said) {
                return None;
            }
            (last, format!("deadlock: {}", in_short(cycle)), waits(cycle))
        }
        Verdict::Stall(waiting) => {
            let lines = waiting.iter().map(|w| {
                format!(
                    "{} ({}) ─waits for→ {}",
                    w.name,
                    w.task,
                    wanted(ended.world, w)
                )
            });
            let actual = "stall: nothing can run and nothing will come".to_owned();
            (None, actual, lines.collect())
        }
        Verdict::Panic(_) => {
            // The panic ended the run: the event before its last one is the end of the task.
            let end = ended.world.last.and_then(|last| last.0.checked_sub(1));
            (end.map(Seq), verdict.to_string(), Vec::new())
        }
        other => (None, other.to_string(), Vec::new()),
    };
    Some(Failure {
        property: "verdict".to_owned(),
        at,
        expected: expected.to_owned(),
        actual,
        waits,
        defects: Vec::new(),
    })
}

fn bounded(bound: &dacapo_kernel::FigureBound, figures: &[Figure]) -> Expectation {
    let expected = match (bound.at_least, bound.at_most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "any value".to_owned(),
    };
    let figure = figures.iter().find(|figure| figure.name == bound.figure);
    let (actual, met) = match figure {
        Some(figure) => {
            let above = bound.at_least.is_none_or(|least| figure.value >= least);
            let below = bound.at_most.is_none_or(|most| figure.value <= most);
            (figure.value.to_string(), above && below)
        }
        None => {
            let known: Vec<&str> = figures.iter().map(|figure| figure.name).collect();
            let known = known.join(", ");
            (format!("no such figure; there are: {known}"), false)
        }
    };
    Expectation {
        of: format!("figure {}", bound.figure),
        expected,
        actual,
        met,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_says_expected_and_found_is_split_there() {
        let split = expected_and_actual("one each", "expected 1, found 2");
        assert_eq!(split, ("1".to_owned(), "2".to_owned()));
        let whole = expected_and_actual("one each", "two of them");
        assert_eq!(whole, ("one each".to_owned(), "two of them".to_owned()));
    }

    #[test]
    fn a_figure_is_held_to_both_bounds_and_must_exist() {
        let figures = [Figure {
            name: "done",
            value: 5.0,
            meaning: "items done",
        }];
        let bound = |figure: &str, at_least, at_most| dacapo_kernel::FigureBound {
            figure: figure.to_owned(),
            at_least,
            at_most,
        };
        assert!(bounded(&bound("done", Some(5.0), Some(5.0)), &figures).met);
        assert!(!bounded(&bound("done", Some(5.5), None), &figures).met);
        assert!(!bounded(&bound("done", None, Some(4.0)), &figures).met);
        let missing = bounded(&bound("dnoe", None, None), &figures);
        assert!(!missing.met);
        assert_eq!(missing.actual, "no such figure; there are: done");
    }
}

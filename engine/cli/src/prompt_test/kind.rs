//! Which decisions a template is for, where logs have several kinds of them.

use dacapo_kernel::System;
use dacapo_lab::rehearing::Recorded;

use crate::exit::Problem;
use crate::text::{counted, grouped};

/// What all logs together have of one kind.
struct Sum {
    name: String,
    decisions: u64,
    passed_over: u64,
}

/// The kind that somebody names; else the one that is meant unless said otherwise, if there is anything of it; else the
/// only one that there is.
///
/// # Errors
/// If there is no such kind, or several could be meant.
pub(super) fn chosen<S: System>(
    named: Option<&str>,
    logs: &[Recorded<S>],
) -> Result<String, Problem> {
    let sums = sums(logs);
    if let Some(named) = named {
        if sums.iter().any(|sum| sum.name == named) {
            return Ok(named.to_owned());
        }
        let known: Vec<String> = sums.iter().map(told).collect();
        return Err(Problem::usage(format!(
            "--of {named}: no log has such decisions; the kinds are {}",
            known.join(", ")
        )));
    }
    let only = |count: &dyn Fn(&Sum) -> u64| {
        let mut some = sums.iter().filter(|sum| count(sum) > 0);
        let first = some.next();
        first.filter(|_| some.next().is_none())
    };
    let usual = sums.first();
    let found = usual
        .filter(|sum| sum.decisions > 0)
        .or_else(|| only(&|sum| sum.decisions));
    if let Some(found) = found {
        return Ok(found.name.clone());
    }
    let several: Vec<String> = sums
        .iter()
        .filter(|sum| sum.decisions > 0)
        .map(told)
        .collect();
    if !several.is_empty() {
        return Err(Problem::usage(format!(
            "the template could be for any of several kinds of decisions: {}; name one with --of",
            several.join(", ")
        )));
    }
    // Nothing can be put again: of what was passed over is told, if it is of one kind.
    let told = only(&|sum| sum.passed_over).or(usual);
    Ok(told.map(|sum| sum.name.clone()).unwrap_or_default())
}

/// What there is besides a kind, in words; empty if nothing is.
pub(super) fn besides<S: System>(kind: &str, logs: &[Recorded<S>]) -> String {
    let others = sums(logs)
        .into_iter()
        .filter(|sum| sum.name != kind && sum.decisions > 0);
    let others: Vec<String> = others.map(|sum| told(&sum)).collect();
    others.join(", ")
}

fn sums<S: System>(logs: &[Recorded<S>]) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    for kind in logs.iter().flat_map(|log| &log.kinds) {
        match sums.iter_mut().find(|sum| sum.name == kind.name) {
            Some(sum) => {
                sum.decisions += kind.decisions;
                sum.passed_over += kind.passed_over;
            }
            None => sums.push(Sum {
                name: kind.name.clone(),
                decisions: kind.decisions,
                passed_over: kind.passed_over,
            }),
        }
    }
    sums
}

/// A kind and how often it is there, as far as it can be put again.
fn told(sum: &Sum) -> String {
    let Sum {
        name,
        decisions,
        passed_over,
    } = sum;
    match (*decisions, *passed_over) {
        (0, 0) => format!("{name} (none)"),
        (0, some) => format!("{name} ({} that cannot be put again)", grouped(some)),
        (some, _) => format!("{name} ({})", counted(some, "decision", "decisions")),
    }
}

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
/// only one that there is; none where nothing can be put again.
///
/// # Errors
/// If there is no such kind, or several could be meant.
pub(super) fn chosen<S: System>(
    named: Option<&str>,
    logs: &[Recorded<S>],
) -> Result<Option<String>, Problem> {
    let sums = sums(logs);
    if let Some(named) = named {
        if sums.iter().any(|sum| sum.name == named) {
            return Ok(Some(named.to_owned()));
        }
        return Err(Problem::usage(format!(
            "--of {named}: no log has such decisions; the kinds are {}",
            all(logs)
        )));
    }
    let usual = sums.first();
    let mut some = sums.iter().filter(|sum| sum.decisions > 0);
    let only = some.next().filter(|_| some.next().is_none());
    let found = usual.filter(|sum| sum.decisions > 0).or(only);
    if let Some(found) = found {
        return Ok(Some(found.name.clone()));
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
    Ok(None)
}

/// Every kind that the logs may have, in words.
pub(super) fn all<S: System>(logs: &[Recorded<S>]) -> String {
    let all: Vec<String> = sums(logs).iter().map(told).collect();
    all.join(", ")
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

//! The runs of another program, an older one, to hold this one's against: its logs are golden logs that
//! nobody keeps.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use dacapo_lab::golden::{Case, CaseKind};
use tempfile::TempDir;

use crate::exit::{Exit, Problem};

/// What the other program made of the scenarios.
pub(super) struct Made {
    /// Its logs, each known by its scenario.
    pub(super) cases: Vec<Case>,
    /// Scenarios that it cannot run, and what it said.
    pub(super) skipped: Vec<(String, String)>,
    /// Where the logs are, until it is dropped.
    pub(super) folder: TempDir,
}

/// Runs every scenario with the other program.
pub(super) fn runs_of(program: &Path, cases: &[Case], jobs: usize) -> Result<Made, Problem> {
    let problem = |what: String| Problem::Other(Exit::Usage, what);
    if !program.is_file() {
        return Err(problem(format!(
            "{}: there is no such program",
            program.display()
        )));
    }
    // A name without a folder is a file here, not one that is searched for.
    let program = program
        .canonicalize()
        .map_err(|error| problem(format!("{}: {error}", program.display())))?;
    let folder = tempfile::tempdir().map_err(|error| {
        problem(format!(
            "no folder for the logs of the other program: {error}"
        ))
    })?;
    let scenarios: Vec<&Case> = cases
        .iter()
        .filter(|case| case.kind == CaseKind::Scenario)
        .collect();
    let next = AtomicUsize::new(0);
    let (send, receive) = channel();
    let (next, scenarios, folder_path) = (&next, &scenarios, folder.path());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, scenarios.len().max(1)) {
            let (send, program) = (send.clone(), &program);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = scenarios.get(at) else {
                        return;
                    };
                    let log = folder_path.join(format!("{at}.dlog"));
                    let output = Command::new(program)
                        .arg("run")
                        .arg(&case.path)
                        .arg("--out")
                        .arg(&log)
                        .args(["--quiet", "--color", "never"])
                        .output();
                    let told = match output {
                        Ok(_) if log.is_file() => None,
                        Ok(output) => Some(said(&output)),
                        Err(error) => Some(format!("it cannot be started: {error}")),
                    };
                    if send.send((at, log, told)).is_err() {
                        return;
                    }
                }
            });
        }
    });
    drop(send);
    let mut all: Vec<_> = receive.into_iter().collect();
    all.sort_by_key(|(at, _, _)| *at);
    let (mut found, mut skipped) = (Vec::new(), Vec::new());
    for (at, log, told) in all {
        let name = scenarios[at].name();
        match told {
            None => found.push(Case {
                path: log,
                known_as: Some(name),
                kind: CaseKind::Golden,
            }),
            Some(what) => {
                skipped.push((name, format!("the other program has no run of it: {what}")))
            }
        }
    }
    Ok(Made {
        cases: found,
        skipped,
        folder,
    })
}

/// What a program that made no log said, in a line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let first = text.lines().find(|line| !line.trim().is_empty());
    first
        .unwrap_or("it said nothing")
        .chars()
        .take(300)
        .collect()
}

//! Recorded end-to-end runs: each becomes a scenario file, is run as `dacapo run` does it, and is told
//! by its log.
//!
//! `DACAPO_E2E` names another folder of them than `tests/data/e2e`.

mod observed;
mod order;
mod play;
mod profiles;
mod sound;
mod words;

use std::sync::Arc;

use serde_json::Value;

use crate::case::Case;
use crate::folder::{E2E, File};

/// Every recorded run, under each profile.
pub(crate) fn cases() -> Vec<Case> {
    match E2E.files() {
        Ok(files) => files.iter().flat_map(cases_of).collect(),
        Err(error) => vec![Case::unreadable("e2e", "folder", error)],
    }
}

fn cases_of(file: &File) -> Vec<Case> {
    let File { stem, path, text } = file;
    let text = match text {
        Ok(text) => text,
        Err(error) => return vec![Case::unreadable("e2e", stem, format!("{path}: {error}"))],
    };
    let lines = (1..).zip(text.lines());
    let filled = lines.filter(|(_, line)| !line.trim().is_empty());
    let cases = filled.flat_map(|(number, line)| {
        let at = |error: String| {
            let place = format!("{path}:{number}: {error}");
            vec![Case::unreadable(
                "e2e",
                &format!("{stem}-line-{number}"),
                place,
            )]
        };
        match serde_json::from_str::<Value>(line) {
            Ok(run) if run["input"].is_object() && run["expected"].is_object() => {
                let id = run["id"].as_str().unwrap_or(stem).to_owned();
                profiles::cases(&id, &Arc::new(run))
            }
            Ok(_) => at("expected an `input` and an `expected`, found a run without".to_owned()),
            Err(error) => at(format!("expected JSON, found {error}")),
        }
    });
    cases.collect()
}

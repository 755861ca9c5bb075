//! Recorded end-to-end runs: whole scenarios with the events that they left.
//!
//! They are not replayed yet: each is listed as one that cannot be run.

use crate::case::Case;
use crate::folder::E2E;

/// Every recorded run.
pub(crate) fn cases() -> Vec<Case> {
    match E2E.files() {
        Ok(files) => files
            .iter()
            .map(|file| Case::ignored("e2e", &file.stem, "end-to-end runs are not replayed yet"))
            .collect(),
        Err(error) if E2E.given().is_some() => vec![Case::unreadable("e2e", "folder", error)],
        Err(_) => Vec::new(),
    }
}

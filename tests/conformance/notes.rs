//! What cases have to say beside passing or failing, told below the closing table.

use std::collections::{BTreeMap, BTreeSet};
#[expect(
    clippy::disallowed_types,
    reason = "cases run in threads; no run can see it"
)]
use std::sync::Mutex;

/// By heading; in the order of the names, whichever case ran first.
#[expect(clippy::disallowed_types, reason = "as above")]
static NOTES: Mutex<BTreeMap<&'static str, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// Adds a line under a heading.
pub(crate) fn add(heading: &'static str, line: String) {
    let mut notes = NOTES.lock().expect("nobody panics while adding a line");
    notes.entry(heading).or_default().insert(line);
}

/// Every heading with its lines.
pub(crate) fn all() -> BTreeMap<&'static str, BTreeSet<String>> {
    NOTES
        .lock()
        .expect("nobody panics while adding a line")
        .clone()
}

//! States of a long log, kept in a file beside it, so that the next look at it need not fold it from its beginning.
//!
//! The file is a help and no more: it belongs to this very log and this very program, whoever has another ignores it,
//! anybody may delete it, and where it cannot be written nothing is kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dacapo_kernel::log::Ending;
use dacapo_kernel::{Snapshots, System};

use crate::log_file::{self, with_affixes};

/// How many events lie between two states: no more than can be folded in a moment.
const EVERY: u64 = 65_536;

/// The states of a log.
pub(crate) struct KeptStates<S: System> {
    pub(crate) states: Snapshots<S>,
    /// Where they are kept; none for a log that may still grow.
    path: Option<PathBuf>,
}

impl<S: System> KeptStates<S> {
    /// What is kept beside a log that ends like this.
    pub(crate) fn of(log: &Path, ending: Ending) -> KeptStates<S> {
        let name = identity::<S>(ending);
        let path = name.is_some().then(|| with_affixes(log, "", ".states"));
        let of = name.unwrap_or_default();
        let text = path.as_ref().and_then(|path| fs::read(path).ok());
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        // Nothing is of no log.
        let states = Snapshots::read(text.unwrap_or_default(), EVERY, &of);
        KeptStates { states, path }
    }

    /// Keeps what is new.
    pub(crate) fn keep(self) {
        if let (Some(path), Some(text)) = (self.path, self.states.news()) {
            // Without it the next look takes as long as this one; that is no reason to complain.
            drop(log_file::write(&path, text.as_bytes()));
        }
    }
}

/// The log and the program: a log by its fingerprint, a program by the size and the age of its file.
fn identity<S: System>(ending: Ending) -> Option<String> {
    let Ending::Closed { chain, events } = ending else {
        return None;
    };
    let program = fs::metadata(std::env::current_exe().ok()?).ok()?;
    Some(format!(
        "{chain} of {events} events by {} {}-{}.{}",
        S::NAME,
        program.size(),
        program.mtime(),
        program.mtime_nsec(),
    ))
}

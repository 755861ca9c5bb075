//! One case: its name, the row of the closing table that it counts in, and what it does.
//!
//! It does not know where it was read from; the sources do.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a case ends: well, or with a message of as many lines as it takes.
pub(crate) type Outcome = Result<(), String>;

/// One recording under one profile.
pub(crate) struct Case {
    /// The first part of its name, and of its row.
    pub(crate) family: String,
    /// What tells it from the others of its family.
    pub(crate) id: String,
    /// The last part of its name and of its row; empty if there is no choice.
    pub(crate) profile: &'static str,
    /// What it does.
    pub(crate) check: Check,
}

/// What a case does; it fails by an error or a panic.
pub(crate) struct Check(Box<dyn FnOnce() -> Outcome + Send>);

/// The profile of what could not even be read.
const UNREADABLE: &str = "unreadable";

impl Case {
    /// A case that is run.
    pub(crate) fn new(
        family: &str,
        id: &str,
        profile: &'static str,
        check: impl FnOnce() -> Outcome + Send + 'static,
    ) -> Case {
        Case {
            family: family.to_owned(),
            id: id.to_owned(),
            profile,
            check: Check(Box::new(check)),
        }
    }

    /// Stands for a recording that cannot be read, and fails with `message`, which says where it is.
    pub(crate) fn unreadable(family: &str, id: &str, message: String) -> Case {
        Case::new(family, id, UNREADABLE, || Err(message))
    }

    /// The name of its test: `family/id/profile`.
    pub(crate) fn name(&self) -> String {
        let parts = [&self.family, &self.id, self.profile];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("/")
    }
}

impl Check {
    /// Runs it. A panic is a failure of this case alone.
    pub(crate) fn run(self) -> Outcome {
        catch_unwind(AssertUnwindSafe(self.0)).unwrap_or_else(|_| {
            let panic = PANIC.take();
            Err(panic.unwrap_or_else(|| "panicked".to_owned()))
        })
    }
}

thread_local! {
    /// What the last panic of this thread said, and where.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what a panic says for the message of its case, instead of printing it between the others.
pub(crate) fn keep_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANIC.set(Some(panic.to_string()));
    }));
}

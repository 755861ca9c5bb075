//! Panics: silent where simulated code panics, since the verdict tells of it; explained where
//! the program itself does.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use dacapo_kernel::panic_message;
use dacapo_lab::scenario::printable;

thread_local! {
    /// Whether this thread's panics are caught and told by us.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Where the last of them was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Replaces the hook of the process by one that says nothing of panics that are told otherwise.
pub(crate) fn install() {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if QUIET.get() {
            let place = info.location().map(ToString::to_string);
            tracing::debug!(target: "dacapo::panic", place, "a panic was caught");
            PLACE.set(place.unwrap_or_else(|| "an unknown place".to_owned()));
        } else {
            before(info);
        }
    }));
}

/// Calls `work`; a panic in it comes back as what it said and where.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    result.map_err(|panic| format!("{}, at {}", panic_message(panic.as_ref()), PLACE.take()))
}

/// The same for what gives nothing back, on any thread.
pub(crate) fn caught_there(work: &mut dyn FnMut()) -> Result<(), String> {
    caught(work)
}

/// What to tell a person of a mistake in the program itself.
pub(crate) fn report(panic: &str, arguments: &[OsString]) -> String {
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    format!(
        "internal error: {}\n\
         This is a mistake in the program, not in what you did. Please report it with this command:\n  {}\n\
         (version {}; if a log was being written, its events up to here can be read)\n",
        printable(panic),
        printable(&words.join(" ")),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_text_that_is_safe_to_print() {
        install();
        let panic = caught(|| panic!("\u{1b}[2J{}", 7)).expect_err("it panicked");
        assert!(panic.contains("panics.rs"), "{panic}");
        let arguments = [OsString::from("dacapo"), OsString::from("run")];
        let report = report(&panic, &arguments);
        assert!(
            report.starts_with("internal error: \\u{1b}[2J7, at "),
            "{report}"
        );
        assert!(report.contains("  dacapo run\n"), "{report}");
    }
}

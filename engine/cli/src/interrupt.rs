//! Interrupts (Ctrl-C) of commands that end cleanly: the first asks, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::screen::Screen;

/// What a shell sees of a process that was interrupted.
const INTERRUPTED: i32 = 130;

/// Whether the process has been interrupted since this was made.
pub(crate) struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    /// From now on an interrupt is only noted.
    pub(crate) fn of(screen: &Screen<'_>) -> Interrupts {
        let noted = Arc::new(AtomicBool::new(false));
        if screen.has_interrupts() {
            // In the order in which they are registered: the second interrupt finds the first one noted.
            // Where they cannot be registered, an interrupt ends the process as it did before.
            let _ = flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&noted))
                .and_then(|_| flag::register(SIGINT, Arc::clone(&noted)));
        }
        Interrupts(noted)
    }

    /// Whether there was one.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// None, and never any.
    #[cfg(test)]
    pub(crate) fn none() -> Interrupts {
        Interrupts(Arc::default())
    }
}

//! Real time: virtual time is held to the wall clock, and never overtakes it.
//!
//! It may fall behind, while a service is asked or the machine is busy, and then catches up without waiting.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::Time;

use crate::interrupt::Interrupts;
use crate::screen::Screen;

/// The longest rest without a look at whether somebody wants to end it.
const REST: Duration = Duration::from_millis(100);

/// Holds a run back.
pub(crate) struct Pace<'a> {
    clock: Rc<dyn Fn() -> Duration + 'a>,
    rest: Rc<dyn Fn(Duration) + 'a>,
    interrupts: Interrupts,
    /// What the clock showed when virtual time first wanted to move.
    begun: Option<Duration>,
}

impl<'a> Pace<'a> {
    /// By the clock behind a screen.
    pub(crate) fn of(screen: &Screen<'a>) -> Pace<'a> {
        Pace {
            clock: screen.clock(),
            rest: screen.rest(),
            interrupts: Interrupts::of(screen),
            begun: None,
        }
    }

    /// Waits until a virtual instant has come by the wall clock; false if somebody interrupted that.
    pub(crate) fn wait(&mut self, until: Time) -> bool {
        let begun = *self.begun.get_or_insert_with(|| (self.clock)());
        let due = begun.saturating_add(Duration::from_nanos(until.as_nanos()));
        loop {
            if self.interrupts.any() {
                return false;
            }
            let left = due.saturating_sub((self.clock)());
            if left.is_zero() {
                return true;
            }
            (self.rest)(left.min(REST));
        }
    }
}

//! The wall clock as the log tells of it, and its days and weeks.

use dacapo_kernel::{ClockJumped, Event, EventSet, KernelEvent, Time};

/// In microseconds.
const DAY_US: i64 = 86_400_000_000;

/// The wall clock. Whoever uses it watches `ClockJumped`.
#[derive(Debug)]
pub(super) struct Wall {
    start_unix_ns: i64,
    /// How far it has jumped in all.
    jumped_ns: i128,
}

impl Wall {
    /// That of a run which begins so many nanoseconds after 1970.
    pub(super) fn of(start_unix_ns: i64) -> Wall {
        Wall {
            start_unix_ns,
            jumped_ns: 0,
        }
    }

    /// Takes an event into account; says whether it was a jump.
    pub(super) fn note<E: EventSet>(&mut self, event: &Event<E>) -> bool {
        let Some(KernelEvent::ClockJumped(ClockJumped { by })) = event.kernel() else {
            return false;
        };
        self.jumped_ns += i128::from(*by);
        true
    }

    /// Whether it is another time than it would be without jumps.
    pub(super) fn is_off(&self) -> bool {
        self.jumped_ns != 0
    }

    /// Microseconds since 1970.
    pub(super) fn micros(&self, now: Time) -> i64 {
        let wall = i128::from(self.start_unix_ns) + i128::from(now.as_nanos()) + self.jumped_ns;
        i64::try_from(wall / 1_000).unwrap_or(i64::MAX)
    }
}

/// Days since 1970.
pub(super) fn day_of(wall_us: i64) -> i64 {
    wall_us.div_euclid(DAY_US)
}

/// Weeks since the Monday before 1970.
pub(super) fn week_of(wall_us: i64) -> i64 {
    // 1970-01-05 was a Monday.
    (day_of(wall_us) - 4).div_euclid(7) + 1
}

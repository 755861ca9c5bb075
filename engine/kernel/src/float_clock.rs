//! The clock of an event loop that keeps time in floating point.
//!
//! Such a loop adds the span of each sleep to what its clock showed when the sleep began, so the
//! roundings add up, and a period of ten minutes may be over a hair before or after its time. A system
//! whose original ran on one reads this clock where the original's decisions hung on that hair. It is
//! made by additions alone, the same on every machine, and it orders nothing: virtual time does.

use std::time::Duration;

use crate::ctx::Ctx;
use crate::id::Time;
use crate::system::System;

/// What a floating-point clock shows, in seconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct FloatSeconds(f64);

impl FloatSeconds {
    /// The start.
    pub const START: FloatSeconds = FloatSeconds(0.0);

    /// The instant as nearly as a float can say it.
    pub(crate) fn nearest(time: Time) -> FloatSeconds {
        FloatSeconds(time.as_secs_f64())
    }

    /// What it shows after one sleep of this span.
    pub fn after(self, span: Duration) -> FloatSeconds {
        FloatSeconds(self.0 + span.as_secs_f64())
    }

    /// What it shows after so many sleeps of one second each.
    ///
    /// Such a sum is rounded only where it grows beyond a power of two; up to there the sleeps are
    /// added at once, and give the same.
    pub fn after_seconds(self, sleeps: u64) -> FloatSeconds {
        let (mut shown, mut left) = (self.0, sleeps);
        while left > 0 {
            let power = f64::from_bits((shown.to_bits() & EXPONENT) + SMALLEST_EXPONENT);
            // A float at least half as large as the power, so that the difference is exact.
            let room = if shown < 1.0 {
                0
            } else {
                (power - shown) as u64
            };
            let at_once = room.clamp(1, left);
            shown += at_once as f64;
            left -= at_once;
        }
        FloatSeconds(shown)
    }

    /// The seconds from an earlier reading to this one, as the float has them.
    pub fn since(self, earlier: FloatSeconds) -> f64 {
        self.0 - earlier.0
    }
}

/// The bits of a float that say its power of two, and the least of them.
const EXPONENT: u64 = 0x7FF0_0000_0000_0000;
const SMALLEST_EXPONENT: u64 = 1 << 52;

impl<S: System> Ctx<S> {
    /// What a floating-point clock shows now.
    pub fn float_seconds(&self) -> FloatSeconds {
        self.core.state.borrow().float_now
    }

    /// Says what a floating-point clock would show now: for code that sleeps once where its original
    /// sleeps many times.
    pub fn correct_float_seconds(&self, shown: FloatSeconds) {
        self.core.state.borrow_mut().float_now = shown;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Fails if sleeps are added at once where one of them would have been rounded.
        #[test]
        fn many_sleeps_at_once_show_what_one_after_the_other_shows(
            start in prop_oneof![0.0..3.0_f64, 0.0..1e5, 60.0..70.0],
            sleeps in 0..100_000_u64,
        ) {
            let second = Duration::from_secs(1);
            let one_by_one = (0..sleeps).fold(FloatSeconds(start), |at, _| at.after(second));
            prop_assert_eq!(FloatSeconds(start).after_seconds(sleeps), one_by_one);
        }
    }
}

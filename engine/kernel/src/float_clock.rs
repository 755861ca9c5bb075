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

    /// The seconds from an earlier reading to this one, as the float has them.
    pub fn since(self, earlier: FloatSeconds) -> f64 {
        self.0 - earlier.0
    }
}

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

//! The clocks as the orchestration reads them: one for ages, the wall for dates.
//!
//! Time to live, intervals and cooldowns read monotone virtual time. With `ages-by-wall-clock` they
//! read the wall, so that a jump of it expires or delays them.

use dacapo_kernel::Time;

use crate::Ctx;
use crate::defect::{Defect, Defects};
use crate::message::Instant;

/// Which clock ages are told by.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    by_wall: bool,
}

impl Clock {
    /// The clock of a profile.
    pub fn new(defects: Defects) -> Clock {
        Clock {
            by_wall: defects.has(Defect::AgesByWallClock),
        }
    }

    /// The present, for ages.
    pub fn now(self, ctx: &Ctx) -> Instant {
        if self.by_wall {
            Instant::from_micros(wall_us(ctx) - start_us(ctx))
        } else {
            Instant::from(ctx.now())
        }
    }

    /// When `instant` will be reached, as far as is known now: the wall may jump before that.
    pub fn time_of(self, ctx: &Ctx, instant: Instant) -> Time {
        let ahead = self.now(ctx) - Instant::from(ctx.now());
        let micros = instant.as_micros().saturating_sub(ahead.as_micros());
        Time::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

/// The wall clock: microseconds since 1970-01-01 UTC.
pub fn wall_us(ctx: &Ctx) -> i64 {
    ctx.wall_unix_ns() / 1_000
}

/// The wall clock at the start of the run: microseconds since 1970-01-01 UTC.
pub fn start_us(ctx: &Ctx) -> i64 {
    ctx.start_unix_ns() / 1_000
}

//! How many bars have closed: what schedules count that are in bars.
//!
//! Bars of several markets that close at one instant count once. It belongs to the exchange's host and survives a
//! crash of the coordinator's.

use std::cell::Cell;

use dacapo_kernel::{Notify, Time};

use crate::Ctx;

/// Counts the instants at which bars closed.
pub struct BarClock {
    closed: Cell<u64>,
    latest: Cell<Option<Time>>,
    moved: Notify,
}

impl Default for BarClock {
    fn default() -> BarClock {
        BarClock {
            closed: Cell::new(0),
            latest: Cell::new(None),
            moved: Notify::new("a bar"),
        }
    }
}

impl BarClock {
    /// A bar closed now.
    pub fn tick(&self, ctx: &Ctx) {
        let now = Some(ctx.now());
        if self.latest.replace(now) != now {
            self.closed.set(self.closed.get() + 1);
            self.moved.notify(ctx);
        }
    }

    /// At how many instants bars have closed so far.
    pub fn closed(&self) -> u64 {
        self.closed.get()
    }

    /// Waits until that is more than `seen`, and says how many.
    pub async fn after(&self, ctx: &Ctx, seen: u64) -> u64 {
        while self.closed.get() <= seen {
            self.moved.wait(ctx).await;
        }
        self.closed.get()
    }
}

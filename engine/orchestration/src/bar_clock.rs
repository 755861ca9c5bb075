//! How many bars have closed, and in how many averages crossed: what schedules count that are in bars.
//!
//! Bars of several markets that close at one instant count once. It belongs to the exchange's host and survives a
//! crash of the coordinator's.

use std::cell::Cell;

use dacapo_kernel::{Notify, Time};

use crate::Ctx;

/// What has closed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bars {
    /// Instants at which bars closed.
    pub closed: u64,
    /// Bars that made the averages of an agent cross.
    pub crossings: u64,
}

/// Counts bars.
pub struct BarClock {
    bars: Cell<Bars>,
    latest: Cell<Option<Time>>,
    /// Whether somebody waits for crossings and nobody for every bar.
    only_crossings: bool,
    moved: Notify,
}

impl BarClock {
    /// Nothing has closed. A bar in which nothing crosses wakes nobody if that is all that anybody
    /// waits for.
    pub fn new(only_crossings: bool) -> BarClock {
        BarClock {
            bars: Cell::default(),
            latest: Cell::new(None),
            only_crossings,
            moved: Notify::new("a bar"),
        }
    }

    /// A bar closed now; averages crossed in it or did not.
    pub fn tick(&self, ctx: &Ctx, crossed: bool) {
        let now = Some(ctx.now());
        let is_first = self.latest.replace(now) != now;
        let Bars { closed, crossings } = self.bars.get();
        self.bars.set(Bars {
            closed: closed + u64::from(is_first),
            crossings: crossings + u64::from(crossed),
        });
        if crossed || is_first && !self.only_crossings {
            self.moved.notify(ctx);
        }
    }

    /// What has closed so far.
    pub fn bars(&self) -> Bars {
        self.bars.get()
    }

    /// Waits until that is more than what was seen, and somebody waits for it, and says how much.
    pub async fn after(&self, ctx: &Ctx, seen: Bars) -> Bars {
        while self.bars.get() == seen {
            self.moved.wait(ctx).await;
        }
        self.bars.get()
    }
}

//! How many bars have closed, in how many averages crossed, and when the last ones closed: what schedules,
//! evidence and saves count that are in bars.
//!
//! Bars of several markets that close at one instant count once. The clock belongs to the exchange's host and
//! survives a crash of the coordinator's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use dacapo_kernel::{Notify, Time};

use crate::Ctx;
use crate::coordinator::evidence::EvidenceWindows;
use crate::message::{Instant, Span};

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
    closes: RefCell<BarCloses>,
    /// Whether somebody waits for crossings and nobody for every bar.
    only_crossings: bool,
    moved: Notify,
}

impl BarClock {
    /// Nothing has closed. A bar in which nothing crosses wakes nobody if that is all that anybody
    /// waits for; as many closes are remembered as these windows need.
    pub fn new(only_crossings: bool, windows: &EvidenceWindows) -> BarClock {
        BarClock {
            bars: Cell::default(),
            closes: RefCell::new(BarCloses::new(windows)),
            only_crossings,
            moved: Notify::new("a bar"),
        }
    }

    /// A bar closed now; averages crossed in it or did not.
    pub fn tick(&self, ctx: &Ctx, crossed: bool) {
        let is_first = self.closes.borrow_mut().note(ctx.now());
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

    /// These windows as time that they reach back from now.
    pub fn in_time(&self, windows: &EvidenceWindows, now: Instant) -> EvidenceWindows {
        let closes = self.closes.borrow();
        windows.in_time(|bars| closes.reach(bars, now))
    }
}

/// When the last bars closed.
#[derive(Clone, Debug)]
struct BarCloses {
    /// The oldest first; at least the very last one.
    last: VecDeque<Time>,
    most: usize,
}

/// Further back than any run.
const EVER: Span = Span::from_secs(1 << 40);

impl BarCloses {
    /// None yet; as many are remembered as these windows need.
    fn new(windows: &EvidenceWindows) -> BarCloses {
        let longest = windows.bars().into_iter().flatten().max();
        BarCloses {
            last: VecDeque::new(),
            most: longest.map_or(1, |bars| bars as usize + 2),
        }
    }

    /// A bar closed; whether it is the first of its instant.
    fn note(&mut self, now: Time) -> bool {
        if self.last.back() == Some(&now) {
            return false;
        }
        self.last.push_back(now);
        if self.last.len() > self.most {
            self.last.pop_front();
        }
        true
    }

    /// How old something is that was there when the last bar but so many closed: of what is no older,
    /// no more than so many have closed since.
    fn reach(&self, bars: u32, now: Instant) -> Span {
        let place = self.last.len().checked_sub(bars as usize + 1);
        place.map_or(EVER, |place| now - Instant::from(self.last[place]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(bars: u32) -> EvidenceWindows {
        EvidenceWindows {
            regime_updates_bars: Some(bars),
            ..EvidenceWindows::default()
        }
    }

    /// A weekend between two bars that made evidence too old, or a bar too many that it outlives, fails here.
    #[test]
    fn a_window_in_bars_reaches_over_every_gap() {
        let mut closes = BarCloses::new(&windows(1));
        let at = |seconds| Instant::from(Time::from_secs(seconds));
        assert_eq!(closes.reach(1, at(5)), EVER, "nothing has closed since");
        for day in [1, 4, 5] {
            assert!(closes.note(Time::from_secs(day * 86_400)));
            assert!(!closes.note(Time::from_secs(day * 86_400)), "one instant");
        }
        let monday = 5 * 86_400 + 60;
        assert_eq!(closes.reach(0, at(monday)), Span::from_secs(60));
        assert_eq!(closes.reach(1, at(monday)), Span::from_secs(86_460));
        assert_eq!(closes.reach(1, at(5 * 86_400)), Span::from_secs(86_400));
    }

    #[test]
    fn no_more_closes_are_remembered_than_a_window_needs() {
        let mut closes = BarCloses::new(&windows(3));
        for second in 0..1_000 {
            closes.note(Time::from_secs(second));
        }
        assert_eq!(closes.last.len(), 5);
        let all = windows(3).in_time(|bars| closes.reach(bars, Time::from_secs(999).into()));
        assert_eq!(all.regime_updates, Span::from_secs(3));
        assert_eq!(all.ta_signals, Span::from_secs(120), "in seconds as before");
    }
}

//! How old evidence may be at an instant, where windows may be in bars: folded from the bars that closed.

use dacapo_kernel::Time;

use crate::bar_clock::BarCloses;
use crate::coordinator::evidence::EvidenceWindows;
use crate::domain_event::{DomainEvent, number};

/// The windows, and the bars that they count.
#[derive(Clone, Debug)]
pub(super) struct Ages {
    windows: EvidenceWindows,
    closes: BarCloses,
}

impl Ages {
    /// The kind of event that it is made from.
    pub(super) const MADE_FROM: u16 = number::MarketBar;

    pub(super) fn of(windows: &EvidenceWindows) -> Ages {
        Ages {
            windows: *windows,
            closes: BarCloses::new(windows),
        }
    }

    /// Takes a bar into account; anything else changes nothing.
    pub(super) fn see(&mut self, time: Time, event: &DomainEvent) {
        if let DomainEvent::MarketBar(_) = event {
            self.closes.note(time);
        }
    }

    /// The windows for whoever has heard of every bar.
    pub(super) fn shortest(&self, now: Time) -> EvidenceWindows {
        self.windows
            .in_time(|bars| self.closes.reach(bars, now.into()))
    }

    /// The windows for whoever has not yet heard of a bar that closes at this very instant.
    pub(super) fn longest(&self, now: Time) -> EvidenceWindows {
        self.windows
            .in_time(|bars| self.closes.reach_before(bars, now))
    }
}

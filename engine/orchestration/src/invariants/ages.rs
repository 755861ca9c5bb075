//! How old evidence may be at an instant, where windows may be in bars: folded from the bars that closed.

use dacapo_kernel::Time;

use crate::bar_clock::BarCloses;
use crate::coordinator::evidence::EvidenceWindows;
use crate::domain_event::{DomainEvent, number};
use crate::message::{Span, Topic};

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
    pub(super) fn shortest(&self, now: Time) -> InForce {
        self.in_force(|bars| self.closes.reach(bars, now.into()))
    }

    /// The windows for whoever has not yet heard of a bar that closes at this very instant.
    pub(super) fn longest(&self, now: Time) -> InForce {
        self.in_force(|bars| self.closes.reach_before(bars, now))
    }

    fn in_force(&self, reach: impl Fn(u32) -> Span) -> InForce {
        let windows = &self.windows;
        let window = |span, bars: Option<u32>| (bars.map_or(span, &reach), bars);
        InForce {
            technical: window(windows.ta_signals, windows.ta_signals_bars),
            regime: window(windows.regime_updates, windows.regime_updates_bars),
            sentiment: window(windows.sentiment_updates, windows.sentiment_updates_bars),
        }
    }
}

/// The windows at an instant: how long each is, and in how many bars, if it is in bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct InForce {
    technical: (Span, Option<u32>),
    regime: (Span, Option<u32>),
    sentiment: (Span, Option<u32>),
}

impl InForce {
    /// The window of a topic, if evidence comes from it.
    pub(super) fn of(&self, topic: Topic) -> Option<(Span, Option<u32>)> {
        match topic {
            Topic::TaSignals => Some(self.technical),
            Topic::RegimeUpdates => Some(self.regime),
            Topic::SentimentUpdates => Some(self.sentiment),
            _ => None,
        }
    }
}

//! How old evidence may be at an instant, where windows may be in bars: folded from the bars that closed.

use std::collections::VecDeque;

use dacapo_kernel::Time;

use crate::coordinator::evidence::EvidenceWindows;
use crate::domain_event::{DomainEvent, number};
use crate::message::{Instant, Span, Topic};

/// The windows, and the bars that they count.
#[derive(Clone, Debug)]
pub(super) struct Ages {
    windows: EvidenceWindows,
    /// When bars closed, each instant once, the newest first; no more than the windows reach back.
    closes: VecDeque<Time>,
    most: usize,
}

/// What is as old as that is older than any run.
const ANY_AGE: Span = Span::from_secs(1 << 40);

impl Ages {
    /// The kind of event that it is made from.
    pub(super) const MADE_FROM: u16 = number::MarketBar;

    pub(super) fn of(windows: &EvidenceWindows) -> Ages {
        let in_bars = [
            windows.ta_signals_bars,
            windows.regime_updates_bars,
            windows.sentiment_updates_bars,
        ];
        Ages {
            windows: *windows,
            closes: VecDeque::new(),
            // One more for a bar that closes now and one for what was there before the first of them.
            most: 2 + in_bars.into_iter().flatten().max().unwrap_or(0) as usize,
        }
    }

    /// Takes a bar into account; anything else changes nothing.
    pub(super) fn see(&mut self, time: Time, event: &DomainEvent) {
        if let DomainEvent::MarketBar(_) = event
            && self.closes.front() != Some(&time)
        {
            self.closes.push_front(time);
            self.closes.truncate(self.most);
        }
    }

    /// The windows for whoever has heard of every bar.
    pub(super) fn shortest(&self, now: Time) -> InForce {
        self.in_force(|bars| self.since(bars as usize, now))
    }

    /// The windows for whoever has not yet heard of a bar that closes at this very instant.
    pub(super) fn longest(&self, now: Time) -> InForce {
        let now_too = usize::from(self.closes.front() == Some(&now));
        self.in_force(|bars| self.since(bars as usize + now_too, now))
    }

    /// How long ago the bar closed after which so many have.
    fn since(&self, bars: usize, now: Time) -> Span {
        let close = self.closes.get(bars);
        close.map_or(ANY_AGE, |close| Instant::from(now) - Instant::from(*close))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::MarketBar;
    use crate::message::Name;

    fn bar(symbol: &'static str) -> DomainEvent {
        let price = Amount::HUNDRED;
        let bar = MarketBar {
            symbol: Name::fixed(symbol),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Amount::ONE,
        };
        bar.into()
    }

    // Fails if bars of two markets count twice, a window in bars ends too early or too late, or one in seconds changes.
    #[test]
    fn a_window_in_bars_reaches_back_to_the_bar_before_them() {
        let windows = EvidenceWindows {
            regime_updates_bars: Some(1),
            ..EvidenceWindows::default()
        };
        let mut ages = Ages::of(&windows);
        let at = Time::from_secs;
        let regime = |windows: InForce| windows.of(Topic::RegimeUpdates).unwrap_or_default().0;
        assert_eq!(regime(ages.shortest(at(5))), ANY_AGE);
        for hour in 1..=9 {
            for symbol in ["BTC/USDT", "XRP/USDT"] {
                ages.see(at(3_600 * hour), &bar(symbol));
            }
        }
        let close = at(9 * 3_600);
        assert_eq!(regime(ages.shortest(close)), Span::from_secs(3_600));
        assert_eq!(regime(ages.longest(close)), Span::from_secs(7_200));
        let later = at(9 * 3_600 + 60);
        assert_eq!(regime(ages.shortest(later)), Span::from_secs(3_660));
        assert_eq!(regime(ages.longest(later)), Span::from_secs(3_660));
        let technical = ages.longest(later).of(Topic::TaSignals);
        assert_eq!(technical, Some((Span::from_secs(120), None)));
        assert_eq!(ages.closes.len(), 3);
    }
}

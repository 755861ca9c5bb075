//! What each symbol cost of late: the lowest and the highest price that any source gave.
//!
//! An exchange may use a price until it is too old, and may not have seen the newest one yet. So a price
//! counts as real if it lies between the prices of the last one or two spans of that age.

use dacapo_kernel::{Event, Time};

use crate::amount::Amount;
use crate::by_name::ByName;
use crate::domain_event::{DomainEvent, OutsideAction};
use crate::invariants::exact::Exact;
use crate::message::Name;
use crate::symbol::in_upper_case;

/// The lowest and the highest price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: Amount,
    pub(super) high: Amount,
}

impl Range {
    pub(super) fn of(price: Amount) -> Range {
        Range {
            low: price,
            high: price,
        }
    }

    #[inline]
    fn with(self, other: Range) -> Range {
        Range {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// The prices of a span of time, and of the one before it.
#[derive(Clone, Copy)]
struct Spans {
    number: u64,
    now: Range,
    before: Option<Range>,
}

/// Recent prices by symbol in upper case.
pub(super) struct Prices {
    span_ns: u64,
    symbols: ByName<Spans>,
}

impl Prices {
    /// Prices that may be used while they are younger than this.
    pub(super) fn new(max_age_s: i64) -> Prices {
        let span_s = u64::try_from(max_age_s).unwrap_or(1).max(1);
        Prices {
            span_ns: span_s.saturating_mul(1_000_000_000),
            symbols: ByName::default(),
        }
    }

    /// Takes the prices over that an event gives: of a trade, of a bar, or set by hand.
    pub(super) fn note(&mut self, event: &Event<DomainEvent>) {
        let now = event.time;
        match event.domain() {
            Some(DomainEvent::MarketTrade(it)) => self.see(now, &it.symbol, it.price),
            Some(DomainEvent::MarketBar(it)) => {
                self.see_all(now, &it.symbol, [it.low, it.high, it.close]);
            }
            Some(DomainEvent::OutsideActed(it)) => {
                if let OutsideAction::SetPrice(set) = &it.action {
                    self.see(now, &set.symbol, set.price);
                }
            }
            _ => {}
        }
    }

    /// A source gave a price; one that is not above zero is none.
    pub(super) fn see(&mut self, now: Time, symbol: &Name, price: Amount) {
        self.see_all(now, symbol, [price]);
    }

    /// A source gave several prices at once.
    pub(super) fn see_all<const N: usize>(
        &mut self,
        now: Time,
        symbol: &Name,
        prices: [Amount; N],
    ) {
        let mut range = None;
        for price in prices {
            if price.is_above_zero() {
                let known = range.get_or_insert(Range::of(price));
                if price < known.low {
                    known.low = price;
                } else if price > known.high {
                    known.high = price;
                }
            }
        }
        let Some(range) = range else {
            return;
        };
        let number = now.as_nanos() / self.span_ns;
        let upper = in_upper_case(symbol);
        let first = Spans {
            number,
            now: range,
            before: None,
        };
        let spans = self.symbols.or_insert_with(&upper, || first);
        if spans.number == number {
            spans.now = spans.now.with(range);
        } else {
            spans.before = (spans.number + 1 == number).then_some(spans.now);
            (spans.number, spans.now) = (number, range);
        }
    }

    /// Whether a price was given so lately that it may surely be used.
    pub(super) fn is_fresh(&self, now: Time, symbol: &str) -> bool {
        let spans = self.symbols.get(&in_upper_case(symbol));
        spans.is_some_and(|spans| spans.number == now.as_nanos() / self.span_ns)
    }

    /// What a symbol cost of late, if anybody said so.
    pub(super) fn of(&self, now: Time, symbol: &str) -> Option<Range> {
        let spans = self.symbols.get(&in_upper_case(symbol))?;
        let number = now.as_nanos() / self.span_ns;
        if spans.number == number {
            Some(
                spans
                    .before
                    .map_or(spans.now, |before| before.with(spans.now)),
            )
        } else {
            (spans.number + 1 == number).then_some(spans.now)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_price_is_remembered_for_as_long_as_it_may_be_used() {
        let mut prices = Prices::new(60);
        let at = |seconds| Time::ZERO + Duration::from_secs(seconds);
        let range = |low, high| Range {
            low: Amount::from_int(low),
            high: Amount::from_int(high),
        };
        prices.see(at(10), &"btc/usdt".into(), Amount::from_int(5));
        prices.see(at(59), &"BTC/USDT".into(), Amount::from_int(7));
        prices.see(at(59), &"BTC/USDT".into(), Amount::ZERO);
        assert_eq!(prices.of(at(118), "BTC/USDT"), Some(range(5, 7)));
        prices.see(at(70), &"BTC/USDT".into(), Amount::from_int(9));
        assert_eq!(prices.of(at(70), "btc/usdt"), Some(range(5, 9)));
        assert_eq!(prices.of(at(130), "BTC/USDT"), Some(range(9, 9)));
        assert_eq!(prices.of(at(180), "BTC/USDT"), None);
    }
}

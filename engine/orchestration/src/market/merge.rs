//! Several sources as one market, in one order.
//!
//! At one instant the source that was named first comes first, and each source keeps its own order.
//! What a source yields is not changed; two sources may well speak of the same symbol.

use std::io::Read;

use super::{Bars, Generated, Tape, TapeError, Tick};

/// Somewhere that ticks come from. The times of each source never go back.
#[derive(Debug)]
pub enum Source<R: Read> {
    /// A recording.
    Tape(Box<Tape<R>>),
    /// A random walk.
    Generated(Generated),
    /// Closed bars.
    Bars(Box<Bars>),
}

impl<R: Read> Iterator for Source<R> {
    type Item = Result<Tick, TapeError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Source::Tape(tape) => tape.next(),
            Source::Generated(generated) => generated.next().map(Ok),
            Source::Bars(bars) => bars.next().map(Ok),
        }
    }
}

/// The ticks of several sources by time, then by the order of the sources. Ends at the first error.
#[derive(Debug)]
pub struct Market<R: Read> {
    lanes: Vec<Lane<R>>,
    failed: bool,
}

#[derive(Debug)]
struct Lane<R: Read> {
    source: Source<R>,
    next: Option<Tick>,
    /// Whether `next` has been taken and the source is to be asked again.
    taken: bool,
}

impl<R: Read> Market<R> {
    /// Merges `sources`; reads nothing yet.
    pub fn merge(sources: impl IntoIterator<Item = Source<R>>) -> Self {
        let lane = |source| Lane {
            source,
            next: None,
            taken: true,
        };
        Market {
            lanes: sources.into_iter().map(lane).collect(),
            failed: false,
        }
    }

    fn take_earliest(&mut self) -> Result<Option<Tick>, TapeError> {
        if let [only] = self.lanes.as_mut_slice() {
            // Nothing to choose between.
            return only.source.next().transpose();
        }
        for lane in self.lanes.iter_mut().filter(|lane| lane.taken) {
            lane.taken = false;
            lane.next = lane.source.next().transpose()?;
        }
        let waiting = self.lanes.iter_mut().filter(|lane| lane.next.is_some());
        // Of equal times the first is the minimum, which is the order of the sources.
        let earliest = waiting.min_by_key(|lane| lane.next.as_ref().map(|tick| tick.time_ns));
        let Some(lane) = earliest else {
            return Ok(None);
        };
        lane.taken = true;
        Ok(lane.next.take())
    }
}

impl<R: Read> Iterator for Market<R> {
    type Item = Result<Tick, TapeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.take_earliest();
        self.failed = next.is_err();
        next.transpose()
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::market::{GeneratedConfig, TapeConfig, WalkConfig};

    fn generated(symbol: &str, interval_ms: u32) -> Source<&'static [u8]> {
        let config = GeneratedConfig {
            seed: None,
            interval_ms,
            symbols: vec![WalkConfig::new(symbol, Decimal::from(100))],
            jumps: Vec::new(),
        };
        Source::Generated(Generated::new(&config, 1).unwrap())
    }

    fn tape(text: &'static str) -> Source<&'static [u8]> {
        Source::Tape(Box::new(
            Tape::open(&TapeConfig::new("t.csv"), text.as_bytes()).unwrap(),
        ))
    }

    fn seen(market: Market<&'static [u8]>, count: usize) -> Vec<String> {
        let line = |tick: Tick| format!("{} {}", tick.time_ns / 1_000_000, tick.symbol);
        market
            .take(count)
            .map(|tick| tick.map_or_else(|error| error.to_string(), line))
            .collect()
    }

    #[test]
    fn earlier_times_come_first_and_equal_times_in_the_order_of_the_sources() {
        let tape = tape("received_ms,symbol,price,size\n5,B,1,1\n5,C,1,1\n9,B,1,1\n10,C,1,1\n");
        let market = Market::merge([generated("Z", 2), tape, generated("A", 4)]);
        let expected = [
            "0 Z", "0 B", "0 C", "0 A", "2 Z", "4 Z", "4 B", "4 A", "5 C", "6 Z",
        ];
        assert_eq!(seen(market, 10), expected);
    }

    #[test]
    fn ends_at_the_first_error() {
        let tape = tape("received_ms,symbol,price,size\n5,B,1,1\nlater,B,1,1\n");
        let lines = seen(Market::merge([tape, generated("A", 1)]), 10);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("t.csv:3: received"), "{lines:?}");
    }

    #[test]
    fn no_source_is_no_tick() {
        assert!(seen(Market::merge([]), 1).is_empty());
    }
}

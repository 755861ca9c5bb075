//! Several sources as one market, in one order.

use std::iter::Peekable;

use super::Tick;

/// The ticks of several sources by time. At one instant the source that was named first comes first, and each source
/// keeps its own order. The times of each never go back.
#[derive(Debug)]
pub struct Merged<I: Iterator<Item = Tick>> {
    sources: Vec<Peekable<I>>,
}

impl<I: Iterator<Item = Tick>> Merged<I> {
    /// These, as one.
    pub fn new(sources: impl IntoIterator<Item = I>) -> Merged<I> {
        Merged {
            sources: sources.into_iter().map(Iterator::peekable).collect(),
        }
    }
}

impl<I: Iterator<Item = Tick>> Iterator for Merged<I> {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let waiting = self.sources.iter_mut().filter_map(|source| {
            let time_ns = source.peek()?.time_ns;
            Some((time_ns, source))
        });
        // Of equal times the first is the minimum, which is the order of the sources.
        let (_, earliest) = waiting.min_by_key(|(time_ns, _)| *time_ns)?;
        earliest.next()
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::TickKind;

    fn source(symbol: &'static str, times: &'static [u64]) -> impl Iterator<Item = Tick> {
        times.iter().map(move |time_ns| Tick {
            time_ns: *time_ns,
            symbol: symbol.into(),
            kind: TickKind::Trade {
                price: Decimal::ONE,
                size: Decimal::ONE,
                side: None,
            },
        })
    }

    fn seen<I: Iterator<Item = Tick>>(sources: Vec<I>) -> Vec<String> {
        let line = |tick: Tick| format!("{} {}", tick.time_ns, tick.symbol);
        Merged::new(sources).map(line).collect()
    }

    #[test]
    fn earlier_times_come_first_and_equal_times_in_the_order_of_the_sources() {
        let sources = vec![
            source("Z", &[0, 2, 4, 6]),
            source("B", &[0, 4, 4]),
            source("A", &[0, 4, 5]),
        ];
        let expected = [
            "0 Z", "0 B", "0 A", "2 Z", "4 Z", "4 B", "4 B", "4 A", "5 A", "6 Z",
        ];
        assert_eq!(seen(sources), expected);
        assert!(seen(vec![source("A", &[])]).is_empty());
    }
}

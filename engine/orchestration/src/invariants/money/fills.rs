//! `fill.idempotent`: an execution is booked once, and no more is filled than was ordered or is open.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Event, Invariant};

use crate::amount::Amount;
use crate::domain_event::{DomainEvent, Filled, number};
use crate::invariants::exact::Exact;
use crate::message::Name;

/// A repeated execution has no effect, and fills never exceed the order.
#[derive(Default)]
pub(super) struct Idempotent {
    booked: Numbers,
    /// What was filled of each order that was not filled whole.
    filled: BTreeMap<Name, Amount>,
    /// What is open of each position.
    open: BTreeMap<u64, Amount>,
}

/// Numbers that were met: all below one, and a few above it.
#[derive(Default)]
struct Numbers {
    below: u64,
    above: BTreeSet<u64>,
}

impl Numbers {
    /// Notes a number, and says whether it is new.
    fn meet(&mut self, number: u64) -> bool {
        let new = number >= self.below && self.above.insert(number);
        while self.above.remove(&self.below) {
            self.below += 1;
        }
        new
    }
}

impl Idempotent {
    fn filled(&mut self, fill: &Filled) -> Result<(), String> {
        // Executions are counted from 1.
        self.booked.meet(0);
        if !self.booked.meet(fill.execution) {
            return Err(format!(
                "expected each execution to be booked once, found execution {} again",
                fill.execution
            ));
        }
        if !fill.size.is_above_zero() {
            return Err(format!(
                "expected a fill of more than nothing, found {}",
                fill.size
            ));
        }
        match fill.position {
            Some(position) => self.closes(position, fill.size),
            None => self.fills_order(fill),
        }
    }

    fn fills_order(&mut self, fill: &Filled) -> Result<(), String> {
        let before = self.filled.remove(&fill.order).unwrap_or_default();
        let Ok(sum) = before.plus(fill.size) else {
            return Ok(());
        };
        if sum > fill.ordered {
            return Err(format!(
                "expected fills of at most the {} that were ordered, found {sum}",
                fill.ordered
            ));
        }
        // An order that is filled whole is kept, too: nothing may be filled of it any more.
        self.filled.insert(fill.order.clone(), sum);
        Ok(())
    }

    fn closes(&mut self, position: u64, size: Amount) -> Result<(), String> {
        let open = self.open.get(&position).copied().unwrap_or_default();
        if size > open {
            return Err(format!(
                "expected at most the {open} that are open to be closed, found {size}"
            ));
        }
        Ok(())
    }

    fn closed(&mut self, position: u64, size: Amount) -> Result<(), String> {
        self.closes(position, size)?;
        let open = self.open.remove(&position).unwrap_or_default();
        if let Ok(left) = open.minus(size)
            && left.is_above_zero()
        {
            self.open.insert(position, left);
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for Idempotent {
    fn id(&self) -> &'static str {
        "fill.idempotent"
    }

    fn statement(&self) -> &'static str {
        "a repeated execution id has no effect; fills never exceed the order"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Filled,
            number::PositionOpened,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Filled]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Filled(fill)) => self.filled(fill),
            Some(DomainEvent::PositionOpened(it)) => match self.open.insert(it.position, it.size) {
                None => Ok(()),
                Some(_) => Err(format!(
                    "expected each position to be opened once, found position {} again",
                    it.position
                )),
            },
            Some(DomainEvent::PositionClosed(it)) => self.closed(it.position, it.size),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::fill;
    use super::*;
    use crate::domain_event::{PositionClosed, PositionOpened};
    use crate::invariants::planted::Planted;

    fn close(execution: u64, size: i64) -> Filled {
        Filled {
            order: "close".into(),
            intent: None,
            position: Some(1),
            side: "sell".into(),
            ..fill(execution, size)
        }
    }

    fn opened() -> PositionOpened {
        PositionOpened {
            position: 1,
            order: "order-1".into(),
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            size: Amount::from_int(10),
            entry_price: Amount::ONE,
            leverage: 1,
            reserved: Amount::ZERO,
        }
    }

    fn closed(size: i64) -> PositionClosed {
        PositionClosed {
            position: 1,
            size: Amount::from_int(size),
            price: Amount::ONE,
            profit: Amount::ZERO,
            reason: "manual".into(),
        }
    }

    fn log() -> Planted {
        Planted::of(Idempotent::default())
    }

    #[test]
    fn an_order_may_be_filled_in_parts_in_any_order() {
        log().then(fill(2, 4)).then(fill(1, 6)).holds();
    }

    #[test]
    fn an_execution_counts_once() {
        let twice = log().then(fill(1, 4)).then(fill(1, 4)).violated();
        assert!(twice.contains("execution 1 again"), "{twice}");
    }

    #[test]
    fn no_more_is_filled_than_was_ordered() {
        let over = log().then(fill(1, 10)).then(fill(2, 1)).violated();
        assert!(over.contains("found 11"), "{over}");
        assert!(log().then(fill(1, 0)).violated().contains("nothing"));
    }

    #[test]
    fn no_more_is_closed_than_is_open() {
        let half = || {
            log()
                .then(fill(1, 10))
                .then(opened())
                .then(close(2, 4))
                .then(closed(4))
        };
        half().then(close(3, 6)).then(closed(6)).holds();
        let over = half().then(close(3, 7)).violated();
        assert!(over.contains("the 6 that are open"), "{over}");
        let again = half().then(closed(6)).then(closed(6)).violated();
        assert!(again.contains("the 0 that are open"), "{again}");
        assert!(half().then(opened()).violated().contains("opened once"));
    }
}

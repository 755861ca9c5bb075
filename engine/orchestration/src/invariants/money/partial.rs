//! `fill.whole`: an order is filled whole, or in part where a fault or the scenario says so, and by as much.

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use crate::config::Config;
use crate::domain_event::{DomainEvent, Filled, OrderOutcome, number};
use crate::invariants::exact::Exact;

/// The door that has a part of an order filled.
const DOOR: &str = "exchange.partial";
/// The part of an order that a scenario's exchange fills where it does not fill the whole.
const PARTS: (f64, f64) = (0.3, 0.9);
/// How exactly parts are told.
const TOLERANCE: f64 = 1e-9;

/// What is to become of the orders that are filled at this instant.
pub(super) struct Whole {
    fills_parts: bool,
    /// The parts that faults leave of some of them.
    imposed: Vec<f64>,
    /// How many of them were refused after all.
    refused: usize,
    now: Time,
}

impl Whole {
    pub(super) fn new(plan: &Plan<Config>) -> Whole {
        Whole {
            fills_parts: plan.system.paper.simulate_partial_fills,
            imposed: Vec::new(),
            refused: 0,
            now: Time::ZERO,
        }
    }

    /// Each fault has struck an order by the end of its instant.
    fn pass(&mut self, now: Time) -> Result<(), String> {
        if now == self.now {
            return Ok(());
        }
        let refused = std::mem::take(&mut self.refused);
        let imposed = std::mem::take(&mut self.imposed);
        self.now = now;
        match imposed.get(refused) {
            Some(part) => Err(format!(
                "expected {part} of an order to be filled, found none filled so"
            )),
            None => Ok(()),
        }
    }

    fn fill(&mut self, fill: &Filled) -> Result<(), String> {
        if fill.position.is_some() || !fill.ordered.is_above_zero() {
            return Ok(());
        }
        let part = fill.size.in_floats() / fill.ordered.in_floats();
        let is = |expected: f64| (part - expected).abs() < TOLERANCE;
        if let Some(place) = self.imposed.iter().position(|imposed| is(*imposed)) {
            self.imposed.swap_remove(place);
            return Ok(());
        }
        let may_be_drawn = (PARTS.0 - TOLERANCE..=PARTS.1 + TOLERANCE).contains(&part);
        if is(1.0) || self.fills_parts && may_be_drawn {
            return Ok(());
        }
        Err(format!(
            "expected an order to be filled whole, found {part} of it"
        ))
    }
}

impl Invariant<DomainEvent> for Whole {
    fn id(&self) -> &'static str {
        "fill.whole"
    }

    fn statement(&self) -> &'static str {
        "an order is filled whole, or in part where a fault or the scenario says so, and by as much"
    }

    fn watches(&self) -> &'static [u16] {
        &[kernel::FaultInjected, number::Filled, number::OrderAnswered]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Filled]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        match (event.kernel(), event.domain()) {
            (Some(KernelEvent::FaultInjected(it)), _) if it.door == *DOOR => {
                self.imposed.push(it.value as f64 / 100.0);
            }
            (_, Some(DomainEvent::Filled(it))) => return self.fill(it),
            (_, Some(DomainEvent::OrderAnswered(it))) => {
                let is_taken = matches!(it.outcome, OrderOutcome::Filled | OrderOutcome::Resting);
                self.refused += usize::from(!is_taken);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use super::super::planted::{self, config};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::OrderAnswered;
    use crate::invariants::planted::{Planted, fault};

    fn begun(fills_parts: bool) -> Planted {
        let mut system = config();
        system.paper.simulate_partial_fills = fills_parts;
        Planted::of(Whole::new(&Plan::of("planted", system)))
    }

    fn fill(percent: i64) -> Filled {
        Filled {
            ordered: Amount::HUNDRED,
            ..planted::fill(1, percent)
        }
    }

    // Fails if a part may be filled for nothing, or another part than the one that was imposed or may be drawn.
    #[test]
    fn a_part_has_its_reason() {
        begun(false).then(fill(100)).holds();
        begun(false).then(fill(50)).violated();
        begun(true).then(fill(100)).holds();
        begun(true).then(fill(30)).holds();
        begun(true).then(fill(90)).holds();
        begun(true).then(fill(29)).violated();
        begun(true).then(fill(91)).violated();
        let imposed = |drawn| begun(drawn).kernel(fault(DOOR, 40));
        for drawn in [false, true] {
            let later = |log: Planted| log.at(1.0).then(fill(100));
            later(imposed(drawn).then(fill(40))).holds();
            later(imposed(drawn).then(fill(100)).then(fill(40))).holds();
            let found = later(imposed(drawn).then(fill(100))).violated();
            assert!(found.ends_with("found none filled so"), "{found}");
        }
        imposed(false).then(fill(41)).violated();
        let closes = Filled {
            position: Some(1),
            ..fill(50)
        };
        begun(false).then(closes).holds();
    }

    // Fails if an order that was refused must be filled in part, or a fault strike two.
    #[test]
    fn a_fault_strikes_one_order() {
        let refused = OrderAnswered {
            intent: "key-1".into(),
            order: None,
            outcome: OrderOutcome::Refused("insufficient_balance".into()),
        };
        let struck = || begun(false).kernel(fault(DOOR, 40));
        struck().then(refused).at(1.0).then(fill(100)).holds();
        struck().then(fill(40)).then(fill(40)).violated();
    }
}

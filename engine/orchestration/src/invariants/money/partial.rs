//! `fill.whole`: an order is filled whole, or in part where a fault or the scenario says so, and by as much.

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, number as kernel};

use crate::config::Config;
use crate::domain_event::{DomainEvent, Filled, number};
use crate::invariants::exact::Exact;

/// The door that has a part of an order filled.
const DOOR: &str = "exchange.partial";
/// The part of an order that a scenario's exchange fills where it does not fill the whole.
const PARTS: (f64, f64) = (0.3, 0.9);
/// How exactly parts are told.
const TOLERANCE: f64 = 1e-9;

/// What is to become of the order that is filled next.
pub(super) struct Whole {
    fills_parts: bool,
    /// The part that a fault leaves of it.
    imposed: Option<f64>,
}

impl Whole {
    pub(super) fn new(plan: &Plan<Config>) -> Whole {
        Whole {
            fills_parts: plan.system.paper.simulate_partial_fills,
            imposed: None,
        }
    }

    fn fill(&mut self, fill: &Filled) -> Result<(), String> {
        let imposed = self.imposed.take();
        if fill.position.is_some() || !fill.ordered.is_above_zero() {
            return Ok(());
        }
        let part = fill.size.in_floats() / fill.ordered.in_floats();
        let expected = imposed.unwrap_or(1.0);
        let is_drawn = imposed.is_none() && self.fills_parts;
        let is_part = (PARTS.0 - TOLERANCE..=PARTS.1 + TOLERANCE).contains(&part);
        if (part - expected).abs() < TOLERANCE || is_drawn && is_part {
            return Ok(());
        }
        Err(format!(
            "expected {} of an order to be filled, found {part}",
            if is_drawn {
                "a part or all".to_owned()
            } else {
                expected.to_string()
            }
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
        match (event.kernel(), event.domain()) {
            (Some(KernelEvent::FaultInjected(it)), _) if it.door == *DOOR => {
                self.imposed = Some(it.value as f64 / 100.0);
            }
            (_, Some(DomainEvent::Filled(it))) => return self.fill(it),
            // It was refused after all.
            (_, Some(_)) => self.imposed = None,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::FaultInjected;

    use super::super::planted::{self, config};
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{OrderAnswered, OrderOutcome};
    use crate::invariants::planted::Planted;
    use crate::message::Name;

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

    fn fault(value: u64) -> FaultInjected {
        FaultInjected {
            door: Name::fixed(DOOR),
            asked: 0,
            value,
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
        for drawn in [false, true] {
            let imposed = || begun(drawn).kernel(fault(40));
            imposed().then(fill(40)).holds();
            imposed().then(fill(100)).violated();
            imposed().then(fill(41)).violated();
        }
        let closes = Filled {
            position: Some(1),
            ..fill(50)
        };
        begun(false).then(closes).holds();
    }

    // Fails if a fault is held against an order that comes after the one it struck.
    #[test]
    fn a_fault_strikes_one_order() {
        let refused = OrderAnswered {
            intent: "key-1".into(),
            order: None,
            outcome: OrderOutcome::Unknown,
        };
        let struck = || begun(false).kernel(fault(40));
        struck().then(refused).then(fill(100)).holds();
        struck().then(fill(40)).then(fill(40)).violated();
    }
}

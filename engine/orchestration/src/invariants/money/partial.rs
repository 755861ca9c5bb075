//! `fill.whole`: an order is filled whole, or in part where a fault or the exchange's dice say so, and by as much.

use dacapo_kernel::{Draw, Event, Invariant, KernelEvent, Time, number as kernel};

use super::{DOWN, EXCHANGE};
use crate::config::Config;
use crate::domain_event::{DomainEvent, Filled, OrderOutcome, number};
use crate::invariants::exact::Exact;
use crate::invariants::has_crashed;

/// The door that has a part of an order filled.
const DOOR: &str = "exchange.partial";
/// Whether an exchange that fills some orders in part does so: then it draws less than this.
const CHANCE: (&str, f64) = ("partial fill", 0.2);
/// The part that it fills then lies between these.
const PARTS: (&str, f64, f64) = ("partial fraction", 0.3, 0.9);
/// How exactly parts are told.
const TOLERANCE: f64 = 1e-9;

/// What is to become of the orders that are filled at this instant.
pub(super) struct Whole {
    /// Whether the exchange has dice.
    throws_dice: bool,
    /// The parts that are to be filled of some of them.
    imposed: Vec<f64>,
    /// A part was to be drawn, and was not yet.
    draws: bool,
    /// How many of them were refused after all.
    refused: usize,
    now: Time,
}

impl Whole {
    pub(super) fn new(config: &Config) -> Whole {
        Whole {
            throws_dice: config.paper.simulate_partial_fills,
            imposed: Vec::new(),
            draws: false,
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
        if std::mem::take(&mut self.draws) {
            return Err("expected an order to be filled in part, found no part drawn".into());
        }
        match imposed.get(refused) {
            Some(part) => Err(format!(
                "expected {part} of an order to be filled, found none filled so"
            )),
            None => Ok(()),
        }
    }

    /// The dice of the exchange: whether a part is filled, then which.
    fn draw(&mut self, draw: &Draw) -> Result<(), String> {
        let share = draw.value as f64 / draw.bound as f64;
        if draw.purpose == *CHANCE.0 {
            if self.draws {
                return Err("expected a part to be drawn, found another order begun".into());
            }
            self.draws = share < CHANCE.1;
        } else if draw.purpose == *PARTS.0 {
            if !std::mem::take(&mut self.draws) {
                return Err("expected an order to be filled whole, found a part drawn".into());
            }
            self.imposed.push(PARTS.1 + (PARTS.2 - PARTS.1) * share);
        }
        Ok(())
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
        if is(1.0) {
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
        "an order is filled whole, or in part where a fault or the dice of the exchange say so, and by as much"
    }

    fn watches(&self) -> &'static [u16] {
        if !self.throws_dice {
            return &[kernel::FaultInjected, number::Filled, number::OrderAnswered];
        }
        &[
            DOWN,
            kernel::FaultInjected,
            kernel::Draw,
            number::Filled,
            number::OrderAnswered,
        ]
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
            (Some(KernelEvent::Draw(it)), _) => return self.draw(it),
            (_, Some(DomainEvent::Filled(it))) => return self.fill(it),
            (_, Some(DomainEvent::OrderAnswered(it))) => {
                let is_taken = matches!(it.outcome, OrderOutcome::Filled | OrderOutcome::Resting);
                self.refused += usize::from(!is_taken);
            }
            // Whatever was drawn came to nothing.
            _ if has_crashed(event, EXCHANGE) => {
                self.draws = false;
                self.imposed.clear();
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
    use crate::message::Name;

    fn begun(throws_dice: bool) -> Planted {
        let mut system = config();
        system.paper.simulate_partial_fills = throws_dice;
        Planted::of(Whole::new(&system))
    }

    fn fill(percent: i64) -> Filled {
        Filled {
            ordered: Amount::HUNDRED,
            ..planted::fill(1, percent)
        }
    }

    fn drawn(purpose: &'static str, percent: u64) -> KernelEvent {
        KernelEvent::Draw(Draw {
            purpose: Name::fixed(purpose),
            bound: 100,
            value: percent,
        })
    }

    // Fails if a part may be filled for nothing, or another part than the one that was imposed.
    #[test]
    fn a_part_has_its_reason() {
        begun(false).then(fill(100)).holds();
        begun(false).then(fill(50)).violated();
        let imposed = |dice| begun(dice).kernel(fault(DOOR, 40));
        for dice in [false, true] {
            let later = |log: Planted| log.at(1.0).then(fill(100));
            later(imposed(dice).then(fill(40))).holds();
            later(imposed(dice).then(fill(100)).then(fill(40))).holds();
            let found = later(imposed(dice).then(fill(100))).violated();
            assert!(found.ends_with("found none filled so"), "{found}");
        }
        imposed(false).then(fill(41)).violated();
        let closes = Filled {
            position: Some(1),
            ..fill(50)
        };
        begun(false).then(closes).holds();
    }

    // Fails if the dice may be thrown and not heeded, or a part be drawn that they did not ask for.
    #[test]
    fn the_dice_of_the_exchange_are_heeded() {
        let part = |chance| begun(true).kernel(drawn("partial fill", chance));
        part(20).then(fill(100)).at(1.0).then(fill(100)).holds();
        let half = |chance| part(chance).kernel(drawn("partial fraction", 50));
        half(19).then(fill(60)).at(1.0).then(fill(100)).holds();
        half(20).violated();
        half(19).then(fill(61)).violated();
        let found = half(19).then(fill(100)).at(1.0).then(fill(100)).violated();
        assert!(found.ends_with("found none filled so"), "{found}");
        let found = part(19).at(1.0).then(fill(100)).violated();
        assert!(found.ends_with("found no part drawn"), "{found}");
        part(19).kernel(drawn("partial fill", 50)).violated();
        begun(true).then(fill(60)).violated();
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

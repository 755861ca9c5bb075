//! What the log of a run must say of every leg, whatever went wrong around it.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Seq, Time};
use dacapo_orchestration::coordinator::state::RunState;
use dacapo_orchestration::domain_event::{DomainEvent, LegStored, OrderAnswered, OrderOutcome};
use dacapo_orchestration::message::Instant;

use super::scenario::{INTERVAL_S, Plan};

/// A leg, as the log has told of it so far.
#[derive(Debug)]
struct Leg {
    stored: LegStored,
    status: String,
    /// How often the executor carried it out.
    filled: u32,
}

/// What the auditor remembers.
#[derive(Debug)]
pub(super) struct Audit<'a> {
    plans: &'a [Plan],
    legs: Vec<Leg>,
    /// Acknowledged plans, by the instant at which they were made.
    accepted: BTreeMap<i64, usize>,
    /// When each plan was made, by its number.
    made: BTreeMap<u64, i64>,
}

impl<'a> Audit<'a> {
    /// Holds the whole log against the rules; the first that is broken, with its event.
    pub(super) fn of(
        plans: &'a [Plan],
        events: &[Event<DomainEvent>],
    ) -> Result<Audit<'a>, String> {
        let mut audit = Audit {
            plans,
            legs: Vec::new(),
            accepted: BTreeMap::new(),
            made: BTreeMap::new(),
        };
        for event in events {
            if let Some(domain) = event.domain() {
                let entered = audit.enter(event.time, domain);
                entered.map_err(|wrong| broken(event.seq, event.time, &wrong))?;
            }
        }
        audit.close()?;
        Ok(audit)
    }

    /// How many legs were stored, and how many of them were executed.
    pub(super) fn counts(&self) -> (usize, usize) {
        let executed = self.legs.iter().filter(|leg| leg.status == "executed");
        (self.legs.len(), executed.count())
    }

    fn enter(&mut self, time: Time, event: &DomainEvent) -> Result<(), String> {
        match event {
            DomainEvent::RebalancePlanned(planned) => {
                let at = Instant::from(time).as_micros();
                match self.made.insert(planned.plan, at) {
                    None => Ok(()),
                    Some(_) => Err(format!("plan {} was made before", planned.plan)),
                }
            }
            DomainEvent::LegsPlanned(planned) if planned.accepted && planned.count > 0 => {
                *self
                    .accepted
                    .entry(Instant::from(time).as_micros())
                    .or_default() += 1;
                self.add_up()
            }
            DomainEvent::LegStored(stored) => self.store(stored),
            DomainEvent::LegMarked(marked) => self.mark(marked.leg, marked.status.as_str()),
            DomainEvent::OrderSubmitted(order) => {
                let Some(leg) = self.of_intent(order.intent.as_str()) else {
                    return Ok(());
                };
                let name = leg.stored.key.clone();
                if Instant::from(time) < leg.stored.due {
                    return Err(format!("{name} is sent before its time"));
                }
                if leg.status != "sending" {
                    return Err(format!("{name} is sent while it is {}", leg.status));
                }
                if order.state != RunState::Running {
                    return Err(format!("{name} is sent while trading is off"));
                }
                Ok(())
            }
            DomainEvent::OrderAnswered(answer) => self.answer(answer),
            _ => Ok(()),
        }
    }

    fn store(&mut self, stored: &LegStored) -> Result<(), String> {
        if self.of_intent(stored.key.as_str()).is_some() {
            return Err(format!("{} is stored twice", stored.key));
        }
        let number = self.legs.len() as u64 + 1;
        if stored.leg != number {
            return Err(format!(
                "expected the number {number}, found {}",
                stored.leg
            ));
        }
        self.legs.push(Leg {
            stored: stored.clone(),
            status: "pending".to_owned(),
            filled: 0,
        });
        Ok(())
    }

    fn mark(&mut self, number: u64, status: &str) -> Result<(), String> {
        let leg = self.legs.get_mut(number as usize - 1);
        let leg = leg.ok_or_else(|| format!("leg {number} was never stored"))?;
        let (name, before) = (&leg.stored.key, leg.status.as_str());
        let allowed = match status {
            "sending" => before == "pending",
            // A leg that was sent and never arrived waits again.
            "pending" => before == "sending" && leg.filled == 0,
            "executed" => before == "sending" && leg.filled == 1,
            "failed" => before == "sending" && leg.filled == 0,
            _ => false,
        };
        if !allowed {
            let filled = leg.filled;
            return Err(format!(
                "{name} becomes {status}: it was {before} and was carried out {filled} times"
            ));
        }
        leg.status = status.to_owned();
        Ok(())
    }

    fn answer(&mut self, answer: &OrderAnswered) -> Result<(), String> {
        let Some(leg) = self.of_intent(answer.intent.as_str()) else {
            return Ok(());
        };
        leg.filled += u32::from(matches!(answer.outcome, OrderOutcome::Filled));
        if leg.filled > 1 {
            return Err(format!("{} is carried out twice", answer.intent));
        }
        Ok(())
    }

    fn of_intent(&mut self, intent: &str) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.stored.key == *intent)
    }

    /// The legs of each plan add up to what was planned: all of them are there or none, and all of
    /// them where that was said.
    fn add_up(&self) -> Result<(), String> {
        let mut groups: BTreeMap<(i64, String), Vec<&LegStored>> = BTreeMap::new();
        for leg in &self.legs {
            let key = leg.stored.key.as_str();
            let number = key.split('-').nth(1).unwrap_or_default().to_owned();
            let plan = number
                .parse()
                .ok()
                .and_then(|plan: u64| self.made.get(&plan));
            let made = plan.ok_or_else(|| format!("{key} is of no plan that was made"))?;
            groups.entry((*made, number)).or_default().push(&leg.stored);
        }
        for ((made, _), stored) in &groups {
            let now_s = made / 1_000_000;
            let plan = self
                .plans
                .iter()
                .rfind(|plan| i64::from(plan.at_s) <= now_s);
            let plan = plan.ok_or_else(|| format!("nobody planned anything at {now_s} s"))?;
            let expected = plan.later().into_iter().map(|(batch, trade)| {
                let due = made + i64::from(batch * INTERVAL_S) * 1_000_000;
                let cents = i128::from(trade.cents);
                (trade.symbol, trade.side, cents, i64::from(batch), due)
            });
            let found = stored.iter().map(|leg| {
                let cents = (leg.amount_usd.to_f64() * 100.0).round() as i128;
                let (symbol, side) = (leg.symbol.as_str(), leg.side.as_str());
                (symbol, side, cents, leg.batch_index, leg.due.as_micros())
            });
            let (expected, found): (Vec<_>, Vec<_>) = (expected.collect(), found.collect());
            if expected != found {
                return Err(format!(
                    "of the plan of {now_s} s is stored {found:?}, and planned was {expected:?}"
                ));
            }
        }
        for (made, accepted) in &self.accepted {
            let stored = groups.keys().filter(|(at, _)| at == made).count();
            if stored < *accepted {
                return Err(format!(
                    "{accepted} plans of {made} us are acknowledged, {stored} are stored"
                ));
            }
        }
        Ok(())
    }

    /// After the faults: nothing is left halfway.
    fn close(&self) -> Result<(), String> {
        self.add_up()?;
        let is_open = |leg: &&Leg| !matches!(leg.status.as_str(), "executed" | "failed");
        match self.legs.iter().find(is_open) {
            None => Ok(()),
            Some(leg) => Err(format!("{} ends as {}", leg.stored.key, leg.status)),
        }
    }
}

fn broken(seq: Seq, time: Time, wrong: &str) -> String {
    format!("event {seq}, {:.6} s: {wrong}", time.as_secs_f64())
}

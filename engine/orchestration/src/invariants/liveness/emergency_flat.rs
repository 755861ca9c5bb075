//! After an emergency the positions are gone, or an alert says that they are not.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{CRASH_TASK, Event, Invariant, Plan, Time, number as kernel};

use super::up::{Turn, Up};
use super::{BOUND, COORDINATOR, is_late, is_undisturbed};
use crate::amount::Amount;
use crate::config::{BreachAction, Config, EmergencyConfig, TradingMode};
use crate::coordinator::state::RunState;
use crate::domain_event::{
    DomainEvent, EmergencyOrder, EmergencyOrdered, PositionClosed, PositionOpened, Published,
    number,
};
use crate::invariants::exact::Exact;
use crate::message::{Message, Payload, Topic};

/// How long a close is tried again: every five seconds, ten times.
const TRIES: Duration = Duration::from_secs(50);

/// An alert that asks for something to be closed.
#[derive(Clone, Copy, Debug)]
struct Alert {
    /// The number of its message.
    message: u64,
    /// Whether everything is to be closed, and not reduced.
    closes: bool,
    /// Since when the coordinator has known of it.
    since: Option<Time>,
}

/// `live.emergency-flat`
pub(super) struct EmergencyFlat {
    quiet: Option<Time>,
    life: Up,
    rules: EmergencyConfig,
    has_executor: bool,
    alerts: Vec<Alert>,
    /// What of each position is still open at the exchange.
    open: BTreeMap<u64, Amount>,
    /// Those that are open although everything was said to be closed, and since when.
    leftover: Option<(Time, Vec<u64>)>,
    /// Everything was said to be closed, and the halt still stands.
    stands: bool,
    is_halted: bool,
    /// That is in the store, so that a restart goes on with it.
    kept: bool,
}

impl EmergencyFlat {
    pub(super) fn new(plan: &Plan<Config>) -> EmergencyFlat {
        let config = &plan.system;
        EmergencyFlat {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            rules: config.emergency.clone(),
            has_executor: config.trading_mode == TradingMode::Paper || config.live.connected,
            alerts: Vec::new(),
            open: BTreeMap::new(),
            leftover: None,
            stands: false,
            is_halted: false,
            kept: false,
        }
    }

    fn pass(&self, now: Time) -> Result<(), String> {
        let late = |since: Time, span: Duration| is_late(since, self.quiet, span, now);
        let waiting = |alert: &&Alert| {
            let since = alert.since;
            since.is_some_and(|since| late(since, TRIES + BOUND))
        };
        if let Some(alert) = self.alerts.iter().find(waiting) {
            let what = if alert.closes { "closed" } else { "reduced" };
            return Err(format!(
                "expected positions to be {what} after an alert, or an alert that they are not, \
                 found neither"
            ));
        }
        match &self.leftover {
            Some((since, left)) if late(*since, BOUND) => Err(format!(
                "expected no position open after an emergency close, found {}",
                left.len()
            )),
            _ => Ok(()),
        }
    }

    /// What an alert asks for, if it does: whether to close, and not to reduce.
    fn asks(&self, message: &Message) -> Option<bool> {
        let payload = &message.payload;
        if message.topic != Topic::RiskAlerts || !payload.field("alert_type").is("circuit_breaker")
        {
            return None;
        }
        let limit = payload.field("breach_type").text()?;
        let rule = self.rules.circuit_breaker.get(limit)?;
        let Some(action) = &rule.action else {
            // Then the severity decides, and only a severe one halts.
            let severity = payload.field("severity");
            let severe = severity.is("high") || severity.is("critical");
            return (severe && rule.close_positions).then_some(true);
        };
        match BreachAction::from_name(action)? {
            BreachAction::HaltAll => rule.close_positions.then_some(true),
            BreachAction::ReducePositions => Some(false),
            BreachAction::PauseTrading => None,
        }
    }

    /// The coordinator begins: what it had in mind is gone, but for what it has saved.
    fn begin(&mut self, now: Time) {
        self.stands = self.kept;
        let goes_on = self.kept && !self.open.is_empty();
        self.leftover = goes_on.then(|| (now + TRIES, self.all_open()));
    }

    fn all_open(&self) -> Vec<u64> {
        self.open.keys().copied().collect()
    }

    fn publish(&mut self, event: &Event<DomainEvent>, published: &Published) {
        let message = &published.message;
        match &message.payload {
            Payload::EmergencyUnfinished(_) if self.life.speaks_in(event) => {
                self.finish_with(None);
                self.leftover = None;
            }
            _ if self.has_executor => {
                if let Some(closes) = self.asks(message) {
                    self.alerts.push(Alert {
                        message: message.id.as_number(),
                        closes,
                        since: None,
                    });
                }
            }
            _ => {}
        }
    }

    fn opened(&mut self, opened: &PositionOpened, now: Time) {
        self.open.insert(opened.position, opened.size);
        if self.stands {
            // Its close may take its tries.
            let (_, left) = self.leftover.get_or_insert((now + TRIES, Vec::new()));
            left.push(opened.position);
        }
    }

    /// A position is closed, or a part of it.
    fn closed(&mut self, closed: &PositionClosed) {
        let left = self.open.get(&closed.position);
        match left.and_then(|left| left.minus(closed.size).ok()) {
            Some(left) if left.is_above_zero() => drop(self.open.insert(closed.position, left)),
            _ => drop(self.open.remove(&closed.position)),
        }
        if let Some((_, left)) = &mut self.leftover {
            left.retain(|position| self.open.contains_key(position));
            if left.is_empty() {
                self.leftover = None;
            }
        }
    }

    fn order(&mut self, ordered: &EmergencyOrdered, now: Time) {
        let closes = matches!(ordered.order, EmergencyOrder::CloseAll);
        if ordered.left.is_some_and(|left| left > 0) {
            return;
        }
        self.finish_with(Some(closes));
        if closes {
            self.stands = self.is_halted;
            self.leftover = (!self.open.is_empty()).then(|| (now, self.all_open()));
        }
    }

    /// The oldest alert of a kind is done with. If it was to close, so is every other that the coordinator knows of:
    /// whatever asks for a close while one is under way is served by that one.
    fn finish_with(&mut self, closes: Option<bool>) {
        let fits = |alert: &Alert| {
            alert.since.is_some() && closes.is_none_or(|closes| closes == alert.closes)
        };
        let Some(at) = self.alerts.iter().position(fits) else {
            return;
        };
        if self.alerts.remove(at).closes {
            self.alerts
                .retain(|alert| !alert.closes || alert.since.is_none());
        }
    }
}

impl Invariant<DomainEvent> for EmergencyFlat {
    fn id(&self) -> &'static str {
        "live.emergency-flat"
    }

    fn statement(&self) -> &'static str {
        "after an emergency close, positions reach zero or an alert says why not"
    }

    fn applies(&self) -> bool {
        self.quiet.is_some()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Published,
            number::Delivered,
            number::PositionOpened,
            number::PositionClosed,
            number::EmergencyOrdered,
            number::StateChanged,
            number::StateSaved,
            number::StateRestored,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        // A store that comes back older than it was may not know of the halt.
        &[CRASH_TASK, "store.stale"]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        match self.life.note(event) {
            Turn::Began => self.begin(event.time),
            // Until it is up again nothing is asked of it.
            Turn::Crashed => {
                self.alerts.clear();
                self.leftover = None;
            }
            Turn::Nothing => {}
        }
        match event.domain() {
            Some(DomainEvent::Published(published)) => self.publish(event, published),
            Some(DomainEvent::Delivered(it)) if it.subscriber.as_str() == COORDINATOR => {
                for alert in &mut self.alerts {
                    if alert.message == it.message {
                        alert.since = Some(event.time);
                    }
                }
            }
            Some(DomainEvent::PositionOpened(opened)) => self.opened(opened, event.time),
            Some(DomainEvent::PositionClosed(closed)) => self.closed(closed),
            Some(DomainEvent::EmergencyOrdered(ordered)) => self.order(ordered, event.time),
            Some(DomainEvent::StateChanged(changed)) => {
                self.is_halted = changed.to == RunState::Halted;
                self.stands &= self.is_halted;
            }
            Some(DomainEvent::StateRestored(restored)) if !restored.complete => {
                (self.kept, self.stands, self.leftover) = (false, false, None);
            }
            Some(DomainEvent::StateSaved(saved)) => {
                let closing = saved.record.0.get("closing");
                self.kept = closing.is_some_and(|closing| *closing == true);
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
mod tests;

//! The time that counts against the coordinator: it is RUNNING, or PAUSED where that changes nothing, and nothing else
//! holds it up.
//!
//! A look of the schedule ends when all that it started has ended, and an order takes the time that
//! the exchange takes. Both have properties of their own; here that time does not count.

use std::time::Duration;

use dacapo_kernel::{Event, Plan, Time};

use super::up::{Turn, Up};
use super::{BOUND, is_undisturbed};
use crate::config::Config;
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, OrderOutcome, OutsideAction};

/// How the coordinator that stops in good order says so.
const STOP: &str = "stop";

/// A stretch of time that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    from: Time,
    to: Time,
}

/// Follows what the coordinator is busy with. Whoever uses it watches `HostStarted`, `HostCrashed`,
/// `Started`, `Subscribed`, `StateChanged`, `TaskRunStarted`, `TaskRunEnded`, `OrderSubmitted`, `OrderAnswered` and
/// `OutsideActed`.
#[derive(Debug)]
pub(super) struct Idle {
    quiet: Option<Time>,
    life: Up,
    /// Whether time counts in which trading is paused.
    though_paused: bool,
    state: RunState,
    stopped: bool,
    /// It was told to stop while it was down, and may hear of it when it comes up.
    doomed: bool,
    runs: u32,
    orders: u32,
    last: Time,
}

impl Idle {
    pub(super) fn new(plan: &Plan<Config>) -> Idle {
        Idle {
            quiet: plan.faults.ends().filter(|_| is_undisturbed(plan)),
            life: Up::default(),
            though_paused: false,
            state: RunState::Running,
            stopped: false,
            doomed: false,
            runs: 0,
            orders: 0,
            last: Time::ZERO,
        }
    }

    /// The time that counts for what goes on while trading is paused.
    pub(super) fn though_paused(plan: &Plan<Config>) -> Idle {
        Idle {
            though_paused: true,
            ..Idle::new(plan)
        }
    }

    /// Whether there is a time from which on anything counts.
    pub(super) fn is_bounded(&self) -> bool {
        self.quiet.is_some()
    }

    /// The later of an instant and the end of the faults.
    pub(super) fn since(&self, from: Time) -> Time {
        from.max(self.quiet.unwrap_or(Time::ZERO))
    }

    /// Who the coordinator is.
    pub(super) fn life(&self) -> &Up {
        &self.life
    }

    /// Whether trading is on.
    pub(super) fn is_running(&self) -> bool {
        self.life.listens() && !self.stopped && self.state == RunState::Running
    }

    /// Whether it does what time counts for.
    pub(super) fn is_at_work(&self) -> bool {
        let is_paused = self.state == RunState::Paused && self.though_paused;
        self.is_running() || is_paused && self.life.listens() && !self.stopped
    }

    /// What of the time since the last event counts.
    pub(super) fn pass(&mut self, now: Time) -> Option<Stretch> {
        let from = self.last.max(self.quiet?);
        self.last = now;
        let counts = self.is_at_work() && self.runs == 0 && self.orders == 0;
        (counts && from < now).then_some(Stretch { from, to: now })
    }

    /// Takes an event into account, after the time before it.
    pub(super) fn note(&mut self, event: &Event<DomainEvent>) -> Turn {
        let turn = self.life.note(event);
        if turn != Turn::Nothing {
            self.state = RunState::Running;
            (self.stopped, self.runs, self.orders) = (self.doomed, 0, 0);
            return turn;
        }
        match event.domain() {
            Some(DomainEvent::StateChanged(changed)) => {
                self.state = changed.to;
                self.stopped |= changed.by.as_str() == STOP;
            }
            Some(DomainEvent::OutsideActed(acted)) => {
                let stops = matches!(acted.action, OutsideAction::Stop);
                self.stopped |= stops;
                self.doomed |= stops && !self.life.is_up();
            }
            Some(DomainEvent::TaskRunStarted(_)) => self.runs += 1,
            Some(DomainEvent::TaskRunEnded(_)) => self.runs = self.runs.saturating_sub(1),
            Some(DomainEvent::OrderSubmitted(_)) => self.orders += 1,
            Some(DomainEvent::OrderAnswered(answered)) => {
                let over = u32::from(answered.outcome != OrderOutcome::Unknown);
                self.orders = self.orders.saturating_sub(over);
            }
            _ => {}
        }
        turn
    }
}

/// How long something has been overdue, in time that counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Overdue(Duration);

impl Overdue {
    /// It was due at `due` and did not come in a stretch of time. Whether that is too long.
    #[must_use]
    pub(super) fn wait(&mut self, stretch: Stretch, due: Time) -> bool {
        self.0 = self.0.saturating_add(stretch.to - stretch.from.max(due));
        self.0 > BOUND
    }

    /// It came, or something excuses that it did not.
    pub(super) fn reset(&mut self) {
        self.0 = Duration::ZERO;
    }
}

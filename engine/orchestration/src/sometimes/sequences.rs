//! What takes several events in a row to be reached.

use std::collections::BTreeMap;

use dacapo_kernel::{KernelEvent, Sometimes, number as kernel};

use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, OrderOutcome, number};
use crate::message::DegradationLevel;

pub(super) fn all() -> Vec<Sometimes<DomainEvent>> {
    let levels = [
        (
            "level.reduced",
            "the level fell to REDUCED",
            DegradationLevel::Reduced,
        ),
        (
            "level.limited",
            "the level fell to LIMITED",
            DegradationLevel::Limited,
        ),
        (
            "level.emergency",
            "the level fell to EMERGENCY",
            DegradationLevel::Emergency,
        ),
    ];
    let ways_back = [
        (
            "level.back-from-reduced",
            "the level came back from REDUCED",
            DegradationLevel::Reduced,
        ),
        (
            "level.back-from-limited",
            "the level came back from LIMITED",
            DegradationLevel::Limited,
        ),
        (
            "level.back-from-emergency",
            "the level came back from EMERGENCY",
            DegradationLevel::Emergency,
        ),
    ];
    let states = [
        ("state.paused", "trading was paused", RunState::Paused, None),
        ("state.halted", "trading was halted", RunState::Halted, None),
        (
            "state.resumed",
            "trading was resumed",
            RunState::Running,
            Some(RunState::Paused),
        ),
        (
            "state.cleared",
            "a halt was cleared",
            RunState::Paused,
            Some(RunState::Halted),
        ),
    ];
    let mut all = Vec::new();
    all.extend(
        levels.map(|(id, meaning, to)| moves(id, meaning, move |from, at| from < to && at == to)),
    );
    all.extend(
        ways_back
            .map(|(id, meaning, was)| moves(id, meaning, move |from, at| from == was && at < was)),
    );
    all.extend(states.map(|(id, meaning, to, from)| changes(id, meaning, to, from)));
    all.extend([
        crash_in_recovery(),
        restored(),
        partial_fill(),
        leg_after_restart(),
        resting_filled(),
        stored_late(),
    ]);
    all
}

/// The level moves as `is_it` asks: from one level to another.
fn moves(
    id: &'static str,
    meaning: &'static str,
    is_it: impl Fn(DegradationLevel, DegradationLevel) -> bool + 'static,
) -> Sometimes<DomainEvent> {
    let mut level = DegradationLevel::Normal;
    Sometimes {
        id,
        meaning,
        watches: &[number::OutcomeCounted],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::OutcomeCounted(counted)) => {
                let from = std::mem::replace(&mut level, counted.level);
                is_it(from, counted.level)
            }
            _ => false,
        }),
    }
}

fn changes(
    id: &'static str,
    meaning: &'static str,
    to: RunState,
    from: Option<RunState>,
) -> Sometimes<DomainEvent> {
    Sometimes {
        id,
        meaning,
        watches: &[number::StateChanged],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::StateChanged(changed)) => {
                changed.to == to && from.is_none_or(|from| changed.from == from)
            }
            _ => false,
        }),
    }
}

fn crash_in_recovery() -> Sometimes<DomainEvent> {
    let mut recovering = false;
    Sometimes {
        id: "crash.in-recovery",
        meaning: "the host crashed again before it had recovered",
        watches: &[
            kernel::HostCrashed,
            kernel::HostRestarted,
            number::TaskRunStarted,
        ],
        reached: Box::new(move |event| match event.kernel() {
            Some(KernelEvent::HostCrashed(_)) => recovering,
            Some(KernelEvent::HostRestarted(_)) => {
                recovering = true;
                false
            }
            _ => {
                recovering = false;
                false
            }
        }),
    }
}

fn restored() -> Sometimes<DomainEvent> {
    Sometimes {
        id: "recovery.complete",
        meaning: "a coordinator went on from what was saved",
        watches: &[number::StateRestored],
        reached: Box::new(|event| match event.domain() {
            Some(DomainEvent::StateRestored(restored)) => {
                restored.complete && event.time.as_nanos() > 0
            }
            _ => false,
        }),
    }
}

fn partial_fill() -> Sometimes<DomainEvent> {
    Sometimes {
        id: "order.partial",
        meaning: "an order was filled in part",
        watches: &[kernel::FaultInjected, kernel::Draw],
        reached: Box::new(|event| match event.kernel() {
            Some(KernelEvent::FaultInjected(fault)) => fault.door == *"exchange.partial",
            Some(KernelEvent::Draw(draw)) => draw.purpose == *"partial fraction",
            _ => false,
        }),
    }
}

fn leg_after_restart() -> Sometimes<DomainEvent> {
    let (mut stored, mut before_restart) = (BTreeMap::new(), 0);
    Sometimes {
        id: "leg.after-restart",
        meaning: "a trade that was scheduled before a crash was carried out after it",
        watches: &[kernel::HostRestarted, number::LegStored, number::LegMarked],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::LegStored(leg)) => {
                stored.insert(leg.leg, event.seq.0);
                false
            }
            Some(DomainEvent::LegMarked(leg)) => {
                leg.status == *"executed"
                    && stored.get(&leg.leg).is_some_and(|at| *at < before_restart)
            }
            _ => {
                before_restart = event.seq.0;
                false
            }
        }),
    }
}

fn resting_filled() -> Sometimes<DomainEvent> {
    let mut resting = Vec::new();
    Sometimes {
        id: "order.rested-and-filled",
        meaning: "an order that had waited for its price was filled",
        watches: &[number::OrderAnswered],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::OrderAnswered(answered)) => match answered.outcome {
                OrderOutcome::Resting => {
                    resting.push(answered.intent.clone());
                    false
                }
                OrderOutcome::Filled => resting.contains(&answered.intent),
                _ => false,
            },
            _ => false,
        }),
    }
}

fn stored_late() -> Sometimes<DomainEvent> {
    let mut failed = false;
    Sometimes {
        id: "leg.stored-late",
        meaning: "scheduled trades were stored after the store had failed",
        watches: &[number::StoreFailed, number::LegStored],
        reached: Box::new(move |event| match event.domain() {
            Some(DomainEvent::StoreFailed(it)) => {
                failed |= it.operation == *"insert_legs";
                false
            }
            _ => failed,
        }),
    }
}

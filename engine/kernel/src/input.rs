//! Inputs of a run: each is made here while recording, and fed back here in a replay.

use std::rc::Rc;
use std::time::Duration;

use crate::event::{Body, Event, EventSet, Role};
use crate::executor::{Core, Cut, State, Stop, Target};
use crate::fault::{Fault, FaultPlan, When};
use crate::float_clock::FloatSeconds;
use crate::id::{ActorId, HostId, Seq, TaskId};
use crate::journal::Journal;
use crate::kernel_event::{
    CallLost, CallOutcome, HOST_CRASHED, KernelEvent, TaskCrashed, TaskEnding, number,
};
use crate::setup::start_host;
use crate::simulation::move_to;
use crate::system::System;
use crate::task::{bury, kill};
use crate::verdict::{Budget, Verdict};

/// Sets what the plan says will go wrong at an instant or after an event.
///
/// A crash at an event from before the first step strikes right before that step.
pub(crate) fn plan_faults<S: System>(state: &mut State<S>, plan: &FaultPlan) {
    let mut overdue = Vec::new();
    for fault in &plan.faults {
        match fault {
            Fault::CrashHost {
                host,
                when,
                restart_after,
            } => {
                let Some(host) = state.outside.host_named(host) else {
                    continue;
                };
                let cut = Cut {
                    host,
                    restart_after: *restart_after,
                };
                match when {
                    When::Time(at) => {
                        state.arrivals.set(*at, Target::CrashHost(Box::new(cut)));
                    }
                    When::Event(seq) if seq.0 < state.next_seq => overdue.push(cut),
                    When::Event(seq) => state.cut_at.push((*seq, cut)),
                    When::Recovery(after) => state.cut_recoveries.push((*after, cut)),
                }
            }
            Fault::CrashTask { task, at } => {
                state
                    .arrivals
                    .set(*at, Target::CrashTask(task.as_str().into()));
            }
            Fault::JumpClock { at, by } => {
                state.arrivals.set(*at, Target::JumpClock(*by));
            }
            // Doors and choices are asked for where they come up; what the system does itself
            // it has in its configuration by now.
            Fault::Door { .. }
            | Fault::Strike { .. }
            | Fault::Choose { .. }
            | Fault::Act { .. } => {}
        }
    }
    state.cut_recoveries.reverse();
    state.cut_at.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    state.plan_ahead();
    for cut in overdue {
        state.strike(cut, true);
    }
}

/// Whether there still is what a planned fault would strike.
pub(crate) fn has_effect<S: System>(state: &State<S>, target: &Target<S::Event>) -> bool {
    match target {
        Target::CrashHost(cut) => {
            !state.world.down.contains(&cut.host) && state.comes_about(HOST_CRASHED)
        }
        Target::CrashTask(name) => {
            !state.tasks_where(|slot| slot.name == *name).is_empty()
                && state.comes_about(number::TaskCrashed)
        }
        Target::JumpClock(_) => state.comes_about(number::ClockJumped),
        Target::Answer(..) | Target::Restart(_) => true,
        Target::Beyond => false,
    }
}

/// A timer that is not a task's own has come due.
pub(crate) fn fire<S: System>(core: &Rc<Core<S>>, target: Target<S::Event>) {
    match target {
        Target::Answer(call, event) => answer(&mut core.state.borrow_mut(), call, *event),
        Target::Restart(host) => {
            core.state.borrow_mut().returning -= 1;
            restart_host(core, host);
        }
        Target::CrashHost(cut) => core.state.borrow_mut().strike(*cut, false),
        Target::JumpClock(by) => core.state.borrow_mut().jump_clock(by),
        Target::Beyond => {}
        Target::CrashTask(name) => {
            let oldest = core
                .state
                .borrow()
                .tasks_where(|slot| slot.name == name)
                .first()
                .copied();
            if let Some(task) = oldest {
                crash_task(core, task.id);
            }
        }
    }
}

/// Feeds a recorded input back.
pub(crate) fn feed_back<S: System>(core: &Rc<Core<S>>, input: Event<S::Event>) {
    let mut state = core.state.borrow_mut();
    move_to(&mut state, input.time);
    match input.body {
        Body::Kernel(KernelEvent::HostCrashed(crashed)) => {
            let cut = Cut {
                host: crashed.host,
                restart_after: None,
            };
            let before = state.next_seq;
            state.strike(cut, crashed.abrupt);
            if state.next_seq == before {
                nobody_takes(&mut state);
            }
        }
        Body::Kernel(KernelEvent::HostRestarted(restarted)) => {
            drop(state);
            restart_host(core, restarted.host);
        }
        Body::Kernel(KernelEvent::TaskCrashed(crashed)) => {
            drop(state);
            crash_task(core, crashed.task);
        }
        Body::Kernel(KernelEvent::ClockJumped(jumped)) => state.jump_clock(jumped.by),
        Body::Kernel(KernelEvent::FaultInjected(fault))
            if state.outside.feed_of(input.actor).is_some() =>
        {
            state.append_kernel(input.actor, None, fault);
            drop(state);
            feed_back_item(core, input.actor);
        }
        Body::Domain(event) => match (event.kind().role, input.cause) {
            (Role::Answer, Some(call)) if state.outside.calls.contains_key(&call) => {
                // What a program says that was asked again is compared with what it said then.
                let pending = state.outside.calls.get_mut(&call);
                let again = pending.and_then(|pending| pending.again.take());
                answer(&mut state, call, again.unwrap_or(event));
            }
            _ => match state.outside.feed_of(input.actor) {
                Some(feed) => arrive(&mut state, feed, Some(event)),
                None => nobody_takes(&mut state),
            },
        },
        Body::Kernel(_) => nobody_takes(&mut state),
    }
}

/// What a feed's fault was let in on the way to arrives in the same breath.
fn feed_back_item<S: System>(core: &Rc<Core<S>>, feed: ActorId) {
    let next = match &mut core.state.borrow_mut().journal {
        Journal::Verify(verifier) => verifier.peek(),
        Journal::Record(_) | Journal::Discard => Ok(None),
    };
    match next {
        Ok(Some(item)) if item.actor == feed => feed_back(core, item),
        Ok(_) => {}
        Err(error) => core.state.borrow_mut().stop(Stop::Journal(error)),
    }
}

/// The recording has an input for which the re-run has no taker.
fn nobody_takes<S: System>(state: &mut State<S>) {
    let seq = Seq(state.next_seq);
    if let Journal::Verify(verifier) = &mut state.journal {
        let error = verifier.nothing_more(seq);
        state.stop(Stop::Journal(error));
    }
}

/// An item of a feed arrives: the next one, or the recorded one.
pub(crate) fn arrive<S: System>(state: &mut State<S>, feed: usize, recorded: Option<S::Event>) {
    let from = &mut state.outside.feeds[feed];
    let item = recorded.or_else(|| from.next.take().map(|(_, event)| event));
    let Some(item) = item else { return };
    let (actor, inbox) = (from.actor, Rc::clone(&from.inbox));
    for fault in std::mem::take(&mut from.injected) {
        state.append_kernel(actor, None, fault);
    }
    state.float_now = FloatSeconds::nearest(state.now);
    let event = state.event(actor, None, Body::Domain(item.clone()));
    if let Some(guide) = &mut state.guide {
        guide.arrives(event.seq, state.outside.feeds[feed].is_recorded);
    }
    let seq = state.append(event);
    let mut waiting = inbox.borrow_mut();
    waiting.items.push_back((seq, item));
    let most = state.budgets.queue;
    if waiting.items.len() as u64 > most {
        state.end_with(Verdict::Exhausted(Budget::Queue(most)));
    }
    if let Some(reader) = waiting.reader.take() {
        state.wake(reader);
    }
}

/// A call is answered, unless its caller gave it up.
fn answer<S: System>(state: &mut State<S>, call: Seq, answer: S::Event) {
    let Some(pending) = state.outside.calls.get(&call) else {
        return;
    };
    let (task, port) = (pending.task, pending.port);
    let (made, float_made) = pending.made;
    state.float_now = float_made.after(state.now.since(made));
    let port = state.outside.ports.get(&port);
    let actor = port.map_or(ActorId::ENGINE, |port| port.actor);
    let event = state.event(actor, Some(call), Body::Domain(answer.clone()));
    let seq = state.append(event);
    if let Some(pending) = state.outside.calls.get_mut(&call) {
        pending.answer = Some(answer);
    }
    state.wake_because(task, seq);
}

/// Drops what a crash left: the host's unanswered calls and its tasks.
pub(crate) fn clear_host<S: System>(core: &Rc<Core<S>>, cut: Cut) {
    lose_calls(&mut core.state.borrow_mut(), cut.host);
    bury(core, cut.host);
    let mut state = core.state.borrow_mut();
    if let (Some(after), false) = (cut.restart_after, state.journal.is_verifying()) {
        let at = state.now + Duration::from_nanos(after);
        state.arrivals.set(at, Target::Restart(cut.host));
        state.returning += 1;
    }
}

fn lose_calls<S: System>(state: &mut State<S>, host: HostId) {
    let on_host = |call: &Seq| {
        let task = state.outside.calls[call].task;
        state.slot(task).is_some_and(|slot| slot.host == host)
    };
    let calls = state.outside.calls.keys().copied();
    let calls: Vec<Seq> = calls.filter(on_host).collect();
    for call in calls {
        let Some(lost) = state.outside.calls.remove(&call) else {
            continue;
        };
        if let Some(timer) = lost.timer {
            state.arrivals.cancel(timer);
        }
        if lost.answer.is_none() {
            let outcome = outcome_of(state, call, lost.port);
            state.append_kernel(ActorId::ENGINE, Some(call), CallLost { call, outcome });
        }
    }
}

/// What became of a lost call: whoever would have answered says, or the recording does.
fn outcome_of<S: System>(state: &mut State<S>, call: Seq, port: u16) -> CallOutcome {
    if let Journal::Verify(verifier) = &mut state.journal {
        return match verifier.peek_kernel() {
            Some(KernelEvent::CallLost(lost)) => lost.outcome,
            _ => CallOutcome::Unknown,
        };
    }
    let Some(port) = state.outside.ports.get_mut(&port) else {
        return CallOutcome::Unknown;
    };
    let name = state.world.actor_name(port.actor);
    let stream = state.chance.stream(port.actor, || name, "lost");
    let made = port
        .provider
        .as_mut()
        .map_or(CallOutcome::Unknown, |provider| provider.lost(call, stream));
    let guide = state.guide.as_ref();
    let recorded = guide.and_then(|guide| guide.lost(Seq(state.next_seq), call));
    recorded.unwrap_or(made)
}

fn restart_host<S: System>(core: &Rc<Core<S>>, host: HostId) {
    core.state.borrow_mut().restarted(host);
    start_host(core, host);
}

fn crash_task<S: System>(core: &Rc<Core<S>>, task: TaskId) {
    core.state
        .borrow_mut()
        .append_kernel(ActorId::ENGINE, None, TaskCrashed { task });
    let tasks = core.state.borrow().tasks_where(|slot| slot.id == task);
    kill(core, &tasks, &TaskEnding::Crashed);
}

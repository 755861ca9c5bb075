//! A call to the outside and the wait for its answer; cancelled when dropped.

use std::rc::Rc;
use std::task::Poll;

use crate::doors::Odds;
use crate::event::Body;
use crate::executor::{Core, State, Stop, Target};
use crate::follow::guide::Answered;
use crate::id::{ActorId, Seq};
use crate::journal::{Journal, JournalError};
use crate::kernel_event::{CallCancelled, FaultInjected};
use crate::outside::PendingCall;
use crate::port::{Answer, Port};
use crate::program::{Outsider, ProgramError, Unfit};
use crate::sync::consult::{Consulted, consult};
use crate::system::System;
use crate::task::{Pending, cut_off};
use crate::timers::TimerKey;

pub(crate) struct Call<S: System> {
    core: Rc<Core<S>>,
    actor: ActorId,
    call: Seq,
}

impl<S: System> Call<S> {
    /// Logs the request and, while recording, asks the provider for an answer.
    pub(crate) fn make(
        core: &Rc<Core<S>>,
        actor: ActorId,
        port: Port,
        request: S::Event,
    ) -> Call<S> {
        let mut state = core.state.borrow_mut();
        if state.halted {
            drop(state);
            cut_off();
            state = core.state.borrow_mut();
        }
        let task = state.current();
        assert!(
            state.outside.ports.contains_key(&port.0),
            "nobody answers at port {}: a system calls only at the ports that it registered",
            port.0
        );
        let call = state.emit(actor, Body::Domain(request.clone()));
        let asked = (!state.halted).then(|| ask(&mut state, (actor, port), call, &request));
        let Consulted { timer, again } = match asked.flatten() {
            None => consult(&mut state, (actor, port), call, &request),
            timer => Consulted { timer, again: None },
        };
        let pending = PendingCall {
            port: port.0,
            task,
            made: (state.now, state.float_now),
            timer,
            again,
            answer: None,
        };
        state.outside.calls.insert(call, pending);
        Call {
            core: Rc::clone(core),
            actor,
            call,
        }
    }

    pub(crate) fn poll_answer(&self) -> Poll<S::Event> {
        let mut state = self.core.state.borrow_mut();
        let waiting = state.outside.calls.get_mut(&self.call);
        if let Some(answer) = waiting.and_then(|pending| pending.answer.take()) {
            state.outside.calls.remove(&self.call);
            return Poll::Ready(answer);
        }
        state.current_slot().pending = Pending::Other("an answer from outside");
        Poll::Pending
    }
}

/// Has the provider answer, and sets the timer at which the answer comes. In a replay there is
/// no provider, and the answer comes from the log.
fn ask<S: System>(
    state: &mut State<S>,
    (caller, port): (ActorId, Port),
    call: Seq,
    request: &S::Event,
) -> Option<TimerKey> {
    let actor = state.outside.ports.get(&port.0)?.actor;
    let made = made(state, port, call, request);
    if made.is_none() && !state.follows() {
        take_faults(state, actor, call);
        return None;
    }
    // Whoever answers is asked where a recording says what they answer, too, so that they stand where they stood.
    let (own, faults) = match made {
        Some((own, faults)) => (Some(own), faults),
        None => (None, Vec::new()),
    };
    let (answer, recorded) = guided(state, caller, call, request, own);
    note(state, actor, call, recorded.unwrap_or(faults));
    let Answer { after, event } = answer?;
    let target = Target::Answer(call, Box::new(event));
    Some(state.arrivals.set(state.now + after, target))
}

/// What the provider of a port answers, if there is one, and the faults that it lets in.
fn made<S: System>(
    state: &mut State<S>,
    port: Port,
    call: Seq,
    request: &S::Event,
) -> Option<(Answer<S::Event>, Vec<FaultInjected>)> {
    let at = state.outside.ports.get_mut(&port.0)?;
    let actor = at.actor;
    let provider = at.provider.as_mut()?;
    let mut injected = Vec::new();
    let mut odds = Odds {
        chance: &mut state.chance,
        doors: &mut state.doors,
        now: state.now,
        actor,
        name: state.world.actor_name(actor),
        purpose: "answer",
        injected: &mut injected,
        failed: None,
    };
    let answer = provider.answer(call, request, state.now, &mut odds);
    let (failed, name) = (odds.failed.take(), odds.name.to_owned());
    if let Some(failed) = failed {
        let error = ProgramError {
            who: Outsider::Service,
            name,
            command: failed.service,
            place: format!("in answer to event {} at {}", call.0, state.now),
            unfit: Unfit::new(failed.what, failed.help),
            last_words: String::new(),
        };
        state.stop(Stop::Journal(JournalError::Program(Box::new(error))));
        return None;
    }
    Some((answer, injected))
}

/// Logs the faults of an answer.
fn note<S: System>(state: &mut State<S>, actor: ActorId, call: Seq, faults: Vec<FaultInjected>) {
    for fault in faults {
        if !state.halted {
            state.append_kernel(actor, Some(call), fault);
        }
    }
}

/// What becomes of a call: as the recording that the run goes by has it, else what whoever answers says.
pub(crate) fn guided<S: System>(
    state: &mut State<S>,
    caller: ActorId,
    call: Seq,
    request: &S::Event,
    own: Option<Answer<S::Event>>,
) -> Answered<S::Event> {
    let Some(guide) = &mut state.guide else {
        return (own, None);
    };
    let who = (state.world.actor_name(caller), state.now);
    guide.answer(call, who, request, own)
}

/// The faults that the recording has between a call and whatever came next.
fn take_faults<S: System>(state: &mut State<S>, actor: ActorId, call: Seq) {
    loop {
        let Journal::Verify(verifier) = &mut state.journal else {
            return;
        };
        let Some(fault) = verifier.any_injected(actor) else {
            return;
        };
        state.append_kernel(actor, Some(call), fault);
        if state.halted {
            return;
        }
    }
}

impl<S: System> Drop for Call<S> {
    fn drop(&mut self) {
        let mut state = self.core.state.borrow_mut();
        let Some(pending) = state.outside.calls.remove(&self.call) else {
            return;
        };
        if let Some(timer) = pending.timer {
            state.arrivals.cancel(timer);
        }
        if pending.answer.is_none() {
            let cause = state.cause;
            state.append_kernel(self.actor, cause, CallCancelled { call: self.call });
        }
    }
}

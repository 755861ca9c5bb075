//! The loop of a run: step whoever is ready, then let time move to the next thing that happens.
//!
//! Recording and verifying differ in one place only, [`advance`]: a recorded run takes what
//! comes next from timers, feeds and providers; a verified one takes every input from its log.

use std::rc::Rc;

use crate::acknowledge::Acknowledge;
use crate::event::{Event, Role};
use crate::executor::{Core, State, Stop};
use crate::float_clock::FloatSeconds;
use crate::id::{Seq, Time};
use crate::input::{arrive, clear_host, feed_back, fire, has_effect};
use crate::journal::{Journal, JournalError};
use crate::kernel_event::{KernelEvent, RUN_ENDED, RunEnded};
use crate::plan::Plan;
use crate::system::System;
use crate::task::step;
use crate::verdict::{Budget, Verdict};

/// Told now and then how far a run is; ends the run by returning false.
pub(crate) type Watch<'a> = Box<dyn FnMut(Seq, Time) -> bool + 'a>;

/// Told before time moves to an instant, with the last event so far; returns when it may, or ends the run by returning
/// false.
pub(crate) type Pace<'a> = Box<dyn FnMut(Seq, Time) -> bool + 'a>;

/// How many steps pass between two calls of a watch.
const WATCH_EVERY: u32 = 16_384;

/// Runs until something stops the run.
pub(crate) fn drive<S: System>(
    core: &Rc<Core<S>>,
    plan: &Plan<S::Config>,
    mut watch: Option<&mut Watch<'_>>,
    mut acknowledge: Option<&mut Acknowledge<'_>>,
    mut pace: Option<&mut Pace<'_>>,
) {
    let mut steps = 0u32;
    loop {
        let mut state = core.state.borrow_mut();
        if state.stop.is_some() {
            return;
        }
        if let Some(cut) = state.struck.pop_front() {
            drop(state);
            clear_host(core, cut);
            continue;
        }
        match state.next_step() {
            Some((task, future)) => {
                drop(state);
                step(core, task, future);
            }
            None if state.stop.is_some() || !state.struck.is_empty() => continue,
            None => {
                drop(state);
                advance(core, plan, pace.as_deref_mut());
            }
        }
        if let Some(acknowledge) = &mut acknowledge {
            let durable = core.state.borrow().journal.durable();
            acknowledge.up_to(durable);
        }
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(WATCH_EVERY) {
            look_up(&mut core.state.borrow_mut(), watch.as_deref_mut());
        }
    }
}

/// Asks whoever watches whether to go on; a replay ends where the recorded run was ended.
fn look_up<S: System>(state: &mut State<S>, watch: Option<&mut Watch<'_>>) {
    let last = Seq(state.next_seq.saturating_sub(1));
    let go_on = watch.is_none_or(|watch| watch(last, state.now));
    let interrupted = match &mut state.journal {
        Journal::Verify(verifier) => matches!(
            verifier.peek_kernel(),
            Some(KernelEvent::RunEnded(RunEnded {
                verdict: Verdict::Interrupted
            }))
        ),
        Journal::Record(_) | Journal::Discard => false,
    };
    if !go_on || interrupted {
        state.end_with(Verdict::Interrupted);
    }
}

/// Nothing is ready: lets time move to whatever happens next, or ends the run.
fn advance<S: System>(core: &Rc<Core<S>>, plan: &Plan<S::Config>, pace: Option<&mut Pace<'_>>) {
    #[cfg(debug_assertions)]
    audit(core);
    let mut state = core.state.borrow_mut();
    let idle = state.working == 0 && state.returning == 0;
    if state.journal.is_verifying() {
        match next_recorded(&mut state, plan, idle) {
            Ok(Recorded::Input(input)) => {
                drop(state);
                return feed_back(core, input);
            }
            Ok(Recorded::End(verdict)) => return state.end_with(verdict),
            Ok(Recorded::Ours) => {}
            Err(error) => return state.stop(Stop::Journal(error)),
        }
    } else if idle {
        return state.end_with(Verdict::Complete);
    }
    let wake = state.timers.next_deadline();
    let other = state.arrivals.next_deadline();
    let item = state.next_arrival();
    let next = [item.map(|(_, time)| time), wake, other];
    let Some(next) = next.into_iter().flatten().min() else {
        return nothing_comes(&mut state, plan.end());
    };
    if let Some(pace) = pace {
        let last = Seq(state.next_seq.saturating_sub(1));
        let until = plan.end().map_or(next, |end| next.min(end));
        if until > state.now && !pace(last, until) {
            return state.end_with(Verdict::Interrupted);
        }
    }
    if let Some(verdict) = out_of_time(&mut state, plan, next) {
        return state.end_with(verdict);
    }
    match item {
        Some((feed, time)) if time == next => {
            move_to(&mut state, next);
            arrive(&mut state, feed, None);
        }
        _ if wake == Some(next) => wake_due(&mut state, next),
        _ => {
            let due = state.arrivals.pop();
            // Time moves only with an event: a replay has no other way of knowing that it did.
            if let Some((_, target)) = due.filter(|(_, target)| has_effect(&state, target)) {
                move_to(&mut state, next);
                drop(state);
                fire(core, target);
            }
        }
    }
}

/// Wakes every task whose timer is due by this instant, in the order of deadline and creation, before
/// any of them runs. Timers that they set for the same instant are due after them.
fn wake_due<S: System>(state: &mut State<S>, instant: Time) {
    move_to(state, instant);
    let mut float_now: Option<FloatSeconds> = None;
    while state
        .timers
        .next_deadline()
        .is_some_and(|due| due <= state.now)
        && state.stop.is_none()
        && state.struck.is_empty()
        && let Some((_, wake)) = state.timers.pop()
    {
        // The clock of an event loop shows the earliest of the deadlines that it takes together.
        if float_now.is_none_or(|earliest| wake.float < earliest) {
            float_now = Some(wake.float);
        }
        state.fire(wake.task, wake.cause);
    }
    state.float_now = float_now.unwrap_or(state.float_now);
}

/// Lets time move; it never goes back.
pub(crate) fn move_to<S: System>(state: &mut State<S>, instant: Time) {
    if instant > state.now {
        state.now = instant;
        state.steps_at_instant = 0;
    }
}

/// The run can never go on: it is over if nobody waits in vain, and stalled if somebody does.
fn nothing_comes<S: System>(state: &mut State<S>, end: Option<Time>) {
    let waiting = state.stalled();
    if waiting.is_empty() {
        state.now = end.map_or(state.now, |end| end.max(state.now));
        state.end_with(Verdict::Complete);
    } else {
        state.end_with(Verdict::Stall(waiting));
    }
}

/// Whether the next instant lies beyond what the plan allows.
fn out_of_time<S: System>(
    state: &mut State<S>,
    plan: &Plan<S::Config>,
    next: Time,
) -> Option<Verdict> {
    if let Some(end) = plan.end()
        && next > end
    {
        state.now = end.max(state.now);
        return Some(Verdict::Complete);
    }
    let most = Time::from_secs(plan.budgets.virtual_seconds);
    if next > most {
        return Some(Verdict::Exhausted(Budget::Time(most.as_nanos())));
    }
    let idle = plan.budgets.idle()?;
    let waited = next.since(state.last_progress);
    (waited > idle).then_some(Verdict::Livelock(waited.as_nanos() as u64))
}

/// What a recording says about what comes next while nothing is ready.
enum Recorded<E> {
    /// An input, to be fed back.
    Input(Event<E>),
    /// The end, for a reason that only the recorded run could know: an input lay too far ahead.
    End(Verdict),
    /// Something that the re-run has to come to by itself.
    Ours,
}

fn next_recorded<S: System>(
    state: &mut State<S>,
    plan: &Plan<S::Config>,
    idle: bool,
) -> Result<Recorded<S::Event>, JournalError<S::Event>> {
    let own = state.timers.next_deadline();
    let Journal::Verify(verifier) = &mut state.journal else {
        return Ok(Recorded::Ours);
    };
    let Some((kind, role, time)) = verifier.next_role().map_err(JournalError::Log)? else {
        verifier.at_end()?;
        return Ok(if idle {
            Recorded::End(Verdict::Complete)
        } else {
            Recorded::Ours
        });
    };
    // A host that is down may have been about to come up again, which the recording knows.
    if kind == RUN_ENDED && idle && state.world.down.is_empty() {
        return Ok(Recorded::End(Verdict::Complete));
    }
    if own.is_some_and(|deadline| deadline < time) {
        return Ok(Recorded::Ours);
    }
    // At one instant the items of feeds come first, then tasks wake, then everything else comes.
    let wakes_first = own == Some(time);
    match (role, verifier.peek()?) {
        (Some(Role::Input), Some(input)) if wakes_first && comes_with_an_item(state, &input) => {
            Ok(Recorded::Input(input))
        }
        (Some(Role::Input | Role::Answer), Some(_)) if wakes_first => Ok(Recorded::Ours),
        (Some(Role::Input | Role::Answer), Some(input)) => Ok(Recorded::Input(input)),
        (_, Some(event)) => match event.kernel() {
            Some(KernelEvent::RunEnded(RunEnded { verdict }))
                if is_beyond(state, plan, verdict, time, own) =>
            {
                move_to(state, time);
                Ok(Recorded::End(verdict.clone()))
            }
            Some(KernelEvent::RunEnded(_)) if idle => Ok(Recorded::End(Verdict::Complete)),
            _ => Ok(Recorded::Ours),
        },
        (_, None) => Ok(Recorded::Ours),
    }
}

/// Whether an input is an item of a feed, or a fault that was let in on the way to one.
fn comes_with_an_item<S: System>(state: &State<S>, input: &Event<S::Event>) -> bool {
    match input.kernel() {
        Some(KernelEvent::FaultInjected(_)) => state.outside.feed_of(input.actor).is_some(),
        Some(_) => false,
        None => true,
    }
}

/// Whether the run may have ended so because an input, which the recording does not have, lay
/// beyond what the plan allows, or because nobody waited for it; `own` is the next deadline that the re-run knows of.
fn is_beyond<S: System>(
    state: &State<S>,
    plan: &Plan<S::Config>,
    verdict: &Verdict,
    time: Time,
    own: Option<Time>,
) -> bool {
    let most = Time::from_secs(plan.budgets.virtual_seconds);
    match verdict {
        Verdict::Complete => {
            let end = plan.end().map(|end| end.max(state.now));
            end == Some(time) && own.is_none_or(|own| own > time)
        }
        Verdict::Exhausted(Budget::Time(nanos)) => {
            *nanos == most.as_nanos() && own.is_none_or(|own| own > most)
        }
        Verdict::Livelock(nanos) => {
            let waited = u128::from(*nanos);
            let known = own.map(|own| own.since(state.last_progress).as_nanos());
            plan.budgets
                .idle()
                .is_some_and(|idle| waited > idle.as_nanos())
                && known.is_none_or(|known| waited <= known)
        }
        // Somebody ended it while it was held back.
        Verdict::Interrupted => time == state.now,
        _ => false,
    }
}

/// Compares what the system keeps for itself with what it shows.
#[cfg(debug_assertions)]
fn audit<S: System>(core: &Rc<Core<S>>) {
    let audits = core.state.borrow().audits.clone();
    for audit in audits {
        let state = core.state.borrow();
        if let Err(what) = audit(&state.world) {
            let last = state.next_seq.saturating_sub(1);
            panic!(
                "after event {last}, at {}: the volatile state differs from the view folded \
                 from the log: {what}; a change of one was made without an event for the other",
                state.now
            );
        }
    }
}

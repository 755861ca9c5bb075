//! A call that a program outside answers, where there is one at the port.
//!
//! While recording, its answer comes as any other does. In a replay that may ask it again, the log says when the
//! answer comes, and the program what it is.

use crate::executor::{State, Stop, Target};
use crate::id::{ActorId, Seq};
use crate::journal::JournalError;
use crate::port::Port;
use crate::program::ProgramMode;
use crate::sync::call::guided;
use crate::system::System;
use crate::timers::TimerKey;

/// What came of asking a program.
pub(crate) struct Consulted<E> {
    /// Set while recording: when the answer comes.
    pub(crate) timer: Option<TimerKey>,
    /// What it answers that was asked again in a replay.
    pub(crate) again: Option<E>,
}

/// Asks the program at a port, if there is one and it runs. Where it fails the run stops: what would be simulated
/// from here on, nobody knows.
pub(crate) fn consult<S: System>(
    state: &mut State<S>,
    (caller, port): (ActorId, Port),
    call: Seq,
    request: &S::Event,
) -> Consulted<S::Event> {
    let nothing = Consulted {
        timer: None,
        again: None,
    };
    let (now, is_replay) = (state.now, state.journal.is_verifying());
    if state.halted {
        return nothing;
    }
    let at_port = state.outside.ports.get_mut(&port.0);
    let Some(program) = at_port.and_then(|at| at.program.as_mut()) else {
        return nothing;
    };
    let is_comparable = program.mode == ProgramMode::Deterministic;
    let Some(companion) = program.companion.as_mut() else {
        state.outside.asked_programs.from_log += u64::from(is_comparable);
        return nothing;
    };
    let question = program.interpreter.question(request);
    let answered = companion.ask(now, &question).and_then(|effects| {
        let answer = program.interpreter.answer(request, effects);
        answer.map_err(|unfit| companion.error(Some(now), unfit))
    });
    state.outside.asked_programs.asked += u64::from(is_comparable);
    match answered {
        Ok(answer) if is_replay => Consulted {
            again: Some(answer.event),
            ..nothing
        },
        Ok(answer) => {
            let (Some(answer), _) = guided(state, caller, call, request, Some(answer)) else {
                return nothing;
            };
            let target = Target::Answer(call, Box::new(answer.event));
            Consulted {
                timer: Some(state.arrivals.set(now + answer.after, target)),
                ..nothing
            }
        }
        Err(error) => {
            state.stop(Stop::Journal(JournalError::Program(error)));
            nothing
        }
    }
}

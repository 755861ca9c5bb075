//! The outside of a simulated system: who answers its calls, and what arrives unasked.
//!
//! A provider or a feed is asked while a run is recorded, and never in a replay: there the
//! answers and arrivals come from the log.

use std::time::Duration;

use crate::chance::Stream;
use crate::doors::Odds;
use crate::event::EventSet;
use crate::id::{Seq, Time};
use crate::kernel_event::CallOutcome;

/// A door to the outside: an index into the ports that a system registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(pub u16);

/// What a provider answers, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<E> {
    /// How long after the call the answer arrives.
    pub after: Duration,
    /// The answer: an event whose role is [`Answer`](crate::Role::Answer).
    pub event: E,
}

/// Answers the calls at one port.
///
/// Its state outlives crashes of the hosts that call it.
pub trait Provider<E: EventSet> {
    /// The answer to a call; `call` identifies it.
    fn answer(&mut self, call: Seq, request: &E, now: Time, odds: &mut Odds<'_>) -> Answer<E>;

    /// What became of a call whose caller crashed before the answer.
    fn lost(&mut self, _call: Seq, _chance: &mut Stream) -> CallOutcome {
        CallOutcome::Unknown
    }
}

/// Inputs that arrive in time: market data, the commands of an operator.
///
/// Times never go back; an item before the present arrives now.
pub trait Feed<E: EventSet> {
    /// The next item: when it arrives, and an event whose role is [`Input`](crate::Role::Input).
    fn next(&mut self, odds: &mut Odds<'_>) -> Option<(Time, E)>;
}

impl<E: EventSet, I: Iterator<Item = (Time, E)>> Feed<E> for I {
    fn next(&mut self, _: &mut Odds<'_>) -> Option<(Time, E)> {
        Iterator::next(self)
    }
}

//! What the tasks ask of chance, of the plan of faults and of the world outside: answered from the recording in
//! a replay, and else drawn.

use super::State;
use crate::event::Body;
use crate::id::{ActorId, Seq, Time};
use crate::journal::Journal;
use crate::kernel_event::{Draw, FaultInjected, KernelEvent};
use crate::name::Name;
use crate::system::System;

impl<S: System> State<S> {
    /// A draw below a bound: from the recording in a replay, else from the actor's stream.
    pub(crate) fn draw(&mut self, actor: ActorId, purpose: &'static str, bound: u64) -> u64 {
        let world = &self.world;
        let name = || world.actor_name(actor);
        let recorded = match (&mut self.journal, &mut self.guide) {
            (Journal::Verify(verifier), _) => match verifier.peek_kernel() {
                Some(KernelEvent::Draw(draw)) => Some(draw.value),
                _ => None,
            },
            (_, Some(guide)) => guide.draw(Seq(self.next_seq), name(), purpose, bound),
            (_, None) => None,
        };
        // A replay draws too, so that its streams stand where those of the recorded run stood.
        let drawn = self.chance.stream(actor, name, purpose).below(bound);
        let value = recorded.unwrap_or(drawn);
        let draw = Draw {
            purpose: Name::fixed(purpose),
            bound,
            value,
        };
        self.emit(actor, Body::Kernel(draw.into()));
        value
    }

    /// Whether a door lets chance in for an actor: as recorded in a replay, else as planned.
    pub(crate) fn opens(&mut self, actor: ActorId, door: &'static str) -> Option<FaultInjected> {
        if !self.doors.has(door) {
            return None;
        }
        // A replay asks the plan, too, so that the questions are counted alike.
        let who = (actor, self.world.actor_name(actor));
        let (asked, planned) = self.doors.ask(&mut self.chance, self.now, who, door)?;
        let value = match (&mut self.journal, &mut self.guide) {
            (Journal::Verify(verifier), _) => verifier.injected(actor, door, asked),
            (_, Some(guide)) => {
                let asks = (actor, self.world.actor_name(actor), door, asked);
                guide.opens(Seq(self.next_seq), asks, planned)
            }
            (_, None) => planned,
        }?;
        Some(FaultInjected {
            door: Name::fixed(door),
            asked,
            value,
        })
    }

    /// A fault that nobody planned: as recorded in a replay, else what really happened.
    pub(crate) fn befalls(
        &mut self,
        actor: ActorId,
        door: &'static str,
        real: Option<u64>,
    ) -> Option<FaultInjected> {
        let asked = 0;
        let value = match (&mut self.journal, &mut self.guide) {
            (Journal::Verify(verifier), _) => verifier.injected(actor, door, asked),
            (_, Some(guide)) => {
                let asks = (actor, self.world.actor_name(actor), door, asked);
                guide.befalls((Seq(self.next_seq), self.now), asks, real)
            }
            (_, None) => real,
        }?;
        Some(FaultInjected {
            door: Name::fixed(door),
            asked,
            value,
        })
    }

    /// The feed with the earliest next item, and when that arrives.
    pub(crate) fn next_arrival(&mut self) -> Option<(usize, Time)> {
        let drawn_from = (&mut self.chance, &mut self.doors, self.now);
        self.outside.next_arrival(drawn_from, &self.world)
    }
}

//! Where a chain of causes goes on, or what it began with, at an event that names no cause.
//!
//! An event without a cause came from outside, or from the engine: the first is an input and the end
//! of every chain, behind the second there may be one.

use std::collections::BTreeMap;

use dacapo_kernel::{
    ActorId, Body, Event, EventSet, HostId, KernelEvent, Role, Seq, TaskEnding, TaskId, Verdict,
};

/// What came from outside, where a chain of causes begins or something enters it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The run began with it.
    Beginning,
    /// The scheduler chose.
    Choice,
    /// A fault of the plan.
    Fault,
    /// A random draw.
    Draw,
    /// A feed brought it.
    Feed,
    /// Whoever was called answered.
    Answer,
    /// The run ended.
    End,
}

impl Origin {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Beginning => "beginning",
            Origin::Choice => "choice",
            Origin::Fault => "fault",
            Origin::Draw => "draw",
            Origin::Feed => "feed",
            Origin::Answer => "answer",
            Origin::End => "end",
        }
    }

    /// What an event brings in from outside, if it does.
    pub(super) fn of<E: EventSet>(event: &Event<E>) -> Option<Origin> {
        match &event.body {
            Body::Domain(domain) => match domain.kind().role {
                Role::Input => Some(Origin::Feed),
                Role::Answer => Some(Origin::Answer),
                Role::Call | Role::Consequence => None,
            },
            Body::Kernel(kernel) => match kernel {
                KernelEvent::Choice(_) => Some(Origin::Choice),
                KernelEvent::Draw(_) => Some(Origin::Draw),
                KernelEvent::CallLost(_) => Some(Origin::Fault),
                _ if kernel.fault().is_some() => Some(Origin::Fault),
                KernelEvent::RunStarted(_) => Some(Origin::Beginning),
                KernelEvent::RunEnded(_) => Some(Origin::End),
                KernelEvent::HostStarted(_) | KernelEvent::TaskStarted(_)
                    if event.cause.is_none() =>
                {
                    Some(Origin::Beginning)
                }
                _ => None,
            },
        }
    }
}

/// The events that those without a cause follow from, gathered while a log is read.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    crashed: BTreeMap<HostId, Seq>,
    restarted: BTreeMap<HostId, Seq>,
    /// Whose voice each task speaks with, and the last event in it.
    voices: BTreeMap<TaskId, ActorId>,
    last_of: BTreeMap<ActorId, Seq>,
    last_crash: Option<Seq>,
    last_cycle: Option<Seq>,
    /// A fault that was let in, until the event after it has been seen.
    let_in: Option<(Seq, ActorId)>,
}

impl Gaps {
    /// Takes note of an event, and says what it follows from although it names no cause.
    pub(super) fn behind<E: EventSet>(&mut self, event: &Event<E>) -> Option<Seq> {
        let let_in = self.let_in.take();
        let behind = match &event.body {
            Body::Domain(_) => let_in
                .filter(|(_, actor)| *actor == event.actor)
                .map(|(seq, _)| seq),
            Body::Kernel(kernel) => self.behind_kernel(event.seq, kernel),
        };
        match event.kernel() {
            Some(KernelEvent::FaultInjected(_)) => self.let_in = Some((event.seq, event.actor)),
            Some(KernelEvent::TaskStarted(started)) => {
                self.voices.insert(started.task, event.actor);
            }
            _ => {}
        }
        self.last_of.insert(event.actor, event.seq);
        event.cause.is_none().then_some(behind).flatten()
    }

    fn behind_kernel(&mut self, seq: Seq, event: &KernelEvent) -> Option<Seq> {
        match event {
            KernelEvent::HostCrashed(crashed) => {
                self.crashed.insert(crashed.host, seq);
                self.last_crash = Some(seq);
                None
            }
            KernelEvent::TaskCrashed(_) => {
                self.last_crash = Some(seq);
                None
            }
            KernelEvent::HostRestarted(restarted) => {
                self.restarted.insert(restarted.host, seq);
                self.crashed.get(&restarted.host).copied()
            }
            KernelEvent::TaskStarted(started) if started.parent.is_none() => {
                self.restarted.get(&started.host).copied()
            }
            KernelEvent::TaskEnded(ended) if ended.ending == TaskEnding::Crashed => self.last_crash,
            KernelEvent::CycleClosed(_) => {
                self.last_cycle = Some(seq);
                None
            }
            KernelEvent::RunEnded(ended) => match ended.verdict {
                Verdict::Deadlock(_) => self.last_cycle,
                // The end of the task that panicked.
                Verdict::Panic(_) => seq.0.checked_sub(1).map(Seq),
                // The last that whoever waits in vain did; of several the one who stopped last.
                Verdict::Stall(ref waiting) => {
                    let voices = waiting.iter().filter_map(|w| self.voices.get(&w.task));
                    voices
                        .filter_map(|voice| self.last_of.get(voice))
                        .max()
                        .copied()
                }
                _ => None,
            },
            _ => None,
        }
    }
}

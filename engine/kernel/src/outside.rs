//! What lies around a run's tasks: hosts that start them, feeds, providers, unanswered calls.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::chance::Chance;
use crate::companion::Companion;
use crate::ctx::Ctx;
use crate::doors::{Doors, Odds};
use crate::float_clock::FloatSeconds;
use crate::follow::guide::Item;
use crate::id::{ActorId, HostId, Seq, Time};
use crate::kernel_event::FaultInjected;
use crate::name::Name;
use crate::port::{Feed, Provider};
use crate::program::{AskedPrograms, Interpreter, ProgramMode};
use crate::system::System;
use crate::task::{BoxFuture, TaskRef};
use crate::timers::TimerKey;
use crate::world::World;

/// Starts the main task of a host, at first and after each crash.
pub(crate) type Factory<S> = Rc<dyn Fn(Ctx<S>) -> BoxFuture>;

/// A group of tasks that crash together.
pub(crate) struct Host<S: System> {
    pub(crate) name: Name,
    pub(crate) actor: ActorId,
    pub(crate) factory: Factory<S>,
}

/// Inputs that arrive in time, and who waits for them.
pub(crate) struct FeedState<S: System> {
    pub(crate) actor: ActorId,
    /// Absent in a replay, and at the end of the feed.
    pub(crate) source: Option<Box<dyn Feed<S::Event>>>,
    pub(crate) next: Option<(Time, S::Event)>,
    /// What the recording that the run goes by has of it: it comes in place of what the feed itself brings.
    pub(crate) recorded: VecDeque<Item<S::Event>>,
    /// Whether the next item is a recorded one.
    pub(crate) is_recorded: bool,
    /// The faults that were let in on the way to the next item.
    pub(crate) injected: Vec<FaultInjected>,
    pub(crate) inbox: Rc<RefCell<Waiting<S::Event>>>,
}

/// What has arrived and not been taken.
pub(crate) struct Waiting<E> {
    pub(crate) items: VecDeque<(Seq, E)>,
    pub(crate) reader: Option<TaskRef>,
}

impl<E> Default for Waiting<E> {
    fn default() -> Waiting<E> {
        Waiting {
            items: VecDeque::new(),
            reader: None,
        }
    }
}

/// Who answers at a port.
pub(crate) struct PortState<E> {
    pub(crate) actor: ActorId,
    /// Absent in a replay.
    pub(crate) provider: Option<Box<dyn Provider<E>>>,
    /// The program that answers instead of a provider.
    pub(crate) program: Option<ProgramAtPort<E>>,
}

/// A program that answers at a port.
pub(crate) struct ProgramAtPort<E> {
    pub(crate) mode: ProgramMode,
    pub(crate) interpreter: Box<dyn Interpreter<E>>,
    /// Absent in a replay in which it is not asked again.
    pub(crate) companion: Option<Companion>,
}

/// A call without its answer, or with an answer that was not taken yet.
pub(crate) struct PendingCall<E> {
    pub(crate) port: u16,
    pub(crate) task: TaskRef,
    /// When it was made, by both clocks.
    pub(crate) made: (Time, FloatSeconds),
    /// Set while recording: when the answer comes.
    pub(crate) timer: Option<TimerKey>,
    /// What a program answers that was asked again in a replay.
    pub(crate) again: Option<E>,
    pub(crate) answer: Option<E>,
}

/// Everything around the tasks of a run.
pub(crate) struct Outside<S: System> {
    pub(crate) hosts: Vec<Host<S>>,
    pub(crate) feeds: Vec<FeedState<S>>,
    pub(crate) ports: BTreeMap<u16, PortState<S::Event>>,
    pub(crate) calls: BTreeMap<Seq, PendingCall<S::Event>>,
    pub(crate) asked_programs: AskedPrograms,
}

impl<S: System> Default for Outside<S> {
    fn default() -> Outside<S> {
        Outside {
            hosts: Vec::new(),
            feeds: Vec::new(),
            ports: BTreeMap::new(),
            calls: BTreeMap::new(),
            asked_programs: AskedPrograms::default(),
        }
    }
}

impl<S: System> FeedState<S> {
    /// In a fork the next recorded item takes the place of the one that the feed itself brings.
    fn take_recorded(&mut self) {
        // What the feed brings before the next recorded item is what a fork of a fork has left out.
        if let (Some(item), Some((time, own))) = (self.recorded.front(), &self.next)
            && *time < item.time
            && *own != item.event
            && !(item.is_moved || item.is_generated)
        {
            self.next = None;
            self.injected.clear();
            return;
        }
        let item = self.recorded.pop_front();
        self.is_recorded = item.is_some();
        let Some(item) = item.filter(|item| !item.is_generated) else {
            return;
        };
        self.injected = item.faults;
        // One that came late was due before it came, which decides among several.
        let is_the_same = self
            .next
            .as_ref()
            .is_some_and(|(_, own)| *own == item.event);
        if item.is_left_out {
            self.next = None;
            self.injected.clear();
        } else if !is_the_same || item.is_moved {
            self.next = Some((item.time, item.event));
        }
    }
}

impl<S: System> Outside<S> {
    /// The number of a host; 0 is the engine's.
    pub(crate) fn host_named(&self, name: &str) -> Option<HostId> {
        let at = self
            .hosts
            .iter()
            .position(|host| host.name.as_str() == name)?;
        Some(HostId(at as u32 + 1))
    }

    pub(crate) fn host(&self, host: HostId) -> Option<&Host<S>> {
        self.hosts.get((host.0 as usize).checked_sub(1)?)
    }

    /// The feed that speaks as this actor.
    pub(crate) fn feed_of(&self, actor: ActorId) -> Option<usize> {
        self.feeds.iter().position(|feed| feed.actor == actor)
    }

    /// The feed with the earliest next item; of equals, the one that was declared first.
    pub(crate) fn next_arrival(
        &mut self,
        (chance, doors, now): (&mut Chance, &mut Doors, Time),
        world: &World<S::View>,
    ) -> Option<(usize, Time)> {
        let mut first: Option<(usize, Time)> = None;
        for (at, feed) in self.feeds.iter_mut().enumerate() {
            while feed.next.is_none() && (feed.source.is_some() || !feed.recorded.is_empty()) {
                if let Some(source) = &mut feed.source {
                    let mut odds = Odds {
                        chance,
                        doors,
                        now,
                        actor: feed.actor,
                        name: world.actor_name(feed.actor),
                        purpose: "feed",
                        injected: &mut feed.injected,
                        failed: None,
                    };
                    feed.next = source.next(&mut odds);
                    if feed.next.is_none() {
                        feed.source = None;
                    }
                }
                feed.take_recorded();
            }
            if let Some((time, _)) = &feed.next
                && first.is_none_or(|(_, earliest)| *time < earliest)
            {
                first = Some((at, *time));
            }
        }
        first
    }
}

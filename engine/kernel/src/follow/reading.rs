//! Reads what went into a recorded run, and sorts it by what it is for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Anchored, Asked, Inputs, Planned, Recorded};
use crate::event::{Body, Event, EventSet, Role};
use crate::fault::Fault;
use crate::id::{ActorId, HostId, Seq, TaskId, Time};
use crate::kernel_event::{FaultInjected, KernelEvent};
use crate::name::Name;
use crate::plan::Plan;
use crate::verdict::{Budget, Verdict};

/// What is known while a recording is read.
pub(super) struct Reading<E> {
    into: Recorded<E>,
    actors: BTreeMap<ActorId, Name>,
    hosts: BTreeMap<HostId, Name>,
    tasks: BTreeMap<TaskId, Name>,
    /// Where each call went.
    asked: BTreeMap<Seq, ((Name, u16), usize)>,
    /// Faults of feeds whose item has not come yet.
    on_the_way: BTreeMap<ActorId, Vec<FaultInjected>>,
    /// How many events each actor made of each kind.
    made: BTreeMap<(Name, u16), u64>,
    before: Option<(Name, u16)>,
    /// Hosts that are down, with the time, and where their crash is noted.
    down: BTreeMap<HostId, (Time, Place)>,
    last_progress: Time,
}

#[derive(Clone, Copy)]
enum Place {
    Anchored(usize),
    Planned(usize),
}

impl<E: EventSet> Reading<E> {
    pub(super) fn new() -> Reading<E> {
        Reading {
            into: Recorded {
                items: BTreeMap::new(),
                calls: BTreeMap::new(),
                draws: BTreeMap::new(),
                choices: BTreeMap::new(),
                struck: BTreeMap::new(),
                befallen: BTreeMap::new(),
                anchored: Vec::new(),
                planned: Vec::new(),
                beyond: None,
                standing: BTreeMap::new(),
                inputs: Inputs::default(),
            },
            actors: BTreeMap::new(),
            hosts: BTreeMap::new(),
            tasks: BTreeMap::new(),
            asked: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            made: BTreeMap::new(),
            before: None,
            down: BTreeMap::new(),
            last_progress: Time::ZERO,
        }
    }

    fn actor(&self, actor: ActorId) -> Name {
        let named = self.actors.get(&actor).cloned();
        named.unwrap_or_else(|| Name::fixed("engine"))
    }

    /// What was read.
    pub(super) fn done(self) -> Recorded<E> {
        self.into
    }

    /// Takes one event into account.
    pub(super) fn take<C>(&mut self, event: &Event<E>, plan: &Plan<C>) {
        let actor = self.actor(event.actor);
        match &event.body {
            Body::Domain(domain) => self.domain(event, &actor, domain),
            Body::Kernel(kernel) => self.kernel(event, &actor, kernel, plan),
        }
        let made = (actor, event.kind().number);
        *self.made.entry(made.clone()).or_default() += 1;
        self.before = Some(made);
    }

    fn domain(&mut self, event: &Event<E>, actor: &Name, domain: &E) {
        self.last_progress = event.time;
        match domain.kind().role {
            Role::Consequence => {}
            Role::Input => {
                let faults = self.on_the_way.remove(&event.actor).unwrap_or_default();
                let items = self.into.items.entry(actor.clone()).or_default();
                items.push_back((event.time, domain.clone(), faults));
            }
            Role::Call => {
                let key = (actor.clone(), domain.kind().number);
                let calls = self.into.calls.entry(key.clone()).or_default();
                calls.push(Asked {
                    at: event.time,
                    request: domain.clone(),
                    answer: None,
                    faults: Vec::new(),
                    lost: None,
                    taken: false,
                });
                self.asked.insert(event.seq, (key, calls.len() - 1));
            }
            Role::Answer => {
                if let Some(asked) = event.cause.and_then(|call| self.call(call)) {
                    asked.answer = Some((event.time.since(asked.at), domain.clone()));
                }
            }
        }
    }

    fn call(&mut self, call: Seq) -> Option<&mut Asked<E>> {
        let (key, at) = self.asked.get(&call)?;
        self.into.calls.get_mut(key)?.get_mut(*at)
    }

    fn kernel<C>(&mut self, event: &Event<E>, actor: &Name, kernel: &KernelEvent, plan: &Plan<C>) {
        match kernel {
            KernelEvent::ActorNamed(named) => {
                self.actors.insert(named.actor, named.name.clone());
            }
            KernelEvent::HostStarted(started) => {
                self.hosts.insert(started.host, started.name.clone());
            }
            KernelEvent::TaskStarted(started) => {
                self.tasks.insert(started.task, started.name.clone());
            }
            KernelEvent::Choice(choice) => {
                let choices = self.into.choices.entry(event.time).or_default();
                choices.push_back((choice.of, choice.index));
            }
            KernelEvent::Draw(draw) => {
                let key = (actor.clone(), draw.purpose.clone());
                let draws = self.into.draws.entry(key).or_default();
                draws.push_back((draw.bound, draw.value));
            }
            KernelEvent::FaultInjected(fault) => self.fault(event, actor, fault),
            KernelEvent::CallLost(lost) => {
                if let Some(asked) = self.call(lost.call) {
                    asked.lost = Some(lost.outcome);
                }
            }
            KernelEvent::HostCrashed(crashed) => {
                self.crash(event.time, crashed.host, crashed.abrupt, plan);
            }
            KernelEvent::HostRestarted(restarted) => self.restart(event.time, restarted.host),
            KernelEvent::TaskCrashed(crashed) => {
                if let Some(name) = self.tasks.get(&crashed.task) {
                    let planned = Planned::CrashTask(name.clone());
                    self.into.planned.push((event.time, planned));
                }
            }
            KernelEvent::ClockJumped(jumped) => {
                let planned = Planned::JumpClock(jumped.by);
                self.into.planned.push((event.time, planned));
            }
            KernelEvent::RunEnded(ended) => self.end(event.time, &ended.verdict, plan),
            _ => {}
        }
    }

    /// A fault comes on the way to an item of a feed, with a call, or to a task that asked.
    fn fault(&mut self, event: &Event<E>, actor: &Name, fault: &FaultInjected) {
        let Some(cause) = event.cause else {
            let faults = self.on_the_way.entry(event.actor).or_default();
            return faults.push(fault.clone());
        };
        let caller = self.asked.get(&cause).map(|((caller, _), _)| caller);
        if caller.is_some_and(|caller| caller != actor) {
            if let Some(asked) = self.call(cause) {
                asked.faults.push(fault.clone());
            }
            return;
        }
        let door = fault.door.clone();
        let all = self
            .into
            .befallen
            .entry((actor.clone(), door.clone()))
            .or_default();
        all.push_back((event.time, fault.value));
        let question = (actor.clone(), door, fault.asked);
        self.into.struck.insert(question, fault.value);
    }

    fn crash<C>(&mut self, time: Time, host: HostId, abrupt: bool, plan: &Plan<C>) {
        let Some(name) = self.hosts.get(&host).cloned() else {
            return;
        };
        // A host that would have come up after the end of the run was still waited for.
        let restart_after = plan.faults.faults.iter().find_map(|fault| match fault {
            Fault::CrashHost {
                host,
                restart_after,
                ..
            } if *host == *name => *restart_after,
            _ => None,
        });
        let place = match self.before.clone().filter(|_| abrupt) {
            Some((actor, kind)) => {
                let left = self.made.get(&(actor.clone(), kind)).copied();
                self.into.anchored.push(Anchored {
                    host: name,
                    restart_after,
                    actor,
                    kind,
                    left: left.unwrap_or(1),
                });
                Place::Anchored(self.into.anchored.len() - 1)
            }
            None => {
                let planned = Planned::CrashHost(name, restart_after);
                self.into.planned.push((time, planned));
                Place::Planned(self.into.planned.len() - 1)
            }
        };
        self.down.insert(host, (time, place));
    }

    fn restart(&mut self, time: Time, host: HostId) {
        let Some((from, place)) = self.down.remove(&host) else {
            return;
        };
        let after = u64::try_from(time.since(from).as_nanos()).ok();
        match place {
            Place::Anchored(at) => self.into.anchored[at].restart_after = after,
            Place::Planned(at) => {
                if let (_, Planned::CrashHost(_, restart)) = &mut self.into.planned[at] {
                    *restart = after;
                }
            }
        }
    }

    /// What the recorded run must have seen coming, if it did not end by itself.
    fn end<C>(&mut self, time: Time, verdict: &Verdict, plan: &Plan<C>) {
        self.into.beyond = match verdict {
            Verdict::Complete if plan.end() == Some(time) => Some(time + Duration::from_nanos(1)),
            Verdict::Exhausted(Budget::Time(most)) => {
                Some(Time::from_nanos(most.saturating_add(1)))
            }
            Verdict::Livelock(waited) => Some(self.last_progress + Duration::from_nanos(*waited)),
            _ => None,
        };
    }
}

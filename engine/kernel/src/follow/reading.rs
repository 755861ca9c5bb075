//! Reads what went into a recorded run, and sorts it by what it is for.

use std::collections::BTreeMap;

use super::recorded::{
    Anchored, End, Planned, Recorded, RecordedCall, RecordedDraw, RecordedItem, bytes_of,
};
use crate::event::{Body, Event, EventSet, Role};
use crate::id::{ActorId, HostId, Seq, TaskId, Time};
use crate::kernel_event::{FaultInjected, KernelEvent};
use crate::name::Name;

/// What is known while a recording is read.
pub(crate) struct Reading<E> {
    into: Recorded<E>,
    hosts: BTreeMap<HostId, Name>,
    tasks: BTreeMap<TaskId, Name>,
    /// Faults of feeds whose item has not come yet: they stand right before it.
    on_the_way: BTreeMap<ActorId, Vec<(Seq, FaultInjected)>>,
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
    pub(crate) fn new() -> Reading<E> {
        Reading {
            into: Recorded {
                actors: BTreeMap::new(),
                items: BTreeMap::new(),
                calls: Vec::new(),
                draws: BTreeMap::new(),
                choices: BTreeMap::new(),
                struck: BTreeMap::new(),
                befallen: BTreeMap::new(),
                anchored: Vec::new(),
                planned: Vec::new(),
                end: None,
            },
            hosts: BTreeMap::new(),
            tasks: BTreeMap::new(),
            on_the_way: BTreeMap::new(),
            made: BTreeMap::new(),
            before: None,
            down: BTreeMap::new(),
            last_progress: Time::ZERO,
        }
    }

    fn actor(&self, actor: ActorId) -> Name {
        let named = self.into.actors.get(&actor).cloned();
        named.unwrap_or(Name::fixed("engine"))
    }

    /// What was read.
    pub(crate) fn done(self) -> Recorded<E> {
        self.into
    }

    /// Takes one event into account.
    pub(crate) fn take(&mut self, event: &Event<E>) {
        let actor = self.actor(event.actor);
        match &event.body {
            Body::Domain(domain) => self.domain(event, &actor, domain),
            Body::Kernel(kernel) => self.kernel(event, &actor, kernel),
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
                let item = RecordedItem {
                    at: event.seq,
                    time: event.time,
                    faults: self.on_the_way.remove(&event.actor).unwrap_or_default(),
                    event: domain.clone(),
                };
                self.into.items.entry(actor.clone()).or_default().push(item);
            }
            Role::Call => self.into.calls.push(RecordedCall {
                seq: event.seq,
                caller: actor.clone(),
                kind: domain.kind().number,
                request: bytes_of(domain),
                made: event.time,
                faults: Vec::new(),
                answer: None,
                lost: None,
            }),
            Role::Answer => {
                if let Some(call) = event.cause.and_then(|call| self.call(call)) {
                    call.answer = Some((event.seq, event.time, domain.clone()));
                }
            }
        }
    }

    fn call(&mut self, seq: Seq) -> Option<&mut RecordedCall<E>> {
        let calls = &mut self.into.calls;
        let at = calls.binary_search_by_key(&seq, |call| call.seq).ok()?;
        calls.get_mut(at)
    }

    fn kernel(&mut self, event: &Event<E>, actor: &Name, kernel: &KernelEvent) {
        match kernel {
            KernelEvent::ActorNamed(named) => {
                self.into.actors.insert(named.actor, named.name.clone());
            }
            KernelEvent::HostStarted(started) => {
                self.hosts.insert(started.host, started.name.clone());
            }
            KernelEvent::TaskStarted(started) => {
                self.tasks.insert(started.task, started.name.clone());
            }
            KernelEvent::Choice(choice) => {
                let choices = self.into.choices.entry(event.time).or_default();
                choices.push(choice.index);
            }
            KernelEvent::Draw(draw) => {
                let key = (actor.clone(), draw.purpose.clone());
                let draws = self.into.draws.entry(key).or_default();
                draws.push(RecordedDraw {
                    at: event.seq,
                    bound: draw.bound,
                    value: draw.value,
                });
            }
            KernelEvent::FaultInjected(fault) => self.fault(event, actor, fault),
            KernelEvent::CallLost(lost) => {
                if let Some(call) = self.call(lost.call) {
                    call.lost = Some(lost.outcome);
                }
            }
            KernelEvent::HostCrashed(crashed) => {
                self.crash(event.time, crashed.host, crashed.abrupt);
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
            KernelEvent::RunEnded(ended) => {
                self.into.end = Some(End {
                    time: event.time,
                    verdict: ended.verdict.clone(),
                    last_progress: self.last_progress,
                });
            }
            _ => {}
        }
    }

    /// A fault comes on the way to an item of a feed, with a call, or to a task that asked.
    fn fault(&mut self, event: &Event<E>, actor: &Name, fault: &FaultInjected) {
        let Some(cause) = event.cause else {
            let faults = self.on_the_way.entry(event.actor).or_default();
            return faults.push((event.seq, fault.clone()));
        };
        // What a task asks right after its call is its own, and not on the way to the answer.
        if let Some(call) = self.call(cause).filter(|call| call.caller != *actor) {
            return call.faults.push((event.seq, fault.clone()));
        }
        let (befallen, question) = (
            (actor.clone(), fault.door.clone()),
            (actor.clone(), fault.door.clone(), fault.asked),
        );
        let all = self.into.befallen.entry(befallen).or_default();
        all.push((event.time, fault.value));
        self.into.struck.insert(question, fault.value);
    }

    fn crash(&mut self, time: Time, host: HostId, abrupt: bool) {
        let Some(name) = self.hosts.get(&host).cloned() else {
            return;
        };
        let place = match self.before.clone().filter(|_| abrupt) {
            Some((actor, kind)) => {
                let left = self.made.get(&(actor.clone(), kind)).copied();
                self.into.anchored.push(Anchored {
                    host: name,
                    restart_after: None,
                    actor,
                    kind,
                    left: left.unwrap_or(1),
                });
                Place::Anchored(self.into.anchored.len() - 1)
            }
            None => {
                let planned = Planned::CrashHost(name, None);
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
}

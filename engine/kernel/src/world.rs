//! The state of a run as a fold over its events.
//!
//! [`World::apply`] is the only thing that changes it, and an event is the only thing it
//! learns from; so any moment can be rebuilt from the log without running code. What only the
//! executor needs (timers, channels, free locks) is not here.

use std::collections::{BTreeMap, VecDeque};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::event::{Body, Event, EventSet, Role};
use crate::id::{ActorId, HostId, LockId, Seq, TaskId, Time};
use crate::kernel_event::{
    JoinAbandoned, JoinBlocked, KernelEvent, LockBlocked, LockGranted, TaskStarted,
};
use crate::name::Name;
use crate::verdict::Verdict;
use crate::wait_graph::{Cycle, Wait, WaitGraph};

/// What a system shows of itself: a fold over its own events.
pub trait View<E>: Clone + PartialEq + Serialize + DeserializeOwned + Default + 'static {
    /// Takes one event of the domain into account.
    fn apply(&mut self, event: &Event<E>, domain: &E);
}

/// A system that shows nothing.
impl<E> View<E> for () {
    fn apply(&mut self, _: &Event<E>, _: &E) {}
}

/// A task that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// What people call it.
    pub name: Name,
    /// Whose voice it speaks with.
    pub actor: ActorId,
    /// The host it dies with.
    pub host: HostId,
    /// The task that started it, unless the engine did.
    pub parent: Option<TaskId>,
    /// What it waits for, where somebody else can be named who has it.
    pub wait: Option<Wait>,
    /// Who waits for its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined_by: Vec<TaskId>,
}

/// A lock or semaphore that somebody waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// What people call it.
    pub name: Name,
    /// Who holds it.
    pub holders: Vec<TaskId>,
    /// Who waits, in order.
    pub waiters: VecDeque<TaskId>,
}

/// The state of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct World<V> {
    /// The last event that was applied.
    pub last: Option<Seq>,
    /// Virtual time.
    pub now: Time,
    /// The names of actors by number.
    pub actors: BTreeMap<ActorId, Name>,
    /// The names of hosts by number.
    pub hosts: BTreeMap<HostId, Name>,
    /// Hosts that crashed and have not come up again.
    pub down: Vec<HostId>,
    /// The tasks that are alive.
    pub processes: BTreeMap<TaskId, Process>,
    /// Locks that somebody waits for.
    pub contended: BTreeMap<LockId, Contention>,
    /// Calls without an answer yet, with the actor who called.
    pub calls: BTreeMap<Seq, ActorId>,
    /// Every cycle of waits so far, with the event that recorded it.
    pub cycles: Vec<(Seq, Cycle)>,
    /// How the run ended, once it has.
    pub verdict: Option<Verdict>,
    /// What the system shows of itself.
    pub view: V,
}

impl<V> World<V> {
    /// Takes one event into account.
    #[inline]
    pub fn apply<E: EventSet>(&mut self, event: &Event<E>)
    where
        V: View<E>,
    {
        self.last = Some(event.seq);
        self.now = event.time;
        match &event.body {
            Body::Domain(domain) => {
                match domain.kind().role {
                    Role::Call => drop(self.calls.insert(event.seq, event.actor)),
                    Role::Answer => drop(event.cause.map(|call| self.calls.remove(&call))),
                    Role::Input | Role::Consequence => {}
                }
                self.view.apply(event, domain);
            }
            Body::Kernel(kernel) => self.apply_kernel(event.seq, event.actor, kernel),
        }
    }

    /// The name of an actor, or its number.
    pub fn actor_name(&self, actor: ActorId) -> &str {
        self.actors.get(&actor).map_or("engine", Name::as_str)
    }

    /// The cycle of waits that the wait of `task` closed, if any.
    pub(crate) fn cycle_through(&self, task: TaskId) -> Option<Cycle> {
        let graph = WaitGraph {
            wait_of: |task: TaskId| self.processes.get(&task)?.wait.as_ref(),
            holders_of: |lock: LockId| {
                let held = self.contended.get(&lock)?;
                Some((&held.name, held.holders.as_slice()))
            },
        };
        graph.cycle_through(task, |task| match self.processes.get(&task) {
            Some(process) => process.name.clone(),
            None => Name::from("a task that ended"),
        })
    }

    fn apply_kernel(&mut self, seq: Seq, actor: ActorId, event: &KernelEvent) {
        match event {
            KernelEvent::TimerFired(_)
            | KernelEvent::Choice(_)
            | KernelEvent::Draw(_)
            | KernelEvent::RunStarted(_)
            | KernelEvent::FaultInjected(_)
            | KernelEvent::ClockJumped(_)
            | KernelEvent::TaskCrashed(_)
            | KernelEvent::CycleBroken(_) => {}
            KernelEvent::ActorNamed(named) => {
                self.actors.insert(named.actor, named.name.clone());
            }
            KernelEvent::HostStarted(started) => {
                self.hosts.insert(started.host, started.name.clone());
            }
            KernelEvent::TaskStarted(started) => self.start(actor, started),
            KernelEvent::TaskEnded(ended) => self.end(ended.task),
            KernelEvent::LockBlocked(blocked) => self.block(blocked),
            KernelEvent::LockGranted(granted) => self.grant(granted),
            KernelEvent::LockAbandoned(abandoned) => {
                self.stop_waiting(abandoned.lock, abandoned.task);
            }
            KernelEvent::JoinBlocked(JoinBlocked {
                task,
                on,
                breakable,
            }) => {
                self.set_wait(
                    *task,
                    Some(Wait::Join {
                        on: *on,
                        breakable: *breakable,
                    }),
                );
                if let Some(other) = self.processes.get_mut(on) {
                    other.joined_by.push(*task);
                }
            }
            KernelEvent::JoinAbandoned(JoinAbandoned { task, on }) => {
                self.set_wait(*task, None);
                if let Some(other) = self.processes.get_mut(on) {
                    other.joined_by.retain(|joiner| joiner != task);
                }
            }
            KernelEvent::CycleClosed(closed) => self.cycles.push((seq, closed.cycle.clone())),
            KernelEvent::HostCrashed(crashed) => self.down.push(crashed.host),
            KernelEvent::HostRestarted(restarted) => {
                self.down.retain(|host| *host != restarted.host);
            }
            KernelEvent::CallLost(lost) => drop(self.calls.remove(&lost.call)),
            KernelEvent::CallCancelled(cancelled) => drop(self.calls.remove(&cancelled.call)),
            KernelEvent::RunEnded(ended) => self.verdict = Some(ended.verdict.clone()),
        }
    }

    fn start(&mut self, actor: ActorId, started: &TaskStarted) {
        let process = Process {
            name: started.name.clone(),
            actor,
            host: started.host,
            parent: started.parent,
            wait: None,
            joined_by: Vec::new(),
        };
        self.processes.insert(started.task, process);
    }

    /// A task that ended waits for nothing, and nobody waits for it.
    fn end(&mut self, task: TaskId) {
        let Some(ended) = self.processes.remove(&task) else {
            return;
        };
        for joiner in ended.joined_by {
            self.set_wait(joiner, None);
        }
        match ended.wait {
            Some(Wait::Lock { lock, .. }) => self.stop_waiting(lock, task),
            Some(Wait::Join { on, .. }) => {
                if let Some(other) = self.processes.get_mut(&on) {
                    other.joined_by.retain(|joiner| *joiner != task);
                }
            }
            None => {}
        }
    }

    fn block(&mut self, blocked: &LockBlocked) {
        let contention = self
            .contended
            .entry(blocked.lock)
            .or_insert_with(|| Contention {
                name: blocked.name.clone(),
                holders: Vec::new(),
                waiters: VecDeque::new(),
            });
        contention.holders.clone_from(&blocked.holders);
        contention.waiters.push_back(blocked.task);
        let wait = Wait::Lock {
            lock: blocked.lock,
            breakable: blocked.breakable,
        };
        self.set_wait(blocked.task, Some(wait));
    }

    fn grant(&mut self, granted: &LockGranted) {
        if let Some(contention) = self.contended.get_mut(&granted.lock)
            && let Some(held) = contention.holders.iter().position(|t| *t == granted.from)
        {
            contention.holders[held] = granted.task;
        }
        self.stop_waiting(granted.lock, granted.task);
    }

    fn stop_waiting(&mut self, lock: LockId, task: TaskId) {
        if let Some(contention) = self.contended.get_mut(&lock) {
            contention.waiters.retain(|waiter| *waiter != task);
            if contention.waiters.is_empty() {
                self.contended.remove(&lock);
            }
        }
        self.set_wait(task, None);
    }

    fn set_wait(&mut self, task: TaskId, wait: Option<Wait>) {
        if let Some(process) = self.processes.get_mut(&task) {
            process.wait = wait;
        }
    }
}

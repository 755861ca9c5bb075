//! Events in words: who did what, with the names that earlier events gave.
//!
//! The system says what its own events mean; what the kernel's mean is said here. How a line
//! looks on a screen is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::tasks_of;
use dacapo_kernel::{
    ActorId, Body, CallOutcome, Cycle, Event, EventSet, HostId, KernelEvent, LockId, Name, Seq,
    System, TaskEnding, TaskId, Time, Verdict,
};

/// The names that the events so far have given. Tasks and locks that are over are forgotten, so
/// that a log of any length needs no more memory than the run did.
#[derive(Clone, Debug, Default)]
pub struct Names {
    actors: BTreeMap<ActorId, Name>,
    hosts: BTreeMap<HostId, Name>,
    tasks: BTreeMap<TaskId, Name>,
    locks: BTreeMap<LockId, Name>,
}

/// One event in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log.
    pub seq: Seq,
    /// When it happened, in virtual time.
    pub time: Time,
    /// The event it follows from.
    pub cause: Option<Seq>,
    /// Whose act it is.
    pub actor: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
}

impl Names {
    /// Takes the names out of an event. Every event goes through here, in order, before it is told.
    pub fn learn<E: EventSet>(&mut self, event: &Event<E>) {
        match event.kernel() {
            Some(KernelEvent::ActorNamed(named)) => {
                self.actors.insert(named.actor, named.name.clone());
            }
            Some(KernelEvent::HostStarted(started)) => {
                self.hosts.insert(started.host, started.name.clone());
            }
            Some(KernelEvent::TaskStarted(started)) => {
                self.tasks.insert(started.task, started.name.clone());
            }
            Some(KernelEvent::LockBlocked(blocked)) => {
                self.locks.insert(blocked.lock, blocked.name.clone());
            }
            _ => {}
        }
    }

    /// Drops the names that are not needed any more once an event has been told.
    pub fn forget<E: EventSet>(&mut self, event: &Event<E>) {
        if let Some(KernelEvent::TaskEnded(ended)) = event.kernel() {
            self.tasks.remove(&ended.task);
        }
    }

    /// Whether an event is about anybody whose name is not known.
    pub(crate) fn lacks<E: EventSet>(&self, event: &Event<E>) -> bool {
        let task = |task: &TaskId| !self.tasks.contains_key(task);
        let lock = |lock: &LockId| !self.locks.contains_key(lock);
        let host = |host: &HostId| !self.hosts.contains_key(host);
        let about = match event.kernel() {
            Some(KernelEvent::TaskStarted(e)) => {
                host(&e.host) || e.parent.as_ref().is_some_and(task)
            }
            Some(KernelEvent::LockGranted(e)) => lock(&e.lock),
            Some(KernelEvent::LockAbandoned(e)) => lock(&e.lock),
            Some(KernelEvent::LockBlocked(e)) => e.holders.iter().any(task),
            Some(KernelEvent::HostCrashed(e)) => host(&e.host),
            Some(KernelEvent::HostRestarted(e)) => host(&e.host),
            _ => false,
        };
        let is_unnamed = event.actor != ActorId::ENGINE && !self.actors.contains_key(&event.actor);
        is_unnamed || about || tasks_of(event).iter().any(task)
    }

    /// Adds the names that somebody else knows and that are not known here; not of the tasks that are over.
    pub(crate) fn add(&mut self, other: &Names, over: &BTreeSet<TaskId>) {
        let (actors, hosts) = (other.actors.clone(), other.hosts.clone());
        add(&mut self.actors, actors);
        add(&mut self.hosts, hosts);
        add(&mut self.locks, other.locks.clone());
        let mut tasks = other.tasks.clone();
        tasks.retain(|task, _| !over.contains(task));
        add(&mut self.tasks, tasks);
    }

    /// The name of an actor; the engine has one without being announced.
    pub fn actor(&self, actor: ActorId) -> &str {
        self.actors.get(&actor).map_or("engine", Name::as_str)
    }

    /// Every actor that was named so far.
    pub fn actors(&self) -> impl Iterator<Item = &str> {
        self.actors.values().map(Name::as_str)
    }

    /// Whether a task goes by this name or number.
    pub fn is_task(&self, task: TaskId, wanted: &str) -> bool {
        self.tasks
            .get(&task)
            .is_some_and(|name| name.as_str() == wanted)
            || task.to_string() == wanted
    }

    /// One event in words.
    pub fn tell<S: System>(&self, event: &Event<S::Event>) -> Line {
        let text = match &event.body {
            Body::Domain(domain) => S::describe(event, domain),
            Body::Kernel(kernel) => self.tell_kernel(kernel),
        };
        Line {
            seq: event.seq,
            time: event.time,
            cause: event.cause,
            actor: self.actor(event.actor).to_owned(),
            kind: event.kind().name,
            text,
        }
    }

    fn tell_kernel(&self, event: &KernelEvent) -> String {
        match event {
            KernelEvent::RunStarted(e) => format!("a run of {} started", e.system),
            KernelEvent::ActorNamed(e) => format!("actor {} is called {}", e.actor.0, e.name),
            KernelEvent::HostStarted(e) => format!("host {} came up", e.name),
            KernelEvent::TaskStarted(e) => {
                let by = e
                    .parent
                    .map_or_else(String::new, |by| format!(", by {}", self.task(by)));
                let host = self.host(e.host);
                format!("{} started on {host}{by}", self.task(e.task))
            }
            KernelEvent::TaskEnded(e) => {
                format!("{} {}", self.task(e.task), ending(&e.ending))
            }
            KernelEvent::Choice(e) => format!("number {} of {} ran", e.index + 1, e.of),
            KernelEvent::TimerFired(e) => format!("a timer of {} came due", self.task(e.task)),
            KernelEvent::LockBlocked(e) => {
                let holders = self.tasks(&e.holders);
                format!(
                    "{} waits for {}, held by {holders}",
                    self.task(e.task),
                    e.name
                )
            }
            KernelEvent::LockGranted(e) => {
                let (task, from) = (self.task(e.task), self.task(e.from));
                format!("{task} got {} from {from}", self.lock(e.lock))
            }
            KernelEvent::LockAbandoned(e) => {
                format!(
                    "{} no longer waits for {}",
                    self.task(e.task),
                    self.lock(e.lock)
                )
            }
            KernelEvent::JoinBlocked(e) => {
                let (task, on) = (self.task(e.task), self.task(e.on));
                format!("{task} waits for the end of {on}")
            }
            KernelEvent::JoinAbandoned(e) => {
                let (task, on) = (self.task(e.task), self.task(e.on));
                format!("{task} no longer waits for the end of {on}")
            }
            KernelEvent::CycleClosed(e) => waits(&e.cycle).join("; "),
            KernelEvent::CycleBroken(e) => {
                let by = self.task(e.by);
                format!("{by} got out of the cycle of event {}", e.closed_at)
            }
            KernelEvent::Draw(e) => format!("{} below {} for {}", e.value, e.bound, e.purpose),
            KernelEvent::HostCrashed(e) => format!("host {} crashed", self.host(e.host)),
            KernelEvent::HostRestarted(e) => format!("host {} came up again", self.host(e.host)),
            KernelEvent::TaskCrashed(e) => format!("{} crashed", self.task(e.task)),
            KernelEvent::CallLost(e) => {
                let outcome = match e.outcome {
                    CallOutcome::NotSent => "it was never sent",
                    CallOutcome::Done => "it was carried out",
                    CallOutcome::Unknown => "nobody can tell what became of it",
                };
                format!("the caller of event {} crashed; {outcome}", e.call)
            }
            KernelEvent::CallCancelled(e) => format!("the call of event {} was given up", e.call),
            KernelEvent::FaultInjected(e) => format!("a fault was let in at {}", e.door),
            KernelEvent::ClockJumped(e) => {
                let way = if e.by < 0 { "back" } else { "forward" };
                let span = Time::from_nanos(e.by.unsigned_abs());
                format!("the wall clock jumped {way} by {span}")
            }
            KernelEvent::RunEnded(e) => format!("the run ended: {}", verdict(&e.verdict)),
        }
    }

    pub(crate) fn task(&self, task: TaskId) -> String {
        match self.tasks.get(&task) {
            Some(name) => format!("{name} ({task})"),
            None => format!("task {task}"),
        }
    }

    fn tasks(&self, tasks: &[TaskId]) -> String {
        let names: Vec<String> = tasks.iter().map(|task| self.task(*task)).collect();
        names.join(", ")
    }

    fn host(&self, host: HostId) -> String {
        let name = self.hosts.get(&host).map(Name::as_str);
        name.map_or_else(|| format!("number {}", host.0), str::to_owned)
    }

    fn lock(&self, lock: LockId) -> String {
        let name = self.locks.get(&lock).map(Name::as_str);
        name.map_or_else(|| format!("lock {}", lock.0), str::to_owned)
    }
}

/// Of two names for the same the later one counts.
fn add<K: Ord>(known: &mut BTreeMap<K, Name>, mut earlier: BTreeMap<K, Name>) {
    earlier.append(known);
    *known = earlier;
}

fn ending(ending: &TaskEnding) -> String {
    match ending {
        TaskEnding::Returned => "returned".to_owned(),
        TaskEnding::Aborted => "was aborted".to_owned(),
        TaskEnding::Panicked(message) => format!("panicked: {message}"),
        TaskEnding::Crashed => "crashed".to_owned(),
    }
}

/// A verdict in words; of a deadlock, who holds what and who wants it.
pub fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Deadlock(cycle) => format!("deadlock: {}", waits(cycle).join("; ")),
        other => other.to_string(),
    }
}

/// Who holds what, and who wants it: one text for each wait of a cycle.
pub fn waits(cycle: &Cycle) -> Vec<String> {
    let label = |task: TaskId| match cycle.links.iter().find(|link| link.task == task) {
        Some(link) => format!("{} ({task})", link.name),
        None => task.to_string(),
    };
    cycle
        .links
        .iter()
        .map(|link| {
            let holders: Vec<String> = link.held_by.iter().map(|task| label(*task)).collect();
            let (holders, waiter) = (holders.join(", "), label(link.task));
            match &link.lock {
                Some(lock) => format!("{holders} ─holds→ {lock} ─wanted by→ {waiter}"),
                None => format!("{holders} ─its end awaited by→ {waiter}"),
            }
        })
        .collect()
}

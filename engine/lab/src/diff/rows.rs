//! A log as rows that can be compared with those of another: who, what kind, what it says, and what
//! it follows from, each without the numbers that only say where in its log it stands.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use dacapo_kernel::{
    ActorId, Body, Event, EventSet, Events, KernelEvent, Name, Plan, RunError, Seq, System, TaskId,
    Time, plan_of,
};
use dacapo_kernel::{BoxedStorage, log::Reader};

use crate::pace::now_and_then;
use crate::record::tags_of;

/// One event, as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// A hash of the name of its actor.
    pub(super) actor: u64,
    /// The number of its kind.
    pub(super) kind: u16,
    /// A hash of what it says.
    pub(super) says: u64,
    /// A hash of the words by which it is found.
    pub(super) tags: u64,
    /// A hash of what it goes back to: the last event of another actor on its chain of causes, and
    /// what that one goes back to.
    pub(super) origin: u64,
    /// When it happened.
    pub(super) time: Time,
}

/// A whole log in memory.
pub(super) struct Rows<S: System> {
    pub(super) plan: Plan<S::Config>,
    pub(super) rows: Vec<Row>,
    /// Every event as the log has it, one after the other.
    bytes: Vec<u8>,
    /// For each event: where its bytes begin, and in which version they are.
    places: Vec<(usize, u8)>,
}

impl<S: System> Rows<S> {
    /// Reads a log from its first to its last event.
    pub(super) fn read(
        mut reader: Reader<BoxedStorage>,
        mut watch: impl FnMut(Seq, Time),
    ) -> Result<Rows<S>, RunError> {
        let plan = plan_of::<S>(&mut reader)?;
        let mut events = Events::<S::Event>::new(reader);
        events.seek(Seq(0))?;
        let mut read = Rows {
            plan,
            rows: Vec::new(),
            bytes: Vec::new(),
            places: Vec::new(),
        };
        let mut reading = Reading::default();
        while let Some(event) = events.next()? {
            let row = reading.row::<S>(&event, &read.rows);
            read.rows.push(row);
            read.places.push((read.bytes.len(), event.kind().version));
            event.encode(&mut read.bytes).map_err(RunError::Encode)?;
            now_and_then(&event, &mut watch);
        }
        Ok(read)
    }

    /// An event of the log.
    pub(super) fn event(&self, at: usize) -> Option<Event<S::Event>> {
        let (row, (from, version)) = (self.rows.get(at)?, self.places.get(at)?);
        let to = self
            .places
            .get(at + 1)
            .map_or(self.bytes.len(), |(next, _)| *next);
        let bytes = self.bytes.get(*from..to)?;
        Event::decode(Seq(at as u64), row.time, row.kind, *version, bytes).ok()
    }
}

/// What is known of a log while it is read.
#[derive(Default)]
struct Reading {
    actors: BTreeMap<ActorId, u64>,
    tasks: BTreeMap<TaskId, Name>,
    /// For each event: what an event of another actor that follows from it goes back to.
    lineage: Vec<u64>,
    /// How often something went back to the same thing.
    seen: BTreeMap<u64, u64>,
}

impl Reading {
    fn row<S: System>(&mut self, event: &Event<S::Event>, before: &[Row]) -> Row {
        self.learn(event);
        let actor = self
            .actors
            .get(&event.actor)
            .copied()
            .unwrap_or(event.actor.0.into());
        let kind = event.kind();
        let says = match &event.body {
            Body::Domain(domain) => {
                let mut bytes = Vec::new();
                // What came from a log was encoded once, and can be again.
                let _ = domain.encode(&mut bytes);
                hash_of(&bytes)
            }
            Body::Kernel(kernel) => self.says(kernel),
        };
        let tags = match &event.body {
            Body::Domain(_) => hash_of(&tags_of::<S>(event)),
            Body::Kernel(_) => says,
        };
        // A log that a stranger wrote may claim anything; a cause comes before what it causes.
        let cause = event
            .cause
            .and_then(|seq| usize::try_from(seq.0).ok())
            .and_then(|at| Some((before.get(at)?, *self.lineage.get(at)?)));
        let origin = match cause {
            Some((row, _)) if row.actor == actor => row.origin,
            Some((_, lineage)) => lineage,
            None => 0,
        };
        let is_input = kind.role.is_input();
        let own = match is_input {
            true => hash_of(&(actor, kind.number, says)),
            false => hash_of(&(actor, kind.number, tags, origin)),
        };
        let count = self.seen.entry(own).or_default();
        *count += 1;
        self.lineage.push(hash_of(&(own, *count)));
        Row {
            actor,
            kind: kind.number,
            says,
            tags,
            origin,
            time: event.time,
        }
    }

    fn learn<E: EventSet>(&mut self, event: &Event<E>) {
        match event.kernel() {
            Some(KernelEvent::ActorNamed(named)) => {
                let name = hash_of(&named.name.as_str());
                self.actors.insert(named.actor, name);
            }
            Some(KernelEvent::TaskStarted(started)) => {
                self.tasks.insert(started.task, started.name.clone());
            }
            _ => {}
        }
    }

    fn task(&self, task: TaskId) -> &str {
        self.tasks.get(&task).map_or("", Name::as_str)
    }

    /// What one of the kernel's own events says, with tasks by their names: their numbers shift when
    /// one more is started.
    fn says(&self, event: &KernelEvent) -> u64 {
        let named = |task: &TaskId| hash_of(&self.task(*task));
        match event {
            // The plans are compared by themselves.
            KernelEvent::RunStarted(_) => 0,
            KernelEvent::ActorNamed(e) => hash_of(&e.name.as_str()),
            KernelEvent::HostStarted(e) => hash_of(&e.name.as_str()),
            KernelEvent::TaskStarted(e) => hash_of(&(e.name.as_str(), e.host)),
            KernelEvent::TaskEnded(e) => hash_of(&(named(&e.task), format!("{:?}", e.ending))),
            KernelEvent::Choice(e) => hash_of(&(e.of, e.index)),
            KernelEvent::TimerFired(e) => named(&e.task),
            KernelEvent::LockBlocked(e) => hash_of(&(named(&e.task), e.name.as_str())),
            KernelEvent::LockGranted(e) => hash_of(&(named(&e.task), named(&e.from))),
            KernelEvent::LockAbandoned(e) => named(&e.task),
            KernelEvent::JoinBlocked(e) => hash_of(&(named(&e.task), named(&e.on))),
            KernelEvent::JoinAbandoned(e) => hash_of(&(named(&e.task), named(&e.on))),
            KernelEvent::CycleClosed(e) => {
                let mut links: Vec<&str> = e
                    .cycle
                    .links
                    .iter()
                    .map(|link| link.name.as_str())
                    .collect();
                links.sort_unstable();
                hash_of(&links)
            }
            KernelEvent::CycleBroken(e) => named(&e.by),
            KernelEvent::Draw(e) => hash_of(&(e.purpose.as_str(), e.bound, e.value)),
            KernelEvent::HostCrashed(e) => hash_of(&(e.host, e.abrupt)),
            KernelEvent::HostRestarted(e) => hash_of(&e.host),
            KernelEvent::TaskCrashed(e) => named(&e.task),
            KernelEvent::CallLost(e) => hash_of(&format!("{:?}", e.outcome)),
            KernelEvent::CallCancelled(_) => 0,
            KernelEvent::FaultInjected(e) => hash_of(&(e.door.as_str(), e.asked, e.value)),
            KernelEvent::ClockJumped(e) => hash_of(&e.by),
            KernelEvent::RunEnded(e) => hash_of(&e.verdict.name()),
        }
    }
}

/// The same in every process: its keys are fixed.
pub(super) fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

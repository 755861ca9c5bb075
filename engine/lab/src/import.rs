//! A trace of production as a log: messages with times, topics and payloads, as JSON lines, become the
//! inputs and consequences that a system would have logged, by a map that somebody writes.
//!
//! Nothing was simulated, so there is nothing to run again. Everything that reads a log works on it;
//! a property that looks for what the map does not cover is not evaluable.

mod map;
mod template;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::PathBuf;

use dacapo_kernel::log::{Chain, Head, Header, KindEntry, Memory, RunId, SyncPolicy, Writer};
use dacapo_kernel::{
    ActorId, ActorNamed, Body, Checked, Event, EventSet, Finding, Invariant, KernelEvent, Name,
    Plan, RunEnded, RunStarted, Seq, System, Time, Verdict,
};

use crate::scenario::{Overrides, ScenarioError, load};

use self::trace::{Taken, Trace};

pub use self::map::{Map, MapError};

/// The profile of a log that was imported.
pub const IMPORTED: &str = "imported";

/// A trace that was imported.
pub struct Imported {
    /// The bytes of the log.
    pub log: Vec<u8>,
    /// Its events in all.
    pub events: u64,
    /// How many events of each kind, by the names of the kinds.
    pub kinds: BTreeMap<&'static str, u64>,
    /// How many lines the trace has.
    pub lines: u64,
    /// How many lines no part of the map is about, and the first ones.
    pub unmapped: (u64, Vec<u64>),
    /// How many lines were earlier than the one before them, and were put in order.
    pub out_of_order: u64,
    /// How many events name a cause that the trace does not have.
    pub causes_unknown: u64,
    /// Lines that could not be read or taken, with why, if they may be passed over.
    pub bad: Vec<ImportError>,
    /// When the trace begins, in nanoseconds since 1970.
    pub start_unix_ns: i64,
    /// How long it is.
    pub end: Time,
}

/// Why a trace was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The map is wrong.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The scenario that the map names is wrong.
    #[error(transparent)]
    Scenario(#[from] Box<ScenarioError>),
    /// The system cannot be without a configuration, and the map names none.
    #[error(
        "{map}: the system {system} has to be configured for its properties; name a scenario in the map: \
         scenario = \"day.toml\""
    )]
    NoScenario {
        /// The map.
        map: String,
        /// The system.
        system: &'static str,
    },
    /// A line of the trace is wrong.
    #[error("line {line}: {what}")]
    Line {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The trace holds nothing that the map is about.
    #[error("no line of the trace is one that the map is about; {lines} lines were read")]
    Nothing {
        /// How many there were.
        lines: u64,
    },
    /// The log cannot hold it.
    #[error("the log cannot be written: {0}")]
    Log(#[from] dacapo_kernel::log::LogError),
}

/// Imports a trace; lines that are wrong are passed over if `lenient` says so.
///
/// # Errors
/// The first thing that is wrong with the map or the trace.
pub fn import<S: System>(
    map: &Map<S>,
    trace: impl BufRead,
    lenient: bool,
) -> Result<Imported, ImportError> {
    let mut plan = plan::<S>(map)?;
    let mut read = Trace::read(map, trace, lenient)?;
    let start = read.start();
    let events = read.events(map, lenient)?;
    if events.is_empty() {
        return Err(ImportError::Nothing { lines: read.count });
    }
    plan.start_unix_ns = i64::try_from(start).unwrap_or(i64::MAX);
    let mut writing = Writing::<S>::begin(&plan, map)?;
    let mut unknown = 0;
    for taken in events {
        unknown += u64::from(writing.take(taken, start)?);
    }
    let (log, events, kinds, end) = writing.end()?;
    Ok(Imported {
        log,
        events,
        kinds,
        lines: read.count,
        unmapped: read.unmapped,
        out_of_order: read.out_of_order,
        causes_unknown: unknown,
        bad: read.bad,
        start_unix_ns: plan.start_unix_ns,
        end,
    })
}

/// The plan that the properties go by.
fn plan<S: System>(map: &Map<S>) -> Result<Plan<S::Config>, ImportError> {
    let mut plan = match &map.scenario {
        Some(scenario) => {
            let path: PathBuf = map.folder.join(scenario);
            load::<S>(&path, &Overrides::default())
                .map_err(Box::new)?
                .plan
        }
        None => {
            let config = S::plainest().ok_or_else(|| ImportError::NoScenario {
                map: map.path.clone(),
                system: S::NAME,
            })?;
            Plan::of(S::NAME, config)
        }
    };
    plan.name.clone_from(&map.name);
    plan.story = map
        .story
        .clone()
        .unwrap_or_else(|| "A trace that was imported.".to_owned());
    plan.profile = IMPORTED.to_owned();
    plan.defects.clear();
    plan.faults = Vec::new().into();
    plan.data.clear();
    plan.duration_ns = None;
    plan.expect = dacapo_kernel::Expect {
        // Whoever watched stopped watching; the system went on.
        verdict: Some(Verdict::Interrupted.name().to_owned()),
        figures: Vec::new(),
    };
    Ok(plan)
}

/// The log of a trace while it is written.
struct Writing<S: System> {
    writer: Writer<std::rc::Rc<std::cell::RefCell<Memory>>>,
    memory: std::rc::Rc<std::cell::RefCell<Memory>>,
    next: Seq,
    now: Time,
    actors: BTreeMap<String, ActorId>,
    /// The event that a name of the trace stands for.
    ids: BTreeMap<String, Seq>,
    kinds: BTreeMap<&'static str, u64>,
    system: std::marker::PhantomData<S>,
}

impl<S: System> Writing<S> {
    fn begin(plan: &Plan<S::Config>, map: &Map<S>) -> Result<Writing<S>, ImportError> {
        let json = serde_json::to_string(plan).expect("a plan is plain data with text keys");
        let digest = *blake3::hash(json.as_bytes()).as_bytes();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        let header = Header {
            run_id: RunId(id),
            seed: plan.seed,
            scenario_digest: digest,
            engine: concat!("dacapo ", env!("CARGO_PKG_VERSION"), " import").to_owned(),
            first_seq: Seq(0),
            previous: Chain([0; 16]),
            kinds: covered_kinds::<S>(map),
        };
        let memory = std::rc::Rc::new(std::cell::RefCell::new(Memory(Vec::new())));
        let storage = std::rc::Rc::clone(&memory);
        let mut writing = Writing {
            writer: Writer::create(storage, &header, SyncPolicy::Never)?,
            memory,
            next: Seq(0),
            now: Time::ZERO,
            actors: BTreeMap::new(),
            ids: BTreeMap::new(),
            kinds: BTreeMap::new(),
            system: std::marker::PhantomData,
        };
        let started = RunStarted {
            system: S::NAME.into(),
            plan: json,
        };
        writing.append(ActorId::ENGINE, None, Body::Kernel(started.into()))?;
        Ok(writing)
    }

    fn append(
        &mut self,
        actor: ActorId,
        cause: Option<Seq>,
        body: Body<S::Event>,
    ) -> Result<Seq, ImportError> {
        let event = Event {
            seq: self.next,
            time: self.now,
            cause,
            actor,
            body,
        };
        let kind = event.kind();
        if event.domain().is_some() {
            *self.kinds.entry(kind.name).or_default() += 1;
        }
        let head = Head {
            kind: kind.number,
            version: kind.version,
            flags: 0,
            time: event.time,
        };
        self.writer.append(head, |out| event.encode(out))?;
        self.next = self.next.next();
        Ok(event.seq)
    }

    /// Writes one event of the trace, and says whether its cause is unknown.
    fn take(&mut self, taken: Taken<S::Event>, start: i128) -> Result<bool, ImportError> {
        let nanos = u64::try_from(taken.unix_ns - start).unwrap_or(u64::MAX);
        self.now = Time::from_nanos(nanos).max(self.now);
        let actor = match self.actors.get(&taken.actor) {
            Some(actor) => *actor,
            None => {
                let actor = ActorId(self.actors.len() as u32 + 1);
                self.actors.insert(taken.actor.clone(), actor);
                let name = Name::from(taken.actor.as_str());
                let named = KernelEvent::from(ActorNamed { actor, name });
                self.append(ActorId::ENGINE, None, Body::Kernel(named))?;
                actor
            }
        };
        let cause = taken.cause.as_ref().map(|id| self.ids.get(id).copied());
        let seq = self.append(actor, cause.flatten(), Body::Domain(taken.event))?;
        if let Some(id) = taken.id {
            self.ids.insert(id, seq);
        }
        Ok(cause == Some(None))
    }

    #[expect(clippy::type_complexity, reason = "the parts of one result")]
    fn end(mut self) -> Result<(Vec<u8>, u64, BTreeMap<&'static str, u64>, Time), ImportError> {
        let ended = RunEnded {
            verdict: Verdict::Interrupted,
        };
        self.append(ActorId::ENGINE, None, Body::Kernel(ended.into()))?;
        self.writer.close()?;
        let bytes = std::mem::take(&mut self.memory.borrow_mut().0);
        Ok((bytes, self.next.0, self.kinds, self.now))
    }
}

/// The kinds that the trace would have, had they happened: what the map is about, and what it says
/// that it covers; and those that every log begins and ends with.
fn covered_kinds<S: System>(map: &Map<S>) -> Vec<KindEntry> {
    let covered: BTreeSet<u16> = map.kinds().collect();
    let mut kinds = dacapo_kernel::kind_table::<S::Event>();
    kinds.retain(|kind| {
        covered.contains(&kind.kind)
            || ["run started", "run ended", "actor named"].contains(&kind.name.as_str())
    });
    kinds
}

/// What the properties say of an imported trace: one that looks for a kind of event that the trace
/// would not have, or that only its end shows, is not evaluable.
pub(crate) fn limit<E: EventSet>(
    findings: &mut [Checked],
    invariants: &[Box<dyn Invariant<E>>],
    header: &Header,
) {
    let has = |kind: &u16| header.kinds.iter().any(|entry| entry.kind == *kind);
    for checked in findings {
        let invariant = invariants.iter().find(|it| it.id() == checked.id);
        let is_covered = invariant.is_some_and(|it| it.watches().iter().all(has));
        let only_at_the_end = matches!(checked.finding, Finding::Violated { at: None, .. });
        if !is_covered || only_at_the_end {
            checked.finding = Finding::NotEvaluable;
        }
    }
}

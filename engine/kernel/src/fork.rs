//! A run that goes as a recorded one went up to an event, has another input there, and goes on by itself.
//!
//! Up to that event every input comes from the recording, and every event is compared with it. Behind
//! it, recorded inputs are used where they still apply: the items of feeds, draws by their actor and
//! purpose, the answer to a question that the same caller asks again. Everything else is generated as
//! in any run. The log of a fork is the log of a run: it replays like any other.

pub(crate) mod guide;

use std::collections::BTreeMap;

use crate::event::{Body, Event, EventSet, Role};
use crate::id::{ActorId, Seq, Time};
use crate::journal::{BoxedStorage, Divergence};
use crate::kernel_event::{FaultInjected, KernelEvent};
use crate::log::Reader;
use crate::name::Name;
use crate::replay::Events;
use crate::run::{Outcome, RunError};

/// What is another one in a fork, at one event of the recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Fork<E> {
    /// The event: an input of the recorded run.
    pub at: Seq,
    /// What becomes of it.
    pub change: Change<E>,
}

/// What becomes of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<E> {
    /// It says this instead; the kind is the same.
    Says(Body<E>),
    /// It comes at this time instead: an answer, or an item of a feed.
    Comes(Time),
    /// It never comes.
    LeftOut,
}

/// A fork that was made.
#[derive(Debug)]
pub enum Forked<E, V> {
    /// It went its own way, to this end.
    Ended(Box<Outcome<V>>, Reused),
    /// It differs from the recording before the event of the fork: the program is another one.
    Diverged(Box<Divergence<E>>),
}

/// How many inputs of a fork, behind the event that is another one, are recorded ones, and how many
/// are generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reused {
    /// Answers to a question that was asked in the recording too.
    pub answers_recorded: u64,
    /// Answers to other questions.
    pub answers_generated: u64,
    /// Items of feeds that are in the recording.
    pub items_recorded: u64,
    /// Items of feeds from behind its end.
    pub items_generated: u64,
    /// Draws that are in the recording.
    pub draws_recorded: u64,
    /// Draws that nobody made there.
    pub draws_generated: u64,
}

/// A recorded run in memory, for forks of it.
pub struct Recording<E> {
    bytes: Vec<u8>,
    places: Vec<Place>,
    actors: BTreeMap<ActorId, Name>,
    /// What callers asked, and what they were answered; by the event of the call.
    calls: BTreeMap<Seq, RecordedCall<E>>,
    /// What feeds brought, by the name of the feed.
    items: BTreeMap<Name, Vec<RecordedItem<E>>>,
    /// What was drawn, by actor and purpose.
    draws: Vec<RecordedDraw>,
}

/// Where an event of a recording is.
#[derive(Clone, Copy)]
struct Place {
    from: usize,
    time: Time,
    kind: u16,
    version: u8,
}

/// A question, and its answer.
#[derive(Clone, Debug)]
pub(crate) struct RecordedCall<E> {
    pub(crate) caller: Name,
    /// What was asked, as bytes.
    pub(crate) request: Vec<u8>,
    pub(crate) made: Time,
    /// The faults that were let in on the way to the answer.
    pub(crate) faults: Vec<(Seq, FaultInjected)>,
    pub(crate) answer: Option<(Seq, Time, E)>,
}

/// An item of a feed.
#[derive(Clone, Debug)]
pub(crate) struct RecordedItem<E> {
    pub(crate) at: Seq,
    pub(crate) time: Time,
    pub(crate) faults: Vec<(Seq, FaultInjected)>,
    pub(crate) event: E,
}

/// A draw.
#[derive(Clone, Debug)]
pub(crate) struct RecordedDraw {
    pub(crate) at: Seq,
    pub(crate) actor: Name,
    pub(crate) purpose: Name,
    pub(crate) bound: u64,
    pub(crate) value: u64,
}

impl<E: EventSet> Recording<E> {
    /// Reads a log from its first to its last event.
    ///
    /// # Errors
    /// If the log is damaged, or has an event that this program does not know.
    pub fn read(reader: Reader<BoxedStorage>) -> Result<Recording<E>, RunError> {
        let mut events = Events::<E>::new(reader);
        events.seek(Seq(0))?;
        let mut read = Recording {
            bytes: Vec::new(),
            places: Vec::new(),
            actors: BTreeMap::new(),
            calls: BTreeMap::new(),
            items: BTreeMap::new(),
            draws: Vec::new(),
        };
        // The faults of a feed stand right before its item.
        let mut let_in: BTreeMap<ActorId, Vec<(Seq, FaultInjected)>> = BTreeMap::new();
        while let Some(event) = events.next()? {
            read.places.push(Place {
                from: read.bytes.len(),
                time: event.time,
                kind: event.kind().number,
                version: event.kind().version,
            });
            event.encode(&mut read.bytes).map_err(RunError::Encode)?;
            if let Some(KernelEvent::ActorNamed(named)) = event.kernel() {
                read.actors.insert(named.actor, named.name.clone());
            }
            let actor = read.actors.get(&event.actor).cloned();
            let actor = actor.unwrap_or(Name::fixed("engine"));
            read.note(&event, actor, &mut let_in);
        }
        Ok(read)
    }

    fn note(
        &mut self,
        event: &Event<E>,
        actor: Name,
        let_in: &mut BTreeMap<ActorId, Vec<(Seq, FaultInjected)>>,
    ) {
        match &event.body {
            Body::Kernel(KernelEvent::Draw(draw)) => self.draws.push(RecordedDraw {
                at: event.seq,
                actor,
                purpose: draw.purpose.clone(),
                bound: draw.bound,
                value: draw.value,
            }),
            Body::Kernel(KernelEvent::FaultInjected(fault)) => {
                match event.cause.and_then(|call| self.calls.get_mut(&call)) {
                    Some(call) => call.faults.push((event.seq, fault.clone())),
                    None if event.cause.is_none() => {
                        let faults = let_in.entry(event.actor).or_default();
                        faults.push((event.seq, fault.clone()));
                    }
                    None => {}
                }
            }
            Body::Kernel(_) => {}
            Body::Domain(domain) => match domain.kind().role {
                Role::Input => {
                    let item = RecordedItem {
                        at: event.seq,
                        time: event.time,
                        faults: let_in.remove(&event.actor).unwrap_or_default(),
                        event: domain.clone(),
                    };
                    self.items.entry(actor).or_default().push(item);
                }
                Role::Call => {
                    let call = RecordedCall {
                        caller: actor,
                        request: bytes_of(domain),
                        made: event.time,
                        faults: Vec::new(),
                        answer: None,
                    };
                    self.calls.insert(event.seq, call);
                }
                Role::Answer => {
                    if let Some(call) = event.cause.and_then(|call| self.calls.get_mut(&call)) {
                        call.answer = Some((event.seq, event.time, domain.clone()));
                    }
                }
                Role::Consequence => {}
            },
        }
    }

    /// How many events it has.
    pub fn events(&self) -> u64 {
        self.places.len() as u64
    }

    /// One of its events.
    pub fn event(&self, seq: Seq) -> Option<Event<E>> {
        let (place, bytes) = self.place(seq)?;
        Event::decode(seq, place.time, place.kind, place.version, bytes).ok()
    }

    fn place(&self, seq: Seq) -> Option<(Place, &[u8])> {
        let at = usize::try_from(seq.0).ok()?;
        let place = *self.places.get(at)?;
        let to = self.places.get(at + 1);
        let to = to.map_or(self.bytes.len(), |next| next.from);
        Some((place, self.bytes.get(place.from..to)?))
    }

    /// The number of the kind of one of its events.
    fn kind_at(&self, seq: Seq) -> Option<u16> {
        self.place(seq).map(|(place, _)| place.kind)
    }

    /// Whether an event is the recorded one, byte for byte.
    fn has(&self, event: &Event<E>, scratch: &mut Vec<u8>) -> bool {
        scratch.clear();
        let Some((place, bytes)) = self.place(event.seq) else {
            return false;
        };
        place.time == event.time
            && place.kind == event.kind().number
            && event.encode(scratch).is_ok()
            && scratch == bytes
    }
}

/// The body of an event as bytes.
pub(crate) fn bytes_of<E: EventSet>(event: &E) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be encoded cannot be appended either, which is said there.
    let _ = event.encode(&mut bytes);
    bytes
}

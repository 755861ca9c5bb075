//! A run that goes as a recorded one went up to an event, has another input there, and goes on by itself.
//!
//! Up to that event every input comes from the recording, and every event is compared with it. Behind
//! it, recorded inputs are used where they still apply: the items of feeds, draws by their actor and
//! purpose, the answer to a question that the same caller asks again. Everything else is generated as
//! in any run. The log of a fork is the log of a run: it replays like any other.

use std::rc::Rc;

use crate::event::{Body, Event, EventSet};
use crate::follow::{Reading, Recorded};
use crate::id::{Seq, Time};
use crate::journal::{BoxedStorage, Divergence};
use crate::log::Reader;
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
    /// What went into it, by what it is for.
    pub(crate) inputs: Rc<Recorded<E>>,
}

/// Where an event of a recording is.
#[derive(Clone, Copy)]
struct Place {
    from: usize,
    time: Time,
    kind: u16,
    version: u8,
}

impl<E: EventSet> Recording<E> {
    /// Reads a log from its first to its last event.
    ///
    /// # Errors
    /// If the log is damaged, or has an event that this program does not know.
    pub fn read(reader: Reader<BoxedStorage>) -> Result<Recording<E>, RunError> {
        let mut events = Events::<E>::new(reader);
        events.seek(Seq(0))?;
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        let mut reading = Reading::new();
        while let Some(event) = events.next()? {
            places.push(Place {
                from: bytes.len(),
                time: event.time,
                kind: event.kind().number,
                version: event.kind().version,
            });
            event.encode(&mut bytes).map_err(RunError::Encode)?;
            reading.take(&event);
        }
        Ok(Recording {
            bytes,
            places,
            inputs: Rc::new(reading.done()),
        })
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
    pub(crate) fn kind_at(&self, seq: Seq) -> Option<u16> {
        self.place(seq).map(|(place, _)| place.kind)
    }

    /// When one of its events happened.
    pub(crate) fn time_at(&self, seq: Seq) -> Option<Time> {
        self.place(seq).map(|(place, _)| place.time)
    }

    /// Whether an event is the recorded one, byte for byte.
    pub(crate) fn has(&self, event: &Event<E>, scratch: &mut Vec<u8>) -> bool {
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

//! What can happen: an event, its kinds, and the table of the kinds that a log has.
//!
//! An enum is never serialised as such, since the order of its variants would become the file
//! format. A record says its kind and version in explicit numbers, and its body is that
//! version's struct. [`events!`](crate::events) writes that table for a set of events.
//! How bytes are framed in a file is the log's affair.

mod events;

use std::fmt::Debug;

use serde::{Deserializer, Serialize, Serializer};

use crate::codec::{self, CodecError};
use crate::id::{ActorId, Seq, Time};
use crate::kernel_event::KernelEvent;
use crate::log::KindEntry;

/// One thing that happened, in the order of its log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<E> {
    /// Its place in the log.
    pub seq: Seq,
    /// When it happened, in virtual time.
    pub time: Time,
    /// The event it follows from; none for what comes from outside or begins a run.
    pub cause: Option<Seq>,
    /// Whose act it is.
    pub actor: ActorId,
    /// What happened.
    pub body: Body<E>,
}

/// What happened: something of the kernel's own, or of the system under simulation.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<E> {
    /// Tasks, choices, timers, locks, crashes, the verdict.
    Kernel(KernelEvent),
    /// What the simulated system does and is told.
    Domain(E),
}

/// How an event relates to a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// No re-run can know it: a replay feeds it back.
    Input,
    /// It follows from the inputs and the code: a replay compares it.
    Consequence,
    /// A consequence that asks the outside for an [`Answer`](Role::Answer).
    Call,
    /// An input that answers a call; its cause is the event of the call.
    Answer,
}

impl Role {
    /// Whether it comes from outside the system: a replay feeds it back.
    pub fn is_input(self) -> bool {
        matches!(self, Role::Input | Role::Answer)
    }
}

/// One row of a table of kinds.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The number in the log. Kernel kinds are below 64, domain kinds are not.
    pub number: u16,
    /// What people call it.
    pub name: &'static str,
    /// The version in which it is written today.
    pub version: u8,
    /// Whether a replay feeds it back or compares it.
    pub role: Role,
}

/// The first number that a domain's own kinds may use.
pub const FIRST_DOMAIN_KIND: u16 = 64;

/// A set of events with explicit numbers, as [`events!`](crate::events) writes it.
pub trait EventSet: Clone + Debug + PartialEq + Sized + 'static {
    /// Every kind of the set.
    const KINDS: &'static [Kind];

    /// The kind of this event.
    fn kind(&self) -> &'static Kind;

    /// Appends the body in today's version.
    ///
    /// # Errors
    /// If the body cannot be encoded within the codec's limits.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a body of a kind and version; `None` if the set has no such kind or version.
    ///
    /// # Errors
    /// If the bytes are not exactly one body.
    fn decode(kind: u16, version: u8, bytes: &[u8]) -> Result<Option<Self>, CodecError>;

    /// Serialises the body alone, for people and other tools.
    ///
    /// # Errors
    /// Those of the serializer.
    fn serialize_body<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads what [`serialize_body`](EventSet::serialize_body) wrote for a kind in today's version;
    /// `None` if the set has no such kind.
    ///
    /// # Errors
    /// Those of the deserializer.
    fn deserialize_body<'de, D: Deserializer<'de>>(
        kind: u16,
        deserializer: D,
    ) -> Result<Option<Self>, D::Error>;
}

/// The body of an event as something that serialises, whatever its kind.
pub struct BodyOf<'a, E>(pub &'a Event<E>);

impl<E: EventSet> Serialize for BodyOf<'_, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.body {
            Body::Kernel(event) => event.serialize_body(serializer),
            Body::Domain(event) => event.serialize_body(serializer),
        }
    }
}

/// Why a record could not be read as an event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The body is not what its kind says.
    #[error("event {seq}: {source}")]
    Body {
        /// Which event.
        seq: Seq,
        /// What is wrong with its bytes.
        source: CodecError,
    },
    /// The cause would lie before the first event.
    #[error("event {seq}: its cause would lie {back} events back, before the first")]
    Cause {
        /// Which event.
        seq: Seq,
        /// How far back the cause is said to lie.
        back: u64,
    },
    /// This program has no such kind or version.
    #[error(
        "event {seq} is a `{name}`, kind {kind} version {version}, which this program does not know; \
         use the version of the program that the log's header names"
    )]
    UnknownKind {
        /// Which event.
        seq: Seq,
        /// Its kind.
        kind: u16,
        /// What the log calls the kind; `?` where it does not say.
        name: String,
        /// The version of that kind.
        version: u8,
    },
}

impl DecodeError {
    /// The same error with the name that a log's table of kinds has for an unknown kind.
    pub(crate) fn named(mut self, kinds: &[KindEntry]) -> DecodeError {
        if let DecodeError::UnknownKind { kind, name, .. } = &mut self
            && let Some(entry) = kinds.iter().find(|entry| entry.kind == *kind)
        {
            name.clone_from(&entry.name);
        }
        self
    }
}

impl<E: EventSet> Event<E> {
    /// The kind of its body.
    #[inline]
    pub fn kind(&self) -> &'static Kind {
        match &self.body {
            Body::Kernel(event) => event.kind(),
            Body::Domain(event) => event.kind(),
        }
    }

    /// The domain's own event, if it is one.
    #[inline]
    pub fn domain(&self) -> Option<&E> {
        match &self.body {
            Body::Domain(event) => Some(event),
            Body::Kernel(_) => None,
        }
    }

    /// The kernel's own event, if it is one.
    pub fn kernel(&self) -> Option<&KernelEvent> {
        match &self.body {
            Body::Kernel(event) => Some(event),
            Body::Domain(_) => None,
        }
    }

    /// Appends the record's body: how far back the cause lies (0 for none), the actor, the body.
    ///
    /// # Errors
    /// If the body exceeds the codec's limits.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let back = self.cause.map_or(0, |cause| self.seq.0 - cause.0);
        codec::encode(&(back, self.actor), out)?;
        match &self.body {
            Body::Kernel(event) => event.encode(out),
            Body::Domain(event) => event.encode(out),
        }
    }

    /// Reads what [`encode`](Event::encode) wrote.
    ///
    /// # Errors
    /// If the kind is unknown or the bytes are not exactly one such body.
    #[inline]
    pub fn decode(
        seq: Seq,
        time: Time,
        kind: u16,
        version: u8,
        bytes: &[u8],
    ) -> Result<Event<E>, DecodeError> {
        let at = |source| DecodeError::Body { seq, source };
        let ((back, actor), used) = codec::decode_prefix::<(u64, ActorId)>(bytes).map_err(at)?;
        let bytes = &bytes[used..];
        let cause = match back {
            0 => None,
            back => Some(Seq(seq
                .0
                .checked_sub(back)
                .ok_or(DecodeError::Cause { seq, back })?)),
        };
        let body = if kind < FIRST_DOMAIN_KIND {
            KernelEvent::decode(kind, version, bytes)
                .map_err(at)?
                .map(Body::Kernel)
        } else {
            E::decode(kind, version, bytes)
                .map_err(at)?
                .map(Body::Domain)
        };
        match body {
            Some(body) => Ok(Event {
                seq,
                time,
                cause,
                actor,
                body,
            }),
            None => Err(DecodeError::UnknownKind {
                seq,
                kind,
                name: "?".to_owned(),
                version,
            }),
        }
    }
}

/// The table of kinds that a log's header carries: the kernel's and the domain's.
pub fn kind_table<E: EventSet>() -> Vec<KindEntry> {
    KernelEvent::KINDS
        .iter()
        .chain(E::KINDS)
        .map(|kind| KindEntry {
            kind: kind.number,
            name: kind.name.to_owned(),
            version: kind.version,
            critical: true,
        })
        .collect()
}

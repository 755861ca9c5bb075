//! Where the events of a run go: into a log, or against one.
//!
//! Recording appends. Verifying compares each event with the recorded one, byte for byte, and
//! hands back the inputs that the recording holds. The first difference ends the run.

use crate::event::{Body, Event, EventSet, FIRST_DOMAIN_KIND, Role};
use crate::executor::Cut;
use crate::id::{ActorId, Seq, Time};
use crate::kernel_event::{FAULT_INJECTED, FaultInjected, HOST_CRASHED, HostCrashed, KernelEvent};
use crate::log::{Chain, Ending, Head, LogError, Reader, Storage, Writer};
use crate::program::ProgramError;

/// A log's bytes, wherever they are.
pub type BoxedStorage = Box<dyn Storage>;

/// The first event at which a re-run differs from its recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence<E> {
    /// Its place.
    pub seq: Seq,
    /// What was recorded; none if the recording had ended.
    pub expected: Option<Event<E>>,
    /// What happened instead; none if nothing more did.
    pub actual: Option<Event<E>>,
}

/// Why a journal takes no more events.
#[derive(Debug)]
pub(crate) enum JournalError<E> {
    /// The log could not be written or read.
    Log(LogError),
    /// A recorded event cannot be read by this program.
    Decode(crate::event::DecodeError),
    /// An event cannot be written.
    Encode(crate::codec::CodecError),
    /// The re-run differs from the recording.
    Diverged(Box<Divergence<E>>),
    /// The recording ends here without a verdict; it was cut off.
    RecordingEnds,
    /// A program outside failed: nothing true follows.
    Program(Box<ProgramError>),
}

/// Where the events of a run go.
pub(crate) enum Journal<E> {
    /// Into a log.
    Record(Box<Writer<BoxedStorage>>),
    /// Against a log.
    Verify(Box<Verifier<E>>),
    /// Nowhere: the run is only looked at while it goes on.
    Discard,
}

impl<E: EventSet> Journal<E> {
    /// Takes one event.
    #[inline]
    pub(crate) fn append(&mut self, event: &Event<E>) -> Result<(), JournalError<E>> {
        match self {
            Journal::Record(writer) => {
                let head = head_of(event);
                let appended = writer.append(head, |out| event.encode(out));
                appended.map_err(JournalError::Log)?;
                if writer.syncs_answers() && event.kind().role == Role::Answer {
                    writer.sync().map_err(JournalError::Log)?;
                }
                Ok(())
            }
            Journal::Verify(verifier) => verifier.compare(event),
            Journal::Discard => Ok(()),
        }
    }

    /// The last event that is durable, if events are recorded.
    pub(crate) fn durable(&self) -> Option<Seq> {
        match self {
            Journal::Record(writer) => writer.durable(),
            Journal::Verify(_) | Journal::Discard => None,
        }
    }

    /// Whether events are compared with a recording.
    #[inline]
    pub(crate) fn is_verifying(&self) -> bool {
        matches!(self, Journal::Verify(_))
    }
}

#[inline]
pub(crate) fn head_of<E: EventSet>(event: &Event<E>) -> Head {
    let kind = event.kind();
    Head {
        kind: kind.number,
        version: kind.version,
        flags: 0,
        time: event.time,
    }
}

/// A recording that a re-run is held against.
pub(crate) struct Verifier<E> {
    reader: Reader<BoxedStorage>,
    scratch: Vec<u8>,
    /// The role of each kind, by number.
    roles: Vec<Option<Role>>,
    events: std::marker::PhantomData<E>,
}

impl<E: EventSet> Verifier<E> {
    pub(crate) fn new(reader: Reader<BoxedStorage>) -> Verifier<E> {
        let kinds = || KernelEvent::KINDS.iter().chain(E::KINDS);
        let most = kinds().map(|kind| kind.number).max().unwrap_or(0);
        let mut roles = vec![None; usize::from(most) + 1];
        kinds().for_each(|kind| roles[usize::from(kind.number)] = Some(kind.role));
        Verifier {
            reader,
            scratch: Vec::new(),
            roles,
            events: std::marker::PhantomData,
        }
    }

    #[inline]
    fn compare(&mut self, event: &Event<E>) -> Result<(), JournalError<E>> {
        self.scratch.clear();
        event
            .encode(&mut self.scratch)
            .map_err(JournalError::Encode)?;
        let head = head_of(event);
        let Some(record) = self.reader.next().map_err(JournalError::Log)? else {
            self.at_end()?;
            return Err(diverged(event.seq, None, Some(event.clone())));
        };
        if record.head == head && record.body == self.scratch {
            return Ok(());
        }
        let Head {
            kind,
            version,
            time,
            ..
        } = record.head;
        let expected = Event::decode(record.seq, time, kind, version, record.body)
            .map_err(JournalError::Decode)?;
        Err(diverged(event.seq, Some(expected), Some(event.clone())))
    }

    /// The role and time of the next recorded event; none at the end of the recording.
    #[inline]
    pub(crate) fn next_role(&mut self) -> Result<Option<(u16, Option<Role>, Time)>, LogError> {
        let Some(record) = self.reader.peek()? else {
            return Ok(None);
        };
        let kind = record.head.kind;
        Ok(Some((
            kind,
            self.roles.get(usize::from(kind)).copied().flatten(),
            record.head.time,
        )))
    }

    /// The next recorded event, which stays the next one.
    pub(crate) fn peek(&mut self) -> Result<Option<Event<E>>, JournalError<E>> {
        let Some(record) = self.reader.peek().map_err(JournalError::Log)? else {
            return Ok(None);
        };
        let Head {
            kind,
            version,
            time,
            ..
        } = record.head;
        Event::decode(record.seq, time, kind, version, record.body)
            .map(Some)
            .map_err(JournalError::Decode)
    }

    /// The next recorded event, if it is one of the kernel's own.
    #[inline]
    pub(crate) fn peek_kernel(&mut self) -> Option<KernelEvent> {
        let record = self.reader.peek().ok()??;
        let Head { kind, version, .. } = record.head;
        if kind >= FIRST_DOMAIN_KIND {
            return None;
        }
        // What cannot be read here is met again, with its error, when it is compared.
        match Event::<E>::decode(record.seq, record.head.time, kind, version, record.body).ok()? {
            Event {
                body: Body::Kernel(event),
                ..
            } => Some(event),
            _ => None,
        }
    }

    /// The next recorded event, if it is of this kind; of any other only the head is read.
    #[inline]
    fn peek_if(&mut self, kind: u16) -> Option<Event<E>> {
        if self.reader.peek().ok()??.head.kind != kind {
            return None;
        }
        self.peek().ok()?
    }

    /// The value with which the recording has a fault right here, for this actor, at this door, at
    /// this question.
    pub(crate) fn injected(&mut self, actor: ActorId, door: &str, asked: u64) -> Option<u64> {
        self.any_injected(actor)
            .filter(|fault| fault.door == *door && fault.asked == asked)
            .map(|fault| fault.value)
    }

    /// Any fault that the recording has right here for this actor.
    pub(crate) fn any_injected(&mut self, actor: ActorId) -> Option<FaultInjected> {
        let event = self.peek_if(FAULT_INJECTED)?;
        match event.body {
            Body::Kernel(KernelEvent::FaultInjected(fault)) if event.actor == actor => Some(fault),
            _ => None,
        }
    }

    /// The crash that the recording has right here, at the event before it.
    #[inline]
    pub(crate) fn abrupt_crash(&mut self) -> Option<Cut> {
        match self.peek_if(HOST_CRASHED)?.body {
            Body::Kernel(KernelEvent::HostCrashed(HostCrashed { host, abrupt: true })) => {
                Some(Cut {
                    host,
                    restart_after: None,
                })
            }
            _ => None,
        }
    }

    /// Whether the end of the recording is the end of the run, or only of the file.
    pub(crate) fn at_end(&mut self) -> Result<(), JournalError<E>> {
        match self.reader.ending().map_err(JournalError::Log)? {
            Ending::Closed { .. } => Ok(()),
            Ending::Open { .. } | Ending::Torn { .. } => Err(JournalError::RecordingEnds),
        }
    }

    /// The recorded run went on, and the re-run did not.
    pub(crate) fn nothing_more(&mut self, seq: Seq) -> JournalError<E> {
        match self.peek() {
            Ok(expected) => diverged(seq, expected, None),
            Err(error) => error,
        }
    }

    /// Whether every recorded event has been met, and the chain at its end.
    pub(crate) fn finish(mut self) -> Result<Chain, JournalError<E>> {
        match self.peek()? {
            None => {
                let ending = self.reader.ending().map_err(JournalError::Log)?;
                Ok(ending.chain())
            }
            Some(expected) => Err(diverged(expected.seq, Some(expected), None)),
        }
    }
}

fn diverged<E>(seq: Seq, expected: Option<Event<E>>, actual: Option<Event<E>>) -> JournalError<E> {
    JournalError::Diverged(Box::new(Divergence {
        seq,
        expected,
        actual,
    }))
}

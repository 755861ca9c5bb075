//! What can be done with a recorded log: fold it, seek in it, follow causes, run it again.
//!
//! `fold` and `seek` rebuild the state without running any code. A [`verify`](crate::verify)
//! runs the code again, always from the first event: futures cannot be rebuilt from a log.

use crate::event::{Event, EventSet};
use crate::id::{Seq, Time};
use crate::journal::BoxedStorage;
use crate::kernel_event::KernelEvent;
use crate::log::{LogError, Reader};
use crate::plan::Plan;
use crate::run::RunError;
use crate::system::System;
use crate::world::World;

/// The events of a log, one after another.
pub struct Events<E> {
    reader: Reader<BoxedStorage>,
    events: std::marker::PhantomData<E>,
}

impl<E: EventSet> Events<E> {
    /// The events from wherever the reader stands.
    pub fn new(reader: Reader<BoxedStorage>) -> Events<E> {
        Events {
            reader,
            events: std::marker::PhantomData,
        }
    }

    /// The log itself.
    pub fn reader(&self) -> &Reader<BoxedStorage> {
        &self.reader
    }

    /// Goes to an event.
    ///
    /// # Errors
    /// If the log is damaged there.
    pub fn seek(&mut self, seq: Seq) -> Result<(), LogError> {
        self.reader.seek(seq)
    }

    /// Goes to the first event that is not earlier than a time.
    ///
    /// # Errors
    /// If the log is damaged there.
    pub fn seek_time(&mut self, time: Time) -> Result<(), LogError> {
        self.reader.seek_time(time)
    }

    /// The next event of a kind that is wanted; what lies between is checked but not decoded. None if there is
    /// no more of them before the event `end`.
    ///
    /// # Errors
    /// If the log is damaged there, or has such an event that this program does not know.
    pub fn next_of(
        &mut self,
        wanted: impl Fn(u16) -> bool,
        end: Seq,
    ) -> Result<Option<Event<E>>, RunError> {
        while self.reader.next_seq() < end {
            match self.reader.peek()? {
                Some(record) if wanted(record.head.kind) => return self.next(),
                Some(_) => self.reader.next()?,
                None => break,
            };
        }
        Ok(None)
    }

    /// The next event; none at the end.
    ///
    /// # Errors
    /// If the log is damaged there, or has an event that this program does not know.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "an error must be seen, not iterated over"
    )]
    pub fn next(&mut self) -> Result<Option<Event<E>>, RunError> {
        let Some(record) = self.reader.next()? else {
            return Ok(None);
        };
        let head = record.head;
        let event = Event::decode(record.seq, head.time, head.kind, head.version, record.body);
        match event {
            Ok(event) => Ok(Some(event)),
            Err(error) => Err(error.named(&self.reader.header().kinds).into()),
        }
    }
}

/// The plan that a log carries in its first event. The reader stands behind it afterwards.
///
/// # Errors
/// If the log has no such event, is of another system, or its plan cannot be read.
pub fn plan_of<S: System>(reader: &mut Reader<BoxedStorage>) -> Result<Plan<S::Config>, RunError> {
    begun::<S>(reader).map(|(_, plan)| plan)
}

/// The plan that a log carries, as it is written there and as it is read.
pub(crate) fn begun<S: System>(
    reader: &mut Reader<BoxedStorage>,
) -> Result<(String, Plan<S::Config>), RunError> {
    reader.seek(Seq(0))?;
    let first = match reader.next()? {
        Some(record) => {
            let head = record.head;
            Event::<S::Event>::decode(record.seq, head.time, head.kind, head.version, record.body)?
        }
        None => return Err(RunError::Plan("the log is empty".to_owned())),
    };
    match first.kernel() {
        Some(KernelEvent::RunStarted(started)) if started.system.as_str() == S::NAME => {
            let plan = serde_json::from_str(&started.plan);
            let plan = plan.map_err(|error| RunError::Plan(error.to_string()))?;
            Ok((started.plan.clone(), plan))
        }
        Some(KernelEvent::RunStarted(started)) => Err(RunError::OtherSystem {
            expected: S::NAME,
            found: started.system.to_string(),
        }),
        _ => Err(RunError::Plan(
            "the first event does not start a run".to_owned(),
        )),
    }
}

/// The state after an event, rebuilt from the first on; after the last one if `at` is none.
///
/// # Errors
/// If the log is damaged before that.
pub fn fold<S: System>(
    events: &mut Events<S::Event>,
    at: Option<Seq>,
) -> Result<World<S::View>, RunError> {
    events.seek(Seq(0))?;
    fold_from::<S>(World::default(), events, at)
}

fn fold_from<S: System>(
    mut world: World<S::View>,
    events: &mut Events<S::Event>,
    at: Option<Seq>,
) -> Result<World<S::View>, RunError> {
    while at.is_none() || world.last < at {
        match events.next()? {
            Some(event) => world.apply(&event),
            None => break,
        }
    }
    Ok(world)
}

/// The chain of causes of an event, from the event back to an input, at most `most` long.
///
/// # Errors
/// If the log is damaged at one of them.
pub fn causes<E: EventSet>(
    events: &mut Events<E>,
    of: &Event<E>,
    most: usize,
) -> Result<Vec<Event<E>>, RunError> {
    let mut chain = Vec::new();
    let mut next = of.cause;
    while let (Some(seq), true) = (next, chain.len() < most) {
        events.seek(seq)?;
        let Some(event) = events.next()? else { break };
        next = event.cause;
        chain.push(event);
    }
    Ok(chain)
}

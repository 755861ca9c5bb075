//! The events of a log from a moment on, with the names that earlier events gave, without reading all of those.
//!
//! Who takes part in a run is mostly named where it begins, and who comes and goes, shortly before it is spoken of.
//! So the first events are read and then those right before the moment; further back it goes only for a name that is
//! still wanted, each time twice as far. At worst everything is read. What is told is the same, but for a task that
//! was over before the moment and is spoken of behind it: that one may still have its name.

use std::collections::BTreeSet;

use dacapo_kernel::log::LogError;
use dacapo_kernel::{Event, Events, KernelEvent, RunError, Seq, System, TaskId, number};

use crate::filter::Moment;
use crate::tell::Names;

/// How many events at the beginning of a log are read in any case.
const FIRST: u64 = 1_024;
/// How far back it is looked at first.
const BACK: u64 = 1_024;

/// Shows the events of a log from a moment on, with the names known at each; ends where `see` returns false.
///
/// # Errors
/// If the log is damaged where it is read.
pub fn for_each_from<S: System>(
    events: &mut Events<S::Event>,
    from: Moment,
    mut see: impl FnMut(&Names, &Event<S::Event>) -> bool,
) -> Result<(), RunError> {
    let Some(from) = first_from::<S>(events, from)? else {
        return Ok(());
    };
    let mut known = Known::before::<S>(events, from)?;
    events.seek(from)?;
    while let Some(event) = events.next()? {
        known.names.learn(&event);
        if known.names.lacks(&event) {
            known.look_back::<S>(events, &event)?;
            events.seek(event.seq.next())?;
        }
        if !see(&known.names, &event) {
            break;
        }
        known.forget::<S>(&event);
    }
    Ok(())
}

/// The first event of a moment; none if the log ends before it.
fn first_from<S: System>(
    events: &mut Events<S::Event>,
    from: Moment,
) -> Result<Option<Seq>, RunError> {
    match from {
        Moment::Event(seq) => match events.seek(seq) {
            Err(LogError::NoSuchEvent { .. }) => return Ok(None),
            sought => sought?,
        },
        Moment::Time(time) => events.seek_time(time)?,
    }
    Ok(Some(events.reader().next_seq()))
}

/// The names that are known, and where they were looked for.
struct Known {
    names: Names,
    /// Read are all events before this one.
    first: Seq,
    /// Read are all events from this one on.
    back: Seq,
    /// How much further it goes back next.
    step: u64,
    /// Tasks that ended in what was read behind the beginning.
    over: BTreeSet<TaskId>,
}

impl Known {
    /// What the first events say.
    fn before<S: System>(events: &mut Events<S::Event>, from: Seq) -> Result<Known, RunError> {
        let first = Seq(FIRST.min(from.0));
        Ok(Known {
            names: names_of::<S>(events, Seq(0), first, &mut BTreeSet::new())?,
            first,
            back: from,
            step: BACK,
            over: BTreeSet::new(),
        })
    }

    /// Looks further back until everything is known that an event is about.
    fn look_back<S: System>(
        &mut self,
        events: &mut Events<S::Event>,
        event: &Event<S::Event>,
    ) -> Result<(), RunError> {
        while self.names.lacks(event) && self.first < self.back {
            let from = Seq(self.back.0.saturating_sub(self.step)).max(self.first);
            let mut over = BTreeSet::new();
            let earlier = names_of::<S>(events, from, self.back, &mut over)?;
            self.names.add(&earlier, &self.over);
            self.over.append(&mut over);
            (self.back, self.step) = (from, self.step.saturating_mul(2));
        }
        Ok(())
    }

    fn forget<S: System>(&mut self, event: &Event<S::Event>) {
        self.names.forget(event);
        if let Some(KernelEvent::TaskEnded(ended)) = event.kernel()
            && self.first < self.back
        {
            self.over.insert(ended.task);
        }
    }
}

/// The names that some events give, and which tasks ended in them.
fn names_of<S: System>(
    events: &mut Events<S::Event>,
    from: Seq,
    end: Seq,
    over: &mut BTreeSet<TaskId>,
) -> Result<Names, RunError> {
    let names_something = |kind: u16| {
        matches!(
            kind,
            number::ActorNamed
                | number::HostStarted
                | number::TaskStarted
                | number::TaskEnded
                | number::LockBlocked
        )
    };
    let mut names = Names::default();
    events.seek(from)?;
    while let Some(event) = events.next_of(names_something, end)? {
        names.learn(&event);
        names.forget(&event);
        if let Some(KernelEvent::TaskEnded(ended)) = event.kernel() {
            over.insert(ended.task);
        }
    }
    Ok(names)
}

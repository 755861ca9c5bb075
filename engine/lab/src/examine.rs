//! A recorded log without running any code: is it whole, and what do the properties say of it?

use std::time::Duration;

use dacapo_kernel::log::{Ending, LogError, Reader};
use dacapo_kernel::{
    BoxedStorage, Checked, Checks, Events, Finding, Plan, RunError, Seq, Snapshots, System, Time,
    World, plan_of, with_acts,
};

use crate::filter::Moment;
use crate::import::{IMPORTED, limit};
use crate::pace::now_and_then;

/// What a log says of itself.
pub struct Examined<S: System> {
    /// What was planned.
    pub plan: Plan<S::Config>,
    /// The state after its last event.
    pub world: World<S::View>,
    /// What each property says of it. What only the end of a run shows is not evaluable in a log
    /// that has no end.
    pub findings: Vec<Checked>,
    /// How the file ends.
    pub ending: Ending,
    /// How many events were read.
    pub events: u64,
    /// How many of them are the system's own.
    pub domain_events: u64,
}

impl<S: System> Examined<S> {
    /// Whether the log was closed and its run came to an end.
    pub fn is_whole(&self) -> bool {
        self.ending.is_closed() && self.world.verdict.is_some()
    }
}

/// Reads a log from its first to its last event and feeds the properties.
///
/// # Errors
/// If the log is damaged or of another system.
pub fn examine<S: System>(
    reader: Reader<BoxedStorage>,
    watch: impl FnMut(Seq, Time),
) -> Result<Examined<S>, RunError> {
    examine_to(reader, None, watch)
}

/// Reads a log as [`examine`] does, but no further than an event.
///
/// # Errors
/// If the log is damaged before that or of another system.
pub fn examine_to<S: System>(
    mut reader: Reader<BoxedStorage>,
    last: Option<Seq>,
    mut watch: impl FnMut(Seq, Time),
) -> Result<Examined<S>, RunError> {
    let plan = plan_of::<S>(&mut reader)?;
    let ending = reader.ending()?;
    // The properties of a run went by the configuration that the acts among its faults made.
    let acted = with_acts::<S>(&plan)?;
    let judged = acted.as_ref().unwrap_or(&plan);
    let mut checks = Checks::new(S::invariants(judged), S::sometimes(judged));
    let header = reader.header().clone();
    let mut world: World<S::View> = World::default();
    let (mut count, mut domain_events) = (0, 0);
    let mut events = Events::<S::Event>::new(reader);
    events.seek(Seq(0))?;
    while let Some(event) = events.next()? {
        world.apply(&event);
        count += 1;
        domain_events += u64::from(event.domain().is_some());
        now_and_then(&event, &mut watch);
        let is_last = last == Some(event.seq);
        checks.observe(event);
        if is_last {
            break;
        }
    }
    let mut findings = checks.finish().findings;
    if plan.profile == IMPORTED {
        limit(&mut findings, &S::invariants(judged), &header);
    }
    if world.verdict.is_none() {
        for checked in &mut findings {
            let Finding::Violated { at: Some(_), .. } = checked.finding else {
                checked.finding = Finding::NotEvaluable;
                continue;
            };
        }
    }
    Ok(Examined {
        plan,
        world,
        findings,
        ending,
        events: count,
        domain_events,
    })
}

/// Whether anything of the system's own happened. Reads only as far as the first such event.
///
/// # Errors
/// If the log is damaged before that.
pub fn anything_happened<S: System>(events: &mut Events<S::Event>) -> Result<bool, RunError> {
    events.seek(Seq(0))?;
    while let Some(event) = events.next()? {
        if event.domain().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The state at a moment: after an event, or after the last event that is not later than a time. What is folded on
/// the way is kept among `states`.
///
/// # Errors
/// If the log is damaged before that, or holds no such event.
pub fn state_at<S: System>(
    events: &mut Events<S::Event>,
    moment: Moment,
    states: &mut Snapshots<S>,
    watch: impl FnMut(Seq, Time),
) -> Result<World<S::View>, RunError> {
    let last = match moment {
        Moment::Event(seq) => {
            events.seek(seq)?;
            if events.next()?.is_none() {
                let (first, end) = (Seq(0), seq);
                return Err(LogError::NoSuchEvent { seq, first, end }.into());
            }
            Some(seq)
        }
        Moment::Time(time) => {
            events.seek_time(time + Duration::from_nanos(1))?;
            events.reader().next_seq().0.checked_sub(1).map(Seq)
        }
    };
    match last {
        Some(last) => states.seek(events, last, watch),
        None => Ok(World::default()),
    }
}

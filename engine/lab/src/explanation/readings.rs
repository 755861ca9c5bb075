//! A log read twice for one event: once for its causes, and once to tell what is wanted of them.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::log::LogError;
use dacapo_kernel::{
    Cycle, Event, EventSet, Events, FaultKind, KernelEvent, RunError, Seq, System, Time, World,
};
use serde_json::Value;

use super::origin::{Gaps, Origin};
use super::{CONSEQUENCES, changes};
use crate::causes::for_each;
use crate::pace::now_and_then;
use crate::record::tags_of;
use crate::tell::{Line, waits};

/// What a first reading knows of a log up to an event.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The cause of each event.
    causes: Vec<Option<Seq>>,
    /// For each tag of the event: the events before it that have it, too.
    tagged: Vec<(String, Vec<Seq>)>,
    /// What the events without a cause follow from nevertheless.
    pub(super) across: BTreeMap<Seq, Seq>,
    pub(super) faults: Vec<Seq>,
    pub(super) choices: usize,
}

impl Before {
    /// The causes of an event, the oldest first, and the event.
    pub(super) fn chain(&self, at: Seq) -> Vec<Seq> {
        let (mut chain, mut next) = (Vec::new(), Some(at));
        while let Some(seq) = next {
            chain.push(seq);
            let named = usize::try_from(seq.0)
                .ok()
                .and_then(|at| self.causes.get(at));
            let cause = named.copied().flatten().or(self.across.get(&seq).copied());
            // A log that a stranger wrote may claim anything; a cause comes before what it causes.
            next = cause.filter(|cause| *cause < seq);
        }
        chain.reverse();
        chain
    }

    /// The tag of the event that the fewest others have, with those that have it and are no causes.
    pub(super) fn rarest(&mut self, chain: &[Seq]) -> Option<(String, Vec<Seq>)> {
        for (_, all) in &mut self.tagged {
            all.retain(|seq| chain.binary_search(seq).is_err());
        }
        let some = self.tagged.iter_mut().filter(|(_, all)| !all.is_empty());
        some.min_by_key(|(_, all)| all.len()).map(std::mem::take)
    }
}

pub(super) fn up_to<S: System>(
    events: &mut Events<S::Event>,
    at: Seq,
    watch: &mut impl FnMut(Seq, Time),
) -> Result<Before, RunError> {
    let (mut before, mut gaps) = (Before::default(), Gaps::default());
    let tags = tags_at::<S>(events, at)?;
    before.tagged = tags
        .iter()
        .map(|(key, value)| (format!("{key} {value}"), Vec::new()))
        .collect();
    let mut last = None;
    for_each::<S>(events, |_, event| {
        last = Some(event.seq);
        now_and_then(event, &mut *watch);
        if !tags.is_empty() && event.seq < at {
            let found = tags_of::<S>(event);
            for ((key, value), (_, all)) in tags.iter().zip(&mut before.tagged) {
                if found.get(key) == Some(value) {
                    all.push(event.seq);
                }
            }
        }
        before.causes.push(event.cause);
        if let Some(behind) = gaps.behind(event) {
            before.across.insert(event.seq, behind);
        }
        match event.kernel() {
            Some(KernelEvent::Choice(choice)) => before.choices += usize::from(choice.index > 0),
            _ if is_fault(event) => before.faults.push(event.seq),
            _ => {}
        }
        event.seq < at
    })?;
    if last != Some(at) {
        let end = last.map_or(Seq(0), Seq::next);
        let first = Seq(0);
        return Err(LogError::NoSuchEvent {
            seq: at,
            first,
            end,
        }
        .into());
    }
    Ok(before)
}

fn is_fault<E: EventSet>(event: &Event<E>) -> bool {
    event.kernel().and_then(KernelEvent::fault).is_some()
}

/// What a second reading finds, once it is known which events are to be told.
#[derive(Debug, Default)]
pub(super) struct Second {
    pub(super) told: BTreeMap<Seq, (Line, Option<Origin>)>,
    pub(super) faults: Vec<Line>,
    pub(super) waits: Vec<String>,
    pub(super) view_before: Value,
    pub(super) view_after: Value,
    pub(super) consequences: Vec<Line>,
    pub(super) followers: u64,
    pub(super) events: u64,
}

/// A fault that was let in, with what the system says of it.
fn fault_in_words<E: EventSet>(mut line: Line, event: &Event<E>, kinds: &[FaultKind]) -> Line {
    if let Some(KernelEvent::FaultInjected(fault)) = event.kernel()
        && let Some(kind) = kinds.iter().find(|kind| *fault.door == *kind.name)
    {
        let value = match kind.value {
            "" => String::new(),
            meaning => format!(" ({}: {meaning})", fault.value),
        };
        line.text = format!("{}: {}{value}", kind.name, kind.meaning);
    }
    line
}

/// Reads the tags of an event, if it is there.
fn tags_at<S: System>(
    events: &mut Events<S::Event>,
    at: Seq,
) -> Result<BTreeMap<&'static str, String>, RunError> {
    match events.seek(at) {
        Err(LogError::NoSuchEvent { .. }) => return Ok(BTreeMap::new()),
        sought => sought?,
    }
    let event = events.next()?;
    Ok(event.map_or_else(BTreeMap::new, |event| tags_of::<S>(&event)))
}

/// What a second reading looks for.
pub(super) struct Wanted<'a> {
    /// The event.
    pub(super) at: Seq,
    /// The events to be told.
    pub(super) told: &'a BTreeSet<Seq>,
    /// The faults to be told.
    pub(super) faults: &'a [Seq],
    /// Before which event the state is compared.
    pub(super) since: Seq,
}

pub(super) fn second_reading<S: System>(
    events: &mut Events<S::Event>,
    wanted: &Wanted<'_>,
    watch: &mut impl FnMut(Seq, Time),
) -> Result<Second, RunError> {
    let at = wanted.at;
    let mut second = Second::default();
    let mut world: World<S::View> = World::default();
    let mut following = BTreeSet::from([at]);
    let mut gaps = Gaps::default();
    let kinds = S::faults();
    for_each::<S>(events, |names, event| {
        second.events += 1;
        now_and_then(event, &mut *watch);
        let behind = gaps.behind(event);
        if event.seq == wanted.since {
            second.view_before = changes::view_of(&world);
        }
        if event.seq <= at {
            if wanted.told.contains(&event.seq) {
                let told = (names.tell::<S>(event), Origin::of(event));
                second.told.insert(event.seq, told);
            }
            if wanted.faults.contains(&event.seq) {
                let line = fault_in_words(names.tell::<S>(event), event, &kinds);
                second.faults.push(line);
            }
            world.apply(event);
        } else if event
            .cause
            .or(behind)
            .is_some_and(|cause| following.contains(&cause))
        {
            following.insert(event.seq);
            second.followers += 1;
            if second.consequences.len() < CONSEQUENCES {
                second.consequences.push(names.tell::<S>(event));
            }
        }
        if event.seq == at {
            second.view_after = changes::view_of(&world);
            second.waits = waits_in(&world);
        }
        true
    })?;
    Ok(second)
}

/// Who holds what and who wants it: the cycle of waits if there is one, else every lock that
/// somebody waits for.
fn waits_in<V>(world: &World<V>) -> Vec<String> {
    let is_now = |(seq, _): &&(Seq, Cycle)| world.last.is_some_and(|last| seq.0 + 1 >= last.0);
    if let Some((_, cycle)) = world.cycles.last().filter(is_now) {
        return waits(cycle);
    }
    let name = |task: &dacapo_kernel::TaskId| match world.processes.get(task) {
        Some(process) => format!("{} ({task})", process.name),
        None => task.to_string(),
    };
    let lock = |held: &dacapo_kernel::Contention| {
        let names = |tasks: Vec<String>| tasks.join(", ");
        let (holders, waiters) = (
            names(held.holders.iter().map(name).collect()),
            names(held.waiters.iter().map(name).collect()),
        );
        format!("{holders} ─holds→ {} ─wanted by→ {waiters}", held.name)
    };
    world.contended.values().map(lock).collect()
}

//! Why an event came about: back through its causes to the inputs, and what follows from it.
//!
//! Everything told here is in the log; no code is run. How it looks on a screen is not decided
//! here.

mod changes;
mod origin;

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::log::LogError;
use dacapo_kernel::{Cycle, Event, EventSet, Events, KernelEvent, RunError, Seq, System, World};
use serde_json::Value;

use crate::causes::for_each;
use crate::divergence::FieldDifference;
use crate::tell::{Line, waits};

use self::origin::Gaps;

pub use self::origin::Origin;

/// How many faults before the event are told, the last ones.
const FAULTS: usize = 8;
/// How many changes of the state are told.
const CHANGES: usize = 8;
/// How many consequences are told, the first ones.
const CONSEQUENCES: usize = 6;

/// Why an event came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The chain of causes, the oldest first; the last one is the event itself. If not all are told,
    /// the first one still is the one that all the others follow from.
    pub steps: Vec<Step>,
    /// How many causes are left out, behind the first one.
    pub left_out: usize,
    /// The faults that struck before the event, the last ones.
    pub faults: Vec<Line>,
    /// How many struck before those.
    pub earlier_faults: usize,
    /// How often the scheduler chose another task than the one that was ready longest.
    pub choices: usize,
    /// Who holds what and who wants it, at that moment.
    pub waits: Vec<String>,
    /// What changed in the state since the event `since`: its values before and now.
    pub changes: Vec<FieldDifference>,
    /// How many more values changed.
    pub more_changes: usize,
    /// The event before which the state is compared.
    pub since: Seq,
    /// What follows from the event, the first ones.
    pub consequences: Vec<Line>,
    /// How many events follow from it in all.
    pub followers: u64,
    /// How many events the log has.
    pub events: u64,
}

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happened.
    pub line: Line,
    /// What it brought in from outside, if it did.
    pub origin: Option<Origin>,
    /// Whether it names no cause, and the step before is what it nevertheless follows from.
    pub across: bool,
}

/// Explains an event with at most `depth` of its causes.
///
/// # Errors
/// If the log is damaged, or holds no such event.
pub fn explain_event<S: System>(
    events: &mut Events<S::Event>,
    at: Seq,
    depth: usize,
) -> Result<Explanation, RunError> {
    let before = up_to::<S>(events, at)?;
    let chain = before.chain(at);
    // The first one, and the last ones.
    let told = depth.clamp(2, chain.len().max(2));
    let left_out = chain.len().saturating_sub(told);
    let mut wanted: Vec<Seq> = chain.first().copied().into_iter().collect();
    wanted.extend(chain.iter().skip(1 + left_out));
    let since = wanted.get(1).or(wanted.first()).copied().unwrap_or(at);
    let second = second_reading::<S>(events, &before, &wanted, since, at)?;
    let mut changed = changes::between(&second.view_before, &second.view_after);
    let more_changes = changed.len().saturating_sub(CHANGES);
    changed.truncate(CHANGES);
    let earlier_faults = before.faults.len().saturating_sub(FAULTS);
    let mut told = second.told;
    let mut line = |seq: &Seq| told.remove(seq);
    let faults: Vec<Line> = before.faults[earlier_faults..]
        .iter()
        .filter_map(|seq| second.faults.get(seq).cloned())
        .collect();
    let steps = wanted.iter().filter_map(|seq| {
        let (line, origin) = line(seq)?;
        Some(Step {
            line,
            origin,
            across: before.across.contains_key(seq),
        })
    });
    Ok(Explanation {
        steps: steps.collect(),
        left_out,
        faults,
        earlier_faults,
        choices: before.choices,
        waits: second.waits,
        changes: changed,
        more_changes,
        since,
        consequences: second.consequences,
        followers: second.followers,
        events: second.events,
    })
}

/// What a first reading knows of a log up to an event.
#[derive(Debug, Default)]
struct Before {
    /// The cause of each event.
    causes: Vec<Option<Seq>>,
    /// What the events without a cause follow from nevertheless.
    across: BTreeMap<Seq, Seq>,
    faults: Vec<Seq>,
    choices: usize,
}

impl Before {
    /// The causes of an event, the oldest first, and the event.
    fn chain(&self, at: Seq) -> Vec<Seq> {
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
}

fn up_to<S: System>(events: &mut Events<S::Event>, at: Seq) -> Result<Before, RunError> {
    let (mut before, mut gaps) = (Before::default(), Gaps::default());
    let mut last = None;
    for_each::<S>(events, |_, event| {
        last = Some(event.seq);
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
    matches!(
        event.kernel(),
        Some(
            KernelEvent::FaultInjected(_)
                | KernelEvent::HostCrashed(_)
                | KernelEvent::TaskCrashed(_)
                | KernelEvent::ClockJumped(_)
        )
    )
}

/// What a second reading finds, once it is known which events are to be told.
#[derive(Debug, Default)]
struct Second {
    told: BTreeMap<Seq, (Line, Option<Origin>)>,
    faults: BTreeMap<Seq, Line>,
    waits: Vec<String>,
    view_before: Value,
    view_after: Value,
    consequences: Vec<Line>,
    followers: u64,
    events: u64,
}

fn second_reading<S: System>(
    events: &mut Events<S::Event>,
    before: &Before,
    wanted: &[Seq],
    since: Seq,
    at: Seq,
) -> Result<Second, RunError> {
    let mut second = Second::default();
    let mut world: World<S::View> = World::default();
    let mut following = BTreeSet::from([at]);
    let mut gaps = Gaps::default();
    for_each::<S>(events, |names, event| {
        second.events += 1;
        let behind = gaps.behind(event);
        if event.seq == since {
            second.view_before = changes::view_of(&world);
        }
        if event.seq <= at {
            if wanted.contains(&event.seq) {
                let told = (names.tell::<S>(event), Origin::of(event));
                second.told.insert(event.seq, told);
            }
            if before.faults.contains(&event.seq) {
                second.faults.insert(event.seq, names.tell::<S>(event));
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

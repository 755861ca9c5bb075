//! Why an event came about: back through its causes to the inputs, and what follows from it.
//!
//! Everything told here is in the log; no code is run. How it looks on a screen is not decided
//! here.

mod changes;
mod origin;
mod readings;

use std::collections::BTreeSet;

use dacapo_kernel::{Events, RunError, Seq, System, Time};

use crate::divergence::FieldDifference;
use crate::tell::Line;

use self::readings::{Wanted, second_reading, up_to};

pub use self::origin::Origin;

pub(crate) use self::changes::between as changes_between;

/// How many faults before the event are told, the last ones.
const FAULTS: usize = 8;
/// How many changes of the state are told.
const CHANGES: usize = 8;
/// How many consequences are told, the first ones.
const CONSEQUENCES: usize = 6;
/// How many events about the same thing are told, the last ones.
const RELATED: usize = 5;

/// Why an event came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The chain of causes, the oldest first; the last one is the event itself. If not all are told,
    /// the first one still is the one that all the others follow from.
    pub steps: Vec<Step>,
    /// How many causes are left out, behind the first one.
    pub left_out: usize,
    /// The events before it that are about the same thing and are no causes of it, the last ones.
    pub related: Related,
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

/// What happened to the same thing before: a chain of causes does not see what tasks learn through
/// the memory that they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Related {
    /// The tag that the events have in common, such as `item 3`; of several the rarest.
    pub tag: String,
    /// The events.
    pub lines: Vec<Line>,
    /// How many there were before those.
    pub earlier: usize,
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

/// Explains an event with at most `depth` of its causes. Reads the log twice; `watch` sees how far each reading is.
///
/// # Errors
/// If the log is damaged, or holds no such event.
pub fn explain_event<S: System>(
    events: &mut Events<S::Event>,
    at: Seq,
    depth: usize,
    mut watch: impl FnMut(Seq, Time),
) -> Result<Explanation, RunError> {
    let mut before = up_to::<S>(events, at, &mut watch)?;
    let chain = before.chain(at);
    // The first one, and the last ones.
    let told = depth.clamp(2, chain.len().max(2));
    let left_out = chain.len().saturating_sub(told);
    let mut steps: Vec<Seq> = chain.first().copied().into_iter().collect();
    steps.extend(chain.iter().skip(1 + left_out));
    let since = steps.get(1).or(steps.first()).copied().unwrap_or(at);
    let (tag, related) = before.rarest(&chain).unwrap_or_default();
    let earlier = related.len().saturating_sub(RELATED);
    let related = &related[earlier..];
    let earlier_faults = before.faults.len().saturating_sub(FAULTS);
    let wanted = Wanted {
        at,
        told: &BTreeSet::from_iter(steps.iter().chain(related).copied()),
        faults: &before.faults[earlier_faults..],
        since,
    };
    let mut second = second_reading::<S>(events, &wanted, &mut watch)?;
    let mut changed = changes::between(&second.view_before, &second.view_after);
    let more_changes = changed.len().saturating_sub(CHANGES);
    changed.truncate(CHANGES);
    let mut line = |seq: &Seq| second.told.remove(seq);
    let related = Related {
        tag,
        lines: related
            .iter()
            .filter_map(|seq| Some(line(seq)?.0))
            .collect(),
        earlier,
    };
    let steps = steps.iter().filter_map(|seq| {
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
        related,
        faults: second.faults,
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

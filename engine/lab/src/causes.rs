//! Why an event happened: the chain of causes back to an input, in words.

use std::collections::{BTreeMap, BTreeSet};

use dacapo_kernel::{Event, Events, RunError, Seq, System, World, causes};

use crate::tell::{Line, Names};

/// How a chain of causes was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The events, the oldest first; the last one is the event asked about.
    pub lines: Vec<Line>,
    /// Whether older causes were left out.
    pub shortened: bool,
}

/// The event at `seq` and the causes it follows from, at most `most` of them.
///
/// # Errors
/// If the log is damaged before that.
pub fn chain_to<S: System>(
    events: &mut Events<S::Event>,
    seq: Seq,
    most: usize,
) -> Result<Chain, RunError> {
    events.seek(seq)?;
    let Some(event) = events.next()? else {
        return Ok(Chain {
            lines: Vec::new(),
            shortened: false,
        });
    };
    let mut chain = causes(events, &event, most)?;
    chain.insert(0, event);
    let shortened = chain.last().is_some_and(|oldest| oldest.cause.is_some());
    let mut wanted: Vec<Seq> = chain.iter().map(|event| event.seq).collect();
    wanted.reverse();
    let lines = tell_events::<S>(events, &wanted)?;
    Ok(Chain { lines, shortened })
}

/// These events in words, in the order asked for. Reads the log from its beginning, because the
/// names are given there.
///
/// # Errors
/// If the log is damaged before the last of them.
pub fn tell_events<S: System>(
    events: &mut Events<S::Event>,
    wanted: &[Seq],
) -> Result<Vec<Line>, RunError> {
    let mut told = told_of::<S>(events, &wanted.iter().copied().collect())?;
    Ok(wanted.iter().filter_map(|seq| told.remove(seq)).collect())
}

/// These events in words, each by its number.
///
/// # Errors
/// If the log is damaged before the last of them.
pub(crate) fn told_of<S: System>(
    events: &mut Events<S::Event>,
    wanted: &BTreeSet<Seq>,
) -> Result<BTreeMap<Seq, Line>, RunError> {
    let mut told = BTreeMap::new();
    let Some(last) = wanted.last().copied() else {
        return Ok(told);
    };
    for_each::<S>(events, |names, event| {
        if wanted.contains(&event.seq) {
            told.insert(event.seq, names.tell::<S>(event));
        }
        event.seq < last
    })?;
    Ok(told)
}

/// Shows every event of a log, from the first on, with the names known at it; ends where `see`
/// returns false.
///
/// # Errors
/// If the log is damaged before that.
pub fn for_each<S: System>(
    events: &mut Events<S::Event>,
    mut see: impl FnMut(&Names, &Event<S::Event>) -> bool,
) -> Result<(), RunError> {
    events.seek(Seq(0))?;
    let mut names = Names::default();
    while let Some(event) = events.next()? {
        names.learn(&event);
        if !see(&names, &event) {
            break;
        }
        names.forget(&event);
    }
    Ok(())
}

/// A state in a line: how many tasks, who waits, what is unanswered.
pub fn in_short<V>(world: &World<V>) -> String {
    let waiting = world.processes.values().filter(|p| p.wait.is_some());
    let mut parts = vec![format!(
        "{} tasks, {} of them waiting for another",
        world.processes.len(),
        waiting.count()
    )];
    if !world.contended.is_empty() {
        let names: Vec<&str> = world.contended.values().map(|c| c.name.as_str()).collect();
        parts.push(format!("wanted locks: {}", names.join(", ")));
    }
    if !world.calls.is_empty() {
        parts.push(format!("{} calls without an answer", world.calls.len()));
    }
    parts.join("; ")
}

//! Golden logs that differ for the same reason, put together: one change of the code is one line,
//! however many logs notice it.
//!
//! Two logs differ for the same reason if their first differences are by one actor and name the same field of a
//! body, or lie in events of one kind that name the same field or follow the same kind of event; if the same value
//! differs in events of one kind, whoever made them; or if any of that holds of
//! their first traces, before anything counts. Numbers in names are no difference. States that are read otherwise
//! from the same events differ for the same reason if a field of the same part of the view does.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Class;
use super::{Apartness, Standing, Tested};
use crate::divergence::Difference;
use crate::group::Group;

/// What fails or differs for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The places among all that was tested; the one to look at comes first: it differs soonest.
    pub of: Vec<usize>,
    /// The reason in a line.
    pub what: String,
}

/// What two differences are compared by.
#[derive(Clone, Debug)]
struct Sign {
    actor: String,
    after: Option<&'static str>,
    kinds: BTreeSet<&'static str>,
    fields: BTreeSet<String>,
    /// Every field of a body that differs, to its end, without places in lists.
    leaves: BTreeSet<String>,
    /// Where the events are the same: the fields of the state that differ, as far as [`STATE_DEPTH`].
    state: BTreeSet<String>,
}

/// How far down a path leads to a field of the state that the whole system has: `state.view.bus.deliveries`. What
/// lies below is of one task, topic or order.
const STATE_DEPTH: usize = 4;

/// How far down a path leads to a field that every event of its kind has: `body.symbol`.
const EVENT_DEPTH: usize = 2;

/// The golden logs that differ, and whatever fails, by reason: the reason of most comes first.
pub fn by_cause(all: &[Tested]) -> Vec<Cause> {
    let differs = |(at, tested): (usize, &Tested)| match &tested.standing {
        Standing::Differs(apart) => Some((at, signs(apart))),
        _ => None,
    };
    let signed: Vec<(usize, Vec<Sign>)> = all.iter().enumerate().filter_map(differs).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, (_, signs)) in signed.iter().enumerate() {
        let mut mine = vec![at];
        groups.retain_mut(|group| {
            let is_mine = group.iter().any(|other| {
                let others = &signed[*other].1;
                signs.iter().any(|a| others.iter().any(|b| a.is_like(b)))
            });
            if is_mine {
                mine.append(group);
            }
            !is_mine
        });
        groups.push(mine);
    }
    let mut causes: Vec<Cause> = groups
        .into_iter()
        .map(|group| cause(group.into_iter().map(|at| signed[at].0).collect(), all))
        .collect();
    causes.extend(failures(all));
    causes.sort_by_key(|cause| (std::cmp::Reverse(cause.of.len()), cause.of.first().copied()));
    causes
}

/// What fails in the same way: its first failure is of the same group.
fn failures(all: &[Tested]) -> Vec<Cause> {
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    for (at, tested) in all.iter().enumerate() {
        if let Standing::Failed { failures, .. } = &tested.standing
            && let Some(first) = failures.first()
        {
            groups.entry(Group::of(first)).or_default().push(at);
        }
    }
    let cause = |(group, of): (Group, Vec<usize>)| Cause {
        of,
        what: format!("{}: {}", group.property, group.cause),
    };
    groups.into_iter().map(cause).collect()
}

fn cause(mut of: Vec<usize>, all: &[Tested]) -> Cause {
    let apart = |at: usize| match &all[at].standing {
        Standing::Differs(apart) => Some(apart),
        _ => None,
    };
    of.sort_by_key(|at| (apart(*at).map(|it| it.difference.seq), *at));
    let first = of.first().and_then(|at| apart(*at));
    let what = first.map_or_else(String::new, |apart| in_a_line(&apart.difference));
    Cause { of, what }
}

/// A difference in a line: who, what, how.
fn in_a_line(difference: &Difference) -> String {
    if difference.class == Class::ReadOtherwise {
        let fields = fields(difference, STATE_DEPTH).into_iter().take(4);
        let fields: Vec<String> = fields.collect();
        return format!(
            "{}: {} in {}",
            difference.made_by,
            difference.class.name(),
            fields.join(", ")
        );
    }
    let either = difference.expected.as_ref().or(difference.actual.as_ref());
    let Some(either) = either else {
        return difference.class.name().to_owned();
    };
    let kinds = match (&difference.expected, &difference.actual) {
        (Some(expected), Some(actual)) if expected.kind != actual.kind => {
            format!("`{}`, now `{}`", expected.kind, actual.kind)
        }
        _ => format!("`{}`", either.kind),
    };
    let actor = without_numbers(&either.actor);
    let mut line = format!("{actor}: {kinds}: {}", difference.class.name());
    let fields = fields(difference, EVENT_DEPTH);
    if !fields.is_empty() && either.kind == kind_of_other(difference, either.kind) {
        let fields: Vec<String> = fields.into_iter().take(4).collect();
        line.push_str(&format!(" in {}", fields.join(", ")));
    }
    line
}

fn kind_of_other(difference: &Difference, or: &'static str) -> &'static str {
    difference.actual.as_ref().map_or(or, |line| line.kind)
}

/// What a log's difference is compared by: where it counts, and where its first trace is.
fn signs(apart: &Apartness) -> Vec<Sign> {
    let mut signs = vec![sign(&apart.difference)];
    if let Some(trace) = &apart.detail {
        signs.push(sign(&trace.difference));
    }
    signs
}

fn sign(difference: &Difference) -> Sign {
    let lines = [&difference.expected, &difference.actual];
    let either = lines.iter().find_map(|line| line.as_ref());
    let state = match difference.class {
        Class::ReadOtherwise => fields(difference, STATE_DEPTH),
        _ => BTreeSet::new(),
    };
    Sign {
        state,
        actor: either.map_or_else(String::new, |line| without_numbers(&line.actor)),
        after: difference.causes.lines.last().map(|line| line.kind),
        kinds: lines
            .iter()
            .filter_map(|line| line.as_ref().map(|line| line.kind))
            .collect(),
        fields: fields(difference, EVENT_DEPTH),
        leaves: leaves(difference),
    }
}

fn leaves(difference: &Difference) -> BTreeSet<String> {
    let of_body = difference
        .fields
        .iter()
        .filter(|field| field.path.starts_with("body."));
    let parts = of_body.map(|field| {
        field
            .path
            .split('.')
            .filter(|part| part.parse::<u64>().is_err())
    });
    parts
        .map(|parts| parts.collect::<Vec<&str>>().join("."))
        .collect()
}

/// The fields that differ, without places in lists and what lies deeper.
fn fields(difference: &Difference, depth: usize) -> BTreeSet<String> {
    let short = |path: &str| {
        let parts = path.split('.').filter(|part| part.parse::<u64>().is_err());
        parts.take(depth).collect::<Vec<&str>>().join(".")
    };
    difference
        .fields
        .iter()
        .map(|field| short(&field.path))
        .collect()
}

impl Sign {
    fn is_like(&self, other: &Sign) -> bool {
        if !self.state.is_empty() || !other.state.is_empty() {
            return !self.state.is_disjoint(&other.state);
        }
        let share = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
            a.is_empty() || b.is_empty() || !a.is_disjoint(b)
        };
        let of_body = |fields: &BTreeSet<String>| -> BTreeSet<String> {
            let named = fields.iter().filter(|field| field.starts_with("body."));
            named.cloned().collect()
        };
        let (mine, theirs) = (of_body(&self.fields), of_body(&other.fields));
        let is_of_one_kind = !self.kinds.is_disjoint(&other.kinds)
            && (share(&self.fields, &other.fields) || self.after == other.after);
        // Whoever does the same thing may do it in two places.
        let is_same_value =
            !self.kinds.is_disjoint(&other.kinds) && !self.leaves.is_disjoint(&other.leaves);
        is_same_value || self.actor == other.actor && (is_of_one_kind || !mine.is_disjoint(&theirs))
    }
}

/// A name in which numbers do not count.
fn without_numbers(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars() {
        match c {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' => plain.push('#'),
            other => plain.push(other),
        }
    }
    plain
}

//! Two runs side by side where only what counts is compared: instant by instant.
//!
//! What happens at one instant in tasks that have nothing to do with each other has no order that means
//! anything, and a change of how code is written may change it. So at each instant both runs must have the same
//! events, and an event must still come after those that it follows from.

use std::ops::Range;

use dacapo_kernel::{EventSet, Seq};

use super::held::{Apart, Class, Counted};

/// Where two runs first differ; none if they do not. `generated` are the calls of the new run to which the
/// recording has no answer.
pub(super) fn first_apart<E: EventSet>(
    before: &[Counted<E>],
    now: &[Counted<E>],
    generated: &[Seq],
) -> Option<Apart> {
    let (mut from, mut new_from) = (0, 0);
    loop {
        let next = [before.get(from), now.get(new_from)];
        let instant = next.into_iter().flatten().map(|event| event.time).min()?;
        let until = |all: &[Counted<E>], from: usize| {
            let same = all[from..].iter().take_while(|it| it.time == instant);
            from..from + same.count()
        };
        let (mine, theirs) = (until(before, from), until(now, new_from));
        let matched = Matched::of(&before[mine.clone()], &now[theirs.clone()]);
        let runs = Runs {
            before,
            now,
            generated,
        };
        if let Some(apart) = runs.unmatched(&matched, (&mine, &theirs)) {
            return Some(apart);
        }
        if let Some(apart) = runs.reordered(&matched, (&mine, &theirs)) {
            return Some(apart);
        }
        (from, new_from) = (mine.end, theirs.end);
    }
}

/// Which event of an instant stands for which.
struct Matched {
    /// Of each recorded event, the place of its like in the new run.
    to: Vec<Option<usize>>,
    /// The places in the new run that are left.
    left: Vec<usize>,
}

impl Matched {
    fn of<E: EventSet>(mine: &[Counted<E>], theirs: &[Counted<E>]) -> Matched {
        let mut left: Vec<usize> = (0..theirs.len()).collect();
        let to = mine.iter().map(|event| {
            let at = left.iter().position(|at| theirs[*at].is_like(event))?;
            Some(left.remove(at))
        });
        Matched {
            to: to.collect(),
            left,
        }
    }
}

struct Runs<'a, E> {
    before: &'a [Counted<E>],
    now: &'a [Counted<E>],
    generated: &'a [Seq],
}

impl<E: EventSet> Runs<'_, E> {
    /// An event of this instant that only one of the runs has, with the one in its place.
    fn unmatched(
        &self,
        matched: &Matched,
        (mine, theirs): (&Range<usize>, &Range<usize>),
    ) -> Option<Apart> {
        let missing = matched.to.iter().position(Option::is_none);
        let missing = missing.map(|at| mine.start + at);
        let is_twin = |a: usize, b: usize| self.before[a].is_of_kind(&self.now[b]);
        let mut left = matched.left.iter().map(|at| theirs.start + at);
        let (expected, actual) = match missing {
            Some(expected) => {
                let twin = left.clone().find(|at| is_twin(expected, *at));
                // The same may have happened at another instant.
                let later = (theirs.end < self.now.len()).then_some(theirs.end);
                let later = later.filter(|at| is_twin(expected, *at));
                (Some(expected), twin.or_else(|| left.next()).or(later))
            }
            None => {
                let actual = left.next()?;
                let later = (mine.end < self.before.len()).then_some(mine.end);
                (later.filter(|at| is_twin(*at, actual)), Some(actual))
            }
        };
        let is_generated = |at: usize| self.generated.contains(&self.now[at].seq);
        let class = match (expected, actual) {
            (_, Some(actual)) if is_generated(actual) => Class::InputMissing,
            (Some(expected), Some(actual)) if is_twin(expected, actual) => Class::ValueChanged,
            (Some(_), Some(_)) => Class::Replaced,
            (None, _) => Class::Extra,
            (_, None) => Class::Missing,
        };
        Some(Apart {
            expected,
            actual,
            class,
        })
    }

    /// An event that comes before one that it followed from, and the event that was there.
    fn reordered(
        &self,
        matched: &Matched,
        (mine, theirs): (&Range<usize>, &Range<usize>),
    ) -> Option<Apart> {
        let is_early = |at: &usize| {
            let parent = self.before[mine.start + at].cause;
            let parent = parent.and_then(|parent| (parent as usize).checked_sub(mine.start));
            let parent = parent.filter(|parent| parent < at);
            parent.is_some_and(|parent| matched.to[*at] < matched.to[parent])
        };
        let early = (0..matched.to.len()).find(is_early)?;
        let place = matched.to[early]?;
        Some(Apart {
            expected: Some(mine.start + place.min(mine.len() - 1)),
            actual: Some(theirs.start + place),
            class: Class::OrderChanged,
        })
    }
}

//! Which event of one log is which of the other: actor by actor, first those that say the same and go
//! back to the same, then what is left between them by ever fewer marks. The order within an actor is
//! kept, so an event that is new shifts none of the others.

use std::collections::BTreeMap;
use std::ops::Range;

use super::rows::{Row, hash_of};

/// How often a stretch is divided by the same marks before fewer are asked for.
const AGAIN: u8 = 6;

/// The marks by which two events are taken for the same, the surest first.
const MARKS: [fn(&Row) -> u64; 5] = [
    |row| hash_of(&(row.kind, row.says, row.origin)),
    |row| hash_of(&(row.kind, row.says)),
    |row| hash_of(&(row.kind, row.tags, row.origin)),
    |row| hash_of(&(row.kind, row.tags)),
    |row| row.kind.into(),
];

/// For each event of the first log the event of the second that it is, if there is one.
pub(super) fn align(a: &[Row], b: &[Row]) -> Vec<Option<usize>> {
    let (of_a, of_b) = (by_actor(a), by_actor(b));
    let mut found = vec![None; a.len()];
    for (actor, in_a) in &of_a {
        let Some(in_b) = of_b.get(actor) else {
            continue;
        };
        let left = in_a.iter().map(|at| a[*at]).collect::<Vec<Row>>();
        let right = in_b.iter().map(|at| b[*at]).collect::<Vec<Row>>();
        for (one, other) in pairs(&left, &right) {
            found[in_a[one]] = Some(in_b[other]);
        }
    }
    found
}

fn by_actor(rows: &[Row]) -> BTreeMap<u64, Vec<usize>> {
    let mut by_actor: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        by_actor.entry(row.actor).or_default().push(at);
    }
    by_actor
}

/// A stretch that is still to be paired.
struct Stretch {
    a: Range<usize>,
    b: Range<usize>,
    mark: usize,
    again: u8,
}

/// Pairs of two sequences, ascending in both.
fn pairs(a: &[Row], b: &[Row]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut open = vec![Stretch {
        a: 0..a.len(),
        b: 0..b.len(),
        mark: 0,
        again: 0,
    }];
    while let Some(mut stretch) = open.pop() {
        let Some(mark) = MARKS.get(stretch.mark) else {
            continue;
        };
        let alike = |one: usize, other: usize| mark(&a[one]) == mark(&b[other]);
        while !stretch.a.is_empty()
            && !stretch.b.is_empty()
            && alike(stretch.a.start, stretch.b.start)
        {
            found.push((stretch.a.start, stretch.b.start));
            stretch.a.start += 1;
            stretch.b.start += 1;
        }
        while !stretch.a.is_empty()
            && !stretch.b.is_empty()
            && alike(stretch.a.end - 1, stretch.b.end - 1)
        {
            stretch.a.end -= 1;
            stretch.b.end -= 1;
            found.push((stretch.a.end, stretch.b.end));
        }
        if stretch.a.is_empty() || stretch.b.is_empty() {
            continue;
        }
        let anchors = anchors(a, b, &stretch, *mark);
        let (next_mark, next_again) = match anchors.is_empty() || stretch.again >= AGAIN {
            true => (stretch.mark + 1, 0),
            false => (stretch.mark, stretch.again + 1),
        };
        let (mut from_a, mut from_b) = (stretch.a.start, stretch.b.start);
        for (to_a, to_b) in anchors
            .iter()
            .copied()
            .chain([(stretch.a.end, stretch.b.end)])
        {
            open.push(Stretch {
                a: from_a..to_a,
                b: from_b..to_b,
                mark: next_mark,
                again: next_again,
            });
            (from_a, from_b) = (to_a + 1, to_b + 1);
        }
        found.extend(anchors);
    }
    found
}

/// Pairs that are surely right: of marks that both stretches have equally often the first with the
/// first and so on, as many of them as are in order.
fn anchors(a: &[Row], b: &[Row], stretch: &Stretch, mark: fn(&Row) -> u64) -> Vec<(usize, usize)> {
    let places = |rows: &[Row], range: &Range<usize>| {
        let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for at in range.clone() {
            places.entry(mark(&rows[at])).or_default().push(at);
        }
        places
    };
    let (in_a, in_b) = (places(a, &stretch.a), places(b, &stretch.b));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (mark, ones) in in_a {
        if let Some(others) = in_b.get(&mark)
            && others.len() == ones.len()
        {
            pairs.extend(ones.into_iter().zip(others.iter().copied()));
        }
    }
    pairs.sort_unstable();
    ascending(&pairs)
}

/// The longest part of pairs, ascending in the first, that ascends in the second as well.
fn ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length: the pair with which the best part of that length ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; pairs.len()];
    for (at, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *second);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut part = Vec::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        part.push(pairs[at]);
        next = before[at];
    }
    part.reverse();
    part
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Time;

    use super::*;

    fn row(kind: u16, says: u64, origin: u64) -> Row {
        Row {
            actor: 1,
            kind,
            says,
            tags: 0,
            origin,
            time: Time::ZERO,
        }
    }

    // Fails if events are paired by their place.
    #[test]
    fn an_event_that_is_new_shifts_none_of_the_others() {
        let a: Vec<Row> = (0..6).map(|says| row(64, says, 0)).collect();
        let mut b = a.clone();
        b.insert(2, row(65, 99, 0));
        b.remove(5);
        let found = align(&a, &b);
        assert_eq!(found, [Some(0), Some(1), Some(3), Some(4), None, Some(5)]);
    }

    // Fails if an event that says something else is taken for a new one, or for its neighbour.
    #[test]
    fn an_event_that_says_something_else_is_found_by_what_it_goes_back_to() {
        let a = [row(64, 1, 10), row(64, 2, 20), row(64, 3, 30)];
        let b = [row(64, 8, 20), row(64, 9, 30)];
        assert_eq!(align(&a, &b), [None, Some(0), Some(1)]);
    }

    // Fails if what changed places is paired across what did not.
    #[test]
    fn pairs_never_cross() {
        let a = [row(64, 1, 0), row(64, 2, 0), row(64, 3, 0), row(64, 4, 0)];
        let b = [row(64, 2, 0), row(64, 3, 0), row(64, 4, 0), row(64, 1, 0)];
        let found = align(&a, &b);
        let placed: Vec<usize> = found.iter().flatten().copied().collect();
        assert!(placed.is_sorted(), "{found:?}");
        assert_eq!(found[1..], [Some(0), Some(1), Some(2)]);
    }
}

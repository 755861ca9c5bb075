//! The smallest part of a list that still fails, by delta debugging.
//!
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002: the list is cut
//! into ever finer pieces; a piece that fails alone is gone on with, and one without which the rest
//! still fails is left out. In the end no single item can be left out.

/// The items that are left, in their order. `fails` says whether some of them still fail; it is
/// never asked about all of them, of which that is known.
pub(super) fn ddmin<T: Clone>(mut items: Vec<T>, fails: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut pieces = 2;
    while items.len() >= 2 {
        let size = items.len().div_ceil(pieces);
        if let Some(piece) = one_that_fails(&items, size, fails) {
            items = piece;
            pieces = 2;
        } else if let Some(rest) = all_but_one(&items, size, fails) {
            items = rest;
            pieces = (pieces - 1).max(2);
        } else if size == 1 {
            break;
        } else {
            pieces = (pieces * 2).min(items.len());
        }
    }
    items
}

fn one_that_fails<T: Clone>(
    items: &[T],
    size: usize,
    fails: &mut dyn FnMut(&[T]) -> bool,
) -> Option<Vec<T>> {
    let mut pieces = items.chunks(size);
    pieces.find(|piece| fails(piece)).map(<[T]>::to_vec)
}

fn all_but_one<T: Clone>(
    items: &[T],
    size: usize,
    fails: &mut dyn FnMut(&[T]) -> bool,
) -> Option<Vec<T>> {
    // Of two pieces each is what the other leaves.
    if items.len().div_ceil(size) <= 2 && size > 1 {
        return None;
    }
    let mut from = 0;
    while from < items.len() {
        let to = (from + size).min(items.len());
        let rest = [&items[..from], &items[to..]].concat();
        if fails(&rest) {
            return Some(rest);
        }
        from = to;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minimal(of: u32, needed: &[u32]) -> (Vec<u32>, usize) {
        let mut asked = 0;
        let left = ddmin((0..of).collect(), &mut |items| {
            asked += 1;
            needed.iter().all(|one| items.contains(one))
        });
        (left, asked)
    }

    #[test]
    fn what_is_needed_is_left_and_nothing_else() {
        assert_eq!(minimal(1_000, &[3]).0, [3]);
        assert_eq!(minimal(1_000, &[3, 500, 999]).0, [3, 500, 999]);
        assert_eq!(minimal(2, &[0, 1]).0, [0, 1]);
        assert_eq!(minimal(2, &[1]).0, [1]);
        assert_eq!(minimal(1, &[0]).0, [0]);
    }

    #[test]
    fn few_of_many_are_found_with_few_questions() {
        let (_, asked) = minimal(1_000, &[3, 500, 999]);
        assert!(asked < 200, "{asked} questions");
    }

    proptest! {
        #[test]
        fn no_single_item_can_be_left_out_of_what_is_left(
            of in 1u32..60,
            clauses in proptest::collection::vec(proptest::collection::vec(0u32..60, 1..5), 1..4),
        ) {
            // Fails where any one of several sets is there as a whole: not monotone in its parts.
            let fails = |items: &[u32]| {
                clauses.iter().any(|all| all.iter().all(|one| items.contains(one)))
            };
            let all: Vec<u32> = (0..of).collect();
            prop_assume!(fails(&all));
            let left = ddmin(all, &mut |items| fails(items));
            prop_assert!(fails(&left));
            for at in 0..left.len() {
                let mut fewer = left.clone();
                fewer.remove(at);
                prop_assert!(left.len() == 1 || !fails(&fewer), "{left:?} without {at}");
            }
        }
    }
}

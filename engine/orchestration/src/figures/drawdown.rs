//! The deepest fall of a series from a peak: how deep, from when to when, and when it was made good.
//!
//! M. Magdon-Ismail, A. Atiya, "Maximum Drawdown", Risk Magazine 17 (2004): the largest fall from a
//! highest value so far to a later value, as a share of that highest value.

/// The deepest fall, by places in a row of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fall {
    /// How deep, as a share of the peak; below zero.
    pub(super) depth: f64,
    /// The last point of the highest value before it.
    pub(super) peak: usize,
    /// The first point of its lowest value.
    pub(super) trough: usize,
    /// The first point after it that is as high as the peak, if there is one.
    pub(super) recovery: Option<usize>,
}

/// How far each value lies below the highest so far, as a share of that: zero or less.
pub(super) fn each(values: &[f64]) -> impl Iterator<Item = f64> + '_ {
    let mut highest = f64::NEG_INFINITY;
    values.iter().map(move |value| {
        highest = highest.max(*value);
        if highest > 0.0 {
            value / highest - 1.0
        } else {
            0.0
        }
    })
}

/// The deepest fall; none if the values never fall. Of several that are as deep, the first.
pub(super) fn deepest(values: &[f64]) -> Option<Fall> {
    let (mut high, mut worst): (usize, Option<Fall>) = (0, None);
    for (at, depth) in each(values).enumerate() {
        if values[at] >= values[high] {
            high = at;
        }
        if depth < worst.map_or(0.0, |fall| fall.depth) {
            worst = Some(Fall {
                depth,
                peak: high,
                trough: at,
                recovery: None,
            });
        }
    }
    let mut fall = worst?;
    let after = values.iter().skip(fall.trough);
    let back = after
        .take_while(|value| **value < values[fall.peak])
        .count();
    fall.recovery = Some(fall.trough + back).filter(|at| *at < values.len());
    Some(fall)
}

/// How deep the deepest fall is where one starts with 1 and earns these returns; zero if there is none.
pub(super) fn deepest_of_returns(returns: &[f64]) -> f64 {
    let mut worth = 1.0;
    let values: Vec<f64> = std::iter::once(1.0)
        .chain(returns.iter().map(|r| {
            worth *= 1.0 + r;
            worth
        }))
        .collect();
    deepest(&values).map_or(0.0, |fall| fall.depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a later, shallower fall is taken, or if a date is off by one point.
    #[test]
    fn the_deepest_fall_has_its_dates() {
        let values = [100.0, 120.0, 120.0, 90.0, 60.0, 60.0, 119.0, 120.0, 70.0];
        assert_eq!(
            deepest(&values),
            Some(Fall {
                depth: -0.5,
                peak: 2,
                trough: 4,
                recovery: Some(7),
            })
        );
        assert_eq!(deepest(&values[..7]).unwrap().recovery, None);
    }

    // Fails if a row that never falls is said to have fallen.
    #[test]
    fn what_never_falls_has_no_fall() {
        assert_eq!(deepest(&[]), None);
        assert_eq!(deepest(&[1.0]), None);
        assert_eq!(deepest(&[1.0, 1.0, 2.0]), None);
        assert_eq!(deepest(&[0.0, 0.0, -1.0]), None);
        assert_eq!(deepest_of_returns(&[0.1, 0.0]), 0.0);
        assert_eq!(deepest_of_returns(&[-0.5, 1.0]), -0.5);
    }
}

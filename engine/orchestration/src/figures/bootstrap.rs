//! How sure a figure is: the same figure of many rows that are resampled from the returns in blocks.
//!
//! Returns that follow each other are alike (losses cluster), so whole blocks are drawn, and the row is
//! closed to a ring so that each return is drawn as often as any other: D. N. Politis, J. P. Romano, "A
//! Circular Block-Resampling Procedure for Stationary Data" (1992). A block has n^(1/3) returns, the order
//! of P. Hall, J. L. Horowitz, B.-Y. Jing, Biometrika 82 (1995). The ends of an interval are percentiles
//! of the resampled figures: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.

use dacapo_kernel::{Interval, Stream};

use super::returns::Defined;

/// From how many returns on a row says enough of itself to be resampled.
const ENOUGH: usize = 20;

/// How often an interval covers what it should.
const CONFIDENCE: f64 = 0.95;

/// The part of the resampled rows of which a figure must be defined.
const DEFINED: f64 = 0.9;

/// A figure of a row of returns.
type OfReturns<'a> = dyn Fn(&[f64]) -> Defined + 'a;

/// Intervals for several figures, each from the same resampled rows. The stream is the run's, so a log
/// always has the same intervals. None where the returns are too few or a figure is rarely defined.
pub(super) fn intervals<const N: usize>(
    returns: &[f64],
    resamples: u32,
    seed: u64,
    figures: [&OfReturns<'_>; N],
) -> [Option<Interval>; N] {
    let mut found: [Vec<f64>; N] = std::array::from_fn(|_| Vec::new());
    if returns.len() >= ENOUGH {
        let mut stream = Stream::new(seed, "figures", "bootstrap");
        let mut row = Vec::with_capacity(returns.len());
        for _ in 0..resamples {
            resample(returns, &mut stream, &mut row);
            for (found, figure) in found.iter_mut().zip(&figures) {
                found.extend(figure(&row).ok().filter(|value| value.is_finite()));
            }
        }
    }
    found.map(|found| interval(found, resamples))
}

/// How many returns a block has.
fn block(returns: usize) -> usize {
    (libm::cbrt(returns as f64).round() as usize).max(1)
}

/// As many returns as there are, in blocks from anywhere in the ring.
fn resample(returns: &[f64], stream: &mut Stream, into: &mut Vec<f64>) {
    into.clear();
    let (all, block) = (returns.len(), block(returns.len()));
    while into.len() < all {
        let from = stream.below(all as u64) as usize;
        let wanted = block.min(all - into.len());
        into.extend((from..from + wanted).map(|at| returns[at % all]));
    }
}

fn interval(mut found: Vec<f64>, resamples: u32) -> Option<Interval> {
    if found.is_empty() || (found.len() as f64) < DEFINED * f64::from(resamples) {
        return None;
    }
    found.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Interval {
        low: percentile(&found, tail),
        high: percentile(&found, 1.0 - tail),
        confidence: CONFIDENCE,
    })
}

/// The value below which the share `p` of sorted values lies, between two of them in proportion.
fn percentile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place - place.floor());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + part * (sorted[high] - sorted[low])
}

#[cfg(test)]
mod tests {
    use super::super::returns;
    use super::*;

    fn noise(count: u64) -> Vec<f64> {
        let mut stream = Stream::new(7, "test", "noise");
        // The sum of twelve draws is nearly normal, with the variance 1.
        let normal = |_| (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0;
        (0..count).map(normal).map(|x| 0.001 + 0.01 * x).collect()
    }

    fn of_mean(row: &[f64], seed: u64) -> Option<Interval> {
        let mean = |row: &[f64]| Ok(row.iter().sum::<f64>() / row.len() as f64);
        intervals(row, 2_000, seed, [&mean])[0]
    }

    // Fails if the resampled rows are too alike or too different: theory knows the interval of a mean.
    #[test]
    fn the_interval_of_a_mean_is_that_of_theory() {
        let row = noise(1_000);
        let mean = row.iter().sum::<f64>() / 1_000.0;
        let error = returns::volatility(&row, 1.0).unwrap() / 1_000f64.sqrt();
        let interval = of_mean(&row, 1).unwrap();
        for (end, theory) in [
            (interval.low, mean - 1.96 * error),
            (interval.high, mean + 1.96 * error),
        ] {
            assert!(
                (end - theory).abs() < 0.25 * error,
                "{end} {theory} {error}"
            );
        }
    }

    // Fails if anything but the row and the seed has a say, or if the seed has none.
    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let row = noise(100);
        assert_eq!(of_mean(&row, 5), of_mean(&row, 5));
        assert_ne!(of_mean(&row, 5), of_mean(&row, 6));
    }

    // Fails if single returns are drawn: in a row that goes up and down by turns, blocks cancel out, and
    // a mean of single draws spreads several times as far.
    #[test]
    fn whole_blocks_are_drawn() {
        let row: Vec<f64> = (0..1_000).map(|at| f64::from(at % 2) - 0.5).collect();
        let interval = of_mean(&row, 1).unwrap();
        let single = 1.96 * 0.5 / 1_000f64.sqrt();
        assert!(interval.high - interval.low < single, "{interval:?}");
    }

    // Fails if an interval is told that rests on next to nothing.
    #[test]
    fn too_few_returns_have_no_interval() {
        assert_eq!(of_mean(&noise(19), 1), None);
        assert!(of_mean(&noise(20), 1).is_some());
        let never = |_: &[f64]| Err(String::new());
        assert_eq!(intervals(&noise(50), 100, 1, [&never]), [None]);
        let mean = |row: &[f64]| Ok(row[0]);
        assert_eq!(intervals(&noise(50), 0, 1, [&mean]), [None]);
    }

    // Fails if a percentile is taken from the wrong place: numpy.percentile's default.
    #[test]
    fn a_percentile_lies_between_two_values_in_proportion() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(percentile(&sorted, 0.0), 1.0);
        assert_eq!(percentile(&sorted, 0.5), 3.0);
        assert_eq!(percentile(&sorted, 0.75), 5.0);
        assert_eq!(percentile(&sorted, 1.0), 8.0);
        assert_eq!(percentile(&[3.0], 0.3), 3.0);
    }
}

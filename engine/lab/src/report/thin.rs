//! A curve in few points: of many values the least and the greatest of each stretch are kept, so that
//! no peak is lost.

use dacapo_kernel::Time;

/// How many points are kept at most; half of them after they were thinned.
const MOST: usize = 4_096;

/// The points of a curve while they come in.
#[derive(Debug, Default)]
pub(super) struct Thin {
    points: Vec<(Time, f64)>,
    /// The least and the greatest of a stretch that is not full yet, in their order.
    pending: Option<((Time, f64), (Time, f64))>,
    /// How many values are in it.
    taken: u64,
    /// How many values make a stretch; every value is kept while that is 0.
    stretch: u64,
    values: u64,
}

impl Thin {
    /// Takes the next value.
    pub(super) fn push(&mut self, time: Time, value: f64) {
        self.values += 1;
        let point = (time, value);
        if self.stretch == 0 {
            self.points.push(point);
        } else {
            self.pending = Some(match self.pending {
                None => (point, point),
                Some((low, high)) if value < low.1 => (point, high),
                Some((low, high)) if value > high.1 => (low, point),
                Some(both) => both,
            });
            self.taken += 1;
            if self.taken == self.stretch {
                self.close();
            }
        }
        if self.points.len() >= MOST {
            self.halve();
        }
    }

    fn close(&mut self) {
        let Some((low, high)) = self.pending.take() else {
            return;
        };
        self.taken = 0;
        let (first, second) = if low.0 <= high.0 {
            (low, high)
        } else {
            (high, low)
        };
        self.points.push(first);
        if second != first {
            self.points.push(second);
        }
    }

    /// Of each four points the least and the greatest stay.
    fn halve(&mut self) {
        self.stretch = (self.stretch * 2).max(4);
        let points = std::mem::take(&mut self.points);
        for four in points.chunks(4) {
            let by_value = |a: &&(Time, f64), b: &&(Time, f64)| a.1.total_cmp(&b.1);
            let low = four.iter().min_by(by_value).copied();
            let high = four.iter().max_by(by_value).copied();
            self.pending = low.zip(high);
            self.close();
        }
    }

    /// How many values there were.
    pub(super) fn values(&self) -> u64 {
        self.values
    }

    /// The points that stand for them.
    pub(super) fn points(mut self) -> Vec<(Time, f64)> {
        self.close();
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thinned(values: impl Iterator<Item = f64>) -> Vec<(Time, f64)> {
        let mut thin = Thin::default();
        for (at, value) in values.enumerate() {
            thin.push(Time::from_secs(at as u64), value);
        }
        thin.points()
    }

    #[test]
    fn few_values_are_kept_as_they_are() {
        let points = thinned((0..100).map(f64::from));
        assert_eq!(points.len(), 100);
        assert_eq!(points[7], (Time::from_secs(7), 7.0));
    }

    #[test]
    fn of_many_values_the_peaks_are_kept_in_their_order() {
        let peak = |at: u32| match at {
            123_456 => 1e9,
            654_321 => -1e9,
            _ => f64::from(at % 17),
        };
        let points = thinned((0..1_000_000).map(peak));
        assert!(points.len() <= MOST, "{}", points.len());
        assert!(points.contains(&(Time::from_secs(123_456), 1e9)));
        assert!(points.contains(&(Time::from_secs(654_321), -1e9)));
        assert!(points.is_sorted_by_key(|point| point.0));
    }
}

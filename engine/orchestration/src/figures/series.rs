//! The equity series: one point for each period in which anything changed what the account is worth.
//!
//! A point is the worth after the last change within its period; a period without a price or a trade
//! has none, so that a market's nights and weekends are not returns of zero. Periods begin at whole
//! seconds, minutes, hours or days of UTC. Where the period is not given, points are kept as finely as
//! there is room for, and thinned out in the end.

use dacapo_kernel::Time;

use super::config::Period;

/// How many points are kept; where there would be more, the period becomes longer.
const POINTS_MAX: usize = 200_000;

/// How many points a run shall have, if any period gives it so many.
const ENOUGH: usize = 30;

const SECOND_NS: i64 = 1_000_000_000;
const STEPS_NS: [i64; 4] = [
    SECOND_NS,
    60 * SECOND_NS,
    3_600 * SECOND_NS,
    86_400 * SECOND_NS,
];

/// One point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// When.
    pub(super) time: Time,
    /// What the account is worth, in dollars.
    pub(super) worth: f64,
}

/// The series while it grows.
#[derive(Debug)]
pub(super) struct Sampler {
    start_unix_ns: i64,
    /// Which of the steps.
    step: usize,
    fixed: bool,
    first: Option<Point>,
    points: Vec<Point>,
}

/// The whole series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EquitySeries {
    /// How long a period is.
    pub(super) step_ns: i64,
    /// Whether that is longer than was asked for.
    pub(super) thinned: bool,
    /// The first worth that is known, then the points.
    pub(super) points: Vec<Point>,
}

impl Sampler {
    pub(super) fn new(period: Period, start_unix_ns: i64) -> Sampler {
        let step = match period {
            Period::Auto | Period::Second => 0,
            Period::Minute => 1,
            Period::Hour => 2,
            Period::Day => 3,
        };
        Sampler {
            start_unix_ns,
            step,
            fixed: period != Period::Auto,
            first: None,
            points: Vec::new(),
        }
    }

    /// The number of the period that a time lies in.
    fn period(&self, time: Time, step: usize) -> i64 {
        let ns = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.start_unix_ns
            .saturating_add(ns)
            .div_euclid(STEPS_NS[step])
    }

    /// Whether two times lie in one period.
    pub(super) fn same_period(&self, a: Time, b: Time) -> bool {
        self.period(a, self.step) == self.period(b, self.step)
    }

    /// Whether nothing is known of what the account is worth yet.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Takes a point, in the order of time. The first one is where the series begins.
    pub(super) fn take(&mut self, point: Point) {
        if self.first.is_none() {
            self.first = Some(point);
            return;
        }
        match self.points.last_mut() {
            Some(last) if last.time == point.time => *last = point,
            _ => self.points.push(point),
        }
        if self.points.len() >= POINTS_MAX && self.step + 1 < STEPS_NS.len() {
            self.step += 1;
            self.points = self.thinned(self.step);
        }
    }

    /// The last point of each period of this length.
    fn thinned(&self, step: usize) -> Vec<Point> {
        let mut kept: Vec<Point> = Vec::new();
        for point in &self.points {
            match kept.last_mut() {
                Some(last) if self.period(last.time, step) == self.period(point.time, step) => {
                    *last = *point;
                }
                _ => kept.push(*point),
            }
        }
        kept
    }

    /// The series, in the longest period that gives enough points where none was asked for.
    pub(super) fn finish(self, asked: Period) -> EquitySeries {
        let mut step = self.step;
        if !self.fixed {
            let longer = (self.step..STEPS_NS.len()).rev();
            let mut enough = longer.filter(|step| self.thinned(*step).len() >= ENOUGH);
            step = enough.next().unwrap_or(self.step);
        }
        let thinned = self.fixed && Sampler::new(asked, 0).step != step;
        let mut points: Vec<Point> = self.first.into_iter().collect();
        points.extend(self.thinned(step));
        EquitySeries {
            step_ns: STEPS_NS[step],
            thinned,
            points,
        }
    }
}

impl EquitySeries {
    /// The points of a part of the run: the last one before it, from which it begins, and its own.
    pub(super) fn part(&self, from: Time, to: Time) -> &[Point] {
        let begin = self.points.partition_point(|point| point.time <= from);
        let end = self.points.partition_point(|point| point.time <= to);
        &self.points[begin.saturating_sub(1).min(end)..end]
    }
}

/// A year of the calendar on average, in seconds: 365.25 days.
const YEAR_S: f64 = 31_557_600.0;

/// How many periods a year has, as these points have them: their number less one over the time between
/// the first and the last. None where they have no time between them.
pub(super) fn per_year(points: &[Point]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let span = last.time.since(first.time).as_secs_f64();
    (span > 0.0).then(|| (points.len() - 1) as f64 / (span / YEAR_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(period: Period, times_s: impl IntoIterator<Item = u64>) -> EquitySeries {
        let mut sampler = Sampler::new(period, 0);
        for time in times_s {
            sampler.take(Point {
                time: Time::from_secs(time),
                worth: time as f64,
            });
        }
        sampler.finish(period)
    }

    fn times(series: &EquitySeries) -> Vec<u64> {
        let seconds = |point: &Point| point.time.as_nanos() / 1_000_000_000;
        series.points.iter().map(seconds).collect()
    }

    // Fails if a period keeps another point than its last, or the beginning is lost.
    #[test]
    fn a_period_keeps_its_last_point() {
        let hourly = series(Period::Hour, [0, 10, 3_599, 3_600, 7_300, 7_900]);
        assert_eq!(times(&hourly), [0, 3_599, 3_600, 7_900]);
        assert!(!hourly.thinned);
    }

    // Fails if a gap without prices is filled.
    #[test]
    fn a_period_without_a_change_has_no_point() {
        let daily = series(Period::Day, [0, 86_399, 4 * 86_400]);
        assert_eq!(times(&daily), [0, 86_399, 4 * 86_400]);
    }

    // Fails if the choice of the period does not go by how many points there are.
    #[test]
    fn the_longest_period_with_thirty_points_is_chosen() {
        let step = |seconds: u64| series(Period::Auto, 0..seconds).step_ns / SECOND_NS;
        assert_eq!(step(20), 1);
        assert_eq!(step(1_000), 1);
        assert_eq!(step(30 * 60), 60);
        assert_eq!(step(30 * 3_600), 3_600);
        let days = (0..31).map(|day| day * 86_400);
        assert_eq!(series(Period::Auto, days).step_ns / SECOND_NS, 86_400);
    }

    // Fails if a run of any length may fill the memory.
    #[test]
    fn more_points_than_there_is_room_for_make_the_period_longer() {
        let long = series(Period::Second, 0..POINTS_MAX as u64 + 10);
        assert_eq!(long.step_ns, 60 * SECOND_NS);
        assert!(long.thinned);
        assert!(long.points.len() < POINTS_MAX / 50);
        assert_eq!(times(&long).last(), Some(&(POINTS_MAX as u64 + 9)));
    }

    // Fails if a part of a run forgets what the account was worth when it began.
    #[test]
    fn a_part_begins_with_the_last_point_before_it() {
        let whole = series(Period::Second, [0, 10, 20, 30]);
        let of = |from, to| {
            let points = whole.part(Time::from_secs(from), Time::from_secs(to));
            points.iter().map(|p| p.worth).collect::<Vec<f64>>()
        };
        assert_eq!(of(0, 15), [0.0, 10.0]);
        assert_eq!(of(15, 30), [10.0, 20.0, 30.0]);
        assert_eq!(of(10, 20), [10.0, 20.0]);
        assert_eq!(of(31, 40), [30.0]);
    }

    // Fails if the number of periods a year has does not come from the points.
    #[test]
    fn a_year_has_as_many_periods_as_the_points_say() {
        let days = series(Period::Day, (0..366).map(|day| day * 86_400));
        assert_eq!(per_year(&days.points), Some(365.25));
        assert_eq!(per_year(&days.points[..1]), None);
        assert_eq!(per_year(&[]), None);
    }
}

//! Lesser inputs: values nearer to the least that their kind has, and rounder ones; instants that a
//! person would have written.

use dacapo_kernel::{Fault, Plan, System, Time, When};

use super::Recorded;
use super::trials::Trials;
use crate::plan_file::kind_of;

/// How often a value is halved at most.
const HALVINGS: u32 = 10;
const NS_PER_MS: u64 = 1_000_000;
/// What instants are rounded to, the roundest first, in nanoseconds.
pub(super) const ROUND: [u64; 9] = [
    3_600_000_000_000,
    600_000_000_000,
    60_000_000_000,
    10_000_000_000,
    1_000_000_000,
    100_000_000,
    10_000_000,
    1_000_000,
    1_000,
];

/// Makes the value of every input as small as it can be.
pub(super) fn values<S: System>(plan: &mut Plan<S::Config>, trials: &mut Trials<'_, S>) {
    let kinds = S::faults();
    for at in 0..plan.faults.faults.len() {
        let fault = plan.faults.faults[at].clone();
        let kind = kind_of(&fault, &kinds);
        let least = kind.map_or(0, |kind| kind.least);
        // Crashes and jumps count nanoseconds, their kinds milliseconds.
        let least_ns = least.saturating_mul(NS_PER_MS);
        match fault {
            Fault::Strike { value, .. } | Fault::Act { value, .. } => {
                lower(plan, at, value, least, trials, with_value);
            }
            Fault::Door { most, .. } => lower(plan, at, most, least, trials, with_value),
            Fault::Choose { index, .. } => {
                lower(plan, at, u64::from(index), 1, trials, with_value);
            }
            Fault::CrashHost {
                restart_after: Some(after),
                ..
            } => lower(plan, at, after, least_ns, trials, with_value),
            Fault::JumpClock { by, .. } => {
                lower(plan, at, by.unsigned_abs(), least_ns, trials, with_value);
            }
            Fault::CrashHost { .. } | Fault::CrashTask { .. } => {}
        }
    }
}

/// The same fault with another value.
fn with_value(fault: &Fault, value: u64) -> Fault {
    let mut fault = fault.clone();
    match &mut fault {
        Fault::Strike { value: mine, .. } | Fault::Act { value: mine, .. } => *mine = value,
        Fault::Door { least, most, .. } => (*least, *most) = (value, value),
        Fault::Choose { index, .. } => *index = u32::try_from(value).unwrap_or(*index),
        Fault::CrashHost { restart_after, .. } => *restart_after = Some(value),
        Fault::JumpClock { by, .. } => {
            let span = i64::try_from(value).unwrap_or(i64::MAX);
            *by = if *by < 0 { -span } else { span };
        }
        Fault::CrashTask { .. } => {}
    }
    fault
}

/// The least value, else one near it by halving, and then a round one.
fn lower<S: System>(
    plan: &mut Plan<S::Config>,
    at: usize,
    value: u64,
    least: u64,
    trials: &mut Trials<'_, S>,
    put: impl Fn(&Fault, u64) -> Fault,
) {
    if value <= least {
        return;
    }
    let mut try_it = |plan: &mut Plan<S::Config>, value: u64| {
        let mut faults = plan.faults.faults.clone();
        faults[at] = put(&faults[at], value);
        let fails = trials.fails_with(plan, &faults);
        if fails {
            plan.faults.faults = faults;
        }
        fails
    };
    if try_it(plan, least) {
        return;
    }
    // The least does not fail, the greatest does.
    let (mut low, mut high) = (least, value);
    for _ in 0..HALVINGS {
        let middle = low + (high - low) / 2;
        if middle == low {
            break;
        }
        if try_it(plan, middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    for digits in [1, 2] {
        let round = rounded_up(high, digits);
        if round == high || (round < value && try_it(plan, round)) {
            return;
        }
    }
}

/// The next number with so many digits that are not zero.
fn rounded_up(value: u64, digits: u32) -> u64 {
    let length = value.checked_ilog10().unwrap_or(0) + 1;
    let unit = 10u64.pow(length.saturating_sub(digits));
    value.div_ceil(unit).saturating_mul(unit)
}

/// Moves every instant to the roundest that still fails.
pub(super) fn times<S: System>(
    recorded: &Recorded<S>,
    plan: &mut Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) {
    for at in 0..plan.faults.faults.len() {
        let fault = plan.faults.faults[at].clone();
        let (from, is_exact) = match &fault {
            Fault::CrashHost {
                when: When::Time(time),
                ..
            } => (*time, true),
            Fault::CrashHost {
                when: When::Event(seq),
                ..
            } => match recorded.crashed_at.get(seq) {
                Some(time) => (*time, false),
                None => continue,
            },
            Fault::CrashTask { at, .. } | Fault::JumpClock { at, .. } | Fault::Act { at, .. } => {
                (*at, true)
            }
            _ => continue,
        };
        let from_start = matches!(fault, Fault::Act { .. }).then_some(0);
        let round = ROUND
            .iter()
            .flat_map(|unit| round_near(from.as_nanos(), *unit));
        let exact = (!is_exact).then_some(from.as_nanos());
        for to in from_start.into_iter().chain(round).chain(exact) {
            if is_exact && to == from.as_nanos() {
                break;
            }
            let mut faults = plan.faults.faults.clone();
            faults[at] = moved(&faults[at], Time::from_nanos(to));
            if trials.fails_with(plan, &faults) {
                plan.faults.faults = faults;
                break;
            }
        }
    }
}

/// The multiples of a unit before and after a number, the one before first; only the number itself
/// if it is one.
fn round_near(ns: u64, unit: u64) -> Vec<u64> {
    let before = ns / unit * unit;
    match before {
        _ if before == ns => vec![ns],
        0 => vec![unit],
        _ => vec![before, before.saturating_add(unit)],
    }
}

/// The same fault at another instant.
fn moved(fault: &Fault, to: Time) -> Fault {
    let mut fault = fault.clone();
    match &mut fault {
        Fault::CrashHost { when, .. } => *when = When::Time(to),
        Fault::CrashTask { at, .. } | Fault::JumpClock { at, .. } | Fault::Act { at, .. } => {
            *at = to;
        }
        _ => {}
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_rounded_up_to_its_first_digits() {
        let rounded: Vec<u64> = [0, 7, 10, 4_711, 99].map(|n| rounded_up(n, 1)).into();
        assert_eq!(rounded, [0, 7, 10, 5_000, 100]);
        assert_eq!(rounded_up(4_711, 2), 4_800);
        assert_eq!(rounded_up(u64::MAX, 1), u64::MAX);
    }

    #[test]
    fn round_instants_lie_on_both_sides() {
        assert_eq!(round_near(95, 60), [60, 120]);
        assert_eq!(round_near(120, 60), [120]);
        assert_eq!(round_near(30, 60), [60]);
    }
}

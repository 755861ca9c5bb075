//! A shorter run: its end moved to just past the failure.
//!
//! A failure that only the end of a run shows needs the time after the faults; there both are moved
//! together, and then the rest is made shorter.

use dacapo_kernel::{Plan, System, Time};

use super::lesser::ROUND;
use super::trials::Trials;

/// How near to the failure the end is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// With a quarter more, so that plans with fewer inputs may fail a little later.
    Loose,
    /// As near as a round instant is.
    Tight,
}

const SECOND: u64 = 1_000_000_000;
/// How often a span is halved.
const HALVINGS: u32 = 6;

/// Moves the end of the run, if it still fails then.
pub(super) fn cut<S: System>(plan: &mut Plan<S::Config>, fit: Fit, trials: &mut Trials<'_, S>) {
    let faults = plan.faults.faults.clone();
    let settled = trials.settled(plan, faults);
    match trials.time_of_failure(&settled) {
        Some(at) => {
            let at = at.as_nanos();
            let wanted = match fit {
                Fit::Loose => at.saturating_add(at / 4),
                Fit::Tight => at,
            };
            let ends = ROUND.iter().filter_map(|unit| round_end(wanted, *unit));
            for end in ends.chain([wanted]) {
                if try_end(plan, end, trials) {
                    return;
                }
            }
        }
        None => shorter(plan, trials),
    }
}

/// The first multiple of a unit at or after an instant, if it is not much later.
fn round_end(at: u64, unit: u64) -> Option<u64> {
    let end = at.div_ceil(unit).max(1).checked_mul(unit)?;
    (end - at <= at / 8 || unit <= 1_000_000).then_some(end)
}

fn try_end<S: System>(plan: &mut Plan<S::Config>, end: u64, trials: &mut Trials<'_, S>) -> bool {
    if end == 0 || plan.duration_ns.is_some_and(|now| now <= end) {
        return false;
    }
    let mut shorter = plan.clone();
    shorter.duration_ns = Some(end);
    let faults = shorter.faults.faults.clone();
    let fails = trials.fails_with(&shorter, &faults);
    if fails {
        *plan = shorter;
    }
    fails
}

/// Halves the part with faults, then the part without, as long as the run fails.
fn shorter<S: System>(plan: &mut Plan<S::Config>, trials: &mut Trials<'_, S>) {
    for _ in 0..HALVINGS {
        let (Some(quiet), Some(end)) = (plan.faults.quiet_from, plan.duration_ns) else {
            break;
        };
        let sooner = quiet.as_nanos() / 2 / SECOND * SECOND;
        let saved = quiet.as_nanos() - sooner;
        let mut shorter = plan.clone();
        shorter.faults.quiet_from = Some(Time::from_nanos(sooner));
        shorter.duration_ns = Some(end.saturating_sub(saved));
        let faults = shorter.faults.faults.clone();
        if sooner == 0 || !trials.fails_with(&shorter, &faults) {
            break;
        }
        *plan = shorter;
    }
    for _ in 0..HALVINGS {
        let Some(end) = plan.duration_ns else { break };
        let quiet = plan.faults.quiet_from.map_or(0, Time::as_nanos);
        let rest = end.saturating_sub(quiet) / 2 / SECOND * SECOND;
        if rest == 0 || !try_end(plan, quiet + rest, trials) {
            break;
        }
    }
}

//! What a language model may have read of a run: what happened before its knowledge ends, if a scenario states when that
//! is. Figures of decisions about such a past say nothing of the future.

use dacapo_kernel::{Plan, Time};
use jiff::civil::Date;

use super::tally::Tally;
use crate::config::{self, Config};

/// From when on no model has read what happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cutoff {
    day: Date,
    /// Its beginning since the start of the run, in nanoseconds; negative before it.
    since_start_ns: i128,
}

/// What a person has to know of a run that ends then: that models may have read all of it.
pub(crate) fn read_past(plan: &Plan<Config>, end: Time) -> Option<String> {
    let cutoff = Cutoff::of(plan).filter(|cutoff| cutoff.is_beyond(end))?;
    Some(format!(
        "the model has read this past: the whole run lies before {}, when its knowledge ends",
        cutoff.day
    ))
}

impl Cutoff {
    /// The one that a scenario states: the latest, where models differ.
    pub(super) fn of(plan: &Plan<Config>) -> Option<Cutoff> {
        let (day, unix_ns) = config::cutoff(&plan.system)?;
        Some(Cutoff {
            day,
            since_start_ns: i128::from(unix_ns) - i128::from(plan.start_unix_ns),
        })
    }

    /// When that is in the run, unless it began later.
    pub(super) fn within(self) -> Option<Time> {
        let nanos = u64::try_from(self.since_start_ns).ok();
        nanos.filter(|nanos| *nanos > 0).map(Time::from_nanos)
    }

    /// Whether all of a run that ends then lies in a past that a model may have read of.
    fn is_beyond(self, end: Time) -> bool {
        self.within().is_some_and(|at| at >= end)
    }

    /// What that means for the figures of a run that ends then; the parts are the whole and what lies before and after.
    pub(super) fn told(self, end: Time, tallies: &[Tally]) -> String {
        let day = self.day;
        let count = |tally: &Tally| match tally.decisions() {
            1 => "1 decision".to_owned(),
            more => format!("{more} decisions"),
        };
        match (self.within(), tallies) {
            (None, [whole, ..]) => format!(
                "the whole run lies after the knowledge of its models, which ends on {day}: {}",
                count(whole)
            ),
            (Some(_), [whole, ..]) if self.is_beyond(end) => format!(
                "the model has read this past: the whole run lies before {day}, when its knowledge ends, with {}; \
                 these figures say nothing of what it decides about a future",
                count(whole)
            ),
            (Some(at), [_, before, after]) if before.to == at => format!(
                "the knowledge of its models ends on {day}: {} before, of a past that they may have read, and {} after",
                count(before),
                count(after)
            ),
            (Some(at), _) => format!(
                "the knowledge of its models ends on {day}, at {at} of the run, and the parts are divided elsewhere"
            ),
            (None, []) => String::new(),
        }
    }
}

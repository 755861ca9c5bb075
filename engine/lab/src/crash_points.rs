//! A host that crashes at every event of a run, one run for each, and again while it recovers.
//!
//! Each case is a number. The cases of depth one come first, one for each event and host; then those of
//! depth two, in which the host crashes once more, a few events into its recovery; and so on.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Events, Fault, Files, How, Plan, Run, RunError, Seq, System, Time, When,
};

/// How long a host stays down.
const DOWN: Duration = Duration::from_secs(1);

/// How many events of a recovery are gone through.
const RECOVERY_EVENTS: u64 = 12;

/// How long after the last crash something may still be on its way because of it.
const ECHO: Duration = Duration::from_secs(5);

/// All the crashes that a run can meet, up to a depth.
#[derive(Clone, Debug)]
pub struct CrashPoints {
    hosts: Vec<&'static str>,
    /// When each event of the undisturbed run happens.
    events: Vec<Time>,
    depth: u32,
}

/// One case: which host crashes, at which event, and how far into each of its recoveries again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Case {
    host: usize,
    event: usize,
    /// Counted in events since the host came up again.
    again: Vec<u64>,
}

impl CrashPoints {
    /// Makes the run as it is written, and takes its events as the points at which the hosts that the
    /// system lets crash are to do so: up to `depth` times, each time but the first in the recovery
    /// from the one before.
    ///
    /// # Errors
    /// If the run cannot be made.
    pub fn of<S: System>(
        plan: &Plan<S::Config>,
        files: &dyn Files,
        depth: u32,
    ) -> Result<CrashPoints, RunError> {
        let log = Rc::new(RefCell::new(Memory::default()));
        let storage: BoxedStorage = Box::new(Rc::clone(&log));
        Run::<S>::new(plan).record(files, storage, SyncPolicy::Never)?;
        let mut read = Events::<S::Event>::new(Reader::open(Box::new(log) as BoxedStorage)?);
        let mut events = Vec::new();
        while let Some(event) = read.next()? {
            events.push(event.time);
        }
        let hosts = S::faults().into_iter().filter_map(|kind| match kind.how {
            How::CrashHost { host } => Some(host),
            _ => None,
        });
        Ok(CrashPoints {
            hosts: hosts.collect(),
            events,
            depth: depth.max(1),
        })
    }

    /// How many cases there are.
    pub fn cases(&self) -> u64 {
        (1..=self.depth).map(|depth| self.of_depth(depth)).sum()
    }

    fn of_depth(&self, depth: u32) -> u64 {
        let first = (self.events.len() * self.hosts.len()) as u64;
        first * RECOVERY_EVENTS.pow(depth - 1)
    }

    /// The case with a number. `None` beyond the last.
    fn case(&self, number: u64) -> Option<Case> {
        let mut left = number;
        let depth = (1..=self.depth).find(|depth| {
            let here = left < self.of_depth(*depth);
            if !here {
                left -= self.of_depth(*depth);
            }
            here
        })?;
        let mut digit = |of: u64| {
            let digit = left % of;
            left /= of;
            digit
        };
        let again = (1..depth).map(|_| 1 + digit(RECOVERY_EVENTS)).collect();
        let host = digit(self.hosts.len() as u64) as usize;
        let event = digit(self.events.len() as u64) as usize;
        Some(Case { host, event, again })
    }

    /// The plan of a case: the base plan, and its crashes. What is expected of figures is dropped: that
    /// was said of the run as it is written. A number beyond the last case is the base plan.
    pub fn plan<C: Clone>(&self, base: &Plan<C>, number: u64) -> Plan<C> {
        let mut plan = base.clone();
        plan.expect.figures.clear();
        let Some(case) = self.case(number) else {
            return plan;
        };
        let crash = |when| Fault::CrashHost {
            host: self.hosts[case.host].to_owned(),
            when,
            restart_after: Some(DOWN.as_nanos() as u64),
        };
        let faults = &mut plan.faults;
        let event = Seq(case.event as u64);
        faults.faults.push(crash(When::Event(event)));
        let again = case.again.iter().map(|after| crash(When::Recovery(*after)));
        faults.faults.extend(again);
        // What must come true in the end is asked for once the crashes are over.
        let crashes = 1 + case.again.len() as u32;
        let over = self.events[case.event] + DOWN * crashes + ECHO * crashes;
        faults.quiet_from = Some(faults.quiet_from.map_or(over, |quiet| quiet.max(over)));
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(events: u64, depth: u32) -> CrashPoints {
        CrashPoints {
            hosts: vec!["left", "right"],
            events: (0..events).map(Time::from_secs).collect(),
            depth,
        }
    }

    #[test]
    fn every_case_is_another_one_and_none_is_left_out() {
        let points = points(5, 3);
        let mut cases: Vec<Case> = (0..points.cases())
            .map(|number| points.case(number).unwrap())
            .collect();
        assert_eq!(points.case(points.cases()), None);
        assert_eq!(cases.len() as u64, 10 * (1 + 12 + 144));
        cases.sort_by_key(|case| (case.host, case.event, case.again.clone()));
        cases.dedup();
        assert_eq!(cases.len() as u64, points.cases());
    }

    #[test]
    fn the_cases_of_depth_one_come_first() {
        let points = points(3, 2);
        assert!((0..6).all(|number| points.case(number).unwrap().again.is_empty()));
        assert_eq!(points.case(6).unwrap().again, [1]);
    }

    #[test]
    fn quiet_is_kept_after_the_last_crash_and_no_sooner_than_the_scenario_wants() {
        let points = points(40, 2);
        let base = Plan::of("base", ());
        let crash = points.plan(&base, 2 * 20);
        assert_eq!(crash.faults.faults.len(), 1);
        assert_eq!(crash.faults.quiet_from, Some(Time::from_secs(26)));
        let mut base = base;
        base.faults.quiet_from = Some(Time::from_secs(30));
        let crash = points.plan(&base, 2 * 20);
        assert_eq!(crash.faults.quiet_from, Some(Time::from_secs(30)));
        let twice = points.plan(&base, points.cases() - 1);
        assert_eq!(twice.faults.faults.len(), 2);
        assert_eq!(twice.faults.quiet_from, Some(Time::from_secs(51)));
    }
}

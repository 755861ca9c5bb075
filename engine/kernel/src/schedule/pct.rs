//! Probabilistic concurrency testing: priorities that are drawn, and change at a few points.
//!
//! Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees
//! of Finding Bugs", 2010. A defect that needs d turns of the schedule among n tasks and k choices is
//! found by one run with a probability of at least 1 / (n k^(d-1)), however rare it is otherwise.

use std::collections::BTreeMap;

use super::Scheduler;
use crate::chance::Stream;
use crate::id::TaskId;

/// How many turns a run has at most.
const MOST_TURNS: u64 = 5;
/// Over how many choices the turns are spread: 2 to this power at most, the power being drawn, so
/// that short runs have their turns too.
const MOST_SPREAD_LOG2: u64 = 12;

/// The task of the highest priority goes first; at a turn that task falls below all others.
#[derive(Debug)]
pub(super) struct Pct {
    stream: Stream,
    priorities: BTreeMap<TaskId, u64>,
    /// The choices at which the turns come, the next one last.
    turns: Vec<u64>,
    made: u64,
}

impl Pct {
    pub(super) fn new(mut stream: Stream) -> Pct {
        let spread = 1 << (4 + stream.below(MOST_SPREAD_LOG2 - 3));
        let count = stream.below(MOST_TURNS + 1);
        let mut turns: Vec<u64> = (0..count).map(|_| stream.below(spread)).collect();
        turns.sort_unstable_by(|a, b| b.cmp(a));
        Pct {
            stream,
            priorities: BTreeMap::new(),
            turns,
            made: 0,
        }
    }

    /// Where the task of the highest priority stands; of equals the one that is ready longest.
    fn highest(&mut self, enabled: &[TaskId]) -> usize {
        let mut best = (0, 0);
        for (at, task) in enabled.iter().enumerate() {
            // What a turn lowers is below every drawn priority.
            let drawn = || MOST_TURNS + 1 + self.stream.below(1 << 32);
            let priority = *self.priorities.entry(*task).or_insert_with(drawn);
            if priority > best.1 {
                best = (at, priority);
            }
        }
        best.0
    }
}

impl Scheduler for Pct {
    fn choose(&mut self, enabled: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        let enabled: Vec<TaskId> = enabled.collect();
        while self.turns.last() == Some(&self.made) {
            self.turns.pop();
            let falls = self.highest(&enabled);
            self.priorities
                .insert(enabled[falls], self.turns.len() as u64 + 1);
        }
        self.made += 1;
        self.highest(&enabled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u64, choices: usize) -> Vec<usize> {
        let mut pct = Pct::new(Stream::new(seed, "engine", "priorities"));
        let tasks = [TaskId(1), TaskId(2), TaskId(3)];
        (0..choices)
            .map(|_| pct.choose(&mut tasks.iter().copied()))
            .collect()
    }

    #[test]
    fn one_task_goes_first_until_a_turn_comes() {
        let mut turned = 0;
        for seed in 0..50 {
            let order = order(seed, 5_000);
            assert_eq!(order, super::tests::order(seed, 5_000));
            let turns = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(turns <= MOST_TURNS as usize, "{turns} turns");
            turned += usize::from(turns > 0);
        }
        assert!(turned > 20, "turns do come: in {turned} of 50 runs");
    }

    #[test]
    fn every_task_is_first_under_some_seed() {
        let mut first = [0; 3];
        (0..60).for_each(|seed| first[order(seed, 1)[0]] += 1);
        assert!(first.iter().all(|count| *count > 5), "{first:?}");
    }
}

//! Who waits for whom: finding a cycle of waits.
//!
//! A task that waits for a lock waits for whoever holds it; for a semaphore, for any one of its
//! holders; for a join, for the other task. A task is stuck if everyone it could be freed by is
//! stuck: if nobody on whom it depends, over however many others, can go on. This file only looks; the [`World`](crate::World) knows the waits.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{LockId, TaskId};
use crate::name::Name;

/// What a task waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// A lock or a permit, since the task that asked was refused at once.
    Lock {
        /// Which one.
        lock: LockId,
        /// Whether a timeout around the wait can end it.
        breakable: bool,
    },
    /// The end of another task.
    Join {
        /// Which task.
        on: TaskId,
        /// Whether a timeout around the wait can end it.
        breakable: bool,
    },
}

impl Wait {
    fn breakable(&self) -> bool {
        match self {
            Wait::Lock { breakable, .. } | Wait::Join { breakable, .. } => *breakable,
        }
    }
}

/// One task in a cycle: what it waits for, and who in the cycle has that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The task that waits.
    pub task: TaskId,
    /// Its name.
    pub name: Name,
    /// What it waits for: the name of a lock, or none where it waits for the end of `held_by`.
    pub lock: Option<Name>,
    /// The tasks that could free it.
    pub held_by: Vec<TaskId>,
}

/// Tasks that wait for each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Who takes part, beginning with the task whose wait closed the circle.
    pub links: Vec<Link>,
    /// Whether a timeout of one of them will end its wait.
    pub breakable: bool,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, link) in self.links.iter().enumerate() {
            let sep = if i == 0 { "" } else { "; " };
            let holders: Vec<_> = link.held_by.iter().map(|task| self.label(*task)).collect();
            let holders = holders.join(", ");
            match &link.lock {
                Some(lock) => write!(
                    f,
                    "{sep}{} ─waits for→ {lock} ─held by→ {holders}",
                    self.label(link.task)
                )?,
                None => write!(
                    f,
                    "{sep}{} ─waits for the end of→ {holders}",
                    self.label(link.task)
                )?,
            }
        }
        Ok(())
    }
}

impl Cycle {
    fn label(&self, task: TaskId) -> String {
        match self.links.iter().find(|link| link.task == task) {
            Some(link) => format!("{} ({task})", link.name),
            None => task.to_string(),
        }
    }
}

/// What the graph needs to know of the world: what a task waits for, if it does, and the name and
/// the holders of a contended lock.
pub(crate) struct WaitGraph<W, H> {
    pub(crate) wait_of: W,
    pub(crate) holders_of: H,
}

impl<'a, W, H> WaitGraph<W, H>
where
    W: Fn(TaskId) -> Option<&'a Wait>,
    H: Fn(LockId) -> Option<(&'a Name, &'a [TaskId])>,
{
    /// The cycle that the wait of `last` closed, if it closed one. `name_of` gives the names for
    /// the report.
    pub(crate) fn cycle_through(
        &self,
        last: TaskId,
        name_of: impl Fn(TaskId) -> Name,
    ) -> Option<Cycle> {
        let members = self.stuck_with(last)?;
        let link = |(task, wait): &(TaskId, &'a Wait)| Link {
            task: *task,
            name: name_of(*task),
            lock: match wait {
                Wait::Lock { lock, .. } => {
                    let held = (self.holders_of)(*lock);
                    held.map(|(name, _)| name.clone())
                }
                Wait::Join { .. } => None,
            },
            held_by: self.could_be_freed_by(wait).to_vec(),
        };
        Some(Cycle {
            links: members.iter().map(link).collect(),
            breakable: members.iter().any(|(_, wait)| wait.breakable()),
        })
    }

    /// Everybody on whom a task depends, itself first, if all of them wait; none as soon as somebody
    /// is met who does not wait: it can go on, and free those before it one after the other.
    ///
    /// Breadth first, so that the report reads along the circle.
    fn stuck_with(&self, first: TaskId) -> Option<Vec<(TaskId, &'a Wait)>> {
        let mut members = vec![(first, (self.wait_of)(first)?)];
        let mut next = 0;
        while let Some((_, wait)) = members.get(next).copied() {
            for by in self.could_be_freed_by(wait) {
                if !members.iter().any(|(known, _)| known == by) {
                    members.push((*by, (self.wait_of)(*by)?));
                }
            }
            next += 1;
        }
        Some(members)
    }

    fn could_be_freed_by(&self, wait: &'a Wait) -> &'a [TaskId] {
        match wait {
            Wait::Lock { lock, .. } => (self.holders_of)(*lock).map_or(&[], |(_, by)| by),
            Wait::Join { on, .. } => std::slice::from_ref(on),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(id: u32) -> Wait {
        Wait::Lock {
            lock: LockId(id),
            breakable: false,
        }
    }

    fn cycle(waits: &[(u64, Wait)], holders: &[(u32, &[TaskId])], last: u64) -> Option<Vec<u64>> {
        let name = Name::from("lock");
        let graph = WaitGraph {
            wait_of: |task: TaskId| {
                let mut known = waits.iter();
                Some(&known.find(|(waits, _)| *waits == task.0)?.1)
            },
            holders_of: |lock: LockId| {
                let mut known = holders.iter();
                Some((&name, known.find(|(held, _)| *held == lock.0)?.1))
            },
        };
        graph
            .cycle_through(TaskId(last), |task| Name::from(task.to_string()))
            .map(|cycle| cycle.links.iter().map(|link| link.task.0).collect())
    }

    #[test]
    fn a_task_that_takes_its_own_lock_twice_is_a_cycle_of_one() {
        assert_eq!(
            cycle(&[(1, lock(7))], &[(7, &[TaskId(1)])], 1),
            Some(vec![1])
        );
    }

    #[test]
    fn two_locks_taken_in_opposite_order_are_a_cycle_of_two() {
        let waits = [(1, lock(8)), (2, lock(7))];
        let holders: [(u32, &[TaskId]); 2] = [(7, &[TaskId(1)]), (8, &[TaskId(2)])];
        assert_eq!(cycle(&waits, &holders, 2), Some(vec![2, 1]));
    }

    #[test]
    fn one_free_holder_of_a_semaphore_is_enough() {
        let waits = [(1, lock(7)), (2, lock(7))];
        let free: [(u32, &[TaskId]); 1] = [(7, &[TaskId(1), TaskId(2), TaskId(3)])];
        assert_eq!(cycle(&waits, &free, 2), None);
        let stuck: [(u32, &[TaskId]); 1] = [(7, &[TaskId(1), TaskId(2)])];
        assert_eq!(cycle(&waits, &stuck, 2), Some(vec![2, 1]));
    }

    #[test]
    fn waiting_for_a_cycle_is_not_being_in_one_but_is_reported_with_it() {
        let join = Wait::Join {
            on: TaskId(1),
            breakable: true,
        };
        let waits = [(1, lock(7)), (5, join)];
        let holders: [(u32, &[TaskId]); 1] = [(7, &[TaskId(1)])];
        assert_eq!(
            cycle(&waits, &holders, 1),
            Some(vec![1]),
            "the joiner is not a member"
        );
        assert_eq!(
            cycle(&waits, &holders, 5),
            Some(vec![5, 1]),
            "it can never be freed either"
        );
    }
}

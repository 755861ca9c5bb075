//! Who waits for whom when a run could not go on: the graph of waits, ready to be drawn.
//!
//! Tasks wait for locks and for the end of other tasks, and locks are held by tasks. Where the waits close a circle,
//! its parts come first, in the order in which one waits for the next.

use std::collections::BTreeMap;

use dacapo_kernel::{Cycle, LockId, TaskId, Verdict, Wait, World};

/// How many waits beside the circle are shown.
const BESIDE: usize = 12;

/// A part of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitNode {
    /// What people call it.
    pub name: String,
    /// Whether it is a lock; otherwise it is a task.
    pub is_lock: bool,
}

/// The graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitPicture {
    /// Its parts: those of the circle first, each waiting for, or held by, the next one.
    pub nodes: Vec<WaitNode>,
    /// How many of them are the circle's.
    pub in_circle: usize,
    /// From whom to what it waits for, and from a lock to who holds it, by place among the parts.
    pub edges: Vec<(usize, usize)>,
    /// How many tasks that wait are left out.
    pub left_out: usize,
    /// Whether a timeout broke the circle, and the run went on.
    pub is_broken: bool,
}

/// Who waits for whom at the end of a run that could not go on; otherwise the last circle that a timeout broke. None if
/// nobody ever waited in vain.
pub fn waits_of<V>(world: &World<V>) -> Option<WaitPicture> {
    match &world.verdict {
        Some(Verdict::Deadlock(cycle)) => {
            let mut graph = Graph::of_circle(cycle);
            graph.add_waits(world);
            Some(graph.picture)
        }
        Some(Verdict::Stall(_)) => {
            let mut graph = Graph::default();
            graph.add_waits(world);
            Some(graph.picture).filter(|picture| !picture.edges.is_empty())
        }
        _ => {
            let (_, cycle) = world.cycles.last()?;
            let mut graph = Graph::of_circle(cycle);
            graph.picture.is_broken = true;
            Some(graph.picture)
        }
    }
}

#[derive(Default)]
struct Graph {
    picture: WaitPicture,
    tasks: BTreeMap<TaskId, usize>,
    /// Locks by their names: what a circle calls them.
    locks: BTreeMap<String, usize>,
}

impl Graph {
    fn of_circle(cycle: &Cycle) -> Graph {
        let mut graph = Graph::default();
        let label = |task: TaskId| {
            let named = cycle.links.iter().find(|link| link.task == task);
            named.map_or_else(
                || task.to_string(),
                |link| format!("{} ({task})", link.name),
            )
        };
        for link in &cycle.links {
            let task = graph.task(link.task, || label(link.task));
            let from = match &link.lock {
                Some(lock) => {
                    let lock = graph.lock(lock.as_str());
                    graph.edge(task, lock);
                    lock
                }
                None => task,
            };
            for holder in &link.held_by {
                // The next part of the circle is made with its own link; the edge wants it now.
                let holder = graph.task(*holder, || label(*holder));
                graph.edge(from, holder);
            }
        }
        graph.picture.in_circle = graph.picture.nodes.len();
        graph
    }

    /// The waits of everybody else.
    fn add_waits<V>(&mut self, world: &World<V>) {
        let waiting = world.processes.iter();
        let waiting = waiting.filter_map(|(task, process)| Some((*task, process.wait.as_ref()?)));
        let mut beside = 0;
        for (task, wait) in waiting {
            if self.tasks.contains_key(&task) {
                continue;
            }
            beside += 1;
            if beside > BESIDE {
                self.picture.left_out += 1;
                continue;
            }
            let from = self.living(world, task);
            match wait {
                Wait::Join { on, .. } => {
                    let to = self.living(world, *on);
                    self.edge(from, to);
                }
                Wait::Lock { lock, .. } => self.add_lock(world, from, *lock),
            }
        }
    }

    fn add_lock<V>(&mut self, world: &World<V>, from: usize, lock: LockId) {
        let Some(contended) = world.contended.get(&lock) else {
            return;
        };
        let to = self.lock(contended.name.as_str());
        self.edge(from, to);
        for holder in &contended.holders {
            let holder = self.living(world, *holder);
            self.edge(to, holder);
        }
    }

    fn living<V>(&mut self, world: &World<V>, task: TaskId) -> usize {
        self.task(task, || match world.processes.get(&task) {
            Some(process) => format!("{} ({task})", process.name),
            None => task.to_string(),
        })
    }

    fn task(&mut self, task: TaskId, name: impl FnOnce() -> String) -> usize {
        if let Some(known) = self.tasks.get(&task) {
            return *known;
        }
        let at = self.add(name(), false);
        self.tasks.insert(task, at);
        at
    }

    fn lock(&mut self, name: &str) -> usize {
        if let Some(known) = self.locks.get(name) {
            return *known;
        }
        let at = self.add(name.to_owned(), true);
        self.locks.insert(name.to_owned(), at);
        at
    }

    fn add(&mut self, name: String, is_lock: bool) -> usize {
        self.picture.nodes.push(WaitNode { name, is_lock });
        self.picture.nodes.len() - 1
    }

    fn edge(&mut self, from: usize, to: usize) {
        if !self.picture.edges.contains(&(from, to)) {
            self.picture.edges.push((from, to));
        }
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Link;

    use super::*;

    fn link(task: u64, lock: Option<&'static str>, held_by: &[u64]) -> Link {
        Link {
            task: TaskId(task),
            name: format!("worker-{task}").into(),
            lock: lock.map(Into::into),
            held_by: held_by.iter().map(|&task| TaskId(task)).collect(),
        }
    }

    fn ended(links: Vec<Link>) -> WaitPicture {
        let verdict = Verdict::Deadlock(Cycle {
            links,
            breakable: false,
        });
        let world = World::<()> {
            verdict: Some(verdict),
            ..World::default()
        };
        waits_of(&world).unwrap()
    }

    fn named(picture: &WaitPicture) -> Vec<(&str, &str)> {
        let name = |at: usize| picture.nodes[at].name.as_str();
        let edges = picture.edges.iter();
        edges.map(|(from, to)| (name(*from), name(*to))).collect()
    }

    /// An edge that is missing, doubled or turned around fails here.
    #[test]
    fn a_circle_of_locks_goes_round() {
        let picture = ended(vec![link(1, Some("a"), &[2]), link(2, Some("b"), &[1])]);
        assert_eq!(
            named(&picture),
            [
                ("worker-1 (t1)", "a"),
                ("a", "worker-2 (t2)"),
                ("worker-2 (t2)", "b"),
                ("b", "worker-1 (t1)"),
            ]
        );
        assert_eq!(picture.in_circle, 4);
        assert!(picture.nodes[1].is_lock && !picture.nodes[2].is_lock);
    }

    #[test]
    fn who_waits_for_himself_and_who_waits_for_an_end_are_circles_too() {
        let picture = ended(vec![link(1, Some("bus"), &[1])]);
        assert_eq!(
            named(&picture),
            [("worker-1 (t1)", "bus"), ("bus", "worker-1 (t1)")]
        );
        let picture = ended(vec![link(1, None, &[2]), link(2, None, &[1])]);
        assert_eq!(
            named(&picture),
            [
                ("worker-1 (t1)", "worker-2 (t2)"),
                ("worker-2 (t2)", "worker-1 (t1)")
            ]
        );
    }

    #[test]
    fn a_run_that_went_on_shows_the_circle_that_was_broken_or_nothing() {
        let mut world = World::<()>::default();
        assert_eq!(waits_of(&world), None);
        let links = vec![link(1, Some("bus"), &[1])];
        let cycle = Cycle {
            links,
            breakable: true,
        };
        world.cycles.push((dacapo_kernel::Seq(7), cycle));
        assert!(waits_of(&world).unwrap().is_broken);
    }
}

//! Workers share a queue of items by leases. `docs/your-own-system.md` walks through it.

mod properties;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leased {
    item: u32,
    worker: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completed {
    item: u32,
    worker: u32,
}

events! {
    /// What happens to the items of a queue.
    pub enum QueueEvent {
        /// A worker may work on an item for a while.
        64 "item leased" v 1 Consequence => Leased(Leased);
        /// A worker has done an item.
        65 "item completed" v 1 Consequence => Completed(Completed);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Config {
    queue: Queue,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue {
    workers: u32,
    items: u32,
    lease_ms: u64,
    longest_work_ms: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    leases: u32,
    done_by: BTreeMap<u32, Vec<u32>>,
}

impl View<QueueEvent> for Progress {
    fn apply(&mut self, _: &Event<QueueEvent>, event: &QueueEvent) {
        match event {
            QueueEvent::Leased(_) => self.leases += 1,
            QueueEvent::Completed(it) => self.done_by.entry(it.item).or_default().push(it.worker),
        }
    }
}

pub struct WorkQueue;

impl System for WorkQueue {
    const NAME: &'static str = "work-queue";
    type Event = QueueEvent;
    type View = Progress;
    type Config = Config;

    fn resolve(_: &mut Plan<Config>, _: &dyn Files) -> Result<(), Mistake> {
        Ok(())
    }

    fn build(plan: &Plan<Config>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        let queue = plan.system.queue.clone();
        let is_broken = plan.defects.iter().any(|on| on == "lease-not-rechecked");
        setup.host("queue", move |ctx| serve(ctx, queue.clone(), is_broken));
        Ok(())
    }

    fn invariants(_: &Plan<Config>) -> Vec<Box<dyn Invariant<QueueEvent>>> {
        vec![
            Box::new(properties::AtMostOnce::default()),
            Box::new(properties::AllDone::default()),
            Box::new(NoDeadlock),
        ]
    }

    fn sometimes(_: &Plan<Config>) -> Vec<Sometimes<QueueEvent>> {
        vec![properties::taken_over()]
    }

    fn faults() -> Vec<FaultKind> {
        let door = |name, meaning, value, most| FaultKind {
            name,
            meaning,
            value,
            least: 1,
            most,
            how: How::Door {
                most_per_mille: 200,
            },
        };
        vec![
            door(
                "worker.slow",
                "a worker takes longer for an item",
                "how much longer, in milliseconds",
                500,
            ),
            door(
                "lease.early-expiry",
                "a lease is shorter than it should be",
                "how long it lasts, in milliseconds",
                50,
            ),
        ]
    }

    fn defects() -> Vec<Switch> {
        vec![Switch {
            name: "lease-not-rechecked",
            reference: "example",
            broken: "a worker completes its item even if its lease was given to another meanwhile",
            sound: "a worker looks at its lease again before it completes the item",
            caught_by: "queue.at-most-once",
        }]
    }

    fn figures(world: &World<Progress>) -> Vec<Figure> {
        vec![Figure {
            name: "leases",
            value: f64::from(world.view.leases),
            meaning: "leases given",
        }]
    }

    fn describe(_: &Event<QueueEvent>, event: &QueueEvent) -> String {
        match event {
            QueueEvent::Leased(it) => format!("worker {} has item {}", it.worker, it.item),
            QueueEvent::Completed(it) => format!("worker {} did item {}", it.worker, it.item),
        }
    }

    fn tags(event: &QueueEvent) -> Vec<(&'static str, String)> {
        let (QueueEvent::Leased(Leased { item, .. })
        | QueueEvent::Completed(Completed { item, .. })) = event;
        vec![("item", item.to_string())]
    }
}

/// Of each item not yet done: who has it, and until when.
type Shelf = Rc<RefCell<BTreeMap<u32, (u32, Time)>>>;

async fn serve(ctx: Ctx<WorkQueue>, queue: Queue, is_broken: bool) {
    let items = (1..=queue.items).map(|item| (item, (0, Time::ZERO)));
    let shelf = Shelf::new(RefCell::new(items.collect()));
    for worker in 1..=queue.workers {
        let name = format!("worker-{worker}");
        let (ctx, shelf, queue) = (ctx.actor(name.as_str()), shelf.clone(), queue.clone());
        ctx.clone()
            .spawn(name, work(ctx, shelf, queue, worker, is_broken));
    }
}

async fn work(ctx: Ctx<WorkQueue>, shelf: Shelf, queue: Queue, worker: u32, is_broken: bool) {
    while !shelf.borrow().is_empty() {
        let free = shelf
            .borrow()
            .iter()
            .find(|(_, held)| held.1 <= ctx.now())
            .map(|(item, _)| *item);
        let Some(item) = free else {
            ctx.sleep(Duration::from_millis(10)).await;
            continue;
        };
        let lease_ms = ctx.fault("lease.early-expiry").unwrap_or(queue.lease_ms);
        let mine = (worker, ctx.now() + Duration::from_millis(lease_ms));
        shelf.borrow_mut().insert(item, mine);
        ctx.emit(Leased { item, worker });
        let work_ms = ctx.random("work", queue.longest_work_ms);
        let more_ms = ctx.fault("worker.slow").unwrap_or(0);
        ctx.sleep(Duration::from_millis(work_ms + more_ms)).await;
        if is_broken || shelf.borrow().get(&item) == Some(&mine) {
            shelf.borrow_mut().remove(&item);
            ctx.emit(Completed { item, worker });
        }
    }
}

fn main() -> ExitCode {
    dacapo_cli::main::<WorkQueue>()
}

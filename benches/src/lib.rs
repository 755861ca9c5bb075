//! The systems that the benches run: as little as possible besides the kernel itself.
//!
//! What is measured is in `benches/`, one file per topic. `docs/performance.md` has the figures.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, BuildError, Ctx, Event, Files, Invariant, Mistake, Outcome, Plan, Run,
    SchedulerKind, Setup, System, View, channel, events,
};
use serde::{Deserialize, Serialize};

/// A message was received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Received {
    /// Which one.
    pub number: u64,
}

/// A task did one piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worked {
    /// How much it had done before.
    pub before: u64,
}

events! {
    /// What happens in a bench.
    pub enum Happened {
        /// A message was received.
        64 "received" v 1 Consequence => Received(Received);
        /// A task did one piece of work.
        65 "worked" v 1 Consequence => Worked(Worked);
    }
}

/// A sum over everything, so that a fold has something to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// How many events of the domain there were.
    pub events: u64,
    /// The sum of their numbers.
    pub sum: u64,
}

impl View<Happened> for Sum {
    fn apply(&mut self, _: &Event<Happened>, domain: &Happened) {
        self.events += 1;
        self.sum += match domain {
            Happened::Received(received) => received.number,
            Happened::Worked(worked) => worked.before,
        };
    }
}

/// Which work is measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Work {
    /// Two tasks send a message back and forth, and one event is logged for each time it is
    /// received.
    PingPong {
        /// How often it is received.
        messages: u64,
    },
    /// Tasks sleep for different spans, again and again.
    Sleeps {
        /// How many tasks.
        tasks: u64,
        /// How often each sleeps.
        each: u64,
    },
    /// Tasks that could all run take turns as the scheduler chooses; each turn logs an event.
    Choices {
        /// How many tasks.
        tasks: u64,
        /// How many turns in all.
        events: u64,
    },
}

/// The system under measurement.
#[derive(Debug)]
pub struct Bench;

impl System for Bench {
    const NAME: &'static str = "bench";
    type Event = Happened;
    type View = Sum;
    type Config = Work;

    fn resolve(_: &mut Plan<Work>, _: &dyn Files) -> Result<(), Mistake> {
        Ok(())
    }

    fn build(plan: &Plan<Work>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        match plan.system {
            Work::PingPong { messages } => {
                setup.host("main", move |ctx| ping_pong(ctx, messages));
            }
            Work::Sleeps { tasks, each } => {
                setup.host("main", move |ctx| sleeps(ctx, tasks, each));
            }
            Work::Choices { tasks, events } => {
                setup.host("main", move |ctx| choices(ctx, tasks, events));
            }
        }
        Ok(())
    }

    fn invariants(_: &Plan<Work>) -> Vec<Box<dyn Invariant<Happened>>> {
        vec![Box::new(Forwards::default())]
    }

    fn describe(_: &Event<Happened>, domain: &Happened) -> String {
        format!("{domain:?}")
    }
}

async fn ping_pong(ctx: Ctx<Bench>, messages: u64) {
    let (ping, mut pings) = channel(&ctx, "ping", 1);
    let (pong, mut pongs) = channel(&ctx, "pong", 1);
    let other = ctx.clone();
    let echo = ctx.spawn("echo", async move {
        while let Some(number) = pings.recv().await {
            other.emit(Received { number });
            if pong.send(number + 1).await.is_err() {
                break;
            }
        }
    });
    let mut number = 0;
    while number < messages {
        if ping.send(number).await.is_err() {
            break;
        }
        if let Some(back) = pongs.recv().await {
            ctx.emit(Received { number: back });
            number = back + 1;
        }
    }
    drop(ping);
    if echo.join().await.is_err() {
        ctx.emit(Worked { before: 0 });
    }
}

async fn sleeps(ctx: Ctx<Bench>, tasks: u64, each: u64) {
    for task in 0..tasks {
        let own = ctx.clone();
        ctx.spawn("sleeper", async move {
            for turn in 0..each {
                own.sleep(span(task, turn)).await;
            }
        });
    }
}

/// How long a task sleeps: between one and two milliseconds, rarely two tasks at once.
pub fn span(task: u64, turn: u64) -> Duration {
    Duration::from_micros(1_000 + (task * 7_919 + turn * 104_729) % 1_000)
}

async fn choices(ctx: Ctx<Bench>, tasks: u64, events: u64) {
    for _ in 0..tasks {
        let own = ctx.clone();
        ctx.spawn("worker", async move {
            for before in 0..events / tasks {
                own.emit(Worked { before });
                own.yield_now().await;
            }
        });
    }
}

/// Times never go back, and no work is done before any other was: something to look at for
/// every event.
#[derive(Debug, Default)]
pub struct Forwards {
    last: dacapo_kernel::Time,
    worked: u64,
}

impl Invariant<Happened> for Forwards {
    fn id(&self) -> &'static str {
        "bench.forwards"
    }

    fn statement(&self) -> &'static str {
        "time and work go forwards"
    }

    fn observe(&mut self, event: &Event<Happened>) -> Result<(), String> {
        if event.time < self.last {
            return Err(format!(
                "expected {} or later, found {}",
                self.last, event.time
            ));
        }
        self.last = event.time;
        if let Some(Happened::Worked(worked)) = event.domain() {
            self.worked += 1;
            if worked.before >= self.worked {
                return Err(format!(
                    "expected less than {}, found {}",
                    self.worked, worked.before
                ));
            }
        }
        Ok(())
    }
}

/// A plan for some work.
pub fn plan(work: Work) -> Plan<Work> {
    Plan {
        seed: 1,
        scheduler: match work {
            Work::Choices { .. } => SchedulerKind::Random,
            Work::PingPong { .. } | Work::Sleeps { .. } => SchedulerKind::Fifo,
        },
        budgets: dacapo_kernel::Budgets {
            events_at_one_instant: u64::MAX,
            ..Default::default()
        },
        profile: "sound".to_owned(),
        ..Plan::of("bench", work)
    }
}

/// No files at all.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn io::Read>, BuildError> {
        Err(BuildError::Plan(format!(
            "a bench reads no files, not even {path}"
        )))
    }
}

/// A log in memory that is there after the run.
#[derive(Clone, Debug, Default)]
pub struct Kept(Rc<RefCell<Memory>>);

impl Kept {
    /// A log to be read.
    pub fn of(bytes: Vec<u8>) -> Kept {
        Kept(Rc::new(RefCell::new(Memory(bytes))))
    }

    /// The same bytes, for a writer or a reader.
    pub fn storage(&self) -> BoxedStorage {
        Box::new(Rc::clone(&self.0))
    }

    /// The bytes.
    pub fn take(self) -> Vec<u8> {
        self.0.take().0
    }

    /// A reader of this log.
    ///
    /// # Panics
    /// If this is not a log.
    pub fn reader(&self) -> Reader<BoxedStorage> {
        let storage: BoxedStorage = self.storage();
        Reader::open(storage).expect("the bench has just written this log")
    }
}

/// Makes a run with its whole log in memory.
///
/// # Panics
/// If the run fails: memory does not.
pub fn record(plan: &Plan<Work>, checked: bool) -> (Outcome<Sum>, Kept) {
    let kept = Kept::default();
    let run = Run::<Bench>::new(plan);
    let run = if checked { run } else { run.unchecked() };
    let outcome = run
        .record(&NoFiles, kept.storage(), SyncPolicy::Never)
        .expect("memory never fails");
    (outcome, kept)
}

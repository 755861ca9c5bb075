//! A small system for the tests of the kernel: whatever a test says, on a stage of its own.
//!
//! A [`Story`] holds the code of one test. Telling it records a run twice and holds every way of
//! reading its log against the others, so that each story tests replay as well.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]
#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::log::{Memory, Reader, Storage, SyncPolicy};
use dacapo_kernel::{
    Body, BuildError, Ctx, Event, EventSet, Events, Fault, Files, Invariant, Mistake, Outcome,
    Plan, Run, SchedulerKind, Seq, Setup, Snapshots, System, Time, Verdict, Verified, View, World,
    events, fold, verify,
};
use serde::{Deserialize, Serialize};

/// Somebody said something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) what: String,
}

/// Somebody asked the outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) what: String,
}

/// The outside answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub(crate) what: String,
}

/// Something arrived unasked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) what: String,
}

events! {
    /// What happens on the stage.
    pub(crate) enum Act {
        /// Somebody said something.
        64 "said" v 1 Consequence => Said(Said);
        /// Somebody asked the outside.
        65 "asked" v 1 Call => Asked(Asked);
        /// The outside answered.
        66 "answered" v 1 Answer => Answered(Answered);
        /// Something arrived unasked.
        67 "arrived" v 1 Input => Arrived(Arrived);
    }
}

impl From<&str> for Act {
    fn from(what: &str) -> Act {
        Act::from(what.to_owned())
    }
}

impl From<String> for Act {
    fn from(what: String) -> Act {
        Act::Said(Said { what })
    }
}

pub(crate) fn asked(what: &str) -> Act {
    Act::Asked(Asked { what: what.into() })
}

pub(crate) fn answered(what: &str) -> Act {
    Act::Answered(Answered { what: what.into() })
}

pub(crate) fn arrived(what: &str) -> Act {
    Act::Arrived(Arrived { what: what.into() })
}

/// What was said, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Minutes {
    pub(crate) said: Vec<String>,
    pub(crate) others: u64,
}

impl View<Act> for Minutes {
    fn apply(&mut self, _: &Event<Act>, domain: &Act) {
        match domain {
            Act::Said(said) => self.said.push(said.what.clone()),
            _ => self.others += 1,
        }
    }
}

type Build = Rc<dyn Fn(&mut Setup<'_, Stage>)>;
type Invariants = Rc<dyn Fn() -> Vec<Box<dyn Invariant<Act>>>>;

thread_local! {
    /// What the next run on this thread consists of: a system is a type, a story is a value.
    static BUILD: RefCell<Option<Build>> = const { RefCell::new(None) };
    static INVARIANTS: RefCell<Option<Invariants>> = const { RefCell::new(None) };
}

/// The system under test.
pub(crate) struct Stage;

impl System for Stage {
    const NAME: &'static str = "stage";
    type Event = Act;
    type View = Minutes;
    type Config = ();

    fn resolve(_: &mut Plan<()>, _: &dyn Files) -> Result<(), Mistake> {
        Ok(())
    }

    fn build(_: &Plan<()>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        let build = BUILD.with_borrow(Clone::clone).expect("a story is told");
        build(setup);
        Ok(())
    }

    fn invariants(_: &Plan<()>) -> Vec<Box<dyn Invariant<Act>>> {
        INVARIANTS.with_borrow(|made| made.as_ref().map_or_else(Vec::new, |make| make()))
    }

    fn describe(_: &Event<Act>, domain: &Act) -> String {
        format!("{domain:?}")
    }
}

/// No files at all.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn io::Read>, BuildError> {
        let what = "a test reads no files".to_owned();
        Err(BuildError::File {
            path: path.to_owned(),
            what,
        })
    }
}

/// A log in memory that the test keeps after the run.
pub(crate) type Shared = Rc<RefCell<Memory>>;

/// The code of one test, and the plan it runs under.
#[derive(Clone)]
pub(crate) struct Story {
    build: Build,
    invariants: Option<Invariants>,
    pub(crate) plan: Plan<()>,
}

impl Story {
    /// A story with hosts, feeds and providers as `build` says.
    pub(crate) fn staged(build: impl Fn(&mut Setup<'_, Stage>) + 'static) -> Story {
        Story {
            build: Rc::new(build),
            invariants: None,
            plan: plan(),
        }
    }

    /// A story of one host with one main task.
    pub(crate) fn of<F: Future<Output = ()> + 'static>(
        main: impl Fn(Ctx<Stage>) -> F + 'static,
    ) -> Story {
        let main = Rc::new(main);
        Story::staged(move |setup| {
            let main = Rc::clone(&main);
            setup.host("main", move |ctx| main(ctx));
        })
    }

    pub(crate) fn seed(mut self, seed: u64) -> Story {
        self.plan.seed = seed;
        self
    }

    pub(crate) fn random(mut self) -> Story {
        self.plan.scheduler = SchedulerKind::Random;
        self
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Story {
        self.plan.faults.faults.push(fault);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Plan<()>)) -> Story {
        change(&mut self.plan);
        self
    }

    pub(crate) fn invariants(
        mut self,
        make: impl Fn() -> Vec<Box<dyn Invariant<Act>>> + 'static,
    ) -> Story {
        self.invariants = Some(Rc::new(make));
        self
    }

    pub(crate) fn prepare(&self) {
        BUILD.set(Some(Rc::clone(&self.build)));
        INVARIANTS.set(self.invariants.clone());
    }

    /// Records the story.
    pub(crate) fn record(&self) -> Told {
        self.prepare();
        let storage = Shared::default();
        let outcome = Run::<Stage>::new(&self.plan)
            .record(&NoFiles, Box::new(storage.clone()), SyncPolicy::Never)
            .expect("memory never fails");
        let bytes = storage.take().0;
        let events = events_of(&bytes);
        Told {
            outcome,
            bytes,
            events,
        }
    }

    /// Runs a log again with the code of this story.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Verified<Stage> {
        self.prepare();
        verify::<Stage>(reader(bytes), None).expect("a sound log can be verified")
    }

    /// Records the story and tries everything that can be done with its log.
    pub(crate) fn tell(&self) -> Told {
        let told = self.record();
        let again = self.record();
        assert_eq!(
            told.bytes, again.bytes,
            "two recordings are the same, byte for byte"
        );
        told.hold_together(self);
        told
    }
}

/// A plan without anything in it.
pub(crate) fn plan() -> Plan<()> {
    Plan {
        seed: 1,
        profile: "sound".to_owned(),
        ..Plan::of("story", ())
    }
}

/// What became of a story.
pub(crate) struct Told {
    pub(crate) outcome: Outcome<Minutes>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: Vec<Event<Act>>,
}

impl Told {
    pub(crate) fn verdict(&self) -> &Verdict {
        &self.outcome.verdict
    }

    /// What was said, in order.
    pub(crate) fn said(&self) -> Vec<&str> {
        self.outcome
            .world
            .view
            .said
            .iter()
            .map(String::as_str)
            .collect()
    }

    /// What was said and when, in milliseconds.
    pub(crate) fn said_at(&self) -> Vec<(u64, &str)> {
        let said = |event: &'_ Event<Act>| event.time.as_nanos() / 1_000_000;
        self.events
            .iter()
            .filter_map(|event| match event.domain() {
                Some(Act::Said(what)) => Some((said(event), what.what.as_str())),
                _ => None,
            })
            .collect()
    }

    /// The names of the kinds of all events, in order.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.kind().name).collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|name| **name == kind).count()
    }

    /// The first event of a kind.
    pub(crate) fn first(&self, kind: &str) -> &Event<Act> {
        self.events
            .iter()
            .find(|event| event.kind().name == kind)
            .unwrap_or_else(|| panic!("no event {kind:?} among {:?}", self.kinds()))
    }

    /// Verifies, folds and seeks, and holds each against the run.
    pub(crate) fn hold_together(&self, story: &Story) {
        match story.verify(&self.bytes) {
            Verified::Same(again) => {
                assert_eq!(
                    again.world, self.outcome.world,
                    "the replay ends in the same state"
                );
                assert_eq!(again.verdict, self.outcome.verdict);
                assert_eq!(again.events, self.outcome.events);
                assert_eq!(again.findings, self.outcome.findings);
                assert_eq!(again.fingerprint, self.outcome.fingerprint);
            }
            Verified::SameSoFar(_) => panic!("the log was closed, and is said to be cut off"),
            Verified::Diverged(difference, _) => panic!("the replay differs: {difference:#?}"),
        }
        let folded = fold::<Stage>(&mut Events::new(reader(&self.bytes)), None).unwrap();
        assert_eq!(folded, self.outcome.world, "a fold ends in the same state");
        assert_eq!(self.outcome.events, self.events.len() as u64);
        assert_eq!(folded.verdict.as_ref(), Some(&self.outcome.verdict));
        if self.events.len() <= 200 {
            self.seek_everywhere();
        }
    }

    /// Seeking finds at every event the state that folding up to there finds.
    fn seek_everywhere(&self) {
        let mut log = Events::new(reader(&self.bytes));
        let mut snapshots = Snapshots::<Stage>::every(7, "a log");
        let mut world: World<Minutes> = World::default();
        let mut states = Vec::new();
        for event in &self.events {
            world.apply(event);
            states.push(world.clone());
        }
        let forwards = states.iter();
        let backwards = states.iter().rev();
        for state in forwards.chain(backwards) {
            let at = state.last.unwrap();
            let sought = snapshots.seek(&mut log, at, |_, _| {}).unwrap();
            assert_eq!(sought, *state, "at {at}");
        }
    }
}

pub(crate) fn reader(bytes: &[u8]) -> Reader<Box<dyn Storage>> {
    let storage: Box<dyn Storage> = Box::new(Memory(bytes.to_vec()));
    Reader::open(storage).expect("the log is sound")
}

pub(crate) fn events_of(bytes: &[u8]) -> Vec<Event<Act>> {
    let mut events = Events::new(reader(bytes));
    std::iter::from_fn(|| events.next().expect("the log is sound")).collect()
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn at_ms(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

/// The places of the events for which `wanted` holds.
pub(crate) fn places(events: &[Event<Act>], wanted: impl Fn(&Body<Act>) -> bool) -> Vec<Seq> {
    events
        .iter()
        .filter(|event| wanted(&event.body))
        .map(|event| event.seq)
        .collect()
}

/// Two events of the domain differ only in this.
pub(crate) fn said(event: &Event<Act>) -> Option<&str> {
    match event.domain()? {
        Act::Said(said) => Some(&said.what),
        _ => None,
    }
}

/// Every number of a kind that a log can have.
pub(crate) fn kind_numbers() -> Vec<u16> {
    Act::KINDS.iter().map(|kind| kind.number).collect()
}

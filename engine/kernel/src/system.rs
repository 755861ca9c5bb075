//! What a system under simulation is.
//!
//! Whoever implements [`System`] gets every command of the program. Nothing here knows what
//! the system is about.

use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::event::{Event, EventSet};
use crate::exhibit::Exhibits;
use crate::fault::FaultKind;
use crate::id::Time;
use crate::invariant::{Invariant, Sometimes};
use crate::measure::{Measure, Trial, Wanted};
use crate::plan::Plan;
use crate::program::{Dialogue, Program, ProgramError, Service};
use crate::rehearing::Rehearing;
use crate::section::Section;
use crate::setup::Setup;
use crate::world::{View, World};

/// A system under simulation.
pub trait System: Sized + 'static {
    /// Its name, in logs and on screens.
    const NAME: &'static str;

    /// Its own events.
    type Event: EventSet;

    /// What it shows of itself, folded from its events.
    type View: View<Self::Event>;

    /// Its own part of a scenario, resolved.
    type Config: Serialize + DeserializeOwned + Clone + 'static;

    /// Checks a configuration as a whole, and reads what it names.
    ///
    /// Called once, before the first event; what it returns goes into the log.
    ///
    /// # Errors
    /// A mistake of whoever wrote the scenario, with the place.
    fn resolve(plan: &mut Plan<Self::Config>, files: &dyn Files) -> Result<(), Mistake>;

    /// A scenario for data files that somebody brings; none if the system has no use for such files.
    ///
    /// Nothing that could be either of two things is guessed: it is asked for.
    ///
    /// # Errors
    /// In words, what is wrong with a file, and where.
    fn scenario_for(_data: &Brought<'_>, _files: &dyn Files) -> Option<Result<Draft, String>> {
        None
    }

    /// A configuration for lists of what the system has, where no scenario is at hand.
    fn plainest() -> Option<Self::Config> {
        serde_json::from_str("{}").ok()
    }

    /// Puts the system on its hosts: its tasks, the feeds it listens to, who answers its calls.
    ///
    /// # Errors
    /// If something the plan names cannot be opened.
    fn build(plan: &Plan<Self::Config>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError>;

    /// The properties that must hold in every run.
    fn invariants(_plan: &Plan<Self::Config>) -> Vec<Box<dyn Invariant<Self::Event>>> {
        Vec::new()
    }

    /// What a campaign of many runs must have reached.
    fn sometimes(_plan: &Plan<Self::Config>) -> Vec<Sometimes<Self::Event>> {
        Vec::new()
    }

    /// The kinds of fault that it can suffer, for people to read of and for a fuzzer to draw.
    fn faults() -> Vec<FaultKind> {
        Vec::new()
    }

    /// Takes what one of its own acts among the faults does into the plan of a run: a message that
    /// arrives at an instant, a setting that differs. What a loader would refuse has no effect.
    ///
    /// # Errors
    /// If there is no such act, in words.
    fn act(
        _plan: &mut Plan<Self::Config>,
        what: &str,
        _at: Time,
        _value: u64,
    ) -> Result<(), String> {
        Err(format!("this system has no act `{what}` among its faults"))
    }

    /// The defects that can be switched on.
    fn defects() -> Vec<Switch> {
        Vec::new()
    }

    /// Named sets of defects, the default first.
    fn profiles() -> Vec<Profile> {
        vec![Profile {
            name: "sound",
            meaning: "no defect is on",
            defects: Vec::new(),
        }]
    }

    /// What finds the decisions of a recorded run, to put them again with another template; none if no service decides
    /// anything in this system.
    fn rehearing(_plan: &Plan<Self::Config>) -> Option<Box<dyn Rehearing<Self::Event>>> {
        None
    }

    /// Figures of a run, for its summary and for what a scenario expects of it.
    fn figures(_world: &World<Self::View>) -> Vec<Figure> {
        Vec::new()
    }

    /// What makes further figures of a run from its events, if anything does.
    fn measure(
        _plan: &Plan<Self::Config>,
        _wanted: Wanted,
    ) -> Option<Box<dyn Measure<Self::Event>>> {
        None
    }

    /// What is to be said of many runs together, in tables: the figures of each, in order.
    fn across(_trials: &[Trial]) -> Vec<Section> {
        Vec::new()
    }

    /// Further lines and tables for the summary of a run.
    fn summary(_world: &World<Self::View>) -> Vec<Section> {
        Vec::new()
    }

    /// Curves and lists for the report of a run.
    fn exhibits(_plan: &Plan<Self::Config>) -> Exhibits<Self::Event> {
        Exhibits::default()
    }

    /// What a person should know about a run that went by without a mistake.
    fn warnings(_plan: &Plan<Self::Config>, _world: &World<Self::View>) -> Vec<String> {
        Vec::new()
    }

    /// The levels at which a run is held against an older one, the coarsest first; the last is taken
    /// where nobody chooses. Finer than all of them is `events`, which every system has: there every byte counts.
    fn levels() -> &'static [Level] {
        &[Level::DECISIONS]
    }

    /// The coarsest of the [`levels`](System::levels) at which an event counts, by its place among them;
    /// none for a detail, which counts at `events` alone. How a run ended counts at all of them.
    fn level_of(_domain: &Self::Event) -> Option<usize> {
        Some(0)
    }

    /// What happened, in a line.
    fn describe(event: &Event<Self::Event>, domain: &Self::Event) -> String;

    /// Words by which events are found besides their actor and kind: a topic, a symbol.
    fn tags(_domain: &Self::Event) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// A level at which a run is held against an older one: which of its events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Its name, for command lines.
    pub name: &'static str,
    /// What counts at it.
    pub meaning: &'static str,
}

impl Level {
    /// The level of a system that says nothing of levels.
    pub const DECISIONS: Level = Level {
        name: "decisions",
        meaning: "every event of the system's own",
    };
}

/// A defect that can be switched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: &'static str,
    /// Where it was found.
    pub reference: &'static str,
    /// What happens with it on.
    pub broken: &'static str,
    /// What happens with it off.
    pub sound: &'static str,
    /// The properties that notice it.
    pub caught_by: &'static str,
}

/// A named set of defects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it stands for.
    pub meaning: &'static str,
    /// The defects that it has on.
    pub defects: Vec<&'static str>,
}

/// One figure of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, as a scenario's expectations use it.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What it counts or measures, for people.
    pub meaning: &'static str,
}

/// The files that a scenario names, read from where the scenario lies.
pub trait Files {
    /// Opens a file and notes its digest in the plan.
    ///
    /// # Errors
    /// If there is no such file, or it lies outside the scenario's folder.
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError>;

    /// Where the run leaves a file of its own that its scenario names so, such as that of a store; none where it may
    /// leave none, as one that a recorded log is tried with, time and again.
    fn place_to_leave(&self, path: &str) -> Option<PathBuf> {
        Some(PathBuf::from(path))
    }

    /// Starts a program that a scenario names. Whoever only reads files starts none.
    ///
    /// # Errors
    /// If there is no such program, or none may be started.
    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        Err(BuildError::Plan(format!(
            "`{}`, the program of {}, is not started here: make the run from its scenario instead",
            program.shown(),
            program.name
        )))
    }

    /// Reaches a service that a scenario names. Only whoever records a run live reaches any.
    ///
    /// # Errors
    /// If it cannot be asked, or none may be.
    fn connect(&self, service: &Service) -> Result<Box<dyn Dialogue>, BuildError> {
        Err(BuildError::Plan(format!(
            "the {} is asked live, which only the command `record` does; name other replies for it to simulate",
            service.name
        )))
    }
}

/// Data files that somebody brings, to have a scenario made for them.
#[derive(Clone, Copy, Debug)]
pub struct Brought<'a> {
    /// Each with its path from the folder of the scenario, and the name it was given, if any.
    pub data: &'a [(String, Option<String>)],
    /// Which end of the time that a row is about its stamp is, if that was said: `open` or `close`.
    pub stamped: Option<&'a str>,
}

/// A scenario that a system proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name, fit for the name of a file.
    pub name: String,
    /// What was recognised in the files.
    pub recognised: Vec<Section>,
    /// The text of the scenario file, or the question that must be answered first.
    pub text: Result<String, String>,
}

/// A mistake in a scenario, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The path of keys to the value, such as `tasks`, `2`, `depends_on`.
    pub at: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The words that would have been right, if the mistake is a word.
    pub candidates: Vec<String>,
}

impl Mistake {
    /// A mistake at a path of keys separated by dots.
    pub fn at(path: &str, what: impl Into<String>) -> Mistake {
        Mistake {
            at: path.split('.').map(str::to_owned).collect(),
            what: what.into(),
            help: None,
            candidates: Vec::new(),
        }
    }

    /// The same mistake with what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    /// The same mistake with the words that would have been right.
    pub fn candidates<I: IntoIterator<Item = S>, S: Into<String>>(mut self, words: I) -> Mistake {
        self.candidates = words.into_iter().map(Into::into).collect();
        self
    }
}

/// Why a system could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file that the scenario names cannot be read.
    #[error("{path}: {what}")]
    File {
        /// As the scenario names it.
        path: String,
        /// What is wrong, and where in the file if that is known.
        what: String,
    },
    /// The plan is not one of this system's.
    #[error("the plan cannot be built: {0}")]
    Plan(String),
    /// A program that the scenario names cannot be spoken with.
    #[error(transparent)]
    Program(#[from] Box<ProgramError>),
}

//! The smallest set of inputs with which a run still fails in the same way.
//!
//! Works on the inputs that a log holds (faults, choices, delays, sizes), not on its seed: each is
//! written out as a fault of a plan, and plans with ever fewer of them are run. Draws, feeds and
//! answers come from the streams of the same seed, each by its actor and its order, so that taking
//! one fault away changes as little else as can be.
//!
//! Where the result is written, and that it replays, is in [`keep`].

mod data;
mod ddmin;
mod fewer;
mod kept;
mod lesser;
mod listed;
mod recorded;
mod time_span;
mod trials;

use dacapo_kernel::{Files, Plan, RunError, SchedulerKind, System};

use crate::group::Group;
use crate::plan_file::PlanFileError;
use crate::scenario::ScenarioError;

use self::trials::{Trials, reader};

pub(crate) use self::trials::{fails, record};

pub use self::data::{RecordedFiles, changed_files};
pub use self::kept::{Kept, keep, shrunk_name};
pub use self::listed::{Input, listed};
pub use self::recorded::Recorded;

/// How far shrinking goes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShrinkOptions {
    /// The most runs that are made.
    pub max_runs: u64,
}

impl Default for ShrinkOptions {
    fn default() -> ShrinkOptions {
        ShrinkOptions { max_runs: 4_000 }
    }
}

/// How far shrinking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The inputs that are left.
    pub inputs: usize,
    /// The runs that were made.
    pub runs: u64,
}

/// Why shrinking ended before nothing more could be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// So many runs were made.
    Runs(u64),
    /// Whoever was told of the progress wanted no more.
    Time,
}

/// What is left of a run that fails.
pub struct Shrunk<S: System> {
    /// The plan of a run that fails in the same way, with an input in each of its faults.
    pub plan: Plan<S::Config>,
    /// In which way.
    pub target: Group,
    /// How many inputs the recorded run had.
    pub inputs_before: usize,
    /// How many are left.
    pub inputs: usize,
    /// How many runs it took.
    pub runs: u64,
    /// Whether the inputs written out one by one made the same failure. If not, the plan as it was
    /// recorded was shrunk, with its rates and its scheduler.
    pub one_by_one: bool,
    /// Why it ended early, if it did.
    pub stopped: Option<Stopped>,
}

/// Why a run was not shrunk.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// The code under simulation is another one by now, or a file that it reads.
    #[error(
        "a run with the inputs of the log does not fail in the same way: `{0}` is not violated again; \
         `replay` says where this program first differs from the one that made the log"
    )]
    NotAgain(String),
    /// The program itself has a mistake, which these inputs meet.
    #[error("a run with the inputs of the log ends in a mistake of the program itself: {0}")]
    Panicked(String),
    /// The scenario file that was written does not fail.
    #[error("the scenario file that was written does not fail in the same way as its plan; {0}")]
    Lost(&'static str),
    /// A run could not be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The result cannot be said in a scenario file.
    #[error(transparent)]
    PlanFile(#[from] PlanFileError),
    /// The scenario file that was written is refused.
    #[error("the scenario file that was written is refused: {0}")]
    Scenario(#[from] Box<ScenarioError>),
    /// A file cannot be written.
    #[error("{path} cannot be written: {what}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        what: String,
    },
}

/// Shrinks a run of this plan, which fails in a way that is told by its group.
///
/// `progress` is told after every run, and ends the search by returning false; what has been reached
/// by then is the result.
///
/// # Errors
/// If no such run can be made, or it does not fail in this way.
pub fn shrink<S: System>(
    plan: &Plan<S::Config>,
    files: &dyn Files,
    target: &Group,
    options: ShrinkOptions,
    progress: &mut dyn FnMut(Step) -> bool,
) -> Result<Shrunk<S>, ShrinkError> {
    let (_, log) = record::<S>(plan, files)?;
    let recorded = Recorded::<S>::read(reader(log)?)?;
    shrink_recorded(&recorded, files, target, options, progress)
}

/// Shrinks a recorded run.
///
/// # Errors
/// Those of [`shrink`].
pub fn shrink_recorded<S: System>(
    recorded: &Recorded<S>,
    files: &dyn Files,
    target: &Group,
    options: ShrinkOptions,
    progress: &mut dyn FnMut(Step) -> bool,
) -> Result<Shrunk<S>, ShrinkError> {
    let mut trials = Trials::new(recorded, files, target, options.max_runs, progress);
    let inputs_before = recorded.explicit.faults.faults.len();
    let explicit = expecting_only(&recorded.explicit, target);
    let one_by_one = trials.first(&explicit)?;
    let mut plan = if one_by_one {
        explicit
    } else {
        let as_recorded = expecting_only(&recorded.plan, target);
        if !trials.first(&as_recorded)? {
            return Err(ShrinkError::NotAgain(target.property.clone()));
        }
        in_the_reference_order(as_recorded, &mut trials)
    };
    time_span::cut(&mut plan, time_span::Fit::Loose, &mut trials);
    fewer::whole_kinds(&mut plan, &mut trials);
    loop {
        let before = plan.faults.clone();
        fewer::always(recorded, &mut plan, &mut trials);
        fewer::one_by_one(&mut plan, &mut trials);
        fewer::for_everybody(recorded, &mut plan, &mut trials);
        lesser::values(&mut plan, &mut trials);
        lesser::times(recorded, &mut plan, &mut trials);
        if plan.faults == before || trials.stopped.is_some() {
            break;
        }
    }
    fewer::once(recorded, &mut plan, &mut trials);
    time_span::cut(&mut plan, time_span::Fit::Tight, &mut trials);
    let faults = std::mem::take(&mut plan.faults.faults);
    let plan = trials.settled(&plan, faults);
    Ok(Shrunk {
        inputs: plan.faults.faults.len(),
        plan,
        target: target.clone(),
        inputs_before,
        runs: trials.runs,
        one_by_one,
        stopped: trials.stopped,
    })
}

/// The plan without bounds on figures, which a shorter run cannot be held to, unless one of them is
/// what fails.
fn expecting_only<C: Clone>(plan: &Plan<C>, target: &Group) -> Plan<C> {
    let mut plan = plan.clone();
    let is_meant = |figure: &str| target.property == format!("figure {figure}");
    plan.expect.figures.retain(|bound| is_meant(&bound.figure));
    plan
}

/// The same plan with tasks in the order in which they became ready, if it still fails.
fn in_the_reference_order<S: System>(
    plan: Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) -> Plan<S::Config> {
    let mut fifo = plan.clone();
    fifo.scheduler = SchedulerKind::Fifo;
    if trials.fails(&fifo) { fifo } else { plan }
}

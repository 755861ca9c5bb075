//! Making a run: from a plan to what is known of it at its end.
//!
//! What happens in between is in [`simulation`](crate::simulation).

mod error;
mod finish;
mod verify;

use std::cell::RefCell;
use std::rc::Rc;

use crate::acknowledge::Acknowledge;
use crate::checks::{Checked, Checks};
use crate::doors::Doors;
use crate::event::kind_table;
use crate::executor::{Beginning, Core, State};
use crate::fault::Fault;
use crate::follow::guide::Guide;
use crate::follow::{Inputs, NoFiles, take_recorded, writer};
use crate::fork::{Fork, Forked, Recording, Reused};
use crate::id::{ActorId, Seq, Time};
use crate::input::plan_faults;
use crate::journal::{BoxedStorage, Journal, JournalError};
use crate::kernel_event::RunStarted;
use crate::log::{Chain, Header, RunId, SyncPolicy};
use crate::measure::{Measured, Wanted};
use crate::plan::Plan;
use crate::program::AskedPrograms;
use crate::setup::Setup;
use crate::simulation::{Pace, Watch, drive};
use crate::system::{BuildError, Files, System};
use crate::verdict::Verdict;
use crate::world::World;

use finish::{finish, take_apart};

pub use error::RunError;
pub use verify::{Verified, verify, verify_with};

/// A run that is about to be made.
pub struct Run<'a, S: System> {
    plan: &'a Plan<S::Config>,
    watch: Option<Watch<'a>>,
    acknowledge: Option<Acknowledge<'a>>,
    pace: Option<Pace<'a>>,
    checked: bool,
    wanted: Option<Wanted>,
    /// Who starts programs again in a replay.
    programs: Option<&'a dyn Files>,
    guide: Option<Box<Guide<S::Event>>>,
    build: Box<Build<'a, S>>,
}

/// Puts a system on its hosts.
type Build<'a, S> =
    dyn Fn(&Plan<<S as System>::Config>, &mut Setup<'_, S>) -> Result<(), BuildError> + 'a;

/// What is known of a run when it has ended.
#[derive(Debug)]
pub struct Outcome<V> {
    /// How it ended.
    pub verdict: Verdict,
    /// The state after its last event.
    pub world: World<V>,
    /// What each property says of it.
    pub findings: Vec<Checked>,
    /// What it reached of what is to be reached sometimes.
    pub reached: Vec<&'static str>,
    /// The kinds of fault that struck, if its properties were checked.
    pub struck: Vec<String>,
    /// Its figures, if they were wanted and the system makes any.
    pub measured: Option<Measured>,
    /// How often deterministic programs were asked.
    pub asked_programs: AskedPrograms,
    /// How many of its inputs were recorded ones, if it is a fork.
    pub reused: Reused,
    /// How many events it has.
    pub events: u64,
    /// Its fingerprint: the last link of the chain over all its bytes.
    pub fingerprint: Option<Chain>,
    /// What became of the inputs of the recording that it followed, if it did.
    pub inputs: Option<Inputs>,
}

/// A run that has ended, and what is wrong with its journal.
pub(crate) type Ended<S> = (
    Outcome<<S as System>::View>,
    Option<JournalError<<S as System>::Event>>,
);

impl<'a, S: System> Run<'a, S> {
    /// A run of this plan, with its properties checked at every event.
    pub fn new(plan: &'a Plan<S::Config>) -> Run<'a, S> {
        Run {
            plan,
            watch: None,
            acknowledge: None,
            pace: None,
            checked: true,
            wanted: None,
            programs: None,
            guide: None,
            build: Box::new(S::build),
        }
    }

    /// The same run, told how far it is now and then; it stops where `watch` returns false.
    pub fn watch(mut self, watch: impl FnMut(Seq, Time) -> bool + 'a) -> Run<'a, S> {
        self.watch = Some(Box::new(watch));
        self
    }

    /// The same run, with somebody who is told which events are durable: every one up to and
    /// including the event named. When that is, is a matter of the [`SyncPolicy`] of the recording;
    /// what it says is told a step later at most, and the last event when the log is closed.
    pub fn acknowledge(mut self, tell: impl FnMut(Seq) + 'a) -> Run<'a, S> {
        self.acknowledge = Some(Acknowledge::new(tell));
        self
    }

    /// The same run, held back: before its time moves to an instant, `pace` is called with the last event so far and
    /// that instant, and returns when time may move. The run ends where it returns false. A replay is never held back.
    pub fn paced(mut self, pace: impl FnMut(Seq, Time) -> bool + 'a) -> Run<'a, S> {
        self.pace = Some(Box::new(pace));
        self
    }

    /// The same run with something else in place of the whole system: one part of it under a test
    /// or a benchmark, with the system's own events.
    pub fn built_by(
        mut self,
        build: impl Fn(&Plan<S::Config>, &mut Setup<'_, S>) -> Result<(), BuildError> + 'a,
    ) -> Run<'a, S> {
        self.build = Box::new(build);
        self
    }

    /// The same run with the inputs of a recording, as far as they apply.
    pub(crate) fn guided_by(mut self, guide: Guide<S::Event>) -> Run<'a, S> {
        self.guide = Some(Box::new(guide));
        self
    }

    /// The same run without its properties.
    pub fn unchecked(mut self) -> Run<'a, S> {
        self.checked = false;
        self
    }

    /// The same run with its figures made.
    pub fn measured(mut self, wanted: Wanted) -> Run<'a, S> {
        self.wanted = Some(wanted);
        self
    }

    /// Makes the run and writes its log.
    ///
    /// # Errors
    /// If the system cannot be built or the log not written.
    pub fn record(
        self,
        files: &dyn Files,
        storage: BoxedStorage,
        sync: SyncPolicy,
    ) -> Result<Outcome<S::View>, RunError> {
        let plan = plan_json(self.plan);
        let writer = writer::<S>(self.plan.seed, &plan, storage, sync)?;
        self.make(plan, Journal::Record(Box::new(writer)), Some(files))
            .map(|(outcome, _)| outcome)
    }

    /// Makes the run without keeping its events.
    ///
    /// # Errors
    /// If the system cannot be built.
    pub fn discard(self, files: &dyn Files) -> Result<Outcome<S::View>, RunError> {
        let plan = plan_json(self.plan);
        self.make(plan, Journal::Discard, Some(files))
            .map(|(outcome, _)| outcome)
    }

    /// Makes the run of a recording again, with another input at one event; what comes before that
    /// event is compared with the recording. Its log goes into `storage`, or nowhere.
    ///
    /// The plan is that of the recording.
    ///
    /// # Errors
    /// If the system cannot be built or the log not written.
    pub fn fork(
        self,
        recording: &Rc<Recording<S::Event>>,
        fork: Fork<S::Event>,
        files: &dyn Files,
        storage: Option<BoxedStorage>,
    ) -> Result<Forked<S::Event, S::View>, RunError> {
        let plan = plan_json(self.plan);
        let journal = match storage {
            Some(storage) => {
                let writer = writer::<S>(self.plan.seed, &plan, storage, SyncPolicy::Never)?;
                Journal::Record(Box::new(writer))
            }
            None => Journal::Discard,
        };
        let run = self.guided_by(Guide::forking(recording, fork));
        let (mut outcome, trouble) = run.make(plan, journal, Some(files))?;
        let reused = std::mem::take(&mut outcome.reused);
        match trouble {
            Some(JournalError::Diverged(divergence)) => Ok(Forked::Diverged(divergence)),
            Some(JournalError::Log(error)) => Err(error.into()),
            Some(JournalError::Decode(error)) => Err(error.into()),
            Some(JournalError::Encode(error)) => Err(error.into()),
            Some(JournalError::Program(error)) => Err(RunError::Program(error)),
            Some(JournalError::RecordingEnds) | None => {
                Ok(Forked::Ended(Box::new(outcome), reused))
            }
        }
    }

    pub(crate) fn make(
        mut self,
        json: String,
        journal: Journal<S::Event>,
        files: Option<&dyn Files>,
    ) -> Result<Ended<S>, RunError> {
        let acted = with_acts::<S>(self.plan)?;
        let plan = acted.as_ref().unwrap_or(self.plan);
        let checks = if self.checked {
            Checks::new(S::invariants(plan), S::sometimes(plan))
        } else {
            Checks::new(Vec::new(), Vec::new())
        };
        let measure = self.wanted.and_then(|wanted| S::measure(plan, wanted));
        let checks = checks.measured_by(measure);
        let state = State::new(Beginning {
            journal,
            guide: self.guide.take(),
            checks,
            scheduler: plan.scheduler.build(plan.seed, &plan.faults),
            seed: plan.seed,
            start_unix_ns: plan.start_unix_ns,
            budgets: plan.budgets,
            doors: Doors::new(&plan.faults),
        });
        let core = Rc::new(Core {
            state: RefCell::new(state),
        });
        let started = RunStarted {
            system: S::NAME.into(),
            plan: json,
        };
        core.state
            .borrow_mut()
            .append_kernel(ActorId::ENGINE, None, started);
        let follows = core.state.borrow().follows();
        let mut setup = Setup {
            core: Rc::clone(&core),
            files,
            programs: self.programs,
            stand_in: follows.then_some(&NoFiles),
        };
        if let Err(error) = (self.build)(plan, &mut setup) {
            take_apart(&core);
            return Err(error.into());
        }
        if files.is_some() {
            plan_faults(&mut core.state.borrow_mut(), &plan.faults);
        }
        take_recorded(&mut core.state.borrow_mut(), plan);
        let acknowledge = &mut self.acknowledge;
        let pace = self.pace.as_mut();
        drive(&core, plan, self.watch.as_mut(), acknowledge.as_mut(), pace);
        let ended = finish(&core)?;
        if let (Some(acknowledge), Some(_), None) = (acknowledge, ended.0.fingerprint, &ended.1) {
            acknowledge.up_to(ended.0.events.checked_sub(1).map(Seq));
        }
        Ok(ended)
    }
}

/// The plan with what the system's own acts among its faults do to the configuration; none if there
/// are no such acts. The log has the plan as it was written; a run, and its properties, go by this.
///
/// # Errors
/// If the system has no such act.
pub fn with_acts<S: System>(plan: &Plan<S::Config>) -> Result<Option<Plan<S::Config>>, BuildError> {
    let acts = plan.faults.faults.iter().filter_map(|fault| match fault {
        Fault::Act { what, at, value } => Some((what, *at, *value)),
        _ => None,
    });
    let mut acted: Option<Plan<S::Config>> = None;
    for (what, at, value) in acts {
        let changed = acted.get_or_insert_with(|| plan.clone());
        S::act(changed, what, at, value).map_err(BuildError::Plan)?;
    }
    Ok(acted)
}

/// The head of the log of a run: nothing in it depends on when or where the run is made.
pub(crate) fn header<S: System>(seed: u64, plan: &str) -> Header {
    let digest = *blake3::hash(plan.as_bytes()).as_bytes();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    Header {
        run_id: RunId(id),
        seed,
        scenario_digest: digest,
        engine: concat!("dacapo ", env!("CARGO_PKG_VERSION")).to_owned(),
        first_seq: Seq(0),
        previous: Chain([0; 16]),
        kinds: kind_table::<S::Event>(),
    }
}

fn plan_json<C: serde::Serialize>(plan: &Plan<C>) -> String {
    serde_json::to_string(plan).expect("a plan is plain data with text keys")
}

//! The state that the tasks of a run share, and how it grows: event by event.
//!
//! What a task sees of this is [`Ctx`](crate::Ctx). How tasks start, wait and end is in
//! [`task`](crate::task); the order in which things happen is decided in
//! [`simulation`](crate::simulation).

mod bounds;
mod mishaps;
mod questions;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
#[cfg(debug_assertions)]
use std::rc::Rc;

use crate::chance::Chance;
use crate::checks::Checks;
use crate::doors::Doors;
use crate::event::{Body, Event};
use crate::float_clock::FloatSeconds;
use crate::follow::guide::Guide;
use crate::id::{ActorId, HostId, Seq, TaskId, Time};
use crate::journal::{Journal, JournalError, head_of};
use crate::kernel_event::{ActorNamed, KernelEvent};
use crate::name::Name;
use crate::narration::narrate;
use crate::outside::Outside;
use crate::plan::Budgets;
use crate::schedule::Scheduler;
use crate::system::System;
use crate::task::{Slot, TaskRef};
use crate::timers::Timers;
use crate::verdict::Verdict;
use crate::world::World;

/// A task sleeps or has set itself a limit.
#[derive(Clone, Copy)]
pub(crate) struct Wake {
    pub(crate) task: TaskRef,
    /// The event from which it follows.
    pub(crate) cause: Option<Seq>,
    /// What a floating-point clock shows then.
    pub(crate) float: FloatSeconds,
}

/// What comes at a planned time from outside the tasks.
pub(crate) enum Target<E> {
    /// An answer is on its way.
    Answer(Seq, Box<E>),
    /// A crashed host comes up again.
    Restart(HostId),
    /// The wall clock jumps by so many nanoseconds.
    JumpClock(i64),
    /// A host crashes.
    CrashHost(Box<Cut>),
    /// A task crashes.
    CrashTask(Name),
    /// Something that a recorded run saw coming and did not reach.
    Beyond,
}

/// Why a run stops.
pub(crate) enum Stop<E> {
    /// It has come to an end of its own.
    Verdict(Verdict),
    /// Its journal takes no more.
    Journal(JournalError<E>),
}

/// A crash of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) host: HostId,
    pub(crate) restart_after: Option<u64>,
}

/// What compares the system's volatile state with its view.
#[cfg(debug_assertions)]
pub(crate) type Audit<V> = Rc<dyn Fn(&World<V>) -> Result<(), String>>;

/// Everything a run consists of while it runs.
pub(crate) struct State<S: System> {
    pub(crate) world: World<S::View>,
    pub(crate) journal: Journal<S::Event>,
    /// The recording that the run goes by, if there is one: each door asks it first.
    pub(crate) guide: Option<Box<Guide<S::Event>>>,
    pub(crate) checks: Checks<S::Event>,
    pub(crate) now: Time,
    pub(crate) next_seq: u64,
    /// What a floating-point clock shows.
    pub(crate) float_now: FloatSeconds,
    /// When tasks wake.
    pub(crate) timers: Timers<Wake>,
    /// When something comes from outside the tasks, after those that wake at the same instant.
    pub(crate) arrivals: Timers<Target<S::Event>>,
    pub(crate) scheduler: Box<dyn Scheduler>,
    pub(crate) chance: Chance,
    pub(crate) doors: Doors,
    pub(crate) outside: Outside<S>,
    pub(crate) start_unix_ns: i64,
    /// How far the wall clock has jumped, in nanoseconds.
    pub(crate) wall_ahead: i64,
    pub(crate) open_cycles: Vec<(Seq, Vec<TaskId>)>,
    pub(crate) next_lock: u32,
    /// Planned crashes right after an event, the next one last.
    pub(crate) cut_at: Vec<(Seq, Cut)>,
    /// Planned crashes so many events after a recovery has begun, the next one last.
    pub(crate) cut_recoveries: Vec<(u64, Cut)>,
    /// Crashes that are in the log and whose tasks are still to be dropped.
    pub(crate) struck: VecDeque<Cut>,
    /// Hosts that will come up again.
    pub(crate) returning: u32,
    pub(crate) stop: Option<Stop<S::Event>>,
    /// What the running task does no longer happens: the run has ended, or its host crashed.
    pub(crate) halted: bool,
    /// What the running task does is done by somebody who is not on its host.
    pub(crate) elsewhere: bool,
    pub(crate) last_progress: Time,
    #[cfg(debug_assertions)]
    pub(crate) audits: Vec<Audit<S::View>>,
    pub(crate) budgets: Budgets,
    pub(crate) slots: Vec<Slot>,
    pub(crate) free: Vec<u32>,
    pub(crate) ready: VecDeque<TaskRef>,
    /// Tasks that have not ended.
    pub(crate) alive: u64,
    /// Those of them whose end the run waits for.
    pub(crate) working: u64,
    pub(crate) next_task: u64,
    pub(crate) current: Option<TaskRef>,
    pub(crate) cause: Option<Seq>,
    actors: BTreeMap<Name, ActorId>,
    /// The virtual time of the last event.
    instant: Time,
    /// The first event of that time.
    instant_from: Seq,
    pub(crate) steps_at_instant: u64,
    /// As soon as so many events are in the log, something is planned or a budget ends.
    special: u64,
}

/// The state behind every [`Ctx`](crate::Ctx) of a run.
pub(crate) struct Core<S: System> {
    pub(crate) state: RefCell<State<S>>,
}

/// What a run is given to begin with.
pub(crate) struct Beginning<E> {
    pub(crate) journal: Journal<E>,
    pub(crate) guide: Option<Box<Guide<E>>>,
    pub(crate) checks: Checks<E>,
    pub(crate) scheduler: Box<dyn Scheduler>,
    pub(crate) seed: u64,
    pub(crate) start_unix_ns: i64,
    pub(crate) budgets: Budgets,
    pub(crate) doors: Doors,
}

impl<S: System> State<S> {
    pub(crate) fn new(from: Beginning<S::Event>) -> State<S> {
        State {
            world: World::default(),
            journal: from.journal,
            guide: from.guide,
            checks: from.checks,
            now: Time::ZERO,
            next_seq: 0,
            timers: Timers::default(),
            float_now: FloatSeconds::START,
            arrivals: Timers::default(),
            scheduler: from.scheduler,
            chance: Chance::new(from.seed),
            doors: from.doors,
            outside: Outside::default(),
            start_unix_ns: from.start_unix_ns,
            wall_ahead: 0,
            open_cycles: Vec::new(),
            next_lock: 0,
            cut_at: Vec::new(),
            cut_recoveries: Vec::new(),
            struck: VecDeque::new(),
            returning: 0,
            stop: None,
            halted: false,
            elsewhere: false,
            last_progress: Time::ZERO,
            #[cfg(debug_assertions)]
            audits: Vec::new(),
            special: 0,
            budgets: from.budgets,
            slots: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            alive: 0,
            working: 0,
            next_task: 0,
            current: None,
            cause: None,
            actors: BTreeMap::new(),
            instant: Time::ZERO,
            instant_from: Seq(0),
            steps_at_instant: 0,
        }
    }

    /// The event that comes next, if it is this one.
    #[inline]
    pub(crate) fn event(
        &self,
        actor: ActorId,
        cause: Option<Seq>,
        body: Body<S::Event>,
    ) -> Event<S::Event> {
        Event {
            seq: Seq(self.next_seq),
            time: self.now,
            cause,
            actor,
            body,
        }
    }

    /// Appends an event, applies it, shows it to the properties. Nothing follows a stop.
    #[inline]
    pub(crate) fn append(&mut self, event: Event<S::Event>) -> Seq {
        let (seq, actor, head) = (event.seq, event.actor, head_of(&event));
        if self.stop.is_some() {
            return seq;
        }
        let guide = self.guide.as_mut();
        let compared = guide.map_or(Ok(()), |guide| guide.compare(&event));
        if let Err(error) = compared.and_then(|()| self.journal.append(&event)) {
            self.stop(Stop::Journal(error));
            return seq;
        }
        if tracing::level_filters::LevelFilter::current() >= tracing::Level::INFO {
            narrate(&event);
        }
        self.next_seq += 1;
        self.world.apply(&event);
        self.checks.observe(event);
        self.bound(seq, actor, head);
        seq
    }

    /// Appends an event of the kernel's own.
    pub(crate) fn append_kernel(
        &mut self,
        actor: ActorId,
        cause: Option<Seq>,
        event: impl Into<KernelEvent>,
    ) -> Seq {
        let event = self.event(actor, cause, Body::Kernel(event.into()));
        self.append(event)
    }

    /// Appends what the running task does; it is the cause of what the task does next.
    #[inline]
    pub(crate) fn emit(&mut self, actor: ActorId, body: Body<S::Event>) -> Seq {
        let event = self.event(actor, self.cause, body);
        let seq = self.append(event);
        self.cause = Some(seq);
        seq
    }

    /// Ends the run, unless it has ended.
    #[cold]
    pub(crate) fn end_with(&mut self, verdict: Verdict) {
        self.stop(Stop::Verdict(verdict));
    }

    #[cold]
    pub(crate) fn stop(&mut self, why: Stop<S::Event>) {
        self.stop.get_or_insert(why);
        self.halted = true;
    }

    /// Whether what is done now no longer happens.
    #[inline]
    pub(crate) fn is_cut_off(&self) -> bool {
        self.halted && !(self.elsewhere && self.stop.is_none())
    }

    /// The number of an actor; a new name is announced in the log.
    pub(crate) fn actor(&mut self, name: impl Into<Name>) -> ActorId {
        let name = name.into();
        if let Some(actor) = self.actors.get(&name) {
            return *actor;
        }
        let actor = ActorId(self.actors.len() as u32 + 1);
        self.actors.insert(name.clone(), actor);
        self.append_kernel(ActorId::ENGINE, None, ActorNamed { actor, name });
        actor
    }
}

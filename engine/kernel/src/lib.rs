//! Deterministic, event-sourced simulation. A run is its log; everything else is a fold over
//! the log or a re-run against it.
//!
//! A [`System`] says what is simulated. A [`Run`] of a [`Plan`] writes a log; [`verify`] runs it
//! again and compares every event; [`fold`] rebuilds the state at any event without running code.

pub mod codec;
pub mod log;

mod acknowledge;
mod chance;
mod checks;
mod companion;
mod ctx;
mod doors;
mod event;
mod executor;
mod exhibit;
mod fault;
mod float_clock;
mod follow;
mod fork;
mod id;
mod input;
mod invariant;
mod journal;
mod kernel_event;
mod measure;
mod name;
mod narration;
mod numbered;
mod outside;
mod panic_message;
mod plan;
mod port;
mod program;
mod rehearing;
mod replay;
mod run;
mod schedule;
mod section;
mod setup;
mod simulation;
mod snapshots;
mod sync;
mod system;
mod task;
mod timers;
mod verdict;
mod wait_graph;
mod world;

pub use chance::Stream;
pub use checks::{Checked, Checks, Finding, Observed};
pub use codec::CodecError;
pub use companion::{PROTOCOL, PROTOCOL_VERSION};
pub use ctx::{Ctx, Elapsed};
pub use doors::Odds;
pub use event::{
    Body, BodyOf, DecodeError, Event, EventSet, FIRST_DOMAIN_KIND, Kind, Role, kind_table,
};
pub use exhibit::{Chart, Curve, CurveValue, Exhibits, Listing, ListingRow, Scale, Shape};
pub use fault::{CRASH_HOST, CRASH_TASK, Fault, FaultKind, FaultPlan, How, JUMP_CLOCK, When};
pub use float_clock::FloatSeconds;
pub use follow::{Inputs, follow};
pub use fork::{Change, Fork, Forked, Recording, Reused};
pub use id::{ActorId, HostId, LockId, Seq, TaskId, Time};
pub use invariant::{Invariant, NoDeadlock, Reaches, Sometimes};
pub use journal::{BoxedStorage, Divergence};
pub use kernel_event::{
    ActorNamed, CallCancelled, CallLost, CallOutcome, Choice, ClockJumped, CycleBroken,
    CycleClosed, Draw, FaultInjected, HostCrashed, HostRestarted, HostStarted, JoinAbandoned,
    JoinBlocked, KernelEvent, LockAbandoned, LockBlocked, LockGranted, RunEnded, RunStarted,
    TaskCrashed, TaskEnded, TaskEnding, TaskStarted, TimerFired, number,
};
pub use measure::{Interval, Measure, Measured, Measurement, Part, Series, Trial, Unit, Wanted};
pub use name::Name;
pub use panic_message::panic_message;
pub use plan::{Budgets, DataFile, Expect, FigureBound, Plan};
pub use port::{Answer, Feed, Port, Provider};
pub use program::{
    AskedPrograms, Changed, Dialogue, Interpreter, Outsider, Program, ProgramError, ProgramMode,
    Service, Unfit,
};
pub use rehearing::{Decided, DecisionKind, Heard, Rehearing, Rehearsal, Ruling};
pub use replay::{Events, causes, fold, plan_of};
pub use run::{Outcome, Run, RunError, Verified, verify, verify_with, with_acts};
pub use schedule::{Scheduler, SchedulerKind};
pub use section::Section;
pub use setup::Setup;
pub use snapshots::Snapshots;
pub use sync::channel::{Receiver, SendError, Sender, channel};
pub use sync::inbox::Inbox;
pub use sync::join::{JoinError, JoinHandle};
pub use sync::lock::{Lock, Permit, Semaphore};
pub use sync::notify::Notify;
pub use system::{
    Brought, BuildError, Draft, Figure, Files, Level, Mistake, Profile, Switch, System,
};
pub use verdict::{Budget, Panicked, Verdict, Waiting};
pub use wait_graph::{Cycle, Link, Wait};
pub use world::{Contention, Process, View, World};

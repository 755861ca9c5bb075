//! The kernel's own events: tasks, choices, timers, waits, crashes, the verdict.
//!
//! What only the executor needs stays out and is made again by re-running: a lock that was
//! free, a timer that was set and cancelled, a message in a channel.

use serde::{Deserialize, Serialize};

use crate::fault::{CRASH_HOST, CRASH_TASK, JUMP_CLOCK};
use crate::id::{ActorId, HostId, LockId, Seq, TaskId};
use crate::name::Name;
use crate::verdict::Verdict;
use crate::wait_graph::Cycle;
use crate::{events, numbered};

/// The first event of a run: all that is needed to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Which system is simulated.
    pub system: Name,
    /// The whole resolved plan, as JSON.
    pub plan: String,
}

/// An actor's number gets its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActorNamed {
    /// The number that events carry from now on.
    pub actor: ActorId,
    /// What people call it.
    pub name: Name,
}

/// A host came up for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostStarted {
    /// Its number.
    pub host: HostId,
    /// What people call it.
    pub name: Name,
}

/// A task began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskStarted {
    /// Its number.
    pub task: TaskId,
    /// What people call it.
    pub name: Name,
    /// The host it dies with.
    pub host: HostId,
    /// The task that started it, unless the engine did.
    pub parent: Option<TaskId>,
}

numbered! {
    /// How a task ended.
    pub enum TaskEnding {
        /// It returned.
        1 Returned,
        /// Another task gave it up.
        2 Aborted,
        /// It panicked, with this message.
        3 Panicked(String),
        /// It crashed, or its host did.
        4 Crashed,
    }
}

/// A task ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskEnded {
    /// Which one.
    pub task: TaskId,
    /// How.
    pub ending: TaskEnding,
}

/// Two or more tasks could run, and the scheduler chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// How many could run.
    pub of: u32,
    /// Which one did, counted in the order in which they became ready.
    pub index: u32,
}

/// A sleep or a timeout of a task came due.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimerFired {
    /// Whose.
    pub task: TaskId,
}

/// A task has to wait for a lock or a semaphore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LockBlocked {
    /// Who waits.
    pub task: TaskId,
    /// For what.
    pub lock: LockId,
    /// What people call it.
    pub name: Name,
    /// Who holds it now.
    pub holders: Vec<TaskId>,
    /// Whether a timeout around the wait can end it.
    pub breakable: bool,
}

/// A lock or a permit passed to a task that waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LockGranted {
    /// Who has it now.
    pub task: TaskId,
    /// What.
    pub lock: LockId,
    /// Who gave it back.
    pub from: TaskId,
}

/// A task stopped waiting for a lock without getting it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LockAbandoned {
    /// Who.
    pub task: TaskId,
    /// Which lock.
    pub lock: LockId,
}

/// A task waits for the end of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinBlocked {
    /// Who waits.
    pub task: TaskId,
    /// For whose end.
    pub on: TaskId,
    /// Whether a timeout around the wait can end it.
    pub breakable: bool,
}

/// A task stopped waiting for the end of another that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinAbandoned {
    /// Who.
    pub task: TaskId,
    /// For whose end it waited.
    pub on: TaskId,
}

/// The event before this one closed a cycle of waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CycleClosed {
    /// Who waits for whom.
    pub cycle: Cycle,
}

/// A timeout or a crash broke a cycle of waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CycleBroken {
    /// The event that had recorded the cycle.
    pub closed_at: Seq,
    /// The task that got away.
    pub by: TaskId,
}

/// A random draw below a bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// What it was for: the name of its stream.
    pub purpose: Name,
    /// The draw lies below this.
    pub bound: u64,
    /// What was drawn.
    pub value: u64,
}

/// A host lost its tasks and all its volatile state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostCrashed {
    /// Which one.
    pub host: HostId,
    /// Whether the running task was cut off right after the event before this one.
    pub abrupt: bool,
}

/// A crashed host came up again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostRestarted {
    /// Which one.
    pub host: HostId,
}

/// One task crashed; its guards are released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskCrashed {
    /// Which one.
    pub task: TaskId,
}

numbered! {
    /// What became of a call whose caller crashed before the answer.
    #[derive(Copy, Eq)]
    pub enum CallOutcome {
        /// It never left the host.
        1 NotSent,
        /// The other side did it.
        2 Done,
        /// Nobody can tell without asking.
        3 Unknown,
    }
}

/// A crash left a call without its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallLost {
    /// The event that made the call.
    pub call: Seq,
    /// What became of it.
    pub outcome: CallOutcome,
}

/// The caller gave a call up before its answer came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallCancelled {
    /// The event that made the call.
    pub call: Seq,
}

/// A place at which the system lets chance in was asked whether to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultInjected {
    /// The name of the door.
    pub door: Name,
    /// How often the actor had asked at this door before.
    pub asked: u64,
    /// How much of the fault: what it stands for is said where the fault is described.
    pub value: u64,
}

/// The wall clock jumped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockJumped {
    /// By how many nanoseconds, forward or back.
    pub by: i64,
}

/// How the run ended; the last event of its log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEnded {
    /// How and why.
    pub verdict: Verdict,
}

/// The number of [`HostCrashed`], which a replay looks for after every event.
pub(crate) const HOST_CRASHED: u16 = 16;
/// The number of [`FaultInjected`], which a replay looks for at every door.
pub(crate) const FAULT_INJECTED: u16 = 21;
/// The number of [`RunEnded`], which a replay looks for whenever nothing is ready.
pub(crate) const RUN_ENDED: u16 = 22;

events! {
    /// The kernel's own events. Their numbers are below 64 and never reused.
    pub enum KernelEvent {
        /// The first event of a run.
        1 "run started" v 1 Input => RunStarted(RunStarted);
        /// An actor's number gets its name.
        2 "actor named" v 1 Consequence => ActorNamed(ActorNamed);
        /// A host came up for the first time.
        3 "host started" v 1 Consequence => HostStarted(HostStarted);
        /// A task began.
        4 "task started" v 1 Consequence => TaskStarted(TaskStarted);
        /// A task ended.
        5 "task ended" v 1 Consequence => TaskEnded(TaskEnded);
        /// The scheduler chose among tasks.
        6 "choice" v 1 Input => Choice(Choice);
        /// A sleep or a timeout came due.
        7 "timer fired" v 1 Consequence => TimerFired(TimerFired);
        /// A task waits for a lock.
        8 "lock blocked" v 1 Consequence => LockBlocked(LockBlocked);
        /// A lock passed to a task that waited.
        9 "lock granted" v 1 Consequence => LockGranted(LockGranted);
        /// A task stopped waiting for a lock.
        10 "lock abandoned" v 1 Consequence => LockAbandoned(LockAbandoned);
        /// A task waits for another's end.
        11 "join blocked" v 1 Consequence => JoinBlocked(JoinBlocked);
        /// A task stopped waiting for another's end.
        12 "join abandoned" v 1 Consequence => JoinAbandoned(JoinAbandoned);
        /// A cycle of waits closed.
        13 "cycle closed" v 1 Consequence => CycleClosed(CycleClosed);
        /// A cycle of waits was broken.
        14 "cycle broken" v 1 Consequence => CycleBroken(CycleBroken);
        /// A random draw.
        15 "draw" v 1 Input => Draw(Draw);
        /// A host crashed.
        16 "host crashed" v 1 Input => HostCrashed(HostCrashed);
        /// A host came up again.
        17 "host restarted" v 1 Input => HostRestarted(HostRestarted);
        /// A task crashed.
        18 "task crashed" v 1 Input => TaskCrashed(TaskCrashed);
        /// A call lost its caller in a crash.
        19 "call lost" v 1 Input => CallLost(CallLost);
        /// A call was given up.
        20 "call cancelled" v 1 Consequence => CallCancelled(CallCancelled);
        /// A fault was let in at a door.
        21 "fault injected" v 1 Input => FaultInjected(FaultInjected);
        /// The run ended.
        22 "run ended" v 1 Consequence => RunEnded(RunEnded);
        /// The wall clock jumped.
        23 "clock jumped" v 1 Input => ClockJumped(ClockJumped);
    }
}

impl KernelEvent {
    /// The name of the fault that the event is the trace of, if it is one.
    pub fn fault(&self) -> Option<&str> {
        match self {
            KernelEvent::FaultInjected(fault) => Some(&fault.door),
            KernelEvent::HostCrashed(_) => Some(CRASH_HOST),
            KernelEvent::TaskCrashed(_) => Some(CRASH_TASK),
            KernelEvent::ClockJumped(_) => Some(JUMP_CLOCK),
            _ => None,
        }
    }
}

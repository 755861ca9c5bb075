//! The inputs of a shrunk run in words: when each takes effect, on whom, what it is.

use dacapo_kernel::{
    BoxedStorage, Events, Fault, FaultKind, KernelEvent, Plan, RunError, Seq, System, Time, When,
    log::Reader,
};

use crate::causes::for_each;
use crate::plan_file::{duration, kind_of};

/// One input in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// When it takes effect in the run; from the beginning, or never, if absent.
    pub at: Option<Time>,
    /// The first event that it left, if it left one of its own.
    pub seq: Option<Seq>,
    /// On whom.
    pub actor: String,
    /// The kind of fault.
    pub name: String,
    /// What it is, in a sentence.
    pub text: String,
}

/// The inputs of a plan, in the order in which they take effect in the run of this log.
///
/// # Errors
/// If the log is damaged.
pub fn listed<S: System>(
    plan: &Plan<S::Config>,
    log: Reader<BoxedStorage>,
) -> Result<Vec<Input>, RunError> {
    let kinds = S::faults();
    let mut inputs: Vec<Input> = plan
        .faults
        .faults
        .iter()
        .map(|fault| in_words(fault, &kinds))
        .collect();
    let mut events = Events::<S::Event>::new(log);
    let mut choices = 0;
    for_each::<S>(&mut events, |names, event| {
        let Some(kernel) = event.kernel() else {
            return true;
        };
        let actor = names.actor(event.actor);
        let left_by = |fault: &Fault| is_left_by(kernel, actor, event.time, choices, fault);
        for (fault, input) in plan.faults.faults.iter().zip(&mut inputs) {
            if input.seq.is_none() && left_by(fault) {
                (input.at, input.seq) = (Some(event.time), Some(event.seq));
            }
        }
        choices += u64::from(matches!(kernel, KernelEvent::Choice(_)));
        true
    })?;
    inputs.sort_by_key(|input| (input.at, input.seq));
    Ok(inputs)
}

/// Whether an event is the trace of a fault.
fn is_left_by(event: &KernelEvent, who: &str, now: Time, choices: u64, fault: &Fault) -> bool {
    match (event, fault) {
        (KernelEvent::Choice(_), Fault::Choose { choice, .. }) => *choice == choices,
        (
            KernelEvent::FaultInjected(strike),
            Fault::Strike {
                door, actor, asked, ..
            },
        ) => *strike.door == **door && who == actor && strike.asked == *asked,
        (KernelEvent::FaultInjected(strike), Fault::Door { door, actor, .. }) => {
            *strike.door == **door && actor.as_ref().is_none_or(|only| only == who)
        }
        (KernelEvent::HostCrashed(_), Fault::CrashHost { when, .. }) => match when {
            When::Time(at) => *at == now,
            When::Event(_) | When::Recovery(_) => true,
        },
        (KernelEvent::TaskCrashed(_), Fault::CrashTask { at, .. })
        | (KernelEvent::ClockJumped(_), Fault::JumpClock { at, .. }) => *at == now,
        _ => false,
    }
}

/// One fault in words, without what only a run of it shows.
fn in_words(fault: &Fault, kinds: &[FaultKind]) -> Input {
    let kind = kind_of(fault, kinds);
    let meaning = kind.map(|kind| kind.meaning);
    let value = |value: u64| match kind {
        Some(kind) if !kind.value.is_empty() => format!(" ({value}: {})", kind.value),
        _ if value > 0 => format!(" ({value})"),
        _ => String::new(),
    };
    let (at, actor, text) = match fault {
        Fault::CrashHost {
            host,
            when,
            restart_after,
        } => {
            let when = match when {
                When::Time(_) => String::new(),
                When::Event(seq) => format!(" after event {seq}"),
                When::Recovery(events) => format!(" {events} events after it came up again"),
            };
            let back = restart_after.map_or_else(
                || "never comes up again".to_owned(),
                |after| format!("comes up again after {}", duration(after)),
            );
            (
                None,
                host.as_str(),
                format!("the host crashes{when} and {back}"),
            )
        }
        Fault::CrashTask { task, at } => (Some(*at), task.as_str(), "the task crashes".to_owned()),
        Fault::JumpClock { at, by } => {
            let way = if *by < 0 { "back" } else { "forward" };
            let span = duration(by.unsigned_abs());
            (
                Some(*at),
                "",
                format!("the wall clock jumps {way} by {span}"),
            )
        }
        Fault::Door {
            actor,
            per_mille,
            least,
            most,
            ..
        } => {
            let often = match per_mille {
                1_000 => "always".to_owned(),
                rate => format!("{rate} times in 1,000"),
            };
            let value = if least == most {
                value(*least)
            } else {
                format!(" ({least} to {most})")
            };
            let what = meaning.unwrap_or("the door is open");
            let who = actor.as_deref().unwrap_or("everybody");
            (None, who, format!("{often}: {what}{value}"))
        }
        Fault::Strike {
            actor,
            asked,
            value: with,
            ..
        } => {
            let what = meaning.unwrap_or("the door is open once");
            let value = value(*with);
            let text = format!("{what}{value}, at its question {}", asked + 1);
            (None, actor.as_str(), text)
        }
        Fault::Choose { choice, index } => {
            let text = format!(
                "at choice {} number {} of those that could run goes first",
                choice + 1,
                index + 1
            );
            (None, "", text)
        }
        Fault::Act {
            at, value: with, ..
        } => {
            let what = meaning.unwrap_or("an act of the system's own");
            (Some(*at), "", format!("{what}{}", value(*with)))
        }
    };
    Input {
        at,
        seq: None,
        actor: actor.to_owned(),
        name: fault.name().to_owned(),
        text,
    }
}

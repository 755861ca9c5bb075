//! Plans and events that the tests of these properties have in common.

use dacapo_kernel::{Event, HostCrashed, HostId, HostRestarted, Plan, RunEnded, Verdict};

use crate::config::Config;
use crate::coordinator::state::RunState;
use crate::domain_event::{
    Counted, DomainEvent, LegsPlanned, OrderAnswered, OrderOutcome, OrderSubmitted, OutcomeCounted,
    OutsideActed, OutsideAction, Proposed, Published, RebalanceTradeSkipped, RiskJudged, Started,
    StateChanged, StateRestored, TaskFinished, TaskOutcome, TaskRunEnded, TaskRunStarted,
};
use crate::message::{DegradationLevel, Draft, Instant, Message, MessageId, Name, Payload, Topic};
use serde_json::json;
use std::rc::Rc;

/// The sections of a scenario beyond the least that runs, as JSON.
pub(super) fn plan(sections: serde_json::Value) -> Plan<Config> {
    let mut system = json!({"symbols": ["BTC/USDT"], "market": {"source": "none"}});
    for (key, value) in sections.as_object().expect("sections are an object") {
        system[key] = value.clone();
    }
    let system: Config = serde_json::from_value(system).expect("the sections are right");
    Plan {
        name: "planted".to_owned(),
        story: String::new(),
        seed: 0,
        start_unix_ns: 0,
        duration_ns: None,
        scheduler: dacapo_kernel::SchedulerKind::Fifo,
        budgets: dacapo_kernel::Budgets::default(),
        faults: dacapo_kernel::FaultPlan::default(),
        profile: "sound".to_owned(),
        defects: Vec::new(),
        data: Vec::new(),
        expect: dacapo_kernel::Expect::default(),
        system,
    }
}

pub(crate) fn minimal() -> Plan<Config> {
    plan(json!({}))
}

pub(super) fn name(text: &str) -> Name {
    Name::from(text)
}

pub(super) fn started() -> Started {
    Started {}
}

pub(super) fn crashed() -> HostCrashed {
    HostCrashed {
        host: HostId(1),
        abrupt: false,
    }
}

pub(super) fn restarted() -> HostRestarted {
    HostRestarted { host: HostId(1) }
}

pub(super) fn ended() -> RunEnded {
    RunEnded {
        verdict: Verdict::Complete,
    }
}

pub(super) fn state(from: RunState, to: RunState) -> StateChanged {
    StateChanged {
        from,
        to,
        by: name("a test"),
    }
}

pub(super) fn counted(outcome: Counted, llm_failures: u32, api_failures: u32) -> OutcomeCounted {
    let level = ((llm_failures + api_failures) / 3).min(3) as usize;
    OutcomeCounted {
        outcome,
        llm_failures,
        api_failures,
        level: DegradationLevel::ALL[level],
    }
}

pub(super) fn run_started(task: &str, forced: bool) -> TaskRunStarted {
    TaskRunStarted {
        task: name(task),
        symbol: name("BTC/USDT"),
        forced,
    }
}

pub(super) fn run_ended(task: &str, outcome: TaskOutcome) -> TaskRunEnded {
    TaskRunEnded {
        task: name(task),
        symbol: name("BTC/USDT"),
        outcome,
    }
}

pub(super) fn finished(task: &str) -> TaskFinished {
    TaskFinished { task: name(task) }
}

pub(super) fn published(number: u64, topic: Topic, payload: impl Into<Payload>) -> Published {
    let draft = Draft::new(topic, name("coordinator"), payload);
    let message = draft.stamp(MessageId::number(number), Instant::START);
    Published {
        message: Rc::new(message.expect("it has a source")),
        trimmed: 0,
    }
}

pub(super) fn raw(json: serde_json::Value) -> Payload {
    Payload::Raw(json)
}

//! Plans and events that the tests of these properties have in common.

use std::rc::Rc;

use dacapo_kernel::{HostCrashed, HostId, HostRestarted, Plan, RunEnded, Verdict};
use serde_json::json;

use crate::amount::Amount;
use crate::config::Config;
use crate::coordinator::state::RunState;
use crate::domain_event::{
    Counted, LegMarked, LegStored, LegsPlanned, OrderAnswered, OrderOutcome, OrderSubmitted,
    OutcomeCounted, Proposed, Published, RebalanceTradeSkipped, RiskJudged, Started, StateChanged,
    StoreFailed, Subscribed, TaskFinished, TaskOutcome, TaskRunEnded, TaskRunStarted, TradeOrigin,
};
use crate::message::{DegradationLevel, Draft, Instant, MessageId, Name, Payload, Span, Topic};

/// The sections of a scenario beyond the least that runs, as JSON.
pub(super) fn plan(sections: serde_json::Value) -> Plan<Config> {
    let mut system = json!({"symbols": ["BTC/USDT"], "market": {"source": "none"}});
    for (key, value) in sections.as_object().expect("sections are an object") {
        system[key] = value.clone();
    }
    let system: Config = serde_json::from_value(system).expect("the sections are right");
    Plan::of("planted", system)
}

pub(crate) fn minimal() -> Plan<Config> {
    plan(json!({}))
}

pub(super) fn name(text: &str) -> Name {
    Name::from(text)
}

pub(in crate::invariants) fn started() -> Started {
    Started {}
}

/// The coordinator has gone on from what was saved.
pub(in crate::invariants) fn listens() -> Subscribed {
    Subscribed {
        topic: Topic::CoordinatorCommands,
        subscriber: name("coordinator"),
        label: None,
        replaced: Vec::new(),
    }
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

fn proposed() -> Proposed {
    Proposed {
        symbol: name("BTC/USDT"),
        side: name("buy"),
        size_usd: 500.0,
        entry_price: 45_000.0,
        stop_loss: None,
        take_profit: None,
        leverage: 1,
        confidence: 0.8,
        regime: None,
    }
}

/// A buy of BTC; with a limit of 45,000 where it is one.
pub(super) fn submitted(intent: &str, origin: TradeOrigin, is_limit: bool) -> OrderSubmitted {
    OrderSubmitted {
        intent: name(intent),
        origin,
        order: proposed(),
        limit: is_limit.then(|| Amount::from_int(45_000)),
        state: RunState::Running,
    }
}

pub(super) fn answered(intent: &str, outcome: OrderOutcome) -> OrderAnswered {
    OrderAnswered {
        intent: name(intent),
        order: None,
        outcome,
    }
}

pub(super) fn judged(status: &str, rejections: &[&str]) -> RiskJudged {
    RiskJudged {
        origin: TradeOrigin::Signal(7),
        basis: None,
        proposal: proposed(),
        status: name(status),
        rejections: rejections.iter().map(|code| name(code)).collect(),
        warnings: Vec::new(),
        size_usd: None,
        leverage: None,
    }
}

pub(super) fn skipped(batch_index: i64, reason: &str) -> RebalanceTradeSkipped {
    RebalanceTradeSkipped {
        key: name("a trade"),
        symbol: name("BTC/USDT"),
        side: name("sell"),
        batch_index,
        reason: name(reason),
    }
}

pub(super) fn planned(count: u64, accepted: bool) -> LegsPlanned {
    LegsPlanned {
        plan: 1,
        count,
        held: 0,
        accepted,
    }
}

pub(super) fn stored(leg: u64, due_s: i64) -> LegStored {
    LegStored {
        leg,
        key: Name::from(format!("plan-{leg}")),
        symbol: name("BTC/USDT"),
        side: name("sell"),
        amount_usd: Amount::from_int(60),
        batch_index: 1,
        due: Instant::START + Span::from_secs(due_s),
    }
}

pub(super) fn marked(leg: u64, status: &str) -> LegMarked {
    LegMarked {
        leg,
        status: name(status),
    }
}

pub(super) fn store_failed(operation: &str) -> StoreFailed {
    StoreFailed {
        operation: name(operation),
    }
}

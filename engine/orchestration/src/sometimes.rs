//! What a campaign of many runs must have reached, or it has not tested what it claims to.
//!
//! Each is a question to one event, or to a few of them in a row.

mod outside;
mod sequences;

use dacapo_kernel::{Body, Event, KernelEvent, Sometimes, number as kernel};

use crate::domain_event::{
    DomainEvent, EmergencyOrder, OrderOutcome, ResolvedBy, TaskOutcome, number,
};
use crate::message::Payload;

/// A question to one event.
type Question = fn(&Event<DomainEvent>) -> bool;

macro_rules! reached {
    ($($id:literal, $meaning:literal, $kind:ident($it:ident) => $asks:expr;)*) => {
        vec![$(
            Sometimes {
                id: $id,
                meaning: $meaning,
                watches: &[number::$kind],
                reached: Box::new({
                    let asks: Question = |event| match &event.body {
                        Body::Domain(DomainEvent::$kind($it)) => $asks,
                        _ => false,
                    };
                    asks
                }),
            },
        )*]
    };
}

/// Everything that is to be reached sometimes.
pub(crate) fn all() -> Vec<Sometimes<DomainEvent>> {
    let mut all = of_decisions();
    all.extend(of_the_bus());
    all.extend(of_trading());
    all.extend(sequences::all());
    all.extend(outside::all());
    all.push(Sometimes {
        id: "clock.jumped",
        meaning: "the wall clock jumped",
        watches: &[kernel::ClockJumped],
        reached: Box::new(|event| matches!(event.kernel(), Some(KernelEvent::ClockJumped(_)))),
    });
    all
}

fn of_decisions() -> Vec<Sometimes<DomainEvent>> {
    reached! {
        "reply.valid", "a model's reply passed validation", ConflictResolved(it) => it.by == ResolvedBy::Reply;
        "reply.unusable", "a model's reply could not be used", ConflictResolved(it) => it.by == ResolvedBy::UnusableReply;
        "reply.timeout", "no model answered in time", ConflictResolved(it) => it.by == ResolvedBy::Timeout;
        "reply.failure", "every model failed", ConflictResolved(it) => it.by == ResolvedBy::Failure;
        "reply.not-asked", "the level forbade asking a model", ConflictResolved(it) => it.by == ResolvedBy::Level;
        "reply.proceed", "a conflict ended with proceed", ConflictResolved(it) => it.action == *"proceed";
        "reply.wait", "a conflict ended with wait", ConflictResolved(it) => it.action == *"wait";
        "reply.modify", "a conflict ended with modify", ConflictResolved(it) => it.action == *"modify";
        "reply.abort", "a conflict ended with abort", ConflictResolved(it) => it.action == *"abort";
        "conflict.several", "a signal met two conflicts at once", ConflictFound(it) => it.kinds.len() > 1;
        "consensus.full", "all evidence agreed with a signal", ConsensusBuilt(it) => it.total == 3 && it.agreement == 3;
        "model.probe", "a model was probed", ModelAsked(it) => it.purpose == *"probe";
        "signal.not-running", "a signal came while nothing was traded", SignalDropped(it) => it.reason == *"NOT_RUNNING";
        "signal.queue-full", "a signal was refused because too many waited", SignalDropped(it) => it.reason == *"SIGNAL_QUEUE_FULL";
        "signal.malformed", "a signal could not be read", SignalDropped(it) => it.reason == *"MALFORMED_SIGNAL";
        "signal.unknown-action", "a signal asked for an unknown action", SignalDropped(it) => it.reason == *"UNKNOWN_ACTION";
        "task.timed-out", "an agent was given up after its limit", TaskRunEnded(it) => it.outcome == TaskOutcome::TimedOut;
        "task.failed", "an agent failed", TaskRunEnded(it) => matches!(it.outcome, TaskOutcome::Failed(_));
        "task.forced", "a task was run by command", TaskRunStarted(it) => it.forced;
        "task.disabled", "a task was disabled", TaskSwitched(it) => !it.enabled;
    }
}

fn of_the_bus() -> Vec<Sometimes<DomainEvent>> {
    reached! {
        "bus.trim", "the full history lost its oldest message", Published(it) => it.trimmed > 0;
        "bus.expiry", "expired messages left the history", HistoryShrunk(it) => it.expired;
        "bus.breaker", "a failing subscription was removed", Unsubscribed(it) => it.failures.is_some();
        "bus.label", "a subscription carried a label", Subscribed(it) => it.label.is_some();
        "bus.refused", "a topic had as many subscriptions as it can", OutsideRefused(it) => it.outcome == *"subscription_rejected";
    }
}

fn of_trading() -> Vec<Sometimes<DomainEvent>> {
    reached! {
        "risk.rejected", "the risk engine refused a proposal", RiskJudged(it) => !it.rejections.is_empty();
        "risk.reduced", "the risk engine reduced a proposal", RiskJudged(it) => it.size_usd.is_some();
        "risk.reset", "somebody lifted what halted trading", RiskReset(it) => !it.lifted.is_empty();
        "order.filled", "an order was filled", OrderAnswered(it) => it.outcome == OrderOutcome::Filled;
        "order.rests", "an order waited for its price", OrderAnswered(it) => it.outcome == OrderOutcome::Resting;
        "order.refused", "an order was refused", OrderAnswered(it) => matches!(it.outcome, OrderOutcome::Refused(_));
        "order.cancelled", "an order was taken back", OrderAnswered(it) => it.outcome == OrderOutcome::Cancelled;
        "order.unknown", "nobody knew what became of an order", OrderAnswered(it) => it.outcome == OrderOutcome::Unknown;
        "order.margin", "an order was filled on margin", Filled(it) => it.margin;
        "emergency.close", "every position was ordered to be closed", EmergencyOrdered(it) => it.order == EmergencyOrder::CloseAll;
        "emergency.reduce", "every position was ordered to be reduced", EmergencyOrdered(it) => matches!(it.order, EmergencyOrder::Reduce(_));
        "emergency.left", "a position could not be closed at once", EmergencyOrdered(it) => it.left > Some(0);
        "rebalance.advice-useless", "what a model advised on a plan was of no use", Published(it) => matches!(&it.message.payload, Payload::Raw(plan) if plan["used_fallback_strategy"] == true);
        "rebalance.unfunded", "a buy was not sent for want of money", RebalanceTradeSkipped(it) => it.reason == *"unfunded";
        "leg.executed", "a scheduled trade was carried out", LegMarked(it) => it.status == *"executed";
        "leg.failed", "a scheduled trade failed", LegMarked(it) => it.status == *"failed";
        "store.failed", "the store did not do what it was asked", StoreFailed(_it) => true;
    }
}

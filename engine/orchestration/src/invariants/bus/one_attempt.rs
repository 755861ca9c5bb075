//! Every subscription gets each message once.

use dacapo_kernel::{Event, Invariant, KernelEvent, TaskEnding, number as kernel};

use super::deliveries::{Attempt, Deliveries, Open};
use crate::domain_event::{DomainEvent, number};

/// Every subscription that there is when a message is published gets exactly one delivery
/// attempt, whatever the other handlers do.
///
/// No subscription of the orchestration has a filter: each of its topic matches.
#[derive(Default)]
pub(super) struct OneAttempt {
    deliveries: Deliveries,
}

impl Invariant<DomainEvent> for OneAttempt {
    fn id(&self) -> &'static str {
        "bus.one-attempt"
    }

    fn statement(&self) -> &'static str {
        "every subscription that matches at publish time gets exactly one delivery attempt, whatever \
         the other handlers do"
    }

    fn watches(&self) -> &'static [u16] {
        // Besides what concerns the bus: what a publisher does next.
        &[
            number::Started,
            number::Subscribed,
            number::Unsubscribed,
            number::Published,
            number::Delivered,
            number::HandlerFailed,
            number::StateChanged,
            number::OutcomeCounted,
            number::TaskRunEnded,
            number::TaskSwitched,
            number::SignalDropped,
            number::OrderSubmitted,
            number::OutsideRefused,
            kernel::TaskEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Delivered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return match event.kernel() {
                Some(KernelEvent::TaskEnded(it)) if it.ending == TaskEnding::Returned => {
                    complete(self.deliveries.left(event.cause))
                }
                _ => Ok(()),
            };
        };
        if let DomainEvent::Delivered(it) = domain {
            return match self.deliveries.classify(it) {
                Attempt::First { at, place } => {
                    self.deliveries.tried(event.seq, at, place);
                    self.deliveries.settle(at);
                    Ok(())
                }
                Attempt::Again => Err(format!(
                    "expected one attempt for each subscription, found another one for {}",
                    it.subscriber
                )),
                Attempt::Stranger => Err(format!(
                    "expected attempts for those subscribed at the publish, found one for {}",
                    it.subscriber
                )),
            };
        }
        complete(self.deliveries.left(event.cause))?;
        match domain {
            DomainEvent::Published(it) => self.deliveries.published(event.seq, event.cause, it),
            other => self.deliveries.apply(other),
        }
        Ok(())
    }
}

/// A publish is over: nobody may be left out.
fn complete(left: Option<Open>) -> Result<(), String> {
    let Some(open) = left else { return Ok(()) };
    let missed = open.keys.get(open.next).map(|key| key.subscriber.as_str());
    Err(format!(
        "expected an attempt for {} before the publish is over, found none",
        missed.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{delivered, failed, published, subscribed, unsubscribed};
    use super::*;
    use crate::coordinator::state::RunState;
    use crate::domain_event::{Started, StateChanged};
    use crate::invariants::planted::Planted;

    /// Two subscriptions, events 0 and 1, and a message, event 2.
    fn two() -> Planted {
        Planted::of(OneAttempt::default())
            .then(subscribed("a", None))
            .then(subscribed("b", None))
            .then(published(7, "agent"))
    }

    fn goes_on() -> StateChanged {
        StateChanged {
            from: RunState::Running,
            to: RunState::Paused,
            by: "pause".into(),
        }
    }

    #[test]
    fn each_is_tried_once_although_one_fails_or_is_removed_meanwhile() {
        two()
            .after(2, delivered(7, "a"))
            .after(3, failed(7, "a"))
            .then(unsubscribed("b", None))
            .after(2, delivered(7, "b"))
            .after(2, goes_on())
            .holds();
    }

    #[test]
    fn a_subscription_must_not_be_left_out_after_an_error_of_another() {
        let what = two()
            .after(2, delivered(7, "a"))
            .after(3, failed(7, "a"))
            .after(2, goes_on())
            .violated();
        assert!(what.contains("before the publish is over"), "{what}");
    }

    #[test]
    fn nobody_is_tried_twice() {
        let twice = |again: &str| {
            let both = two().after(2, delivered(7, "a"));
            both.after(2, delivered(7, again)).violated()
        };
        assert!(twice("a").contains("another one"));
    }

    #[test]
    fn who_subscribes_later_gets_nothing() {
        let what = two()
            .then(subscribed("c", None))
            .after(2, delivered(7, "c"))
            .violated();
        assert!(what.contains("subscribed at the publish"), "{what}");
    }

    #[test]
    fn what_a_crash_cut_off_owes_nothing() {
        two()
            .after(2, delivered(7, "a"))
            .then(Started {})
            .after(2, goes_on())
            .holds();
    }
}

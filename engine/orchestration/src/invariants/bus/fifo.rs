//! The order in which messages reach a subscription.

use dacapo_kernel::{Event, Invariant};

use super::deliveries::{Attempt, Deliveries, Open};
use super::table::is;
use crate::domain_event::{Delivered, DomainEvent, number};

/// Messages of one publisher and topic reach a subscription in publish order; a message goes to
/// its subscriptions in their order, and what a handler publishes is delivered before the message
/// that it was called with goes on.
///
/// Where a message waits in a handler, a later one of the same publisher may overtake it.
#[derive(Default)]
pub(super) struct Fifo {
    deliveries: Deliveries,
}

impl Invariant<DomainEvent> for Fifo {
    fn id(&self) -> &'static str {
        "bus.fifo"
    }

    fn statement(&self) -> &'static str {
        "messages of one publisher and topic reach a subscription in publish order (nested publishes \
         are depth first)"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::Subscribed,
            number::Unsubscribed,
            number::Published,
            number::Delivered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Delivered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(it)) => {
                self.deliveries.left(event.cause);
                self.deliveries.published(event.seq, event.cause, it);
            }
            Some(DomainEvent::Delivered(it)) => {
                // How often is the business of another property.
                let Attempt::First { at, place } = self.deliveries.classify(it) else {
                    return Ok(());
                };
                let all = self.deliveries.open();
                in_order(&all[at], place)?;
                depth_first(all, &all[at])?;
                not_overtaking(all, &all[at], it)?;
                self.deliveries.tried(event.seq, at, place);
                self.deliveries.settle(at);
            }
            Some(other) => self.deliveries.apply(other),
            None => {}
        }
        Ok(())
    }
}

fn in_order(open: &Open, place: usize) -> Result<(), String> {
    if place == open.next {
        return Ok(());
    }
    Err(format!(
        "expected {} to be called next, found {} called",
        open.keys[open.next].subscriber, open.keys[place].subscriber
    ))
}

fn depth_first(all: &[Open], outer: &Open) -> Result<(), String> {
    match all.iter().find(|open| open.within == Some(outer.number)) {
        None => Ok(()),
        Some(nested) => Err(format!(
            "expected msg-{}, which a handler published, to be delivered first, found msg-{} delivered",
            nested.number, outer.number
        )),
    }
}

fn not_overtaking(all: &[Open], this: &Open, it: &Delivered) -> Result<(), String> {
    let earlier = all.iter().take_while(|open| open.number < this.number);
    let mut waiting = earlier.filter(|open| open.topic == this.topic && open.called.is_none());
    let overtaken = waiting.find(|open| {
        let mine = |key| is(key, &it.subscriber, it.label.as_ref());
        open.source == this.source && open.keys.iter().any(mine)
    });
    match overtaken {
        None => Ok(()),
        Some(open) => Err(format!(
            "expected msg-{} of the same publisher first, found msg-{}",
            open.number, this.number
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{delivered, published, subscribed};
    use super::*;
    use crate::invariants::planted::Planted;

    /// Two subscriptions, events 0 and 1.
    fn two() -> Planted {
        Planted::of(Fifo::default())
            .then(subscribed("a", None))
            .then(subscribed("b", None))
    }

    #[test]
    fn one_after_another_and_nested_ones_first() {
        two()
            .then(published(0, "agent"))
            .after(2, delivered(0, "a"))
            .after(3, published(1, "a"))
            .after(4, delivered(1, "a"))
            .after(4, delivered(1, "b"))
            .after(2, delivered(0, "b"))
            .holds();
    }

    #[test]
    fn subscriptions_are_called_in_their_order() {
        let backwards = two()
            .then(published(0, "agent"))
            .after(2, delivered(0, "b"));
        assert!(backwards.violated().contains("to be called next"));
    }

    #[test]
    fn a_nested_message_does_not_wait_for_the_outer_one() {
        let what = two()
            .then(published(0, "agent"))
            .after(2, delivered(0, "a"))
            .after(3, published(1, "a"))
            .after(2, delivered(0, "b"))
            .violated();
        assert!(what.contains("a handler published"), "{what}");
    }

    #[test]
    fn a_later_message_does_not_overtake_one_that_nobody_holds_up() {
        let both = two()
            .then(published(0, "agent"))
            .then(published(1, "agent"));
        let what = both.after(3, delivered(1, "a")).violated();
        assert!(what.contains("same publisher first"), "{what}");
    }

    #[test]
    fn a_later_message_may_pass_one_that_waits_in_a_handler() {
        two()
            .then(published(0, "agent"))
            .after(2, delivered(0, "a"))
            .then(published(1, "agent"))
            .after(4, delivered(1, "a"))
            .after(4, delivered(1, "b"))
            .after(2, delivered(0, "b"))
            .holds();
    }
}

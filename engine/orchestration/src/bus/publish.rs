//! Publishing: a message is stored, and every handler that wants it is called.

use std::rc::Rc;

use dacapo_kernel::Seq;

use super::subscriptions::{AfterFailure, SubscriberKey, Subscription};
use super::{Bus, Handler, note_ended};
use crate::Ctx;
use crate::defect::Defect;
use crate::domain_event::{Delivered, HandlerFailed, Published};
use crate::message::{Draft, HandlerRemoved, InvalidMessage, Message, MessageId, Priority, Topic};

impl Bus {
    /// Stores a message and calls every handler that wants it, one after another. Returns how
    /// many finished; what a handler raises stays here.
    ///
    /// # Errors
    /// If the message breaks a rule; then nothing has happened.
    pub async fn publish(&self, ctx: &Ctx, draft: Draft) -> Result<u32, InvalidMessage> {
        let permit = self.inner.lock.acquire().await;
        let (message, published, snapshot) = self.store(ctx, draft)?;
        let held = self
            .inner
            .defects
            .has(Defect::HandlerUnderLock)
            .then_some(permit);
        let delivered = self.deliver_all(ctx, published, &message, &snapshot).await;
        drop(held);
        ctx.set_cause(Some(published));
        Ok(delivered)
    }

    #[expect(
        clippy::type_complexity,
        reason = "the three parts of a publish, used at one place"
    )]
    fn store(
        &self,
        ctx: &Ctx,
        draft: Draft,
    ) -> Result<(Rc<Message>, Seq, Rc<[Subscription<Handler>]>), InvalidMessage> {
        let mut state = self.inner.state.borrow_mut();
        let id = self.inner.ids.get();
        let message = draft.stamp(MessageId::number(id), self.inner.clock.now(ctx))?;
        self.inner.ids.set(id + 1);
        let message = Rc::new(message);
        let before = state.history.len();
        state.history.push(Rc::clone(&message));
        let trimmed = before + 1 - state.history.len();
        state.statistics.total_published += 1;
        let snapshot = state.subscriptions.snapshot(message.topic);
        drop(state);
        let published = ctx.emit(Published {
            message: Rc::clone(&message),
            trimmed: u32::try_from(trimmed).unwrap_or(u32::MAX),
        });
        Ok((message, published, snapshot))
    }

    async fn deliver_all(
        &self,
        ctx: &Ctx,
        published: Seq,
        message: &Rc<Message>,
        snapshot: &[Subscription<Handler>],
    ) -> u32 {
        let mut delivered = 0;
        let mut removed = Vec::new();
        for subscription in snapshot {
            if !subscription.handler.wants(message) {
                continue;
            }
            ctx.set_cause(Some(published));
            match self.deliver(ctx, message, subscription).await {
                Ok(()) => delivered += 1,
                Err(removal) => {
                    removed.extend(removal);
                    if self.inner.defects.has(Defect::HandlerErrorStopsDelivery) {
                        break;
                    }
                }
            }
        }
        for removal in removed {
            self.announce_removal(ctx, message.topic, removal).await;
        }
        delivered
    }

    /// Calls one handler; its failure may have removed the subscription.
    async fn deliver(
        &self,
        ctx: &Ctx,
        message: &Rc<Message>,
        subscription: &Subscription<Handler>,
    ) -> Result<(), Option<(SubscriberKey, u32)>> {
        let (key, topic) = (&subscription.key, message.topic);
        let number = message.id.as_number();
        let under_lock = self.inner.lock.is_held_by_me();
        ctx.emit(Delivered {
            message: number,
            subscriber: key.subscriber.clone(),
            label: key.label.clone(),
            under_lock,
        });
        let handled = subscription.handler.call(ctx, message).await;
        let mut state = self.inner.state.borrow_mut();
        let Err(error) = handled else {
            state.statistics.total_delivered += 1;
            state.subscriptions.record_success(topic, key);
            return Ok(());
        };
        state.statistics.delivery_errors += 1;
        let after = state.subscriptions.record_failure(topic, key);
        drop(state);
        ctx.emit(HandlerFailed {
            message: number,
            subscriber: key.subscriber.clone(),
            label: key.label.clone(),
            error: error.0,
        });
        match after {
            AfterFailure::Kept => Err(None),
            AfterFailure::Removed { failures } => {
                note_ended(ctx, topic, key, Some(failures));
                Err(Some((key.clone(), failures)))
            }
        }
    }

    async fn announce_removal(
        &self,
        ctx: &Ctx,
        topic: Topic,
        (key, failures): (SubscriberKey, u32),
    ) {
        if self.inner.defects.has(Defect::BreakerSilent) {
            return;
        }
        let removal = HandlerRemoved {
            subscriber: key.subscriber,
            label: key.label,
            topic,
            failures: i64::from(failures),
        };
        let draft = Draft::new(Topic::SystemEvents, self.inner.source.clone(), removal)
            .priority(Priority::High);
        let published = Box::pin(self.publish(ctx, draft)).await;
        published.expect("the bus names itself as the source and keeps the default life");
    }
}

//! The message bus: stores what is published and calls who is subscribed, depth first.
//!
//! A publish takes the lock, stores the message, copies the list of subscriptions, and releases
//! the lock before it calls the first handler; so a handler may use the bus. With the defect
//! `handler-under-lock` the lock is kept, and a handler that uses the bus waits for itself.

pub mod handler;
pub mod history;
mod publish;
pub mod subscriptions;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::Lock;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::defect::Defects;
use crate::domain_event::{HistoryShrunk, MessageRewritten, Subscribed, Unsubscribed};
use crate::message::{Message, Name, Topic};
use crate::{Ctx, Orchestration};

pub use handler::{Handler, HandlerError};
use history::{Criteria, History, Listing};
use subscriptions::{
    SubscriberKey, Subscription, SubscriptionId, SubscriptionLimit, SubscriptionLimits,
    Subscriptions,
};

/// How the bus is set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// How many messages are kept over all topics; 0 for no limit.
    pub max_history_size: usize,
    /// How often expired messages are dropped, in seconds.
    pub cleanup_interval_seconds: u64,
    /// Whether they are dropped at all.
    pub cleanup: bool,
    /// The bounds of subscriptions.
    pub subscriptions: SubscriptionLimits,
}

impl Default for BusConfig {
    fn default() -> BusConfig {
        BusConfig {
            max_history_size: 1000,
            cleanup_interval_seconds: 60,
            cleanup: false,
            subscriptions: SubscriptionLimits::default(),
        }
    }
}

/// What the bus has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusStatistics {
    /// Messages that were stored.
    pub total_published: u64,
    /// Handlers that finished.
    pub total_delivered: u64,
    /// Handlers that raised an error.
    pub delivery_errors: u64,
    /// Messages in the history.
    pub history_size: usize,
    /// Subscriptions over all topics.
    pub subscriber_count: usize,
    /// Topics with a subscription.
    pub topics_active: usize,
}

/// The message bus of one host. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    inner: Rc<Inner>,
}

struct Inner {
    lock: Lock<Orchestration>,
    defects: Defects,
    clock: Clock,
    source: Name,
    ids: Rc<Cell<u64>>,
    state: RefCell<State>,
}

struct State {
    history: History,
    subscriptions: Subscriptions<Handler>,
    statistics: BusStatistics,
}

impl Bus {
    /// An empty bus. Its messages take their ids from `ids`, which goes on counting where a bus
    /// before it stopped: no two messages of a run have the same.
    pub fn new(ctx: &Ctx, config: &BusConfig, ids: Rc<Cell<u64>>, defects: Defects) -> Bus {
        let state = State {
            history: History::new(config.max_history_size),
            subscriptions: Subscriptions::new(config.subscriptions, defects),
            statistics: BusStatistics::default(),
        };
        let inner = Inner {
            lock: Lock::new(ctx, "bus"),
            defects,
            clock: Clock::new(defects),
            source: Name::fixed("message_bus"),
            ids,
            state: RefCell::new(state),
        };
        Bus {
            inner: Rc::new(inner),
        }
    }

    /// Drops expired messages now and then, for as long as the run goes on.
    pub fn start_cleanup(&self, ctx: &Ctx, every: Duration) {
        let (bus, ctx) = (self.clone(), ctx.clone());
        let cleaner = ctx.clone();
        drop(ctx.spawn_daemon("bus cleanup", async move {
            loop {
                cleaner.sleep(every).await;
                bus.clean_up(&cleaner).await;
            }
        }));
    }

    // Subscriptions.

    /// Subscribes a handler, at the end of the topic's order. The same subscriber and label
    /// replaces what it had.
    ///
    /// # Errors
    /// If the topic has as many subscriptions as it can.
    pub async fn subscribe(
        &self,
        ctx: &Ctx,
        topic: Topic,
        key: SubscriberKey,
        handler: Handler,
    ) -> Result<SubscriptionId, SubscriptionLimit> {
        let _permit = self.inner.lock.acquire().await;
        let (id, replaced) = {
            let subscriptions = &mut self.inner.state.borrow_mut().subscriptions;
            let before = subscriptions.snapshot(topic);
            let id = subscriptions.subscribe(topic, key, handler)?;
            (id, left_between(&before, &subscriptions.snapshot(topic)))
        };
        ctx.emit(Subscribed {
            topic,
            subscriber: id.key.subscriber.clone(),
            label: id.key.label.clone(),
            replaced,
        });
        Ok(id)
    }

    /// Ends a subscriber's subscriptions to a topic, or to all. Returns how many there were.
    pub async fn unsubscribe(&self, ctx: &Ctx, subscriber: &Name, topic: Option<Topic>) -> usize {
        let _permit = self.inner.lock.acquire().await;
        let mut removed = 0;
        for topic in Topic::or_all(topic) {
            let snapshot = {
                let mut state = self.inner.state.borrow_mut();
                let snapshot = state.subscriptions.snapshot(topic);
                removed += state.subscriptions.unsubscribe(subscriber, Some(topic));
                snapshot
            };
            let ended = snapshot.iter().map(|each| &each.key);
            for key in ended.filter(|key| key.subscriber == *subscriber) {
                note_ended(ctx, topic, key, None);
            }
        }
        removed
    }

    // Queries.

    /// The newest unexpired message of a topic that meets the criteria and passes the filter.
    pub async fn get_latest(
        &self,
        ctx: &Ctx,
        topic: Topic,
        criteria: &Criteria,
        filter: impl Fn(&Message) -> bool,
    ) -> Option<Rc<Message>> {
        let _permit = self.inner.lock.acquire().await;
        let now = self.inner.clock.now(ctx);
        self.inner
            .state
            .borrow()
            .history
            .latest(topic, criteria, now, filter)
            .cloned()
    }

    /// Unexpired messages that meet the criteria, newest first.
    pub async fn get_history(&self, ctx: &Ctx, listing: &Listing) -> Vec<Rc<Message>> {
        let _permit = self.inner.lock.acquire().await;
        self.inner
            .state
            .borrow()
            .history
            .list(listing, self.inner.clock.now(ctx))
    }

    /// Drops the messages of a topic, or all. Returns how many there were.
    pub async fn clear_history(&self, ctx: &Ctx, topic: Option<Topic>) -> usize {
        let _permit = self.inner.lock.acquire().await;
        let dropped = self.inner.state.borrow_mut().history.clear(topic);
        self.note_shrunk(ctx, dropped, false)
    }

    /// Drops expired messages. Returns how many there were.
    pub async fn clean_up(&self, ctx: &Ctx) -> usize {
        let _permit = self.inner.lock.acquire().await;
        let now = self.inner.clock.now(ctx);
        let dropped = self.inner.state.borrow_mut().history.clean_up(now);
        self.note_shrunk(ctx, dropped, true)
    }

    fn note_shrunk(&self, ctx: &Ctx, dropped: usize, expired: bool) -> usize {
        if dropped > 0 {
            ctx.emit(HistoryShrunk {
                dropped: dropped as u64,
                expired,
            });
        }
        dropped
    }

    /// What the bus has done so far.
    pub fn statistics(&self) -> BusStatistics {
        let state = self.inner.state.borrow();
        BusStatistics {
            history_size: state.history.len(),
            subscriber_count: state.subscriptions.count(None),
            topics_active: state.subscriptions.topics_active(),
            ..state.statistics
        }
    }

    /// Who is subscribed to what, in delivery order.
    pub fn subscribers(&self) -> BTreeMap<Topic, Vec<Name>> {
        let state = self.inner.state.borrow();
        let of = |topic: Topic| {
            let snapshot = state.subscriptions.snapshot(topic);
            let names = snapshot.iter().map(|each| each.key.subscriber.clone());
            (topic, names.collect::<Vec<Name>>())
        };
        let all = Topic::ALL.iter().copied().map(of);
        all.filter(|(_, names)| !names.is_empty()).collect()
    }

    /// How many subscriptions a topic has, or all topics together.
    pub fn subscriber_count(&self, topic: Option<Topic>) -> usize {
        self.inner.state.borrow().subscriptions.count(topic)
    }

    /// Drops every handler; nobody is told, since whoever would be is gone.
    pub(crate) fn take_apart(&self) {
        let none = Subscriptions::new(SubscriptionLimits::default(), self.inner.defects);
        let handlers = std::mem::replace(&mut self.inner.state.borrow_mut().subscriptions, none);
        drop(handlers);
    }

    /// Changes a stored message, as the original's signal handler does to the one it was given.
    pub(crate) fn rewrite(
        &self,
        ctx: &Ctx,
        message: &Rc<Message>,
        rewrite: impl FnOnce(&mut Message),
    ) {
        let noting = |stored: &mut Message| {
            rewrite(stored);
            stored.payload.clone()
        };
        let mut state = self.inner.state.borrow_mut();
        let payload = state.history.rewrite(message, noting);
        drop(state);
        if let Some(payload) = payload {
            ctx.emit(MessageRewritten {
                message: message.id.as_number(),
                payload,
            });
        }
    }
}

/// Whose subscriptions were there before somebody subscribed, and are not there besides the new one.
fn left_between(
    before: &[Subscription<Handler>],
    after: &[Subscription<Handler>],
) -> Vec<SubscriberKey> {
    let others = after.split_last().map_or(after, |(_, others)| others);
    // Those that stay keep their order.
    let mut others = others.iter().map(|each| &each.key).peekable();
    let keys = before.iter().map(|each| &each.key);
    let left = keys.filter(|key| others.next_if_eq(key).is_none());
    left.cloned().collect()
}

/// Says that a subscription ended, after so many failures or because its subscriber asked for it.
fn note_ended(ctx: &Ctx, topic: Topic, key: &SubscriberKey, failures: Option<u32>) {
    ctx.emit(Unsubscribed {
        topic,
        subscriber: key.subscriber.clone(),
        label: key.label.clone(),
        failures,
    });
}

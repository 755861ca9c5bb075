//! The end of a subscription that keeps failing.

mod counts;

use dacapo_kernel::{Event, Invariant, KernelEvent, Seq, TaskEnding, number as kernel};

use self::counts::Counts;
use super::table::{is, key_of};
use crate::bus::subscriptions::SubscriberKey;
use crate::config::Config;
use crate::domain_event::{DomainEvent, HandlerFailed, Published, Unsubscribed, number};
use crate::message::{HandlerRemoved, Payload, Topic};

/// A subscription is removed at exactly its configured failure (cumulative, or consecutive), in the
/// publish in which it fails, and the removal is announced before that publish is over. A new
/// subscription starts at zero.
pub(super) struct Breaker {
    counts: Counts,
    limit: u32,
    /// A subscription that has just failed too often.
    owed: Option<(Topic, SubscriberKey)>,
    /// What failed last, in the event before.
    failed: Option<(Topic, SubscriberKey)>,
    /// Removals that are to be announced before the publish of this event is over.
    unannounced: Vec<(Option<Seq>, Removal)>,
}

/// A subscription that was removed.
struct Removal {
    topic: Topic,
    key: SubscriberKey,
    failures: u32,
}

impl Breaker {
    pub(super) fn new(config: &Config) -> Breaker {
        let limits = config.message_bus.subscriptions;
        Breaker {
            counts: Counts::new(limits.counting),
            limit: limits.failures,
            owed: None,
            failed: None,
            unannounced: Vec::new(),
        }
    }
}

impl Invariant<DomainEvent> for Breaker {
    fn id(&self) -> &'static str {
        "bus.breaker"
    }

    fn statement(&self) -> &'static str {
        "a subscription is removed at exactly its 10th failure (cumulative, or consecutive where \
         configured), and the removal is announced; others keep receiving; a new subscription starts \
         at zero"
    }

    fn watches(&self) -> &'static [u16] {
        // Besides what concerns subscriptions: what a publisher does next.
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
            number::SignalDropped,
            number::OutsideRefused,
            kernel::TaskEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::HandlerFailed]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return match event.kernel() {
                Some(KernelEvent::TaskEnded(it)) if it.ending == TaskEnding::Returned => {
                    self.publisher_goes_on(event.cause)
                }
                _ => Ok(()),
            };
        };
        if matches!(domain, DomainEvent::Started(_)) {
            (self.owed, self.failed) = (None, None);
            self.unannounced.clear();
            self.counts.clear();
            return Ok(());
        }
        let failed = self.failed.take();
        if let DomainEvent::Unsubscribed(it) = domain {
            return self.unsubscribed(event.cause, it, failed);
        }
        self.removed_in_time()?;
        if let DomainEvent::Published(it) = domain {
            self.announced(it);
        }
        if !matches!(domain, DomainEvent::Delivered(_)) {
            self.publisher_goes_on(event.cause)?;
        }
        match domain {
            DomainEvent::HandlerFailed(it) => self.failed(it),
            DomainEvent::Published(it) => self.counts.published(event.seq, it),
            other => self.counts.apply(event.cause, other),
        }
        Ok(())
    }
}

impl Breaker {
    fn failed(&mut self, it: &HandlerFailed) {
        let Some((topic, key, least)) = self.counts.failed(it) else {
            return;
        };
        if least >= self.limit {
            self.owed = Some((topic, key.clone()));
        }
        self.failed = Some((topic, key));
    }

    fn removed_in_time(&self) -> Result<(), String> {
        match &self.owed {
            None => Ok(()),
            Some((topic, key)) => Err(format!(
                "expected {} to be removed from `{topic}` at failure {}, found it kept",
                key.subscriber, self.limit
            )),
        }
    }

    fn unsubscribed(
        &mut self,
        cause: Option<Seq>,
        it: &Unsubscribed,
        failed: Option<(Topic, SubscriberKey)>,
    ) -> Result<(), String> {
        let its = |(topic, key): &(Topic, SubscriberKey)| {
            *topic == it.topic && is(key, &it.subscriber, it.label.as_ref())
        };
        let most = self
            .counts
            .most(it.topic, &key_of(&it.subscriber, it.label.as_ref()));
        let published = self.counts.publish_of_last_failure();
        self.counts
            .apply(cause, &DomainEvent::Unsubscribed(it.clone()));
        let Some(failures) = it.failures else {
            self.removed_in_time()?;
            return Ok(());
        };
        if !failed.as_ref().is_some_and(its) {
            return Err(format!(
                "expected {} to be removed when it fails, found it removed at another time",
                it.subscriber
            ));
        }
        if most < self.limit || failures != self.limit {
            return Err(format!(
                "expected {} to be removed at failure {}, found it removed at {}",
                it.subscriber,
                self.limit,
                most.min(failures)
            ));
        }
        self.owed = None;
        let removal = Removal {
            topic: it.topic,
            key: key_of(&it.subscriber, it.label.as_ref()),
            failures,
        };
        self.unannounced.push((published, removal));
        Ok(())
    }

    fn announced(&mut self, it: &Published) {
        let Payload::HandlerRemoved(removed) = &it.message.payload else {
            return;
        };
        if it.message.topic == Topic::SystemEvents {
            self.unannounced
                .retain(|(_, removal)| !tells(removed, removal));
        }
    }

    fn publisher_goes_on(&self, cause: Option<Seq>) -> Result<(), String> {
        let over = |(publish, _): &&(Option<Seq>, Removal)| publish.is_some() && *publish == cause;
        match self.unannounced.iter().find(over) {
            None => Ok(()),
            Some((_, removal)) => Err(format!(
                "expected the removal of {} from `{}` to be announced, found nothing of it",
                removal.key.subscriber, removal.topic
            )),
        }
    }
}

fn tells(removed: &HandlerRemoved, removal: &Removal) -> bool {
    removed.topic == removal.topic
        && removed.failures == i64::from(removal.failures)
        && is(&removal.key, &removed.subscriber, removed.label.as_ref())
}

#[cfg(test)]
mod tests;

//! `position.opened-once`: a position is announced once, however often its execution is reported.

use std::collections::BTreeSet;

use dacapo_kernel::{ActorId, Event, Invariant};

use crate::domain_event::{DomainEvent, number};
use crate::message::{Name, Payload};

/// The positions that the coordinator has announced, in all its lives.
///
/// Whoever counted a position twice would close it twice, or take its profit twice.
#[derive(Debug, Default)]
pub(super) struct OpenedOnce {
    coordinator: Option<ActorId>,
    announced: BTreeSet<Name>,
}

impl OpenedOnce {
    fn announce(&mut self, position: &str) -> Result<(), String> {
        if self.announced.insert(Name::from(position)) {
            return Ok(());
        }
        Err(format!(
            "expected {position} to be announced once, found it announced again"
        ))
    }
}

impl Invariant<DomainEvent> for OpenedOnce {
    fn id(&self) -> &'static str {
        "position.opened-once"
    }

    fn statement(&self) -> &'static str {
        "a position is announced once, however often the exchange reports its execution"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::Started, number::Published]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => self.coordinator = Some(event.actor),
            Some(DomainEvent::Published(published)) if self.coordinator == Some(event.actor) => {
                if let Payload::PositionOpened(opened) = &published.message.payload
                    && let Some(position) = opened.position.0.get("id")
                    && let Some(position) = position.as_str()
                {
                    return self.announce(position);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::*;
    use crate::domain_event::{Published, Started};
    use crate::invariants::planted::Planted;
    use crate::message::{Draft, Instant, Json, MessageId, PositionOpened, Topic};

    fn opened(message: u64, position: &str) -> Published {
        let position = Json(json!({ "id": position }));
        let source = Name::fixed("position_tracker");
        let draft = Draft::new(Topic::PortfolioUpdates, source, PositionOpened { position });
        let message = draft.stamp(MessageId::number(message), Instant::START);
        Published {
            message: Rc::new(message.expect("it names its source")),
            trimmed: 0,
        }
    }

    #[test]
    fn each_position_is_announced_once() {
        let log = Planted::of(OpenedOnce::default()).then(Started {});
        let log = log
            .then(opened(1, "position-1"))
            .then(opened(2, "position-2"));
        log.then(Started {}).then(opened(3, "position-3")).holds();
    }

    #[test]
    fn one_that_is_announced_again_is_found_also_after_a_restart() {
        let log = Planted::of(OpenedOnce::default()).then(Started {});
        let log = log.then(opened(1, "position-1")).then(Started {});
        let found = log.then(opened(2, "position-1")).violated();
        assert!(found.contains("position-1"), "{found}");
    }
}

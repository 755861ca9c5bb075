//! When a failure is forgiven.

use dacapo_kernel::{Event, Invariant};

use super::ledger::{Ledger, kind};
use crate::config::Config;
use crate::domain_event::{DomainEvent, OutcomeCounted, number};

/// A failure count of one kind falls exactly at the configured number of successes of that same kind
/// since its last change, and at nothing else.
///
/// Successes while nothing counts leave no trace; they matter to no count either, since the next
/// failure begins anew.
pub(super) struct OwnCounter {
    ledger: Ledger,
    threshold: u32,
    /// Successes since the last change: of language models, and of everything else.
    llm: u32,
    api: u32,
}

impl OwnCounter {
    pub(super) fn new(config: &Config) -> OwnCounter {
        OwnCounter {
            ledger: Ledger::new(config),
            threshold: config.degradation.recovery_threshold.max(1),
            llm: 0,
            api: 0,
        }
    }
}

impl Invariant<DomainEvent> for OwnCounter {
    fn id(&self) -> &'static str {
        "degrade.own-counter"
    }

    fn statement(&self) -> &'static str {
        "a failure count of one kind falls only after the configured number of successes of that same \
         kind since its last change"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            Ledger::MADE_FROM[0],
            Ledger::MADE_FROM[1],
            Ledger::MADE_FROM[2],
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutcomeCounted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        match domain {
            DomainEvent::Started(_) | DomainEvent::StateRestored(_) => {
                (self.llm, self.api) = (0, 0);
            }
            DomainEvent::OutcomeCounted(it) => self.counted(it)?,
            _ => {}
        }
        self.ledger.apply(domain);
        Ok(())
    }
}

impl OwnCounter {
    fn counted(&mut self, it: &OutcomeCounted) -> Result<(), String> {
        let (is_failure, is_llm) = kind(it.outcome);
        let fell = (
            it.llm_failures < self.ledger.llm,
            it.api_failures < self.ledger.api,
        );
        let (own_fell, other_fell) = if is_llm { fell } else { (fell.1, fell.0) };
        let own = if is_llm {
            self.ledger.llm
        } else {
            self.ledger.api
        };
        if other_fell {
            return Err(
                "expected a count to fall by its own kind, found the other one fallen".into(),
            );
        }
        let progress = if is_llm { &mut self.llm } else { &mut self.api };
        if is_failure {
            *progress = 0;
            return Ok(());
        }
        *progress += 1;
        let enough = *progress >= self.threshold;
        let after = *progress;
        if enough {
            *progress = 0;
        }
        match (enough, own_fell) {
            (false, true) => Err(format!(
                "expected a count to fall after {} successes of its kind, found it fallen after {after}",
                self.threshold
            )),
            (true, false) if own > 0 => Err(format!(
                "expected a count to fall after {} successes of its kind, found it unchanged",
                self.threshold
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::counted;
    use super::*;
    use crate::domain_event::Counted::{ApiFailure, ApiSuccess, LlmFailure, LlmSuccess};
    use crate::invariants::bus::samples::config;
    use crate::invariants::planted::Planted;
    use crate::message::DegradationLevel::Normal;

    /// One failure of each kind counts.
    fn one_of_each() -> Planted {
        Planted::of(OwnCounter::new(&config()))
            .then(counted(LlmFailure, [1, 0], Normal))
            .then(counted(ApiFailure, [1, 1], Normal))
    }

    fn successes(log: Planted, of: &[crate::domain_event::Counted]) -> Planted {
        let one_more = |log: Planted, outcome: &_| log.then(counted(*outcome, [1, 1], Normal));
        of.iter().fold(log, one_more)
    }

    #[test]
    fn three_of_its_own_kind_with_others_between_them() {
        successes(
            one_of_each(),
            &[ApiSuccess, LlmSuccess, LlmSuccess, ApiSuccess],
        )
        .then(counted(ApiSuccess, [1, 0], Normal))
        .then(counted(LlmSuccess, [0, 0], Normal))
        .holds();
    }

    #[test]
    fn two_of_its_own_and_one_of_the_other_are_too_few() {
        let log = successes(one_of_each(), &[ApiSuccess, LlmSuccess]);
        let what = log.then(counted(ApiSuccess, [1, 0], Normal)).violated();
        assert!(what.contains("found it fallen after 2"), "{what}");
    }

    #[test]
    fn a_failure_begins_anew() {
        let log = successes(one_of_each(), &[ApiSuccess, ApiSuccess]);
        let log = log.then(counted(ApiFailure, [1, 2], Normal));
        let what = log.then(counted(ApiSuccess, [1, 1], Normal)).violated();
        assert!(what.contains("found it fallen after 1"), "{what}");
    }

    #[test]
    fn three_are_enough_and_touch_nothing_else() {
        let two = || successes(one_of_each(), &[ApiSuccess, ApiSuccess]);
        let what = two().then(counted(ApiSuccess, [1, 1], Normal)).violated();
        assert!(what.contains("found it unchanged"), "{what}");
        let what = two().then(counted(ApiSuccess, [0, 0], Normal)).violated();
        assert!(what.contains("the other one"), "{what}");
    }
}

//! The failures that count and the level, as the events tell them.

use crate::config::Config;
use crate::coordinator::degradation::DegradationConfig;
use crate::domain_event::{Counted, DomainEvent, number};
use crate::message::DegradationLevel;

/// What counts now.
#[derive(Clone, Copy, Debug)]
pub(in crate::invariants) struct Ledger {
    config: DegradationConfig,
    pub(in crate::invariants) llm: u32,
    pub(in crate::invariants) api: u32,
    pub(in crate::invariants) level: DegradationLevel,
}

impl Ledger {
    /// The kinds of event that it is made from.
    pub(in crate::invariants) const MADE_FROM: [u16; 3] = [
        number::Started,
        number::StateRestored,
        number::OutcomeCounted,
    ];

    pub(in crate::invariants) fn new(config: &Config) -> Ledger {
        let config = config.degradation;
        let mut ledger = Ledger {
            config,
            llm: config.llm_failures,
            api: config.api_failures,
            level: DegradationLevel::Normal,
        };
        ledger.level = ledger.level_of(ledger.llm, ledger.api);
        ledger
    }

    /// Takes a count into account; anything else changes nothing.
    pub(in crate::invariants) fn apply(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Started(_) => {
                (self.llm, self.api) = (self.config.llm_failures, self.config.api_failures);
                self.level = self.level_of(self.llm, self.api);
            }
            DomainEvent::StateRestored(it) => {
                (self.llm, self.api) = (it.llm_failures, it.api_failures);
                self.level = it.level;
            }
            DomainEvent::OutcomeCounted(it) => {
                (self.llm, self.api) = (it.llm_failures, it.api_failures);
                self.level = it.level;
            }
            _ => {}
        }
    }

    /// The level that so many failures make.
    pub(in crate::invariants) fn level_of(&self, llm: u32, api: u32) -> DegradationLevel {
        let total = u64::from(llm) + u64::from(api);
        match total / u64::from(self.config.failures_per_level.max(1)) {
            0 => DegradationLevel::Normal,
            1 => DegradationLevel::Reduced,
            2 => DegradationLevel::Limited,
            _ => DegradationLevel::Emergency,
        }
    }
}

/// Whether an outcome is a failure, and whether it is one of language models.
pub(in crate::invariants) fn kind(outcome: Counted) -> (bool, bool) {
    match outcome {
        Counted::LlmFailure => (true, true),
        Counted::LlmSuccess => (false, true),
        Counted::ApiFailure => (true, false),
        Counted::ApiSuccess => (false, false),
    }
}

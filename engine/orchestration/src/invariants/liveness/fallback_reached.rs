//! A primary model that hangs or fails leaves the fallback its time, and a provider of its own.

use std::time::Duration;

use dacapo_kernel::{ActorId, Event, Invariant, KernelEvent, Plan, Seq, Time, number as kernel};

use super::EXCLUDED;
use super::up::{Turn, Up};
use crate::config::Config;
use crate::domain_event::{DomainEvent, ResolvedBy, number};
use crate::invariants::replied::replied;

/// One question to a model.
#[derive(Clone, Copy, Debug)]
struct Question {
    call: Seq,
    asked: Time,
    /// Whether the model said anything; none while it is asked.
    replied: Option<bool>,
}

/// `live.fallback-reached`
pub(super) struct FallbackReached {
    life: Up,
    /// How long the primary may take, and how long the fallback must be given.
    shares: (Duration, Duration),
    primary: Option<Question>,
    fallback: Option<Question>,
    /// Who has answered as the primary model.
    provider: Option<ActorId>,
    has_failed: bool,
}

impl FallbackReached {
    pub(super) fn new(plan: &Plan<Config>) -> FallbackReached {
        let conflicts = &plan.system.conflicts;
        let budget = Duration::from_millis(conflicts.max_resolution_time_ms);
        let share = u32::try_from(conflicts.primary_share_pct).unwrap_or(100);
        let primary = budget.saturating_mul(share) / 100;
        FallbackReached {
            life: Up::default(),
            shares: (primary, budget.saturating_sub(primary)),
            primary: None,
            fallback: None,
            provider: None,
            has_failed: false,
        }
    }

    fn forget(&mut self) {
        (self.primary, self.fallback) = (None, None);
    }

    /// A resolution asks the primary first; whoever it asks next is the fallback.
    fn ask(&mut self, call: Seq, now: Time) -> Result<(), String> {
        let question = Question {
            call,
            asked: now,
            replied: None,
        };
        let Some(primary) = self.primary else {
            self.primary = Some(question);
            return Ok(());
        };
        self.fallback = Some(question);
        let (share, _) = self.shares;
        if now > primary.asked + share {
            return Err(
                "expected the fallback to be asked when the primary had its share, \
                 found it asked later"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn answer(&mut self, event: &Event<DomainEvent>, replied: bool) -> Result<(), String> {
        let is = |question: &Question| Some(question.call) == event.cause;
        if let Some(primary) = self.primary.as_mut().filter(|it| is(it)) {
            primary.replied = Some(replied);
            self.has_failed |= !replied;
            self.provider = Some(event.actor);
        }
        if let Some(fallback) = self.fallback.as_mut().filter(|it| is(it)) {
            fallback.replied = Some(replied);
            if self.provider == Some(event.actor) {
                return Err(
                    "expected a provider of its own for the fallback, found that of the primary"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn give_up(&mut self, call: Seq, now: Time) -> Result<(), String> {
        if let Some(primary) = self.primary.as_mut().filter(|it| it.call == call) {
            primary.replied = Some(false);
            self.has_failed = true;
        }
        let (_, share) = self.shares;
        if let Some(fallback) = self.fallback.as_mut().filter(|it| it.call == call) {
            fallback.replied = Some(false);
            if now < fallback.asked + share {
                return Err(
                    "expected the fallback to be given its share of the time, found it given up \
                     earlier"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }

    fn resolve(&mut self, by: ResolvedBy) -> Result<(), String> {
        let asked = self.primary.is_some_and(|it| it.replied != Some(true));
        let reached = self.fallback.is_some();
        self.forget();
        let without_a_word = matches!(by, ResolvedBy::Timeout | ResolvedBy::Failure);
        if without_a_word && asked && !reached {
            return Err(
                "expected the fallback to be asked after the primary, found it never asked"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for FallbackReached {
    fn id(&self) -> &'static str {
        "live.fallback-reached"
    }

    fn statement(&self) -> &'static str {
        "a hung or failing primary model still leaves time and a provider for the fallback"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::CallCancelled,
            number::Started,
            number::ModelAsked,
            number::ModelAnswered,
            number::ConflictFound,
            number::ConflictResolved,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAsked]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if self.life.note(event) != Turn::Nothing {
            self.forget();
        }
        if let Some(KernelEvent::CallCancelled(cancelled)) = event.kernel() {
            return self.give_up(cancelled.call, event.time);
        }
        match event.domain() {
            Some(DomainEvent::ConflictFound(_)) => self.forget(),
            Some(DomainEvent::ModelAsked(asked)) if asked.purpose.as_str() == "resolution" => {
                return self.ask(event.seq, event.time);
            }
            Some(DomainEvent::ModelAnswered(answered)) => {
                let is_reply = replied(&answered.reply).is_ok();
                return self.answer(event, is_reply);
            }
            Some(DomainEvent::ConflictResolved(resolved)) => return self.resolve(resolved.by),
            _ => {}
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        self.has_failed
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{crashed, ended, minimal, name, started};
    use super::*;
    use crate::domain_event::{
        ConflictFound, ConflictResolved, ModelAnswered, ModelAsked, ModelReply,
    };
    use crate::invariants::planted::Planted;
    use dacapo_kernel::CallCancelled;

    fn asked() -> ModelAsked {
        ModelAsked {
            model: name("m"),
            purpose: name("resolution"),
            prompt: String::new(),
            max_tokens: 1,
        }
    }

    fn found() -> ConflictFound {
        ConflictFound {
            signal: 1,
            symbol: name("BTC/USDT"),
            kinds: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn resolved(by: ResolvedBy) -> ConflictResolved {
        ConflictResolved {
            signal: 1,
            action: name("wait"),
            confidence: 0.0,
            by,
        }
    }

    fn error() -> ModelAnswered {
        ModelAnswered {
            reply: ModelReply::Error("503".to_owned()),
        }
    }

    /// Event 2 is the call of the primary.
    fn begun() -> Planted {
        let log = Planted::of(FallbackReached::new(&minimal())).then(started());
        log.then(found()).then(asked())
    }

    fn given_up(log: Planted, call: u64) -> Planted {
        log.kernel(CallCancelled { call: Seq(call) })
    }

    #[test]
    fn a_fallback_that_is_asked_in_time_and_given_its_time_is_fine() {
        let log = given_up(begun().at(6.0), 2).then(asked());
        let log = given_up(log.at(10.0), 4).then(resolved(ResolvedBy::Timeout));
        log.kernel(ended()).holds();
    }

    #[test]
    fn a_fallback_that_is_never_asked_is_found() {
        let log = given_up(begun().at(10.0), 2).then(resolved(ResolvedBy::Timeout));
        assert!(log.violated().ends_with("found it never asked"));
        let log = begun().at(1.0).then_caused_by_the_last(error());
        log.then(resolved(ResolvedBy::Failure)).violated();
        let log = begun().kernel(crashed()).then(started());
        let finding = log.then(resolved(ResolvedBy::Failure)).finding();
        assert_eq!(finding, dacapo_kernel::Finding::NotEvaluable);
    }

    #[test]
    fn a_fallback_that_is_asked_late_or_cut_short_is_found() {
        let late = given_up(begun().at(9.0), 2).then(asked()).violated();
        assert!(late.ends_with("found it asked later"), "{late}");
        let log = given_up(begun().at(6.0), 2).then(asked());
        let short = given_up(log.at(7.0), 4).violated();
        assert!(short.ends_with("given up earlier"), "{short}");
    }

    #[test]
    fn a_provider_that_serves_both_is_found() {
        let log = begun()
            .at(1.0)
            .then_caused_by_the_last(error())
            .then(asked());
        let found = log.at(2.0).then_caused_by_the_last(error()).violated();
        assert!(found.ends_with("found that of the primary"), "{found}");
    }
}

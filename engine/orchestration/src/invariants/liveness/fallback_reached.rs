//! A primary model that hangs or fails leaves the fallback its time, and a provider of its own.

use std::time::Duration;

use dacapo_kernel::{ActorId, Event, Invariant, KernelEvent, Plan, Seq, Time, number as kernel};

use super::EXCLUDED;
use super::up::{Turn, Up};
use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelReply, ResolvedBy, number};

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
                let replied = matches!(answered.reply, ModelReply::Text(_));
                return self.answer(event, replied);
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

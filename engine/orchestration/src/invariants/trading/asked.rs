//! `llm.asked`: who is asked about a conflict, when, what it is told, and whose answer counts.

use std::collections::VecDeque;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Seq, Time, number as kernel};
use serde_json::Value;

use super::contradictions::{REGIME, contradictions, heard};
use super::facts::Facts;
use super::told::Wording;
use crate::config::Config;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{
    ConflictFound, ConflictResolved, ConsensusBuilt, DomainEvent, ModelAnswered, ModelAsked,
    ResolvedBy, number,
};
use crate::invariants::degradation::ledger::Ledger;
use crate::invariants::messages::Messages;
use crate::invariants::replied::replied;
use crate::message::{DegradationLevel, Name, Topic};

/// How sure one is who waits because nobody may be asked.
const SURE_OF_WAITING: f64 = 0.3;

/// How far the resolution of a conflict has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Found then; nobody is asked yet.
    Found(Time),
    /// The primary model was asked then.
    Primary(Seq, Time),
    /// The primary model failed then.
    PrimaryFailed(Time),
    /// The fallback model was asked then.
    Fallback(Seq, Time),
    /// A model said something then.
    Said(Time),
    /// Both failed, the second one then.
    BothFailed(Time),
}

/// The resolution under way.
#[derive(Debug)]
struct Resolution {
    signal: u64,
    stage: Stage,
    /// What is to be told, if that is known.
    facts: Option<Value>,
    /// Whether the level lets a model be asked, if that is known.
    may_ask: Option<bool>,
}

/// What is in conflict with a signal.
#[derive(Debug)]
struct Weighed {
    signal: u64,
    /// What is to be told of it, if that is known.
    facts: Option<Value>,
    /// Whether the market alone contradicts it.
    by_regime: bool,
}

/// The models and their time, and what is known of the conflict that is being resolved.
#[derive(Debug)]
pub(super) struct Asked {
    primary: Name,
    fallback: Name,
    max_tokens: u32,
    /// How long each may take.
    shares: (Duration, Duration),
    threshold: f64,
    symbols: Vec<Name>,
    wording: Wording,
    signals: Messages,
    evidence: Messages,
    /// What consensus made of a signal.
    weighed: Option<Weighed>,
    ledger: Ledger,
    /// Where nothing guards it, several may be under way at once; then nobody can tell them apart.
    under_way: VecDeque<Resolution>,
    mixed: bool,
}

impl Asked {
    pub(super) fn new(plan: &Plan<Config>) -> Asked {
        let config = &plan.system;
        let budget = Duration::from_millis(config.conflicts.max_resolution_time_ms);
        let share = u32::try_from(config.conflicts.primary_share_pct).unwrap_or(100);
        let primary = budget.saturating_mul(share) / 100;
        Asked {
            primary: config.llm.primary.model.clone(),
            fallback: config.llm.fallback.model.clone(),
            max_tokens: config.llm.max_tokens,
            shares: (primary, budget.saturating_sub(primary)),
            threshold: config.conflicts.invoke_llm_threshold,
            symbols: config.symbols.clone(),
            wording: Wording::of(config),
            signals: Messages::of(&[Topic::TradingSignals]),
            evidence: Messages::of(&TOPICS),
            weighed: None,
            ledger: Ledger::new(config),
            under_way: VecDeque::new(),
            mixed: false,
        }
    }

    fn forget(&mut self) {
        (self.weighed, self.mixed) = (None, false);
        self.under_way.clear();
    }

    /// Notes what a model has to be told, should it be asked about this signal.
    fn weigh(&mut self, built: &ConsensusBuilt) {
        self.weighed = None;
        let heard = heard(&built.evidence, &self.evidence);
        let Some((signal, heard)) = self.signals.get(built.signal).zip(heard) else {
            return;
        };
        let signal = Facts::of(&signal.payload);
        let all = contradictions(signal, &heard, self.threshold).unwrap_or_default();
        if all.is_empty() {
            return;
        }
        let is_known = self.wording.knows(&built.symbol, &self.symbols);
        self.weighed = Some(Weighed {
            signal: built.signal,
            facts: is_known.then(|| self.wording.facts(signal, built.confidence, &all)),
            by_regime: all.iter().all(|it| it.kind == REGIME),
        });
    }

    fn find(&mut self, found: &ConflictFound, now: Time) {
        self.mixed |= !self.under_way.is_empty();
        let weighed = self.weighed.take().filter(|it| it.signal == found.signal);
        // Hardly working models are asked about the market only.
        let may_ask = match self.ledger.level {
            DegradationLevel::Normal | DegradationLevel::Reduced => Some(true),
            DegradationLevel::Limited => weighed.as_ref().map(|it| it.by_regime),
            DegradationLevel::Emergency => Some(false),
        };
        self.under_way.push_back(Resolution {
            signal: found.signal,
            stage: Stage::Found(now),
            facts: weighed.and_then(|it| it.facts),
            may_ask,
        });
    }

    fn ask(&mut self, asked: &ModelAsked, call: Seq, now: Time) -> Result<(), String> {
        let (share, _) = self.shares;
        let Some(resolution) = self.under_way.back_mut().filter(|_| !self.mixed) else {
            return Ok(());
        };
        if resolution.may_ask == Some(false) {
            return Err("expected no model to be asked at this level, found a question".into());
        }
        let (model, due) = match resolution.stage {
            Stage::Found(at) => (&self.primary, at),
            Stage::Primary(_, at) => (&self.fallback, at + share),
            Stage::PrimaryFailed(at) => (&self.fallback, at),
            Stage::Fallback(..) | Stage::Said(_) | Stage::BothFailed(_) => {
                return Err(
                    "expected two models to be asked at most, found another question".into(),
                );
            }
        };
        if now != due {
            return Err(
                "expected a model to be asked as soon as it is its turn, found it at another time"
                    .into(),
            );
        }
        if asked.model != *model || asked.max_tokens != self.max_tokens {
            return Err(
                "expected the primary model, then the fallback, to be asked, found another request"
                    .into(),
            );
        }
        if let Some(facts) = &resolution.facts
            && !self.wording.tells(&asked.prompt, facts)
        {
            return Err("expected a model to be told what was heard, found another prompt".into());
        }
        resolution.stage = match resolution.stage {
            Stage::Found(_) => Stage::Primary(call, now),
            _ => Stage::Fallback(call, now),
        };
        Ok(())
    }

    /// What comes at the end of a model's time, or later, is no answer any more.
    fn answer(&mut self, call: Option<Seq>, answered: &ModelAnswered, now: Time) {
        let (first, second) = self.shares;
        let Some(resolution) = self.under_way.back_mut() else {
            return;
        };
        let (deadline, failed) = match resolution.stage {
            Stage::Primary(asked, at) if call == Some(asked) => {
                (at + first, Stage::PrimaryFailed(now))
            }
            Stage::Fallback(asked, at) if call == Some(asked) => {
                (at + second, Stage::BothFailed(now))
            }
            _ => return,
        };
        if now < deadline {
            resolution.stage = match replied(&answered.reply) {
                Ok(_) => Stage::Said(now),
                Err(_) => failed,
            };
        }
    }

    fn resolve(&mut self, resolved: &ConflictResolved, now: Time) -> Result<(), String> {
        let place = self
            .under_way
            .iter()
            .position(|it| it.signal == resolved.signal);
        let Some(resolution) = place.and_then(|place| self.under_way.remove(place)) else {
            return Ok(());
        };
        let is_clear = !self.mixed;
        self.mixed &= !self.under_way.is_empty();
        if !is_clear {
            return Ok(());
        }
        let (_, share) = self.shares;
        let by = match resolution.stage {
            Stage::Found(at) => (at == now).then_some(ResolvedBy::Level),
            Stage::Said(at) => (at == now).then_some(ResolvedBy::Reply),
            Stage::BothFailed(at) => (at == now).then_some(ResolvedBy::Failure),
            Stage::Fallback(_, at) => (at + share == now).then_some(ResolvedBy::Timeout),
            Stage::Primary(..) | Stage::PrimaryFailed(_) => None,
        };
        let found = match resolved.by {
            ResolvedBy::UnusableReply => ResolvedBy::Reply,
            other => other,
        };
        if by != Some(found) {
            return Err(format!(
                "expected what came of the questions to resolve a conflict, found {}",
                told(resolved.by)
            ));
        }
        if found == ResolvedBy::Level && resolution.may_ask == Some(true) {
            return Err("expected a model to be asked at this level, found none asked".into());
        }
        let waits = resolved.action == *"wait" && resolved.confidence == SURE_OF_WAITING;
        if found == ResolvedBy::Level && !waits {
            return Err(
                "expected to wait where nobody may be asked, found another decision".into(),
            );
        }
        Ok(())
    }
}

fn told(by: ResolvedBy) -> &'static str {
    match by {
        ResolvedBy::Reply | ResolvedBy::UnusableReply => "a reply that was not there",
        ResolvedBy::Timeout => "a timeout that was none",
        ResolvedBy::Failure => "a failure that was none",
        ResolvedBy::Level => "the level",
    }
}

impl Invariant<DomainEvent> for Asked {
    fn id(&self) -> &'static str {
        "llm.asked"
    }

    fn statement(&self) -> &'static str {
        "where the level allows it the primary model is asked at once, the fallback when that one has failed or had \
         its share; each is told what was heard, and what they say in time decides"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostCrashed,
            number::Started,
            number::StateRestored,
            number::Published,
            number::ConsensusBuilt,
            number::ConflictFound,
            number::ModelAsked,
            number::ModelAnswered,
            number::ConflictResolved,
            number::OutcomeCounted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConflictFound]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        match event.domain() {
            Some(started @ DomainEvent::Started(_)) => {
                self.forget();
                self.ledger.apply(started);
            }
            Some(it @ (DomainEvent::StateRestored(_) | DomainEvent::OutcomeCounted(_))) => {
                self.ledger.apply(it);
            }
            Some(DomainEvent::Published(it)) => {
                self.signals.keep(&it.message);
                self.evidence.keep(&it.message);
            }
            Some(DomainEvent::ConsensusBuilt(it)) => self.weigh(it),
            Some(DomainEvent::ConflictFound(it)) => self.find(it, now),
            Some(DomainEvent::ModelAsked(it)) if it.purpose == *"resolution" => {
                self.ask(it, event.seq, now)?;
            }
            Some(DomainEvent::ModelAnswered(it)) => self.answer(event.cause, it, now),
            Some(DomainEvent::ConflictResolved(it)) => self.resolve(it, now)?,
            _ => {}
        }
        if matches!(event.kernel(), Some(KernelEvent::HostCrashed(_))) {
            self.forget();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

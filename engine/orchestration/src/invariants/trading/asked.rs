//! `llm.asked`: who is asked about a conflict, when, what it is told, and whose answer counts.

use std::collections::VecDeque;
use std::time::Duration;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Seq, Time, number as kernel};
use serde_json::Value;

use super::contradictions::{REGIME, contradictions, heard};
use super::facts::Facts;
use super::messages::Messages;
use super::told::Wording;
use crate::config::Config;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{
    ConflictFound, ConflictResolved, ConsensusBuilt, DomainEvent, ModelAnswered, ModelAsked,
    ResolvedBy, number,
};
use crate::invariants::degradation::ledger::Ledger;
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
mod tests {
    use serde_json::json;

    use super::super::plant::{
        cited, config, conflict, consensus, plan, published, resolved, says,
    };
    use super::*;
    use crate::domain_event::{ConflictFound, Counted, Evidence, ModelReply};
    use crate::invariants::degradation::samples::counted;
    use crate::invariants::planted::Planted;

    const PRIMARY: &str = "deepseek-chat";
    const FALLBACK: &str = "claude-3-5-sonnet-20241022";

    /// What consensus left and what contradicts the signal, as a prompt tells it.
    fn prompt(regime: &str) -> String {
        let told = json!({
            "symbol": "BTC/USDT", "action": "BUY", "confidence": "0.80", "entry_price": null,
            "stop_loss": null, "take_profit": null,
            "conflicts": [{
                "conflict": "regime_conflict",
                "details": {"regime": regime, "proposed_action": "BUY"},
            }],
        });
        format!("The situation, as data:\n{told}")
    }

    fn question(model: &'static str) -> ModelAsked {
        ModelAsked {
            model: Name::fixed(model),
            purpose: Name::fixed("resolution"),
            prompt: prompt("choppy"),
            max_tokens: 500,
        }
    }

    fn error() -> ModelAnswered {
        ModelAnswered {
            reply: ModelReply::Error("503".to_owned()),
        }
    }

    fn log() -> Planted {
        Planted::of(Asked::new(&plan(config())))
    }

    /// A signal in a choppy market was weighed (2) and is in conflict (3).
    fn found() -> Planted {
        conflict_in(log(), vec![])
    }

    /// The same at another level; opinions contradict each other, too, or do not.
    fn found_at(level: DegradationLevel, is_disputed: bool) -> Planted {
        let counts = counted(Counted::ApiFailure, [0, 0], level);
        let log = log().then(counts);
        if !is_disputed {
            return conflict_in(log, vec![]);
        }
        let says = |bias| json!({"symbol": "BTC/USDT", "bias": bias, "confidence": 0.8});
        let opinions = [
            (Topic::TaSignals, "long"),
            (Topic::SentimentUpdates, "bearish"),
        ];
        let number = |at: usize| 2 + at as u64;
        let opinions = opinions.into_iter().enumerate();
        let log = opinions.clone().fold(log, |log, (at, (topic, bias))| {
            log.then(published(number(at), topic, 0, says(bias)))
        });
        let cited = opinions.map(|(at, (topic, _))| cited(number(at), topic, "BTC/USDT"));
        conflict_in(log, cited.collect())
    }

    fn conflict_in(log: Planted, opinions: Vec<Evidence>) -> Planted {
        let regime = json!({"symbol": "BTC/USDT", "regime": "choppy", "confidence": 0.8});
        let signal = json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8});
        let mut evidence = opinions;
        evidence.push(cited(1, Topic::RegimeUpdates, "BTC/USDT"));
        let conflict = ConflictFound {
            evidence: evidence.clone(),
            ..conflict(7)
        };
        log.then(published(1, Topic::RegimeUpdates, 0, regime))
            .then(published(7, Topic::TradingSignals, 0, signal))
            .then(consensus(7, evidence, 0, 1))
            .then(conflict)
    }

    /// The primary was asked (4).
    fn asked() -> Planted {
        found().then(question(PRIMARY))
    }

    #[test]
    fn the_primary_is_asked_first_and_decides() {
        let proceeds = || resolved(7, "proceed", 0.8, ResolvedBy::Reply);
        let answered = || asked().at(1.0).after(4, says("{}"));
        answered().then(proceeds()).holds();
        answered().at(1.5).then(proceeds()).violated();
        answered().then(question(FALLBACK)).violated();
        let what = asked().at(1.0).then(proceeds()).violated();
        assert!(what.ends_with("a reply that was not there"), "{what}");
        let what = found().then(question(FALLBACK)).violated();
        assert!(what.ends_with("another request"), "{what}");
        assert!(
            found()
                .at(1.0)
                .then(question(PRIMARY))
                .violated()
                .ends_with("another time")
        );
    }

    #[test]
    fn the_fallback_is_asked_when_it_is_its_turn() {
        let wait = |by| resolved(7, "wait", 0.0, by);
        let failed = || asked().at(1.0).after(4, error());
        failed()
            .then(question(FALLBACK))
            .at(2.0)
            .after(6, error())
            .then(wait(ResolvedBy::Failure))
            .holds();
        failed().then(wait(ResolvedBy::Failure)).violated();
        failed().at(6.0).then(question(FALLBACK)).violated();
        let starved = || asked().at(6.0).then(question(FALLBACK));
        starved().at(10.0).then(wait(ResolvedBy::Timeout)).holds();
        starved().at(9.0).then(wait(ResolvedBy::Timeout)).violated();
        starved()
            .at(9.0)
            .after(5, says("{}"))
            .then(wait(ResolvedBy::UnusableReply))
            .holds();
        asked().at(5.0).then(question(FALLBACK)).violated();
        // An answer at the very end of the time comes too late.
        asked()
            .at(6.0)
            .after(4, says("{}"))
            .then(question(FALLBACK))
            .holds();
    }

    #[test]
    fn a_model_is_told_what_was_heard() {
        let mut other = question(PRIMARY);
        other.prompt = prompt("ranging");
        let what = found().then(other).violated();
        assert!(what.ends_with("another prompt"), "{what}");
        let mut longer = question(PRIMARY);
        longer.max_tokens = 501;
        found().then(longer).violated();
    }

    #[test]
    fn who_may_ask_nobody_waits() {
        let found = || found_at(DegradationLevel::Emergency, false);
        let level = |action, sure| found().then(resolved(7, action, sure, ResolvedBy::Level));
        level("wait", 0.3).holds();
        level("wait", 0.5).violated();
        level("proceed", 0.3).violated();
        asked()
            .then(resolved(7, "wait", 0.3, ResolvedBy::Level))
            .violated();
    }

    #[test]
    fn the_level_says_who_may_ask() {
        use DegradationLevel::{Emergency, Limited, Reduced};
        let asks = |level, is_disputed| found_at(level, is_disputed).then(question(PRIMARY));
        let waits = resolved(7, "wait", 0.3, ResolvedBy::Level);
        let waits = |level, is_disputed| found_at(level, is_disputed).then(waits.clone());
        asks(Limited, false).holds();
        waits(Limited, true).holds();
        waits(Limited, false).violated();
        asks(Emergency, false).violated();
        waits(Reduced, false).violated();
        let what = asks(Limited, true).violated();
        assert!(what.contains("at this level"), "{what}");
    }

    #[test]
    fn who_asks_twice_at_once_cannot_be_told_apart() {
        let two = found()
            .then(conflict(8))
            .then(question(PRIMARY))
            .then(question(PRIMARY));
        two.then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
            .holds();
    }
}

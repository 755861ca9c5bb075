//! `llm.invalid-waits`: what a model wrote is read again, and compared with what was made of it.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Seq, Time};

use super::reading::{Reading, read};
use crate::domain_event::{
    ConflictResolved, Counted, DomainEvent, ResolvedBy, TradeOrigin, number,
};
use crate::invariants::replied::replied;

/// How many conflicts are kept in mind.
const KEPT: usize = 256;

/// What is known of the resolution under way, and of the conflicts before it.
#[derive(Debug, Default)]
pub(super) struct InvalidWaits {
    /// The questions about a conflict.
    asked: Vec<Seq>,
    /// What the answers to them were, where they were texts.
    answers: Vec<Reading>,
    /// When an outcome was counted last, and whether it was a success.
    counted: Option<(Time, bool)>,
    /// How many conflicts wait to be resolved. Where nothing guards it, that may be several.
    open: usize,
    /// The signals that met a conflict, and whether they may be traded after all.
    conflicts: BTreeMap<u64, Option<bool>>,
}

impl InvalidWaits {
    fn resolve(&mut self, resolved: &ConflictResolved, now: Time) -> Result<(), String> {
        let may_trade = resolved.action == *"proceed" || resolved.action == *"modify";
        self.note(resolved.signal, Some(may_trade));
        let expected = self.expected(resolved);
        let counted = self.counted.take().filter(|(at, _)| *at == now);
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.asked.clear();
            self.answers.clear();
        }
        if resolved.by == ResolvedBy::Level {
            return Ok(());
        }
        let expected = expected.ok_or("expected a reply to go by, found none")?;
        agree(&expected, resolved)?;
        let is_success = matches!(expected, Reading::Valid { .. });
        match counted.map(|(_, success)| success) {
            Some(success) if success == is_success => Ok(()),
            // A success while no failure counts leaves no trace.
            None if is_success => Ok(()),
            None => Err("expected a failure to be counted, found nothing".into()),
            Some(true) => Err("expected a failure to be counted, found a success".into()),
            Some(false) => Err("expected a success to be counted, found a failure".into()),
        }
    }

    /// What there is to go by: the last answer. If several conflicts wait, an answer may be that to another
    /// one, and the one that fits is taken.
    fn expected(&self, resolved: &ConflictResolved) -> Option<Reading> {
        match resolved.by {
            ResolvedBy::Reply | ResolvedBy::UnusableReply => {
                let fits = |answer: &&Reading| agree(answer, resolved).is_ok();
                let fitting = self.answers.iter().rfind(fits);
                fitting
                    .filter(|_| self.open > 1)
                    .or(self.answers.last())
                    .cloned()
            }
            ResolvedBy::Timeout | ResolvedBy::Failure | ResolvedBy::Level => {
                Some(Reading::Unusable)
            }
        }
    }

    fn note(&mut self, signal: u64, may_trade: Option<bool>) {
        self.conflicts.insert(signal, may_trade);
        if self.conflicts.len() > KEPT {
            self.conflicts.pop_first();
        }
    }

    fn trade(&self, origin: TradeOrigin) -> Result<(), String> {
        let TradeOrigin::Signal(signal) = origin else {
            return Ok(());
        };
        match self.conflicts.get(&signal) {
            Some(None) => Err("expected a conflict to be resolved first, found a trade".into()),
            Some(Some(false)) => Err("expected the signal to wait, found it traded".into()),
            _ => Ok(()),
        }
    }
}

/// Whether what was decided is what the reply amounts to.
fn agree(expected: &Reading, resolved: &ConflictResolved) -> Result<(), String> {
    let (action, confidence, what) = match expected {
        Reading::Valid {
            action, confidence, ..
        } => (*action, *confidence, "a valid reply"),
        Reading::Corrected { confidence } => ("wait", *confidence, "a reply that fails validation"),
        Reading::Unusable => ("wait", 0.0, "a reply that cannot be used"),
    };
    if resolved.action != *action {
        return Err(format!(
            "expected {action} for {what}, found {}",
            resolved.action
        ));
    }
    if resolved.confidence != confidence {
        return Err(format!(
            "expected the confidence of {what}, found another one"
        ));
    }
    let is_reply = resolved.by == ResolvedBy::Reply;
    if is_reply != matches!(expected, Reading::Valid { .. }) {
        return Err(format!(
            "expected to be told of {what}, found another origin"
        ));
    }
    Ok(())
}

impl Invariant<DomainEvent> for InvalidWaits {
    fn id(&self) -> &'static str {
        "llm.invalid-waits"
    }

    fn statement(&self) -> &'static str {
        "a reply that fails validation means wait, and counts as an LLM failure"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::ModelAsked,
            number::ModelAnswered,
            number::OutcomeCounted,
            number::ConflictFound,
            number::ConflictResolved,
            number::RiskJudged,
            number::OrderSubmitted,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ConflictResolved]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let (seq, cause) = (event.seq, event.cause);
        match event.domain() {
            Some(DomainEvent::Started(_)) => *self = InvalidWaits::default(),
            Some(DomainEvent::ModelAsked(it)) if it.purpose == *"resolution" => {
                self.asked.push(seq);
            }
            Some(DomainEvent::ModelAnswered(it)) => {
                if let Ok(text) = replied(&it.reply)
                    && cause.is_none_or(|call| self.asked.contains(&call))
                {
                    self.answers.push(read(text));
                }
            }
            Some(DomainEvent::OutcomeCounted(it)) => match it.outcome {
                Counted::LlmFailure => self.counted = Some((event.time, false)),
                Counted::LlmSuccess => self.counted = Some((event.time, true)),
                Counted::ApiFailure | Counted::ApiSuccess => {}
            },
            Some(DomainEvent::ConflictFound(it)) => {
                self.open += 1;
                self.note(it.signal, None);
            }
            Some(DomainEvent::ConflictResolved(it)) => self.resolve(it, event.time)?,
            Some(DomainEvent::RiskJudged(it)) => self.trade(it.origin)?,
            Some(DomainEvent::OrderSubmitted(it)) => self.trade(it.origin)?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{asked, conflict, judged, llm_counted, resolved, says};
    use super::*;
    use crate::invariants::planted::Planted;

    /// A conflict (0), a question (1), a probe (2), and the answer to the question.
    fn replied(text: &str) -> Planted {
        Planted::of(InvalidWaits::default())
            .then(conflict(7))
            .then(asked("resolution"))
            .then(asked("probe"))
            .because_of(1)
            .then(says(text))
            .because_of(2)
            .then(says("ready"))
    }

    const GOOD: &str = r#"{"action": "proceed", "confidence": 0.8}"#;
    const HIGH: &str = r#"{"action": "proceed", "confidence": "high"}"#;
    const WRONG: &str = r#"{"action": "buy it all", "confidence": 0.8}"#;

    #[test]
    fn what_fails_validation_means_waiting() {
        for text in [HIGH, WRONG] {
            let what = replied(text)
                .then(llm_counted(true))
                .then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
                .violated();
            assert!(what.starts_with("expected wait for"), "{what}");
        }
        let what = replied(WRONG)
            .then(llm_counted(false))
            .then(resolved(7, "wait", 0.8, ResolvedBy::Reply))
            .violated();
        assert!(what.ends_with("another origin"), "{what}");
        let what = replied(HIGH)
            .then(llm_counted(false))
            .then(resolved(7, "wait", 0.8, ResolvedBy::UnusableReply))
            .violated();
        assert!(what.contains("the confidence of"), "{what}");
    }

    #[test]
    fn it_counts_as_what_it_is() {
        let wait = || resolved(7, "wait", 0.0, ResolvedBy::UnusableReply);
        let what = replied(HIGH)
            .then(llm_counted(true))
            .then(wait())
            .violated();
        assert!(what.contains("expected a failure"), "{what}");
        let what = replied(HIGH).then(wait()).violated();
        assert!(what.ends_with("found nothing"), "{what}");
        let what = replied(GOOD)
            .then(llm_counted(false))
            .then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
            .violated();
        assert!(what.contains("expected a success"), "{what}");
    }

    #[test]
    fn nothing_is_made_up() {
        let what = Planted::of(InvalidWaits::default())
            .then(conflict(7))
            .then(asked("resolution"))
            .then(llm_counted(true))
            .then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
            .violated();
        assert!(what.contains("a reply to go by"), "{what}");
        let what = replied(GOOD)
            .then(llm_counted(false))
            .then(resolved(7, "proceed", 0.0, ResolvedBy::Timeout))
            .violated();
        assert!(what.contains("expected wait"), "{what}");
    }

    #[test]
    fn each_of_two_conflicts_has_its_answer() {
        let both = || {
            replied(GOOD)
                .then(conflict(8))
                .then(asked("resolution"))
                .because_of(6)
                .then(says(HIGH))
        };
        both()
            .then(llm_counted(true))
            .then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
            .then(llm_counted(false))
            .then(resolved(8, "wait", 0.0, ResolvedBy::UnusableReply))
            .holds();
        let what = both()
            .then(llm_counted(true))
            .then(resolved(8, "proceed", 0.9, ResolvedBy::Reply))
            .violated();
        assert!(what.starts_with("expected wait for"), "{what}");
    }

    #[test]
    fn who_waits_does_not_trade() {
        let trade = || judged(TradeOrigin::Signal(7), "buy");
        let what = replied(GOOD).then(trade()).violated();
        assert!(what.contains("resolved first"), "{what}");
        let what = replied(HIGH)
            .then(llm_counted(false))
            .then(resolved(7, "wait", 0.0, ResolvedBy::UnusableReply))
            .then(trade())
            .violated();
        assert!(what.ends_with("found it traded"), "{what}");
        replied(GOOD)
            .then(llm_counted(true))
            .then(resolved(7, "proceed", 0.8, ResolvedBy::Reply))
            .then(trade())
            .holds();
    }
}

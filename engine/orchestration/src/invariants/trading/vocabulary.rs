//! `evidence.vocabulary`: whoever speaks on the bus uses words that its readers know, and they understand them.

use dacapo_kernel::{ActorId, Event, Invariant, Plan};

use super::facts::Facts;
use crate::agents::AgentKind;
use crate::config::{Config, TaskKind};
use crate::coordinator::consensus::ConsensusConfig;
use crate::coordinator::evidence::TOPICS;
use crate::domain_event::{ConsensusBuilt, DomainEvent, number};
use crate::invariants::messages::Messages;
use crate::invariants::outsiders::Outsiders;
use crate::message::{Message, Payload, Topic};

/// The agents whose words the program chooses, and what they said.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// The topics of agents that follow no script.
    own_words: Vec<Topic>,
    consensus: ConsensusConfig,
    outsiders: Outsiders,
    signals: Messages,
    evidence: Messages,
}

impl Vocabulary {
    pub(super) fn new(plan: &Plan<Config>) -> Vocabulary {
        let agents = &plan.system.agents;
        let kinds = [
            TaskKind::TechnicalAnalysis,
            TaskKind::RegimeDetection,
            TaskKind::SentimentAnalysis,
            TaskKind::TradingDecision,
        ];
        let chooses = |kind: &TaskKind| {
            let agent = agents.of(*kind);
            matches!(
                agent,
                AgentKind::Rules | AgentKind::Random | AgentKind::AverageCross(_)
            )
        };
        Vocabulary {
            own_words: kinds
                .into_iter()
                .filter(chooses)
                .map(TaskKind::topic)
                .collect(),
            consensus: plan.system.consensus,
            outsiders: Outsiders::default(),
            signals: Messages::of(&[Topic::TradingSignals]),
            evidence: Messages::of(&TOPICS),
        }
    }

    /// A payload with any other word than those that are known stays raw JSON.
    fn publish(&mut self, message: &Message, actor: ActorId) -> Result<(), String> {
        let is_raw = matches!(message.payload, Payload::Raw(_));
        if is_raw && self.own_words.contains(&message.topic) && !self.outsiders.has(actor) {
            return Err(format!(
                "expected {} in words that readers know, found others",
                message.topic
            ));
        }
        Ok(())
    }

    fn build(&self, built: &ConsensusBuilt) -> Result<(), String> {
        let Some(signal) = self.signals.get(built.signal) else {
            return Ok(());
        };
        let wanted = match Facts::of(&signal.payload).text("action") {
            Some("BUY") => Some(true),
            Some("SELL") => Some(false),
            _ => return Ok(()),
        };
        let (mut agree, mut spoke) = (0, 0);
        for cited in &built.evidence {
            let Some(message) = self.evidence.get(cited.message) else {
                return Ok(());
            };
            spoke += 1;
            agree += u32::from(is_up(message) == wanted);
        }
        if built.total != spoke {
            return Err(
                "expected every agent that spoke to be counted, found another number".into(),
            );
        }
        if built.agreement != agree {
            return Err(
                "expected every word for the trade to count, found another agreement".into(),
            );
        }
        self.weigh(built, signal)
    }

    /// The confidence follows from the agreement.
    fn weigh(&self, built: &ConsensusBuilt, signal: &Message) -> Result<(), String> {
        let numbers = &self.consensus;
        let ratio = f64::from(built.agreement) / f64::from(built.total.max(1));
        let (low, penalty) = (
            numbers.low_agreement_threshold,
            numbers.max_confidence_penalty,
        );
        let multiplier = match ratio {
            _ if built.total == 0 => 1.0,
            it if it >= numbers.high_agreement_threshold => {
                1.0 + (it - 0.5) * (numbers.max_confidence_boost * 2.0)
            }
            it if it >= low => 1.0,
            it => (1.0 - penalty) + it * (penalty / low),
        };
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9;
        let stated = Facts::of(&signal.payload).number("confidence", 0.5);
        let Some(stated) = stated else {
            return Ok(());
        };
        let confidence = stated * built.multiplier;
        if near(built.multiplier, multiplier) && near(built.confidence, confidence.min(1.0)) {
            return Ok(());
        }
        Err("expected the confidence that follows from the agreement, found another".into())
    }
}

/// Whether a message speaks for rising prices, or for falling ones, if for either.
fn is_up(message: &Message) -> Option<bool> {
    let facts = Facts::of(&message.payload);
    let word = match message.topic {
        Topic::RegimeUpdates => facts.text("regime"),
        _ => facts.text("bias"),
    };
    let (up, down): (&[&str], &[&str]) = match message.topic {
        Topic::TaSignals => (&["long"], &["short"]),
        Topic::RegimeUpdates => (
            &[
                "trending_up",
                "breakout",
                "trending_bull",
                "breakout_potential",
            ],
            &["trending_down", "trending_bear"],
        ),
        _ => (&["bullish", "very_bullish"], &["bearish", "very_bearish"]),
    };
    let word = word?;
    if up.contains(&word) {
        Some(true)
    } else {
        down.contains(&word).then_some(false)
    }
}

impl Invariant<DomainEvent> for Vocabulary {
    fn id(&self) -> &'static str {
        "evidence.vocabulary"
    }

    fn statement(&self) -> &'static str {
        "every regime, bias and action on the bus is one the reader knows"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            dacapo_kernel::number::ActorNamed,
            number::Published,
            number::ConsensusBuilt,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.outsiders.observe(event);
        match event.domain() {
            Some(DomainEvent::Published(it)) => {
                self.signals.keep(&it.message);
                self.evidence.keep(&it.message);
                self.publish(&it.message, event.actor)
            }
            Some(DomainEvent::ConsensusBuilt(it)) => self.build(it),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{cited, config, consensus, plan, published};
    use super::*;
    use crate::invariants::planted::Planted;

    fn regime(word: &str) -> Planted {
        let regime = json!({ "symbol": "BTC/USDT", "regime": word, "confidence": 0.8 });
        let signal = json!({ "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.5 });
        Planted::of(Vocabulary::new(&plan(config())))
            .then(published(1, Topic::RegimeUpdates, 0, regime))
            .then(published(2, Topic::TradingSignals, 0, signal))
    }

    fn built(agreement: u32, total: u32, multiplier: f64) -> ConsensusBuilt {
        let mut built = consensus(
            2,
            vec![cited(1, Topic::RegimeUpdates, "BTC/USDT")],
            agreement,
            total,
        );
        (built.multiplier, built.confidence) = (multiplier, 0.5 * multiplier);
        built
    }

    #[test]
    fn words_that_nobody_knows_are_not_used() {
        let what = regime("sideways").violated();
        assert!(
            what.starts_with("expected regime_updates in words"),
            "{what}"
        );
    }

    #[test]
    fn every_word_is_understood() {
        for word in [
            "trending_bull",
            "trending_up",
            "breakout_potential",
            "breakout",
        ] {
            let what = regime(word).then(built(0, 1, 0.85)).violated();
            assert!(what.ends_with("another agreement"), "{what}");
            regime(word).then(built(1, 1, 1.3)).holds();
        }
        let what = regime("trending_bear").then(built(1, 1, 1.3)).violated();
        assert!(what.ends_with("another agreement"), "{what}");
        regime("trending_bear").then(built(0, 1, 0.85)).holds();
    }

    #[test]
    fn agreement_makes_the_confidence() {
        let what = regime("trending_up").then(built(1, 1, 1.0)).violated();
        assert!(what.contains("follows from the agreement"), "{what}");
        let what = regime("trending_up").then(built(1, 2, 1.0)).violated();
        assert!(what.contains("another number"), "{what}");
    }
}

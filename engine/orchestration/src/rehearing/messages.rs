//! Messages of an agent that decides by a language model, put again with another template.
//!
//! A reply is read as in a run. What the coordinator makes of a message later is not looked at, but for one thing: a trade
//! that is no valid proposal can never become an order.

use dacapo_kernel::{Decided, Heard, Rehearsal, Ruling, Unfit};
use serde_json::Value;

use super::{Found, Terms, in_words};
use crate::agents::llm;
use crate::agents::said::{Speaker, fields_of};
use crate::amount::Amount;
use crate::config::{LlmSource, check_template};
use crate::coordinator::route;
use crate::digest::Digest;
use crate::message::{Name, Payload, Topic};
use crate::rebalance::{Advised, RebalanceTrade, read_advice};
use crate::risk::validate_proposal;

/// What is decided by a reply that is no message.
const NO_MESSAGE: &str = "no message";

/// What is decided by advice that cannot be used.
const NO_ADVICE: &str = "no advice";

/// The messages of an agent.
struct Messages {
    terms: Terms,
    agent: Name,
    topic: Topic,
    template: String,
    found: Vec<Found>,
}

/// Puts them again.
///
/// # Errors
/// If the template is none.
pub(super) fn put(
    terms: Terms,
    (agent, topic): (Name, Topic),
    found: Vec<Found>,
    text: &str,
) -> Result<Box<dyn Rehearsal>, String> {
    check_template("template.text", text, llm::names(topic)).map_err(in_words)?;
    let mut messages = Messages {
        terms,
        agent,
        topic,
        template: text.to_owned(),
        found,
    };
    if let Some(source) = messages.source() {
        messages.template = source.llm.told(text, topic);
    }
    Ok(Box::new(messages))
}

/// A reply that is no message.
pub(super) fn no_message() -> Ruling {
    Ruling {
        word: NO_MESSAGE.to_owned(),
        acts: false,
    }
}

/// What advice on a rebalancing decides, and whether it can be used.
pub(super) fn advice(text: &str) -> (Ruling, bool) {
    let advised = read_advice(text);
    let word = match &advised {
        None => NO_ADVICE.to_owned(),
        Some(Advised {
            trades: Some(trades),
            ..
        }) => {
            let told = |it: &RebalanceTrade| format!("{} {}", it.action.name(), it.symbol);
            let told: Vec<String> = trades.iter().map(told).collect();
            told.join(", ")
        }
        Some(Advised { strategy, .. }) => {
            let strategy = strategy.as_deref();
            strategy.unwrap_or("as worked out").to_owned()
        }
    };
    let acts = matches!(&advised, Some(it) if it.trades.is_some());
    (Ruling { word, acts }, advised.is_some())
}

/// What a message of an agent decides.
pub(super) fn ruling(terms: &Terms, (agent, topic): (&Name, Topic), message: &Payload) -> Ruling {
    let told = message.to_json();
    // The first field of a topic is what its messages are about: the action of a trade, the bias of an analysis. Where
    // anything may be said, it is what the scenario requires first.
    let first = match fields_of(topic) {
        Some(fields) => fields.first().map(|(name, ..)| *name),
        None => {
            let mut sources = terms.config.llms();
            let source = sources.find(|source| source.agent == *agent);
            source.and_then(|source| source.llm.required.first().map(Name::as_str))
        }
    };
    let word = match first.and_then(|name| told.get(name)) {
        Some(Value::String(word)) => word.clone(),
        Some(other) => other.to_string(),
        None => told.to_string(),
    };
    Ruling {
        word,
        acts: topic == Topic::TradingSignals && is_order(terms, message),
    }
}

/// Whether a signal is to buy or sell, and as valid a proposal as the risk engine wants.
fn is_order(terms: &Terms, signal: &Payload) -> bool {
    let action = signal.field("action");
    let draft = route::draft(signal, terms.config.coordinator.default_size_usd);
    (action.is("BUY") || action.is("SELL")) && validate_proposal(&draft, terms.defects).is_ok()
}

impl Rehearsal for Messages {
    fn acts(&self) -> (&'static str, &'static str) {
        ("order", "orders")
    }

    fn templates(&self) -> (String, String) {
        let recorded = self.source().map(|source| source.llm.template(self.topic));
        let recorded = recorded.unwrap_or_default();
        let digest = |text: &str| Digest::of(text).to_string();
        (digest(&self.template), digest(&recorded))
    }

    fn decided(&self) -> Vec<Decided> {
        let live = self.source().and_then(|source| source.llm.replies.live());
        let Some(live) = live else {
            return Vec::new();
        };
        let again = |found: &Found| {
            let situation = self.terms.situation(&found.question);
            found.again(self.terms.text(&situation, "symbol"), live, &self.template)
        };
        self.found.iter().map(again).collect()
    }

    fn hear(&self, decided: &Decided, said: &str) -> Result<Heard, Unfit> {
        let judge = |found: &Found, text: &str| self.judged(found, text);
        self.terms.hear(&self.found, decided.asked, said, judge)
    }
}

impl Messages {
    /// The agent as the scenario describes it.
    fn source(&self) -> Option<LlmSource<'_>> {
        let mut sources = self.terms.config.llms();
        sources.find(|source| source.agent == self.agent && source.topic == self.topic)
    }

    /// What a reply comes to, and whether it is as it must be.
    fn judged(&self, found: &Found, text: &str) -> (Ruling, bool) {
        if self.topic == Topic::PortfolioUpdates {
            return advice(text);
        }
        let config = &self.terms.config;
        let situation = self.terms.situation(&found.question);
        let symbol = Name::from(self.terms.text(&situation, "symbol"));
        let speaker = Speaker {
            topic: self.topic,
            symbol: &symbol,
            symbols: &config.symbols,
        };
        // The price that the model was told: the run takes the one of the moment in which it has replied.
        let price = situation["price"].as_f64();
        let price = price.and_then(|price| Amount::from_f64(price).ok());
        let message = self.source().map(|source| {
            let decision = &config.agents.decision;
            source.llm.message(text, &speaker, price, decision)
        });
        match message {
            Some(Ok(Some(message))) => {
                let of = (&self.agent, self.topic);
                (ruling(&self.terms, of, &message), true)
            }
            _ => (no_message(), false),
        }
    }
}

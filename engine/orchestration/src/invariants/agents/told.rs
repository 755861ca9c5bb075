//! `agent.told`: what a program or a language model is told is what happened.

use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::{Event, Invariant, Plan, Seq, Time, number as kernel};
use serde_json::{Value, json};

use super::books::Books;
use super::market::{Known, Market, Seen};
use super::papers::Papers;
use super::readings;
use super::{purpose, tells_all};
use crate::agents::AnalysisConfig;
use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelAsked, ProcessAsked, number};
use crate::invariants::is_crash_right_after;
use crate::invariants::messages::Messages;
use crate::message::{Instant, Message, Name, Topic};
use crate::model::mask::Mask;

/// A model that is asked for what an agent says.
#[derive(Clone, Debug)]
struct Model {
    agent: Name,
    /// On which topic it speaks.
    topic: Topic,
    /// Whether its prompts tell the situation as data, before anything else in braces.
    is_told_all: bool,
}

/// What every listener may know.
#[derive(Debug)]
pub(super) struct Told {
    listeners: Vec<Name>,
    /// By what each model is asked for.
    models: BTreeMap<Name, Model>,
    symbols: Vec<Name>,
    analysis: AnalysisConfig,
    mask: Mask,
    start_us: i64,
    market: Market,
    published: Messages,
    papers: Papers,
    /// A delivery that a crash right after it keeps from being heard: who hears what, and when.
    on_its_way: Option<(Seq, Name, Rc<Message>, Time)>,
    books: Books,
    /// How much of both a program was told of a symbol before.
    before: BTreeMap<(Name, Name), (usize, usize)>,
    /// Whether anybody was asked by whose question it can be seen.
    judged: bool,
}

impl Told {
    pub(super) fn new(plan: &Plan<Config>) -> Told {
        let config = &plan.system;
        let start_us = plan.start_unix_ns / 1_000;
        Told {
            listeners: config.listeners().map(|it| it.agent).collect(),
            models: config
                .llms()
                .filter(|it| !it.advises())
                .map(|it| {
                    let model = Model {
                        is_told_all: tells_all(&it),
                        agent: it.agent,
                        topic: it.topic,
                    };
                    (purpose(&model.agent), model)
                })
                .collect(),
            symbols: config.symbols.clone(),
            analysis: config.agents.analysis.clone(),
            mask: Mask::new(config.llm.mask, &config.symbols, start_us),
            start_us,
            market: Market::of(config),
            published: Messages::of(Topic::ALL),
            papers: Papers::of(config),
            on_its_way: None,
            books: Books::of(config),
            before: BTreeMap::new(),
            judged: false,
        }
    }

    /// What is delivered is heard at once, unless the host crashes before.
    fn arrive(&mut self, event: &Event<DomainEvent>) {
        if let Some((seq, agent, message, at)) = self.on_its_way.take()
            && !is_crash_right_after(seq, event)
        {
            let unmasked = Mask::default();
            let is_model = self.models.values().any(|model| model.agent == agent);
            let mask = if is_model { &self.mask } else { &unmasked };
            self.papers.hear(&agent, &message, at, mask);
        }
    }

    /// A model is told what the rules read, and the newest of the market and of messages.
    fn ask_model(&mut self, asked: &ModelAsked, now: Time) -> Result<(), String> {
        let Some(model) = self.models.get(&asked.purpose) else {
            return Ok(());
        };
        let Some(told) = situation(asked, "now_us") else {
            return if model.is_told_all {
                Err("expected a model to be told the situation, found nothing of it told".into())
            } else {
                Ok(())
            };
        };
        let Model { agent, topic, .. } = model;
        self.judged = true;
        let veiled = |name: &&Name| told["symbol"] == *self.mask.veiled_text(name.as_str());
        let Some(symbol) = self.symbols.iter().find(veiled) else {
            return Err("expected a model to be asked about a symbol, found another word".into());
        };
        let Some(heard) = self.papers.heard(agent, symbol) else {
            return Ok(());
        };
        if *topic == Topic::TradingSignals && told["price"].is_null() {
            return Err("expected a trade to be asked for at a price, found none told".into());
        }
        let at = Instant::from(now);
        let told_of = |known: Known<'_>| {
            let seen = known.newest;
            let mut expected = json!({
                "time": at.to_iso(self.start_us),
                "now_us": at.as_micros(),
                "price": seen.last().map(Seen::price),
            });
            expected["market"] = lines(seen, heard.most);
            self.mask.veil(&mut expected);
            let read = readings::agree(&self.analysis, seen, &told);
            differs(&expected, heard.newest.iter(), &told)
                .or((!read).then_some("what the rules read"))
        };
        agreed(self.market.known(symbol, now).map(told_of))?;
        self.agree_on_account(&told["account"], symbol, &self.mask)
    }

    fn agree_on_account(&self, told: &Value, symbol: &Name, mask: &Mask) -> Result<(), String> {
        if self.books.agree(told, symbol, mask) {
            return Ok(());
        }
        Err("expected an agent to be told the account as it was, found it told otherwise".into())
    }

    /// A program is told what it has not been told yet.
    fn ask_program(&mut self, asked: &ProcessAsked, now: Time) -> Result<(), String> {
        self.judged = true;
        let ProcessAsked {
            agent,
            symbol,
            question,
        } = asked;
        let told = &question.0;
        let Some(heard) = self.papers.heard(agent, symbol) else {
            return Ok(());
        };
        let paper = (agent.clone(), symbol.clone());
        let (seen_before, heard_before) = self.before.get(&paper).copied().unwrap_or_default();
        let unheard = heard.count - heard_before;
        let messages = unheard.min(heard.most);
        let mut count = seen_before;
        let told_of = |known: Known<'_>| {
            count = known.count.max(seen_before);
            let unseen = count - seen_before;
            let market = unseen.min(heard.most);
            let mut expected = json!({
                "symbol": symbol.as_str(),
                "time": Instant::from(now).to_iso(self.start_us),
                "price": known.newest.last().map(Seen::price),
                "market_missed": unseen - market,
                "messages_missed": unheard - messages,
            });
            expected["market"] = lines(known.newest, market);
            let newest = heard.newest.range(heard.newest.len() - messages..);
            differs(&expected, newest, told)
        };
        agreed(self.market.known(symbol, now).map(told_of))?;
        let heard = heard.count;
        self.agree_on_account(&told["account"], symbol, &Mask::default())?;
        self.before.insert(paper, (count, heard));
        Ok(())
    }
}

/// The situation that a prompt tells as data, if it does; it is known by one of its fields.
pub(super) fn situation(asked: &ModelAsked, field: &str) -> Option<Value> {
    let start = asked.prompt.find('{')?;
    let mut data = serde_json::Deserializer::from_str(&asked.prompt[start..]).into_iter();
    let told: Value = data.next()?.ok()?;
    told.get(field).is_some().then_some(told)
}

/// The newest of what was seen.
fn lines(seen: &[Seen], most: usize) -> Value {
    let newest = &seen[seen.len().saturating_sub(most)..];
    newest.iter().map(Seen::line).collect()
}

/// Which field is told otherwise, the messages among them.
fn differs<'a>(
    expected: &Value,
    messages: impl Iterator<Item = &'a Rc<Value>>,
    told: &Value,
) -> Option<&'static str> {
    let told_messages = told["messages"].as_array();
    let messages = messages.map(Rc::as_ref);
    let same_messages = told_messages.is_some_and(|told| told.iter().eq(messages));
    let fields = [
        ("symbol", "the symbol"),
        ("time", "the time"),
        ("now_us", "the time"),
        ("price", "the last price"),
        ("market", "the newest of the market"),
        ("market_missed", "how much it missed"),
        ("messages", "the newest messages"),
        ("messages_missed", "how much it missed"),
    ];
    let is_other = |name: &str| match name {
        "messages" => !same_messages,
        _ => expected.get(name).is_some_and(|it| *it != told[name]),
    };
    let found = fields.into_iter().find(|(name, _)| is_other(name));
    found.map(|(_, what)| what)
}

/// What happened at the instant of a question may be told or not.
fn agreed(mut differing: impl Iterator<Item = Option<&'static str>>) -> Result<(), String> {
    match differing.next().flatten() {
        Some(what) if differing.all(|it| it.is_some()) => Err(format!(
            "expected an agent to be told {what} as it was, found it told otherwise"
        )),
        _ => Ok(()),
    }
}

impl Invariant<DomainEvent> for Told {
    fn id(&self) -> &'static str {
        "agent.told"
    }

    fn statement(&self) -> &'static str {
        "an agent that is a program or a model is told the newest of the market and of what it hears, \
         what the rules read and the account, each as it was"
    }

    fn applies(&self) -> bool {
        !self.listeners.is_empty()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostCrashed,
            number::Started,
            number::MarketTrade,
            number::MarketBar,
            number::Published,
            number::Delivered,
            number::BalanceChanged,
            number::PositionOpened,
            number::PositionClosed,
            number::ModelAsked,
            number::ProcessAsked,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAsked, number::ProcessAsked]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.arrive(event);
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        match domain {
            // A bus that begins anew counts its messages anew.
            DomainEvent::Started(_) => self.published.forget(),
            DomainEvent::Published(it) => self.published.keep(&it.message),
            DomainEvent::Delivered(it) => {
                let message = self.published.get(it.message);
                let message = message.filter(|_| self.listeners.contains(&it.subscriber));
                self.on_its_way = message.map(|message| {
                    let (who, what) = (it.subscriber.clone(), Rc::clone(message));
                    (event.seq, who, what, event.time)
                });
            }
            DomainEvent::ModelAsked(it) => return self.ask_model(it, event.time),
            DomainEvent::ProcessAsked(it) => return self.ask_program(it, event.time),
            other => {
                self.market.see(other, event.time);
                self.books.keep(other);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

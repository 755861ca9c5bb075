//! `agent.said`: an agent that is a language model says what the model replied, completed by the rules, and nothing else.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan, Seq, Time};
use serde_json::{Map, Value, json};

use super::market::{Market, Seen};
use super::replies::{self, Fields};
use super::{keep, purpose};
use crate::agents::DecisionConfig;
use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelAsked, Published, TaskOutcome, TaskRunEnded, number};
use crate::invariants::replied::replied;
use crate::message::{Name, Topic};
use crate::model::mask::Mask;

/// How far a number may lie from the one that is expected, as a part of it.
const TOLERANCE: f64 = 1e-9;

/// An agent with a model.
#[derive(Debug)]
struct Speaker {
    /// Whose task it does.
    task: Name,
    /// The symbols whose market it is not shown.
    unseen: Vec<Name>,
    /// What its model is asked for.
    purpose: Name,
    topic: Topic,
    required: Vec<Name>,
}

/// What a model replied for an agent.
#[derive(Debug)]
struct Reply {
    /// The place of the agent.
    of: usize,
    symbol: Name,
    /// The message that it is; none if it is none.
    fields: Option<Fields>,
}

/// The questions that are open, and the replies that nothing has followed from yet.
#[derive(Debug)]
pub(super) struct Said {
    speakers: Vec<Speaker>,
    decision: DecisionConfig,
    mask: Mask,
    market: Market,
    /// What an event of an agent is about.
    about: BTreeMap<Seq, Name>,
    asked: BTreeMap<Seq, (usize, Name)>,
    replies: BTreeMap<Seq, Reply>,
    judged: bool,
}

impl Said {
    pub(super) fn new(plan: &Plan<Config>) -> Said {
        let config = &plan.system;
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let task_of = |agent: &Name| tasks.iter().find(|task| task.agent == *agent);
        let unseen = &config.agents.missing_snapshots;
        let speakers = config.llms().filter(|source| !source.advises());
        let speakers = speakers.map(|source| Speaker {
            task: task_of(&source.agent).map_or(Name::EMPTY, |task| task.name.clone()),
            unseen: unseen.clone(),
            purpose: purpose(&source.agent),
            topic: source.topic,
            required: source.llm.required.clone(),
        });
        Said {
            speakers: speakers.collect(),
            decision: config.agents.decision,
            mask: Mask::new(config.llm.mask, &config.symbols, plan.start_unix_ns / 1_000),
            market: Market::of(config),
            about: BTreeMap::new(),
            asked: BTreeMap::new(),
            replies: BTreeMap::new(),
            judged: false,
        }
    }

    fn ask(&mut self, asked: &ModelAsked, event: &Event<DomainEvent>) {
        let about = event.cause.and_then(|cause| self.about.get(&cause));
        let speakers = self.speakers.iter();
        let of = speakers
            .map(|it| &it.purpose)
            .position(|it| *it == asked.purpose);
        if let Some((of, symbol)) = of.zip(about) {
            let symbol = symbol.clone();
            keep(&mut self.asked, event.seq, (of, symbol));
        }
    }

    fn publish(&mut self, said: &Published, cause: Seq, now: Time) -> Result<(), String> {
        let Some(reply) = self.replies.remove(&cause) else {
            return Ok(());
        };
        self.judged = true;
        let Some(fields) = &reply.fields else {
            return Err(
                "expected a reply that is no message to be said by nobody, found it said".into(),
            );
        };
        let told = said.message.payload.to_json();
        let Value::Object(told) = told else {
            return Err("expected a message to be an object, found another".into());
        };
        let known = self.market.known(&reply.symbol, now);
        let prices = known.map(|known| known.newest.last().map(Seen::price));
        let topic = self.speakers[reply.of].topic;
        let is_this = |price| {
            let expected = completed(fields, topic, price, &self.decision);
            expected.is_some_and(|expected| same(&expected, &told, &reply.symbol))
        };
        if !prices.into_iter().any(is_this) {
            return Err("expected what a model replied to be said, found another message".into());
        }
        Ok(())
    }

    /// Who follows nothing but the beginning of its run has asked nobody: it lacked what it needs for that.
    fn end_at_once(&self, ended: &TaskRunEnded, begin: Seq, now: Time) -> Result<(), String> {
        let mut speakers = self.speakers.iter();
        let speaker = speakers.find(|it| it.task == ended.task);
        let is_begin = self.about.get(&begin) == Some(&ended.symbol);
        let Some(speaker) = speaker.filter(|_| is_begin && ended.outcome == TaskOutcome::Done)
        else {
            return Ok(());
        };
        let has_price = self.market.known(&ended.symbol, now).all(|it| it.count > 0);
        let may_ask = has_price || speaker.topic != Topic::TradingSignals;
        if may_ask && !speaker.unseen.contains(&ended.symbol) {
            return Err("expected a model to be asked for its message, found nobody asked".into());
        }
        Ok(())
    }

    /// What nothing was made of was no message, or a trade without a price.
    fn end(&mut self, ended: &TaskRunEnded, cause: Seq, now: Time) -> Result<(), String> {
        let Some(reply) = self.replies.remove(&cause) else {
            return self.end_at_once(ended, cause, now);
        };
        if ended.symbol != reply.symbol {
            return Ok(());
        }
        self.judged = true;
        if reply.fields.is_none() && ended.outcome == TaskOutcome::Done {
            return Err(
                "expected a run to fail for a reply that is no message, found it done".into(),
            );
        }
        let has_price = self.market.known(&reply.symbol, now).all(|it| it.count > 0);
        if reply.fields.is_some() && has_price {
            return Err("expected a reply that is a message to be said, found nothing said".into());
        }
        Ok(())
    }
}

/// What a reply leaves out of a trade is what the rules say; none if that needs a price that there is not.
pub(super) fn completed(
    fields: &Fields,
    topic: Topic,
    price: Option<f64>,
    decision: &DecisionConfig,
) -> Option<Fields> {
    let mut all = fields.clone();
    let action = fields.get("action").and_then(Value::as_str);
    if topic != Topic::TradingSignals || action == Some("HOLD") {
        return Some(all);
    }
    let entry = match fields.get("entry_price").and_then(Value::as_f64) {
        Some(own) => own,
        None => price?,
    };
    let (below, above) = (decision.stop_pct / 100.0, decision.target_pct / 100.0);
    let (stop, target) = match action {
        Some("SELL") => (entry + entry * below, entry - entry * above),
        _ => (entry - entry * below, entry + entry * above),
    };
    let rules = json!({
        "entry_price": entry, "stop_loss": stop, "take_profit": target, "size_usd": decision.size_usd, "leverage": 1,
    });
    for (name, value) in rules.as_object().into_iter().flatten() {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Some(all)
}

/// Whether a message says these fields of a symbol, and nothing else.
pub(super) fn same(expected: &Fields, told: &Map<String, Value>, symbol: &Name) -> bool {
    let same = |one: &Value, other: &Value| match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE * one.abs(),
        _ => one == other,
    };
    let says = |name: &str, value: &Value| told.get(name).is_some_and(|it| same(value, it));
    let count = told.values().filter(|value| !value.is_null()).count();
    says("symbol", &json!(symbol.as_str()))
        && count == expected.len() + 1
        && expected.iter().all(|(name, value)| says(name, value))
}

impl Invariant<DomainEvent> for Said {
    fn id(&self) -> &'static str {
        "agent.said"
    }

    fn statement(&self) -> &'static str {
        "an agent that is a model says what the model replied, with what the rules fill in, and nothing where \
         the reply is no message"
    }

    fn applies(&self) -> bool {
        !self.speakers.is_empty()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::MarketTrade,
            number::MarketBar,
            number::TaskRunStarted,
            number::PromptKept,
            number::RequestRendered,
            number::ModelAsked,
            number::ModelAnswered,
            number::Published,
            number::TaskRunEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAnswered]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(domain) = event.domain() else {
            return Ok(());
        };
        match (domain, event.cause) {
            (DomainEvent::TaskRunStarted(it), _) => {
                keep(&mut self.about, event.seq, it.symbol.clone());
            }
            (DomainEvent::PromptKept(_) | DomainEvent::RequestRendered(_), Some(cause)) => {
                if let Some(symbol) = self.about.get(&cause).cloned() {
                    keep(&mut self.about, event.seq, symbol);
                }
            }
            (DomainEvent::ModelAsked(it), _) => self.ask(it, event),
            (DomainEvent::ModelAnswered(it), Some(call)) => {
                if let Some((of, symbol)) = self.asked.remove(&call) {
                    let Speaker {
                        topic, required, ..
                    } = &self.speakers[of];
                    let said = replied(&it.reply).ok().map(|text| self.mask.unveiled(text));
                    let fields = said.and_then(|text| replies::message(&text, *topic, &symbol));
                    let has = |name: &Name| fields.iter().any(|it| it.contains_key(name.as_str()));
                    let is_whole = required.iter().all(has);
                    let fields = fields.filter(|_| is_whole);
                    keep(&mut self.replies, event.seq, Reply { of, symbol, fields });
                }
            }
            (DomainEvent::Published(it), Some(cause)) => {
                return self.publish(it, cause, event.time);
            }
            (DomainEvent::TaskRunEnded(it), Some(cause)) => return self.end(it, cause, event.time),
            (other, _) => self.market.see(other, event.time),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::{MarketTrade, ModelAnswered, ModelReply, TaskRunStarted};
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::published;

    const SYMBOL: Name = Name::fixed("BTC/USDT");

    /// An agent that asks a model for its trades begins a run, at this price if there is one.
    fn begun(price: Option<i64>) -> Planted {
        let llm =
            json!({"model": "m", "template": {"text": "{{situation}}"}, "required": ["regime"]});
        let sections = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"}, "agents": {"trading_decision": {"llm": llm}},
        });
        let plan = Plan::of(
            "planted",
            serde_json::from_value(sections).expect("it is one"),
        );
        let trade = price.map(|price| MarketTrade {
            symbol: SYMBOL,
            price: Amount::from_int(price),
            size: Amount::ONE,
            taker_buys: None,
        });
        let run = TaskRunStarted {
            task: Name::fixed("trading_decision"),
            symbol: SYMBOL,
            forced: false,
        };
        let log = trade
            .into_iter()
            .fold(Planted::of(Said::new(&plan)), Planted::then);
        log.at(1.0).then(run)
    }

    /// A model is asked at a price of 100 for a trade, and replies.
    fn replied(text: &str) -> Planted {
        let asked = ModelAsked {
            model: Name::fixed("m"),
            purpose: Name::fixed("message of trading_decision"),
            prompt: String::new(),
            max_tokens: 500,
        };
        let reply = ModelReply::Text(text.to_owned());
        let asked = begun(Some(100)).then_caused_by_the_last(asked);
        asked.then_caused_by_the_last(ModelAnswered { reply })
    }

    fn says(said: Value) -> Published {
        published(3, Topic::TradingSignals, 1, said)
    }

    fn ended() -> TaskRunEnded {
        TaskRunEnded {
            task: Name::fixed("trading_decision"),
            symbol: SYMBOL,
            outcome: TaskOutcome::Done,
        }
    }

    const SELL: &str =
        r#"{"action": "SELL", "confidence": 0.5, "regime": "ranging", "reason": "so"}"#;

    fn sell() -> Value {
        json!({
            "symbol": "BTC/USDT", "action": "SELL", "confidence": 0.5, "regime": "ranging", "entry_price": 100.0,
            "stop_loss": 102.0, "take_profit": 96.0, "size_usd": 200.0, "leverage": 1,
        })
    }

    // Fails if a message may say anything else than its reply and the rules.
    #[test]
    fn what_was_replied_is_said_with_what_the_rules_fill_in() {
        replied(SELL).then_caused_by_the_last(says(sell())).holds();
        for (field, other) in [
            ("action", json!("BUY")),
            ("confidence", json!(0.6)),
            ("stop_loss", json!(98.0)),
            ("take_profit", json!(104.0)),
            ("size_usd", json!(100.0)),
            ("leverage", json!(2)),
            ("symbol", json!("XRP/USDT")),
            ("more", json!(1)),
        ] {
            let mut said = sell();
            said[field] = other;
            let found = replied(SELL).then_caused_by_the_last(says(said)).violated();
            assert!(found.contains("found another message"), "{field}: {found}");
        }
        let hold = r#"{"action": "HOLD", "confidence": 0.5, "regime": "ranging"}"#;
        let said =
            json!({"symbol": "BTC/USDT", "action": "HOLD", "confidence": 0.5, "regime": "ranging"});
        replied(hold).then_caused_by_the_last(says(said)).holds();
    }

    // Fails if a good reply may be lost, or a doubtful one said.
    #[test]
    fn a_reply_is_said_if_it_is_a_message() {
        let found = replied(SELL).then_caused_by_the_last(ended()).violated();
        assert!(found.contains("found nothing said"), "{found}");
        for doubtful in [
            "I would rather not say.",
            r#"{"action": "SELL", "confidence": 0.5}"#,
            r#"{"action": "SELL", "confidence": 2, "regime": "ranging"}"#,
            r#"{"action": "SELL", "action": "BUY", "confidence": 0.5, "regime": "ranging"}"#,
            r#"{"action": "SELL", "confidence": 0.5, "regime": "ranging", "reason": 1}"#,
            r#"{"action": "SELL", "confidence": 0.5, "regime": "ranging", "symbol": "XRP/USDT"}"#,
        ] {
            let failed = TaskRunEnded {
                outcome: TaskOutcome::Failed("it is no message".to_owned()),
                ..ended()
            };
            replied(doubtful).then_caused_by_the_last(failed).holds();
            let found = replied(doubtful)
                .then_caused_by_the_last(ended())
                .violated();
            assert!(found.contains("to fail"), "{doubtful}: {found}");
            let found = replied(doubtful)
                .then_caused_by_the_last(says(sell()))
                .violated();
            assert!(found.contains("no message"), "{doubtful}: {found}");
        }
    }

    // Fails if an agent may keep its model unasked, or has to ask without a price.
    #[test]
    fn a_model_is_asked() {
        let found = begun(Some(100)).then_caused_by_the_last(ended()).violated();
        assert!(found.contains("found nobody asked"), "{found}");
        let unknown = begun(None).then_caused_by_the_last(ended());
        assert_eq!(unknown.finding(), dacapo_kernel::Finding::NotEvaluable);
    }
}

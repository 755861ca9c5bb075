//! Agents that decide by a language model: a template with what is known put into it, and a reply that is one message,
//! or advice on a rebalancing.
//!
//! The model is asked like those of conflicts, by the same machinery, so that a question is in the log and a reply is an
//! input of the run. A reply that is not what the agent's topic wants is a failure of the agent and never a message.

mod reply;

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_kernel::Port;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::process::{News, account};
use super::said::Speaker;
use super::{
    AgentError, DecisionConfig, MarketView, Output, regime_detection, sentiment_analysis, table,
    technical_analysis,
};
use crate::Ctx;
use crate::amount::Amount;
use crate::clock::start_us;
use crate::config::{GeneratedMessages, Replies, TemplateConfig};
use crate::exchange::Exchange;
use crate::message::{Instant, Name, Payload, Topic};
use crate::model::ask::{Asking, Line};
use crate::model::template;

/// The port of the first agent's model; the others follow.
const FIRST_PORT: u16 = 4_096;

/// What a template of an agent may name: the whole situation, a field of it, or what the reply is to be.
const NAMES: [&str; 11] = [
    "situation",
    "symbol",
    "time",
    "price",
    "market",
    "messages",
    "account",
    "trend",
    "regime",
    "mood",
    REPLY,
];

/// The same, where a model advises on a rebalancing.
const NAMES_OF_ADVICE: [&str; 8] = [
    "situation",
    "time",
    "total_equity_usd",
    "max_deviation_pct",
    "assets",
    "execution_strategy",
    "trades",
    REPLY,
];

/// What a template may name whose replies are for a topic.
pub(crate) fn names(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::PortfolioUpdates => &NAMES_OF_ADVICE,
        _ => &NAMES,
    }
}

/// The name that stands for what the reply is to be.
const REPLY: &str = "reply";

/// How the log begins to tell of a reply that is no message.
pub(crate) const UNUSABLE: &str = "the reply of the model cannot be used";

/// A language model that speaks for an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LlmAgentConfig {
    /// Its name at the provider.
    pub model: Name,
    /// What it answers.
    #[serde(default)]
    pub replies: Replies<GeneratedMessages>,
    /// The prompt.
    pub template: TemplateConfig,
    /// The longest answer, in tokens.
    #[serde(default = "max_tokens")]
    pub max_tokens: u32,
    /// Fields that a reply must have besides those that the topic needs.
    #[serde(default)]
    pub required: Vec<Name>,
    /// Topics whose messages it is told.
    #[serde(default)]
    pub subscribe: Vec<Topic>,
    /// How many of the newest bars and trades, and of the newest messages, it is told.
    #[serde(default = "history")]
    pub history: usize,
    /// The day from whose beginning (UTC) on it has read nothing, such as 2024-07-01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_cutoff: Option<String>,
}

fn max_tokens() -> u32 {
    500
}

fn history() -> usize {
    20
}

impl LlmAgentConfig {
    /// The template of its prompts on a topic.
    pub(crate) fn template(&self, topic: Topic) -> String {
        self.told(self.template.text.as_deref().unwrap_or_default(), topic)
    }

    /// A template with what a reply on a topic is to be.
    pub(crate) fn told(&self, template: &str, topic: Topic) -> String {
        template::filled_in(template, REPLY, || reply::wanted(topic, &self.required))
    }

    /// The message that a reply is, with what it leaves out of a trade; none if it lacks a price, and there is none.
    ///
    /// # Errors
    /// Why it is no message, as the log says it.
    pub(crate) fn message(
        &self,
        text: &str,
        speaker: &Speaker<'_>,
        price: Option<Amount>,
        decision: &DecisionConfig,
    ) -> Result<Option<Payload>, String> {
        let output = reply::read(text, speaker, &self.required);
        let output = output.map_err(|what| format!("{UNUSABLE}: {what}"))?;
        let output = table::completed(output, speaker.topic, price, decision);
        Ok(output.map(|output| Payload::from_json(speaker.topic, output)))
    }
}

/// The port of the model at a place of the list of all agents that have one.
pub(crate) fn port(at: usize) -> Port {
    Port(FIRST_PORT + u16::try_from(at).unwrap_or(u16::MAX - FIRST_PORT))
}

/// What the model of an agent is called in a run, and what it is asked for.
pub(crate) fn purpose(agent: &Name) -> Name {
    Name::from(format!("message of {agent}"))
}

/// Who is asked, and what about.
pub(super) struct Question<'a> {
    pub(super) llm: &'a LlmAgentConfig,
    pub(super) port: Port,
    pub(super) asking: &'a Asking,
    pub(super) agent: &'a Name,
    pub(super) speaker: Speaker<'a>,
    pub(super) decision: &'a DecisionConfig,
    pub(super) market: &'a Rc<RefCell<MarketView>>,
    pub(super) news: &'a Rc<RefCell<News>>,
    pub(super) exchange: &'a Exchange,
}

/// Asks the model, and says what it replies.
pub(super) async fn run(ctx: &Ctx, asked: Question<'_>) -> Result<Option<Output>, AgentError> {
    let Speaker { topic, symbol, .. } = asked.speaker;
    let price = || asked.market.borrow().price(symbol);
    // A trade needs a price. Whoever has none need not pay for a reply.
    if topic == Topic::TradingSignals && price().is_none() {
        return Ok(None);
    }
    let template = asked.llm.template(topic);
    let text = ask(ctx, &asked, &template, situation(ctx, &asked)).await;
    let text = text.map_err(|what| AgentError(format!("the model failed: {what}")))?;
    let message = asked
        .llm
        .message(&text, &asked.speaker, price(), asked.decision);
    Ok(message.map_err(AgentError)?.map(Output::from))
}

/// Puts a situation to the model, and waits for what it replies.
///
/// # Errors
/// What went wrong, as its provider tells it.
pub(super) async fn ask(
    ctx: &Ctx,
    asked: &Question<'_>,
    template: &str,
    situation: Value,
) -> Result<String, String> {
    let prompt = asked.asking.prompt(template, situation);
    let line = Line {
        port: asked.port,
        model: &asked.llm.model,
        live: asked.llm.replies.live(),
        purpose: purpose(asked.agent),
        template,
        max_tokens: asked.llm.max_tokens,
    };
    asked.asking.ask(ctx, line, &prompt).await
}

/// What the model is told: the market as the rules read it, what came last, and the account.
fn situation(ctx: &Ctx, asked: &Question<'_>) -> Value {
    let symbol = asked.speaker.symbol;
    let market = asked.market.borrow();
    let news = asked.news.borrow();
    let (lines, messages) = news.look(asked.agent, symbol);
    let read = |payload: Option<Payload>| payload.map(|payload| payload.to_json()).into();
    let mut situation = json!({
        "symbol": symbol.as_str(),
        "time": Instant::from(ctx.now()).to_iso(start_us(ctx)),
        "now_us": Instant::from(ctx.now()).as_micros(),
        "price": market.price(symbol).map(|price| price.to_f64()),
    });
    // What stands inside the macro is copied.
    situation["trend"] = read(technical_analysis::run(symbol, &market));
    situation["regime"] = read(regime_detection::run(symbol, &market));
    situation["mood"] = read(sentiment_analysis::run(symbol, &market));
    situation["market"] = lines.into();
    situation["messages"] = messages.into();
    situation["account"] = account(asked.exchange, symbol).into();
    situation
}

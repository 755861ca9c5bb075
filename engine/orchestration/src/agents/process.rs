//! Agents that are programs in any language, asked in lock-step: one question in, a list of effects out.
//!
//! The program runs outside of the simulation. What it is told is an event that follows from the run, what it answers
//! is one that comes from outside, and both are in the log. The protocol is told in `docs/process-agents.md`; starting
//! and hearing a process is no affair of the orchestration.

mod effects;
mod news;
mod port;

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_kernel::{Port, ProgramMode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::said::Speaker;
use super::{AgentError, DecisionConfig, MarketView, Output, table};
use crate::Ctx;
use crate::clock::start_us;
use crate::domain_event::{AgentSaid, DomainEvent, ProcessAsked};
use crate::exchange::Exchange;
use crate::message::{Instant, Json, Name, Payload, Span, Topic};

pub(crate) use news::{News, listen};
pub(crate) use port::attach;

/// The port of the first program; the others follow.
const FIRST_PORT: u16 = 16;

/// A program that speaks for an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    /// The program and its arguments: a path in the scenario's folder, or a program of the machine.
    pub command: Vec<String>,
    /// What becomes of its answers in a replay.
    pub mode: ProgramMode,
    /// Further files that the program is made of; their digests are noted in the log.
    #[serde(default)]
    pub files: Vec<String>,
    /// Topics whose messages the program is told.
    #[serde(default)]
    pub subscribe: Vec<Topic>,
    /// The most bars and trades, and the most messages, that one question tells.
    #[serde(default = "history")]
    pub history: usize,
    /// How long an answer takes in virtual time, in seconds.
    #[serde(default)]
    pub delay_seconds: f64,
    /// How long the program may take for an answer by the wall clock, in seconds.
    #[serde(default = "limit_seconds")]
    pub limit_seconds: f64,
}

fn history() -> usize {
    1_000
}

fn limit_seconds() -> f64 {
    10.0
}

/// The port of the program at a place of the list of all.
pub(crate) fn port(at: usize) -> Port {
    Port(FIRST_PORT + u16::try_from(at).unwrap_or(u16::MAX - FIRST_PORT))
}

/// Who is asked, and what about.
pub(super) struct Question<'a> {
    pub(super) port: Port,
    pub(super) agent: &'a Name,
    pub(super) topic: Topic,
    pub(super) symbol: &'a Name,
    pub(super) symbols: &'a [Name],
    pub(super) decision: &'a DecisionConfig,
    pub(super) market: &'a Rc<RefCell<MarketView>>,
    pub(super) news: &'a Rc<RefCell<News>>,
    pub(super) exchange: &'a Exchange,
}

/// Asks the program, and does what it says; `wake` is told when the agent wants to be asked again.
pub(super) async fn run(
    ctx: &Ctx,
    asked: Question<'_>,
    wake: impl FnOnce(Instant),
) -> Result<Option<Output>, AgentError> {
    let request = ProcessAsked {
        agent: asked.agent.clone(),
        symbol: asked.symbol.clone(),
        question: Json(question(ctx, &asked)),
    };
    let DomainEvent::ProcessAnswered(answered) = ctx.call(asked.port, request).await else {
        return Err(AgentError("nobody answers for a program".to_owned()));
    };
    let speaker = Speaker {
        topic: asked.topic,
        symbol: asked.symbol,
        symbols: asked.symbols,
    };
    // What a program says was judged when it was heard. A log can say anything.
    let said = effects::read(&speaker, &answered.effects.0);
    let said = said.map_err(|unfit| AgentError(unfit.what))?;
    for text in said.log {
        ctx.emit(AgentSaid {
            agent: asked.agent.clone(),
            symbol: asked.symbol.clone(),
            text,
        });
    }
    if let Some(after_seconds) = said.wake {
        wake(Instant::from(ctx.now()) + Span::from_secs_f64(after_seconds));
    }
    if let Some(error) = said.fail {
        return Err(AgentError(error));
    }
    let price = asked.market.borrow().price(asked.symbol);
    let output = said
        .publish
        .and_then(|output| table::completed(output, asked.topic, price, asked.decision));
    Ok(output.map(|output| Payload::from_json(asked.topic, output).into()))
}

/// What the program is told: the symbol, what has become visible since it was last asked about it, and the account.
fn question(ctx: &Ctx, asked: &Question<'_>) -> serde_json::Value {
    let price = asked.market.borrow().price(asked.symbol);
    let told = asked.news.borrow_mut().take(asked.agent, asked.symbol);
    let mut question = json!({
        "symbol": asked.symbol.as_str(),
        "time": Instant::from(ctx.now()).to_iso(start_us(ctx)),
        "price": price.map(|price| price.to_f64()),
        "market_missed": told.market_missed,
        "messages_missed": told.messages_missed,
    });
    // What stands inside the macro is copied.
    question["market"] = told.market.into();
    question["messages"] = told.messages.into();
    question["account"] = account(asked.exchange, asked.symbol).into();
    question
}

/// Balances by asset and the open positions of the symbol; nothing where no account is kept.
pub(super) fn account(exchange: &Exchange, symbol: &Name) -> Option<serde_json::Value> {
    exchange.look_at_paper(|paper| {
        let balances: serde_json::Map<String, serde_json::Value> = paper
            .portfolio()
            .holdings()
            .map(|(asset, holding)| (asset.to_owned(), holding.balance.to_f64().into()))
            .collect();
        let positions = paper.positions.open_positions();
        let positions: Vec<serde_json::Value> = positions
            .filter(|position| symbol == position.symbol.as_str())
            .map(|position| {
                json!({
                    "side": position.direction,
                    "size": position.size.to_f64(),
                    "entry_price": position.entry_price.to_f64(),
                    "stop_loss": position.stop_loss.map(|price| price.to_f64()),
                    "take_profit": position.take_profit.map(|price| price.to_f64()),
                })
            })
            .collect();
        let mut account = serde_json::Map::new();
        account.insert("balances".to_owned(), balances.into());
        account.insert("positions".to_owned(), positions.into());
        account.into()
    })
}

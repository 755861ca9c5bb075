//! `rebalance.advised`: a plan that a model was asked about is what it advises, and what was worked out where it advises
//! nothing that can be used.

mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Seq, number as kernel};
use serde_json::Value;

use self::reading::{Advice, Trade};
use super::told::situation;
use super::{keep, purpose, tells_all};
use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelAnswered, ModelAsked, Published, number};
use crate::invariants::exact::Exact;
use crate::invariants::outsiders::Outsiders;
use crate::invariants::replied::replied;
use crate::invariants::{announced_plan, near};
use crate::message::Name;
use crate::model::mask::Mask;
use crate::rebalance::RebalanceRules;

/// The name of the strategy of a plan that is divided into batches.
const DIVIDED: &str = "dca_24h";
/// How a plan tells of what each asset is worth, in the order in which a model is told of them.
const WORTHS: [&str; 3] = ["btc_value_usd", "xrp_value_usd", "usdt_value_usd"];

/// What a model was told each asset is worth, if that can be seen.
type Told = Option<[f64; 3]>;

/// The questions that are open, and the replies.
#[derive(Debug)]
pub(super) struct Advised {
    /// What the adviser is asked for; none where nobody advises.
    purpose: Option<Name>,
    rules: RebalanceRules,
    /// Whether prompts tell the situation as data, before anything else in braces.
    is_told_all: bool,
    mask: Mask,
    outsiders: Outsiders,
    asked: BTreeMap<Seq, Told>,
    /// What was replied, by the event of the agent that is the newest since.
    replies: BTreeMap<Seq, Rc<(Told, Advice)>>,
    judged: bool,
}

impl Advised {
    pub(super) fn new(plan: &Plan<Config>) -> Advised {
        let config = &plan.system;
        let adviser = config.llms().find(|source| source.advises());
        // What comes over the wire may come late, and after another plan.
        let adviser = adviser.filter(|_| !config.agents.remote);
        Advised {
            is_told_all: adviser.as_ref().is_some_and(tells_all),
            purpose: adviser.map(|source| purpose(&source.agent)),
            rules: config.portfolio.rebalancing.clone(),
            mask: Mask::new(config.llm.mask, &config.symbols, plan.start_unix_ns / 1_000),
            outsiders: Outsiders::default(),
            asked: BTreeMap::new(),
            replies: BTreeMap::new(),
            judged: false,
        }
    }

    fn ask(&mut self, asked: &ModelAsked, seq: Seq) -> Result<(), String> {
        if self.purpose.as_ref() != Some(&asked.purpose) {
            return Ok(());
        }
        let told = situation(asked, "assets").map(|told| {
            std::array::from_fn(|place| number_of(&told["assets"][place]["value_usd"]))
        });
        if told.is_none() && self.is_told_all {
            return Err(
                "expected a model to be told what each asset is worth, found nothing of it told"
                    .into(),
            );
        }
        keep(&mut self.asked, seq, told);
        Ok(())
    }

    fn reply(&mut self, answered: &ModelAnswered, call: Seq, seq: Seq) {
        let Some(told) = self.asked.remove(&call) else {
            return;
        };
        let advice = match replied(&answered.reply) {
            Ok(text) => reading::read(&self.mask.unveiled(text)),
            Err(_) => Advice::Unusable,
        };
        keep(&mut self.replies, seq, Rc::new((told, advice)));
    }

    fn announce(&mut self, event: &Event<DomainEvent>, said: &Published) -> Result<(), String> {
        let plan = announced_plan(&said.message);
        let Some(plan) = plan.filter(|_| !self.outsiders.has(event.actor)) else {
            return Ok(());
        };
        match self.go_on(event) {
            Some(reply) => {
                self.judged = true;
                let (told, advice) = &*reply;
                follows(plan, *told, advice, &self.rules)
            }
            None => Err(
                "expected a model to be asked about a plan, found one that no reply led to".into(),
            ),
        }
    }

    /// The reply that an event follows from, which what the agent does next follows from as well.
    fn go_on(&mut self, event: &Event<DomainEvent>) -> Option<Rc<(Told, Advice)>> {
        let reply = event.cause.and_then(|cause| self.replies.remove(&cause))?;
        keep(&mut self.replies, event.seq, Rc::clone(&reply));
        Some(reply)
    }
}

/// Whether a plan is what follows from advice.
fn follows(
    plan: &Value,
    told: Told,
    advice: &Advice,
    rules: &RebalanceRules,
) -> Result<(), String> {
    let worths = WORTHS.map(|name| number_of(&plan["current_allocation"][name]));
    let is_told = |told: [f64; 3]| {
        told.into_iter()
            .zip(worths)
            .all(|(one, other)| near(one, other))
    };
    require("what the model was told", told.is_none_or(is_told))?;
    let (strategy, trades) = match advice {
        Advice::Doubtful => return Ok(()),
        Advice::Unusable => (None, None),
        Advice::Usable(strategy, trades) => (strategy.clone(), trades.clone()),
    };
    let is_unusable = matches!(advice, Advice::Unusable);
    require(
        "whether the advice was of use",
        plan["used_fallback_strategy"] == is_unusable,
    )?;
    let trades = trades.unwrap_or_else(|| worked_out(worths, rules));
    let total: f64 = trades.iter().map(|trade| trade.amount).sum();
    require(
        "the total",
        near(total, number_of(&plan["total_trade_value_usd"])),
    )?;
    let found = plan["trades"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_divided = plan["dca_batches"].as_u64() > Some(1);
    let strategy = match strategy {
        _ if is_divided => DIVIDED.to_owned(),
        Some(strategy) => strategy,
        None => rules.execution_type.clone(),
    };
    require("the strategy", plan["execution_strategy"] == strategy)?;
    require("trades", are(found, &trades, is_divided))
}

/// Bitcoin and XRP are each driven to a third of the total, sells first.
fn worked_out(worths: [f64; 3], rules: &RebalanceRules) -> Vec<Trade> {
    let third = worths.iter().sum::<f64>() / 3.0;
    let trade = |(symbol, worth): (&str, f64)| Trade {
        symbol: symbol.to_owned(),
        action: if worth < third { "buy" } else { "sell" }.to_owned(),
        execution_type: rules.execution_type.clone(),
        priority: if worth < third { 2 } else { 1 },
        amount: (third - worth).abs(),
    };
    let assets = [("BTC/USDT", worths[0]), ("XRP/USDT", worths[1])];
    let least = rules.min_trade_usd.in_floats();
    let trades = assets.into_iter().map(trade);
    let mut trades: Vec<Trade> = trades.filter(|trade| trade.amount >= least).collect();
    trades.sort_by_key(|trade| trade.priority);
    trades
}

/// Whether these are the trades of a plan, one after the other; those that are divided, in batches that come to no more.
fn are(found: &[Value], trades: &[Trade], is_divided: bool) -> bool {
    let mut rest = found;
    for trade in trades {
        let is_part = |(place, part): (usize, &Value)| {
            part["symbol"] == *trade.symbol
                && part["action"] == *trade.action
                && part["execution_type"] == *trade.execution_type
                && part["priority"] == trade.priority
                && (place == 0 || part["batch_index"] != 0)
        };
        let parts = rest
            .iter()
            .enumerate()
            .take_while(|it| is_part(*it))
            .count();
        let (parts, after) = rest.split_at(if is_divided { parts } else { parts.min(1) });
        rest = after;
        let amount = parts
            .iter()
            .map(|part| number_of(&part["amount_usd"]))
            .sum::<f64>();
        // Batches that are too small are left out.
        let is_whole = near(amount, trade.amount) || (is_divided && amount <= trade.amount);
        let is_missing = parts.is_empty() && !is_divided;
        if is_missing || !is_whole {
            return false;
        }
    }
    rest.is_empty()
}

fn number_of(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn require(what: &str, so: bool) -> Result<(), String> {
    if so {
        return Ok(());
    }
    Err(format!(
        "expected {what} that follows from what a model advises, found another in a plan"
    ))
}

impl Invariant<DomainEvent> for Advised {
    fn id(&self) -> &'static str {
        "rebalance.advised"
    }

    fn statement(&self) -> &'static str {
        "a plan that a model advises on is what it advises, and what was worked out where its advice is of no use"
    }

    fn applies(&self) -> bool {
        self.purpose.is_some()
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::ActorNamed,
            kernel::FaultInjected,
            number::ModelAsked,
            number::ModelAnswered,
            number::Published,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAnswered]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.kernel() {
            Some(KernelEvent::ActorNamed(_)) => self.outsiders.observe(event),
            Some(KernelEvent::FaultInjected(_)) => drop(self.go_on(event)),
            _ => {}
        }
        match (event.domain(), event.cause) {
            (Some(DomainEvent::ModelAsked(it)), _) => return self.ask(it, event.seq),
            (Some(DomainEvent::ModelAnswered(it)), Some(call)) => self.reply(it, call, event.seq),
            (Some(DomainEvent::Published(it)), _) => return self.announce(event, it),
            _ => {}
        }
        Ok(())
    }
}

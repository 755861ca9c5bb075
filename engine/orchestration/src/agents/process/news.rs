//! What has become visible since a program was last asked: bars and trades of the market, and messages; and the newest
//! of them for a language model, which remembers nothing.
//!
//! Each program and each model has its own for each symbol. It belongs to the exchange's host and survives a crash of the
//! coordinator's, like the market that it tells of.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::mem::take;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::Ctx;
use crate::bus::subscriptions::SubscriberKey;
use crate::bus::{Bus, Handler};
use crate::config::Config;
use crate::domain_event::{MarketBar, MarketTrade};
use crate::message::{Instant, Message, Name};

/// The news of every program, by agent and symbol.
#[derive(Debug, Default)]
pub(crate) struct News {
    papers: BTreeMap<(Name, Name), Paper>,
}

#[derive(Debug)]
struct Paper {
    most: usize,
    market: Lines<Seen>,
    messages: Lines<Value>,
}

/// What became visible of a market, and when. Of most of it nobody is told more than that it was missed.
#[derive(Debug)]
enum Seen {
    Trade(Instant, MarketTrade),
    Bar(Instant, MarketBar),
}

impl Seen {
    fn line(&self) -> Value {
        match self {
            Seen::Trade(at, trade) => json!({
                "trade": {
                    "at_us": at.as_micros(),
                    "price": trade.price.to_f64(),
                    "size": trade.size.to_f64(),
                    "taker": trade.taker_buys.map(|buys| if buys { "buy" } else { "sell" }),
                }
            }),
            Seen::Bar(at, bar) => json!({
                "bar": {
                    "closed_us": at.as_micros(),
                    "open": bar.open.to_f64(),
                    "high": bar.high.to_f64(),
                    "low": bar.low.to_f64(),
                    "close": bar.close.to_f64(),
                    "volume": bar.volume.to_f64(),
                }
            }),
        }
    }
}

/// Lines of which the newest are kept.
#[derive(Debug)]
struct Lines<T> {
    kept: VecDeque<T>,
    missed: u64,
}

impl<T> Default for Lines<T> {
    fn default() -> Lines<T> {
        Lines {
            kept: VecDeque::new(),
            missed: 0,
        }
    }
}

impl<T> Lines<T> {
    fn add(&mut self, line: T, most: usize) {
        if self.kept.len() == most {
            self.kept.pop_front();
            self.missed += 1;
        }
        self.kept.push_back(line);
    }
}

/// What one program is told of one symbol.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) market: Vec<Value>,
    /// How many lines of it were left out, the oldest.
    pub(super) market_missed: u64,
    pub(super) messages: Vec<Value>,
    pub(super) messages_missed: u64,
}

impl News {
    /// Empty papers for every listener and symbol of a configuration.
    pub(crate) fn new(config: &Config) -> News {
        let mut papers = BTreeMap::new();
        for listener in config.listeners() {
            for symbol in &config.symbols {
                let paper = Paper {
                    most: listener.history,
                    market: Lines::default(),
                    messages: Lines::default(),
                };
                papers.insert((listener.agent.clone(), symbol.clone()), paper);
            }
        }
        News { papers }
    }

    /// Whether there is nobody to be told anything.
    pub(crate) fn is_for_nobody(&self) -> bool {
        self.papers.is_empty()
    }

    /// A trade became visible.
    pub(crate) fn trade(&mut self, now: Instant, trade: &MarketTrade) {
        self.market(&trade.symbol, || Seen::Trade(now, trade.clone()));
    }

    /// A bar closed.
    pub(crate) fn bar(&mut self, now: Instant, bar: &MarketBar) {
        self.market(&bar.symbol, || Seen::Bar(now, bar.clone()));
    }

    fn market(&mut self, symbol: &Name, seen: impl Fn() -> Seen) {
        for ((_, about), paper) in &mut self.papers {
            if about == symbol {
                paper.market.add(seen(), paper.most);
            }
        }
    }

    /// A message was heard: it goes to the symbol that it names, or to all.
    fn hear(&mut self, agent: &Name, now: Instant, message: &Message) {
        let named = message.payload.field("symbol");
        let named = named.text();
        for ((who, about), paper) in &mut self.papers {
            if who == agent && named.is_none_or(|named| about.as_str() == named) {
                let mut line = json!({
                    "topic": message.topic.name(),
                    "source": message.source.as_str(),
                    "at_us": now.as_micros(),
                });
                line["payload"] = message.payload.to_json();
                paper.messages.add(line, paper.most);
            }
        }
    }

    /// What an agent has not been told yet of a symbol.
    pub(super) fn take(&mut self, agent: &Name, symbol: &Name) -> Told {
        let Some(paper) = self.papers.get_mut(&(agent.clone(), symbol.clone())) else {
            return Told::default();
        };
        let (market, messages) = (take(&mut paper.market), take(&mut paper.messages));
        Told {
            market: market.kept.iter().map(Seen::line).collect(),
            market_missed: market.missed,
            messages: messages.kept.into(),
            messages_missed: messages.missed,
        }
    }

    /// The newest bars and trades of a symbol, and the newest messages about it, the oldest first. They stay.
    pub(crate) fn look(&self, agent: &Name, symbol: &Name) -> (Vec<Value>, Vec<Value>) {
        let Some(paper) = self.papers.get(&(agent.clone(), symbol.clone())) else {
            return Default::default();
        };
        let market = paper.market.kept.iter().map(Seen::line).collect();
        (market, paper.messages.kept.iter().cloned().collect())
    }
}

/// Subscribes every program and model to the topics that it wants to hear.
pub(crate) async fn listen(ctx: &Ctx, bus: &Bus, config: &Config, news: &Rc<RefCell<News>>) {
    for source in config.listeners() {
        for topic in source.subscribe {
            let (agent, news) = (source.agent.clone(), Rc::clone(news));
            let handler = Handler::immediate(move |ctx, message| {
                let now = Instant::from(ctx.now());
                news.borrow_mut().hear(&agent, now, message);
                Ok(())
            });
            let key = SubscriberKey::new(source.agent.clone());
            let subscribed = bus.subscribe(ctx, *topic, key, handler).await;
            // Whoever is beyond the limit hears nothing, as anybody else on this bus.
            drop(subscribed);
        }
    }
}

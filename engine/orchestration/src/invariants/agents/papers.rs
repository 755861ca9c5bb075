//! The newest messages that each agent has heard about each symbol, in order.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use dacapo_kernel::Time;
use serde_json::{Value, json};

use crate::config::Config;
use crate::message::{Instant, Message, Name};
use crate::model::mask::Mask;

/// What one agent has heard about one symbol.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// How much of it is told at most.
    pub(super) most: usize,
    /// How much it was in all.
    pub(super) count: usize,
    /// The newest of it, as much as is told.
    pub(super) newest: VecDeque<Rc<Value>>,
}

/// What was heard, by agent and symbol.
#[derive(Debug, Default)]
pub(super) struct Papers(BTreeMap<(Name, Name), Heard>);

impl Papers {
    /// Nothing was heard yet by those who listen.
    pub(super) fn of(config: &Config) -> Papers {
        let papers = config.listeners().flat_map(|listener| {
            let of = move |symbol: &Name| {
                let heard = Heard {
                    most: listener.history,
                    ..Heard::default()
                };
                ((listener.agent.clone(), symbol.clone()), heard)
            };
            config.symbols.iter().map(of)
        });
        Papers(papers.collect())
    }

    /// A message about one symbol is heard for it alone, any other for all, and is told behind a mask.
    pub(super) fn hear(&mut self, agent: &Name, message: &Message, now: Time, mask: &Mask) {
        let mut line = json!({
            "topic": message.topic.name(),
            "source": message.source.as_str(),
            "at_us": Instant::from(now).as_micros(),
        });
        line["payload"] = message.payload.to_json();
        mask.veil(&mut line);
        let line = Rc::new(line);
        let about = message.payload.field("symbol").text();
        for ((who, symbol), heard) in &mut self.0 {
            if who == agent && about.is_none_or(|about| symbol.as_str() == about) {
                heard.count += 1;
                heard.newest.push_back(Rc::clone(&line));
                if heard.newest.len() > heard.most {
                    heard.newest.pop_front();
                }
            }
        }
    }

    /// What an agent has heard about a symbol; none if it is no listener.
    pub(super) fn heard(&self, agent: &Name, symbol: &Name) -> Option<&Heard> {
        self.0.get(&(agent.clone(), symbol.clone()))
    }
}

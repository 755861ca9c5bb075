//! What arrives from outside in a recorded run: the market, and messages of an operator.

use std::io::Read;

use dacapo_kernel::{BuildError, Feed, Files, Time};

use crate::amount::Amount;
use crate::config::{Config, ScriptedMessage};
use crate::domain_event::{DomainEvent, MarketQuote, MarketTrade, OutsideMessage};
use crate::market::{Generated, Market, MarketConfig, Side, Source, Tape, Tick, TickKind};
use crate::message::{Instant, Name, Payload, Ttl};

/// The market of a configuration, checked to the last row before the run begins.
pub(crate) struct MarketFeed {
    ticks: std::vec::IntoIter<Tick>,
    generated: Option<Generated>,
    names: Vec<Name>,
}

impl MarketFeed {
    /// Opens the market.
    ///
    /// # Errors
    /// If a file of it cannot be read, with the line.
    pub(crate) fn open(config: &Config, seed: u64, files: &dyn Files) -> Result<Self, BuildError> {
        let names = config.symbols.clone();
        match &config.market {
            MarketConfig::Generated(generated) => {
                let generated = Generated::new(generated, seed)
                    .map_err(|error| BuildError::Plan(error.to_string()))?;
                Ok(MarketFeed {
                    ticks: Vec::new().into_iter(),
                    generated: Some(generated),
                    names,
                })
            }
            MarketConfig::Tape(tape) => {
                let input: Box<dyn Read> = files.open(&tape.file)?;
                let damaged = |error: &dyn std::fmt::Display| BuildError::File {
                    path: tape.file.clone(),
                    what: error.to_string(),
                };
                let tape = Tape::open(tape, input).map_err(|error| damaged(&error))?;
                let market = Market::merge([Source::Tape(Box::new(tape))]);
                let ticks: Result<Vec<Tick>, _> = market.collect();
                let ticks = ticks.map_err(|error| damaged(&error))?.into_iter();
                Ok(MarketFeed {
                    ticks,
                    generated: None,
                    names,
                })
            }
        }
    }

    /// The name of a symbol, shared by all its events.
    fn name(&mut self, symbol: &str) -> Name {
        if let Some(known) = self.names.iter().find(|name| name.as_str() == symbol) {
            return known.clone();
        }
        let name = Name::from(symbol);
        self.names.push(name.clone());
        name
    }
}

impl Feed<DomainEvent> for MarketFeed {
    fn next(&mut self) -> Option<(Time, DomainEvent)> {
        let tick = self
            .ticks
            .next()
            .or_else(|| self.generated.as_mut()?.next())?;
        let symbol = self.name(&tick.symbol);
        let event = match tick.kind {
            TickKind::Trade { price, size, side } => MarketTrade {
                symbol,
                price: Amount::from_decimal(price),
                size: Amount::from_decimal(size),
                taker_buys: side.map(|side| side == Side::Buy),
            }
            .into(),
            TickKind::Quote {
                bid,
                bid_size,
                ask,
                ask_size,
            } => MarketQuote {
                symbol,
                bid: Amount::from_decimal(bid),
                bid_size: Amount::from_decimal(bid_size),
                ask: Amount::from_decimal(ask),
                ask_size: Amount::from_decimal(ask_size),
            }
            .into(),
        };
        Some((Time::from_nanos(tick.time_ns), event))
    }
}

/// The messages that a scenario has somebody outside publish, by time.
pub(crate) fn outside_messages(messages: &[ScriptedMessage]) -> impl Feed<DomainEvent> + use<> {
    let mut sorted: Vec<(Time, DomainEvent)> = messages.iter().map(outside_message).collect();
    sorted.sort_by_key(|(time, _)| *time);
    sorted.into_iter()
}

fn outside_message(message: &ScriptedMessage) -> (Time, DomainEvent) {
    let micros = Instant::from_secs_f64(message.at_seconds).as_micros();
    let event = OutsideMessage {
        topic: message.topic,
        source: message.source.clone(),
        priority: message.priority,
        payload: Payload::from_json(message.topic, message.payload.clone()),
        ttl: Ttl::from_secs(message.ttl_seconds),
    };
    (Time::from_micros(micros.unsigned_abs()), event.into())
}

//! What arrives from outside in a recorded run: the market, and what people do.

use std::io::Read;
use std::rc::Rc;

use dacapo_kernel::{BuildError, Feed, Files, Odds, Time};
use dacapo_market::trouble::Trouble;
use dacapo_market::{
    BarFile, Bars, BarsConfig, Generated, MarketConfig, Merged, Side, Tape, TapeError, Tick,
    TickKind,
};

use crate::agents::table;
use crate::amount::Amount;
use crate::config::{Config, OutsideEvent};
use crate::domain_event::{
    BarsRead, DomainEvent, MarketBar, MarketQuote, MarketTrade, OutsideActed, OutsideAction,
    OutsideMessage,
};
use crate::message::{Instant, Name, Payload, Ttl};

/// The market of a configuration, checked to the last row before the run begins.
pub(crate) struct MarketFeed {
    /// What is told of files before anything comes from them.
    told: std::vec::IntoIter<DomainEvent>,
    ticks: std::vec::IntoIter<Tick>,
    /// Bars of all files, each of which has been read to its last row.
    bars: Option<Merged<Bars>>,
    generated: Option<Generated>,
    names: Vec<Name>,
    trouble: Trouble,
}

impl MarketFeed {
    /// Opens the market of a run with this seed, whose virtual time zero is this instant in nanoseconds since
    /// 1970-01-01 UTC.
    ///
    /// # Errors
    /// If a file of it cannot be read, with the line.
    pub(crate) fn open(
        config: &Config,
        (seed, start_ns): (u64, i64),
        files: &dyn Files,
    ) -> Result<Self, BuildError> {
        let mut feed = MarketFeed {
            told: Vec::new().into_iter(),
            ticks: Vec::new().into_iter(),
            bars: None,
            generated: None,
            names: config.symbols.clone(),
            trouble: Trouble::default(),
        };
        match &config.market {
            MarketConfig::None => {}
            MarketConfig::Generated(generated) => {
                let generated = Generated::new(generated, seed)
                    .map_err(|error| BuildError::Plan(error.to_string()))?;
                feed.generated = Some(generated);
            }
            MarketConfig::Tape(tape) => {
                let input: Box<dyn Read> = files.open(&tape.file)?;
                let damaged = |error: TapeError| BuildError::File {
                    path: tape.file.clone(),
                    what: error.in_file(),
                };
                let mut tape = Tape::open(tape, input).map_err(damaged)?;
                let ticks: Result<Vec<Tick>, _> = tape.by_ref().collect();
                feed.ticks = ticks.map_err(damaged)?.into_iter();
                feed.told = vec![tape.read().clone().into()].into_iter();
            }
            MarketConfig::Bars(bars) => {
                let mut read = read_bars(bars, start_ns, files)?;
                // Whatever the order in the scenario, bars of one instant come in one order.
                read.sort_by(|a, b| a.report().symbol.cmp(&b.report().symbol));
                let told = read.iter().map(|it| BarsRead::from(it.report()).into());
                feed.told = told.collect::<Vec<DomainEvent>>().into_iter();
                feed.bars = Some(Merged::new(read));
            }
        }
        Ok(feed)
    }

    fn tick(&mut self) -> Option<Tick> {
        if let Some(bars) = &mut self.bars {
            return bars.next();
        }
        let tick = self.ticks.next();
        tick.or_else(|| self.generated.as_mut()?.next())
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
    fn next(&mut self, odds: &mut Odds<'_>) -> Option<(Time, DomainEvent)> {
        if let Some(told) = self.told.next() {
            return Some((Time::ZERO, told));
        }
        let tick = loop {
            let tick = self.tick()?;
            if let Some(tick) = self.trouble.befall(tick, odds) {
                break tick;
            }
        };
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
            TickKind::Bar(bar) => MarketBar {
                symbol,
                open: Amount::from_decimal(bar.open),
                high: Amount::from_decimal(bar.high),
                low: Amount::from_decimal(bar.low),
                close: Amount::from_decimal(bar.close),
                volume: Amount::from_decimal(bar.volume),
            }
            .into(),
        };
        Some((Time::from_nanos(tick.time_ns), event))
    }
}

/// Reads every file of bars to its last row.
///
/// # Errors
/// The first file that cannot be read or is refused, with the line.
pub(crate) fn read_bars(
    config: &BarsConfig,
    start_ns: i64,
    files: &dyn Files,
) -> Result<Vec<Bars>, BuildError> {
    let read = |file: &BarFile| {
        let input = files.open(&file.file)?;
        Bars::read(config, file, start_ns, input).map_err(|error| BuildError::File {
            path: file.file.clone(),
            what: error.in_file(),
        })
    };
    config.files.iter().map(read).collect()
}

/// The rows of every table of outputs, each arriving when it can be known.
///
/// # Errors
/// The first table that cannot be read or is refused, with the line.
pub(crate) fn table_rows(
    config: &Config,
    start_ns: i64,
    files: &dyn Files,
) -> Result<impl Feed<DomainEvent> + use<>, BuildError> {
    let mut arrivals: Vec<(Time, DomainEvent)> = Vec::new();
    for source in config.tables() {
        let input = files.open(&source.table.file)?;
        let speaker = table::Speaker {
            topic: source.topic,
            symbols: &config.symbols,
            start_ns,
        };
        let rows = table::rows(source.table, speaker, input);
        let rows = rows.map_err(|error| BuildError::File {
            path: source.table.file.clone(),
            what: error.in_file(),
        })?;
        arrivals.extend(rows.into_iter().map(|row| {
            let micros = u64::try_from(row.knowable_at.as_micros()).unwrap_or(0);
            let row = table::arrival(&source.agent, row);
            (Time::from_micros(micros), row.into())
        }));
    }
    arrivals.sort_by_key(|(time, _)| *time);
    Ok(arrivals.into_iter())
}

/// What a scenario has somebody outside do once the coordinator has started, by time.
pub(crate) fn outside_events(events: &Rc<Vec<OutsideEvent>>) -> impl Feed<DomainEvent> + use<> {
    let events = Rc::clone(events);
    let started = events.iter().enumerate();
    let started = started.filter(|(_, event)| event.at_seconds >= 0.0);
    let time = |event: &OutsideEvent| {
        let micros = Instant::from_secs_f64(event.at_seconds).as_micros();
        Time::from_micros(micros.unsigned_abs())
    };
    // Those of one instant come in the order of the file.
    let mut sorted: Vec<(Time, usize)> = started.map(|(at, it)| (time(it), at)).collect();
    sorted.sort_unstable();
    let arrival = move |(time, at): (Time, usize)| Some((time, arriving(&events[at])?));
    sorted.into_iter().filter_map(arrival)
}

fn arriving(event: &OutsideEvent) -> Option<DomainEvent> {
    Some(match item(event)? {
        Item::Message(message) => message.into(),
        Item::Action(action) => OutsideActed { action }.into(),
    })
}

/// One thing that somebody outside does.
pub(crate) enum Item {
    /// Publishes.
    Message(OutsideMessage),
    /// Does something else.
    Action(OutsideAction),
}

/// What an event of a scenario says is done; none if it says nothing.
pub(crate) fn item(event: &OutsideEvent) -> Option<Item> {
    if let Some(publish) = &event.publish {
        return Some(Item::Message(OutsideMessage {
            topic: publish.topic,
            source: publish.source.clone(),
            priority: publish.priority,
            payload: Payload::read(publish.topic, &publish.payload.0),
            ttl: Ttl::from_secs(publish.ttl_seconds),
        }));
    }
    let actions = [
        event.subscribe.clone().map(OutsideAction::Subscribe),
        event.unsubscribe.clone().map(OutsideAction::Unsubscribe),
        event.set_price.clone().map(OutsideAction::SetPrice),
        event.tell_risk.clone().map(OutsideAction::TellRisk),
        event.trade_result.map(OutsideAction::TradeResult),
        event.reset_risk.map(OutsideAction::ResetRisk),
        event.force_run.clone().map(OutsideAction::ForceRun),
        event.status.map(|_| OutsideAction::Status),
        event.stop.map(|_| OutsideAction::Stop),
    ];
    actions.into_iter().flatten().next().map(Item::Action)
}

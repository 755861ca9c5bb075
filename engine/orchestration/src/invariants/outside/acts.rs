//! `outside.as-planned`: what a plan of faults has somebody outside do is done, at its instant.

use std::collections::VecDeque;
use std::time::Duration;

use dacapo_kernel::{Event, Fault, Invariant, Plan, Time};
use dacapo_market::MarketConfig;

use super::EXACT;
use crate::amount::Amount;
use crate::config::{Config, ScriptedSubscriber};
use crate::domain_event::{DomainEvent, OutsideAction, OutsideMessage, number};
use crate::invariants::exact::Exact;
use crate::message::{Field, Name, Payload, Topic};

/// The tasks that a value chooses from.
const TASKS: [&str; 5] = [
    "ta_analysis",
    "regime_detection",
    "sentiment_analysis",
    "trading_decision",
    "portfolio_check",
];
/// The words that evidence may have.
const BIASES: [&str; 7] = [
    "long",
    "short",
    "neutral",
    "bullish",
    "bearish",
    "very_bullish",
    "very_bearish",
];
/// How far from the first price a signal may want to trade, as a part of it.
const NEAR: f64 = 0.0101;
/// How long a subscriber that comes and goes stays.
const STAYS: Duration = Duration::from_secs(60);

/// How a subscriber behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    AlwaysFails,
    SometimesFails,
    Slow(u64),
    Replies,
    Labelled(&'static str),
    Plain,
}

/// Something that somebody outside is to do.
#[derive(Clone, Debug)]
enum Wanted {
    /// A command, about this task if it is about one.
    Command(&'static str, Option<&'static str>),
    /// What is no command, or not a whole one.
    BadCommand,
    /// A breach, and how severe.
    Breach(&'static str, &'static str),
    /// A signal about a symbol, near this price.
    Signal(Name, f64),
    /// A signal with something odd about it.
    OddSignal,
    /// A signal that asks for what nobody knows.
    UnknownAction,
    /// Evidence about a symbol.
    Evidence(Topic, Name),
    /// A subscriber.
    Subscriber(Topic, Manner),
    /// The end of a subscription.
    Leaves(Topic),
}

/// What is still to be done, and when.
#[derive(Debug)]
pub(super) struct AsPlanned {
    /// The earliest first.
    open: VecDeque<(Time, String, Wanted)>,
    judged: bool,
}

impl AsPlanned {
    pub(super) fn new(plan: &Plan<Config>) -> AsPlanned {
        let acts = plan.faults.faults.iter().filter_map(|fault| match fault {
            Fault::Act { what, at, value } => Some((what, *at, *value)),
            _ => None,
        });
        let of = |(what, at, value): (&String, Time, u64)| {
            let wanted = wanted(&plan.system, what, at, value).into_iter();
            let what = what.clone();
            wanted.map(move |(at, wanted)| (at, what.clone(), wanted))
        };
        let mut open: Vec<(Time, String, Wanted)> = acts.flat_map(of).collect();
        open.sort_by_key(|(at, ..)| *at);
        AsPlanned {
            open: open.into(),
            judged: false,
        }
    }

    /// What was to be done before now and was not.
    fn pass(&self, now: Time) -> Result<(), String> {
        match self.open.front() {
            Some((at, what, _)) if *at + EXACT < now => {
                Err(format!("expected {what} to be done, found nothing done"))
            }
            _ => Ok(()),
        }
    }

    /// The first that is to be done now and is this.
    fn done(&mut self, now: Time, is_it: impl Fn(&Wanted) -> bool) {
        let mut due = self.due(now);
        if let Some(place) = due.find(|place| is_it(&self.open[*place].2)) {
            drop(due);
            self.open.remove(place);
            self.judged = true;
        }
    }

    /// The places of what is to be done now.
    fn due(&self, now: Time) -> impl Iterator<Item = usize> {
        let is_due = move |at: Time| at <= now + EXACT;
        let due = self.open.iter().take_while(move |(at, ..)| is_due(*at));
        due.enumerate().map(|(place, _)| place)
    }

    fn hear(&mut self, message: &OutsideMessage, now: Time) {
        if self.due(now).next().is_none() {
            return;
        }
        self.done(now, |wanted| says(wanted, message.topic, &message.payload));
    }
}

/// What an act comes to. What changes the settings does so before anything happens, and is not told.
fn wanted(config: &Config, what: &str, at: Time, value: u64) -> Vec<(Time, Wanted)> {
    let task = Some(TASKS[(value % 5) as usize]);
    let topic = Topic::ALL[(value % Topic::COUNT as u64) as usize];
    let now = |wanted| vec![(at, wanted)];
    let subscriber = |manner| now(Wanted::Subscriber(topic, manner));
    // Nobody knows what anything costs where prices are not invented.
    let signal = |value| {
        let symbol = symbol(config, value);
        let price = symbol.as_ref().and_then(|symbol| price(config, symbol));
        symbol
            .zip(price)
            .map(|(symbol, price)| (at, Wanted::Signal(symbol, price)))
    };
    let odd = |wanted| match signal(value) {
        Some(_) => now(wanted),
        None => Vec::new(),
    };
    match what {
        "operator.pause" => now(Wanted::Command("pause", None)),
        "operator.resume" => now(Wanted::Command("resume", None)),
        "operator.halt" => now(Wanted::Command("halt", None)),
        "operator.clear-halt" => now(Wanted::Command("clear_halt", None)),
        "operator.disable-task" => now(Wanted::Command("disable_task", task)),
        "operator.enable-task" => now(Wanted::Command("enable_task", task)),
        "operator.force-run" => now(Wanted::Command("force_run", task)),
        "operator.bad-command" => now(Wanted::BadCommand),
        "risk.breach" => now(match value {
            0 => Wanted::Breach("daily_loss", "medium"),
            1 => Wanted::Breach("weekly_loss", "high"),
            2 => Wanted::Breach("max_drawdown", "critical"),
            3 => Wanted::Breach("margin_call", "high"),
            _ => Wanted::Breach("margin_call", "low"),
        }),
        "signal.valid" => signal(value).into_iter().collect(),
        "signal.burst" => (0..value).filter_map(signal).collect(),
        "signal.second-thoughts" => {
            let later = at + Duration::from_millis(value);
            let pause = (later, Wanted::Command("pause", None));
            signal(value).into_iter().chain([pause]).collect()
        }
        "signal.malformed" => odd(Wanted::OddSignal),
        "signal.unknown-action" => odd(Wanted::UnknownAction),
        "evidence.outside" => {
            let topics = [
                Topic::TaSignals,
                Topic::SentimentUpdates,
                Topic::RegimeUpdates,
            ];
            let topic = topics[(value / 3 % 3) as usize];
            let symbol = symbol(config, value);
            symbol
                .map(|symbol| (at, Wanted::Evidence(topic, symbol)))
                .into_iter()
                .collect()
        }
        "subscriber.fails" => subscriber(Manner::AlwaysFails),
        "subscriber.fails-sometimes" => subscriber(Manner::SometimesFails),
        "subscriber.slow" => subscriber(Manner::Slow(value / 10)),
        "subscriber.calls-bus" => subscriber(Manner::Replies),
        "subscriber.labels" => {
            let labels = ["one", "two"].into_iter();
            labels
                .flat_map(|label| subscriber(Manner::Labelled(label)))
                .collect()
        }
        "subscriber.many" => (0..value / 10)
            .flat_map(|_| subscriber(Manner::Plain))
            .collect(),
        "subscriber.churn" => vec![
            (at, Wanted::Subscriber(topic, Manner::Plain)),
            (at + STAYS, Wanted::Leaves(topic)),
        ],
        _ => Vec::new(),
    }
}

/// The symbol that a value chooses.
fn symbol(config: &Config, value: u64) -> Option<Name> {
    let place = value.checked_rem(config.symbols.len() as u64)?;
    config.symbols.get(place as usize).cloned()
}

/// The first price of an invented market.
fn price(config: &Config, symbol: &Name) -> Option<f64> {
    let MarketConfig::Generated(generated) = &config.market else {
        return None;
    };
    let walk = generated.symbols.iter().find(|it| *symbol == *it.symbol)?;
    Some(Amount::from_decimal(walk.start_price).in_floats())
}

/// Whether this is what is to be said.
fn says(wanted: &Wanted, topic: Topic, said: &Payload) -> bool {
    let word = |field: &str| said.field(field).text().unwrap_or_default();
    let number = |field: &str| {
        let number = match said.field(field) {
            Field::Bool(_) => None,
            field => field.number().ok(),
        };
        number.filter(|it| it.is_finite()).unwrap_or(f64::NAN)
    };
    let is_signal = topic == Topic::TradingSignals;
    let is_command = topic == Topic::CoordinatorCommands;
    match wanted {
        Wanted::Command(name, task) => {
            let params = said.field("params");
            let about = params.get("task_name").text();
            let is_signed = ["operator", "reason"]
                .iter()
                .all(|it| params.get(it).text().is_some());
            let is_whole = *name != "clear_halt" || is_signed;
            is_command && word("command") == *name && about == *task && is_whole
        }
        Wanted::BadCommand => is_command && !is_whole_command(said),
        Wanted::Breach(breach, severity) => {
            let is_alert = topic == Topic::RiskAlerts && word("alert_type") == "circuit_breaker";
            is_alert && word("breach_type") == *breach && word("severity") == *severity
        }
        Wanted::Signal(symbol, price) => {
            let (stop, entry) = (number("stop_loss"), number("entry_price"));
            let target = number("take_profit");
            let is_ordered = match word("action") {
                "BUY" => stop < entry && entry < target,
                "SELL" => stop > entry && entry > target,
                _ => false,
            };
            let is_near = (entry / price - 1.0).abs() < NEAR;
            let is_small = (1.0..=5.0).contains(&number("leverage")) && number("size_usd") > 0.0;
            let is_sure = (0.0..=1.0).contains(&number("confidence"));
            is_signal && *symbol == *word("symbol") && is_ordered && is_near && is_small && is_sure
        }
        Wanted::OddSignal => is_signal,
        Wanted::UnknownAction => is_signal && !["BUY", "SELL", "HOLD"].contains(&word("action")),
        Wanted::Evidence(own, symbol) => {
            let is_known = match own {
                Topic::RegimeUpdates => !word("regime").is_empty(),
                _ => BIASES.contains(&word("bias")),
            };
            let is_about =
                *symbol == *word("symbol") && (0.5..=1.0).contains(&number("confidence"));
            topic == *own && is_about && is_known
        }
        Wanted::Subscriber(..) | Wanted::Leaves(_) => false,
    }
}

/// Whether a command says all that it must, of what there is.
fn is_whole_command(said: &Payload) -> bool {
    let params = said.field("params");
    let param = |name: &str| params.get(name).text().filter(|it| !it.is_empty());
    match said.field("command").text() {
        Some("pause" | "resume" | "halt") => true,
        Some("clear_halt") => param("operator").is_some() && param("reason").is_some(),
        Some("enable_task" | "disable_task" | "force_run") => {
            param("task_name").is_some_and(|task| TASKS.contains(&task))
        }
        _ => false,
    }
}

/// Whether this is whoever is to subscribe.
fn behaves(wanted: &Wanted, script: &ScriptedSubscriber) -> bool {
    let Wanted::Subscriber(topic, manner) = wanted else {
        return false;
    };
    let at_once = script.delay_seconds == 0.0;
    let is_quiet = script.fails.is_empty() && !script.always_fails && script.reply.is_none();
    let has_manner = match manner {
        Manner::AlwaysFails => script.always_fails,
        Manner::SometimesFails => !script.fails.is_empty() && !script.always_fails,
        Manner::Slow(seconds) => is_quiet && script.delay_seconds > *seconds as f64,
        Manner::Replies => script.reply.as_ref().is_some_and(|it| it.topic != *topic),
        Manner::Labelled(label) => {
            is_quiet && script.label.as_ref().is_some_and(|it| *it == **label)
        }
        Manner::Plain => is_quiet && at_once && script.label.is_none(),
    };
    script.topic == *topic && has_manner
}

impl Invariant<DomainEvent> for AsPlanned {
    fn id(&self) -> &'static str {
        "outside.as-planned"
    }

    fn statement(&self) -> &'static str {
        "what a plan of faults has somebody outside do is done, at its instant"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::OutsideMessage, number::OutsideActed]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutsideMessage, number::OutsideActed]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.pass(now)?;
        match event.domain() {
            Some(DomainEvent::OutsideMessage(it)) => self.hear(it, now),
            Some(DomainEvent::OutsideActed(it)) => match &it.action {
                OutsideAction::Subscribe(script) => {
                    self.done(now, |wanted| behaves(wanted, script))
                }
                OutsideAction::Unsubscribe(it) => self.done(
                    now,
                    |wanted| matches!(wanted, Wanted::Leaves(topic) if it.topic == Some(*topic)),
                ),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests;

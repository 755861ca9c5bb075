//! What the report of a run shows: level and state over time, what the account was worth, prices with
//! what was traded at them, what models were asked and answered, and the executions.

use dacapo_kernel::{Chart, Curve, Event, Exhibits, Listing, Plan, Scale, Shape};

use crate::config::Config;
use crate::describe;
use crate::describe::live_facts;
use crate::domain_event::{DomainEvent, ModelReply, OrderOutcome, number};
use crate::figures;

/// The columns of the list of orders.
const ORDER_COLUMNS: [&str; 8] = [
    "what", "intent", "order", "pair", "side", "dollars", "limit", "leverage",
];

/// Curves and lists, in the order of the page.
pub(crate) fn exhibits(plan: &Plan<Config>) -> Exhibits<DomainEvent> {
    let mut charts = vec![level(), state(), worth(plan), drawdown(plan)];
    let symbols = plan.system.symbols.iter();
    charts.extend(symbols.map(|symbol| price(symbol.as_str())));
    Exhibits {
        charts,
        listings: vec![transcript(), programs(), orders(), executions()],
    }
}

/// A curve that goes by the system's own events.
fn curve(
    name: &str,
    shape: Shape,
    watches: &'static [u16],
    mut value: impl FnMut(&DomainEvent) -> Option<f64> + 'static,
) -> Curve<DomainEvent> {
    Curve {
        name: name.to_owned(),
        shape,
        watches,
        value: Box::new(move |event: &Event<DomainEvent>| value(event.domain()?)),
    }
}

fn level() -> Chart<DomainEvent> {
    let watches = &[number::OutcomeCounted, number::StateRestored];
    let level = curve("level", Shape::Steps, watches, |event| match event {
        DomainEvent::OutcomeCounted(it) => Some(f64::from(it.level as u8)),
        DomainEvent::StateRestored(it) => Some(f64::from(it.level as u8)),
        _ => None,
    });
    Chart {
        title: "Level over time".to_owned(),
        scale: Scale::Names(&["NORMAL", "REDUCED", "LIMITED", "EMERGENCY"]),
        curves: vec![level],
    }
}

fn state() -> Chart<DomainEvent> {
    let watches = &[number::Started, number::StateChanged];
    let state = curve("state", Shape::Steps, watches, |event| match event {
        DomainEvent::Started(_) => Some(0.0),
        DomainEvent::StateChanged(it) => Some(match it.to.name() {
            "running" => 0.0,
            "paused" => 1.0,
            _ => 2.0,
        }),
        _ => None,
    });
    Chart {
        title: "State over time".to_owned(),
        scale: Scale::Names(&["RUNNING", "PAUSED", "HALTED"]),
        curves: vec![state],
    }
}

/// The kinds of event that say what the account is worth.
const OF_THE_ACCOUNT: &[u16] = &[
    number::MarketTrade,
    number::MarketBar,
    number::OutsideActed,
    number::BalanceChanged,
    number::PositionOpened,
    number::PositionClosed,
    number::Filled,
];

fn worth(plan: &Plan<Config>) -> Chart<DomainEvent> {
    let worth = figures::worth(plan);
    Chart {
        title: "What the account was worth".to_owned(),
        scale: Scale::Number("dollars"),
        curves: vec![curve("equity", Shape::Line, OF_THE_ACCOUNT, worth)],
    }
}

fn drawdown(plan: &Plan<Config>) -> Chart<DomainEvent> {
    let (mut worth, mut peak) = (figures::worth(plan), f64::MIN);
    let below = move |event: &DomainEvent| {
        let worth = worth(event)?;
        peak = peak.max(worth);
        (peak > 0.0).then(|| (worth / peak - 1.0) * 100.0)
    };
    Chart {
        title: "Drawdown".to_owned(),
        scale: Scale::Number("percent below the peak so far"),
        curves: vec![curve("drawdown", Shape::Line, OF_THE_ACCOUNT, below)],
    }
}

fn price(symbol: &str) -> Chart<DomainEvent> {
    let of = symbol.to_owned();
    let traded = move |event: &DomainEvent| match event {
        DomainEvent::MarketTrade(it) if it.symbol == *of => Some(it.price.to_f64()),
        DomainEvent::MarketBar(it) if it.symbol == *of => Some(it.close.to_f64()),
        _ => None,
    };
    let filled = |wanted: &'static str| {
        let of = symbol.to_owned();
        move |event: &DomainEvent| match event {
            DomainEvent::Filled(it) if it.symbol == *of && it.side == *wanted => {
                Some(it.price.to_f64())
            }
            _ => None,
        }
    };
    Chart {
        title: format!("{symbol}, and what was traded"),
        scale: Scale::Number("the quote currency"),
        curves: vec![
            curve(
                "price",
                Shape::Line,
                &[number::MarketTrade, number::MarketBar],
                traded,
            ),
            curve("bought", Shape::Marks, &[number::Filled], filled("buy")),
            curve("sold", Shape::Marks, &[number::Filled], filled("sell")),
        ],
    }
}

/// What models were asked, what they answered, and what came of it.
fn transcript() -> Listing<DomainEvent> {
    let row = |event: &Event<DomainEvent>| {
        let (what, whom, text) = match event.domain()? {
            DomainEvent::ModelAsked(it) => (
                "asked",
                format!("{}, {}", it.model, it.purpose),
                it.prompt.clone(),
            ),
            DomainEvent::PromptKept(it) => ("template", it.digest.to_string(), it.text.clone()),
            DomainEvent::ModelAnswered(it) => {
                let whom = match &it.reply {
                    ModelReply::Live(live) => live_facts(live),
                    ModelReply::Text(_) | ModelReply::Error(_) => String::new(),
                };
                match it.reply.said() {
                    Ok(text) => ("answered", whom, text.to_owned()),
                    Err(error) => ("failed", whom, error.to_owned()),
                }
            }
            domain @ DomainEvent::ConflictResolved(_) => {
                let told = describe::event(event, domain);
                ("resolved", String::new(), told)
            }
            _ => return None,
        };
        Some(vec![what.to_owned(), whom, text])
    };
    Listing {
        title: "What models were asked and answered",
        columns: &["", "whom", "text"],
        watches: &[
            number::PromptKept,
            number::ModelAsked,
            number::ModelAnswered,
            number::ConflictResolved,
        ],
        row: Box::new(row),
    }
}

/// What agents that are programs were told, and what they answered.
fn programs() -> Listing<DomainEvent> {
    let row = |event: &Event<DomainEvent>| {
        let (what, whom, text) = match event.domain()? {
            DomainEvent::ProcessAsked(it) => (
                "asked",
                format!("{}, {}", it.agent, it.symbol),
                it.question.0.to_string(),
            ),
            DomainEvent::ProcessAnswered(it) => {
                ("answered", String::new(), it.effects.0.to_string())
            }
            _ => return None,
        };
        Some(vec![what.to_owned(), whom, text])
    };
    Listing {
        title: "What programs were asked and answered",
        columns: &["", "whom", "text"],
        watches: &[number::ProcessAsked, number::ProcessAnswered],
        row: Box::new(row),
    }
}

/// What was ordered, and what was answered at once.
fn orders() -> Listing<DomainEvent> {
    let row = |event: &Event<DomainEvent>| match event.domain()? {
        DomainEvent::OrderSubmitted(it) => Some(vec![
            "sent".to_owned(),
            it.intent.to_string(),
            String::new(),
            it.order.symbol.to_string(),
            it.order.side.to_string(),
            it.order.size_usd.to_string(),
            it.limit.map_or_else(String::new, |limit| limit.to_string()),
            it.order.leverage.to_string(),
        ]),
        DomainEvent::OrderAnswered(it) => {
            let (outcome, code) = match &it.outcome {
                OrderOutcome::Filled => ("filled", None),
                OrderOutcome::Resting => ("resting", None),
                OrderOutcome::Refused(code) => ("refused", Some(code)),
                OrderOutcome::Raised(code) => ("raised", Some(code)),
                OrderOutcome::Unknown => ("unknown", None),
                OrderOutcome::Cancelled => ("cancelled", None),
            };
            let outcome =
                code.map_or_else(|| outcome.to_owned(), |code| format!("{outcome}: {code}"));
            let order = it
                .order
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            let mut row = vec![outcome, it.intent.to_string(), order];
            row.resize(ORDER_COLUMNS.len(), String::new());
            Some(row)
        }
        _ => None,
    };
    Listing {
        title: "Orders",
        columns: &ORDER_COLUMNS,
        watches: &[number::OrderSubmitted, number::OrderAnswered],
        row: Box::new(row),
    }
}

fn executions() -> Listing<DomainEvent> {
    let row = |event: &Event<DomainEvent>| {
        let DomainEvent::Filled(fill) = event.domain()? else {
            return None;
        };
        Some(vec![
            fill.symbol.to_string(),
            fill.side.to_string(),
            fill.size.to_string(),
            fill.price.to_string(),
            fill.fee.to_string(),
            fill.order.to_string(),
            fill.intent
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            fill.position.map_or_else(String::new, |it| it.to_string()),
        ])
    };
    Listing {
        title: "Executions",
        columns: &[
            "pair", "side", "size", "price", "fee", "order", "intent", "closes",
        ],
        watches: &[number::Filled],
        row: Box::new(row),
    }
}

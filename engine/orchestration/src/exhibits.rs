//! What the report of a run shows: level and state over time, what the account was worth, prices with
//! what was traded at them, what models were asked and answered, and the executions.

use dacapo_kernel::{Chart, Curve, Event, Exhibits, Listing, Plan, Scale, Shape};

use crate::config::Config;
use crate::describe;
use crate::domain_event::{DomainEvent, ModelReply, number};

/// Curves and lists, in the order of the page.
pub(crate) fn exhibits(plan: &Plan<Config>) -> Exhibits<DomainEvent> {
    let mut charts = vec![level(), state(), worth(), drawdown()];
    let symbols = plan.system.symbols.iter();
    charts.extend(symbols.map(|symbol| price(symbol.as_str())));
    Exhibits {
        charts,
        listings: vec![transcript(), programs(), executions()],
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

/// What the account is worth at a judgement.
fn equity(event: &DomainEvent) -> Option<f64> {
    let DomainEvent::RiskJudged(judged) = event else {
        return None;
    };
    Some(judged.basis.as_ref()?.equity.to_f64())
}

fn worth() -> Chart<DomainEvent> {
    let watches = &[number::RiskJudged];
    Chart {
        title: "What the account was worth at each judgement".to_owned(),
        scale: Scale::Number("dollars"),
        curves: vec![curve("equity", Shape::Line, watches, equity)],
    }
}

fn drawdown() -> Chart<DomainEvent> {
    let mut peak = f64::MIN;
    let below = move |event: &DomainEvent| {
        let equity = equity(event)?;
        peak = peak.max(equity);
        (peak > 0.0).then(|| (equity / peak - 1.0) * 100.0)
    };
    Chart {
        title: "Drawdown".to_owned(),
        scale: Scale::Number("percent below the peak so far"),
        curves: vec![curve("drawdown", Shape::Line, &[number::RiskJudged], below)],
    }
}

fn price(symbol: &str) -> Chart<DomainEvent> {
    let of = symbol.to_owned();
    let traded = move |event: &DomainEvent| match event {
        DomainEvent::MarketTrade(it) if it.symbol == *of => Some(it.price.to_f64()),
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
            curve("price", Shape::Line, &[number::MarketTrade], traded),
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
            DomainEvent::ModelAnswered(it) => match &it.reply {
                ModelReply::Text(text) => ("answered", String::new(), text.clone()),
                ModelReply::Error(text) => ("failed", String::new(), text.clone()),
            },
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
        ])
    };
    Listing {
        title: "Executions",
        columns: &["pair", "side", "size", "price", "fee", "order"],
        watches: &[number::Filled],
        row: Box::new(row),
    }
}

//! The orchestration in words: one line for an event, tables for a run, warnings.

use dacapo_kernel::{Event, Section};

use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelReply, OrderOutcome, TaskOutcome};
use crate::message::Message;
use crate::views::Views;

/// What happened, in a line.
pub(crate) fn event(_: &Event<DomainEvent>, domain: &DomainEvent) -> String {
    match domain {
        DomainEvent::MarketTrade(it) => format!("{} trades {} at {}", it.symbol, it.size, it.price),
        DomainEvent::MarketQuote(it) => format!(
            "{} bid {} for {}, ask {} for {}",
            it.symbol, it.bid, it.bid_size, it.ask, it.ask_size
        ),
        DomainEvent::OutsideMessage(it) => {
            format!(
                "{} says on {}: {}",
                it.source,
                it.topic,
                it.payload.to_json()
            )
        }
        DomainEvent::ModelAsked(it) => format!("{} is asked for a {}", it.model, it.purpose),
        DomainEvent::ModelAnswered(it) => match &it.reply {
            ModelReply::Text(text) => format!("replied: {text}"),
            ModelReply::Error(error) => format!("failed: {error}"),
        },
        DomainEvent::Published(it) => published(&it.message),
        DomainEvent::Delivered(it) => {
            let lock = if it.under_lock {
                ", under the bus lock"
            } else {
                ""
            };
            format!("msg-{} to {}{lock}", it.message, it.subscriber)
        }
        DomainEvent::HandlerFailed(it) => {
            format!(
                "{} failed on msg-{}: {}",
                it.subscriber, it.message, it.error
            )
        }
        DomainEvent::Subscribed(it) => format!("{} to {}", it.subscriber, it.topic),
        DomainEvent::Unsubscribed(it) => match it.failures {
            Some(failures) => {
                format!(
                    "{} from {}, after {failures} failures",
                    it.subscriber, it.topic
                )
            }
            None => format!("{} from {}", it.subscriber, it.topic),
        },
        DomainEvent::HistoryShrunk(it) => {
            let why = if it.expired { "expired" } else { "cleared" };
            format!("{} messages dropped: {why}", it.dropped)
        }
        DomainEvent::StateChanged(it) => format!("{} → {} by {}", it.from, it.to, it.by),
        DomainEvent::OutcomeCounted(it) => format!(
            "{:?}: {} llm and {} api failures, level {}",
            it.outcome, it.llm_failures, it.api_failures, it.level
        ),
        DomainEvent::TaskRunStarted(it) => {
            let forced = if it.forced { ", forced" } else { "" };
            format!("{} for {}{forced}", it.task, it.symbol)
        }
        DomainEvent::TaskRunEnded(it) => match &it.outcome {
            TaskOutcome::Done => format!("{} for {}: done", it.task, it.symbol),
            TaskOutcome::TimedOut => format!("{} for {}: timed out", it.task, it.symbol),
            TaskOutcome::Failed(error) => format!("{} for {}: {error}", it.task, it.symbol),
        },
        DomainEvent::TaskFinished(it) => it.task.to_string(),
        DomainEvent::ConsensusBuilt(it) => format!(
            "{}: {} of {} agree, confidence × {} = {:.3}",
            it.symbol, it.agreement, it.total, it.multiplier, it.confidence
        ),
        DomainEvent::ConflictFound(it) => {
            let kinds: Vec<&str> = it.kinds.iter().map(|kind| kind.as_str()).collect();
            format!("{}: {}", it.symbol, kinds.join(", "))
        }
        DomainEvent::ConflictResolved(it) => {
            format!(
                "{} with confidence {:.2}, by {:?}",
                it.action, it.confidence, it.by
            )
        }
        DomainEvent::SignalDropped(it) => format!("msg-{}: {}", it.signal, it.reason),
        DomainEvent::RiskJudged(it) => {
            let why: Vec<&str> = it.rejections.iter().map(|code| code.as_str()).collect();
            format!("{} {} {}", it.symbol, it.status, why.join(", "))
                .trim_end()
                .to_owned()
        }
        DomainEvent::OrderSubmitted(it) => {
            let limit = it
                .limit
                .map_or("the market price".to_owned(), |limit| limit.to_string());
            format!(
                "{} {} {} for {} dollars at {limit}",
                it.intent, it.side, it.symbol, it.size_usd
            )
        }
        DomainEvent::OrderAnswered(it) => {
            let order = it.order.as_ref().map_or("no order", |order| order.as_str());
            match &it.outcome {
                OrderOutcome::Filled => format!("{}: {order} filled", it.intent),
                OrderOutcome::Resting => format!("{}: {order} rests", it.intent),
                OrderOutcome::Refused(why) => format!("{}: {order} refused, {why}", it.intent),
            }
        }
        DomainEvent::Filled(it) => {
            format!(
                "{} {} {} {} at {}, fee {}",
                it.order, it.side, it.size, it.symbol, it.price, it.fee
            )
        }
        DomainEvent::LegsPlanned(it) => format!("{} trades wait for their time", it.count),
        DomainEvent::RebalanceTradeSkipped(it) => {
            format!(
                "{} {} of batch {}: {}",
                it.side, it.symbol, it.batch_index, it.reason
            )
        }
        DomainEvent::BalanceChanged(it) => format!("{} {}", it.balance, it.asset),
    }
}

fn published(message: &Message) -> String {
    format!(
        "{} on {} by {}: {}",
        message.id,
        message.topic,
        message.source,
        message.payload.to_json()
    )
}

/// Words by which an event is found.
pub(crate) fn tags(domain: &DomainEvent) -> Vec<(&'static str, String)> {
    let symbol = |symbol: &dyn std::fmt::Display| vec![("symbol", symbol.to_string())];
    match domain {
        DomainEvent::MarketTrade(it) => symbol(&it.symbol),
        DomainEvent::MarketQuote(it) => symbol(&it.symbol),
        DomainEvent::Published(it) => {
            let mut tags = vec![
                ("topic", it.message.topic.to_string()),
                ("source", it.message.source.to_string()),
            ];
            let named = it.message.payload.field("symbol").text();
            tags.extend(named.map(|symbol| ("symbol", symbol.to_owned())));
            tags
        }
        DomainEvent::OutsideMessage(it) => vec![("topic", it.topic.to_string())],
        DomainEvent::Subscribed(it) => vec![("topic", it.topic.to_string())],
        DomainEvent::Unsubscribed(it) => vec![("topic", it.topic.to_string())],
        DomainEvent::TaskRunStarted(it) => {
            vec![
                ("task", it.task.to_string()),
                ("symbol", it.symbol.to_string()),
            ]
        }
        DomainEvent::TaskRunEnded(it) => {
            vec![
                ("task", it.task.to_string()),
                ("symbol", it.symbol.to_string()),
            ]
        }
        DomainEvent::TaskFinished(it) => vec![("task", it.task.to_string())],
        DomainEvent::ConsensusBuilt(it) => symbol(&it.symbol),
        DomainEvent::ConflictFound(it) => symbol(&it.symbol),
        DomainEvent::RiskJudged(it) => symbol(&it.symbol),
        DomainEvent::OrderSubmitted(it) => symbol(&it.symbol),
        DomainEvent::Filled(it) => symbol(&it.symbol),
        DomainEvent::ModelAsked(it) => vec![("model", it.model.to_string())],
        _ => Vec::new(),
    }
}

/// How many trades a summary lists.
const TRADES_SHOWN: usize = 12;

/// The tables of a run's summary.
pub(crate) fn summary(view: &Views) -> Vec<Section> {
    vec![levels(view), tasks(view), trades(view), balances(view)]
        .into_iter()
        .filter(|section| !section.rows.is_empty())
        .collect()
}

fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Section {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Section {
        title: title.to_owned(),
        columns,
        rows,
    }
}

fn levels(view: &Views) -> Section {
    let row = |(time, level): &(dacapo_kernel::Time, _)| vec![time.to_string(), format!("{level}")];
    let rows = view.coordinator.levels.iter().map(row).collect();
    section("level over time", &["time", "level"], rows)
}

fn tasks(view: &Views) -> Section {
    let rows = view.coordinator.tasks.iter().map(|(name, task)| {
        let last = task
            .last_run_ns
            .map_or("never".to_owned(), |time| time.to_string());
        vec![
            name.to_string(),
            task.done.to_string(),
            task.failed.to_string(),
            last,
        ]
    });
    section(
        "tasks",
        &["task", "runs", "failed", "last run"],
        rows.collect(),
    )
}

fn trades(view: &Views) -> Section {
    let fills = &view.trading.fills;
    let earlier = fills.len().saturating_sub(TRADES_SHOWN);
    let rows = fills[earlier..].iter().map(|fill| {
        let cells = [
            fill.time_ns.to_string(),
            fill.side.to_string(),
            fill.size.to_string(),
            fill.symbol.to_string(),
            fill.price.to_string(),
            fill.fee.to_string(),
        ];
        cells.to_vec()
    });
    let title = match earlier {
        0 => "trades".to_owned(),
        _ => format!("trades, the last {TRADES_SHOWN} of {}", fills.len()),
    };
    let columns = ["time", "side", "size", "symbol", "price", "fee"];
    section(&title, &columns, rows.collect())
}

fn balances(view: &Views) -> Section {
    let rows = view.trading.balances.iter();
    let rows = rows.map(|(asset, balance)| vec![asset.to_string(), balance.to_string()]);
    section("balances", &["asset", "balance"], rows.collect())
}

/// What a person should know about a run that went by without a mistake.
pub(crate) fn warnings(config: &Config, view: &Views) -> Vec<String> {
    let Views {
        coordinator,
        market,
        trading,
        ..
    } = view;
    let mut warnings = Vec::new();
    let unpriced: Vec<&str> = config
        .symbols
        .iter()
        .filter(|symbol| market.get(*symbol).is_none_or(|market| market.trades == 0))
        .map(|symbol| symbol.as_str())
        .collect();
    if !unpriced.is_empty() {
        warnings.push(format!("the market never traded {}", unpriced.join(", ")));
    }
    if coordinator.signals == 0 {
        warnings.push(format!("nothing was ever decided: {}", why_no_signal(view)));
    } else if trading.filled == 0 {
        let refused: Vec<String> = trading
            .rejected
            .iter()
            .chain(&trading.refused)
            .chain(&coordinator.dropped)
            .map(|(reason, count)| format!("{reason} {count} times"))
            .collect();
        let why = if refused.is_empty() {
            "every order rests".to_owned()
        } else {
            refused.join(", ")
        };
        warnings.push(format!("no order was ever filled: {why}"));
    }
    warnings
}

fn why_no_signal(view: &Views) -> String {
    match view.coordinator.tasks.get("trading_decision") {
        None => "the task trading_decision never ran; see its interval, its dependencies and \
                 the duration of the run"
            .to_owned(),
        Some(task) if task.done == 0 => {
            format!("all {} runs of trading_decision failed", task.failed)
        }
        Some(task) => format!(
            "{} runs of trading_decision held or had too few prices; see agents.analysis for the \
             length of the windows",
            task.done
        ),
    }
}

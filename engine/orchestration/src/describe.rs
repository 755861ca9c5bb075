//! The orchestration in words: one line for an event, and the words by which it is found.

use dacapo_kernel::Event;
use dacapo_market::{length, utc};
use serde_json::Value;

use crate::domain_event::{
    DomainEvent, EmergencyOrder, LiveReply, ModelReply, OrderOutcome, OutsideAction, Subscribed,
    TaskOutcome,
};
use crate::message::{Message, Name};

/// What happened, in a line.
pub(crate) fn event(_: &Event<DomainEvent>, domain: &DomainEvent) -> String {
    match domain {
        DomainEvent::MarketTrade(it) => format!("{} trades {} at {}", it.symbol, it.size, it.price),
        DomainEvent::MarketQuote(it) => format!(
            "{} bid {} for {}, ask {} for {}",
            it.symbol, it.bid, it.bid_size, it.ask, it.ask_size
        ),
        DomainEvent::MarketBar(it) => format!(
            "{} opens {} high {} low {} closes {}",
            it.symbol, it.open, it.high, it.low, it.close
        ),
        DomainEvent::BarsRead(it) => format!(
            "{} bars of {} from {}, each {} long, closing from {} to {}",
            it.bars,
            it.symbol,
            it.file,
            length(it.bar_ns),
            utc(it.from_ns),
            utc(it.to_ns)
        ),
        DomainEvent::TapeRead(it) => format!(
            "{} rows of {}: {} trades and {} quotes of {} markets",
            it.rows, it.file, it.trades, it.quotes, it.symbols
        ),
        DomainEvent::TableRow(it) => {
            format!("line {} for {}: {}", it.line, it.agent, it.output.0)
        }
        DomainEvent::BarDoubtful(it) => format!(
            "position-{} of {}: the bar touched stop and target, the stop is taken",
            it.position, it.symbol
        ),
        DomainEvent::OutsideMessage(it) => {
            format!(
                "{} says on {}: {}",
                it.source,
                it.topic,
                it.payload.to_json()
            )
        }
        DomainEvent::OutsideActed(it) => outside(&it.action),
        DomainEvent::OutsideRefused(it) => format!("{}: {}", it.outcome, it.reason),
        DomainEvent::ModelAsked(it) => format!("{} is asked for a {}", it.model, it.purpose),
        DomainEvent::PromptKept(it) => {
            format!("template {}, {} bytes", it.digest, it.text.len())
        }
        DomainEvent::RequestRendered(it) => match it.template {
            Some(template) => format!("request {} with template {template}", it.request),
            None => format!("request {}", it.request),
        },
        DomainEvent::ModelAnswered(it) => match &it.reply {
            ModelReply::Text(text) => format!("replied: {text}"),
            ModelReply::Error(error) => format!("failed: {error}"),
            ModelReply::Live(live) => {
                let did = if live.failed { "failed" } else { "replied" };
                format!("{did} ({}): {}", live_facts(live), live.text)
            }
        },
        DomainEvent::ProcessAsked(it) => format!("{} is asked about {}", it.agent, it.symbol),
        DomainEvent::ProcessAnswered(it) => format!("answered {}", it.effects.0),
        DomainEvent::AgentSaid(it) => format!("{} on {}: {}", it.agent, it.symbol, it.text),
        DomainEvent::WakeAsked(it) => format!("{} again at {}", it.task, it.at),
        DomainEvent::Published(it) => published(&it.message),
        DomainEvent::Delivered(it) => {
            let lock = if it.under_lock {
                ", under the bus lock"
            } else {
                ""
            };
            let to = subscription(&it.subscriber, it.label.as_ref());
            format!("msg-{} to {to}{lock}", it.message)
        }
        DomainEvent::HandlerFailed(it) => {
            let who = subscription(&it.subscriber, it.label.as_ref());
            format!("{who} failed on msg-{}: {}", it.message, it.error)
        }
        DomainEvent::Subscribed(it) => subscribed(it),
        DomainEvent::Unsubscribed(it) => {
            let who = subscription(&it.subscriber, it.label.as_ref());
            match it.failures {
                Some(failures) => format!("{who} from {}, after {failures} failures", it.topic),
                None => format!("{who} from {}", it.topic),
            }
        }
        DomainEvent::HistoryShrunk(it) => {
            let why = if it.expired { "expired" } else { "cleared" };
            format!("{} messages dropped: {why}", it.dropped)
        }
        DomainEvent::MessageRewritten(it) => {
            format!("msg-{} says now: {}", it.message, it.payload.to_json())
        }
        DomainEvent::Started(_) => "with nothing in memory".to_owned(),
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
        DomainEvent::TaskSwitched(it) => {
            let enabled = if it.enabled { "enabled" } else { "disabled" };
            format!("{} {enabled}", it.task)
        }
        DomainEvent::ScheduleEnded(_) => "nothing is scheduled any more".to_owned(),
        DomainEvent::StatusReported(it) => it.status.0.to_string(),
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
        DomainEvent::RiskReset(it) if it.lifted.is_empty() => "no breaker was set".to_owned(),
        DomainEvent::RiskReset(it) => {
            let lifted: Vec<&str> = it.lifted.iter().map(Name::as_str).collect();
            format!("lifts {}", lifted.join(", "))
        }
        DomainEvent::RiskJudged(it) => {
            let codes = it.rejections.iter().chain(&it.warnings);
            let codes: Vec<&str> = codes.map(|code| code.as_str()).collect();
            format!("{} {} {}", it.proposal.symbol, it.status, codes.join(", "))
                .trim_end()
                .to_owned()
        }
        DomainEvent::OrderSubmitted(it) => {
            let limit = it
                .limit
                .map_or("the market price".to_owned(), |limit| limit.to_string());
            format!(
                "{} {} {} for {} dollars at {limit}",
                it.intent, it.order.side, it.order.symbol, it.order.size_usd
            )
        }
        DomainEvent::OrderAnswered(it) => {
            let order = it.order.as_ref().map_or("no order", |order| order.as_str());
            match &it.outcome {
                OrderOutcome::Filled => format!("{}: {order} filled", it.intent),
                OrderOutcome::Resting => format!("{}: {order} rests", it.intent),
                OrderOutcome::Cancelled => format!("{}: {order} taken back", it.intent),
                OrderOutcome::Unknown => format!("{}: nobody answered", it.intent),
                OrderOutcome::Refused(why) => format!("{}: {order} refused, {why}", it.intent),
                OrderOutcome::Raised(what) => format!("{}: raised {what}", it.intent),
            }
        }
        DomainEvent::Filled(it) => {
            format!(
                "{} {} {} {} at {}, fee {}",
                it.order, it.side, it.size, it.symbol, it.price, it.fee
            )
        }
        DomainEvent::EmergencyOrdered(it) => {
            let order = match it.order {
                EmergencyOrder::CloseAll => "close every position".to_owned(),
                EmergencyOrder::Reduce(pct) => format!("reduce every position by {pct} %"),
            };
            match it.left {
                None | Some(0) => order,
                Some(left) => format!("{order}, {left} left"),
            }
        }
        DomainEvent::PositionOpened(it) => {
            let side = if it.side.as_str() == "buy" {
                "long"
            } else {
                "short"
            };
            format!(
                "position-{} by {}: {side} {} {} at {}, leverage {}, {} reserved",
                it.position, it.order, it.size, it.symbol, it.entry_price, it.leverage, it.reserved
            )
        }
        DomainEvent::PositionClosed(it) => format!(
            "{} of position-{} at {}, {}: profit {}",
            it.size, it.position, it.price, it.reason, it.profit
        ),
        DomainEvent::RebalancePlanned(it) => format!(
            "plan {}: {} trades for {} dollars in {} batches",
            it.plan,
            it.trades.len(),
            it.total_usd,
            it.batches
        ),
        DomainEvent::LegsPlanned(it) => {
            let accepted = if it.accepted { "" } else { ", not stored yet" };
            format!("{} trades wait for their time{accepted}", it.count)
        }
        DomainEvent::RebalanceTradeSkipped(it) => {
            format!(
                "{} {} of batch {}: {}",
                it.side, it.symbol, it.batch_index, it.reason
            )
        }
        DomainEvent::BalanceChanged(it) => format!("{} {}", it.balance, it.asset),
        DomainEvent::StateSaved(it) => saved(&it.record.0),
        DomainEvent::StateRestored(it) => {
            let complete = if it.complete {
                ""
            } else {
                ", the record is damaged"
            };
            format!(
                "{} task runs, {} conflicts, {} llm and {} api failures{complete}",
                it.task_runs, it.conflicts, it.llm_failures, it.api_failures
            )
        }
        DomainEvent::LegStored(it) => format!(
            "{} as leg {}: {} {} for {} dollars, due {}",
            it.key, it.leg, it.side, it.symbol, it.amount_usd, it.due
        ),
        DomainEvent::LegMarked(it) => format!("leg {} {}", it.leg, it.status),
        DomainEvent::StoreFailed(it) => it.operation.to_string(),
    }
}

/// What a record says of the coordinator; all of it is in the event.
fn saved(record: &Value) -> String {
    let text = |name: &str| record[name].as_str();
    let count = |group: &str, name: &str| record[group][name].as_u64().unwrap_or(0);
    let state = text("state").unwrap_or("nothing known of the state");
    let by = text("halt").or(text("pause"));
    let by = by.map_or(String::new(), |by| format!(" by {by}"));
    let under_way = record["in_flight_tasks"].as_array().map_or(0, Vec::len);
    format!(
        "{state}{by}, {} task runs and {under_way} under way, {} llm and {} api failures",
        count("statistics", "total_task_runs"),
        count("failures", "llm_failures"),
        count("failures", "api_failures"),
    )
}

fn outside(action: &OutsideAction) -> String {
    match action {
        OutsideAction::Subscribe(it) => format!("subscribes {} to {}", it.subscriber, it.topic),
        OutsideAction::Unsubscribe(it) => match it.topic {
            Some(topic) => format!("unsubscribes {} from {topic}", it.subscriber),
            None => format!("unsubscribes {} from everything", it.subscriber),
        },
        OutsideAction::SetPrice(it) => format!("sets {} to {}", it.symbol, it.price),
        OutsideAction::TellRisk(it) => {
            format!("says the account is worth {} dollars", it.current_equity)
        }
        OutsideAction::TradeResult(it) => {
            let won = if it.win { "won" } else { "lost" };
            format!("says a trade {won}")
        }
        OutsideAction::ResetRisk(it) if it.administrator => {
            "resets risk as an administrator".to_owned()
        }
        OutsideAction::ResetRisk(_) => "resets risk".to_owned(),
        OutsideAction::ForceRun(it) => format!("runs {} for {}", it.task, it.symbol),
        OutsideAction::Status => "asks how the coordinator is".to_owned(),
        OutsideAction::Stop => "stops the coordinator".to_owned(),
    }
}

/// Whose subscription, and which of theirs.
fn subscription(subscriber: &Name, label: Option<&Name>) -> String {
    match label {
        Some(label) => format!("{subscriber}:{label}"),
        None => subscriber.to_string(),
    }
}

fn subscribed(it: &Subscribed) -> String {
    let who = subscription(&it.subscriber, it.label.as_ref());
    let replaced = it.replaced.iter().map(|key| {
        let ended = subscription(&key.subscriber, key.label.as_ref());
        format!(", in place of {ended}")
    });
    format!("{who} to {}{}", it.topic, replaced.collect::<String>())
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
        DomainEvent::MarketBar(it) => symbol(&it.symbol),
        DomainEvent::BarsRead(it) => symbol(&it.symbol),
        DomainEvent::TableRow(it) => symbol(&it.symbol),
        DomainEvent::BarDoubtful(it) => symbol(&it.symbol),
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
        DomainEvent::WakeAsked(it) => vec![("task", it.task.to_string())],
        DomainEvent::TaskFinished(it) => vec![("task", it.task.to_string())],
        DomainEvent::TaskSwitched(it) => vec![("task", it.task.to_string())],
        DomainEvent::LegStored(it) => symbol(&it.symbol),
        DomainEvent::PositionOpened(it) => symbol(&it.symbol),
        DomainEvent::ConsensusBuilt(it) => symbol(&it.symbol),
        DomainEvent::ConflictFound(it) => symbol(&it.symbol),
        DomainEvent::RiskJudged(it) => symbol(&it.proposal.symbol),
        DomainEvent::OrderSubmitted(it) => symbol(&it.order.symbol),
        DomainEvent::Filled(it) => symbol(&it.symbol),
        DomainEvent::ProcessAsked(it) => symbol(&it.symbol),
        DomainEvent::AgentSaid(it) => symbol(&it.symbol),
        DomainEvent::ModelAsked(it) => vec![("model", it.model.to_string())],
        _ => Vec::new(),
    }
}

/// What is known of a reply besides its text.
pub(crate) fn live_facts(live: &LiveReply) -> String {
    let mut facts = vec![format!("{:.3} s", live.latency_us as f64 / 1e6)];
    if let Some(model) = &live.served_by {
        facts.insert(0, model.clone());
    }
    if let (Some(prompt), Some(reply)) = (live.prompt_tokens, live.reply_tokens) {
        facts.push(format!("{prompt} + {reply} tokens"));
    }
    if let Some(cost) = live.cost {
        facts.push(format!("{cost:.6} dollars"));
    }
    if let Some(why) = &live.reused {
        facts.push(format!("REUSED from a recording: {why}"));
    }
    facts.join(", ")
}

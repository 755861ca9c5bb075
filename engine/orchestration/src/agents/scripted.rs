//! Agents that follow a script: for each symbol, outputs and errors over time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AgentError;
use crate::Ctx;
use crate::config::TaskKind;
use crate::message::{Name, Payload, Topic};

/// What a scripted agent does from some time on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// The symbol it is for; every symbol if left out.
    #[serde(default)]
    pub symbol: Option<Name>,
    /// From when on, in seconds since the start of the run.
    #[serde(default)]
    pub from_seconds: f64,
    /// How long the agent takes, in seconds.
    #[serde(default)]
    pub delay_seconds: f64,
    /// What it says; it says it of the symbol that it was asked about, unless it names one.
    #[serde(default)]
    pub output: Option<Value>,
    /// What it raises instead.
    #[serde(default)]
    pub error: Option<String>,
}

/// Does what the last entry says whose time has come; nothing if there is none.
pub(super) async fn run(
    ctx: &Ctx,
    kind: TaskKind,
    symbol: &Name,
    timeline: &[TimelineEntry],
) -> Result<Option<Payload>, AgentError> {
    let now = ctx.now().as_secs_f64();
    let own = |entry: &&TimelineEntry| entry.symbol.as_ref() == Some(symbol);
    let any = |entry: &&TimelineEntry| entry.symbol.is_none();
    let due = |entry: &&TimelineEntry| entry.from_seconds <= now;
    let has_own = timeline.iter().any(|entry| own(&entry));
    let entry = timeline
        .iter()
        .filter(|entry| if has_own { own(entry) } else { any(entry) })
        .rfind(due);
    let Some(entry) = entry else { return Ok(None) };
    if entry.delay_seconds > 0.0 {
        ctx.sleep(Duration::from_secs_f64(entry.delay_seconds))
            .await;
    }
    match (&entry.output, &entry.error) {
        (_, Some(error)) => Err(AgentError(error.clone())),
        (Some(output), None) => Ok(Some(Payload::from_json(
            topic_of(kind),
            about(output, symbol),
        ))),
        (None, None) => Ok(None),
    }
}

fn about(output: &Value, symbol: &Name) -> Value {
    let mut output = output.clone();
    if let Value::Object(fields) = &mut output {
        fields
            .entry("symbol")
            .or_insert_with(|| symbol.as_str().into());
    }
    output
}

fn topic_of(kind: TaskKind) -> Topic {
    match kind {
        TaskKind::TechnicalAnalysis => Topic::TaSignals,
        TaskKind::RegimeDetection => Topic::RegimeUpdates,
        TaskKind::SentimentAnalysis => Topic::SentimentUpdates,
        TaskKind::TradingDecision => Topic::TradingSignals,
        TaskKind::PortfolioRebalance => Topic::PortfolioUpdates,
    }
}

//! Asking a model what to do about conflicts: the primary, then the fallback, within a budget.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Coordinator;
use super::conflict::{Approach, Conflict, approach};
use super::reply::{self, Origin, Resolution};
use crate::defect::Defect;
use crate::domain_event::Counted;
use crate::message::{Name, Payload};
use crate::model::ask::{Line, Prompt};
use crate::model::live::RESOLUTION;
use crate::model::{self, FALLBACK, PRIMARY};

/// Why there is no reply.
enum NoReply {
    TimedOut,
    Failed,
}

/// Which model is asked.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Primary,
    Fallback,
}

impl Coordinator {
    /// What to do about the conflicts of a signal. Counts the outcome as the model's.
    pub async fn resolve(
        self: &Rc<Self>,
        signal: &Payload,
        conflicts: Vec<Conflict>,
    ) -> Resolution {
        let asked = match approach(self.level(), conflicts, self.defects) {
            Approach::Settled(resolution) => return resolution,
            Approach::Ask(conflicts) => conflicts,
        };
        let resolution = match self.ask_both(&self.prompt(signal, &asked)).await {
            Err(NoReply::TimedOut) => Resolution::waiting(Origin::Timeout),
            Err(NoReply::Failed) => Resolution::waiting(Origin::Failed),
            Ok(text) => match reply::parse(&text, self.defects) {
                Err(_) => Resolution::waiting(Origin::Failed),
                Ok(resolution) => {
                    self.count(|statistics| statistics.total_conflicts_resolved += 1);
                    resolution
                }
            },
        };
        let counts_for = resolution.counts_as_success(self.defects);
        self.count_outcome(if counts_for {
            Counted::LlmSuccess
        } else {
            Counted::LlmFailure
        });
        resolution
    }

    /// The first reply of the two models. Each has its share of the budget; with
    /// `primary-starves-fallback` one budget covers both.
    async fn ask_both(&self, prompt: &Prompt) -> Result<String, NoReply> {
        let conflicts = &self.config.conflicts;
        let budget = Duration::from_millis(conflicts.max_resolution_time_ms);
        if self.defects.has(Defect::PrimaryStarvesFallback) {
            let both = async {
                match self.ask(Which::Primary, RESOLUTION, prompt).await {
                    Ok(text) => Ok(text),
                    Err(_) => self.ask(Which::Fallback, RESOLUTION, prompt).await,
                }
            };
            return match self.ctx.timeout(budget, both).await {
                Err(_) => Err(NoReply::TimedOut),
                Ok(replied) => replied.map_err(|_| NoReply::Failed),
            };
        }
        let share = budget * u32::try_from(conflicts.primary_share_pct).unwrap_or(100) / 100;
        let primary = self.ask(Which::Primary, RESOLUTION, prompt);
        if let Ok(Ok(text)) = self.ctx.timeout(share, primary).await {
            return Ok(text);
        }
        let fallback = self.ask(Which::Fallback, RESOLUTION, prompt);
        match self.ctx.timeout(budget - share, fallback).await {
            Err(_) => Err(NoReply::TimedOut),
            Ok(replied) => replied.map_err(|_| NoReply::Failed),
        }
    }

    /// The prompt of a resolution.
    fn prompt(&self, signal: &Payload, conflicts: &[Conflict]) -> Prompt {
        let template = self.config.llm.template();
        self.asking.prompt(template, situation(signal, conflicts))
    }

    /// Asks one model and waits, for as long as the caller lets it.
    pub(super) async fn ask(
        &self,
        which: Which,
        purpose: &'static str,
        prompt: &Prompt,
    ) -> Result<String, String> {
        let (own_port, config) = match which {
            Which::Primary => (PRIMARY, &self.config.llm.primary),
            Which::Fallback => (FALLBACK, &self.config.llm.fallback),
        };
        let line = Line {
            port: if model::is_shared(self.defects) {
                PRIMARY
            } else {
                own_port
            },
            model: &config.model,
            live: config.replies.live(),
            purpose: Name::fixed(purpose),
            template: self.config.llm.template(),
            max_tokens: self.config.llm.max_tokens,
        };
        self.asking.ask(&self.ctx, line, prompt).await
    }
}

/// What the model is told. The evidence is data, and is marked as such.
fn situation(signal: &Payload, conflicts: &[Conflict]) -> Value {
    let number = |name: &str| signal.field(name).number().ok();
    let confidence = number("confidence").map(|confidence| format!("{confidence:.2}"));
    let details: Vec<_> = conflicts
        .iter()
        .map(|conflict| json!({"conflict": conflict.name(), "details": conflict.details()}))
        .collect();
    json!({
        "symbol": signal.field("symbol").to_json(),
        "action": signal.field("action").to_json(),
        "confidence": confidence,
        "entry_price": number("entry_price"),
        "stop_loss": number("stop_loss"),
        "take_profit": number("take_profit"),
        "conflicts": details,
    })
}

//! Asking a model what to do about conflicts: the primary, then the fallback, within a budget.

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Coordinator;
use super::conflict::{Approach, Conflict, approach};
use super::reply::{self, Origin, Resolution};
use crate::config::{LiveReplies, ModelConfig};
use crate::defect::Defect;
use crate::digest::Digest;
use crate::domain_event::{Counted, DomainEvent, ModelAsked, PromptKept, RequestRendered};
use crate::message::{Name, Payload};
use crate::model::live::{RESOLUTION, request_digest};
use crate::model::{self, FALLBACK, PRIMARY, template};

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

/// What a model is told.
pub(super) struct Prompt {
    /// All of it.
    whole: String,
    /// What is put into the template, if it is made from one.
    situation: Option<String>,
}

impl Prompt {
    /// A prompt that is always the same.
    pub(super) fn fixed(text: &str) -> Prompt {
        Prompt {
            whole: text.to_owned(),
            situation: None,
        }
    }
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
        let situation = situation(signal, conflicts);
        Prompt {
            whole: template::render(self.config.llm.template(), &situation),
            situation: Some(situation.to_string()),
        }
    }

    /// Notes what is sent to a provider: a template once, and what the whole request is recognised by.
    fn note_request(&self, model: &ModelConfig, live: &LiveReplies, prompt: &Prompt) {
        let llm = &self.config.llm;
        let template = prompt.situation.as_ref().map(|_| {
            let (text, digest) = (llm.template(), Digest::of(llm.template()));
            if self.kept.borrow_mut().insert(digest) {
                let text = text.to_owned();
                self.ctx.emit(PromptKept { digest, text });
            }
            digest
        });
        let model = model.model.as_str();
        let request = request_digest(live, model, &prompt.whole, llm.max_tokens);
        self.ctx.emit(RequestRendered { template, request });
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
        let port = if model::is_shared(self.defects) {
            PRIMARY
        } else {
            own_port
        };
        let shown = match config.live() {
            None => &prompt.whole,
            Some(live) => {
                self.note_request(config, live, prompt);
                prompt.situation.as_ref().unwrap_or(&prompt.whole)
            }
        };
        let request = ModelAsked {
            model: config.model.clone(),
            purpose: Name::fixed(purpose),
            prompt: shown.clone(),
            max_tokens: self.config.llm.max_tokens,
        };
        match self.ctx.call(port, request).await {
            DomainEvent::ModelAnswered(answered) => {
                let said = answered.reply.said();
                said.map(str::to_owned).map_err(str::to_owned)
            }
            other => Err(format!("a model was asked, and the answer was {other:?}")),
        }
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

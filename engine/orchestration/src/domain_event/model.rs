//! What language models were asked, and what they answered.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::message::Name;

/// A text that many prompts share; those that have it name its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptKept {
    /// Its digest.
    pub digest: Digest,
    /// The text: a template.
    pub text: String,
}

/// What is sent to a provider of the next call of a model that is asked live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRendered {
    /// The template of its prompt, if it has one.
    pub template: Option<Digest>,
    /// The digest of the whole request: protocol, model, parameters and rendered prompt.
    pub request: Digest,
}

/// A language model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAsked {
    /// The name of the model.
    pub model: Name,
    /// What it is asked for: a resolution, or a probe.
    pub purpose: Name,
    /// The whole prompt. Of a model that is asked live and whose prompt has a template, what is put into the template.
    pub prompt: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

/// What came back from a model that was asked live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveReply {
    /// Its text, or what went wrong.
    pub text: String,
    /// Whether something went wrong.
    pub failed: bool,
    /// The model that replied, as its provider names it.
    pub served_by: Option<String>,
    /// How many tokens the provider counts in the prompt.
    pub prompt_tokens: Option<u64>,
    /// How many it counts in the reply.
    pub reply_tokens: Option<u64>,
    /// How long it took, in microseconds: so long it takes in the run as well.
    pub latency_us: u64,
    /// What it cost in dollars, by the prices of the scenario.
    pub cost: Option<f64>,
    /// Why it is the reply of an earlier recording, if it is.
    pub reused: Option<String>,
}

numbered! {
    /// What came back from a language model.
    pub enum ModelReply {
        /// Its text.
        1 Text(String),
        /// What went wrong.
        2 Error(String),
        /// What a model replied that was asked live.
        3 Live(LiveReply),
    }
}

impl ModelReply {
    /// Its text.
    ///
    /// # Errors
    /// What went wrong.
    pub fn said(&self) -> Result<&str, &str> {
        match self {
            ModelReply::Text(text) => Ok(text),
            ModelReply::Error(error) => Err(error),
            ModelReply::Live(live) if live.failed => Err(&live.text),
            ModelReply::Live(live) => Ok(&live.text),
        }
    }
}

/// What a language model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// Its text, or what went wrong.
    pub reply: ModelReply,
}

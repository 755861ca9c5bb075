//! What language models were asked, and what they answered.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::message::Name;

/// A language model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAsked {
    /// The name of the model.
    pub model: Name,
    /// What it is asked for: a resolution, or a probe.
    pub purpose: Name,
    /// The whole prompt.
    pub prompt: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

numbered! {
    /// What came back from a language model.
    pub enum ModelReply {
        /// Its text.
        1 Text(String),
        /// What went wrong.
        2 Error(String),
    }
}

/// What a language model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswered {
    /// Its text, or what went wrong.
    pub reply: ModelReply,
}

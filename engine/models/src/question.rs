//! What a live model is asked, and what it replies, as they are said between a run and a provider.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a model is asked.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Question {
    /// The name of the model at its provider.
    pub(crate) model: String,
    /// The whole prompt.
    pub(crate) prompt: String,
    /// The longest reply, in tokens.
    pub(crate) max_tokens: u32,
    /// What the limit of tokens is called; `max_tokens` if left out.
    #[serde(default)]
    pub(crate) max_tokens_key: Option<String>,
    /// How freely it replies; the provider's own default if left out.
    pub(crate) temperature: Option<f64>,
}

impl Question {
    /// The body of a request, which is the same in both protocols.
    pub(crate) fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.model));
        let message = json!({"role": "user", "content": self.prompt});
        body.insert("messages".to_owned(), json!([message]));
        let limit = self.max_tokens_key.as_deref().unwrap_or("max_tokens");
        body.insert(limit.to_owned(), json!(self.max_tokens));
        if let Some(temperature) = self.temperature {
            body.insert("temperature".to_owned(), json!(temperature));
        }
        Value::Object(body)
    }
}

/// What a model replies, or what went wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Reply {
    /// Its text, or what went wrong.
    pub(crate) text: String,
    /// Whether something went wrong.
    pub(crate) failed: bool,
    /// The model that replied, as its provider names it.
    pub(crate) served_by: Option<String>,
    /// How many tokens the provider counts in the prompt.
    pub(crate) prompt_tokens: Option<u64>,
    /// How many it counts in the reply.
    pub(crate) reply_tokens: Option<u64>,
    /// How long the reply took by the wall clock, in microseconds.
    pub(crate) latency_us: u64,
    /// After how many seconds the provider wants to be asked again, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_s: Option<u64>,
}

impl Reply {
    /// Something went wrong.
    pub(crate) fn failed(what: impl Into<String>) -> Reply {
        Reply {
            text: what.into(),
            failed: true,
            ..Reply::default()
        }
    }
}

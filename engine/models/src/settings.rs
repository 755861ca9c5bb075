//! How a model is asked live: what a scenario says of it, and its key from the environment.

use std::time::Duration;

use dacapo_kernel::{BuildError, Service};
use serde::Deserialize;

use crate::secret::Secret;

/// Which protocol a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// Chat completions, as OpenAI, DeepSeek, vLLM, Ollama and many others speak.
    Openai,
    /// Messages, as Anthropic speaks.
    Anthropic,
}

/// The part of the settings that decides where and how is asked; the scenario's loader has checked them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) provider: Protocol,
    pub(crate) base_url: String,
    #[serde(default)]
    pub(crate) key_env: Option<String>,
    pub(crate) timeout_seconds: f64,
    pub(crate) max_reply_bytes: u64,
}

impl Settings {
    /// The settings of a service.
    ///
    /// # Errors
    /// If they are those of no model.
    pub(crate) fn of(service: &Service) -> Result<Settings, BuildError> {
        serde_json::from_value(service.settings.clone())
            .map_err(|error| BuildError::Plan(format!("the {}: {error}", service.name)))
    }

    /// How long one answer may take, by the wall clock.
    pub(crate) fn limit(&self) -> Duration {
        Duration::try_from_secs_f64(self.timeout_seconds).unwrap_or(Duration::from_secs(60))
    }

    /// The key, if the provider wants one.
    ///
    /// # Errors
    /// If the environment has none.
    pub(crate) fn key(&self, service: &Service) -> Result<Option<Secret>, BuildError> {
        let Some(name) = &self.key_env else {
            return Ok(None);
        };
        let problem = |what: &str| {
            BuildError::Plan(format!(
                "the {}: the environment variable {name}, in which its key is to be, {what}; set it and try again",
                service.name
            ))
        };
        match environment(name) {
            None => Err(problem("is not set")),
            Some(text) => Secret::new(&text).map(Some).map_err(problem),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a key is in the environment and nowhere else, so that no file has it"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

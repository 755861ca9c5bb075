//! A language model that is asked live while a run is recorded.
//!
//! How it is reached is the affair of whoever records. Here is what it is asked, and what becomes of its reply: an input
//! of the run, which comes as long after the question as it took.

use std::time::Duration;

use dacapo_kernel::{Answer, BuildError, Dialogue, Files, Odds, Service};
use serde::Deserialize;
use serde_json::{Value, json};

use super::template;
use crate::config::{Config, LiveReplies, ModelConfig};
use crate::digest::Digest;
use crate::domain_event::{DomainEvent, LiveReply, ModelAnswered, ModelAsked, ModelReply};
use crate::figures::ModelPrice;

/// What is asked for in the prompts that have a template.
pub(crate) const RESOLUTION: &str = "resolution";

/// A model at a provider.
pub(super) struct LiveModel {
    live: LiveReplies,
    template: String,
    price: Option<ModelPrice>,
    dialogue: Box<dyn Dialogue>,
}

/// A reply as it is told by whoever asks the provider.
#[derive(Deserialize)]
struct Told {
    text: String,
    failed: bool,
    served_by: Option<String>,
    prompt_tokens: Option<u64>,
    reply_tokens: Option<u64>,
    latency_us: u64,
    #[serde(default)]
    reused: Option<String>,
}

impl LiveModel {
    pub(super) fn connect(
        model: &ModelConfig,
        live: &LiveReplies,
        config: &Config,
        (name, files): (&str, &dyn Files),
    ) -> Result<LiveModel, BuildError> {
        let settings = serde_json::to_value(live).expect("settings are plain data");
        let service = Service {
            name: name.to_owned(),
            settings,
            recorded: None,
        };
        Ok(LiveModel {
            live: live.clone(),
            template: config.llm.template().to_owned(),
            price: config
                .figures
                .model_prices
                .get(model.model.as_str())
                .copied(),
            dialogue: files.connect(&service)?,
        })
    }

    pub(super) fn answer(
        &mut self,
        asked: &ModelAsked,
        odds: &mut Odds<'_>,
    ) -> Answer<DomainEvent> {
        let prompt = match asked.purpose.as_str() {
            RESOLUTION => {
                let situation = serde_json::from_str(&asked.prompt).unwrap_or(Value::Null);
                template::render(&self.template, &situation)
            }
            _ => asked.prompt.clone(),
        };
        let mut question = request(&self.live, asked.model.as_str(), &prompt, asked.max_tokens);
        // What an earlier recording is searched by, and compared with.
        question["digest"] = json!(Digest::of(&question.to_string()));
        question["decision"] = json!({"purpose": asked.purpose, "inputs": asked.prompt});
        if asked.purpose == *RESOLUTION {
            question["template"] = json!(Digest::of(&self.template));
        }
        let said = self.dialogue.ask(&question.to_string());
        let told = said.and_then(|line| {
            serde_json::from_str::<Told>(&line).map_err(|error| {
                let what = format!("its reply cannot be read: {error}");
                dacapo_kernel::Unfit::new(what, "this is a mistake of the program")
            })
        });
        let reply = match told {
            Ok(told) => self.reply(told),
            Err(unfit) => {
                let service = format!("{} at {}", self.live.provider.name(), self.live.base_url);
                odds.give_up(service, unfit.what, unfit.help);
                ModelReply::Error("it cannot be asked".to_owned())
            }
        };
        let after = match &reply {
            ModelReply::Live(live) => Duration::from_micros(live.latency_us),
            _ => Duration::ZERO,
        };
        Answer {
            after,
            event: ModelAnswered { reply }.into(),
        }
    }

    fn reply(&self, told: Told) -> ModelReply {
        let (prompt_tokens, reply_tokens) = (told.prompt_tokens, told.reply_tokens);
        // What was paid for before costs nothing again.
        let price = self.price.filter(|_| told.reused.is_none());
        let cost = price.and_then(|price| {
            let millions = |tokens: u64| tokens as f64 / 1e6;
            let prompt = price.prompt_per_million * millions(prompt_tokens?);
            Some(price.per_call + prompt + price.reply_per_million * millions(reply_tokens?))
        });
        ModelReply::Live(LiveReply {
            text: told.text,
            failed: told.failed,
            served_by: told.served_by,
            prompt_tokens,
            reply_tokens,
            latency_us: told.latency_us,
            cost,
            reused: told.reused,
        })
    }
}

/// The whole request in its one canonical form: what a provider is asked, but for where it is and by whom.
fn request(live: &LiveReplies, model: &str, prompt: &str, max_tokens: u32) -> Value {
    json!({
        "provider": live.provider,
        "model": model,
        "prompt": prompt,
        "max_tokens": max_tokens,
        "temperature": live.temperature,
    })
}

/// What a request is recognised by.
pub(crate) fn request_digest(
    live: &LiveReplies,
    model: &str,
    prompt: &str,
    max_tokens: u32,
) -> Digest {
    Digest::of(&request(live, model, prompt, max_tokens).to_string())
}

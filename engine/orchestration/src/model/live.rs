//! A language model that is asked live while a run is recorded.
//!
//! How it is reached is the affair of whoever records. Here is what it is asked, and what becomes of its reply: an input
//! of the run, which comes as long after the question as it took.

use std::time::Duration;

use dacapo_kernel::{Answer, BuildError, Dialogue, Files, Odds, Service, Unfit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::template;
use crate::config::LiveReplies;
use crate::digest::Digest;
use crate::domain_event::{DomainEvent, LiveReply, ModelAnswered, ModelAsked, ModelReply};
use crate::figures::ModelPrice;
use crate::message::Name;

/// What is asked for where agents contradict each other.
pub(crate) const RESOLUTION: &str = "resolution";

/// A model at a provider.
pub(super) struct LiveModel {
    live: LiveReplies,
    /// What is asked for in the prompts that have a template.
    purpose: Name,
    template: String,
    price: Option<ModelPrice>,
    dialogue: Box<dyn Dialogue>,
}

/// A reply as it is told by whoever asks the provider.
#[derive(Deserialize)]
pub(crate) struct Told {
    text: String,
    #[serde(default)]
    failed: bool,
    served_by: Option<String>,
    prompt_tokens: Option<u64>,
    reply_tokens: Option<u64>,
    #[serde(default)]
    latency_us: u64,
    #[serde(default)]
    reused: Option<String>,
    /// Of one that was asked too often, after how many seconds it wants to be asked again. A run does not: what it makes of
    /// that is the affair of the coordinator.
    #[serde(default)]
    pub(crate) retry_after_s: Option<u64>,
}

impl LiveModel {
    /// A model at the provider that is called `name` in the run.
    pub(super) fn connect(
        live: &LiveReplies,
        (purpose, template): (Name, String),
        price: Option<ModelPrice>,
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
            purpose,
            template,
            price,
            dialogue: files.connect(&service)?,
        })
    }

    pub(super) fn answer(
        &mut self,
        asked: &ModelAsked,
        odds: &mut Odds<'_>,
    ) -> Answer<DomainEvent> {
        let has_template = asked.purpose == self.purpose;
        let template = has_template.then_some(self.template.as_str());
        let question = question(&self.live, template, asked);
        let said = self.dialogue.ask(&question.to_string());
        let told = said.and_then(|line| Told::read(&line));
        let reply = match told {
            Ok(told) => ModelReply::Live(told.priced(self.price)),
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
}

impl Told {
    /// A reply that is nothing but a text.
    pub(crate) fn plain(text: String) -> Told {
        Told {
            text,
            failed: false,
            served_by: None,
            prompt_tokens: None,
            reply_tokens: None,
            latency_us: 0,
            reused: None,
            retry_after_s: None,
        }
    }

    /// A reply from a line.
    ///
    /// # Errors
    /// If the line is none.
    pub(crate) fn read(line: &str) -> Result<Told, Unfit> {
        serde_json::from_str(line).map_err(|error| {
            let what = format!("its reply cannot be read: {error}");
            Unfit::new(what, "this is a mistake of the program")
        })
    }

    /// The reply with what it cost, if its model has a price and its tokens are known.
    pub(crate) fn priced(self, price: Option<ModelPrice>) -> LiveReply {
        let (prompt_tokens, reply_tokens) = (self.prompt_tokens, self.reply_tokens);
        // What was paid for before costs nothing again.
        let price = price.filter(|_| self.reused.is_none());
        let cost = price.and_then(|price| {
            let millions = |tokens: u64| tokens as f64 / 1e6;
            let prompt = price.prompt_per_million * millions(prompt_tokens?);
            Some(price.per_call + prompt + price.reply_per_million * millions(reply_tokens?))
        });
        LiveReply {
            text: self.text,
            failed: self.failed,
            served_by: self.served_by,
            prompt_tokens,
            reply_tokens,
            latency_us: self.latency_us,
            cost,
            reused: self.reused,
        }
    }
}

/// What the provider of a model is told: the whole request, and what an earlier recording is searched by and compared
/// with. A question that has a template asks with what was put into it.
pub(crate) fn question(live: &LiveReplies, template: Option<&str>, asked: &ModelAsked) -> Value {
    let prompt = match template {
        Some(template) => {
            let situation = serde_json::from_str(&asked.prompt).unwrap_or(Value::Null);
            template::render(template, &situation)
        }
        None => asked.prompt.clone(),
    };
    let mut question = request(live, asked.model.as_str(), &prompt, asked.max_tokens);
    question["digest"] = json!(Digest::of(&question.to_string()));
    question["decision"] = json!({"purpose": asked.purpose, "inputs": asked.prompt});
    if let Some(template) = template {
        question["template"] = json!(Digest::of(template));
    }
    question
}

/// The whole request in its one canonical form: what a provider is asked, but for where it is and by whom.
fn request(live: &LiveReplies, model: &str, prompt: &str, max_tokens: u32) -> Value {
    let mut request = json!({
        "provider": live.provider,
        "model": model,
        "prompt": prompt,
        "max_tokens": max_tokens,
        "temperature": live.temperature,
    });
    // A request that says nothing of it has the digest that it had before there was such a key.
    if let Some(key) = live.max_tokens_key {
        request["max_tokens_key"] = json!(key);
    }
    request
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

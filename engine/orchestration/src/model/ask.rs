//! How a language model is asked, whoever asks: what is noted of the request, the call, and the reply.

use std::cell::RefCell;
use std::collections::BTreeSet;

use dacapo_kernel::Port;
use serde_json::Value;

use super::live::request_digest;
use super::mask::Mask;
use super::template;
use crate::Ctx;
use crate::config::LiveReplies;
use crate::digest::Digest;
use crate::domain_event::{DomainEvent, ModelAsked, PromptKept, RequestRendered};
use crate::message::{Name, text_of};

/// What a model is told.
pub(crate) struct Prompt {
    /// All of it.
    whole: String,
    /// What is put into the template, if it is made from one.
    situation: Option<Value>,
}

impl Prompt {
    /// A prompt that is always the same.
    pub(crate) fn fixed(text: &str) -> Prompt {
        Prompt {
            whole: text.to_owned(),
            situation: None,
        }
    }

    /// A template with a situation put into it.
    pub(crate) fn rendered(template: &str, situation: Value) -> Prompt {
        Prompt {
            whole: template::render(template, &situation),
            situation: Some(situation),
        }
    }
}

/// Whom is asked, and what for.
pub(crate) struct Line<'a> {
    pub(crate) port: Port,
    pub(crate) model: &'a Name,
    /// How it is asked live, if it is.
    pub(crate) live: Option<&'a LiveReplies>,
    pub(crate) purpose: Name,
    /// What prompts with a situation are made from.
    pub(crate) template: &'a str,
    /// The longest answer, in tokens.
    pub(crate) max_tokens: u32,
}

/// What whoever asks keeps from one question to the next.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// What is hidden in prompts.
    pub(crate) mask: Mask,
    /// The templates that are in the log already.
    kept: RefCell<BTreeSet<Digest>>,
}

impl Asking {
    /// Nothing has been asked yet.
    pub(crate) fn new(mask: Mask) -> Asking {
        Asking {
            mask,
            kept: RefCell::default(),
        }
    }

    /// A template with a situation put into it, as far as a model may know it.
    pub(crate) fn prompt(&self, template: &str, mut situation: Value) -> Prompt {
        self.mask.veil(&mut situation);
        Prompt::rendered(template, situation)
    }

    /// Asks one model and waits, for as long as the caller lets it.
    ///
    /// # Errors
    /// What went wrong, as its provider tells it.
    pub(crate) async fn ask(
        &self,
        ctx: &Ctx,
        line: Line<'_>,
        prompt: &Prompt,
    ) -> Result<String, String> {
        let shown = match line.live {
            None => prompt.whole.clone(),
            Some(live) => {
                self.note_request(ctx, &line, live, prompt);
                let situation = prompt.situation.as_ref().map(text_of);
                situation.unwrap_or_else(|| prompt.whole.clone())
            }
        };
        let request = ModelAsked {
            model: line.model.clone(),
            purpose: line.purpose,
            prompt: shown,
            max_tokens: line.max_tokens,
        };
        match ctx.call(line.port, request).await {
            DomainEvent::ModelAnswered(answered) => {
                let said = answered.reply.said();
                said.map(|text| self.mask.unveiled(text))
                    .map_err(str::to_owned)
            }
            other => Err(format!("a model was asked, and the answer was {other:?}")),
        }
    }

    /// Notes what is sent to a provider: a template once, and what the whole request is recognised by.
    fn note_request(&self, ctx: &Ctx, line: &Line<'_>, live: &LiveReplies, prompt: &Prompt) {
        let template = prompt.situation.as_ref().map(|_| {
            let digest = Digest::of(line.template);
            if self.kept.borrow_mut().insert(digest) {
                let text = line.template.to_owned();
                ctx.emit(PromptKept { digest, text });
            }
            digest
        });
        let model = line.model.as_str();
        let request = request_digest(live, model, &prompt.whole, line.max_tokens);
        ctx.emit(RequestRendered { template, request });
    }
}

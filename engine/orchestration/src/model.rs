//! Language models: replies from a script, drawn from the seed, or of a provider that is asked live.

pub(crate) mod live;
pub mod template;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{Answer, BuildError, Files, Odds, Port, Provider, Seq, Stream, Time};

use crate::config::{Config, GeneratedReplies, ModelConfig, Replies, ScriptedReply};
use crate::defect::{Defect, Defects};
use crate::domain_event::{DomainEvent, ModelAnswered, ModelReply};
use crate::message::Name;

use live::LiveModel;
use trouble::Troubles;

pub(crate) use trouble::KINDS as FAULTS;

/// The port of the primary model's provider.
pub const PRIMARY: Port = Port(1);

/// The port of the fallback model's provider.
pub const FALLBACK: Port = Port(2);

/// Whether one provider serves both models, so that its outage takes both.
pub fn is_shared(defects: Defects) -> bool {
    defects.has(Defect::OneProviderForTwoModels)
}

/// A provider that serves one or more models.
pub struct SimulatedModels {
    models: BTreeMap<Name, Model>,
    troubles: Troubles,
}

struct Model {
    replies: Replies,
    given: usize,
    /// The provider that is asked, if one is.
    live: Option<LiveModel>,
}

impl SimulatedModels {
    /// A provider of these models.
    pub fn new<'a>(models: impl IntoIterator<Item = &'a ModelConfig>) -> SimulatedModels {
        let model = |config: &ModelConfig| {
            (
                config.model.clone(),
                Model {
                    replies: config.replies.clone(),
                    given: 0,
                    live: None,
                },
            )
        };
        SimulatedModels {
            models: models.into_iter().map(model).collect(),
            troubles: Troubles::default(),
        }
    }

    /// The same, where those that are asked live can be reached; `name` is what the provider is called in the run.
    ///
    /// # Errors
    /// If one of them cannot be asked.
    pub fn connected(
        mut self,
        config: &Config,
        name: &str,
        files: &dyn Files,
    ) -> Result<SimulatedModels, BuildError> {
        for model in [&config.llm.primary, &config.llm.fallback] {
            if let Some(served) = self.models.get_mut(&model.model)
                && let Replies::Live(live) = &served.replies
            {
                served.live = Some(LiveModel::connect(model, live, config, (name, files))?);
            }
        }
        Ok(self)
    }
}

impl Provider<DomainEvent> for SimulatedModels {
    fn answer(
        &mut self,
        _: Seq,
        request: &DomainEvent,
        now: Time,
        odds: &mut Odds<'_>,
    ) -> Answer<DomainEvent> {
        let DomainEvent::ModelAsked(asked) = request else {
            return answer(
                Duration::ZERO,
                Err("this provider serves models only".to_owned()),
            );
        };
        let Some(model) = self.models.get_mut(&asked.model) else {
            return answer(
                Duration::ZERO,
                Err(format!("unknown model {}", asked.model)),
            );
        };
        let answer = match &model.replies {
            Replies::Scripted(script) => {
                let at = model.given.min(script.len().saturating_sub(1));
                model.given += 1;
                script.get(at).map_or_else(
                    || answer(Duration::ZERO, Err("the script has no reply".to_owned())),
                    scripted,
                )
            }
            Replies::Generated(generated) => draw(generated, odds.stream()),
            Replies::Live(_) => match &mut model.live {
                Some(live) => live.answer(asked, odds),
                None => answer(Duration::ZERO, Err("it is not connected".to_owned())),
            },
        };
        self.troubles.befall(answer, asked, now, odds)
    }
}

fn scripted(reply: &ScriptedReply) -> Answer<DomainEvent> {
    let delay = Duration::from_secs_f64(reply.delay_seconds);
    let said = reply
        .text
        .clone()
        .ok_or_else(|| reply.error.clone().unwrap_or_default());
    answer(delay, said)
}

fn draw(shares: &GeneratedReplies, chance: &mut Stream) -> Answer<DomainEvent> {
    let span = shares.delay_ms_max - shares.delay_ms_min + 1;
    let delay = Duration::from_millis(shares.delay_ms_min + chance.below(span));
    let confidence = chance.below(1_000) as f64 / 1_000.0;
    let mut drawn = chance.below(1_000) as u32;
    let mut falls_in = |share: u32| {
        let hit = drawn < share;
        drawn = drawn.saturating_sub(share);
        hit
    };
    let said = if falls_in(shares.proceed_per_mille) {
        Ok(reply("proceed", confidence, ""))
    } else if falls_in(shares.modify_per_mille) {
        let pct = 10 + 10 * chance.below(6);
        Ok(reply(
            "modify",
            confidence,
            &format!(r#", "modifications": {{"size_reduction_pct": {pct}}}"#),
        ))
    } else if falls_in(shares.bold_per_mille) {
        Ok(reply("modify", confidence, &bold(chance)))
    } else if falls_in(shares.abort_per_mille) {
        Ok(reply("abort", confidence, ""))
    } else if falls_in(shares.error_per_mille) {
        Err("provider error 503".to_owned())
    } else if falls_in(shares.garbage_per_mille) {
        Ok("I would rather not say.".to_owned())
    } else {
        Ok(reply("wait", confidence, ""))
    };
    answer(delay, said)
}

/// Modifications that may ask for more risk than the signal: none of them is a mistake of form.
fn bold(chance: &mut Stream) -> String {
    let leverage = format!(r#""leverage": {}"#, 1 + chance.below(5));
    let entry = format!(
        r#""entry_adjustment_pct": {:.1}"#,
        chance.below(101) as f64 / 10.0 - 5.0
    );
    let fields = match chance.below(3) {
        0 => leverage,
        1 => entry,
        _ => format!("{leverage}, {entry}"),
    };
    format!(r#", "modifications": {{{fields}}}"#)
}

fn reply(action: &str, confidence: f64, more: &str) -> String {
    format!(
        r#"{{"action": "{action}", "confidence": {confidence}{more}, "reasoning": "drawn from the seed"}}"#
    )
}

fn answer(after: Duration, said: Result<String, String>) -> Answer<DomainEvent> {
    let reply = match said {
        Ok(text) => ModelReply::Text(text),
        Err(error) => ModelReply::Error(error),
    };
    Answer {
        after,
        event: ModelAnswered { reply }.into(),
    }
}

//! Language models: replies from a script, drawn from the seed, or of a provider that is asked live.

pub(crate) mod ask;
mod drawn;
pub(crate) mod live;
pub(crate) mod mask;
mod odd;
pub mod template;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{Answer, BuildError, Files, Odds, Port, Provider, Seq, Time};

use crate::agents::llm;
use crate::config::{
    GeneratedMessages, GeneratedReplies, LiveReplies, LlmSource, ModelConfig, Replies,
    ScriptedReply,
};
use crate::defect::{Defect, Defects};
use crate::domain_event::{DomainEvent, ModelAnswered, ModelReply};
use crate::figures::FiguresConfig;
use crate::message::{Name, Topic};

use live::LiveModel;
use trouble::Troubles;

pub(crate) use trouble::KINDS as FAULTS;

/// The port of the primary model's provider.
pub const PRIMARY: Port = Port(1);

/// The port of the fallback model's provider.
pub const FALLBACK: Port = Port(2);

/// What is asked for to see whether a model works.
pub(crate) const PROBE: &str = "probe";

/// Whether one provider serves both models, so that its outage takes both.
pub fn is_shared(defects: Defects) -> bool {
    defects.has(Defect::OneProviderForTwoModels)
}

/// A provider that serves one or more models.
pub struct SimulatedModels {
    models: BTreeMap<Name, Model>,
    troubles: Troubles,
}

/// A model, and what it is asked for.
struct Model {
    source: Source,
    given: usize,
    /// The purpose whose prompts are made from a template, and the template.
    prompted: (Name, String),
}

/// Where the replies of a model come from.
enum Source {
    Scripted(Vec<ScriptedReply>),
    Resolutions(GeneratedReplies),
    Messages(GeneratedMessages, Topic, Vec<Name>),
    Live(Box<LiveReplies>, Option<Box<LiveModel>>),
}

impl Source {
    /// The source of replies whose drawn ones are made like this.
    fn of<G: Clone>(replies: &Replies<G>, drawn: impl Fn(G) -> Source) -> Source {
        match replies {
            Replies::Scripted(script) => Source::Scripted(script.clone()),
            Replies::Generated(shares) => drawn(shares.clone()),
            Replies::Live(live) => Source::Live(Box::new(live.clone()), None),
        }
    }
}

impl SimulatedModels {
    /// A provider of models that resolve conflicts.
    pub fn new<'a>(
        models: impl IntoIterator<Item = &'a ModelConfig>,
        template: &str,
    ) -> SimulatedModels {
        let prompted = (Name::fixed(live::RESOLUTION), template.to_owned());
        let model = |config: &ModelConfig| {
            let model = Model {
                source: Source::of(&config.replies, Source::Resolutions),
                given: 0,
                prompted: prompted.clone(),
            };
            (config.model.clone(), model)
        };
        SimulatedModels {
            models: models.into_iter().map(model).collect(),
            troubles: Troubles::default(),
        }
    }

    /// The provider of the model that speaks for an agent.
    pub fn of_agent(agent: &LlmSource<'_>) -> SimulatedModels {
        let (llm, topic) = (agent.llm, agent.topic);
        let messages = |shares| Source::Messages(shares, topic, llm.required.clone());
        let model = Model {
            source: Source::of(&llm.replies, messages),
            given: 0,
            prompted: (llm::purpose(&agent.agent), llm.template(topic)),
        };
        SimulatedModels {
            models: [(llm.model.clone(), model)].into(),
            troubles: Troubles::default(),
        }
    }

    /// The same, where those that are asked live can be reached; `name` is what the provider is called in the run.
    ///
    /// # Errors
    /// If one of them cannot be asked.
    pub fn connected(
        mut self,
        figures: &FiguresConfig,
        name: &str,
        files: &dyn Files,
    ) -> Result<SimulatedModels, BuildError> {
        for (model, served) in &mut self.models {
            if let Source::Live(live, connected) = &mut served.source {
                let price = figures.model_prices.get(model.as_str()).copied();
                let prompted = served.prompted.clone();
                let model = LiveModel::connect(live, prompted, price, (name, files))?;
                *connected = Some(Box::new(model));
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
        let answer = match &mut model.source {
            Source::Scripted(script) => {
                let at = model.given.min(script.len().saturating_sub(1));
                model.given += 1;
                script.get(at).map_or_else(
                    || answer(Duration::ZERO, Err("the script has no reply".to_owned())),
                    scripted,
                )
            }
            Source::Resolutions(shares) => drawn::resolution(shares, odds.stream()),
            Source::Messages(shares, topic, required) => {
                drawn::message(shares, (*topic, required), odds.stream())
            }
            Source::Live(_, Some(live)) => live.answer(asked, odds),
            Source::Live(_, None) => answer(Duration::ZERO, Err("it is not connected".to_owned())),
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

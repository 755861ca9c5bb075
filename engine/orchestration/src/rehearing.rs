//! Resolutions of conflicts that a language model decided in a recorded run, put again with another template.
//!
//! What a reply would come to is what the coordinator would make of it: the same validation, and the same application
//! of what it modifies. What comes behind that (risk, exchange, everything later) is not run again: for that there is
//! a fork.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::rc::Rc;

use dacapo_kernel::{
    ActorId, BuildError, Decided, Event, Files, Heard, KernelEvent, Plan, Reheard, Rehearing,
    Ruling, Seq, Service, Unfit,
};
use serde_json::Value;

use crate::config::{self, Config, LiveReplies, LlmConfig, ModelConfig, TemplateConfig};
use crate::coordinator::modification::{self, Modified};
use crate::coordinator::reply::{self, Resolution};
use crate::defect::Defects;
use crate::digest::Digest;
use crate::domain_event::{ConflictResolved, DomainEvent, ModelAsked, ResolvedBy};
use crate::message::{Message, Payload, Topic};
use crate::model::live::{RESOLUTION, Told, question};

/// What the provider of the fallback is called in a run.
const FALLBACK_NAME: &str = "fallback model";

/// Why a signal that a model lets through is not traded after all.
const BEYOND_STOP: &str = "ENTRY_BEYOND_STOP";

/// The resolutions of a log.
struct Resolutions {
    config: Config,
    defects: Defects,
    template: String,
    /// The provider of the fallback.
    fallback: Option<ActorId>,
    /// Signals by number, for what a reply modifies.
    signals: BTreeMap<u64, Rc<Message>>,
    /// The last request that was rendered from a template.
    rendered: Option<Seq>,
    questions: BTreeMap<Seq, ModelAsked>,
    /// Questions that the provider of the fallback answered.
    by_fallback: BTreeSet<Seq>,
    /// Events that follow from the reply to a question, until there is a resolution.
    follows: BTreeMap<Seq, Seq>,
    decided: Vec<(u64, Decided)>,
    passed_over: u64,
}

/// The place of files that has none: a template that is put again is a text already.
struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        Err(BuildError::File {
            path: path.to_owned(),
            what: "no files are read here".to_owned(),
        })
    }
}

/// The resolutions of a run, to be put again with a template.
///
/// # Errors
/// If the template is none.
pub(crate) fn rehearing(plan: &Plan<Config>, text: &str) -> Reheard<DomainEvent> {
    let mut config = plan.system.clone();
    config.llm.template = Some(TemplateConfig {
        file: None,
        text: Some(text.to_owned()),
    });
    config::read_templates(&mut config, &NoFiles).map_err(|mistake| match mistake.help {
        Some(help) => format!("{}; {help}", mistake.what),
        None => mistake.what,
    })?;
    Ok(Box::new(Resolutions {
        config: plan.system.clone(),
        defects: Defects::named(&plan.defects),
        template: text.to_owned(),
        fallback: None,
        signals: BTreeMap::new(),
        rendered: None,
        questions: BTreeMap::new(),
        by_fallback: BTreeSet::new(),
        follows: BTreeMap::new(),
        decided: Vec::new(),
        passed_over: 0,
    }))
}

impl Rehearing<DomainEvent> for Resolutions {
    fn acts(&self) -> (&'static str, &'static str) {
        ("order", "orders")
    }

    fn templates(&self) -> (String, String) {
        let digest = |text: &str| Digest::of(text).to_string();
        (digest(&self.template), digest(self.config.llm.template()))
    }

    fn see(&mut self, event: &Event<DomainEvent>) {
        if let Some(KernelEvent::ActorNamed(named)) = event.kernel()
            && named.name.as_str() == FALLBACK_NAME
        {
            self.fallback = Some(named.actor);
        }
        if let Some(question) = event.cause.and_then(|cause| self.follows.get(&cause)) {
            self.follows.insert(event.seq, *question);
        }
        match event.domain() {
            Some(DomainEvent::Published(it)) if it.message.topic == Topic::TradingSignals => {
                let number = it.message.id.as_number();
                self.signals.insert(number, Rc::clone(&it.message));
            }
            Some(DomainEvent::RequestRendered(it)) => {
                self.rendered = it.template.map(|_| event.seq);
            }
            // Of a simulated model the log has no situation to put into another template.
            Some(DomainEvent::ModelAsked(asked))
                if asked.purpose == *RESOLUTION
                    && event.cause.is_some()
                    && event.cause == self.rendered =>
            {
                self.questions.insert(event.seq, asked.clone());
            }
            Some(DomainEvent::ModelAnswered(_)) => {
                if let Some(cause) = event.cause {
                    self.follows.insert(event.seq, cause);
                    if Some(event.actor) == self.fallback {
                        self.by_fallback.insert(cause);
                    }
                }
            }
            Some(DomainEvent::ConflictResolved(it)) => self.resolved(event, it),
            Some(DomainEvent::SignalDropped(it)) if it.reason == *BEYOND_STOP => {
                let of = |(signal, _): &&mut (u64, Decided)| *signal == it.signal;
                if let Some((_, decided)) = self.decided.iter_mut().rev().find(of) {
                    decided.ruling.acts = false;
                }
            }
            _ => {}
        }
    }

    fn found(&mut self) -> (Vec<Decided>, u64) {
        let decided = self.decided.iter().map(|(_, decided)| decided.clone());
        (decided.collect(), self.passed_over)
    }

    fn hear(&self, decided: &Decided, said: &str) -> Result<Heard, Unfit> {
        // Somebody who wrote replies down may have written their texts alone.
        let told = match serde_json::from_str(said) {
            Ok(Value::String(text)) => Told::plain(text),
            _ => Told::read(said)?,
        };
        let asked = self.questions.get(&decided.asked);
        let prices = &self.config.figures.model_prices;
        let price = asked.and_then(|asked| prices.get(asked.model.as_str()).copied());
        let reply = told.priced(price);
        let (ruling, is_valid) = if reply.failed {
            (None, false)
        } else {
            let resolution = reply::parse(&reply.text, self.defects);
            let is_valid = resolution
                .as_ref()
                // The switch that lets garbage count changes what is counted, not what is valid.
                .is_ok_and(|it| it.counts_as_success(Defects::default()));
            let ruling = match resolution {
                Ok(resolution) => self.ruling(decided.asked, &resolution),
                Err(_) => Ruling {
                    word: "wait".to_owned(),
                    acts: false,
                },
            };
            (Some(ruling), is_valid)
        };
        Ok(Heard {
            ruling,
            is_valid,
            text: reply.text,
            prompt_tokens: reply.prompt_tokens,
            reply_tokens: reply.reply_tokens,
            cost: reply.cost,
        })
    }
}

impl Resolutions {
    /// Takes note of a resolution, and of the question whose reply led to it.
    fn resolved(&mut self, event: &Event<DomainEvent>, resolved: &ConflictResolved) {
        let is_reply = matches!(resolved.by, ResolvedBy::Reply | ResolvedBy::UnusableReply);
        let question = event.cause.and_then(|cause| self.follows.get(&cause));
        let question = question.copied().filter(|_| is_reply);
        let action = resolved.action.as_str();
        match question.and_then(|question| self.decided(question, event.seq, action)) {
            Some(decided) => {
                self.follows.retain(|_, of| *of != decided.asked);
                self.decided.push((resolved.signal, decided));
            }
            // That the level decides is no decision of a model.
            None if resolved.by != ResolvedBy::Level => {
                self.passed_over += 1;
                self.follows.clear();
            }
            None => {}
        }
    }

    /// A decision, if its question can be put again.
    fn decided(&self, question_at: Seq, decided: Seq, action: &str) -> Option<Decided> {
        let asked = self.questions.get(&question_at)?;
        let situation: Value = serde_json::from_str(&asked.prompt).ok()?;
        let (model, live) = self.serving(question_at, asked)?;
        let question = question(live, Some(&self.template), asked);
        let text = |name: &str| situation[name].as_str().unwrap_or_default().to_owned();
        Some(Decided {
            asked: question_at,
            decided,
            about: format!("{} {}", text("action"), text("symbol")),
            ruling: Ruling {
                word: action.to_owned(),
                acts: matches!(action, "proceed" | "modify"),
            },
            service: Service {
                name: format!("model {}", model.model),
                settings: serde_json::to_value(live).ok()?,
                recorded: None,
            },
            request: question["digest"].as_str()?.to_owned(),
            question: question.to_string(),
        })
    }

    /// What the coordinator would do.
    fn ruling(&self, question: Seq, resolution: &Resolution) -> Ruling {
        let word = resolution.action.text().unwrap_or("unknown").to_owned();
        let signal = self.signal(question);
        let acts = resolution.proceeds()
            && match (resolution.changes(), signal) {
                (Some(changes), Some(signal)) => {
                    let bounds = &self.config.modifications;
                    let modified = modification::apply(signal, changes, bounds, self.defects);
                    matches!(modified, Ok(Modified::Signal(_)))
                }
                _ => true,
            };
        Ruling { word, acts }
    }

    /// The signal that a question was about.
    fn signal(&self, question: Seq) -> Option<&Payload> {
        let of = |(_, decided): &&(u64, Decided)| decided.asked == question;
        let (number, _) = self.decided.iter().find(of)?;
        self.signals.get(number).map(|message| &message.payload)
    }

    /// The model that was asked, and how: two providers may each have one of the same name.
    fn serving(&self, question: Seq, asked: &ModelAsked) -> Option<(&ModelConfig, &LiveReplies)> {
        let LlmConfig {
            primary, fallback, ..
        } = &self.config.llm;
        let mut both = [primary, fallback];
        if self.by_fallback.contains(&question) {
            both.reverse();
        }
        let mut named = both
            .into_iter()
            .filter(|model| model.model == asked.model)
            .filter_map(|model| Some((model, model.replies.live()?)));
        named.next()
    }
}

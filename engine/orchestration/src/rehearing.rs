//! Decisions of language models that a recorded run has, found in its log: resolutions of conflicts, and messages of agents.
//!
//! What comes behind a decision (risk, exchange, everything later) is not run again: for that there is a fork.

mod messages;
mod resolutions;

use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::{
    ActorId, Decided, DecisionKind, Event, Heard, KernelEvent, Mistake, Plan, Rehearing, Rehearsal,
    Ruling, Seq, Service, Unfit,
};
use serde_json::Value;

use crate::agents::llm;
use crate::config::{Config, LiveReplies};
use crate::defect::Defects;
use crate::domain_event::{
    ConflictResolved, DomainEvent, LiveReply, ModelAnswered, ModelAsked, ModelReply, ResolvedBy,
    TaskOutcome,
};
use crate::message::{Message, Name, Topic};
use crate::model::live::{RESOLUTION, Told, question};
use crate::model::mask::Mask;

/// What the resolutions of conflicts are chosen by.
const RESOLUTIONS: &str = "resolutions";

/// What the provider of the fallback is called in a run.
const FALLBACK_NAME: &str = "fallback model";

/// Why a signal that a model lets through is not traded after all.
const BEYOND_STOP: &str = "ENTRY_BEYOND_STOP";

/// What the log of a run says of its models.
struct Recording {
    terms: Terms,
    /// The provider of the fallback.
    fallback: Option<ActorId>,
    /// Signals by number, for what a reply modifies.
    signals: BTreeMap<u64, Rc<Message>>,
    /// The last request that was rendered from a template.
    rendered: Option<Seq>,
    /// Questions from a template that nothing was decided by so far.
    questions: BTreeMap<Seq, Question>,
    /// Events that follow from the reply to a question, until there is a decision.
    follows: BTreeMap<Seq, Seq>,
    resolutions: Vec<Found>,
    /// Resolutions that cannot be put again.
    passed_over: u64,
    agents: Vec<Agent>,
}

/// By what replies are judged.
struct Terms {
    config: Config,
    defects: Defects,
    mask: Mask,
}

/// What a model was asked, and whether it was the fallback that replied.
#[derive(Clone)]
struct Question {
    asked: ModelAsked,
    by_fallback: bool,
}

/// A decision of the log.
struct Found {
    asked_at: Seq,
    decided_at: Seq,
    question: Question,
    ruling: Ruling,
    /// The signal that it was about, or that it is.
    signal: Option<Rc<Message>>,
}

/// An agent that decides by a model.
struct Agent {
    name: Name,
    topic: Topic,
    purpose: Name,
    /// The tasks that it is asked by.
    tasks: Vec<Name>,
    /// How often its model was asked.
    asked: u64,
    found: Vec<Found>,
}

/// The decisions of a run.
pub(crate) fn rehearing(plan: &Plan<Config>) -> Box<dyn Rehearing<DomainEvent>> {
    let config = plan.system.clone();
    let start_us = plan.start_unix_ns / 1_000;
    let tasks = config.schedules.tasks(&config.symbols, &config.agents);
    let agents = config.llms().map(|source| Agent {
        purpose: llm::purpose(&source.agent),
        tasks: tasks
            .iter()
            .filter(|task| task.agent == source.agent)
            .map(|task| task.name.clone())
            .collect(),
        name: source.agent,
        topic: source.topic,
        asked: 0,
        found: Vec::new(),
    });
    Box::new(Recording {
        agents: agents.collect(),
        terms: Terms {
            mask: Mask::new(config.llm.mask, &config.symbols, start_us),
            defects: Defects::named(&plan.defects),
            config,
        },
        fallback: None,
        signals: BTreeMap::new(),
        rendered: None,
        questions: BTreeMap::new(),
        follows: BTreeMap::new(),
        resolutions: Vec::new(),
        passed_over: 0,
    })
}

impl Rehearing<DomainEvent> for Recording {
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
            Some(DomainEvent::RequestRendered(it)) => {
                self.rendered = it.template.map(|_| event.seq);
            }
            Some(DomainEvent::ModelAsked(it)) => self.asked(event, it),
            Some(DomainEvent::ModelAnswered(it)) => self.answered(event, it),
            Some(DomainEvent::Published(it)) => {
                if it.message.topic == Topic::TradingSignals {
                    let number = it.message.id.as_number();
                    self.signals.insert(number, Rc::clone(&it.message));
                }
                self.published(event, &it.message);
            }
            Some(DomainEvent::TaskRunEnded(it)) => {
                if let TaskOutcome::Failed(why) = &it.outcome
                    && why.starts_with(llm::UNUSABLE)
                {
                    self.refused(event, &it.task);
                }
            }
            Some(DomainEvent::ConflictResolved(it)) => self.resolved(event, it),
            Some(DomainEvent::SignalDropped(it)) if it.reason == *BEYOND_STOP => {
                let of = |found: &&mut Found| {
                    let signal = found.signal.as_ref();
                    signal.is_some_and(|signal| signal.id.as_number() == it.signal)
                };
                if let Some(found) = self.resolutions.iter_mut().rev().find(of) {
                    found.ruling.acts = false;
                }
            }
            _ => {}
        }
    }

    fn kinds(&self) -> Vec<DecisionKind> {
        let resolutions = DecisionKind {
            name: RESOLUTIONS.to_owned(),
            decisions: self.resolutions.len() as u64,
            passed_over: self.passed_over,
        };
        let of = |agent: &Agent| {
            let decisions = agent.found.len() as u64;
            DecisionKind {
                name: agent.kind(),
                decisions,
                passed_over: agent.asked.saturating_sub(decisions),
            }
        };
        let agents = self.agents.iter().map(of);
        std::iter::once(resolutions).chain(agents).collect()
    }

    fn put(self: Box<Self>, kind: &str, template: &str) -> Result<Box<dyn Rehearsal>, String> {
        if kind == RESOLUTIONS {
            return resolutions::put(self.terms, self.resolutions, template);
        }
        let mut agents = self.agents.into_iter();
        let agent = agents.find(|agent| agent.kind() == kind);
        let agent = agent.ok_or_else(|| format!("there are no decisions of {kind}"))?;
        messages::put(self.terms, (agent.name, agent.topic), agent.found, template)
    }
}

impl Recording {
    /// Takes note of a question that can be put again: of a simulated model the log has no situation to put into another
    /// template.
    fn asked(&mut self, event: &Event<DomainEvent>, asked: &ModelAsked) {
        let mut agents = self.agents.iter_mut();
        let agent = agents.find(|agent| agent.purpose == asked.purpose);
        let decides = agent.is_some() || asked.purpose == *RESOLUTION;
        if let Some(agent) = agent {
            agent.asked += 1;
        }
        if decides && event.cause.is_some() && event.cause == self.rendered {
            let question = Question {
                asked: asked.clone(),
                by_fallback: false,
            };
            self.questions.insert(event.seq, question);
        }
    }

    fn answered(&mut self, event: &Event<DomainEvent>, answered: &ModelAnswered) {
        // What goes wrong at a provider decides nothing, and what follows from that is of others.
        let ModelReply::Live(reply) = &answered.reply else {
            return;
        };
        let Some(cause) = event.cause.filter(|_| !reply.failed) else {
            return;
        };
        let Some(question) = self.questions.get_mut(&cause) else {
            return;
        };
        question.by_fallback = Some(event.actor) == self.fallback;
        let purpose = &question.asked.purpose;
        let mut agents = self.agents.iter();
        let of = agents.position(|agent| agent.purpose == *purpose);
        match of.filter(|at| self.agents[*at].topic == Topic::PortfolioUpdates) {
            Some(at) => {
                let question = (cause, question.clone());
                let (ruling, _) = messages::advice(&self.terms.mask.unveiled(&reply.text));
                let found = self.found(question, event.seq, (ruling, None));
                self.agents[at].found.push(found);
            }
            None => drop(self.follows.insert(event.seq, cause)),
        }
    }

    /// Takes note of a resolution, and of the question whose reply led to it.
    fn resolved(&mut self, event: &Event<DomainEvent>, resolved: &ConflictResolved) {
        let is_reply = matches!(resolved.by, ResolvedBy::Reply | ResolvedBy::UnusableReply);
        let action = resolved.action.as_str();
        let ruling = resolutions::ruling(action, matches!(action, "proceed" | "modify"));
        let question = self.question_of(event).filter(|_| is_reply);
        let signal = self.signals.get(&resolved.signal).cloned();
        match question.filter(|(_, it)| resolutions::serving(&self.terms.config, it).is_some()) {
            Some(question) => {
                let found = self.found(question, event.seq, (ruling, signal));
                self.resolutions.push(found);
            }
            // That the level decides is no decision of a model.
            None if resolved.by != ResolvedBy::Level => self.passed_over += 1,
            None => {}
        }
    }

    /// Takes note of the message that a reply became.
    fn published(&mut self, event: &Event<DomainEvent>, message: &Rc<Message>) {
        let Some(question) = self.question_of(event) else {
            return;
        };
        let is_it = |agent: &Agent| {
            agent.purpose == question.1.asked.purpose
                && (&agent.name, agent.topic) == (&message.source, message.topic)
        };
        if let Some(at) = self.agents.iter().position(is_it) {
            let topic = self.agents[at].topic;
            let name = &self.agents[at].name;
            let ruling = messages::ruling(&self.terms, (name, topic), &message.payload);
            let found = self.found(question, event.seq, (ruling, None));
            self.agents[at].found.push(found);
        }
    }

    /// Takes note of a reply that became no message.
    fn refused(&mut self, event: &Event<DomainEvent>, task: &Name) {
        let Some(question) = self.question_of(event) else {
            return;
        };
        let is_it =
            |agent: &Agent| agent.purpose == question.1.asked.purpose && agent.tasks.contains(task);
        if let Some(at) = self.agents.iter().position(is_it) {
            let found = self.found(question, event.seq, (messages::no_message(), None));
            self.agents[at].found.push(found);
        }
    }

    /// The question whose reply led to an event.
    fn question_of(&self, event: &Event<DomainEvent>) -> Option<(Seq, Question)> {
        let at = event.cause.and_then(|cause| self.follows.get(&cause))?;
        Some((*at, self.questions.get(at)?.clone()))
    }

    /// A decision; whatever else follows from its question is no other.
    fn found(
        &mut self,
        (asked_at, question): (Seq, Question),
        decided_at: Seq,
        (ruling, signal): (Ruling, Option<Rc<Message>>),
    ) -> Found {
        self.questions.remove(&asked_at);
        self.follows.retain(|_, of| *of != asked_at);
        Found {
            asked_at,
            decided_at,
            question,
            ruling,
            signal,
        }
    }
}

impl Agent {
    /// What its decisions are chosen by: its name, unless that means something else.
    fn kind(&self) -> String {
        let name = self.name.as_str();
        if name == RESOLUTIONS {
            self.purpose.to_string()
        } else {
            name.to_owned()
        }
    }
}

impl Terms {
    /// What was put into the template of a question, names and all, as far as a model was told it.
    fn situation(&self, question: &Question) -> Value {
        serde_json::from_str(&question.asked.prompt).unwrap_or(Value::Null)
    }

    /// A text of the situation, as it was before anything was hidden.
    fn text(&self, situation: &Value, name: &str) -> String {
        let text = situation[name].as_str().unwrap_or_default();
        self.mask.unveiled(text)
    }

    /// A reply as a run takes it, and after how many seconds it is to be asked for again, if it was too early.
    ///
    /// # Errors
    /// If the line is no reply.
    fn told(&self, question: &Question, said: &str) -> Result<(LiveReply, Option<u64>), Unfit> {
        // Somebody who wrote replies down may have written their texts alone.
        let told = match serde_json::from_str(said) {
            Ok(Value::String(text)) => Told::plain(text),
            _ => Told::read(said)?,
        };
        let prices = &self.config.figures.model_prices;
        let price = prices.get(question.asked.model.as_str()).copied();
        let retry_after_s = told.retry_after_s;
        Ok((told.priced(price), retry_after_s))
    }

    /// What a reply to one of these decisions comes to: `judge` is told its text as it was before anything was hidden,
    /// and says what is decided and whether the reply is as it must be.
    ///
    /// # Errors
    /// If it is no reply, or to none of them.
    fn hear(
        &self,
        found: &[Found],
        asked: Seq,
        said: &str,
        judge: impl FnOnce(&Found, &str) -> (Ruling, bool),
    ) -> Result<Heard, Unfit> {
        let found = found.iter().find(|it| it.asked_at == asked);
        let found = found.ok_or_else(|| Unfit::new("nobody asked that", "ask what was found"))?;
        let (reply, retry_after_s) = self.told(&found.question, said)?;
        let judged = (!reply.failed).then(|| judge(found, &self.mask.unveiled(&reply.text)));
        let (ruling, is_valid) = judged.unzip();
        Ok(Heard {
            ruling,
            is_valid: is_valid.unwrap_or(false),
            text: reply.text,
            prompt_tokens: reply.prompt_tokens,
            reply_tokens: reply.reply_tokens,
            cost: reply.cost,
            retry_after_s: retry_after_s.filter(|_| reply.failed),
        })
    }
}

impl Found {
    /// The decision as it is put again, to a model that is asked like this.
    fn again(&self, about: String, live: &LiveReplies, template: &str) -> Decided {
        let question = question(live, Some(template), &self.question.asked);
        Decided {
            asked: self.asked_at,
            decided: self.decided_at,
            about,
            ruling: self.ruling.clone(),
            service: Service {
                name: format!("model {}", self.question.asked.model),
                settings: serde_json::to_value(live).expect("settings are plain data"),
                recorded: None,
            },
            request: question["digest"].as_str().unwrap_or_default().to_owned(),
            question: question.to_string(),
        }
    }
}

/// A mistake in words, without a place: a template that is put again stands in no scenario.
fn in_words(mistake: Mistake) -> String {
    match mistake.help {
        Some(help) => format!("{}; {help}", mistake.what),
        None => mistake.what,
    }
}

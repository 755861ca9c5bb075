//! What must hold of agents that are programs or language models: what they are told, and what becomes of what they say.

mod advised;
mod as_configured;
mod books;
mod market;
mod masked;
mod papers;
mod readings;
mod replies;
mod said;
mod told;

use std::collections::BTreeMap;

use dacapo_kernel::{Plan, Seq};

use super::Property;
use crate::config::{Config, LlmSource};
use crate::message::Name;

pub(super) fn all(plan: &Plan<Config>) -> Vec<Property> {
    vec![
        Box::new(told::Told::new(plan)),
        Box::new(said::Said::new(plan)),
        Box::new(as_configured::AsConfigured::new(plan)),
        Box::new(advised::Advised::new(plan)),
        Box::new(masked::Masked::new(plan)),
    ]
}

/// What the model of an agent is asked for.
pub(super) fn purpose(agent: &Name) -> Name {
    Name::from(format!("message of {agent}"))
}

/// Whether the prompts of a model tell the situation as data, before anything else in braces.
fn tells_all(source: &LlmSource<'_>) -> bool {
    let template = source.llm.template.text.as_deref();
    let before = template.and_then(|it| it.split_once("{{situation}}"));
    before.is_some_and(|(before, _)| !before.contains('{'))
}

/// How many questions and replies are kept until something follows from them.
const KEPT: usize = 256;

/// Keeps something of an event, and forgets what is old.
fn keep<T>(all: &mut BTreeMap<Seq, T>, seq: Seq, value: T) {
    all.insert(seq, value);
    if all.len() > KEPT {
        all.pop_first();
    }
}

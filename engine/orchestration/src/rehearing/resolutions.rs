//! Resolutions of conflicts, put again with another template.
//!
//! What a reply would come to is what the coordinator would make of it: the same validation, and the same application
//! of what it modifies.

use dacapo_kernel::{Decided, Heard, Rehearsal, Ruling, Unfit};

use super::{Found, Question, Terms, in_words};
use crate::config::{Config, LiveReplies, LlmConfig, check_template};
use crate::coordinator::modification::{self, Modified};
use crate::coordinator::reply::{self, Resolution};
use crate::defect::Defects;
use crate::digest::Digest;
use crate::model::template;

/// The resolutions of a log.
struct Resolutions {
    terms: Terms,
    template: String,
    found: Vec<Found>,
}

/// Puts them again.
///
/// # Errors
/// If the template is none.
pub(super) fn put(
    terms: Terms,
    found: Vec<Found>,
    text: &str,
) -> Result<Box<dyn Rehearsal>, String> {
    check_template("llm.template.text", text, &template::NAMES).map_err(in_words)?;
    Ok(Box::new(Resolutions {
        terms,
        template: text.to_owned(),
        found,
    }))
}

/// What the coordinator does.
pub(super) fn ruling(word: &str, acts: bool) -> Ruling {
    Ruling {
        word: word.to_owned(),
        acts,
    }
}

/// How the model was asked that replied: two providers may each have one of the same name.
pub(super) fn serving<'a>(config: &'a Config, question: &Question) -> Option<&'a LiveReplies> {
    let LlmConfig {
        primary, fallback, ..
    } = &config.llm;
    let mut both = [primary, fallback];
    if question.by_fallback {
        both.reverse();
    }
    let mut named = both
        .into_iter()
        .filter(|model| model.model == question.asked.model)
        .filter_map(|model| model.replies.live());
    named.next()
}

impl Rehearsal for Resolutions {
    fn acts(&self) -> (&'static str, &'static str) {
        ("order", "orders")
    }

    fn templates(&self) -> (String, String) {
        let digest = |text: &str| Digest::of(text).to_string();
        let recorded = self.terms.config.llm.template();
        (digest(&self.template), digest(recorded))
    }

    fn decided(&self) -> Vec<Decided> {
        let again = |found: &Found| {
            let situation = self.terms.situation(&found.question);
            let text = |name| self.terms.text(&situation, name);
            let about = format!("{} {}", text("action"), text("symbol"));
            let live = serving(&self.terms.config, &found.question)?;
            Some(found.again(about, live, &self.template))
        };
        self.found.iter().filter_map(again).collect()
    }

    fn hear(&self, decided: &Decided, said: &str) -> Result<Heard, Unfit> {
        let judge = |found: &Found, text: &str| self.judged(found, text);
        self.terms.hear(&self.found, decided.asked, said, judge)
    }
}

impl Resolutions {
    /// What a reply comes to, and whether it is as it must be.
    fn judged(&self, found: &Found, text: &str) -> (Ruling, bool) {
        let resolution = reply::parse(text, self.terms.defects);
        let is_valid = resolution
            .as_ref()
            // The switch that lets garbage count changes what is counted, not what is valid.
            .is_ok_and(|it| it.counts_as_success(Defects::default()));
        match resolution {
            Ok(resolution) => (self.ruling(found, &resolution), is_valid),
            Err(_) => (ruling("wait", false), is_valid),
        }
    }

    fn ruling(&self, found: &Found, resolution: &Resolution) -> Ruling {
        let acts = resolution.proceeds()
            && match (resolution.changes(), &found.signal) {
                (Some(changes), Some(signal)) => {
                    let bounds = &self.terms.config.modifications;
                    let defects = self.terms.defects;
                    let modified = modification::apply(&signal.payload, changes, bounds, defects);
                    matches!(modified, Ok(Modified::Signal(_)))
                }
                _ => true,
            };
        ruling(resolution.action.text().unwrap_or("unknown"), acts)
    }
}

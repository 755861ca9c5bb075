//! What a provider answers when nothing befalls it: as its script has it, or drawn within its bounds.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::super::EXACT;
use crate::config::{Config, GeneratedReplies, Replies, ScriptedReply};
use crate::domain_event::{ModelAsked, ModelReply};
use crate::invariants::agents::purpose;
use crate::invariants::replied::replied;
use crate::message::Name;

/// For what the models that resolve conflicts are asked: to do so, and whether they are there again.
const RESOLUTION: [Name; 2] = [Name::fixed("resolution"), Name::fixed("probe")];
/// What no odd reply says, and every other but one that is no reply.
const DRAWN: &str = "drawn from the seed";
/// The changes that a drawn resolution may ask for, beside a smaller size.
const BOLD: [(&str, f64, f64); 2] = [("leverage", 1.0, 5.0), ("entry_adjustment_pct", -5.0, 5.0)];

/// A model, and what it answers.
#[derive(Debug)]
pub(super) struct Provider {
    model: Name,
    purposes: Vec<Name>,
    answers: Answers,
    /// How many questions it was asked.
    asked: usize,
}

#[derive(Debug)]
enum Answers {
    Script(Vec<ScriptedReply>),
    Resolutions(GeneratedReplies),
    Messages(RangeInclusive<u64>),
}

/// Which answer a question gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The place of the provider.
    pub(super) provider: usize,
    /// How many answers came before.
    number: usize,
}

/// The providers of a configuration of which it is known what they answer.
pub(super) fn providers(config: &Config) -> Vec<Provider> {
    let (primary, fallback) = (&config.llm.primary, &config.llm.fallback);
    // Of two with one name nobody can tell who answers.
    let resolving = [primary, fallback]
        .into_iter()
        .filter(|_| primary.model != fallback.model);
    let mut known: Vec<Provider> = Vec::new();
    for config in resolving {
        let answers = match &config.replies {
            Replies::Scripted(script) => Answers::Script(script.clone()),
            Replies::Generated(shares) => Answers::Resolutions(shares.clone()),
            Replies::Live(_) => continue,
        };
        known.push(Provider::of(&config.model, RESOLUTION.to_vec(), answers));
    }
    for source in config.llms() {
        let answers = match &source.llm.replies {
            Replies::Scripted(script) => Answers::Script(script.clone()),
            Replies::Generated(shares) => {
                Answers::Messages(shares.delay_ms_min..=shares.delay_ms_max)
            }
            Replies::Live(_) => continue,
        };
        let purposes = vec![purpose(&source.agent)];
        known.push(Provider::of(&source.llm.model, purposes, answers));
    }
    known
}

impl Provider {
    fn of(model: &Name, purposes: Vec<Name>, answers: Answers) -> Provider {
        Provider {
            model: model.clone(),
            purposes,
            answers,
            asked: 0,
        }
    }

    /// Whether it answers so, with its answer of this number, after so long.
    pub(super) fn answers(&self, place: Place, reply: &ModelReply, after: Duration) -> bool {
        match &self.answers {
            Answers::Script(script) => {
                let Some(entry) = script.get(place.number).or(script.last()) else {
                    return true;
                };
                let delay = Duration::from_secs_f64(entry.delay_seconds);
                let said = match &entry.text {
                    Some(text) => Ok(text.as_str()),
                    None => Err(entry.error.as_deref().unwrap_or_default()),
                };
                after.abs_diff(delay) <= EXACT && replied(reply) == said
            }
            Answers::Resolutions(shares) => {
                let delays = shares.delay_ms_min..=shares.delay_ms_max;
                is_within(&delays, after) && may_be_drawn(shares, replied(reply))
            }
            Answers::Messages(delays) => is_within(delays, after),
        }
    }
}

/// Who is asked, and which of its answers that gets.
pub(super) fn place(providers: &mut [Provider], asked: &ModelAsked) -> Option<Place> {
    let is_it = |it: &Provider| it.model == asked.model && it.purposes.contains(&asked.purpose);
    let provider = providers.iter().position(is_it)?;
    let number = providers[provider].asked;
    providers[provider].asked += 1;
    Some(Place { provider, number })
}

fn is_within(millis: &RangeInclusive<u64>, after: Duration) -> bool {
    let (least, most) = (*millis.start(), *millis.end());
    Duration::from_millis(least) <= after + EXACT && after <= Duration::from_millis(most) + EXACT
}

/// Whether a resolution is one of those that have a share.
fn may_be_drawn(shares: &GeneratedReplies, said: Result<&str, &str>) -> bool {
    let Ok(text) = said else {
        return shares.error_per_mille > 0;
    };
    if shares.odd_per_mille > 0 && !text.contains(DRAWN) {
        return true;
    }
    let Ok(reply) = serde_json::from_str::<Value>(text) else {
        return shares.garbage_per_mille > 0;
    };
    let is_sure = reply["confidence"]
        .as_f64()
        .is_some_and(|it| (0.0..=1.0).contains(&it));
    let changes = &reply["modifications"];
    let is_smaller = changes["size_reduction_pct"]
        .as_u64()
        .is_some_and(|pct| (10..=60).contains(&pct));
    let asks = |name: &str| changes.get(name).map(Value::as_f64);
    let is_bold = BOLD.iter().any(|(name, ..)| asks(name).is_some())
        && BOLD.iter().all(|(name, least, most)| {
            asks(name).is_none_or(|it| it.is_some_and(|it| (*least..=*most).contains(&it)))
        });
    let has_share = match reply["action"].as_str() {
        Some("proceed") => shares.proceed_per_mille > 0,
        Some("abort") => shares.abort_per_mille > 0,
        Some("modify") if is_smaller => shares.modify_per_mille > 0,
        Some("modify") => shares.bold_per_mille > 0 && is_bold,
        Some("wait") => true,
        _ => false,
    };
    is_sure && has_share
}

//! `model.befallen`: a fault that strikes a model can be seen in what it replies, or in when; where none does, it replies what
//! its script has, or what may be drawn.

mod usual;

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{
    ActorId, Event, FaultInjected, Invariant, KernelEvent, Plan, Seq, Time, number as kernel,
};
use serde_json::Value;

use crate::config::Config;
use crate::domain_event::{DomainEvent, ModelAnswered, ModelAsked, number};
use crate::invariants::end_of;
use crate::invariants::replied::replied;
use crate::message::Name;

use usual::{Place, Provider};

/// How the names of what goes wrong at a model begin.
const DOORS: &str = "model.";
/// What lasts.
const LASTING: [&str; 2] = ["model.hung", "model.outage"];
/// How many questions are kept in mind.
const KEPT: usize = 256;

/// A question, and what befell its answer.
#[derive(Debug)]
struct Asked {
    at: Time,
    /// Nothing is answered before.
    not_before: Time,
    /// What must be seen in the answer: the door and its value.
    seen: Option<(Name, u64)>,
    /// Which answer it gets if nothing befalls it.
    place: Option<Place>,
    /// Whether something does, or did before and lasts.
    is_troubled: bool,
}

/// The questions that are open.
#[derive(Debug)]
pub(super) struct Befallen {
    /// From then on nothing goes wrong any more.
    quiet_from: Option<Time>,
    asked: BTreeMap<Seq, Asked>,
    /// Until when a provider answers nothing.
    hung: BTreeMap<ActorId, Time>,
    /// Of whom it is known what they answer.
    providers: Vec<Provider>,
    /// Until when each of them is troubled.
    troubled: BTreeMap<usize, Time>,
    judged: bool,
}

impl Befallen {
    pub(super) fn new(plan: &Plan<Config>) -> Befallen {
        Befallen {
            quiet_from: plan.faults.quiet_from,
            asked: BTreeMap::new(),
            hung: BTreeMap::new(),
            providers: usual::providers(&plan.system),
            troubled: BTreeMap::new(),
            judged: false,
        }
    }

    fn ask(&mut self, asked: &ModelAsked, seq: Seq, at: Time) {
        let place = usual::place(&mut self.providers, asked);
        let lasting = place.and_then(|place| self.troubled.get(&place.provider));
        let asked = Asked {
            at,
            not_before: at,
            seen: None,
            place,
            is_troubled: lasting.is_some_and(|end| at < *end),
        };
        self.asked.insert(seq, asked);
        if self.asked.len() > KEPT {
            self.asked.pop_first();
        }
    }

    /// Of several faults that strike one answer the last one is seen.
    fn strike(&mut self, fault: &FaultInjected, provider: ActorId, call: Seq) {
        let Some(asked) = self.asked.get_mut(&call) else {
            return;
        };
        let end = end_of(fault, asked.at, self.quiet_from);
        if LASTING.contains(&fault.door.as_str())
            && let Some(place) = asked.place
        {
            let troubled = self.troubled.entry(place.provider).or_default();
            *troubled = (*troubled).max(end);
        }
        asked.is_troubled = true;
        let hung = self.hung.entry(provider).or_default();
        match fault.door.as_str() {
            "model.hung" => *hung = (*hung).max(end),
            "model.timeout" => asked.not_before += Duration::from_millis(fault.value),
            // Whoever takes no requests does not refuse them.
            "model.outage" if asked.at < *hung || end <= asked.at => {}
            _ => asked.seen = Some((fault.door.clone(), fault.value)),
        }
        asked.not_before = asked.not_before.max(*hung);
    }

    fn answer(&mut self, answered: &ModelAnswered, call: Seq, now: Time) -> Result<(), String> {
        let Some(asked) = self.asked.remove(&call) else {
            return Ok(());
        };
        if now < asked.not_before {
            return Err("expected a model to be as late as its fault says, found it early".into());
        }
        if let Some(place) = asked.place.filter(|_| !asked.is_troubled) {
            self.judged = true;
            let (provider, after) = (&self.providers[place.provider], now.since(asked.at));
            if !provider.answers(place, &answered.reply, after) {
                return Err(
                    "expected a model to reply as it is set up, found another reply".into(),
                );
            }
        }
        let Some((door, value)) = asked.seen else {
            return Ok(());
        };
        self.judged = true;
        let is_seen = match replied(&answered.reply) {
            Ok(text) => can_be_seen(text, door.as_str(), value),
            Err(error) => fails(door.as_str()).is_some_and(|code| error.contains(code)),
        };
        if is_seen {
            return Ok(());
        }
        Err(format!(
            "expected {door} to be seen in what a model replies, found nothing of it"
        ))
    }
}

/// The code with which a provider refuses.
fn fails(door: &str) -> Option<&'static str> {
    match door {
        "model.outage" => Some("503"),
        "model.rate-limit" => Some("429"),
        "model.server-error" => Some("500"),
        _ => None,
    }
}

/// Whether the text of a reply is what a fault makes of one.
fn can_be_seen(text: &str, door: &str, value: u64) -> bool {
    let json: Option<Value> = serde_json::from_str(text).ok();
    let field = |name: &str| json.as_ref().map_or(&Value::Null, |json| &json[name]);
    let change = |name: &str| &field("modifications")[name];
    let names = ["leverage", "size_reduction_pct", "entry_adjustment_pct"];
    let is_bold = |name: &str| change(name).as_f64().is_some_and(|it| it.abs() >= 5.0);
    // What adds to a reply adds nothing to what is no object.
    let is_object = json.as_ref().is_some_and(Value::is_object);
    match (door, value) {
        ("model.refusal", _) => !text.contains('{'),
        ("model.hostile", 4) => names.into_iter().all(is_bold),
        ("model.hostile", which) => {
            let own = names[which.min(2) as usize];
            let others = names.into_iter().filter(|name| *name != own);
            let is_up = change(own).as_f64().is_some_and(|it| it > 0.0);
            // The entry goes down, and so does what is taken off the size.
            let goes_right = is_up == matches!(which, 0 | 2);
            is_bold(own) && goes_right && others.map(change).all(Value::is_null)
        }
        ("model.huge-number", 0) => text.contains(r#""confidence": 1e999"#),
        ("model.huge-number", which) => {
            let name = names[(which - 1).min(2) as usize];
            text.contains(&format!(r#""{name}": 1e999"#))
        }
        ("model.wrong-type", 0) => field("confidence").is_string(),
        ("model.wrong-type", 1) => field("action").as_str().is_some_and(|it| it.contains('!')),
        ("model.wrong-type", 2) => field("modifications").is_string(),
        ("model.wrong-type", 3) => change("leverage").is_string(),
        ("model.wrong-type", 4) => {
            let changes = field("modifications").as_object();
            changes.is_some_and(|it| it.get("size_reduction_pct") == Some(&Value::Null))
        }
        ("model.wrong-type", _) => !is_object,
        ("model.wrong-symbol", _) => !is_object || field("symbol").is_string(),
        ("model.injection", _) => {
            let reasoning = field("reasoning").as_str().unwrap_or_default();
            !is_object || reasoning.contains("SYSTEM")
        }
        ("model.duplicate-keys", _) => match text.split_once('{') {
            Some((_, fields)) => fields.starts_with(r#""action": "abort""#),
            None => true,
        },
        ("model.deep", depth) => text.matches('[').count() as u64 >= depth,
        ("model.huge", kib) => !is_object || text.len() as u64 + 5 >= kib * 1_024,
        // How long it was before nobody knows.
        ("model.truncated", percent) => percent > 0 || text.is_empty(),
        _ => false,
    }
}

impl Invariant<DomainEvent> for Befallen {
    fn id(&self) -> &'static str {
        "model.befallen"
    }

    fn statement(&self) -> &'static str {
        "a fault that strikes a model is seen in what it replies, or in when it does; where none strikes, it replies what \
         its script has, or what may be drawn"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::FaultInjected,
            number::ModelAsked,
            number::ModelAnswered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAnswered]]
    }

    fn evaluable(&self) -> bool {
        self.judged
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match (event.kernel(), event.domain(), event.cause) {
            (Some(KernelEvent::FaultInjected(it)), _, Some(call)) if it.door.starts_with(DOORS) => {
                self.strike(it, event.actor, call);
            }
            (_, Some(DomainEvent::ModelAsked(it)), _) => self.ask(it, event.seq, event.time),
            (_, Some(DomainEvent::ModelAnswered(it)), Some(call)) => {
                return self.answer(it, call, event.time);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

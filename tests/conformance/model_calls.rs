//! Calls of models about conflicts, as recordings tell them: when, which model, how it ended.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Seq};
use dacapo_orchestration::domain_event::{DomainEvent, ModelAsked};
use serde_json::{Value, json};

/// Calls in the order in which they were asked.
#[derive(Default)]
pub(crate) struct ModelCalls {
    told: Vec<Value>,
    places: BTreeMap<Seq, usize>,
}

impl ModelCalls {
    /// Takes note of an event. A call is told by `tell`; a call without an answer was cancelled.
    pub(crate) fn see(
        &mut self,
        event: &Event<DomainEvent>,
        tell: impl FnOnce(&ModelAsked) -> Value,
    ) {
        match event.domain() {
            Some(DomainEvent::ModelAsked(asked)) if asked.purpose.as_str() == "resolution" => {
                self.places.insert(event.seq, self.told.len());
                let mut told = tell(asked);
                told["outcome"] = json!("cancelled");
                self.told.push(told);
            }
            Some(DomainEvent::ModelAnswered(answered)) => {
                let asked = event.cause.and_then(|cause| self.places.get(&cause));
                if let Some(&at) = asked {
                    self.told[at]["outcome"] = json!(match answered.reply.said() {
                        Ok(_) => "ok",
                        Err(_) => "error",
                    });
                }
            }
            _ => {}
        }
    }

    /// All of them.
    pub(crate) fn told(self) -> Vec<Value> {
        self.told
    }
}

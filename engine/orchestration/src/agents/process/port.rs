//! A program at its port: what is told of the run in advance, and how questions and effects become events.

use std::time::Duration;

use dacapo_kernel::{Answer, BuildError, Interpreter, Plan, Program, Setup, Unfit};
use serde_json::{Value, json};

use super::effects;
use super::port as port_of;
use crate::Orchestration;
use crate::agents::said::Speaker;
use crate::config::{Config, ProcessSource};
use crate::domain_event::{DomainEvent, ProcessAnswered};
use crate::message::{Instant, Json, Name, Topic};

/// Speaks with the program of one agent.
struct Desk {
    topic: Topic,
    symbols: Vec<Name>,
    delay: Duration,
}

impl Interpreter<DomainEvent> for Desk {
    fn question(&self, request: &DomainEvent) -> Value {
        match request {
            DomainEvent::ProcessAsked(asked) => asked.question.0.clone(),
            _ => Value::Null,
        }
    }

    fn answer(
        &self,
        request: &DomainEvent,
        effects: Vec<Value>,
    ) -> Result<Answer<DomainEvent>, Unfit> {
        let symbol = match request {
            DomainEvent::ProcessAsked(asked) => &asked.symbol,
            _ => &Name::EMPTY,
        };
        let speaker = Speaker {
            topic: self.topic,
            symbol,
            symbols: &self.symbols,
        };
        let effects = Value::Array(effects);
        effects::read(&speaker, &effects)?;
        Ok(Answer {
            after: self.delay,
            event: ProcessAnswered {
                effects: Json(effects),
            }
            .into(),
        })
    }
}

/// Puts every program of a plan at its port.
///
/// # Errors
/// If one cannot be started, or does not answer the greeting.
pub(crate) fn attach(
    plan: &Plan<Config>,
    setup: &mut Setup<'_, Orchestration>,
) -> Result<(), BuildError> {
    for (at, source) in plan.system.processes().enumerate() {
        let ProcessSource {
            agent,
            topic,
            process,
            ..
        } = source;
        let program = Program {
            name: agent.to_string(),
            command: process.command.clone(),
            mode: process.mode,
            limit: Duration::from_secs_f64(process.limit_seconds),
            seed: plan.seed,
        };
        let start_us = plan.start_unix_ns / 1_000;
        let about = json!({
            "topic": topic.to_string(),
            "symbols": plan.system.symbols,
            "start": Instant::START.to_iso(start_us),
        });
        let desk = Desk {
            topic,
            symbols: plan.system.symbols.clone(),
            delay: Duration::from_secs_f64(process.delay_seconds),
        };
        setup.program(port_of(at), program, &about, desk)?;
    }
    Ok(())
}

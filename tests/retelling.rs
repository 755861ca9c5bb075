//! A recorded log told again with another first event: the same inputs under another plan.
//!
//! Code cannot be changed while a test runs, but a switch or a constant of the plan can. To a
//! replay, a log with another plan is a recording that was made by other code.

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, SyncPolicy, Writer};
use dacapo_kernel::{ActorId, Body, Event, Plan, RunStarted, Seq, System, Time, plan_of};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::domain_event::DomainEvent;

use crate::recording::reader;

/// The log with its plan changed and every other record copied byte for byte.
///
/// # Panics
/// If the log is damaged.
pub fn begun_with(log: &[u8], change: impl FnOnce(&mut Plan<Config>)) -> Vec<u8> {
    let mut from = reader(log);
    let mut plan = plan_of::<Orchestration>(&mut from).unwrap_or_else(|error| panic!("{error}"));
    change(&mut plan);
    let first = first_event(&plan);

    let bytes = Rc::new(RefCell::new(Memory::default()));
    let mut into = Writer::create(bytes.clone(), from.header(), SyncPolicy::Never)
        .unwrap_or_else(|error| panic!("{error}"));
    from.seek(Seq(0)).unwrap_or_else(|error| panic!("{error}"));
    while let Some(record) = from.next().unwrap_or_else(|error| panic!("{error}")) {
        let appended = into.append(record.head, |out| {
            if record.seq == Seq(0) {
                return first.encode(out);
            }
            out.extend_from_slice(record.body);
            Ok(())
        });
        appended.unwrap_or_else(|error| panic!("{error}"));
    }
    into.close().unwrap_or_else(|error| panic!("{error}"));
    bytes.take().0
}

fn first_event(plan: &Plan<Config>) -> Event<DomainEvent> {
    let started = RunStarted {
        system: Orchestration::NAME.into(),
        plan: serde_json::to_string(plan).expect("a plan is plain data with text keys"),
    };
    Event {
        seq: Seq(0),
        time: Time::ZERO,
        cause: None,
        actor: ActorId::ENGINE,
        body: Body::Kernel(started.into()),
    }
}

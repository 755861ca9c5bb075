//! Every act with what somebody outside does by it: whole, with something missing, late, and with something else instead.

use dacapo_kernel::How;
use serde_json::{Value, json};

use super::*;
use crate::domain_event::OutsideActed;
use crate::faults::{act, kinds};
use crate::feeds::{Item, item};
use crate::invariants::planted::Planted;

/// What somebody outside does, and when.
type Done = Vec<(f64, DomainEvent)>;

/// A plan with an act at five seconds, and what somebody outside does by it.
fn planned(what: &str, value: u64) -> (Plan<Config>, Done) {
    let walk = |symbol, price| json!({"symbol": symbol, "start_price": price});
    let sections = json!({
        "symbols": ["BTC/USDT", "XRP/USDT"],
        "market": {"source": "generated", "symbols": [walk("BTC/USDT", 100), walk("XRP/USDT", 1)]},
    });
    let system = serde_json::from_value(sections).expect("it is one");
    let mut plan = Plan::of("planted", system);
    let at = Time::from_secs(5);
    let mut acted = plan.clone();
    act(&mut acted, what, at, value).expect("there is such an act");
    let what = what.to_owned();
    plan.faults.faults.push(Fault::Act { what, at, value });
    let mut done: Done = Vec::new();
    for event in acted.system.events.iter() {
        let body = match item(event).expect("it does something") {
            Item::Message(message) => message.into(),
            Item::Action(action) => OutsideActed { action }.into(),
        };
        done.push((event.at_seconds, body));
    }
    done.sort_by(|one, other| one.0.total_cmp(&other.0));
    (plan, done)
}

fn shown(plan: &Plan<Config>, done: &Done) -> Planted {
    let begun = Planted::of(AsPlanned::new(plan));
    let next = |log: Planted, (at, body): &(f64, DomainEvent)| log.at(*at).then(body.clone());
    let log = done.iter().fold(begun, next);
    // Something else happens later.
    let stop = OutsideActed {
        action: OutsideAction::Stop,
    };
    log.at(100_000.0).then(stop)
}

/// Each act that is told, with some of its values.
fn acts() -> impl Iterator<Item = (&'static str, u64)> {
    let acts = kinds()
        .into_iter()
        .filter(|kind| matches!(kind.how, How::Act { .. }));
    let told = acts
        .filter(|kind| !kind.name.starts_with("settings.") && !kind.name.starts_with("schedule."));
    told.flat_map(|kind| {
        let values = (kind.least..=kind.most.min(kind.least + 40)).chain([kind.most]);
        values.map(move |value| (kind.name, value))
    })
}

// Fails if an act may do less than it says, or do it later.
#[test]
fn what_is_planned_is_done() {
    for (what, value) in acts() {
        let (plan, done) = planned(what, value);
        if done.is_empty() {
            // A burst of none, a crowd of nobody.
            assert_eq!(value / 10, 0, "{what} {value}");
            continue;
        }
        shown(&plan, &done).holds();
        for place in 0..done.len().min(3) {
            let mut less = done.clone();
            less.remove(place);
            let found = shown(&plan, &less).violated();
            assert!(found.contains(what), "{found}");
        }
        let mut late = done.clone();
        late.last_mut().expect("there is one").0 += 0.5;
        shown(&plan, &late).violated();
    }
}

// Fails if something else may be done in its place.
#[test]
fn nothing_else_does_instead() {
    let (plan, done) = planned("risk.breach", 2);
    for (what, value) in [
        ("risk.breach", 1),
        ("operator.pause", 0),
        ("subscriber.slow", 3),
    ] {
        shown(&plan, &planned(what, value).1).violated();
    }
    shown(&plan, &done).holds();
    let said = |what, value, change: &dyn Fn(&mut Value)| {
        let (plan, mut done) = planned(what, value);
        let Some((_, DomainEvent::OutsideMessage(message))) = done.first_mut() else {
            panic!("expected a message");
        };
        let mut payload = message.payload.to_json();
        change(&mut payload);
        message.payload = Payload::from_json(message.topic, payload);
        shown(&plan, &done).violated()
    };
    said("signal.valid", 0, &|it| it["stop_loss"] = json!(50));
    said("signal.valid", 0, &|it| it["action"] = json!("HOLD"));
    said("signal.valid", 0, &|it| it["entry_price"] = json!(90));
    said("signal.valid", 0, &|it| it["symbol"] = json!("XRP/USDT"));
    said("signal.valid", 0, &|it| it["leverage"] = json!(0));
    said("signal.unknown-action", 0, &|it| {
        it["action"] = json!("BUY")
    });
    said("evidence.outside", 0, &|it| it["confidence"] = json!(2));
    said("operator.clear-halt", 0, &|it| it["params"] = json!({}));
    said("operator.disable-task", 1, &|it| {
        it["params"]["task_name"] = json!("report")
    });
    said("operator.bad-command", 3, &|it| {
        it["command"] = json!("pause")
    });
}

// Fails if a run that ends before an act is due must have done it.
#[test]
fn what_is_not_due_is_not_missed() {
    let (plan, _) = planned("operator.pause", 0);
    let early = OutsideActed {
        action: OutsideAction::Status,
    };
    let log = Planted::of(AsPlanned::new(&plan)).at(4.0).then(early);
    assert!(!matches!(
        log.finding(),
        dacapo_kernel::Finding::Violated { .. }
    ));
}

//! What each profile must make of a recorded run.
//!
//! `upstream` must do what the original did and `review-fixed` what its review demands, `reviewed`
//! must freeze where the reviewed code froze, and `sound` must not surprise anybody.

use std::sync::Arc;

use dacapo_kernel::Verdict;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::Name;
use serde_json::{Value, json};

use super::order::by_source;
use super::play::{Played, play};
use super::sound;
use crate::case::{Case, Outcome};
use crate::compare;
use crate::notes;

/// Messages of this source are not simulated.
const LEFT_OUT: &str = "hodl_bag_manager";

/// What is compared, and by what its entries of one instant are told apart.
const LISTS: [(&str, &str); 5] = [
    ("trace", "source"),
    ("transitions", "kind"),
    ("trades", "symbol"),
    ("llm_calls", "model"),
    ("db_ops", "op"),
];

/// The cases of one recorded run.
pub(crate) fn cases(id: &str, run: &Arc<Value>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |profile: &'static str, check: fn(&Value) -> Outcome| {
        let run = Arc::clone(run);
        cases.push(Case::new("e2e", id, profile, move || check(&run)));
    };
    add("upstream", |run| {
        recorded(run, "upstream", &run["expected"])
    });
    add("review-fixed", |run| {
        let repaired = run.get("seed_expected").filter(|it| !it.is_null());
        recorded(run, "review-fixed", repaired.unwrap_or(&run["expected"]))
    });
    if run["legacy_expected"]["final"]["bus_lock_held_at_end"] == true {
        add("reviewed", frozen);
    }
    add("sound", sound::check);
    cases
}

/// Plays a run and compares it with what was recorded.
fn recorded(run: &Value, profile: &str, expected: &Value) -> Outcome {
    let told = play(run, profile)?.told;
    let (expected, found) = comparable(&run["input"], expected, &told);
    let exact = compare::check(&expected, &found);
    if exact.is_ok() {
        return Ok(());
    }
    compare::check(&relaxed(&expected), &relaxed(&found))
        .map_err(|_| exact.expect_err("the exact comparison failed above"))?;
    let id = run["id"].as_str().unwrap_or_default();
    notes::add(
        "compared source by source within an instant",
        format!("{id}/{profile}"),
    );
    Ok(())
}

/// Both without what only one of them can know.
fn comparable(input: &Value, expected: &Value, found: &Value) -> (Value, Value) {
    let (mut expected, mut found) = (expected.clone(), found.clone());
    let left_out = remove_left_out(&mut expected["trace"]);
    let kept = left_out.iter().filter(|message| is_kept(input, message));
    for (count, less) in [
        ("published", left_out.len()),
        ("history_size", kept.count()),
    ] {
        let recorded = expected["final"]["bus"][count].as_u64().unwrap_or(0);
        expected["final"]["bus"][count] = json!(recorded.saturating_sub(less as u64));
    }
    // Only the repaired code says who was removed.
    if expected["final"].get("auto_unsubscribed").is_none()
        && let Some(last) = found["final"].as_object_mut()
    {
        last.remove("auto_unsubscribed");
    }
    expected["notes"] = note_words(&expected["notes"]);
    found["notes"] = note_words(&found["notes"]);
    (expected, found)
}

fn remove_left_out(trace: &mut Value) -> Vec<Value> {
    let Some(messages) = trace.as_array_mut() else {
        return Vec::new();
    };
    let out = messages.extract_if(.., |message| message["source"] == LEFT_OUT);
    out.collect()
}

/// Whether a message outlives the last cleanup of the run, and so counts at its end.
fn is_kept(input: &Value, message: &Value) -> bool {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    if input["bus_cleanup_running"] != true {
        return true;
    }
    let interval = number(&input["bus"]["cleanup_interval_seconds"]);
    let last = (number(&input["duration_s"]) / interval).floor() * interval;
    number(&message["t"]) + number(&message["ttl_seconds"]) > last
}

/// Which words the notes say, whatever is around them.
fn note_words(notes: &Value) -> Value {
    let notes = notes.as_array().into_iter().flatten().map(Value::to_string);
    let known = ["subscription_rejected", "op_raised"];
    let word = |note: String| known.into_iter().find(|word| note.contains(word));
    notes.filter_map(word).collect()
}

fn relaxed(told: &Value) -> Value {
    let mut told = told.clone();
    for (list, key) in LISTS {
        told[list] = by_source(&told[list], key);
    }
    told
}

/// Where the reviewed code ended with the lock of the bus held, the run ends in that deadlock: in a
/// handler that the bus calls while it holds its lock, and that waits for the same lock.
fn frozen(run: &Value) -> Outcome {
    let Played {
        verdict, events, ..
    } = play(run, "reviewed")?;
    let Verdict::Deadlock(cycle) = &verdict else {
        return Err(format!("expected a deadlock, found {verdict}"));
    };
    let is_bus = |lock: &Option<Name>| lock.as_ref().is_some_and(|lock| lock.as_str() == "bus");
    if !cycle.links.iter().any(|link| is_bus(&link.lock)) {
        return Err(format!(
            "expected the lock of the bus in the circle, found {cycle}"
        ));
    }
    let called = events.iter().rev().find_map(|event| match event.domain() {
        Some(DomainEvent::Delivered(call)) => Some(call),
        _ => None,
    });
    match called {
        Some(call) if call.under_lock => {
            let id = run["id"].as_str().unwrap_or_default();
            let line = format!("{id}: {}, on msg-{}", call.subscriber, call.message);
            notes::add("reviewed freezes in the handler of", line);
            Ok(())
        }
        _ => Err("expected a handler that is called under the lock, found none".to_owned()),
    }
}

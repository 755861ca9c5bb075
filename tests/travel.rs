//! What if, and traces of production, with the system that ships.

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use dacapo_kernel::{Body, Event, EventSet, Events, Finding, Recording, Seq};
use dacapo_lab::diff::{diff, ending_of};
use dacapo_lab::fork::{Asked, make, meant};
use dacapo_lab::import::{Map, import};
use dacapo_lab::scenario::{Overrides, load};
use dacapo_lab::{Moment, Names, body_json, event_json, examine, for_each, for_each_from};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::{DomainEvent, ModelReply};
use dacapo_tests::{Recorded, Story, events, reader, record, root};

/// Two hours of a day and a little more, in which models are asked.
fn day() -> Recorded {
    let set = ["run.duration=7500s".to_owned()].to_vec();
    let overrides = Overrides {
        set,
        ..Overrides::default()
    };
    record(&Story::Day.path(), &overrides)
}

// Fails if a body says to people what it cannot be read back from: then it could not be changed.
#[test]
fn what_an_event_says_as_json_is_read_back() {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for story in ["hard-day.toml", "deadlock.toml", "lost-legs.toml"] {
        let path = root().join("scenarios").join(story);
        let recorded = record(&path, &Overrides::default());
        for event in events(&recorded.log) {
            let Some(domain) = event.domain() else {
                continue;
            };
            let seen = kinds.entry(event.kind().name).or_default();
            *seen += 1;
            if *seen > 200 {
                continue;
            }
            let json = body_json(&event).expect("a body is plain data");
            let read = DomainEvent::deserialize_body(event.kind().number, json.clone());
            let read = read.unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(read.as_ref(), Some(domain), "{json}");
        }
    }
    assert!(kinds.len() > 25, "{kinds:?}");
}

// Fails if the change of a reply does not reach the coordinator, or the fork does not replay, which
// `make` looks at.
#[test]
fn a_model_that_had_said_abort_opens_nothing() {
    let recorded = day();
    let recording = Rc::new(Recording::read(reader(&recorded.log)).expect("the log is sound"));
    let proceeded = |event: &&Event<DomainEvent>| {
        matches!(event.domain(), Some(DomainEvent::ModelAnswered(it))
            if matches!(&it.reply, ModelReply::Text(text) if text.contains("proceed")))
    };
    let all = events(&recorded.log);
    let reply = all.iter().find(proceeded).expect("a model says proceed");
    let asked: Asked = r#"reply.action="abort""#.parse().expect("a change");
    let meant = meant::<Orchestration>(&recording, reply.seq, &asked).expect("a reply is an input");
    let files = load::<Orchestration>(&Story::Day.path(), &Overrides::default())
        .expect("the scenario is sound")
        .files;
    let made = make::<Orchestration>(&recorded.plan, &recording, &meant, &files)
        .unwrap_or_else(|error| panic!("{error}"));
    let forked = events(&made.log);
    let at = usize::try_from(reply.seq.0).expect("it is in memory");
    assert_eq!(forked[..at], all[..at]);
    let resolved = |events: &[Event<DomainEvent>]| {
        let mut resolved = events[at..]
            .iter()
            .filter_map(|event| match event.domain() {
                Some(DomainEvent::ConflictResolved(it)) => Some(it.action.to_string()),
                _ => None,
            });
        resolved.next()
    };
    assert_eq!(resolved(&all).as_deref(), Some("proceed"));
    assert_eq!(resolved(&forked).as_deref(), Some("abort"));
    let differs = diff::<Orchestration>(reader(&recorded.log), reader(&made.log), |_, _| ())
        .expect("both are sound");
    let first = differs.first.expect("they differ");
    assert_eq!((first.a, first.is_input), (Some(reply.seq), true));
    assert!(
        differs.counts.only_a > 0,
        "the order is not there: {:?}",
        differs.counts
    );
    let [a, b] = [&recorded.log, &made.log]
        .map(|log| ending_of::<Orchestration>(reader(log), |_, _| ()).expect("it is sound"));
    assert!(
        a.to(&b)
            .figures
            .iter()
            .any(|figure| figure.a.name == "equity_end")
    );
}

/// A log as the JSON lines that a recorder of messages would have kept: a few kinds only.
fn trace(log: &[u8], kinds: &[&str]) -> String {
    let mut names = Names::default();
    let mut lines = String::new();
    for event in events(log) {
        names.learn(&event);
        if matches!(event.body, Body::Domain(_)) && kinds.contains(&event.kind().name) {
            let line = event_json::<Orchestration>(&names, &event).expect("it is plain data");
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
    }
    lines
}

// Fails if a property that holds in a run is violated in the trace of it, or one of which the trace has
// nothing is said to hold.
#[test]
fn a_trace_says_of_a_property_what_it_can_and_no_more() {
    let recorded = day();
    let kinds = ["published", "order submitted", "state changed", "started"];
    let folder = tempfile::tempdir().expect("a folder can be made");
    let map = folder.path().join("map.toml");
    let rules = kinds.map(|kind| {
        format!(
            "[[event]]\nwhen = [\"kind={kind}\"]\nkind = \"{kind}\"\nactor = \"$actor\"\nbody = \"$body\"\n"
        )
    });
    let scenario = Story::Day.path();
    let text = format!(
        "scenario = {:?}\n[time]\nat = \"time_ns\"\nunit = \"ns\"\n[id]\nat = \"seq\"\ncause = \"cause\"\n{}",
        scenario,
        rules.concat()
    );
    fs::write(&map, text).expect("the folder can be written to");
    let map = Map::<Orchestration>::read(&map).unwrap_or_else(|error| panic!("{error}"));
    let trace = trace(&recorded.log, &kinds);
    let imported = import(&map, trace.as_bytes(), false).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported.lines, imported.kinds.values().sum::<u64>());
    assert!(imported.unmapped.0 == 0 && imported.bad.is_empty());
    let examined = examine::<Orchestration>(reader(&imported.log), |_, _| ()).expect("it is sound");
    let finding = |id: &str| {
        let mut findings = examined.findings.iter();
        findings
            .find(|checked| checked.id == id)
            .map(|checked| &checked.finding)
    };
    assert_eq!(finding("trade.only-when-running"), Some(&Finding::Held));
    // Balances and fills are not in the trace.
    assert_eq!(finding("money.conserved"), Some(&Finding::NotEvaluable));
    assert_eq!(finding("live.no-deadlock"), Some(&Finding::NotEvaluable));
    let violated = |finding: &Finding| matches!(finding, Finding::Violated { .. });
    let violations = examined
        .findings
        .iter()
        .filter(|checked| violated(&checked.finding));
    assert_eq!(violations.count(), 0, "{:?}", examined.findings);
    assert_eq!(examined.world.last, Some(Seq(imported.events - 1)));
}

// Fails if the map that the documentation shows does not fit its trace any more.
#[test]
fn the_trace_in_the_documentation_is_imported() {
    let folder = root().join("docs/examples/import");
    let map = Map::<Orchestration>::read(&folder.join("bus.toml"));
    let map = map.unwrap_or_else(|error| panic!("{error}"));
    let trace = fs::read(folder.join("bus.jsonl")).expect("the trace is there");
    let imported = import(&map, trace.as_slice(), false).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported.kinds["published"], 4);
    assert_eq!(imported.kinds["order submitted"], 2);
    assert_eq!(imported.unmapped, (1, vec![5]));
    assert_eq!(imported.causes_unknown, 0);
    let examined = examine::<Orchestration>(reader(&imported.log), |_, _| ()).expect("it is sound");
    let held = examined
        .findings
        .iter()
        .filter(|checked| checked.finding == Finding::Held);
    let held: Vec<&str> = held.map(|checked| checked.id).collect();
    assert!(held.contains(&"trade.only-when-running"), "{held:?}");
    assert!(held.len() < examined.findings.len() / 2, "{held:?}");
}

// Fails if a log that is read from its middle on names somebody otherwise than one that is read from its beginning, or
// does not begin at the first event of an instant.
#[test]
fn from_any_moment_on_events_are_told_as_from_the_beginning() {
    let recorded = day();
    let mut log = Events::<DomainEvent>::new(reader(&recorded.log));
    let mut all = Vec::new();
    for_each::<Orchestration>(&mut log, |names, event| {
        all.push(names.tell::<Orchestration>(event));
        true
    })
    .expect("the log is sound");
    assert!(all.len() > 4_000, "{} events are soon read", all.len());
    let moments = (0..all.len()).step_by(61).flat_map(|at| {
        let event = &all[at];
        [Moment::Event(event.seq), Moment::Time(event.time)]
    });
    for moment in moments {
        let mut told = Vec::new();
        for_each_from::<Orchestration>(&mut log, moment, |names, event| {
            told.push(names.tell::<Orchestration>(event));
            told.len() < 40
        })
        .expect("the log is sound");
        let first = all.iter().position(|line| match moment {
            Moment::Event(seq) => line.seq == seq,
            Moment::Time(time) => line.time >= time,
        });
        let first = first.expect("the event is there");
        let most = all.len().min(first + 40);
        assert_eq!(told, all[first..most], "{moment:?}");
    }
    for behind in [
        Moment::Event(Seq(all.len() as u64)),
        Moment::Time(all[all.len() - 1].time + std::time::Duration::from_nanos(1)),
    ] {
        for_each_from::<Orchestration>(&mut log, behind, |_, event| panic!("{:?}", event.seq))
            .expect("nothing comes behind the end");
    }
}

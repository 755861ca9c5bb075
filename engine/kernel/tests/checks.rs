//! What properties say does not depend on how many events they are shown together.

use dacapo_kernel::{
    ActorId, Body, Checked, Checks, Event, FaultInjected, Finding, Invariant, Observed, Seq,
    Sometimes, TaskId, Time, TimerFired, events,
};
use serde::{Deserialize, Serialize};

/// A number is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said(u64);

events! {
    /// What happens here.
    pub enum Saying {
        /// A number is said.
        64 "said" v 1 Consequence => Said(Said);
    }
}

/// No number so large is said, and none but those that follow each other.
struct Below {
    id: &'static str,
    most: u64,
    next: u64,
    watches: &'static [u16],
    excludes: &'static [&'static str],
    applies: bool,
}

fn below(id: &'static str, most: u64) -> Below {
    Below {
        id,
        most,
        next: 0,
        watches: &[number::Said],
        excludes: &[],
        applies: true,
    }
}

impl Invariant<Saying> for Below {
    fn id(&self) -> &'static str {
        self.id
    }

    fn statement(&self) -> &'static str {
        "numbers follow each other up to a largest one"
    }

    fn applies(&self) -> bool {
        self.applies
    }

    fn watches(&self) -> &'static [u16] {
        self.watches
    }

    fn excludes(&self) -> &'static [&'static str] {
        self.excludes
    }

    fn observe(&mut self, event: &Event<Saying>) -> Result<(), String> {
        let Some(Saying::Said(Said(number))) = event.domain() else {
            assert!(self.watches.is_empty(), "it does not watch {event:?}");
            return Ok(());
        };
        assert_eq!(*number, self.next, "each is shown once, in order");
        self.next += 1;
        if *number > self.most {
            return Err(format!("found {number}"));
        }
        Ok(())
    }
}

/// Shows the properties so many numbers, with other events between them, and faults before some of them.
fn shown(properties: Vec<Below>, numbers: u64, faults: &[(&'static str, u64)]) -> Observed {
    let boxed = |it| Box::new(it) as Box<dyn Invariant<Saying>>;
    let sometimes = Sometimes {
        id: "a.hundred",
        meaning: "a hundred is said",
        watches: &[number::Said],
        reached: Box::new(|event| event.domain() == Some(&Saying::Said(Said(100)))),
    };
    let mut checks = Checks::new(properties.into_iter().map(boxed).collect(), vec![sometimes]);
    let mut seq = 0;
    let mut show = |body| {
        checks.observe(Event {
            seq: Seq(seq),
            time: Time::from_micros(seq),
            cause: None,
            actor: ActorId(1),
            body,
        });
        seq += 1;
    };
    for number in 0..numbers {
        for (door, _) in faults.iter().filter(|(_, before)| *before == number) {
            let fault = FaultInjected {
                door: (*door).into(),
                asked: 0,
                value: 1,
            };
            show(Body::Kernel(fault.into()));
        }
        show(Body::Domain(Said(number).into()));
        show(Body::Kernel(TimerFired { task: TaskId(1) }.into()));
    }
    checks.finish()
}

fn at(observed: &Observed) -> Vec<(&'static str, Option<u64>)> {
    let at = |row: &Checked| match &row.finding {
        Finding::Violated { at, .. } => Some((row.id, at.map(|seq| seq.0))),
        _ => None,
    };
    observed.findings.iter().filter_map(at).collect()
}

/// However many events there are, each property sees its own once and in order, up to its first violation, and
/// violations come in the order in which the log shows them.
#[test]
fn violations_come_in_the_order_of_the_log() {
    let all = Below {
        watches: &[],
        ..below("late", 299)
    };
    let properties = vec![
        all,
        below("third", 130),
        below("second", 7),
        below("first", 5),
        below("also third", 130),
    ];
    let observed = shown(properties, 301, &[]);
    let expected = [
        ("first", Some(12)),
        ("second", Some(16)),
        ("third", Some(262)),
        ("also third", Some(262)),
        ("late", Some(600)),
    ];
    assert_eq!(at(&observed), expected);
}

/// A property that excludes a fault says what it saw before that, and nothing of what follows.
#[test]
fn a_fault_silences_who_excludes_it_from_there_on() {
    let excluding = |id, most| Below {
        excludes: &["hum", "noise"],
        ..below(id, most)
    };
    let properties = || {
        vec![
            excluding("before", 9),
            excluding("after", 10),
            below("any", 10),
        ]
    };
    let observed = shown(properties(), 300, &[("noise", 12)]);
    assert_eq!(
        at(&observed),
        [("before", Some(20)), ("after", Some(22)), ("any", Some(22))]
    );
    let observed = shown(properties(), 300, &[("noise", 11), ("hum", 12)]);
    // The fault stands before the number.
    assert_eq!(at(&observed), [("before", Some(20)), ("any", Some(23))]);
    let silent = observed.findings.iter().find(|row| row.id == "after");
    assert_eq!(silent.map(|row| &row.finding), Some(&Finding::NotEvaluable));
    assert_eq!(observed.struck, ["noise", "hum"]);
}

/// A property of other plans is shown nothing, and says nothing.
#[test]
fn what_does_not_apply_is_not_evaluable() {
    let other = Below {
        applies: false,
        ..below("other", 5)
    };
    let observed = shown(vec![other, below("any", 5)], 10, &[]);
    assert_eq!(at(&observed), [("any", Some(12))]);
    let silent = observed.findings.iter().find(|row| row.id == "other");
    assert_eq!(silent.map(|row| &row.finding), Some(&Finding::NotEvaluable));
}

/// What is to be reached is, whether a batch is full by then or not.
#[test]
fn what_is_reached_counts_in_a_batch_that_is_not_full() {
    assert_eq!(shown(Vec::new(), 101, &[]).reached, ["a.hundred"]);
    assert_eq!(shown(Vec::new(), 100, &[]).reached, [""; 0]);
}

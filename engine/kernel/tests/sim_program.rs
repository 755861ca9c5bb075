//! Programs outside: asked in lock-step while recording, and again in a replay where their mode and whoever replays
//! say so.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use common::{Act, Shared, Stage, Story, answered, asked, ms, reader};
use dacapo_kernel::log::SyncPolicy;
use dacapo_kernel::{
    Answer, BuildError, Dialogue, Files, Interpreter, Port, Program, ProgramMode, Run, RunError,
    Unfit, Verified, verify_with,
};
use serde_json::{Value, json};

const JUDGE: Port = Port(4);

/// Puts what is asked into a question, and takes the first effect as the answer.
struct Words;

impl Interpreter<Act> for Words {
    fn question(&self, request: &Act) -> Value {
        match request {
            Act::Asked(asked) => json!({"what": asked.what}),
            other => panic!("only what is asked is given to an interpreter, found {other:?}"),
        }
    }

    fn answer(&self, _: &Act, effects: Vec<Value>) -> Result<Answer<Act>, Unfit> {
        match effects.first().and_then(Value::as_str) {
            Some(text) => Ok(Answer {
                after: ms(5),
                event: answered(text),
            }),
            None => Err(Unfit::new("expected a text", "say one")),
        }
    }
}

/// Starts a program of this test, and counts.
struct Shelf {
    /// What the program answers, from the number and the text of a question.
    answers: fn(u64, &str) -> Value,
    started: Cell<u32>,
    asked: Rc<RefCell<Vec<String>>>,
}

impl Shelf {
    fn of(answers: fn(u64, &str) -> Value) -> Shelf {
        Shelf {
            answers,
            started: Cell::new(0),
            asked: Rc::default(),
        }
    }
}

struct Talk {
    answers: fn(u64, &str) -> Value,
    asked: Rc<RefCell<Vec<String>>>,
}

impl Dialogue for Talk {
    fn ask(&mut self, line: &str) -> Result<String, Unfit> {
        let message: Value = serde_json::from_str(line).unwrap();
        if message["type"] == "hello" {
            return Ok(r#"{"type": "ready", "version": 1}"#.to_owned());
        }
        let what = message["question"]["what"].as_str().unwrap();
        self.asked.borrow_mut().push(what.to_owned());
        let id = message["id"].as_u64().unwrap();
        let effects = (self.answers)(id, what);
        Ok(json!({"type": "effects", "id": id, "effects": effects}).to_string())
    }
}

impl Files for Shelf {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        panic!("nothing is read, and {path} was");
    }

    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        assert_eq!(program.command, ["judge"]);
        self.started.set(self.started.get() + 1);
        Ok(Box::new(Talk {
            answers: self.answers,
            asked: Rc::clone(&self.asked),
        }))
    }
}

/// Two questions, one after the other, and a third that is given up.
fn story(mode: ProgramMode) -> Story {
    Story::staged(move |setup| {
        let program = Program {
            name: "judge".to_owned(),
            command: vec!["judge".to_owned()],
            mode,
            limit: Duration::from_secs(1),
            seed: 1,
        };
        setup.program(JUDGE, program, &json!({}), Words).unwrap();
        setup.host("main", |ctx| async move {
            for what in ["a", "b"] {
                let Act::Answered(answer) = ctx.call(JUDGE, asked(what)).await else {
                    panic!("an answer is expected");
                };
                ctx.emit(answer.what);
            }
            let given_up = ctx.timeout(ms(1), ctx.call(JUDGE, asked("c"))).await;
            assert!(given_up.is_err());
        });
    })
}

fn record(story: &Story, shelf: &Shelf) -> Result<Vec<u8>, RunError> {
    story.prepare();
    let storage = Shared::default();
    let run = Run::<Stage>::new(&story.plan);
    run.record(shelf, Box::new(storage.clone()), SyncPolicy::Never)?;
    Ok(storage.take().0)
}

fn replay(story: &Story, log: &[u8], shelf: Option<&Shelf>) -> Result<Verified<Stage>, RunError> {
    story.prepare();
    let programs = shelf.map(|shelf| shelf as &dyn Files);
    verify_with::<Stage>(reader(log), None, programs)
}

fn says_again(id: u64, what: &str) -> Value {
    json!([format!("{what}{id}")])
}

/// A program that is asked again in no replay, or started in one that may not start any, fails here.
#[test]
fn a_deterministic_program_is_asked_again_where_it_may_be_started() {
    let (story, first) = (story(ProgramMode::Deterministic), Shelf::of(says_again));
    let log = record(&story, &first).unwrap();
    assert_eq!(first.asked.borrow().concat(), "abc");

    let second = Shelf::of(says_again);
    let Verified::Same(outcome) = replay(&story, &log, Some(&second)).unwrap() else {
        panic!("the program says the same");
    };
    assert_eq!(second.asked.borrow().concat(), "abc");
    assert_eq!(outcome.asked_programs.asked, 3);
    assert_eq!(outcome.world.view.said, ["a1", "b2"]);

    let Verified::Same(outcome) = replay(&story, &log, None).unwrap() else {
        panic!("the log has every answer");
    };
    let programs = outcome.asked_programs;
    assert_eq!((programs.asked, programs.from_log), (0, 3));
}

/// An answer that is taken from the log although another was given fails here.
#[test]
fn another_answer_is_the_first_difference() {
    let story = story(ProgramMode::Deterministic);
    let log = record(&story, &Shelf::of(says_again)).unwrap();
    let changed = Shelf::of(|id, what| json!([format!("{what}{}", id.min(1))]));
    let Verified::Diverged(divergence, _) = replay(&story, &log, Some(&changed)).unwrap() else {
        panic!("the second answer is another");
    };
    let said = |event: Option<&dacapo_kernel::Event<Act>>| match event.unwrap().domain() {
        Some(Act::Answered(answer)) => answer.what.clone(),
        other => panic!("the difference is an answer, found {other:?}"),
    };
    assert_eq!(said(divergence.expected.as_ref()), "b2");
    assert_eq!(said(divergence.actual.as_ref()), "b1");
}

/// A recorded program that is started in a replay fails here.
#[test]
fn a_recorded_program_is_never_asked_again() {
    let story = story(ProgramMode::Recorded);
    let log = record(&story, &Shelf::of(says_again)).unwrap();
    let second = Shelf::of(|_, _| json!(["something else"]));
    let Verified::Same(outcome) = replay(&story, &log, Some(&second)).unwrap() else {
        panic!("the log has every answer");
    };
    assert_eq!(
        (second.started.get(), outcome.asked_programs.from_log),
        (0, 0)
    );
}

/// A run that goes on without an answer, or ends with a verdict, fails here.
#[test]
fn an_answer_that_says_nothing_known_ends_the_run_without_a_verdict() {
    let story = story(ProgramMode::Deterministic);
    let shelf = Shelf::of(|id, _| if id == 1 { json!(["yes"]) } else { json!([]) });
    let error = record(&story, &shelf).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program of judge (`judge`) at line 3 of its output, in answer to question 2 at 00:00:00.005: \
         expected a text; say one"
    );
    story.prepare();
    let discarded = Run::<Stage>::new(&story.plan).discard(&shelf);
    assert!(matches!(discarded, Err(RunError::Program(_))));

    let log = record(&story, &Shelf::of(|_, _| json!(["yes"]))).unwrap();
    let failed = replay(&story, &log, Some(&shelf));
    assert!(matches!(failed, Err(RunError::Program(_))));
}

/// Somebody who only reads files starts no program: one that is started all the same fails here.
#[test]
fn a_program_is_started_by_whoever_can_and_by_nobody_else() {
    let program = Program {
        name: "judge".to_owned(),
        command: vec!["judge".to_owned()],
        mode: ProgramMode::Deterministic,
        limit: Duration::from_secs(1),
        seed: 1,
    };
    let refused = common::NoFiles.start(&program).err().unwrap().to_string();
    assert!(
        refused.contains("`judge`, the program of judge, is not started here"),
        "{refused}"
    );
}

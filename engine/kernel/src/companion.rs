//! The protocol that is spoken with a program outside: one JSON object a line, strictly in turns.
//!
//! The engine speaks first. It greets, and is told `ready`; it asks, and is told a list of effects. Time and
//! randomness come with each question, so that a program needs neither a clock nor a dice of its own. The protocol is
//! told to people in the documentation.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::id::Time;
use crate::program::{Dialogue, Outsider, Program, ProgramError, Unfit};

/// What the protocol is called in a greeting.
pub const PROTOCOL: &str = "dacapo-process";

/// The version of the protocol that is spoken.
pub const PROTOCOL_VERSION: u64 = 1;

/// The most effects that an answer may have.
const MAX_EFFECTS: usize = 64;

/// How much of a line an error repeats, in characters.
const SHOWN: usize = 120;

/// What a program says to a greeting.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ready {
    version: u64,
}

/// What a program says to a question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effects {
    id: u64,
    effects: Vec<Value>,
}

/// A program that has been greeted and waits for questions.
pub(crate) struct Companion {
    program: Program,
    dialogue: Box<dyn Dialogue>,
    /// How many questions it was asked.
    asked: u64,
}

impl Companion {
    /// Greets a program that was just started, and tells it what the system has to say of the run.
    pub(crate) fn greet(
        program: Program,
        dialogue: Box<dyn Dialogue>,
        about: &Value,
    ) -> Result<Companion, Box<ProgramError>> {
        let mut companion = Companion {
            program,
            dialogue,
            asked: 0,
        };
        let greeting = json!({
            "type": "hello",
            "protocol": PROTOCOL,
            "version": PROTOCOL_VERSION,
            "name": companion.program.name,
            "about": about,
        });
        let ready = companion
            .say(&greeting, "ready")
            .and_then(|said| told::<Ready>(said, r#"{"type": "ready", "version": 1}"#));
        let ready = ready.map_err(|unfit| companion.error(None, unfit))?;
        if ready.version == PROTOCOL_VERSION {
            return Ok(companion);
        }
        let what = format!(
            "it speaks version {} of the protocol, this program version {PROTOCOL_VERSION}",
            ready.version
        );
        let help = "use the helper that belongs to this version of the program";
        Err(companion.error(None, Unfit::new(what, help)))
    }

    /// Asks one question, and gives back the effects.
    pub(crate) fn ask(
        &mut self,
        now: Time,
        question: &Value,
    ) -> Result<Vec<Value>, Box<ProgramError>> {
        self.asked += 1;
        let id = self.asked;
        let message = json!({
            "type": "ask",
            "id": id,
            "now_us": now.as_nanos() / 1_000,
            "random": self.random(),
            "question": question,
        });
        let said = self.say(&message, "effects").and_then(|said| {
            told::<Effects>(said, r#"{"type": "effects", "id": …, "effects": […]}"#)
        });
        let told = said.map_err(|unfit| self.error(Some(now), unfit))?;
        if told.id != id {
            let what = format!(
                "this is an answer to question {}, and question {id} was asked",
                told.id
            );
            let help =
                "answer each question once, with its id, and write nothing else to standard output";
            return Err(self.error(Some(now), Unfit::new(what, help)));
        }
        if told.effects.len() > MAX_EFFECTS {
            let what = format!(
                "the answer has {} effects, the most is {MAX_EFFECTS}",
                told.effects.len()
            );
            return Err(self.error(Some(now), Unfit::new(what, "say less at once")));
        }
        Ok(told.effects)
    }

    /// What went wrong, and where; `now` is the time of the last question, if there was one.
    pub(crate) fn error(&mut self, now: Option<Time>, unfit: Unfit) -> Box<ProgramError> {
        // The first line answers the greeting.
        let line = self.asked + 1;
        let place = match now {
            Some(now) => format!(
                "at line {line} of its output, in answer to question {} at {now}",
                self.asked
            ),
            None => format!("at line {line} of its output, in answer to the greeting"),
        };
        Box::new(ProgramError {
            who: Outsider::Program,
            name: self.program.name.clone(),
            command: self.program.shown(),
            place,
            unfit,
            last_words: self.dialogue.last_words(),
        })
    }

    /// Says an object, and gives back the object that is said to it, if that is of the right type.
    fn say(&mut self, message: &Value, expected: &str) -> Result<Value, Unfit> {
        let said = self.dialogue.ask(&message.to_string())?;
        let mut value: Value = serde_json::from_str(&said).map_err(|error| {
            let what = format!("expected a JSON object, found {}: {error}", shown(&said));
            let help = if ["NaN", "Infinity"].iter().any(|word| said.contains(word)) {
                "JSON has no NaN and no infinity: leave such a number out"
            } else {
                "write one JSON object a line to standard output, and everything else to standard error"
            };
            Unfit::new(what, help)
        })?;
        let found = value.as_object_mut().and_then(|it| it.remove("type"));
        match found {
            Some(Value::String(found)) if found == expected => Ok(value),
            _ => {
                let what = format!(
                    "expected an object of type `{expected}`, found {}",
                    shown(&said)
                );
                let help = "answer in turns: `ready` to the greeting, `effects` to each question";
                Err(Unfit::new(what, help))
            }
        }
    }

    /// A whole number below 2⁵³, which any language can hold: of the run's seed, the program's name and the question.
    fn random(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.program.seed.to_le_bytes());
        hasher.update(&self.asked.to_le_bytes());
        hasher.update(self.program.name.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first) >> 11
    }
}

/// An object as its struct; unknown and missing fields are mistakes.
fn told<'a, T: Deserialize<'a>>(said: Value, expected: &str) -> Result<T, Unfit> {
    T::deserialize(said).map_err(|error| {
        let what = format!("expected {expected}: {error}");
        Unfit::new(what, "look at the protocol in the documentation")
    })
}

/// The beginning of what a program said, as text in quotes.
fn shown(said: &str) -> String {
    match said.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{:?} and {} bytes more", &said[..cut], said.len() - cut),
        None => format!("{said:?}"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;
    use crate::program::ProgramMode;

    /// Says what was prepared, and keeps what it hears.
    struct Script {
        says: Vec<&'static str>,
        heard: Rc<RefCell<Vec<Value>>>,
    }

    impl Dialogue for Script {
        fn ask(&mut self, line: &str) -> Result<String, Unfit> {
            assert!(!line.contains('\n'), "a message is one line");
            self.heard
                .borrow_mut()
                .push(serde_json::from_str(line).unwrap());
            Ok(self.says.remove(0).to_owned())
        }
    }

    fn with(seed: u64, says: &[&'static str]) -> (Script, Program, Rc<RefCell<Vec<Value>>>) {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let script = Script {
            says: says.to_vec(),
            heard: Rc::clone(&heard),
        };
        let program = Program {
            name: "judge".to_owned(),
            command: vec!["sh".to_owned(), "judge.sh".to_owned()],
            mode: ProgramMode::Deterministic,
            limit: Duration::from_secs(1),
            seed,
        };
        (script, program, heard)
    }

    const READY: &str = r#"{"type":"ready","version":1}"#;

    fn answer_to(says: &[&'static str]) -> Result<Vec<Value>, String> {
        let (script, program, _) = with(7, says);
        let greeted = Companion::greet(program, Box::new(script), &json!({}));
        let mut companion = greeted.map_err(|error| error.to_string())?;
        let asked = companion.ask(Time::from_secs(60), &json!({"what": 1}));
        asked.map_err(|error| error.to_string())
    }

    #[test]
    fn a_question_has_time_and_chance_and_is_answered_by_effects() {
        let answer = r#"{"type":"effects","id":1,"effects":[{"log":"x"}]}"#;
        let (script, program, heard) = with(7, &[READY, answer]);
        let mut companion = Companion::greet(program, Box::new(script), &json!({"a": 1})).unwrap();
        let effects = companion
            .ask(Time::from_secs(60), &json!({"b": 2}))
            .unwrap();
        assert_eq!(effects, [json!({"log": "x"})]);
        let heard = heard.borrow();
        assert_eq!(
            heard[0],
            json!({"type": "hello", "protocol": "dacapo-process", "version": 1, "name": "judge", "about": {"a": 1}})
        );
        assert_eq!(heard[1]["now_us"], 60_000_000);
        assert_eq!(heard[1]["question"], json!({"b": 2}));
    }

    /// Numbers that two questions, two seeds or two programs share fail here.
    #[test]
    fn chance_follows_from_the_seed_the_program_and_the_question() {
        let drawn = |seed, name: &str, asked| {
            let (script, mut program, _) = with(seed, &[]);
            program.name = name.to_owned();
            let dialogue = Box::new(script);
            Companion {
                program,
                dialogue,
                asked,
            }
            .random()
        };
        let first = drawn(1, "a", 1);
        assert_eq!(first, drawn(1, "a", 1));
        assert!(first < 1 << 53);
        for other in [drawn(2, "a", 1), drawn(1, "b", 1), drawn(1, "a", 2)] {
            assert_ne!(first, other);
        }
    }

    /// Each of these, taken for an answer, fails here.
    #[test]
    fn what_is_no_answer_is_told_with_its_line_and_what_to_do() {
        let cases: [(&[&'static str], &str); 8] = [
            (
                &["hello!"],
                "line 1 of its output, in answer to the greeting: expected a JSON object, found \"hello!\"",
            ),
            (
                &[r#"{"type":"ready","version":2}"#],
                "it speaks version 2 of the protocol, this program version 1",
            ),
            (
                &[r#"{"type":"ready","version":1,"x":1}"#],
                "unknown field `x`",
            ),
            (
                &[READY, r#"{"type":"ready","version":1}"#],
                "expected an object of type `effects`",
            ),
            (
                &[READY, r#"{"type":"effects","id":2,"effects":[]}"#],
                "answer to question 2, and question 1 was asked",
            ),
            (
                &[READY, r#"{"type":"effects","id":1}"#],
                "line 2 of its output, in answer to question 1 at 00:01:00.000",
            ),
            (
                &[
                    READY,
                    r#"{"type":"effects","id":1,"effects":[{"publish":{"confidence":NaN}}]}"#,
                ],
                "JSON has no NaN",
            ),
            (&[READY, "\u{1b}[31m"], r#"found "\u{1b}[31m""#),
        ];
        for (says, expected) in cases {
            let error = answer_to(says).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(
                error.starts_with("the program of judge (`sh judge.sh`) at line"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_answer_has_a_bound() {
        let many = format!(
            r#"{{"type":"effects","id":1,"effects":[{}]}}"#,
            ["1"; 65].join(",")
        );
        let error = answer_to(&[READY, String::leak(many)]).unwrap_err();
        assert!(error.contains("65 effects, the most is 64"), "{error}");
    }
}

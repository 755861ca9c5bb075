//! Deciding again what a service outside decided in a recorded run, with a question that is put otherwise.
//!
//! A system says which kinds of decisions a log has, how each is put to the service, and what a reply would come to. Who
//! asks, how often and what that may cost is not decided here.

use crate::event::Event;
use crate::id::Seq;
use crate::program::{Service, Unfit};

/// What was decided, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The decision in a word.
    pub word: String,
    /// Whether something is done because of it.
    pub acts: bool,
}

/// A decision that a log has.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The event that asked the service.
    pub asked: Seq,
    /// The event that says what was decided.
    pub decided: Seq,
    /// What it was about, in a line.
    pub about: String,
    /// What was decided.
    pub ruling: Ruling,
    /// Who was asked.
    pub service: Service,
    /// The new question, as a line for the [`Dialogue`](crate::Dialogue) with the service.
    pub question: String,
    /// What the whole question is recognised by.
    pub request: String,
}

/// What a reply comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// What would be decided; none if the service could not be asked or failed.
    pub ruling: Option<Ruling>,
    /// Whether the reply is as it must be, and not only taken for something.
    pub is_valid: bool,
    /// What it says, or what went wrong.
    pub text: String,
    /// Tokens of the question, as the service counts them.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the reply.
    pub reply_tokens: Option<u64>,
    /// What it cost in dollars; none if that is not known.
    pub cost: Option<f64>,
    /// After how many seconds the service wants to be asked again, if it was asked too often.
    pub retry_after_s: Option<u64>,
}

/// Decisions of one kind that a log has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionKind {
    /// What it is chosen by.
    pub name: String,
    /// How many can be put again.
    pub decisions: u64,
    /// How many cannot: no reply led to them, or the log has no question to render anew.
    pub passed_over: u64,
}

/// Finds the decisions of a log, in the words of a system whose events are `E`.
pub trait Rehearing<E> {
    /// Takes note of the next event of the log.
    fn see(&mut self, event: &Event<E>);

    /// The kinds of decisions that a service may make in this run, also those of which the log has none. The one that is
    /// meant where nobody says which comes first.
    fn kinds(&self) -> Vec<DecisionKind>;

    /// Puts the decisions of a kind with another template.
    ///
    /// # Errors
    /// In words, what is wrong with the template; or that there is no such kind.
    fn put(self: Box<Self>, kind: &str, template: &str) -> Result<Box<dyn Rehearsal>, String>;
}

/// The decisions of one kind, put again.
pub trait Rehearsal {
    /// What is done because of a ruling that acts: one, and several.
    fn acts(&self) -> (&'static str, &'static str);

    /// What the new questions are made from is recognised by, and what the recorded ones were made from.
    fn templates(&self) -> (String, String);

    /// The decisions, in their order.
    fn decided(&self) -> Vec<Decided>;

    /// What a line that the service said would come to.
    ///
    /// # Errors
    /// If it is no reply.
    fn hear(&self, decided: &Decided, said: &str) -> Result<Heard, Unfit>;
}

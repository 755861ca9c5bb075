//! The decisions of recorded runs, put again with another template: read from logs, asked, and counted.
//!
//! A decision *flips* if at least half of its replies come to another ruling than the recorded one. A tie counts
//! against the new template. Nothing here knows what is decided, and nothing here asks by itself.

mod replies;
mod wilson;

use dacapo_kernel::log::Reader;
use dacapo_kernel::{
    BoxedStorage, Decided, DecisionKind, Events, Heard, Rehearing, Rehearsal, Ruling, RunError,
    System, plan_of,
};

pub use self::replies::{GivenReplies, RepliesError, SavedReply};
pub use self::wilson::Share;

/// What one log has of decisions, of every kind.
pub struct Recorded<S: System> {
    /// The log, as it was named.
    pub log: String,
    /// The kinds of decisions that a service may make in its run; the one that is meant unless said otherwise first.
    pub kinds: Vec<DecisionKind>,
    rehearing: Box<dyn Rehearing<S::Event>>,
}

/// The decisions of one kind of one log, and what was replied so far.
pub struct Docket {
    /// The log, as it was named.
    pub log: String,
    /// Its decisions, in their order.
    pub decided: Vec<Decided>,
    /// Of each, what was replied.
    pub heard: Vec<Vec<Heard>>,
    /// Decisions that cannot be put again: no reply led to them, or the log has no question to render anew.
    pub passed_over: u64,
    /// What replies come to.
    pub rehearsal: Box<dyn Rehearsal>,
}

/// Why a log's decisions cannot be read.
#[derive(Debug)]
pub enum RecordedError {
    /// The system decides nothing by a service.
    NoDecisions,
    /// The log cannot be read.
    Log(RunError),
}

impl<S: System> Recorded<S> {
    /// Reads the decisions of a log. No code of a run is run.
    ///
    /// # Errors
    /// If the log is damaged, or is of another system.
    pub fn read(
        log: String,
        mut reader: Reader<BoxedStorage>,
    ) -> Result<Recorded<S>, RecordedError> {
        let plan = plan_of::<S>(&mut reader).map_err(RecordedError::Log)?;
        let mut rehearing = S::rehearing(&plan).ok_or(RecordedError::NoDecisions)?;
        let mut events = Events::<S::Event>::new(reader);
        while let Some(event) = events.next().map_err(RecordedError::Log)? {
            rehearing.see(&event);
        }
        Ok(Recorded {
            log,
            kinds: rehearing.kinds(),
            rehearing,
        })
    }

    /// Its decisions of a kind by name, if its run has such a kind at all.
    pub fn of(&self, kind: &str) -> Option<&DecisionKind> {
        self.kinds.iter().find(|it| it.name == kind)
    }

    /// Puts the decisions of a kind with another template.
    ///
    /// # Errors
    /// In words, what is wrong with the template; or that there is no such kind.
    pub fn put(self, kind: &str, template: &str) -> Result<Docket, String> {
        let passed_over = self.of(kind).map_or(0, |it| it.passed_over);
        let rehearsal = self.rehearing.put(kind, template)?;
        let decided = rehearsal.decided();
        Ok(Docket {
            log: self.log,
            heard: vec![Vec::new(); decided.len()],
            decided,
            passed_over,
            rehearsal,
        })
    }
}

impl Docket {
    /// What the replies of each decision come to, in their order.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let pairs = self.decided.iter().zip(&self.heard);
        pairs
            .map(|(decided, heard)| Outcome::of(decided, heard))
            .collect()
    }

    /// Everything counted.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.outcomes().iter().for_each(|it| tally.add_outcome(it));
        self.heard
            .iter()
            .flatten()
            .for_each(|it| tally.add_reply(it));
        tally.decisions = self.decided.len() as u64;
        tally.passed_over = self.passed_over;
        tally
    }
}

/// What the replies to one decision come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Replies that came; those that failed are left out.
    pub replies: u64,
    /// Those with another ruling than the recorded one.
    pub differ: u64,
    /// The other ruling that came most often, if any did; of two as frequent ones the first.
    pub other: Option<String>,
    /// Whether at least half differ.
    pub flips: bool,
    /// Whether nothing was done because of it, and something would be by at least half of the replies.
    pub begins: bool,
    /// Whether something was done because of it, and nothing would be by at least half of the replies.
    pub ends: bool,
}

impl Outcome {
    fn of(decided: &Decided, heard: &[Heard]) -> Outcome {
        let rulings: Vec<&Ruling> = heard.iter().filter_map(|it| it.ruling.as_ref()).collect();
        let count =
            |is: &dyn Fn(&Ruling) -> bool| rulings.iter().filter(|it| is(it)).count() as u64;
        let recorded = &decided.ruling;
        let replies = rulings.len() as u64;
        let differ = count(&|it| it.word != recorded.word);
        let acts_otherwise = count(&|it| it.acts != recorded.acts);
        let most = |share: u64| replies > 0 && 2 * share >= replies;
        let others = rulings.iter().filter(|it| it.word != recorded.word);
        let other = others
            .map(|it| (count(&|one| one.word == it.word), &it.word))
            // The last of the greatest would win.
            .rev()
            .max_by_key(|(count, _)| *count);
        Outcome {
            replies,
            differ,
            other: other.map(|(_, word)| word.clone()),
            flips: most(differ),
            begins: !recorded.acts && most(acts_otherwise),
            ends: recorded.acts && most(acts_otherwise),
        }
    }
}

/// Decisions and replies, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Decisions that can be put again.
    pub decisions: u64,
    /// Decisions that cannot.
    pub passed_over: u64,
    /// Decisions to which at least one reply came.
    pub heard: u64,
    /// Of these, those that flip.
    pub flips: u64,
    /// Of these, those because of which something would be done that was not.
    pub begins: u64,
    /// Of these, those because of which something would no longer be done.
    pub ends: u64,
    /// Replies that came.
    pub replies: u64,
    /// Of these, those that are not as they must be.
    pub invalid: u64,
    /// Questions to which none came.
    pub failed: u64,
    /// Tokens of questions, where the service counts them.
    pub prompt_tokens: u64,
    /// Tokens of replies, where the service counts them.
    pub reply_tokens: u64,
    /// What the replies cost in dollars, as far as it is known.
    pub cost: f64,
    /// Replies whose cost is not known.
    pub unpriced: u64,
}

impl Tally {
    fn add_outcome(&mut self, outcome: &Outcome) {
        self.heard += u64::from(outcome.replies > 0);
        self.flips += u64::from(outcome.flips);
        self.begins += u64::from(outcome.begins);
        self.ends += u64::from(outcome.ends);
    }

    fn add_reply(&mut self, heard: &Heard) {
        match heard.ruling {
            None => self.failed += 1,
            Some(_) => {
                self.replies += 1;
                self.invalid += u64::from(!heard.is_valid);
                self.unpriced += u64::from(heard.cost.is_none());
            }
        }
        let tokens = |sum: u64, some: Option<u64>| sum.saturating_add(some.unwrap_or(0));
        self.prompt_tokens = tokens(self.prompt_tokens, heard.prompt_tokens);
        self.reply_tokens = tokens(self.reply_tokens, heard.reply_tokens);
        self.cost += heard.cost.unwrap_or(0.0);
    }

    /// Both together.
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            decisions: self.decisions + other.decisions,
            passed_over: self.passed_over + other.passed_over,
            heard: self.heard + other.heard,
            flips: self.flips + other.flips,
            begins: self.begins + other.begins,
            ends: self.ends + other.ends,
            replies: self.replies + other.replies,
            invalid: self.invalid + other.invalid,
            failed: self.failed + other.failed,
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            reply_tokens: self.reply_tokens.saturating_add(other.reply_tokens),
            cost: self.cost + other.cost,
            unpriced: self.unpriced + other.unpriced,
        }
    }

    /// Decisions that flip, of those to which a reply came.
    pub fn flip_share(&self) -> Share {
        Share::new(self.flips, self.heard)
    }

    /// Decisions because of which something would be done that was not.
    pub fn begin_share(&self) -> Share {
        Share::new(self.begins, self.heard)
    }

    /// Decisions because of which something would no longer be done.
    pub fn end_share(&self) -> Share {
        Share::new(self.ends, self.heard)
    }

    /// Replies that are not as they must be, of those that came.
    pub fn invalid_share(&self) -> Share {
        Share::new(self.invalid, self.replies)
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{Seq, Service};

    use super::*;

    fn ruling(word: &str) -> Ruling {
        Ruling {
            word: word.to_owned(),
            acts: word == "go",
        }
    }

    fn outcome(recorded: &str, replies: &[&str]) -> Outcome {
        let decided = Decided {
            asked: Seq(1),
            decided: Seq(2),
            about: String::new(),
            ruling: ruling(recorded),
            service: Service {
                name: String::new(),
                settings: serde_json::Value::Null,
                recorded: None,
            },
            question: String::new(),
            request: String::new(),
        };
        let heard = |word: &&str| Heard {
            ruling: (*word != "failed").then(|| ruling(word)),
            ..Heard::default()
        };
        Outcome::of(&decided, &replies.iter().map(heard).collect::<Vec<_>>())
    }

    // Fails if a minority flips a decision, a tie does not, a failed question counts as a reply, or a change of words
    // alone is taken for something that is done or not done.
    #[test]
    fn half_of_the_replies_flip_a_decision() {
        let it = outcome("stop", &["go", "stop", "stop", "failed"]);
        assert_eq!(
            (it.replies, it.differ, it.flips, it.begins),
            (3, 1, false, false)
        );
        let it = outcome("stop", &["go", "stop", "failed"]);
        assert_eq!((it.flips, it.begins, it.ends), (true, true, false));
        let it = outcome("go", &["stop", "halt", "halt"]);
        assert_eq!((it.flips, it.begins, it.ends), (true, false, true));
        assert_eq!(it.other.as_deref(), Some("halt"));
        let it = outcome("halt", &["stop"]);
        assert_eq!((it.flips, it.begins, it.ends), (true, false, false));
        assert_eq!(outcome("go", &["failed"]), Outcome::default());
    }
}

//! What a store holds, as tables: the plain [`model`](super::model) of them and SQLite do the same.
//!
//! One commit is one transaction: all of it is done or nothing. What goes wrong on purpose, what is told
//! in the log and when to try again is not decided here.

use super::intent::Intent;
use super::record::Record;
use super::{LegStatus, StoredLeg};
use crate::message::Instant;
#[cfg(test)]
use crate::message::Name;
use crate::rebalance::Leg;

/// How many commits can be taken back.
pub(super) const KEPT_COMMITS: usize = 16;

/// What is to be written in one transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Write<'a> {
    /// The coordinator, in place of what was saved of it before.
    State(&'a Record),
    /// A trade, although there may be one of the same key.
    Leg(&'a Leg),
    /// Trades, except those of which there is one of the same key.
    Legs(&'a [Leg]),
    /// How far the trade of a number has come; nothing if there is none.
    Mark(u64, LegStatus),
    /// That an order is about to be sent.
    Intent(&'a Intent),
    /// How the order of an intent went; nothing if there is no such intent.
    Outcome(&'a str, &'a str),
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Committed {
    /// The trades that are new: the place of each among those that were to be written, and its number.
    pub(super) stored: Vec<(usize, u64)>,
    /// What is to be done next.
    pub(super) agenda: Agenda,
}

/// What is to be done next with the stored trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agenda {
    /// When the next pending one is due.
    pub(super) next_due: Option<Instant>,
    /// Whether there are some of which nobody noted what became of them.
    pub(super) under_way: bool,
}

/// Which stored trades are meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// All, by number.
    All,
    /// The pending ones that are due, by time, batch and number.
    DueAt(Instant),
    /// Those of which nobody noted what became of them, by number.
    UnderWay,
}

/// What the tables did not do, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TableError {
    /// The operation failed and changed nothing; the same may work later.
    #[error("{0}")]
    Failed(String),
    /// What was committed is not there any more.
    #[error(transparent)]
    Lost(#[from] Loss),
}

/// How what was committed got lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It cannot be read, or is no store.
    #[error("the store is damaged")]
    Corrupt,
    /// There is none, although there was one.
    #[error("the store is gone, although it existed")]
    Gone,
    /// It is older than what was committed to it.
    #[error("the store was put back to an earlier time")]
    RolledBack,
    /// It is of a later version of this program.
    #[error("the store was written by a later version of this program")]
    Newer,
}

impl Loss {
    /// Every one, in the order of their numbers in a log.
    const ALL: [Loss; 4] = [Loss::Corrupt, Loss::Gone, Loss::RolledBack, Loss::Newer];

    /// What the number of the last commit that is there says, if the last one that was made is `mark`.
    pub(super) fn by_number(number: u64, mark: u64) -> Result<(), TableError> {
        match number {
            // Whoever was killed between a commit and its mark is one ahead.
            _ if number >= mark => Ok(()),
            0 => Err(Loss::Gone.into()),
            _ => Err(Loss::RolledBack.into()),
        }
    }

    /// The loss of that name.
    pub fn from_name(name: &str) -> Option<Loss> {
        Loss::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// The name by which an alert and a halt tell it.
    pub const fn name(self) -> &'static str {
        match self {
            Loss::Corrupt => "store_unreadable",
            Loss::Gone => "store_gone",
            Loss::RolledBack => "store_rolled_back",
            Loss::Newer => "store_newer",
        }
    }
}

impl TableError {
    /// The number under which a log keeps what really happened.
    pub(super) fn code(&self) -> u64 {
        match self {
            TableError::Failed(_) => 0,
            TableError::Lost(lost) => 1 + *lost as u64,
        }
    }

    /// What a log keeps under a number.
    pub(super) fn from_code(code: u64) -> TableError {
        let lost = usize::try_from(code)
            .ok()
            .and_then(|code| code.checked_sub(1))
            .and_then(|code| Loss::ALL.get(code));
        match lost {
            Some(lost) => TableError::Lost(*lost),
            None => TableError::Failed("as recorded".to_owned()),
        }
    }
}

/// The tables of one store, and the mark beside them that counts the commits.
///
/// The mark outlives whatever happens to the tables: from it they know that they are older than they
/// should be, or not there although they were.
pub(super) trait Tables {
    /// Does a transaction.
    ///
    /// # Errors
    /// If it was not done; then nothing of it was.
    fn commit(&mut self, write: Write<'_>) -> Result<Committed, TableError>;

    /// Whether everything is there that was committed. Asked when a coordinator begins; what is missing
    /// is told until the next commit.
    ///
    /// # Errors
    /// If it is not, or cannot be said.
    fn check(&mut self) -> Result<(), TableError>;

    /// What is saved of the coordinator.
    ///
    /// # Errors
    /// If it cannot be read.
    fn state(&mut self) -> Result<Option<Record>, TableError>;

    /// The stored trades.
    ///
    /// # Errors
    /// If they cannot be read.
    fn legs(&mut self, which: Which) -> Result<Vec<StoredLeg>, TableError>;

    /// The orders of which nobody noted how they went, by key.
    ///
    /// # Errors
    /// If they cannot be read.
    fn open_intents(&mut self) -> Result<Vec<Intent>, TableError>;

    /// How the order of an intent went: nothing if there is no such intent, or nobody knows yet.
    #[cfg(test)]
    fn outcome(&mut self, key: &str) -> Result<Option<Name>, TableError>;

    /// What is to be done next.
    ///
    /// # Errors
    /// If it cannot be read.
    fn agenda(&mut self) -> Result<Agenda, TableError>;

    /// Takes back the last commits, at most [`KEPT_COMMITS`]. The mark stays.
    ///
    /// # Errors
    /// If they cannot be taken back.
    fn roll_back(&mut self, commits: u64) -> Result<(), TableError>;

    /// Begins with empty tables; what was there is put aside where it may still be of use. The mark stays.
    ///
    /// # Errors
    /// If it cannot be done.
    fn begin_anew(&mut self) -> Result<(), TableError>;
}

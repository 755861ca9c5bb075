//! The tables as plain lists: what campaigns use, and what SQLite is held against.

mod legs;

use std::collections::BTreeMap;

use super::intent::Intent;
use super::record::Record;
use super::tables::{Agenda, Committed, KEPT_COMMITS, Loss, TableError, Tables, Which, Write};
use super::{LegStatus, StoredLeg};
use crate::message::Name;

use legs::Legs;

/// The tables in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    state: Option<Record>,
    legs: Legs,
    intents: BTreeMap<Name, Noted>,
    /// The number of the last commit that is there, and of the last that was made.
    number: u64,
    mark: u64,
    /// How to take back the last commits, the newest last.
    undo: Vec<Vec<Undo>>,
}

#[derive(Clone, Debug)]
struct Noted {
    intent: Intent,
    outcome: Option<Name>,
}

/// How a change is taken back.
#[derive(Clone, Debug)]
enum Undo {
    /// The state was this.
    State(Box<Option<Record>>),
    /// This trade was not there.
    Leg(u64),
    /// This trade had this status.
    Status(u64, LegStatus),
    /// This intent was not there.
    Intent(Name),
    /// This intent had this outcome.
    Outcome(Name, Option<Name>),
    /// The last commit was this one.
    Number(u64),
}

impl Model {
    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::State(before) => self.state = *before,
            Undo::Leg(id) => self.legs.remove(id),
            Undo::Status(id, before) => drop(self.legs.mark(id, before)),
            Undo::Intent(key) => drop(self.intents.remove(&key)),
            Undo::Outcome(key, before) => {
                if let Some(noted) = self.intents.get_mut(&key) {
                    noted.outcome = before;
                }
            }
            Undo::Number(before) => self.number = before,
        }
    }
}

impl Tables for Model {
    fn commit(&mut self, write: Write<'_>) -> Result<Committed, TableError> {
        let mut committed = Committed::default();
        let mut undo = vec![Undo::Number(self.number)];
        match write {
            Write::State(record) => {
                let before = self.state.replace(record.clone());
                undo.push(Undo::State(Box::new(before)));
            }
            Write::Leg(leg) => {
                let id = self.legs.put(leg);
                committed.stored.push((0, id));
                undo.push(Undo::Leg(id));
            }
            Write::Legs(legs) => {
                for (place, leg) in legs.iter().enumerate() {
                    if self.legs.has(&leg.key) {
                        continue;
                    }
                    let id = self.legs.put(leg);
                    committed.stored.push((place, id));
                    undo.push(Undo::Leg(id));
                }
            }
            Write::Mark(id, status) => {
                if let Some(before) = self.legs.mark(id, status) {
                    undo.push(Undo::Status(id, before));
                }
            }
            Write::Intent(intent) => {
                if self.intents.contains_key(&intent.key) {
                    return Err(TableError::Failed(format!(
                        "the intent {} is there already",
                        intent.key
                    )));
                }
                let noted = Noted {
                    intent: intent.clone(),
                    outcome: None,
                };
                self.intents.insert(intent.key.clone(), noted);
                undo.push(Undo::Intent(intent.key.clone()));
            }
            Write::Outcome(key, outcome) => {
                if let Some(noted) = self.intents.get_mut(key) {
                    let before = noted.outcome.replace(outcome.into());
                    undo.push(Undo::Outcome(noted.intent.key.clone(), before));
                }
            }
        }
        self.mark += 1;
        self.number = self.mark;
        if self.undo.len() == KEPT_COMMITS {
            self.undo.remove(0);
        }
        self.undo.push(undo);
        committed.agenda = self.legs.agenda();
        Ok(committed)
    }

    fn check(&mut self) -> Result<(), TableError> {
        Loss::by_number(self.number, self.mark)
    }

    fn state(&mut self) -> Result<Option<Record>, TableError> {
        Ok(self.state.clone())
    }

    fn legs(&mut self, which: Which) -> Result<Vec<StoredLeg>, TableError> {
        Ok(match which {
            Which::All => self.legs.all().to_vec(),
            Which::UnderWay => self.legs.under_way().cloned().collect(),
            Which::DueAt(now) => self.legs.due_at(now).cloned().collect(),
        })
    }

    fn open_intents(&mut self) -> Result<Vec<Intent>, TableError> {
        let open = self
            .intents
            .values()
            .filter(|noted| noted.outcome.is_none());
        Ok(open.map(|noted| noted.intent.clone()).collect())
    }

    #[cfg(test)]
    fn outcome(&mut self, key: &str) -> Result<Option<Name>, TableError> {
        Ok(self
            .intents
            .get(key)
            .and_then(|noted| noted.outcome.clone()))
    }

    fn agenda(&mut self) -> Result<Agenda, TableError> {
        Ok(self.legs.agenda())
    }

    fn roll_back(&mut self, commits: u64) -> Result<(), TableError> {
        for _ in 0..commits {
            let Some(commit) = self.undo.pop() else { break };
            for undo in commit.into_iter().rev() {
                self.take_back(undo);
            }
        }
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), TableError> {
        *self = Model {
            mark: self.mark,
            ..Model::default()
        };
        Ok(())
    }
}

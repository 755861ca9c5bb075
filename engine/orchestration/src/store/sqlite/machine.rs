//! SQLite against the plain model: whatever is written, fails, is put back or begun anew, the two hold
//! the same and answer the same.
//!
//! A failure here is a real one of SQLite: another connection holds the lock, no page is left, a row is
//! refused, a statement is stopped midway. A commit that fails must have changed nothing.
//!
//! `PROPTEST_CASES=100000 cargo test --release -p dacapo-orchestration --lib store::sqlite::machine` is
//! the long form.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use rusqlite::Connection;

use super::samples::{KEYS, intent, leg, record};
use super::*;
use crate::store::model::Model;

/// Cases where nobody asks for another number.
const CASES: u32 = 64;

/// One thing that happens to both.
#[derive(Clone, Debug)]
enum Step {
    /// A transaction, and what stands in its way.
    Commit(Owned, Fault),
    /// The same transaction twice: whoever was told that it failed tries again.
    Again(Owned),
    /// The last commits are taken back.
    RollBack(u64),
    /// What is there is thrown away.
    BeginAnew,
    /// Another process takes the tables over.
    Reopen,
    /// Somebody changes a row behind the program's back; then it begins anew.
    Tamper,
}

/// What is to be written, with nothing borrowed.
#[derive(Clone, Debug)]
enum Owned {
    State(Box<Record>),
    Leg(Leg),
    Legs(Vec<Leg>),
    Mark(u64, LegStatus),
    Intent(Intent),
    Outcome(&'static str, &'static str),
}

impl Owned {
    fn write(&self) -> Write<'_> {
        match self {
            Owned::State(record) => Write::State(record),
            Owned::Leg(leg) => Write::Leg(leg),
            Owned::Legs(legs) => Write::Legs(legs),
            Owned::Mark(id, status) => Write::Mark(*id, *status),
            Owned::Intent(intent) => Write::Intent(intent),
            Owned::Outcome(key, outcome) => Write::Outcome(key, outcome),
        }
    }
}

/// What stands in the way of a commit.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Nothing,
    /// Another connection holds the lock.
    Busy,
    /// No page is left.
    Full,
    ReadOnly,
    /// Reading and writing stop after so many steps of SQLite's machine.
    Stop(u64),
    /// The trade of this number cannot be inserted.
    Row(u64),
}

fn owned() -> impl Strategy<Value = Owned> {
    let status = proptest::sample::select(&LegStatus::ALL[..]);
    let key = proptest::sample::select(&KEYS[..]);
    let outcome = proptest::sample::select(&["filled", "never_arrived"][..]);
    prop_oneof![
        2 => record().prop_map(|record| Owned::State(Box::new(record))),
        1 => leg().prop_map(Owned::Leg),
        3 => proptest::collection::vec(leg(), 0..4).prop_map(Owned::Legs),
        3 => (1..6_u64, status).prop_map(|(id, status)| Owned::Mark(id, status)),
        2 => intent().prop_map(Owned::Intent),
        2 => (key, outcome).prop_map(|(key, outcome)| Owned::Outcome(key, outcome)),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::Nothing),
        1 => Just(Fault::Busy),
        1 => Just(Fault::Full),
        1 => Just(Fault::ReadOnly),
        2 => (0..400_u64).prop_map(Fault::Stop),
        2 => (1..6_u64).prop_map(Fault::Row),
    ]
}

struct Machine;

impl ReferenceStateMachine for Machine {
    type State = ();
    type Transition = Step;

    fn init_state() -> BoxedStrategy<()> {
        Just(()).boxed()
    }

    fn transitions((): &()) -> BoxedStrategy<Step> {
        prop_oneof![
            12 => (owned(), fault()).prop_map(|(owned, fault)| Step::Commit(owned, fault)),
            2 => owned().prop_map(Step::Again),
            1 => (0..20_u64).prop_map(Step::RollBack),
            1 => Just(Step::BeginAnew),
            1 => Just(Step::Reopen),
            1 => Just(Step::Tamper),
        ]
        .boxed()
    }

    fn apply((): (), _: &Step) {}
}

/// The two, and a connection of somebody else to the same tables.
struct Both {
    model: Model,
    sqlite: Sqlite,
    other: Connection,
}

impl Both {
    fn new() -> Both {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("file:/machine-{number}?vfs=memdb");
        let other = Connection::open(&name).expect("memory is there");
        let mut both = Both {
            model: Model::default(),
            sqlite: Sqlite::at(Place::Memory(name), 0, Some(0)),
            other,
        };
        both.reopen();
        both
    }

    fn reopen(&mut self) {
        self.sqlite.db = None;
        // Nobody in a test gives the lock back while somebody waits for it.
        self.db().busy_timeout(Duration::ZERO).expect("it is open");
    }

    fn db(&mut self) -> &mut Connection {
        self.sqlite.db().expect("memory can be opened")
    }

    fn commit(&mut self, write: Write<'_>, fault: Fault) {
        self.inflict(fault);
        let written = self.sqlite.commit(write);
        self.relieve(fault);
        match (fault, &written) {
            (Fault::Busy | Fault::ReadOnly, Ok(_)) => panic!("{fault:?} did not stop {write:?}"),
            // What a fault stopped has changed nothing, which is compared next.
            (Fault::Nothing, _) | (_, Ok(_)) => assert_eq!(
                written.map_err(|_| "refused"),
                self.model.commit(write).map_err(|_| "refused"),
                "{write:?}"
            ),
            (_, Err(TableError::Failed(_))) => {}
            (_, Err(error)) => panic!("{fault:?} is told as {error:?}"),
        }
    }

    fn inflict(&mut self, fault: Fault) {
        match fault {
            Fault::Nothing => {}
            Fault::Busy => self.batch(true, "BEGIN EXCLUSIVE"),
            Fault::Full => {
                // A limit below the present size is taken for the present size.
                let limit = self
                    .db()
                    .pragma_update_and_check(None, "max_page_count", 1, |row| row.get::<_, i64>(0));
                assert!(limit.is_ok_and(|limit| limit > 1), "the limit is set");
            }
            Fault::ReadOnly => self.batch(false, "PRAGMA query_only = ON"),
            Fault::Stop(after) => {
                let mut left = after;
                let stop = move || {
                    let now = left == 1;
                    left = left.saturating_sub(1);
                    now
                };
                self.db()
                    .progress_handler(1, Some(stop))
                    .expect("it is set");
            }
            Fault::Row(id) => self.batch(
                false,
                &format!(
                    "CREATE TEMP TRIGGER no_row BEFORE INSERT ON legs WHEN NEW.id = {id} \
                     BEGIN SELECT RAISE(ABORT, 'no row'); END"
                ),
            ),
        }
    }

    fn relieve(&mut self, fault: Fault) {
        match fault {
            Fault::Nothing => {}
            Fault::Busy => self.batch(true, "ROLLBACK"),
            Fault::Full => {
                let all =
                    self.db()
                        .pragma_update_and_check(None, "max_page_count", 1_000_000, |row| {
                            row.get::<_, i64>(0)
                        });
                assert!(all.is_ok());
            }
            Fault::ReadOnly => self.batch(false, "PRAGMA query_only = OFF"),
            Fault::Stop(_) => {
                let none = None::<fn() -> bool>;
                self.db()
                    .progress_handler(0, none)
                    .expect("it is taken off");
            }
            Fault::Row(_) => self.batch(false, "DROP TRIGGER temp.no_row"),
        }
    }

    fn batch(&mut self, by_other: bool, sql: &str) {
        let db = if by_other { &mut self.other } else { self.db() };
        db.execute_batch(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn tamper(&mut self) {
        let number = self.sqlite.number().expect("it is there");
        self.batch(true, "UPDATE commits SET number = number + 1");
        if number > 0 {
            assert_eq!(self.sqlite.check(), Err(Loss::Corrupt.into()));
        }
        for tables in self.each() {
            tables.begin_anew().expect("memory can be emptied");
        }
        self.reopen();
    }

    fn each(&mut self) -> [&mut dyn Tables; 2] {
        [&mut self.model, &mut self.sqlite]
    }

    fn compare(&mut self) {
        let looks = self.each().map(|tables| {
            let instants = [-2_000_000, 0, 1_000_000, i64::MAX / 4].map(Instant::from_micros);
            let due = instants.map(|at| tables.legs(Which::DueAt(at)));
            (
                tables.check(),
                tables.state(),
                [Which::All, Which::UnderWay].map(|which| tables.legs(which)),
                due,
                tables.open_intents(),
                KEYS.map(|key| tables.outcome(key)),
                tables.agenda(),
            )
        });
        let [model, sqlite] = looks;
        assert_eq!(model, sqlite);
    }
}

impl StateMachineTest for Machine {
    type SystemUnderTest = Both;
    type Reference = Machine;

    fn init_test((): &()) -> Both {
        Both::new()
    }

    fn apply(mut both: Both, (): &(), step: Step) -> Both {
        match &step {
            Step::Commit(owned, fault) => both.commit(owned.write(), *fault),
            Step::Again(owned) => {
                both.commit(owned.write(), Fault::Nothing);
                both.commit(owned.write(), Fault::Nothing);
            }
            Step::RollBack(commits) => {
                for tables in both.each() {
                    tables.roll_back(*commits).expect("memory can be put back");
                }
            }
            Step::BeginAnew => {
                for tables in both.each() {
                    tables.begin_anew().expect("memory can be emptied");
                }
                both.reopen();
            }
            Step::Reopen => both.reopen(),
            Step::Tamper => both.tamper(),
        }
        both.compare();
        both
    }
}

/// Always the same cases, unless `PROPTEST_RNG_SEED` or `PROPTEST_CASES` asks for others.
fn config() -> Config {
    let asked = Config::default();
    let usual = 256;
    Config {
        cases: if asked.cases == usual {
            CASES
        } else {
            asked.cases
        },
        rng_seed: match asked.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed => fixed,
        },
        failure_persistence: None,
        ..asked
    }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn sqlite_does_what_the_model_does(sequential 1..24 => Machine);
}

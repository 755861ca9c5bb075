//! A log as lists of events: those of each block, and those that are not written yet.
//!
//! Where blocks end, and what is durable, goes by what the format and the sync policies say.

use dacapo_kernel::Time;
use dacapo_kernel::log::{Head, SyncPolicy};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest_state_machine::ReferenceStateMachine;

use crate::support::Event;

/// Bytes of records in a block that has more than one.
const BLOCK: usize = 65_536;
/// Bytes of a record before its body.
const RECORD_HEAD: usize = 16;
/// Bytes of a block before its records.
pub(super) const BLOCK_HEAD: usize = 64;

/// A part of a log.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Header,
    Block(Index),
    Footer,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Append {
        len: usize,
        after_ns: u64,
    },
    Sync,
    Close,
    /// The process is killed, and another one goes on with the log.
    Kill,
    /// Everything from a byte of this part on is lost, and somebody goes on with the log.
    Cut {
        part: Part,
        at: Index,
    },
    /// One bit of a copy of the log changes. With `salvaged` what is saved of it becomes the log.
    Flip {
        part: Part,
        at: Index,
        bit: u8,
        salvaged: bool,
    },
    /// One reader goes to one event after the other, some of them behind the end.
    Seek(Vec<Index>),
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) policy: SyncPolicy,
    /// What is in the file.
    pub(super) blocks: Vec<Vec<Event>>,
    /// What the writer keeps until its block is full or a sync is due.
    pending: Vec<Event>,
    /// Appended since the last sync.
    due: u64,
    /// How many events are acknowledged as durable.
    pub(super) durable: usize,
    pub(super) closed: bool,
    /// How many events were ever appended, and the time of the last.
    appended: u64,
    time_ns: u64,
}

impl Model {
    pub(super) fn stored(&self) -> Vec<Event> {
        self.blocks.concat()
    }

    pub(super) fn total(&self) -> usize {
        let stored: usize = self.blocks.iter().map(Vec::len).sum();
        stored + self.pending.len()
    }

    pub(super) fn next_event(&self) -> Option<&Event> {
        self.pending.last().or_else(|| self.blocks.last()?.last())
    }

    fn append(&mut self, event: Event) {
        let fits = size(&self.pending) + size(std::slice::from_ref(&event)) <= BLOCK;
        if !fits && !self.pending.is_empty() {
            self.seal();
            // A full block is synced too, where anything is synced without being asked for.
            if self.policy != SyncPolicy::Never {
                (self.durable, self.due) = (self.total(), 0);
            }
        }
        self.pending.push(event);
        self.due += 1;
        let sync_is_due = match self.policy {
            SyncPolicy::Never => false,
            SyncPolicy::Interval(events) => self.due >= events,
            SyncPolicy::Every => true,
            // Which events are answers is known a storey above.
            SyncPolicy::Answers => false,
        };
        let is_large = size(&self.pending) > BLOCK;
        if sync_is_due || is_large && self.policy != SyncPolicy::Never {
            self.sync();
        } else if is_large {
            self.seal();
        }
    }

    fn seal(&mut self) {
        if !self.pending.is_empty() {
            self.blocks.push(std::mem::take(&mut self.pending));
        }
    }

    fn sync(&mut self) {
        self.seal();
        (self.durable, self.due) = (self.total(), 0);
    }

    /// Somebody goes on with so many blocks.
    fn resume(&mut self, blocks: usize, closed: bool) {
        self.blocks.truncate(blocks);
        self.pending.clear();
        self.closed = closed;
        self.sync();
    }

    /// The first block that is lost with this part.
    fn lost_from(&self, part: &Part) -> usize {
        match part {
            Part::Header => 0,
            Part::Block(index) => index.index(self.blocks.len()),
            Part::Footer => self.blocks.len(),
        }
    }

    fn has(&self, part: &Part) -> bool {
        match part {
            Part::Header => true,
            Part::Block(_) => !self.blocks.is_empty(),
            Part::Footer => self.closed,
        }
    }
}

pub(super) fn size(events: &[Event]) -> usize {
    let sizes = events.iter().map(|event| RECORD_HEAD + event.body.len());
    sizes.sum()
}

/// Which steps there are to take, and what they make of the model.
pub(super) struct Machine;

impl ReferenceStateMachine for Machine {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        let policy = prop_oneof![
            2 => Just(SyncPolicy::Never),
            1 => Just(SyncPolicy::Every),
            3 => (1..9_u64).prop_map(SyncPolicy::Interval),
        ];
        let model = |policy| Model {
            policy,
            blocks: Vec::new(),
            pending: Vec::new(),
            due: 0,
            durable: 0,
            closed: false,
            appended: 0,
            time_ns: 0,
        };
        policy.prop_map(model).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Step> {
        let (closed, at) = (model.closed, any::<Index>);
        // Steps that the log has no part for are not drawn: they would have to be drawn again.
        let has_blocks = u32::from(!model.blocks.is_empty());
        let has_footer = u32::from(closed);
        let nothing = u32::from(has_blocks + has_footer == 0);
        let block = || any::<Index>().prop_map(Part::Block);
        let behind_header = prop_oneof![
            3 * has_blocks + nothing => block(),
            has_footer => Just(Part::Footer),
        ];
        let part = prop_oneof![
            1 => Just(Part::Header),
            6 * has_blocks => block(),
            3 * has_footer => Just(Part::Footer),
        ];
        let len = prop_oneof![
            30 => 0..40_usize,
            1 => 20_000..40_000_usize,
            1 => BLOCK - RECORD_HEAD - 2..BLOCK - RECORD_HEAD + 3,
        ];
        let to_writer = 1 - has_footer;
        prop_oneof![
            30 * to_writer => (len, prop_oneof![Just(0), 1..9_000_u64])
                .prop_map(|(len, after_ns)| Step::Append { len, after_ns }),
            3 * to_writer => Just(Step::Sync),
            2 * to_writer => Just(Step::Close),
            3 => Just(Step::Kill),
            5 * (1 - nothing) => (behind_header, at()).prop_map(|(part, at)| Step::Cut { part, at }),
            8 => (part, at(), 0..8_u8, prop::bool::weighted(0.2))
                .prop_map(|(part, at, bit, salvaged)| Step::Flip { part, at, bit, salvaged }),
            4 => prop::collection::vec(at(), 1..5).prop_map(Step::Seek),
        ]
        .boxed()
    }

    fn preconditions(model: &Model, step: &Step) -> bool {
        match step {
            Step::Append { .. } | Step::Sync | Step::Close => !model.closed,
            Step::Cut { part, .. } | Step::Flip { part, .. } => model.has(part),
            Step::Kill | Step::Seek(_) => true,
        }
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        match step {
            Step::Append { len, after_ns } => {
                model.time_ns += after_ns;
                let number = model.appended;
                model.appended += 1;
                let head = Head {
                    kind: 1 + (number % 2) as u16,
                    version: 1,
                    flags: (number % 3) as u8,
                    time: Time::from_nanos(model.time_ns),
                };
                let body = vec![number as u8; *len];
                model.append(Event { head, body });
            }
            Step::Sync => model.sync(),
            Step::Close => {
                model.sync();
                model.closed = true;
            }
            Step::Kill => model.resume(model.blocks.len(), model.closed),
            Step::Cut { part, .. } => model.resume(model.lost_from(part), false),
            Step::Flip {
                part: Part::Header, ..
            }
            | Step::Flip {
                salvaged: false, ..
            }
            | Step::Seek(_) => {}
            Step::Flip { part, .. } => model.resume(model.lost_from(part), true),
        }
        model
    }
}

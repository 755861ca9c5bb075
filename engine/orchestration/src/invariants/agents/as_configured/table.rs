//! What agents that go by a table may say: the newest row of a symbol, unless that is too old.

use std::collections::BTreeMap;

use dacapo_kernel::Time;

use crate::domain_event::TableRow;
use crate::invariants::agents::replies::Fields;
use crate::message::{Instant, Name, Span};

/// How many rows of an agent and a symbol are kept.
const KEPT: usize = 64;

/// A row that has arrived.
#[derive(Debug)]
pub(super) struct Row {
    at: Time,
    knowable_at: Instant,
    /// What it says, but for its symbol.
    pub(super) fields: Fields,
}

impl Row {
    /// Whether it may be said at some moment of a span.
    pub(super) fn is_young(&self, max_age: Span, (since, _): (Time, Time)) -> bool {
        self.age(self.at.max(since)) <= max_age
    }

    /// Whether it may be too old at some moment of a span.
    pub(super) fn is_old(&self, max_age: Span, (_, now): (Time, Time)) -> bool {
        self.age(now) > max_age
    }

    fn age(&self, at: Time) -> Span {
        Instant::from(at) - self.knowable_at
    }
}

/// The rows that have arrived, by agent and symbol.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<(Name, Name), Vec<Row>>);

impl Rows {
    pub(super) fn see(&mut self, row: &TableRow, at: Time) {
        let object = row.output.0.as_object();
        let fields = object.into_iter().flatten();
        let fields = fields.filter(|(name, value)| *name != "symbol" && !value.is_null());
        let key = (row.agent.clone(), row.symbol.clone());
        let rows = self.0.entry(key).or_default();
        if rows.len() == KEPT {
            rows.remove(0);
        }
        rows.push(Row {
            at,
            knowable_at: row.knowable_at,
            fields: fields
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        });
    }

    /// The rows that an agent may go by at some moment since then; none where it may know of none.
    pub(super) fn known(
        &self,
        agent: &Name,
        symbol: &Name,
        since: Time,
    ) -> impl Iterator<Item = Option<&Row>> {
        let rows = self.0.get(&(agent.clone(), symbol.clone()));
        let rows = rows.map_or(&[][..], Vec::as_slice);
        let surely = rows.partition_point(|row| row.at < since);
        let before = surely.checked_sub(1).map(|at| &rows[at]);
        [before].into_iter().chain(rows[surely..].iter().map(Some))
    }
}

//! What a system has to show of a run: curves over time and lists, each a fold over events.
//!
//! Like properties they see nothing but events, so that a recorded log shows what its run would have
//! shown. Nothing of the replayed path depends on them.

use crate::event::Event;

/// Everything that a system shows of a run.
pub struct Exhibits<E> {
    /// Curves, in the order in which they are shown.
    pub charts: Vec<Chart<E>>,
    /// Lists, in the order in which they are shown.
    pub listings: Vec<Listing<E>>,
}

impl<E> Default for Exhibits<E> {
    fn default() -> Exhibits<E> {
        Exhibits {
            charts: Vec::new(),
            listings: Vec::new(),
        }
    }
}

/// Curves over virtual time that share a scale.
pub struct Chart<E> {
    /// What is shown.
    pub title: String,
    /// What its values are.
    pub scale: Scale,
    /// The curves.
    pub curves: Vec<Curve<E>>,
}

/// What the values of a chart are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A number of something, such as `seconds`.
    Number(&'static str),
    /// One of several names, by its place among them.
    Names(&'static [&'static str]),
}

/// One curve of a chart.
pub struct Curve<E> {
    /// What tells it from the others of its chart.
    pub name: String,
    /// How it is drawn.
    pub shape: Shape,
    /// The numbers of the kinds of event that it is shown; empty for all.
    pub watches: &'static [u16],
    /// Its value from this event on, or at it, if the event says something of it. What is not finite is
    /// not shown.
    pub value: Box<CurveValue<E>>,
}

/// Says which value an event gives a curve, if any.
pub type CurveValue<E> = dyn FnMut(&Event<E>) -> Option<f64>;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A line from value to value.
    Line,
    /// A value holds until the next one.
    Steps,
    /// Only the values themselves.
    Marks,
}

/// A list of what happened, a row for each event that gives one.
pub struct Listing<E> {
    /// What is listed.
    pub title: &'static str,
    /// The heads of its columns.
    pub columns: &'static [&'static str],
    /// The numbers of the kinds of event that it is shown; empty for all.
    pub watches: &'static [u16],
    /// The row that an event gives, if it gives one.
    pub row: Box<ListingRow<E>>,
}

/// Says which row an event gives a list, if any.
pub type ListingRow<E> = dyn FnMut(&Event<E>) -> Option<Vec<String>>;

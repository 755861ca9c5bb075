//! Figures of a run that take more than its last state: folded from its events, after the fact.
//!
//! Like a property, a [`Measure`] sees events and nothing else, so it says the same of a run and of
//! any log. Nothing of it is ever replayed or written to a log; so it may use what replayed code
//! may not, such as square roots and logarithms. How the figures are shown is the caller's affair.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::id::Time;
use crate::section::Section;

/// A fold over the events of a run that ends in figures.
pub trait Measure<E> {
    /// Takes one event into account.
    fn observe(&mut self, event: &Event<E>);

    /// The figures of a run that ends at this time.
    fn finish(self: Box<Self>, end: Time) -> Measured;
}

/// What is wanted of a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The run is also told in two parts, up to this time and after it.
    pub split: Option<Time>,
    /// Whether intervals are wanted, which take many times longer than the figures.
    pub intervals: bool,
}

/// What a measure says of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The whole run; where it was to be split, then what lies before and after.
    pub parts: Vec<Part>,
    /// What most figures come from, point by point.
    pub series: Option<Series>,
    /// What a reader of the figures has to know, in sentences.
    pub notes: Vec<String>,
}

/// The figures of a part of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// From this virtual time on.
    pub from: Time,
    /// Up to this virtual time.
    pub to: Time,
    /// Its figures; every part has the same ones in the same order.
    pub figures: Vec<Measurement>,
    /// What does not fit into figures.
    pub sections: Vec<Section>,
}

/// One figure, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Its name, for tables and files.
    pub name: &'static str,
    /// What its value counts.
    pub unit: Unit,
    /// Its value, always finite; or why it is not defined.
    pub value: Result<f64, String>,
    /// How sure it is, where that is known.
    pub interval: Option<Interval>,
    /// What it means, for people.
    pub meaning: &'static str,
    /// Whether it belongs into a short summary.
    pub is_main: bool,
}

impl Measurement {
    /// A figure. A value that is no number is one that is not defined.
    pub fn new(
        name: &'static str,
        unit: Unit,
        value: Result<f64, String>,
        meaning: &'static str,
    ) -> Measurement {
        let finite = |value: f64| match value.is_finite() {
            true => Ok(value),
            false => Err("it is beyond what a number can hold".to_owned()),
        };
        Measurement {
            name,
            unit,
            value: value.and_then(finite),
            interval: None,
            meaning,
            is_main: false,
        }
    }

    /// The same figure, for a short summary too.
    pub fn main(mut self) -> Measurement {
        self.is_main = true;
        self
    }

    /// The same figure with how sure it is.
    pub fn within(mut self, interval: Option<Interval>) -> Measurement {
        self.interval = interval;
        self
    }
}

/// What the value of a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// A part of a whole: 0.05 is five percent.
    Share,
    /// A number without a unit.
    Ratio,
    /// Seconds.
    Seconds,
    /// An instant of the wall clock: seconds since 1970-01-01T00:00:00Z.
    Instant,
    /// Units with a name.
    Of(&'static str),
}

impl Unit {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Ratio => "ratio",
            Unit::Seconds => "seconds",
            Unit::Instant => "instant",
            Unit::Of(name) => name,
        }
    }
}

/// Between which values a figure lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How often it covers what it should, as a share.
    pub confidence: f64,
}

/// Values over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What each value is.
    pub columns: Vec<&'static str>,
    /// Each point: when, and its values in the order of the columns.
    pub points: Vec<(Time, Vec<f64>)>,
}

/// The figures of one run of many, by name; one that is not defined is absent.
pub type Trial = BTreeMap<String, f64>;

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a value that is no number gets through.
    #[test]
    fn what_is_no_number_is_not_defined() {
        let of = |value| Measurement::new("a", Unit::Ratio, Ok(value), "").value;
        assert_eq!(of(1.5), Ok(1.5));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(of(value).is_err());
        }
    }
}

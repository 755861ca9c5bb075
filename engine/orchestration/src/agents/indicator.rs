//! What rules can read from prices and trades alone: a trend, a crossing, a regime, a mood.
//!
//! Small rolling structs, fed one price or trade at a time and asked for a reading; they know nothing of
//! messages, schedules or the clock. Only `+ - * /` and `sqrt` are used, so that a reading is the same to
//! the last bit on every platform. Whether the rules earn money is not claimed.

mod cross;
mod flow;
mod regime;
mod trend;

use thiserror::Error;

pub use cross::{Cross, Crossing};
pub use flow::{Flow, FlowConfig, Mood, MoodReading};
pub use regime::{Regime, RegimeConfig, RegimeReading, RegimeWindow};
pub use trend::{Bias, Trend, TrendConfig, TrendReading};

/// The longest window of any indicator, in prices or trades.
pub const MAX_WINDOW: usize = 100_000;

/// A setting outside its bounds.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{field}: expected {expected}, found {actual}")]
pub struct IndicatorError {
    /// The setting.
    pub field: &'static str,
    /// What it may be.
    pub expected: &'static str,
    /// What it is.
    pub actual: f64,
}

fn within(
    field: &'static str,
    actual: f64,
    fits: bool,
    expected: &'static str,
) -> Result<(), IndicatorError> {
    if fits {
        Ok(())
    } else {
        Err(IndicatorError {
            field,
            expected,
            actual,
        })
    }
}

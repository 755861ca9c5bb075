//! The paper exchange: prices, orders, fills, balances and positions, as a machine without waiting.
//!
//! Nothing here waits, publishes or draws chance. The caller sleeps between [`PaperExecutor::prepare`] and
//! [`PaperExecutor::complete`], supplies the random draws and publishes what it is told.

mod bar;
mod closing;
mod error;
mod exposure;
mod filling;
mod match_order;
mod order;
mod outcome;
mod paper;
mod paper_config;
mod position;
mod position_book;
mod price_source;
mod quoted;
mod resting;
mod settlement;
#[cfg(test)]
mod tests;

pub use bar::BarOutcome;
pub use closing::Closed;
pub use error::ExecutionError;
pub use exposure::{Exposure, equity};
pub use match_order::Draw;
pub use order::{
    ExecutionId, Fill, IntentId, Order, OrderId, OrderKind, OrderStatus, OrderTerms, Purpose,
    TradeRequest,
};
pub use outcome::{Outcome, Prepared, Progress};
pub use paper::PaperExecutor;
pub use paper_config::{PaperConfig, PaperStats};
pub use position::{
    Backing, CloseReason, ClosedPosition, Direction, NewPosition, Position, PositionId, Trailing,
};
pub use position_book::{PositionBook, TrailingRules, Trigger};
pub use price_source::{PriceMode, PriceSource, PriceSourceConfig, PriceStats};

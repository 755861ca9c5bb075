//! Why an order came to nothing.

use crate::amount::{Amount, AmountError};
use crate::portfolio::{PortfolioError, Shortage};
use crate::symbol::MalformedSymbol;

/// Why an order or a position came to nothing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExecutionError {
    /// No source has a price.
    #[error("no price for {0}: no source has one that is fresh enough")]
    NoPrice(String),
    /// The market is not at the limit price.
    #[error("not filled: the market has not reached the limit price")]
    NotFilled,
    /// The size is zero after rounding to the pair's decimals, or below.
    #[error("the size must be positive, found {0}; ask for more than the pair's smallest size")]
    SizeNotPositive(Amount),
    /// The balance does not suffice.
    #[error(transparent)]
    InsufficientBalance(#[from] Shortage),
    /// A position cannot have this leverage.
    #[error("leverage must be from 1 to 5, found {0}")]
    LeverageLimit(i64),
    /// A limit order without a price.
    #[error("a limit order needs a price")]
    NoLimitPrice,
    /// Too many orders rest already.
    #[error("{0} orders rest already; cancel some")]
    TooManyOrders(usize),
    /// The executor raised an error instead of answering.
    #[error("the executor is down")]
    ExecutorDown,
    /// The symbol has no two sides.
    #[error(transparent)]
    MalformedSymbol(#[from] MalformedSymbol),
    /// A number does not fit.
    #[error(transparent)]
    Arithmetic(#[from] AmountError),
}

impl ExecutionError {
    /// A short name for logs and comparisons.
    pub fn code(&self) -> &'static str {
        match self {
            ExecutionError::NoPrice(_) => "no_price",
            ExecutionError::NotFilled => "not_filled",
            ExecutionError::SizeNotPositive(_) => "size_not_positive",
            ExecutionError::InsufficientBalance(_) => "insufficient_balance",
            ExecutionError::LeverageLimit(_) => "leverage_limit",
            ExecutionError::NoLimitPrice => "no_limit_price",
            ExecutionError::TooManyOrders(_) => "too_many_orders",
            ExecutionError::ExecutorDown => "executor_down",
            ExecutionError::MalformedSymbol(_) => "malformed_symbol",
            ExecutionError::Arithmetic(_) => "arithmetic",
        }
    }
}

impl From<PortfolioError> for ExecutionError {
    fn from(error: PortfolioError) -> ExecutionError {
        match error {
            PortfolioError::Shortage(shortage) => shortage.into(),
            PortfolioError::Arithmetic(error) => error.into(),
        }
    }
}

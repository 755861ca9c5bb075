//! Conformance of the trading rules: recorded cases of the original, replayed through the functions
//! that the product calls.
//!
//! Each case says what the original did (`expected`) and, where the review asks for something else,
//! what its repair does (`seed_expected`). The profile `upstream` must give the first, `review-fixed` the
//! second where there is one. Floats compare bit for bit, decimals by value (unrounded quotients
//! to twelve digits, since the original carries 28 significant ones).

#![expect(
    clippy::unwrap_used,
    reason = "a case that cannot be read must fail its test"
)]

#[path = "vectors_trading/case.rs"]
mod case;
#[path = "vectors_trading/paper_fills.rs"]
mod paper_fills;
#[path = "vectors_trading/position_tracking.rs"]
mod position_tracking;
#[path = "vectors_trading/price_source.rs"]
mod price_source;
#[path = "vectors_trading/rebalance.rs"]
mod rebalance;
#[path = "vectors_trading/risk.rs"]
mod risk;

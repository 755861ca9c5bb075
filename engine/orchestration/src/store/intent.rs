//! An order that is about to be sent, noted before it is: after a crash it is asked for, not repeated.

use crate::message::Name;

/// What is noted of an order before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The name of the order at the exchange, which no other order has.
    pub key: Name,
    /// What it trades.
    pub symbol: Name,
    /// `signal` or `plan`. A scheduled trade is its own intent: its row says how far it has come.
    pub origin: Name,
}

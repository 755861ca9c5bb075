//! Conformance of messages, history, consensus, conflicts, replies and degradation.
//!
//! Each case was recorded from the original. Profile `upstream` must give what it gave, profile
//! `review-fixed` what the review demands; both to the last bit.

mod bus;
mod cases;
mod degradation;
mod message;
mod reply;
mod signal;

//! Campaigns over a small system: a hall with a turnstile that counts who comes in.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod hall;
mod matrix;
mod running;
mod varied;

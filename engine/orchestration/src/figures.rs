//! Figures of a back-test: what a run earned, how unsteadily, and what it cost.
//!
//! They are folded from the events of a run or a log after the fact and are no part of what is
//! replayed; so floating-point functions that simulated code must not use are used here, those of
//! the pinned `libm`, which are the same on every platform. No simulated code reads anything of this.
//! Each definition names its source; `docs/figures.md` lists them for readers.

mod account;
mod bootstrap;
mod conditions;
mod config;
mod cutoff;
mod deflated;
mod drawdown;
mod fold;
mod models;
mod normal;
mod returns;
mod series;
mod tally;
mod told;
mod worth;

#[cfg(test)]
mod expected;

pub use config::{FiguresConfig, ModelPrice, Period};

pub(crate) use cutoff::read_past;
pub(crate) use deflated::across;
pub(crate) use fold::measure;
pub(crate) use worth::worth;

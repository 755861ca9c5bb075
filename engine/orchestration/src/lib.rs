//! The trading orchestration under simulation: bus, coordinator, agents, risk, execution.
//!
//! Ordinary asynchronous code on the kernel's [`Ctx`]; nothing in it knows that it is being
//! simulated. [`Orchestration`] is what the program is given.

pub mod agents;
pub mod amount;
pub mod bar_clock;
pub mod bus;
pub mod clock;
pub mod config;
pub mod coordinator;
pub mod defect;
pub mod domain_event;
pub mod exchange;
pub mod execution;
pub mod figures;
pub mod message;
pub mod model;
pub mod portfolio;
pub mod rebalance;
pub mod risk;
pub mod store;
pub mod symbol;
pub mod views;

mod audit;
mod build;
mod by_name;
mod describe;
pub mod digest;
mod exhibits;
mod faults;
mod feeds;
mod init;
mod invariants;
mod levels;
mod outside;
mod rehearing;
mod sometimes;
mod summary;
mod system;

pub use system::Orchestration;

/// The context of simulated code.
pub type Ctx = dacapo_kernel::Ctx<Orchestration>;

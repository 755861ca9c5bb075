//! `dacapo`: record, replay and examine runs of the trading orchestration.

use std::process::ExitCode;

use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::DomainEvent;
use mimalloc::MiMalloc;

/// A run makes and drops hundreds of thousands of small things; the allocator of many systems takes
/// three times as long for each.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    dacapo_cli::main_with::<Orchestration>(dacapo_models::connect::<DomainEvent>)
}

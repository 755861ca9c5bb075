//! `dacapo`: record, replay and examine runs of the trading orchestration.

use std::process::ExitCode;

use dacapo_orchestration::Orchestration;

fn main() -> ExitCode {
    dacapo_cli::main::<Orchestration>()
}

//! Scenario files, read for a small system of workers that pass parcels on.

mod data_files;
mod hostile;
mod mistakes;
mod overrides;
mod plan_files;
mod refused;
mod resolved;
mod system;

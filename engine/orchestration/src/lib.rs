//! The trading orchestration under simulation: bus, coordinator, agents, risk, execution.

pub mod defect;

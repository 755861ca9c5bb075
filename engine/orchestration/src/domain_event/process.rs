//! What agents that are programs were asked, and what they did.

use serde::{Deserialize, Serialize};

use crate::message::{Instant, Json, Name};

/// An agent that is a program is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessAsked {
    /// The agent.
    pub agent: Name,
    /// The pair that it is asked about.
    pub symbol: Name,
    /// What it is told: an object.
    pub question: Json,
}

/// A program answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessAnswered {
    /// The effects that it wants: a list of objects.
    pub effects: Json,
}

/// An agent that is a program says something for whoever reads the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSaid {
    /// The agent.
    pub agent: Name,
    /// The pair that it was asked about.
    pub symbol: Name,
    /// What it says.
    pub text: String,
}

/// The agent of a task wants to be asked again, besides its schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WakeAsked {
    /// The task.
    pub task: Name,
    /// When.
    pub at: Instant,
}

//! What is done with the runs of any system under simulation: loading a scenario, judging a run,
//! examining a log, explaining a difference. Nothing here knows what a system is about, and
//! nothing here prints.

pub mod fuzz;
pub mod matrix;
pub mod scenario;

mod causes;
mod defects;
mod divergence;
mod examine;
mod filter;
mod group;
mod judgement;
mod plainest;
mod record;
mod swarm;
mod tell;

pub use causes::{Chain, chain_to, for_each, in_short, tell_events};
pub use defects::beyond_profile;
pub use divergence::{Difference, FieldDifference, explain};
pub use examine::{Examined, anything_happened, examine, state_at};
pub use filter::{Filter, KindError, Moment, MomentError, kind_named};
pub use group::Group;
pub use judgement::{Ended, Expectation, Failure, Judgement, catches, judge};
pub use plainest::plainest_plan;
pub use record::{VERSION, body_json, event_json, state_json, tags_of};
pub use swarm::{FaultChoice, Swarm, UnknownFault};
pub use tell::{Line, Names, verdict, waits};

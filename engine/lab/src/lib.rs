//! What is done with the runs of any system under simulation: loading a scenario, judging a run,
//! examining a log, explaining a difference. Nothing here knows what a system is about, and
//! nothing here prints.

pub mod diff;
pub mod explanation;
pub mod export;
pub mod find;
pub mod fork;
pub mod fuzz;
pub mod golden;
pub mod import;
pub mod matrix;
pub mod rehearing;
pub mod report;
pub mod scenario;
mod seek;
pub mod shrink;
pub mod sweep;
pub mod watch;

mod causes;
mod crash_points;
mod defects;
mod divergence;
mod examine;
mod figures;
mod filter;
mod group;
mod judgement;
mod pace;
mod pattern;
mod plainest;
mod plan_file;
mod process;
mod record;
mod swarm;
mod tell;
mod value_path;

pub use causes::{Chain, chain_to, for_each, in_short, tell_events};
pub use crash_points::CrashPoints;
pub use defects::beyond_profile;
pub use divergence::{Difference, FieldDifference, explain};
pub use examine::{Examined, anything_happened, examine, examine_to, state_at};
pub use explanation::{Explanation, explain_event};
pub use figures::{Figured, figures};
pub use filter::{Filter, KindError, Moment, MomentError, kind_named};
pub use group::Group;
pub use judgement::{Ended, Expectation, Failure, Judgement, catches, judge};
pub use pattern::{Condition, Pattern, PatternError};
pub use plainest::plainest_plan;
pub use plan_file::{PlanFileError, plan_file};
pub use process::LINE_BYTES_MAX;
pub use record::{VERSION, body_json, event_json, state_json, tags_of};
pub use seek::for_each_from;
pub use shrink::{ShrinkError, ShrinkOptions, Shrunk, changed_files, shrink};
pub use swarm::{FaultChoice, Swarm, UnknownFault};
pub use tell::{Line, Names, verdict, waits};
pub use value_path::{NoPlace, PathError, ValuePath};

//! The figures that a sweep has a column for, and by what a file of rows is known.

use dacapo_kernel::{Plan, System, Time, Unit, Wanted, World};

use super::vary::Vary;
use crate::scenario::Loaded;

/// A figure that every row has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its value counts.
    pub unit: Unit,
    /// What it means.
    pub meaning: &'static str,
    /// Whether it belongs into a short table.
    pub is_main: bool,
}

/// The figures of the runs of a plan: what is counted first, then what is folded from events. Where both
/// have a figure of one name, it is counted.
pub fn columns<S: System>(plan: &Plan<S::Config>) -> Vec<Column> {
    let measured = S::measure(plan, Wanted::default()).map(|measure| measure.finish(Time::ZERO));
    let parts = measured.iter().flat_map(|measured| measured.parts.first());
    let folded = parts.flat_map(|part| &part.figures).map(|figure| Column {
        name: figure.name,
        unit: figure.unit,
        meaning: figure.meaning,
        is_main: figure.is_main,
    });
    let is_main = measured.is_none();
    let counted = S::figures(&World::default()).into_iter();
    let mut columns: Vec<Column> = counted
        .map(|figure| Column {
            name: figure.name,
            unit: Unit::Ratio,
            meaning: figure.meaning,
            is_main,
        })
        .collect();
    for column in folded {
        if !columns.iter().any(|known| known.name == column.name) {
            columns.push(column);
        }
    }
    columns
}

/// By what rows are known to be of this scenario: its digest, the version of the program, and what varies.
/// The values of what varies are not part of it, so a sweep can go on with more of them.
pub fn digest<S: System>(loaded: &Loaded<S>, vary: &[Vary]) -> String {
    let mut plan = loaded.plan.clone();
    // What is expected of the run as it is written says nothing of others.
    plan.expect.figures.clear();
    if vary.iter().any(Vary::is_seed) {
        plan.seed = 0;
    }
    let plan = serde_json::to_vec(&plan).expect("a plan is plain data with text keys");
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(&plan);
    for one in vary {
        hasher.update(&(one.key.len() as u64).to_le_bytes());
        hasher.update(one.key.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

//! The state at the end of a golden log, kept beside it: so it is noticed when a view reads the same events
//! otherwise.
//!
//! A log `day.dlog.gz` has its `day.state.json`. It is made of the recorded events alone, so no change of what is
//! simulated touches it. What a view tells that it did not tell before is no difference.

use std::path::Path;

use dacapo_kernel::log::Reader;
use dacapo_kernel::{BoxedStorage, Events, Seq, System, World, fold};
use serde_json::Value;

use super::Trouble;
use super::files::{beside, read_beside, replace};
use super::held::Class;
use crate::causes::{Chain, in_short, tell_events};
use crate::divergence::{Difference, compare};

/// The end of the name of the file beside a golden log.
const STATE: &str = ".state.json";

/// How large the file may be, in bytes.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whether the state at the end of a golden log is kept beside it.
pub fn has_state(log: &Path) -> bool {
    beside(log, STATE).exists()
}

/// Keeps the state at the end of a recording beside its log.
///
/// # Errors
/// If the recording cannot be read, or the file not be written.
pub fn keep_state<S: System>(log: &Path, recorded: Reader<BoxedStorage>) -> Result<(), Trouble> {
    let path = beside(log, STATE);
    let told =
        |what: String| Trouble::File(format!("{} cannot be written: {what}", path.display()));
    let (_, state) = at_the_end::<S>(recorded)?;
    let mut text = serde_json::to_string_pretty(&state).map_err(|error| told(error.to_string()))?;
    text.push('\n');
    replace(&path, text.as_bytes()).map_err(|error| told(error.to_string()))
}

/// How the state at the end of a recording differs from the one that is kept beside its log; nothing if it does
/// not, or if none is kept.
pub(super) fn apart<S: System>(
    log: &Path,
    recorded: impl Fn() -> Result<Reader<BoxedStorage>, Trouble>,
) -> Result<Option<Difference>, Trouble> {
    let path = beside(log, STATE);
    let Some(text) = read_beside(&path, BYTES_MAX).map_err(Trouble::File)? else {
        return Ok(None);
    };
    let kept: Value = serde_json::from_str(&text)
        .map_err(|error| Trouble::File(format!("{}: {error}", path.display())))?;
    let (world, state) = at_the_end::<S>(recorded()?)?;
    let mut fields = compare("state", Some(&kept), Some(&state));
    fields.retain(|field| field.expected.is_some());
    if fields.is_empty() {
        return Ok(None);
    }
    let last = world.last.unwrap_or(Seq(0));
    let line = tell_events::<S>(&mut Events::new(recorded()?), &[last])?.pop();
    Ok(Some(Difference {
        seq: last,
        expected: line.clone(),
        actual: line,
        class: Class::ReadOtherwise,
        made_by: format!("the view of {}", S::NAME),
        fields,
        causes: Chain::default(),
        last_common: world.last,
        common_time: world.now,
        common_state: in_short(&world),
    }))
}

fn at_the_end<S: System>(
    recorded: Reader<BoxedStorage>,
) -> Result<(World<S::View>, Value), Trouble> {
    let world = fold::<S>(&mut Events::<S::Event>::new(recorded), None)?;
    let state = serde_json::to_value(&world).map_err(|error| {
        Trouble::File(format!(
            "the view of {} is not plain data: {error}",
            S::NAME
        ))
    })?;
    Ok((world, state))
}

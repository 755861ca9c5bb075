//! How long a bar is, by how much it closes later than it is stamped, and where some are missing.

use std::collections::BTreeMap;
use std::io::Read;

use super::{BarFile, BarReport, BarsConfig, Gaps, Stamp, Stamped, length, utc};
use crate::sheet::{Sheet, SheetError, SheetProblem};

const SECOND_NS: i64 = 1_000_000_000;

/// By how much each bar closes later than it is stamped, in nanoseconds.
pub(super) fn shift_ns<R: Read>(
    config: &BarsConfig,
    file: &BarFile,
    sheet: &Sheet<R>,
    stamps: &[Stamp],
    report: &mut BarReport,
) -> Result<i64, SheetError> {
    let stated = file.bar_s.map(|seconds| i64::from(seconds) * SECOND_NS);
    let step = stated.or_else(|| most_common_step(stamps));
    report.bar_ns = step.unwrap_or(0);
    report.bar_is_stated = stated.is_some();
    let shift = match (file.stamped, step) {
        (Stamped::Close, _) => 0,
        (Stamped::Open, Some(step)) => step,
        (Stamped::Open, None) => {
            let what = "one row does not show how long a bar is; say bar_s = 86400".to_owned();
            return Err(sheet.error(1, None, SheetProblem::Nonsense { what }));
        }
    };
    if let Some(step) = step {
        count_gaps(config, sheet, stamps, step, report)?;
    }
    let closes = |stamp: &Stamp| stamp.at_ns.saturating_add(shift);
    report.from_ns = stamps.first().map_or(0, closes);
    report.to_ns = stamps.last().map_or(0, closes);
    Ok(shift)
}

/// The step from row to row that is found most often; of equals the shortest.
fn most_common_step(stamps: &[Stamp]) -> Option<i64> {
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for pair in stamps.windows(2) {
        *counts
            .entry(pair[1].at_ns.saturating_sub(pair[0].at_ns))
            .or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(step, _)| step)
}

fn count_gaps<R: Read>(
    config: &BarsConfig,
    sheet: &Sheet<R>,
    stamps: &[Stamp],
    step: i64,
    report: &mut BarReport,
) -> Result<(), SheetError> {
    for pair in stamps.windows(2) {
        let pause = pair[1].at_ns.saturating_sub(pair[0].at_ns);
        report.short_steps += u64::from(pause < step);
        if pause <= step {
            continue;
        }
        report.gaps += 1;
        report.longest_pause_ns = report.longest_pause_ns.max(pause);
        if config.gaps == Gaps::Refuse {
            let what = format!(
                "nothing between {} and {}, and a bar is {} long; fill the gap, or say gaps = \"count\"",
                utc(pair[0].at_ns),
                utc(pair[1].at_ns),
                length(step)
            );
            return Err(sheet.error(pair[1].line, None, SheetProblem::Nonsense { what }));
        }
    }
    Ok(())
}

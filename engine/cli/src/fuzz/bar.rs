//! How far a campaign is: a bar on a terminal, and a line for each new way to fail.

use std::time::Duration;

use dacapo_lab::fuzz::{Report, Seeds};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::screen::Screen;
use crate::text::{counted, grouped, seed};

/// How long nothing is drawn.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the bar moves.
const EVERY: Duration = Duration::from_millis(200);

pub(super) struct Bar {
    allowed: bool,
    /// How many seeds there are, if that is a number that a person would wait for.
    seeds: Option<u64>,
    bar: Option<ProgressBar>,
    moved: Duration,
    /// How many groups have been told.
    told: usize,
}

impl Bar {
    /// Draws nothing yet.
    pub(super) fn new(screen: &Screen<'_>, seeds: Seeds) -> Bar {
        let count = seeds.count();
        Bar {
            allowed: screen.progress,
            seeds: (count < u64::MAX / 1_000_000).then_some(count),
            bar: None,
            moved: Duration::ZERO,
            told: 0,
        }
    }

    /// Takes note of how far the campaign is.
    pub(super) fn at(&mut self, report: &Report, spent: Duration, screen: &mut Screen<'_>) {
        while let Some(found) = report.groups.get(self.told) {
            self.told += 1;
            let log = found.log.as_ref().map(|log| log.to_string_lossy());
            let line = format!(
                "seed {}  {}  {}",
                seed(found.seed),
                Screen::safe(&found.group.property),
                Screen::safe(log.unwrap_or_default()),
            );
            match &self.bar {
                Some(bar) => bar.suspend(|| screen.note(line.trim_end())),
                None => screen.note(line.trim_end()),
            }
        }
        if !self.allowed || spent < PATIENCE || spent.saturating_sub(self.moved) < EVERY {
            return;
        }
        self.moved = spent;
        let bar = self.bar.get_or_insert_with(|| bar(self.seeds));
        bar.set_position(report.runs);
        bar.set_message(in_short(report, spent));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(seeds: Option<u64>) -> ProgressBar {
    let template = match seeds {
        Some(_) => "fuzz {wide_bar} {percent:>3}% {msg}",
        None => "fuzz {spinner} {msg}",
    };
    let bar = ProgressBar::with_draw_target(seeds, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is one of the two above"));
    bar
}

fn in_short(report: &Report, spent: Duration) -> String {
    let reached = report.sometimes.iter().filter(|count| count.runs > 0);
    let mut text = format!(
        "{} runs, {}/s, {} failed in {}",
        grouped(report.runs),
        grouped(per_second(report.runs, spent).unwrap_or(0)),
        grouped(report.failing),
        counted(report.groups.len() as u64, "way", "ways"),
    );
    if !report.sometimes.is_empty() {
        let (reached, all) = (reached.count(), report.sometimes.len());
        text.push_str(&format!(", reached {reached} of {all}"));
    }
    text
}

/// Runs per second; none where no time has passed.
pub(super) fn per_second(runs: u64, spent: Duration) -> Option<u64> {
    let millis = u64::try_from(spent.as_millis()).ok()?;
    (runs * 1_000).checked_div(millis)
}

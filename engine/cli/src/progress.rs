//! A progress bar for what takes more than two seconds, on a terminal only.

use std::time::Duration;

use dacapo_kernel::{Seq, Time};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::screen::Screen;
use crate::text::grouped;

/// How long nothing is drawn.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a run is.
pub(crate) struct Progress<C> {
    allowed: bool,
    elapsed: C,
    begun: Duration,
    goal: Goal,
    what: &'static str,
    bar: Option<ProgressBar>,
}

/// What will have been reached when all is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// So many events.
    Events(u64),
    /// This instant.
    Time(Time),
    /// Nobody knows.
    Unknown,
}

impl<C: Fn() -> Duration> Progress<C> {
    /// Draws nothing yet.
    pub(crate) fn new(allowed: bool, elapsed: C, what: &'static str, goal: Goal) -> Progress<C> {
        let begun = elapsed();
        Progress {
            allowed,
            elapsed,
            begun,
            goal,
            what,
            bar: None,
        }
    }

    /// Takes note of how far it is.
    pub(crate) fn at(&mut self, seq: Seq, time: Time) {
        let goal = self.goal;
        let Some(bar) = self.shown() else { return };
        match goal {
            Goal::Events(_) => bar.set_position(seq.0),
            Goal::Time(_) => bar.set_position(time.as_nanos() / 1_000_000),
            Goal::Unknown => bar.tick(),
        }
        bar.set_message(format!("{} events, {time}", grouped(seq.0 + 1)));
    }

    /// Takes note of how far it is, in words.
    pub(crate) fn says(&mut self, how_far: String) {
        let Some(bar) = self.shown() else { return };
        bar.tick();
        bar.set_message(how_far);
    }

    /// Whether there may be a bar at all.
    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The bar, once it is worth one.
    fn shown(&mut self) -> Option<&ProgressBar> {
        if !self.allowed || (self.elapsed)().saturating_sub(self.begun) < PATIENCE {
            return None;
        }
        let (goal, what) = (self.goal, self.what);
        Some(self.bar.get_or_insert_with(|| bar(goal, what)))
    }
}

impl<C> Drop for Progress<C> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(goal: Goal, what: &'static str) -> ProgressBar {
    let length = match goal {
        Goal::Events(events) => Some(events),
        Goal::Time(time) => Some(time.as_nanos() / 1_000_000),
        Goal::Unknown => None,
    };
    let template = if length.is_some() {
        "{prefix} {wide_bar} {percent:>3}% {msg}"
    } else {
        "{prefix} {spinner} {msg}"
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.expect("the template is one of the two above"));
    bar.set_prefix(what);
    bar
}

impl<'a> Screen<'a> {
    /// A bar that this screen allows.
    pub(crate) fn progress(
        &self,
        what: &'static str,
        goal: Goal,
    ) -> Progress<impl Fn() -> Duration + use<'a>> {
        let clock = self.clock();
        Progress::new(self.progress, move || clock(), what, goal)
    }
}

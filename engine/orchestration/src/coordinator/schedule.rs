//! Which tasks are due, and when the next one will be.
//!
//! Plain data and rules: running a task is done elsewhere. The loop looks at whole seconds after
//! the end of its last iteration; which of them it need not visit is worked out here.

use std::time::Duration;

use dacapo_kernel::Time;

use crate::bar_clock::Bars;
use crate::config::Schedule;
use crate::defect::{Defect, Defects};
use crate::message::{Instant, Name, Span};

/// How long the loop sleeps between two looks.
pub const LOOP_SLEEP: Duration = Duration::from_secs(1);

/// One scheduled task.
#[derive(Clone, Debug)]
pub struct Task {
    /// When it runs.
    pub schedule: Schedule,
    /// Its name.
    pub name: Name,
    /// Whether it runs at all, as the last command has it.
    pub enabled: bool,
    /// Whether it is running.
    pub running: bool,
    /// Whether it runs at the start.
    pub run_on_start: bool,
    /// Whether it is due at once, because a crash cut it off.
    pub interrupted: bool,
    /// When it was started, while it is running.
    pub started: Option<Instant>,
    /// When it last finished; before the start of the run if it did so in an earlier one.
    pub last_run: Option<Instant>,
    /// What had closed when it last began.
    bars_at_begin: Bars,
    /// When its agent wants to be asked again, besides the schedule.
    wake: Option<Instant>,
}

impl Task {
    /// A task that has not run yet.
    pub fn new(schedule: Schedule) -> Task {
        Task {
            name: schedule.name.clone(),
            enabled: schedule.enabled,
            running: false,
            run_on_start: schedule.run_on_start,
            interrupted: false,
            started: None,
            last_run: None,
            bars_at_begin: Bars::default(),
            wake: None,
            schedule,
        }
    }

    /// Notes that it runs from now on. Whoever wanted to be asked again is.
    pub fn begin(&mut self, now: Instant) {
        self.running = true;
        self.started = Some(now);
        self.wake = None;
    }

    /// Notes that its agent wants to be asked again at an instant; of several, the earliest counts.
    pub fn wake(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |before| before.min(at)));
    }

    /// Notes that it runs no more.
    pub fn end(&mut self) {
        self.running = false;
        self.started = None;
    }

    fn interval(&self) -> Span {
        Span::from_secs(i64::try_from(self.schedule.interval_seconds).unwrap_or(i64::MAX))
    }

    /// The instant from which the task is due; none if it never becomes due by itself.
    fn due_at(&self, started: Instant, bars: Bars, defects: Defects) -> Option<Instant> {
        if !self.enabled || self.running {
            return None;
        }
        let scheduled = self.scheduled_at(started, bars, defects);
        scheduled.into_iter().chain(self.wake).min()
    }

    /// The same by its schedule alone.
    fn scheduled_at(&self, started: Instant, bars: Bars, defects: Defects) -> Option<Instant> {
        if let (Some(interval), false) = (self.schedule.interval_bars, self.interrupted) {
            let begin = self.bars_at_begin;
            let due = bars.closed >= begin.closed.saturating_add(interval.into());
            // Whoever speaks of crossings only has nothing to say in between.
            let crossed = !self.schedule.by_crossings || bars.crossings > begin.crossings;
            return (due && crossed).then_some(started);
        }
        match self.last_run {
            _ if self.interrupted => Some(started),
            Some(last) => Some(last + self.interval()),
            None if self.run_on_start => Some(started),
            None if defects.has(Defect::UnstartedTasksNeverRun) => None,
            None => Some(started + self.interval()),
        }
    }
}

/// The tasks of a coordinator, in the order of the table.
#[derive(Clone, Debug)]
pub struct Timetable {
    tasks: Vec<Task>,
    started: Instant,
    /// What has closed.
    bars: Bars,
    defects: Defects,
}

impl Timetable {
    /// The tasks of these schedules, for a coordinator that starts now.
    pub fn new(schedules: Vec<Schedule>, started: Instant, defects: Defects) -> Timetable {
        Timetable {
            tasks: schedules.into_iter().map(Task::new).collect(),
            started,
            bars: Bars::default(),
            defects,
        }
    }

    /// Whether any task runs by bars.
    pub fn counts_bars(&self) -> bool {
        let by_bars = |task: &Task| task.schedule.interval_bars.is_some();
        self.tasks.iter().any(by_bars)
    }

    /// So much has closed before the first bar that counts.
    pub fn begin_bars(&mut self, closed: Bars) {
        self.bars = closed;
        for task in &mut self.tasks {
            task.bars_at_begin = closed;
        }
    }

    /// So much has closed.
    pub fn note_bars(&mut self, closed: Bars) {
        self.bars = closed;
    }

    /// Notes that a task runs from now on.
    pub fn begin(&mut self, at: usize, now: Instant) {
        let bars = self.bars;
        let task = &mut self.tasks[at];
        task.bars_at_begin = bars;
        task.begin(now);
    }

    /// The tasks.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// The task of that name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.tasks
            .iter()
            .position(|task| task.name.as_str() == name)
    }

    /// A task, to be changed.
    pub fn task_mut(&mut self, at: usize) -> &mut Task {
        &mut self.tasks[at]
    }

    /// The tasks to run now: due, with every dependency satisfied. Judged before any of them runs.
    pub fn due(&self, now: Instant) -> Vec<usize> {
        (0..self.tasks.len())
            .filter(|at| {
                let task = &self.tasks[*at];
                task.due_at(self.started, self.bars, self.defects)
                    .is_some_and(|due| due <= now)
                    && self.is_satisfied(task)
            })
            .collect()
    }

    /// The earliest instant at which a task is due, its dependencies being satisfied; none if none
    /// will be until something changes.
    pub fn next_due(&self) -> Option<Instant> {
        self.tasks
            .iter()
            .filter(|task| self.is_satisfied(task))
            .filter_map(|task| task.due_at(self.started, self.bars, self.defects))
            .min()
    }

    /// Every dependency has run, and not before the task itself last did. Unknown names do not
    /// count, and neither does whether the dependency is enabled.
    fn is_satisfied(&self, task: &Task) -> bool {
        task.schedule.depends_on.iter().all(|name| {
            match self.tasks.iter().find(|other| other.name == *name) {
                None => true,
                Some(other) => other
                    .last_run
                    .is_some_and(|last| Some(last) >= task.last_run),
            }
        })
    }
}

/// The first of the looks, one second apart and the first of them one second after `ended`, that
/// is not before `instant`.
pub fn look_at_or_after(ended: Time, instant: Time) -> Time {
    let second = LOOP_SLEEP.as_nanos() as u64;
    let looks = instant.since(ended).as_nanos() as u64;
    ended + LOOP_SLEEP * u32::try_from(looks.div_ceil(second).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ScheduleConfig, Schedules};

    fn timetable(defects: Defects) -> Timetable {
        let schedules = Schedules {
            technical_analysis: ScheduleConfig {
                run_on_start: Some(true),
                ..ScheduleConfig::default()
            },
            ..Schedules::default()
        };
        Timetable::new(
            schedules.resolve(&[Name::fixed("BTC/USDT")]),
            Instant::START,
            defects,
        )
    }

    fn at(secs: i64) -> Instant {
        Instant::START + Span::from_secs(secs)
    }

    #[test]
    fn a_task_that_never_ran_is_due_one_interval_after_the_start() {
        let sound = timetable(Defects::NONE);
        assert_eq!(sound.due(at(0)), [0], "only what runs on start");
        assert_eq!(sound.due(at(3_600)), [0, 4], "regime waits for analysis");
        let broken = timetable(Defects::NONE.with(Defect::UnstartedTasksNeverRun));
        assert_eq!(broken.due(at(1_000_000)), [0]);
    }

    #[test]
    fn a_dependent_runs_after_its_dependency_and_again_only_after_it_ran_again() {
        let mut table = timetable(Defects::NONE);
        table.task_mut(0).last_run = Some(at(1));
        assert!(table.due(at(300)).contains(&1));
        table.task_mut(1).last_run = Some(at(300));
        assert!(!table.due(at(900)).contains(&1));
        table.task_mut(0).last_run = Some(at(300));
        assert!(table.due(at(900)).contains(&1), "equal is enough");
    }

    #[test]
    fn a_task_that_a_crash_cut_off_is_due_at_once() {
        let mut table = timetable(Defects::NONE);
        table.task_mut(0).last_run = Some(at(-5));
        assert!(table.due(at(0)).is_empty());
        table.task_mut(0).interrupted = true;
        assert_eq!(table.due(at(0)), [0]);
    }

    /// A task by bars that ran without a new bar, or a second time for the same one, fails here.
    #[test]
    fn a_task_by_bars_is_due_when_so_many_have_closed() {
        let mut schedule = timetable(Defects::NONE).tasks[0].schedule.clone();
        schedule.interval_bars = Some(2);
        let mut table = Timetable::new(vec![schedule], Instant::START, Defects::NONE);
        assert!(table.due(at(1_000_000)).is_empty(), "no bar, no run");
        let bars = |closed, crossings| Bars { closed, crossings };
        table.note_bars(bars(1, 0));
        assert!(table.due(at(0)).is_empty());
        table.note_bars(bars(2, 0));
        assert_eq!(table.due(at(0)), [0]);
        table.begin(0, at(0));
        table.note_bars(bars(3, 0));
        table.task_mut(0).end();
        assert!(table.due(at(5)).is_empty());
        table.task_mut(0).schedule.by_crossings = true;
        table.note_bars(bars(5, 0));
        assert!(table.due(at(5)).is_empty(), "nothing crossed");
        table.note_bars(bars(5, 1));
        assert_eq!(table.due(at(5)), [0]);
        table.task_mut(0).schedule.by_crossings = false;
        table.note_bars(bars(4, 0));
        assert_eq!(table.due(at(5)), [0]);
    }

    #[test]
    fn looks_are_on_the_grid_of_seconds() {
        let ended = Time::from_micros(300_000);
        let look = |instant| look_at_or_after(ended, instant);
        assert_eq!(look(Time::ZERO), Time::from_micros(1_300_000));
        assert_eq!(look(Time::from_secs(2)), Time::from_micros(2_300_000));
        assert_eq!(look(Time::from_secs(60)), Time::from_micros(60_300_000));
    }
}

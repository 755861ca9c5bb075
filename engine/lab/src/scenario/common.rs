//! The part of a scenario that is the same for every system, and the checks on it.
//!
//! What the system makes of its own sections is not looked at here.

use dacapo_kernel::{Budgets, FaultPlan, Mistake, Plan, SchedulerKind, System, Time};
use serde::Deserialize;

use super::expectations::ExpectSection;
use super::faults::{self, FaultSection};
use super::refused::{self, Refused};
use super::safe::is_unsafe;
use super::units::{Instant, Nanos};
use super::vary::VARY;

/// The keys at the top of a scenario that are not the system's.
pub(super) const KEYS: [&str; 8] = [
    "name", "story", "run", "budgets", "faults", "expect", VARY, "refused",
];

/// The keys of `[run]`.
pub(super) const RUN_KEYS: [&str; 7] = [
    "seed",
    "start",
    "duration",
    "scheduler",
    "profile",
    "defects",
    "quiet_from",
];

/// How long the name of a scenario can be, in characters.
const NAME_MAX: usize = 120;
/// Seconds that fit into 64 bits of nanoseconds.
const SECONDS_MAX: u64 = u64::MAX / 1_000_000_000;

/// The common part as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Common {
    name: String,
    #[serde(default)]
    story: String,
    #[serde(default)]
    run: RunSection,
    #[serde(default)]
    budgets: Budgets,
    #[serde(default)]
    faults: Vec<FaultSection>,
    #[serde(default)]
    expect: ExpectSection,
    #[serde(default)]
    refused: Vec<Refused>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RunSection {
    seed: u64,
    start: Instant,
    duration: Option<Nanos>,
    scheduler: SchedulerKind,
    profile: Option<String>,
    defects: Vec<String>,
    quiet_from: Option<Nanos>,
}

impl Common {
    /// The plan of a run of `S`, with the system's own part, and the changes to it that must be refused.
    ///
    /// # Errors
    /// The first mistake, with the path of keys to it.
    pub(super) fn plan<S: System>(
        self,
        system: S::Config,
    ) -> Result<(Plan<S::Config>, Vec<Refused>), Mistake> {
        refused::check(&self.refused)?;
        self.check_name()?;
        self.check_time()?;
        self.check_budgets()?;
        let faults = FaultPlan {
            faults: faults::plan::<S>(&self.faults)?,
            quiet_from: self.run.quiet_from.map(|at| Time::from_nanos(at.0)),
        };
        let (profile, defects) = self.run.defects::<S>()?;
        let plan = Plan {
            expect: self.expect.expect::<S>()?,
            name: self.name,
            story: one_line(&self.story),
            seed: self.run.seed,
            start_unix_ns: self.run.start.0,
            duration_ns: self.run.duration.map(|duration| duration.0),
            scheduler: self.run.scheduler,
            budgets: self.budgets,
            faults,
            profile,
            defects,
            data: Vec::new(),
            system,
        };
        Ok((plan, self.refused))
    }

    fn check_name(&self) -> Result<(), Mistake> {
        let help = "a name is also a file's, such as `two-workers`";
        let unfit = |c: char| is_unsafe(c) || c == '/' || c == '\\';
        if self.name.trim().is_empty() {
            Err(Mistake::at("name", "`name`: expected a name, found nothing").help(help))
        } else if self.name.chars().count() > NAME_MAX {
            let what = format!("`name`: expected at most {NAME_MAX} characters");
            Err(Mistake::at("name", what).help(help))
        } else if self.name.starts_with('.') {
            let what = "`name`: expected a name that does not begin with a dot";
            Err(Mistake::at("name", what).help(help))
        } else if let Some(c) = self.name.chars().find(|c| unfit(*c)) {
            let what = format!("`name`: the character {c:?} cannot stand in a name");
            Err(Mistake::at("name", what).help(help))
        } else {
            Ok(())
        }
    }

    fn check_time(&self) -> Result<(), Mistake> {
        if self.run.duration == Some(Nanos(0)) {
            let what = "`run.duration`: expected more than zero";
            return Err(Mistake::at("run.duration", what)
                .help("leave it out for a run that ends by itself"));
        }
        Ok(())
    }

    fn check_budgets(&self) -> Result<(), Mistake> {
        let budgets = &self.budgets;
        let positive = [
            ("events", budgets.events),
            ("events_at_one_instant", budgets.events_at_one_instant),
            ("tasks", budgets.tasks),
            ("queue", budgets.queue),
            ("virtual_seconds", budgets.virtual_seconds),
        ];
        for (key, value) in positive {
            if value == 0 {
                let place = format!("budgets.{key}");
                let what = format!("`{place}`: expected 1 or more, found 0");
                return Err(Mistake::at(&place, what).help("leave it out for the default"));
            }
        }
        if budgets.virtual_seconds > SECONDS_MAX {
            let what = format!(
                "`budgets.virtual_seconds`: expected at most {SECONDS_MAX}, found {}",
                budgets.virtual_seconds
            );
            return Err(Mistake::at("budgets.virtual_seconds", what)
                .help("virtual time ends after 584 years"));
        }
        Ok(())
    }
}

impl RunSection {
    /// The profile, and every defect that is on: the profile's and those named, in the order in
    /// which the system lists them.
    fn defects<S: System>(&self) -> Result<(String, Vec<String>), Mistake> {
        let profiles = S::profiles();
        let profile = match &self.profile {
            None => profiles.first(),
            Some(name) => {
                let found = profiles.iter().find(|profile| profile.name == name);
                let unknown = || {
                    let what = format!("`run.profile`: unknown profile `{name}`");
                    Mistake::at("run.profile", what).candidates(profiles.iter().map(|p| p.name))
                };
                Some(found.ok_or_else(unknown)?)
            }
        };
        let switches = S::defects();
        for (number, name) in self.defects.iter().enumerate() {
            if !switches.iter().any(|switch| switch.name == name) {
                let what = format!("`run.defects`: unknown defect `{name}`");
                let mistake = Mistake::at(&format!("run.defects.{number}"), what);
                return Err(if switches.is_empty() {
                    mistake.help("this system has no defects to switch on")
                } else {
                    mistake.candidates(switches.iter().map(|switch| switch.name))
                });
            }
        }
        let named = self.defects.iter().map(String::as_str);
        let on = profile.into_iter().flat_map(|p| p.defects.iter().copied());
        let mut defects: Vec<String> = Vec::new();
        for name in on.chain(named) {
            if !defects.iter().any(|defect| defect == name) {
                defects.push(name.to_owned());
            }
        }
        defects.sort_by_key(|name| switches.iter().position(|switch| switch.name == name));
        let profile = profile.map_or_else(String::new, |profile| profile.name.to_owned());
        Ok((profile, defects))
    }
}

/// A story may be written over several lines.
fn one_line(story: &str) -> String {
    story.split_whitespace().collect::<Vec<_>>().join(" ")
}

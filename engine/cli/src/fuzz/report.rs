//! The screen of a campaign: what failed, in groups, each with the commands to look at it; and whether
//! that is worth anything.

use std::collections::BTreeMap;
use std::time::Duration;

use dacapo_kernel::{Plan, System};
use dacapo_lab::VERSION;
use dacapo_lab::fuzz::{CANARY, Campaign, Found, Report, Runs};
use dacapo_lab::scenario::Alternative;
use serde_json::{Value, json};

use super::bar::per_second;
use super::reached::{self, counts};
use super::shrinking::Shrunk;
use super::{ENOUGH, lacks, never};
use crate::log_file::shown;
use crate::next;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, seed, shell_word, span};

/// How many groups are told at most; the JSON has all.
const GROUPS: usize = 40;

/// A campaign that has ended.
pub(super) struct Told<'a, S: System> {
    pub(super) plan: &'a Plan<S::Config>,
    pub(super) campaign: &'a Campaign<'a>,
    pub(super) report: &'a Report,
    pub(super) shrunk: &'a BTreeMap<usize, Shrunk>,
    pub(super) wall: Duration,
    /// Why it ended before its last seed, if it did.
    pub(super) ended: Option<&'static str>,
    /// The words of the command that goes on from there.
    pub(super) go_on: Option<String>,
    pub(super) require_reached: bool,
}

impl<S: System> Told<'_, S> {
    /// Prints it, in one line if the caller wants quiet.
    pub(super) fn tell(&self, screen: &mut Screen<'_>) {
        if !screen.is_for_people() {
            self.tell_json(screen);
            return;
        }
        self.head(screen);
        if screen.quiet {
            return;
        }
        self.facts(screen);
        let groups = self.report.groups.iter().enumerate();
        for (at, found) in groups.take(GROUPS) {
            self.group(found, self.shrunk.get(&at), screen);
        }
        if let Some(more) = self
            .report
            .groups
            .len()
            .checked_sub(GROUPS)
            .filter(|n| *n > 0)
        {
            screen.line(format!(
                "\nand {more} more groups; --message-format json has all"
            ));
        }
        for diverged in self.report.diverged.iter().take(GROUPS) {
            let word = screen.paint(Tone::Bad, "DIFFERS");
            screen.line(format!(
                "\n{word}  seed {}  {}",
                seed(diverged.seed),
                Screen::safe(&diverged.what)
            ));
            if let Some(log) = &diverged.log {
                let (program, log) = (screen.program.clone(), shell_word(&shown(log)));
                screen.line(format!(
                    "  look      {program} replay {}",
                    Screen::safe(log)
                ));
            }
        }
        reached::tell(self.report, self.campaign, screen);
        self.warnings(screen);
        if let (Some(ended), Some(words)) = (self.ended, &self.go_on) {
            screen.line(format!("\nended early: {ended}"));
            next::propose(&[(Screen::safe(words), "go on from there")], screen);
        }
    }

    fn standing(&self) -> (&'static str, Tone) {
        let report = self.report;
        let fails = report.failing > 0
            || !report.diverged.is_empty()
            || self.require_reached && lacks(report);
        match () {
            () if fails => ("FAIL", Tone::Bad),
            () if report.runs == 0 || !report.happened => ("NOTHING RAN", Tone::Warning),
            () if report.exhausted > 0 => ("STOP", Tone::Bad),
            () => ("PASS", Tone::Good),
        }
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let (word, tone) = self.standing();
        let report = self.report;
        let mut line = screen.paint(tone, word);
        let name = screen.paint(Tone::Head, Screen::safe(&self.plan.name));
        line.push_str(&format!(
            "  {name}  {}",
            counted(report.runs, "run", "runs")
        ));
        if report.failing > 0 {
            let ways = counted(report.groups.len() as u64, "way", "ways");
            line.push_str(&format!(", {} failed in {ways}", grouped(report.failing)));
        }
        if !report.diverged.is_empty() {
            line.push_str(&format!(
                ", {} differed when made again",
                report.diverged.len()
            ));
        }
        screen.line(line);
    }

    fn facts(&self, screen: &mut Screen<'_>) {
        let report = self.report;
        let seeds = self.campaign.seeds;
        let share = match seeds.shard.of {
            1 => String::new(),
            _ => format!(", share {}", seeds.shard),
        };
        let what = match self.campaign.runs {
            Runs::Drawn(_) => "seeds",
            Runs::Crashes(_) => "crashes",
        };
        screen.line(format!("  {what:11}  {}..{}{share}", seeds.from, seeds.to));
        let speed = per_second(report.runs, self.wall);
        let speed = speed.map_or_else(String::new, |runs| {
            format!(", {} runs per second", grouped(runs))
        });
        let jobs = counted(self.campaign.jobs as u64, "thread", "threads");
        screen.line(format!(
            "  time         {} on {jobs}{speed}",
            span(self.wall)
        ));
        screen.line(format!(
            "  events       {}, {} a run",
            grouped(report.events),
            grouped(report.events.checked_div(report.runs).unwrap_or(0))
        ));
        let defects = match self.plan.defects.as_slice() {
            [] => "none".to_owned(),
            names if names.len() > 6 => format!("{} of them", names.len()),
            names => names.join(", "),
        };
        screen.line(format!(
            "  profile      {}   defects {}",
            Screen::safe(&self.plan.profile),
            Screen::safe(defects)
        ));
        let same = match (report.again, report.diverged.len()) {
            (0, _) => "",
            (_, 0) => ", all of them the same",
            _ => ", not all of them the same",
        };
        let again = counted(report.again, "run", "runs");
        screen.line(format!("  made again   {again}{same}"));
    }

    fn group(&self, found: &Found, shrunk: Option<&Shrunk>, screen: &mut Screen<'_>) {
        let failure = &found.failure;
        let word = screen.paint(Tone::Bad, "FAIL");
        let property = screen.paint(Tone::Head, Screen::safe(&failure.property));
        screen.line(format!(
            "\n{word}  {property}  in {}, first seed {}",
            counted(found.runs, "run", "runs"),
            seed(found.seed)
        ));
        screen.line(format!("  cause     {}", Screen::safe(&found.group.cause)));
        if !failure.defects.is_empty() {
            screen.line(format!("  defect    {}", failure.defects.join(", ")));
        }
        if !found.alternatives.is_empty() {
            let drawn = named(&found.alternatives);
            let all = if found.runs > 1 {
                ", in all of them"
            } else {
                ""
            };
            screen.line(format!("  drawn     {drawn}{all}"));
        }
        screen.line(format!("  expected  {}", Screen::safe(&failure.expected)));
        screen.line(format!("  actual    {}", Screen::safe(&failure.actual)));
        for wait in &failure.waits {
            screen.line(format!("  waits     {}", Screen::safe(wait)));
        }
        let program = screen.program.clone();
        if let Some(small) = shrunk {
            let log = Screen::safe(shell_word(&shown(&small.log)));
            let settings = match small.alternatives.as_slice() {
                [] => String::new(),
                needed => format!(" and {}", named(needed)),
            };
            screen.line(format!(
                "  shrunk    {} → {}{settings}   {log}",
                grouped(small.before),
                counted(small.inputs, "input", "inputs")
            ));
            let scenario = Screen::safe(shell_word(&shown(&small.scenario)));
            screen.line(format!("  run       {program} run {scenario}"));
        }
        if let Some(log) = &found.log {
            let log = Screen::safe(shell_word(&shown(log)));
            screen.line(format!("  reproduce {program} replay {log}"));
            match failure.at {
                Some(at) => screen.line(format!("  look      {program} show {log} --at {at}")),
                None => screen.line(format!("  look      {program} check {log}")),
            }
        }
        let text = format!(
            "seed {}: expected {}, actual {}",
            seed(found.seed),
            failure.expected,
            failure.actual
        );
        let title = format!("{} {}", self.plan.name, failure.property);
        screen.annotate("error", &title, &text);
    }

    fn warnings(&self, screen: &mut Screen<'_>) {
        let report = self.report;
        if report
            .groups
            .iter()
            .any(|found| found.group.property == CANARY)
        {
            screen.warning("the canary is on: some runs fail on purpose");
        }
        if let Some((first, budget)) = report.first_exhausted {
            let runs = counted(report.exhausted, "run", "runs");
            screen.warning(format!(
                "{runs} used up a budget, first that of seed {}: {budget}",
                seed(first)
            ));
        }
        if report.more > 0 {
            let more = counted(report.more, "failure is", "failures are");
            screen.warning(format!("{more} of further groups that are not told apart"));
        }
        let names = never(report, self.campaign);
        if report.runs >= ENOUGH && !names.is_empty() {
            let all = self.require_reached || screen.verbose;
            screen.warning(reached::never_reached(&names, all));
        }
        if report.runs > 0 && !report.happened {
            screen.warning("nothing ran: the system did nothing of its own in any run");
        }
    }

    fn tell_json(&self, screen: &mut Screen<'_>) {
        let report = self.report;
        for (at, found) in report.groups.iter().enumerate() {
            screen.json(&self.group_json(found, self.shrunk.get(&at)));
        }
        let diverged = report.diverged.iter().map(
            |diverged| json!({"seed": diverged.seed, "what": diverged.what, "log": diverged.log}),
        );
        let seeds = self.campaign.seeds;
        screen.json(&json!({
            "v": VERSION,
            "type": "fuzz",
            "system": S::NAME,
            "scenario": self.plan.name,
            "outcome": self.standing().0.to_lowercase(),
            "profile": self.plan.profile,
            "defects": self.plan.defects,
            "runs_by": match self.campaign.runs {
                Runs::Drawn(_) => "seed",
                Runs::Crashes(_) => "crash",
            },
            "seeds": {"from": seeds.from, "to": seeds.to, "shard": seeds.shard.to_string()},
            "jobs": self.campaign.jobs,
            "runs": report.runs,
            "events": report.events,
            "failing": report.failing,
            "groups": report.groups.len(),
            "made_again": report.again,
            "diverged": diverged.collect::<Vec<Value>>(),
            "exhausted": report.exhausted,
            "properties": counts(&report.properties),
            "sometimes": counts(&report.sometimes),
            "faults": counts(&report.faults),
            "never_reached": never(report, self.campaign),
            "wall_ns": u64::try_from(self.wall.as_nanos()).unwrap_or(u64::MAX),
            "ended_early": self.ended,
            "next_seed": report.stopped.map(|(_, next)| next),
            "go_on": self.go_on,
        }));
    }

    fn group_json(&self, found: &Found, shrunk: Option<&Shrunk>) -> Value {
        let failure = &found.failure;
        json!({
            "v": VERSION,
            "type": "group",
            "scenario": self.plan.name,
            "property": found.group.property,
            "cause": found.group.cause,
            "defects": failure.defects,
            "runs": found.runs,
            "seed": found.seed,
            "alternatives": listed(&found.alternatives),
            "event": failure.at,
            "events": found.events,
            "expected": failure.expected,
            "actual": failure.actual,
            "waits": failure.waits,
            "log": found.log,
            "shrunk": shrunk.map(|small| json!({
                "inputs": small.inputs,
                "before": small.before,
                "alternatives": listed(&small.alternatives),
                "log": small.log,
                "scenario": small.scenario,
            })),
        })
    }
}

/// Alternatives as a person names them.
fn named(alternatives: &[Alternative]) -> String {
    let names: Vec<String> = alternatives.iter().map(ToString::to_string).collect();
    Screen::safe(names.join(", "))
}

pub(super) fn listed(alternatives: &[Alternative]) -> Vec<Value> {
    let listed = alternatives
        .iter()
        .map(|it| json!({"of": it.of, "number": it.number, "line": it.line}));
    listed.collect()
}

//! What is said of all runs of a campaign, put together in the order of their seeds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dacapo_kernel::Budget;

use super::Campaign;
use super::catalogue::Catalogue;
use super::one::Told;
use crate::group::Group;
use crate::judgement::Failure;
use crate::scenario::Alternative;

/// How many ways to fail are told apart at most.
const GROUPS_MAX: usize = 1_000;

/// What is said of all runs of a campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many runs there were.
    pub runs: u64,
    /// How many events they had in all.
    pub events: u64,
    /// How many of them failed.
    pub failing: u64,
    /// The ways in which they failed, by their first seeds.
    pub groups: Vec<Found>,
    /// Failures beyond the ways that are told apart.
    pub more: u64,
    /// Each property: in how many runs it could be evaluated.
    pub properties: Vec<Count>,
    /// What is to be reached sometimes: in how many runs it was.
    pub sometimes: Vec<Count>,
    /// Each kind of fault: in how many runs it struck.
    pub faults: Vec<Count>,
    /// How many runs were made again and compared.
    pub again: u64,
    /// Those that were different then.
    pub diverged: Vec<Diverged>,
    /// How many runs used up a budget, and the first of them.
    pub exhausted: u64,
    /// The first of them.
    pub first_exhausted: Option<(u64, Budget)>,
    /// Whether anything of the system's own happened in any run.
    pub happened: bool,
    /// Why it ended before its last seed, if it did, and the seed to go on with.
    pub stopped: Option<(Stopped, u64)>,
}

impl Report {
    /// What was to be reached sometimes and the kinds of fault that came up in no run.
    pub fn never(&self) -> impl Iterator<Item = &Count> {
        let all = self.sometimes.iter().chain(&self.faults);
        all.filter(|count| count.runs == 0)
    }
}

/// Why a campaign ended before its last seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// So many failures were wanted.
    Failures,
    /// Whoever watched wanted no more.
    Asked,
}

/// A way to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it has in common.
    pub group: Group,
    /// The first failure of it.
    pub failure: Failure,
    /// Its seed.
    pub seed: u64,
    /// How many events that run has.
    pub events: u64,
    /// Its log.
    pub log: Option<PathBuf>,
    /// In how many runs it came up.
    pub runs: u64,
    /// What each of these runs drew in the place of what the scenario says.
    pub alternatives: Vec<Alternative>,
}

/// In how many runs something was so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Its name.
    pub id: String,
    /// What it stands for.
    pub meaning: &'static str,
    /// In how many runs.
    pub runs: u64,
}

/// A run that was different when it was made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// Its seed.
    pub seed: u64,
    /// How it differs.
    pub what: String,
    /// Its log.
    pub log: Option<PathBuf>,
}

/// The report while it grows.
pub(super) struct Tally<'a> {
    pub(super) report: Report,
    campaign: &'a Campaign<'a>,
    groups: BTreeMap<Group, usize>,
    /// How many seeds have failed that count for the end of the campaign.
    counted: u64,
}

impl<'a> Tally<'a> {
    pub(super) fn new(campaign: &'a Campaign<'a>, catalogue: &Catalogue) -> Tally<'a> {
        let count = |(id, meaning): (&str, &'static str)| Count {
            id: id.to_owned(),
            meaning,
            runs: 0,
        };
        let properties = catalogue.properties.iter();
        let sometimes = catalogue.sometimes.iter();
        let faults = catalogue.faults.iter();
        Tally {
            campaign,
            groups: BTreeMap::new(),
            counted: 0,
            report: Report {
                properties: properties.map(|p| count((p.0, p.1))).collect(),
                sometimes: sometimes.map(|s| count((s.0, s.1))).collect(),
                faults: faults.map(|f| count((&f.0, f.1))).collect(),
                runs: 0,
                events: 0,
                failing: 0,
                groups: Vec::new(),
                more: 0,
                again: 0,
                diverged: Vec::new(),
                exhausted: 0,
                first_exhausted: None,
                happened: false,
                stopped: None,
            },
        }
    }

    /// Whether the failures that were wanted are there.
    pub(super) fn is_full(&self) -> bool {
        self.campaign
            .max_failures
            .is_some_and(|most| self.counted >= most)
    }

    /// Takes what the next seed said. What comes after the last failure that was wanted does not count,
    /// whoever has run it already.
    pub(super) fn take(&mut self, told: Told) {
        if self.is_full() {
            if let Some(log) = told.log {
                // A log that stays says nothing wrong.
                let _ = std::fs::remove_file(log);
            }
            return;
        }
        let report = &mut self.report;
        report.runs += 1;
        report.events += told.events;
        report.happened |= told.happened;
        let counts = report.properties.iter_mut();
        let counts = counts
            .chain(&mut report.sometimes)
            .chain(&mut report.faults);
        told.marks.count(counts.map(|count| &mut count.runs));
        if let Some(budget) = told.exhausted {
            report.exhausted += 1;
            report.first_exhausted.get_or_insert((told.seed, budget));
        }
        if let Some(again) = &told.again {
            report.again += 1;
            if let Err(what) = again {
                report.diverged.push(Diverged {
                    seed: told.seed,
                    what: what.clone(),
                    log: told.log.clone(),
                });
            }
        }
        let sought = |failure: &Failure| {
            let sought = self.campaign.sought;
            sought.is_none_or(|ids| ids.contains(&failure.property.as_str()))
        };
        self.counted += u64::from(told.failures.iter().any(sought));
        report.failing += u64::from(!told.failures.is_empty());
        self.put_together(told);
    }

    /// Puts the failures of a run to those that are like them; two of a kind in one run count once.
    fn put_together(&mut self, told: Told) {
        let mut seen: Vec<usize> = Vec::new();
        for failure in told.failures {
            let group = Group::of(&failure);
            let at = match self.groups.get(&group) {
                Some(at) => *at,
                None if self.report.groups.len() == GROUPS_MAX => {
                    self.report.more += 1;
                    continue;
                }
                None => {
                    let at = self.report.groups.len();
                    self.groups.insert(group.clone(), at);
                    self.report.groups.push(Found {
                        group,
                        failure,
                        seed: told.seed,
                        events: told.events,
                        log: told.log.clone(),
                        runs: 0,
                        alternatives: told.alternatives.clone(),
                    });
                    at
                }
            };
            if !seen.contains(&at) {
                seen.push(at);
                let found = &mut self.report.groups[at];
                found.runs += 1;
                let drawn = &told.alternatives;
                found.alternatives.retain(|each| drawn.contains(each));
            }
        }
    }

    /// The campaign is over.
    pub(super) fn finish(mut self) -> Report {
        let why = if self.is_full() {
            Stopped::Failures
        } else {
            Stopped::Asked
        };
        let next = self.campaign.seeds.nth(self.report.runs);
        self.report.stopped = next.map(|seed| (why, seed));
        self.report
    }
}

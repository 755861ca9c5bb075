//! Every known defect switched on in turn, and what of it a campaign finds; and nothing found with all
//! of them off.

use std::time::Duration;

use dacapo_kernel::{Switch, System};

use crate::fuzz::{Campaign, FuzzError, Report, Small, small};
use crate::judgement::caught_by;
use crate::scenario::Overrides;

/// What the campaigns of a matrix found.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Each defect, in the order in which the system lists them.
    pub rows: Vec<Row>,
    /// All of them off, over all seeds; absent if the matrix was cut short before.
    pub sound: Option<Report>,
}

/// One defect.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub defect: &'static str,
    /// The properties that are said to notice it.
    pub caught_by: Vec<&'static str>,
    /// How it was found, if it was.
    pub hit: Option<Hit>,
    /// Other properties that were violated on the way.
    pub others: Vec<String>,
    /// How many seeds were run.
    pub seeds: u64,
    /// How long that took.
    pub wall: Duration,
}

/// How a defect was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// By which of the properties that are said to notice it.
    pub property: String,
    /// In the run of which seed.
    pub seed: u64,
    /// What is left of that run when it is shrunk; none if it was not.
    pub small: Option<Small>,
}

impl Matrix {
    /// The defects that were not found.
    pub fn missed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.hit.is_none())
    }

    /// Whether every defect was found, and nothing without one.
    pub fn is_good(&self) -> bool {
        let quiet = |report: &Report| report.failing == 0 && report.diverged.is_empty();
        self.missed().next().is_none() && self.sound.as_ref().is_some_and(quiet)
    }
}

/// How a matrix is made.
#[derive(Clone, Copy)]
pub struct Sowing<'a> {
    /// What is run for each defect; its defects and its profile are replaced.
    pub campaign: Campaign<'a>,
    /// Whether the first failure of each defect is shrunk.
    pub shrink: bool,
    /// The time that has passed, for the wall times of the rows.
    pub elapsed: &'a dyn Fn() -> Duration,
}

impl Sowing<'_> {
    /// Makes the matrix. `watch` is told which defect is on (none in the end) and how far its campaign is;
    /// the matrix is cut short if it returns false. `told` is shown each row as soon as it is there.
    ///
    /// # Errors
    /// Those of a campaign.
    pub fn run<S: System>(
        &self,
        mut watch: impl FnMut(Option<&'static str>, &Report) -> bool,
        mut told: impl FnMut(&Row),
    ) -> Result<Matrix, FuzzError> {
        let mut matrix = Matrix {
            rows: Vec::new(),
            sound: None,
        };
        let mut go_on = true;
        for switch in S::defects() {
            let row = self.row::<S>(&switch, |report| {
                go_on = watch(Some(switch.name), report);
                go_on
            })?;
            if !go_on && row.hit.is_none() {
                return Ok(matrix);
            }
            told(&row);
            matrix.rows.push(row);
        }
        let overrides = self.overrides::<S>(None);
        let campaign = Campaign {
            overrides: &overrides,
            max_failures: None,
            sought: None,
            ..self.campaign
        };
        let sound = campaign.run::<S>(|report| {
            go_on = watch(None, report);
            go_on
        })?;
        matrix.sound = go_on.then_some(sound);
        Ok(matrix)
    }

    /// What goes before what the scenario says, with one defect on and no other.
    fn overrides<S: System>(&self, defect: Option<&str>) -> Overrides {
        let mut overrides = self.campaign.overrides.clone();
        let sound = S::profiles().into_iter().find(|p| p.defects.is_empty());
        overrides.profile = sound.map(|profile| profile.name.to_owned());
        overrides.defects = defect.map(str::to_owned).into_iter().collect();
        if defect.is_none() {
            // An empty list on the command line means that the file's own stands.
            overrides.set.push("run.defects=[]".to_owned());
        }
        overrides
    }

    fn row<S: System>(
        &self,
        switch: &Switch,
        mut watch: impl FnMut(&Report) -> bool,
    ) -> Result<Row, FuzzError> {
        let begun = (self.elapsed)();
        let overrides = self.overrides::<S>(Some(switch.name));
        let sought: Vec<&str> = caught_by(switch).collect();
        let campaign = Campaign {
            overrides: &overrides,
            max_failures: Some(1),
            sought: Some(&sought),
            ..self.campaign
        };
        let report = campaign.run::<S>(&mut watch)?;
        let wall = (self.elapsed)().saturating_sub(begun);
        let is_sought = |property: &str| sought.contains(&property);
        let found = report
            .groups
            .iter()
            .find(|found| is_sought(&found.group.property));
        let hit = match found {
            None => None,
            Some(found) => Some(Hit {
                property: found.group.property.clone(),
                seed: found.seed,
                small: match self.shrink {
                    true => left(small::<S>(&campaign, found, None, &mut || watch(&report)))?,
                    false => None,
                },
            }),
        };
        let mut others: Vec<String> = report
            .groups
            .iter()
            .map(|found| found.group.property.clone())
            .filter(|property| !is_sought(property))
            .collect();
        others.sort_unstable();
        others.dedup();
        Ok(Row {
            defect: switch.name,
            caught_by: sought,
            hit,
            others,
            seeds: report.runs,
            wall,
        })
    }
}

/// What is left; nothing where a run fails in its campaign and not by itself.
fn left(small: Result<Small, FuzzError>) -> Result<Option<Small>, FuzzError> {
    match small {
        Ok(small) => Ok(Some(small)),
        Err(FuzzError::Shrink(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

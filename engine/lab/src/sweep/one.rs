//! The run of one combination: loaded, made without a log, judged, its figures taken.

use dacapo_kernel::{Fault, How, Plan, Run, System, Wanted};

use super::columns::columns;
use super::rows::Row;
use super::vary::{Combination, Vary};
use super::{Sweep, SweepError};
use crate::judgement::{Ended, judge};
use crate::scenario::{Loaded, Overrides, load, nearest};

/// What makes the runs of a sweep.
pub(super) struct Bench<'a, S: System> {
    sweep: &'a Sweep<'a>,
    system: std::marker::PhantomData<S>,
}

impl<'a, S: System> Bench<'a, S> {
    pub(super) fn new(sweep: &'a Sweep<'a>) -> Bench<'a, S> {
        Bench {
            sweep,
            system: std::marker::PhantomData,
        }
    }

    /// Makes the run of a combination.
    pub(super) fn run(&self, combination: &Combination) -> Result<Row, SweepError> {
        let loaded = plan::<S>(self.sweep, combination)?;
        let mut row = None;
        let panic = (self.sweep.caught)(&mut || row = Some(made::<S>(&loaded)));
        let broken = |what| SweepError::Run {
            combination: named(self.sweep.vary, combination),
            what,
        };
        match (row, panic) {
            (Some(Ok(row)), Ok(())) => Ok(Row {
                values: combination.values.clone(),
                ..row
            }),
            (Some(Err(what)), Ok(())) => Err(broken(what)),
            (_, Err(panic)) => Err(broken(format!("a panic: {panic}"))),
            (None, Ok(())) => Err(broken("nothing was said".to_owned())),
        }
    }
}

/// Runs a plan; the row has no values yet.
fn made<S: System>(loaded: &Loaded<S>) -> Result<Row, String> {
    let plan = &loaded.plan;
    let run = Run::<S>::new(plan).measured(Wanted::default());
    let outcome = run
        .discard(&loaded.files)
        .map_err(|error| error.to_string())?;
    let judgement = judge(&Ended::<S> {
        plan,
        verdict: Some(&outcome.verdict),
        world: &outcome.world,
        findings: &outcome.findings,
    });
    let parts = outcome.measured.iter().flat_map(|measured| &measured.parts);
    let folded = parts.take(1).flat_map(|part| &part.figures);
    let value = |name: &str| {
        let counted = judgement.figures.iter().find(|figure| figure.name == name);
        let counted = counted.map(|figure| figure.value);
        let mut folded = folded.clone();
        counted.or_else(|| {
            folded
                .find(|figure| figure.name == name)?
                .value
                .clone()
                .ok()
        })
    };
    let figures = columns::<S>(plan);
    let mut failures: Vec<String> = Vec::new();
    for failure in &judgement.failures {
        if !failures.contains(&failure.property) {
            failures.push(failure.property.clone());
        }
    }
    Ok(Row {
        values: Vec::new(),
        verdict: outcome.verdict.name().to_owned(),
        failures,
        events: outcome.events,
        figures: figures
            .iter()
            .map(|column| value(column.name).filter(|value| value.is_finite()))
            .collect(),
    })
}

/// The plan of a combination.
pub(super) fn plan<S: System>(
    sweep: &Sweep<'_>,
    combination: &Combination,
) -> Result<Loaded<S>, SweepError> {
    let pairs = || sweep.vary.iter().zip(&combination.values);
    let mut set = sweep.overrides.set.clone();
    let settings = pairs().filter(|(vary, _)| vary.door().is_none());
    set.extend(settings.map(|(vary, value)| format!("{}={value}", vary.set_key())));
    let overrides = Overrides {
        set,
        ..sweep.overrides.clone()
    };
    let mut loaded = load::<S>(sweep.scenario, &overrides).map_err(Box::new)?;
    for (vary, value) in pairs() {
        if let Some(door) = vary.door() {
            open::<S>(&mut loaded.plan, door, value)
                .map_err(|what| SweepError::Door(format!("{}={value}: {what}", vary.key)))?;
        }
    }
    // What is expected of the run as it is written says nothing of others.
    loaded.plan.expect.figures.clear();
    Ok(loaded)
}

/// Opens a door for faults so many times in a thousand, for everybody. A rate that the scenario has for
/// it is replaced; its values stay.
fn open<S: System>(plan: &mut Plan<S::Config>, door: &str, rate: &str) -> Result<(), String> {
    let mut kinds = S::faults();
    kinds.retain(|kind| matches!(kind.how, How::Door { .. }));
    let Some(kind) = kinds.iter().find(|kind| kind.name == door) else {
        let near = nearest(door, kinds.iter().map(|kind| kind.name));
        let near = near.map_or_else(String::new, |near| format!("; did you mean faults.{near}?"));
        return Err(format!(
            "there is no door {door} for faults{near}; the command faults lists them"
        ));
    };
    let rate: u32 = rate
        .parse()
        .ok()
        .filter(|rate| *rate <= 1_000)
        .ok_or_else(|| format!("expected how often in a thousand, 0 to 1000, found {rate}"))?;
    for fault in &mut plan.faults.faults {
        if let Fault::Door {
            door: known,
            actor: None,
            per_mille,
            ..
        } = fault
            && known == door
        {
            *per_mille = rate;
            return Ok(());
        }
    }
    plan.faults.faults.push(Fault::Door {
        door: door.to_owned(),
        actor: None,
        per_mille: rate,
        least: kind.least,
        most: kind.most,
        until: None,
    });
    Ok(())
}

/// A combination in words.
pub(super) fn named(vary: &[Vary], combination: &Combination) -> String {
    let pairs = vary.iter().zip(&combination.values);
    let pairs: Vec<String> = pairs
        .map(|(vary, value)| format!("{}={value}", vary.key))
        .collect();
    pairs.join(" ")
}

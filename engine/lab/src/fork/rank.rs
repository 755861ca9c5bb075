//! How much each input matters: a fork for each, and the figure that it ends with.

use std::rc::Rc;

use dacapo_kernel::{
    Event, Events, Figure, Files, Fork, Forked, Measured, Measurement, Outcome, Recording, Run,
    RunError, Seq, System, Wanted,
};

use super::change::{Asked, Meant, is_input, meant};
use crate::figures::Figured;
use crate::find::{Query, find};
use crate::fuzz::caught;
use crate::tell::Line;

/// How many times as many events as the recorded run a fork can have.
const EVENTS_TIMES: u64 = 4;
/// The least bound on the events of a fork.
const EVENTS_LEAST: u64 = 100_000;

/// What is ranked.
pub struct Ranking<'a, S: System> {
    /// The recorded run, as far as its figures are concerned.
    pub recorded: &'a Figured<S>,
    /// Its events.
    pub recording: &'a Rc<Recording<S::Event>>,
    /// Its data files.
    pub files: &'a dyn Files,
    /// The inputs that are looked at, as `find` found them.
    pub inputs: &'a [Line],
    /// What is asked of each.
    pub asked: &'a Asked,
    /// The figure that matters.
    pub figure: &'a str,
}

/// What came of one fork.
#[derive(Clone, Debug, PartialEq)]
pub struct Rank {
    /// The input.
    pub line: Line,
    /// The figure without the change of this input, less the figure with it: what the input is worth.
    /// None if the figure is not defined in the fork.
    pub worth: Option<f64>,
    /// The figure of the fork.
    pub value: Option<f64>,
    /// How the fork ended.
    pub verdict: &'static str,
}

/// What came of all of them.
pub struct Ranked {
    /// The figure of the recorded run.
    pub base: f64,
    /// Those that matter most first, whichever way.
    pub ranks: Vec<Rank>,
    /// Inputs of which such a change is none, and why the first is not.
    pub refused: (u64, Option<String>),
    /// Forks in which the program itself made a mistake.
    pub panicked: u64,
}

/// Why nothing was ranked.
#[derive(Debug, thiserror::Error)]
pub enum RankError {
    /// The run has no such figure, or it is not defined.
    #[error("the run has no figure `{figure}`{}; there are: {}", why(reason.as_ref()), known.join(", "))]
    NoFigure {
        /// The name.
        figure: String,
        /// Why it is not defined.
        reason: Option<String>,
        /// Every figure that is.
        known: Vec<String>,
    },
    /// This program does not go as recorded.
    #[error("this program differs from the one that made the log at event {0}; `replay` says how")]
    Diverged(Seq),
    /// A run could not be made.
    #[error(transparent)]
    Run(#[from] RunError),
}

fn why(reason: Option<&String>) -> String {
    reason.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// The inputs of a log that a query means.
///
/// # Errors
/// If the log is damaged.
pub fn inputs_of<S: System>(
    events: &mut Events<S::Event>,
    recording: &Recording<S::Event>,
    query: &Query,
) -> Result<Vec<Line>, RunError> {
    let found = find::<S>(events, query, usize::MAX, false, |_, _| ())?;
    let lines = found.found.into_iter().map(|found| found.line);
    let is_one = |line: &Line| {
        let event = recording.event(line.seq);
        event.is_some_and(|event: Event<S::Event>| is_input(&event) && line.seq > Seq(0))
    };
    Ok(lines.filter(is_one).collect())
}

/// Makes a fork for each input, and puts them in order.
///
/// `progress` is told after each, and ends it by returning false; those that were made are ranked.
///
/// # Errors
/// If the run has no such figure, or this program does not go as recorded.
pub fn rank<S: System>(
    ranking: &Ranking<'_, S>,
    mut progress: impl FnMut(usize) -> bool,
) -> Result<Ranked, RankError> {
    let of =
        |measured: Option<&Measured>, counts: &[Figure]| figure(measured, counts, ranking.figure);
    let recorded = ranking.recorded;
    let base = of(recorded.measured.as_ref(), &recorded.counts);
    let base = base.map_err(|reason| RankError::NoFigure {
        figure: ranking.figure.to_owned(),
        reason,
        known: known(recorded.measured.as_ref(), &recorded.counts),
    })?;
    let mut ranked = Ranked {
        base,
        ranks: Vec::new(),
        refused: (0, None),
        panicked: 0,
    };
    for (at, line) in ranking.inputs.iter().enumerate() {
        match meant::<S>(ranking.recording, line.seq, ranking.asked) {
            Ok(Meant::Input(fork)) => match one::<S>(ranking, fork)? {
                Some(outcome) => {
                    let counts = S::figures(&outcome.world);
                    let value = of(outcome.measured.as_ref(), &counts).ok();
                    ranked.ranks.push(Rank {
                        line: line.clone(),
                        worth: value.map(|value| base - value),
                        value,
                        verdict: outcome.verdict.name(),
                    });
                }
                None => ranked.panicked += 1,
            },
            Ok(Meant::Plan(_)) => {}
            Err(error) => {
                ranked.refused.0 += 1;
                ranked.refused.1.get_or_insert_with(|| error.to_string());
            }
        }
        if !progress(at + 1) {
            break;
        }
    }
    ranked.ranks.sort_by(|a, b| {
        let size = |rank: &Rank| rank.worth.map_or(-1.0, f64::abs);
        size(b)
            .total_cmp(&size(a))
            .then(a.line.seq.cmp(&b.line.seq))
    });
    Ok(ranked)
}

/// One fork; none if the program itself makes a mistake in it.
fn one<S: System>(
    ranking: &Ranking<'_, S>,
    fork: Fork<S::Event>,
) -> Result<Option<Outcome<S::View>>, RankError> {
    let most = EVENTS_LEAST.max(ranking.recording.events().saturating_mul(EVENTS_TIMES));
    let mut made = None;
    let panicked = caught(&mut || {
        let run = Run::<S>::new(&ranking.recorded.plan)
            .unchecked()
            .measured(Wanted::default())
            .watch(|seq, _| seq.0 < most);
        made = Some(run.fork(ranking.recording, fork.clone(), ranking.files, None));
    });
    match (panicked, made) {
        (Ok(()), Some(made)) => match made? {
            Forked::Ended(outcome, _) => Ok(Some(*outcome)),
            Forked::Diverged(divergence) => Err(RankError::Diverged(divergence.seq)),
        },
        _ => Ok(None),
    }
}

/// A figure of a run: a measured one, or one that is counted. The error says why it is not defined, if
/// there is one of that name.
fn figure(
    measured: Option<&Measured>,
    counts: &[Figure],
    name: &str,
) -> Result<f64, Option<String>> {
    let of_that_name = |figure: &&Measurement| figure.name == name;
    if let Some(figure) = figures_of(measured).iter().find(of_that_name) {
        return figure.value.clone().map_err(Some);
    }
    let counted = counts.iter().find(|figure| figure.name == name);
    counted.map(|figure| figure.value).ok_or(None)
}

/// The names of the figures that are defined.
fn known(measured: Option<&Measured>, counts: &[Figure]) -> Vec<String> {
    let defined = figures_of(measured)
        .iter()
        .filter(|figure| figure.value.is_ok());
    let mut known: Vec<String> = defined.map(|figure| figure.name.to_owned()).collect();
    known.extend(counts.iter().map(|figure| figure.name.to_owned()));
    known
}

fn figures_of(measured: Option<&Measured>) -> &[Measurement] {
    let part = measured.and_then(|measured| measured.parts.first());
    part.map_or(&[], |part| part.figures.as_slice())
}

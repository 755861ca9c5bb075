//! One case: a scenario that is run, or a golden log whose run is made again.

use std::cell::RefCell;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Checked, Events, Finding, Inputs, Outcome, Run, RunError, Seq, System, Wanted,
    World, fold, plan_of,
};
use serde_json::Value;

use super::files::{Case, CaseKind, log_bytes};
use super::held::{Class, Counted, Held, first_apart};
use super::instants;
use super::kept::Kept;
use super::made::{Made, place_for_files};
use super::{Apartness, Standing, Test, Trace, Trouble};
use super::{read_back, refused, state};
use crate::causes::tell_events;
use crate::divergence::{Difference, FieldDifference, compare, explain_apart};
use crate::examine::{anything_happened, examine};
use crate::judgement::{Ended, Failure, Judgement, judge};
use crate::record::body_json;
use crate::scenario::{Overrides, load};

/// Tests one case.
pub(super) fn case<S: System>(case: &Case, test: &Test<'_>) -> Standing {
    let tested = match case.kind {
        CaseKind::Scenario => scenario::<S>(case),
        CaseKind::Golden => golden::<S>(case, test),
    };
    tested.unwrap_or_else(Standing::Broken)
}

fn scenario<S: System>(case: &Case) -> Result<Standing, Trouble> {
    let loaded = load::<S>(&case.path, &Overrides::default())?;
    let left = place_for_files()?;
    let files = loaded.files.clone().leaving_in(left.path());
    let (storage, bytes) = in_memory();
    let outcome = Run::<S>::new(&loaded.plan)
        .measured(Wanted::default())
        .record(&files, storage, SyncPolicy::Never)?;
    let mut judgement = judge(&Ended::<S> {
        plan: &loaded.plan,
        verdict: Some(&outcome.verdict),
        world: &outcome.world,
        findings: &outcome.findings,
    });
    judgement.failures.extend(refused::failures(&loaded)?);
    if !judgement.failures.is_empty() {
        return failed::<S>(judgement.failures, outcome.events, &bytes);
    }
    let happened = anything_happened::<S>(&mut Events::new(again(&bytes)?))?;
    Ok(standing(
        &outcome,
        judgement,
        happened,
        loaded.refused.len(),
    ))
}

/// What failed in a run, and the event at which it first did.
fn failed<S: System>(
    failures: Vec<Failure>,
    events: u64,
    bytes: &Rc<RefCell<Memory>>,
) -> Result<Standing, Trouble> {
    let at = failures.first().and_then(|first| first.at);
    let place = match at {
        Some(at) => tell_events::<S>(&mut Events::new(again(bytes)?), &[at])?.pop(),
        None => None,
    };
    Ok(Standing::Failed {
        failures,
        events,
        place: place.map(Box::new),
    })
}

fn standing<V>(
    outcome: &Outcome<V>,
    judgement: Judgement,
    happened: bool,
    refused: usize,
) -> Standing {
    match judgement.exhausted {
        Some(budget) => Standing::Exhausted(budget.to_string()),
        None if !happened => Standing::NothingRan,
        None => Standing::Passed {
            events: outcome.events,
            refused,
        },
    }
}

fn golden<S: System>(case: &Case, test: &Test<'_>) -> Result<Standing, Trouble> {
    let bytes = log_bytes(&case.path).map_err(Trouble::File)?;
    let kept = Kept::beside(&case.path).map_err(Trouble::File)?;
    let level = test.level.or(kept.level.as_deref());
    let ignore = [test.ignore, &kept.ignore].concat();
    let held = Held::named::<S>(level, &ignore).and_then(|held| held.with_kinds::<S>(&kept.also));
    let held = held.map_err(Trouble::Level)?;
    let recorded = Rc::new(RefCell::new(Memory(bytes)));
    let mut reader = again(&recorded)?;
    let ending = reader.ending().map_err(RunError::from)?;
    let fingerprint = ending.chain().to_string();
    let another = kept.newest().filter(|it| it.fingerprint != fingerprint);
    if let (true, Some(accepted)) = (test.locked, another) {
        return Err(Trouble::NotAccepted {
            accepted: accepted.fingerprint.clone(),
            found: fingerprint,
        });
    }
    let made = Made::<S>::as_kept(&case.path, &kept)?;
    let held = match made.generates() {
        true => held.with_inputs(),
        false => held,
    };
    let standing = hold::<S>(&recorded, &held, &made)?;
    let Standing::Same { level, events, .. } = &standing else {
        return Ok(standing);
    };
    read_back::check::<S>(again(&recorded)?)?;
    // The state that is kept is the one of the log that was accepted.
    if another.is_some() {
        return Ok(standing);
    }
    let Some(difference) = state::apart::<S>(&case.path, || again(&recorded))? else {
        return Ok(standing);
    };
    Ok(Standing::Differs(Box::new(Apartness {
        difference,
        level: level.clone(),
        detail: None,
        plan: Vec::new(),
        events: (ending.events(), *events),
        violated: Vec::new(),
        inputs: Inputs::default(),
        fingerprint: Some(fingerprint),
        log: recorded.borrow().0.clone(),
    })))
}

/// Runs a whole recording again, with its inputs as far as they apply, and holds the new run against it.
///
/// # Errors
/// If the recording cannot be read, is not whole, or its run cannot be made.
pub fn replay_again<S: System>(log: Vec<u8>, held: &Held) -> Result<Standing, Trouble> {
    let recorded = Rc::new(RefCell::new(Memory(log)));
    hold::<S>(&recorded, held, &Made::AsRecorded)
}

fn hold<S: System>(
    recorded: &Rc<RefCell<Memory>>,
    held: &Held,
    made: &Made<S>,
) -> Result<Standing, Trouble> {
    let mut reader = again(recorded)?;
    let ending = reader.ending().map_err(RunError::from)?;
    if !ending.is_closed() {
        let events = ending.events();
        return Err(Trouble::NotWhole { events });
    }
    let (storage, new) = in_memory();
    let outcome = made.run(reader, storage)?;
    if outcome.fingerprint == Some(ending.chain()) {
        return Ok(Standing::Same {
            level: held.level.clone(),
            events: outcome.events,
            detail: None,
        });
    }
    Compared::<S> {
        held,
        recorded,
        new: &new,
        outcome: &outcome,
    }
    .standing()
}

/// A recording, and the run that followed it.
struct Compared<'a, S: System> {
    held: &'a Held,
    recorded: &'a Rc<RefCell<Memory>>,
    new: &'a Rc<RefCell<Memory>>,
    outcome: &'a Outcome<S::View>,
}

impl<S: System> Compared<'_, S> {
    fn standing(&self) -> Result<Standing, Trouble> {
        let detail = self.detail()?;
        let level = self.held.level.clone();
        let failures = self.violated_now()?;
        let apart = self.apart(detail.as_ref())?;
        let Some(apart) = apart else {
            if !failures.is_empty() {
                return failed::<S>(failures, self.outcome.events, self.new);
            }
            return Ok(Standing::Same {
                level,
                events: self.outcome.events,
                detail: detail.map(Box::new),
            });
        };
        let before = events_of(self.recorded)?;
        Ok(Standing::Differs(Box::new(Apartness {
            difference: apart,
            level,
            detail,
            plan: self.replanned()?,
            events: (before, self.outcome.events),
            violated: failures.into_iter().map(|it| it.property).collect(),
            inputs: self.outcome.inputs.clone().unwrap_or_default(),
            fingerprint: self.outcome.fingerprint.map(|chain| chain.to_string()),
            log: self.new.borrow().0.clone(),
        })))
    }

    /// The first event of all that differs.
    fn detail(&self) -> Result<Option<Trace>, Trouble> {
        let held = self.held.to_the_last_event();
        let Some((class, expected, actual)) = self.first(&held)? else {
            return Ok(None);
        };
        let common = self.common(&expected, &actual)?;
        let difference = self.explain((class, &expected, &actual), true, &common)?;
        Ok(Some(Trace { difference }))
    }

    /// The first difference in what counts, with the last state that both have in every event.
    fn apart(&self, detail: Option<&Trace>) -> Result<Option<Difference>, Trouble> {
        if self.held.is_exact() {
            return Ok(detail.map(|trace| trace.difference.clone()));
        }
        let Some((class, expected, actual)) = self.first(self.held)? else {
            return Ok(None);
        };
        let at = detail.map(|trace| trace.difference.seq);
        let common = match at {
            Some(seq) => self.state_before(seq)?,
            None => self.common(&expected, &actual)?,
        };
        self.explain((class, &expected, &actual), false, &common)
            .map(Some)
    }

    /// Where what counts first differs: how, and at which event of each log.
    #[expect(clippy::type_complexity, reason = "the two events of one difference")]
    fn first(&self, held: &Held) -> Result<Option<(Class, Option<Seq>, Option<Seq>)>, Trouble> {
        let before: Vec<Counted<S::Event>> = held.of::<S>(again(self.recorded)?)?;
        let now: Vec<Counted<S::Event>> = held.of::<S>(again(self.new)?)?;
        let generated = self.outcome.inputs.as_ref();
        let generated = generated.map_or(&[][..], |inputs| &inputs.generated);
        let apart = if held.is_exact() {
            first_apart(&before, &now, generated)
        } else {
            instants::first_apart(&before, &now, generated)
        };
        let Some(apart) = apart else {
            return Ok(None);
        };
        let expected = apart.expected.map(|at| before[at].seq);
        let actual = apart.actual.map(|at| now[at].seq);
        Ok(Some((apart.class, expected, actual)))
    }

    fn common(
        &self,
        expected: &Option<Seq>,
        actual: &Option<Seq>,
    ) -> Result<World<S::View>, Trouble> {
        match expected.or(*actual) {
            Some(seq) => self.state_before(seq),
            None => Ok(World::default()),
        }
    }

    fn state_before(&self, seq: Seq) -> Result<World<S::View>, Trouble> {
        match seq.0.checked_sub(1) {
            Some(before) => {
                let mut events = Events::<S::Event>::new(again(self.recorded)?);
                Ok(fold::<S>(&mut events, Some(Seq(before)))?)
            }
            None => Ok(World::default()),
        }
    }

    fn explain(
        &self,
        (class, expected, actual): (Class, &Option<Seq>, &Option<Seq>),
        is_exact: bool,
        common: &World<S::View>,
    ) -> Result<Difference, Trouble> {
        let mut recorded = Events::new(again(self.recorded)?);
        let mut new = Events::new(again(self.new)?);
        Ok(explain_apart::<S>(
            (&mut recorded, *expected),
            (&mut new, *actual),
            (class, is_exact),
            common,
        )?)
    }

    /// What the plan of the new run says otherwise than the recorded one, as both are written.
    fn replanned(&self) -> Result<Vec<FieldDifference>, Trouble> {
        let recorded = written_plan::<S>(self.recorded)?;
        let new = written_plan::<S>(self.new)?;
        Ok(compare("", recorded.as_ref(), new.as_ref()))
    }

    /// The properties that are violated in the new run and were not in the recording.
    fn violated_now(&self) -> Result<Vec<Failure>, Trouble> {
        let is_violated = |checked: &&Checked| matches!(checked.finding, Finding::Violated { .. });
        let now = self.outcome.findings.iter().filter(is_violated);
        if now.count() == 0 {
            return Ok(Vec::new());
        }
        let mut reader = again(self.recorded)?;
        let plan = plan_of::<S>(&mut reader)?;
        let before = examine::<S>(again(self.recorded)?, |_, _| {})?;
        let before = before.findings.iter().filter(is_violated);
        let before: Vec<&str> = before.map(|checked| checked.id).collect();
        let judgement = judge(&Ended::<S> {
            plan: &plan,
            verdict: None,
            world: &self.outcome.world,
            findings: &self.outcome.findings,
        });
        let mut failures = judgement.failures;
        failures.retain(|failure| {
            let is_property = self
                .outcome
                .findings
                .iter()
                .any(|it| it.id == failure.property);
            is_property && !before.contains(&failure.property.as_str())
        });
        Ok(failures)
    }
}

fn in_memory() -> (BoxedStorage, Rc<RefCell<Memory>>) {
    let bytes = Rc::new(RefCell::new(Memory::default()));
    (Box::new(Rc::clone(&bytes)), bytes)
}

fn again(bytes: &Rc<RefCell<Memory>>) -> Result<Reader<BoxedStorage>, Trouble> {
    let storage: BoxedStorage = Box::new(Rc::clone(bytes));
    Ok(Reader::open(storage).map_err(RunError::from)?)
}

fn events_of(bytes: &Rc<RefCell<Memory>>) -> Result<u64, Trouble> {
    Ok(again(bytes)?.ending().map_err(RunError::from)?.events())
}

/// The plan as the first event of a log has it.
fn written_plan<S: System>(bytes: &Rc<RefCell<Memory>>) -> Result<Option<Value>, Trouble> {
    let first = Events::<S::Event>::new(again(bytes)?).next()?;
    let body = first.and_then(|event| body_json(&event).ok());
    Ok(body.and_then(|mut body| body.get_mut("plan").map(Value::take)))
}

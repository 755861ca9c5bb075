//! The section `[[faults]]`: what is planned to go wrong.
//!
//! Doors and acts are held against the kinds of fault that the system names; whether there is such
//! a host or task only the system itself can tell.

use std::collections::BTreeSet;

use dacapo_kernel::{Fault, FaultKind, How, Mistake, Seq, System, Time, When};
use serde::Deserialize;

use super::units::Nanos;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    CrashHost,
    CrashTask,
    JumpClock,
    Door,
    Strike,
    Choose,
    Act,
}

impl Kind {
    /// Its name, and the keys it has beside `kind`.
    fn terms(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Kind::CrashHost => (
                "crash_host",
                &["host", "at", "after_event", "in_recovery", "restart_after"],
            ),
            Kind::CrashTask => ("crash_task", &["task", "at"]),
            Kind::JumpClock => ("jump_clock", &["at", "forward", "back"]),
            Kind::Door => (
                "door",
                &["door", "actor", "per_mille", "least", "most", "until"],
            ),
            Kind::Strike => ("strike", &["door", "actor", "asked", "value"]),
            Kind::Choose => ("choose", &["choice", "index"]),
            Kind::Act => ("act", &["what", "at", "value"]),
        }
    }
}

/// Any fault: one struct for all kinds, so that every mistake in it keeps its place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultSection {
    kind: Kind,
    host: Option<String>,
    task: Option<String>,
    door: Option<String>,
    actor: Option<String>,
    what: Option<String>,
    at: Option<Nanos>,
    until: Option<Nanos>,
    after_event: Option<u64>,
    in_recovery: Option<u64>,
    restart_after: Option<Nanos>,
    forward: Option<Nanos>,
    back: Option<Nanos>,
    per_mille: Option<u32>,
    least: Option<u64>,
    most: Option<u64>,
    asked: Option<u64>,
    value: Option<u64>,
    choice: Option<u64>,
    index: Option<u32>,
}

/// The faults of a plan.
///
/// # Errors
/// The first mistake, with the path of keys to it.
pub(super) fn plan<S: System>(sections: &[FaultSection]) -> Result<Vec<Fault>, Mistake> {
    let kinds = S::faults();
    let faults = sections
        .iter()
        .enumerate()
        .map(|(number, fault)| fault.fault(&format!("faults.{number}"), &kinds))
        .collect::<Result<_, _>>()?;
    refuse_second_rates(sections)?;
    Ok(faults)
}

impl FaultSection {
    /// The fault that stands at this place.
    fn fault(&self, place: &str, kinds: &[FaultKind]) -> Result<Fault, Mistake> {
        self.refuse_foreign_keys(place)?;
        let at = || required(&self.at, place, "at", "when").map(|at| Time::from_nanos(at.0));
        match self.kind {
            Kind::CrashHost => Ok(Fault::CrashHost {
                host: required(&self.host, place, "host", "which host crashes")?,
                when: self.when(place)?,
                restart_after: self.restart_after.map(|span| span.0),
            }),
            Kind::CrashTask => Ok(Fault::CrashTask {
                task: required(&self.task, place, "task", "which task crashes")?,
                at: at()?,
            }),
            Kind::JumpClock => Ok(Fault::JumpClock {
                at: at()?,
                by: self.jump(place)?,
            }),
            Kind::Door => self.door(place, kinds),
            Kind::Strike => {
                let door = required(&self.door, place, "door", "which door lets chance in")?;
                known(&door, kinds, place, "door", is_door)?;
                Ok(Fault::Strike {
                    door,
                    actor: required(&self.actor, place, "actor", "for whom")?,
                    asked: required(&self.asked, place, "asked", "after how many questions")?,
                    value: self.value.unwrap_or(0),
                })
            }
            Kind::Choose => Ok(Fault::Choose {
                choice: required(&self.choice, place, "choice", "which choice of the run")?,
                index: required(&self.index, place, "index", "which of the ready tasks")?,
            }),
            Kind::Act => {
                let what = required(&self.what, place, "what", "what happens")?;
                let kind = known(&what, kinds, place, "what", |how| {
                    matches!(how, How::Act { .. })
                })?;
                Ok(Fault::Act {
                    what,
                    at: Time::from_nanos(self.at.unwrap_or(Nanos(0)).0),
                    value: self.value.or(kind.map(|kind| kind.least)).unwrap_or(0),
                })
            }
        }
    }

    fn door(&self, place: &str, kinds: &[FaultKind]) -> Result<Fault, Mistake> {
        let per_mille = required(&self.per_mille, place, "per_mille", "how often")?;
        if per_mille > 1_000 {
            let at = format!("{place}.per_mille");
            let what = format!("`{at}`: expected at most 1000, found {per_mille}");
            return Err(Mistake::at(&at, what).help("1000 is always, 10 is one in a hundred"));
        }
        let door = required(&self.door, place, "door", "which door lets chance in")?;
        let kind = known(&door, kinds, place, "door", is_door)?;
        let least = self.least.or(kind.map(|kind| kind.least)).unwrap_or(0);
        let most = self.most.or(kind.map(|kind| kind.most));
        let most = most
            .unwrap_or(least)
            .max(if self.most.is_some() { 0 } else { least });
        if least > most {
            let at = format!("{place}.least");
            let what = format!("`{place}`: no value is at least {least} and at most {most}");
            return Err(Mistake::at(&at, what).help("exchange the two"));
        }
        Ok(Fault::Door {
            door,
            actor: self.actor.clone(),
            per_mille,
            least,
            most,
            until: self.until.map(|until| Time::from_nanos(until.0)),
        })
    }

    fn jump(&self, place: &str) -> Result<i64, Mistake> {
        let signed = |span: Nanos, sign: i64| {
            i64::try_from(span.0).map(|span| sign * span).map_err(|_| {
                Mistake::at(place, format!("`{place}`: the clock cannot jump that far"))
            })
        };
        match (self.forward, self.back) {
            (Some(span), None) => signed(span, 1),
            (None, Some(span)) => signed(span, -1),
            _ => {
                let what = format!("`{place}` does not say which way: `forward` or `back`");
                Err(Mistake::at(place, what)
                    .help("write one of `forward = \"1h\"`, `back = \"1h\"`"))
            }
        }
    }

    fn when(&self, place: &str) -> Result<When, Mistake> {
        let help = "write one of `at = \"1m\"`, `after_event = 123`, `in_recovery = 5`";
        let given = [
            self.at.map(|at| When::Time(Time::from_nanos(at.0))),
            self.after_event.map(|seq| When::Event(Seq(seq))),
            self.in_recovery.map(When::Recovery),
        ];
        let given: Vec<When> = given.into_iter().flatten().collect();
        match given.as_slice() {
            [when] => Ok(*when),
            [] => {
                let what = format!("`{place}` does not say when: `at` or `after_event` is missing");
                Err(Mistake::at(place, what).help(help))
            }
            _ => {
                let what = format!("`{place}` says twice when: `at` and `after_event`");
                let second = if self.after_event.is_some() {
                    "after_event"
                } else {
                    "in_recovery"
                };
                Err(Mistake::at(&format!("{place}.{second}"), what).help(help))
            }
        }
    }

    /// A key of another kind of fault would have no effect.
    fn refuse_foreign_keys(&self, place: &str) -> Result<(), Mistake> {
        let (name, own) = self.kind.terms();
        let given = [
            ("host", self.host.is_some()),
            ("task", self.task.is_some()),
            ("door", self.door.is_some()),
            ("actor", self.actor.is_some()),
            ("what", self.what.is_some()),
            ("at", self.at.is_some()),
            ("until", self.until.is_some()),
            ("after_event", self.after_event.is_some()),
            ("in_recovery", self.in_recovery.is_some()),
            ("restart_after", self.restart_after.is_some()),
            ("forward", self.forward.is_some()),
            ("back", self.back.is_some()),
            ("per_mille", self.per_mille.is_some()),
            ("least", self.least.is_some()),
            ("most", self.most.is_some()),
            ("asked", self.asked.is_some()),
            ("value", self.value.is_some()),
            ("choice", self.choice.is_some()),
            ("index", self.index.is_some()),
        ];
        let foreign = given
            .iter()
            .find(|(key, given)| *given && !own.contains(key));
        match foreign {
            None => Ok(()),
            Some((key, _)) => {
                let what = format!("a fault of the kind `{name}` has no `{key}`");
                let mistake = Mistake::at(&format!("{place}.{key}"), what);
                Err(mistake.help(format!("beside `kind` it has `{}`", own.join("`, `"))))
            }
        }
    }
}

fn is_door(how: How) -> bool {
    matches!(how, How::Door { .. })
}

/// The kind of fault that a word names. A system that lists none takes any.
fn known<'a>(
    word: &str,
    kinds: &'a [FaultKind],
    place: &str,
    key: &str,
    fits: impl Fn(How) -> bool,
) -> Result<Option<&'a FaultKind>, Mistake> {
    let fitting = || kinds.iter().filter(|kind| fits(kind.how));
    if kinds.is_empty() {
        return Ok(None);
    }
    match fitting().find(|kind| kind.name == word) {
        Some(kind) => Ok(Some(kind)),
        None => {
            let at = format!("{place}.{key}");
            let mistake = Mistake::at(&at, format!("`{at}`: there is no `{word}`"));
            Err(mistake.candidates(fitting().map(|kind| kind.name)))
        }
    }
}

fn required<T: Clone>(
    value: &Option<T>,
    place: &str,
    key: &str,
    meaning: &str,
) -> Result<T, Mistake> {
    value.clone().ok_or_else(|| {
        let what = format!("the key `{key}` is missing in `{place}`");
        Mistake::at(place, what).help(format!("add `{key} = …`: {meaning}"))
    })
}

/// Two rates of one door for the same actor would be one rate that nobody wrote.
fn refuse_second_rates(sections: &[FaultSection]) -> Result<(), Mistake> {
    let mut seen = BTreeSet::new();
    let rates = sections.iter().enumerate();
    for (number, fault) in rates.filter(|(_, fault)| fault.kind == Kind::Door) {
        if let Some(door) = &fault.door
            && !seen.insert((door, &fault.actor))
        {
            let what = format!("the door `{door}` has its rate from an earlier fault");
            let mistake = Mistake::at(&format!("faults.{number}.door"), what);
            return Err(mistake.help("give each door one rate"));
        }
    }
    Ok(())
}

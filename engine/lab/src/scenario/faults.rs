//! The section `[[faults]]`: what is planned to go wrong.
//!
//! Whether there is such a host, task or door only the system can tell.

use std::collections::BTreeSet;

use dacapo_kernel::{Fault, FaultPlan, Mistake, Seq, Time, When};
use serde::Deserialize;

use super::units::Nanos;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    CrashHost,
    CrashTask,
    Door,
}

/// Any fault: one struct for all kinds, so that every mistake in it keeps its place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultSection {
    kind: FaultKind,
    host: Option<String>,
    task: Option<String>,
    door: Option<String>,
    at: Option<Nanos>,
    after_event: Option<u64>,
    restart_after: Option<Nanos>,
    per_mille: Option<u32>,
}

/// The faults of a plan.
///
/// # Errors
/// The first mistake, with the path of keys to it.
pub(super) fn plan(sections: &[FaultSection]) -> Result<FaultPlan, Mistake> {
    let faults = sections
        .iter()
        .enumerate()
        .map(|(number, fault)| fault.fault(&format!("faults.{number}")))
        .collect::<Result<_, _>>()?;
    refuse_second_rates(sections)?;
    Ok(FaultPlan(faults))
}

impl FaultSection {
    /// The fault that stands at this place.
    fn fault(&self, place: &str) -> Result<Fault, Mistake> {
        self.refuse_foreign_keys(place)?;
        match self.kind {
            FaultKind::CrashHost => Ok(Fault::CrashHost {
                host: required(&self.host, place, "host", "which host crashes")?,
                when: self.when(place)?,
                restart_after: self.restart_after.map(|span| span.0),
            }),
            FaultKind::CrashTask => Ok(Fault::CrashTask {
                task: required(&self.task, place, "task", "which task crashes")?,
                at: Time::from_nanos(required(&self.at, place, "at", "when it crashes")?.0),
            }),
            FaultKind::Door => {
                let per_mille = required(&self.per_mille, place, "per_mille", "how often")?;
                if per_mille > 1_000 {
                    let at = format!("{place}.per_mille");
                    let what = format!("`{at}`: expected at most 1000, found {per_mille}");
                    return Err(
                        Mistake::at(&at, what).help("1000 is always, 10 is one in a hundred")
                    );
                }
                Ok(Fault::Door {
                    door: required(&self.door, place, "door", "which door lets chance in")?,
                    per_mille,
                })
            }
        }
    }

    fn when(&self, place: &str) -> Result<When, Mistake> {
        let help = "write `at = \"1m\"` or `after_event = 123`";
        match (self.at, self.after_event) {
            (Some(at), None) => Ok(When::Time(Time::from_nanos(at.0))),
            (None, Some(seq)) => Ok(When::Event(Seq(seq))),
            (None, None) => {
                let what = format!("`{place}` does not say when: `at` or `after_event` is missing");
                Err(Mistake::at(place, what).help(help))
            }
            (Some(_), Some(_)) => {
                let what = format!("`{place}` says twice when: `at` and `after_event`");
                Err(Mistake::at(&format!("{place}.after_event"), what).help(help))
            }
        }
    }

    /// A key of another kind of fault would have no effect.
    fn refuse_foreign_keys(&self, place: &str) -> Result<(), Mistake> {
        let (name, own): (&str, &[&'static str]) = match self.kind {
            FaultKind::CrashHost => (
                "crash_host",
                &["host", "at", "after_event", "restart_after"],
            ),
            FaultKind::CrashTask => ("crash_task", &["task", "at"]),
            FaultKind::Door => ("door", &["door", "per_mille"]),
        };
        let given = [
            ("host", self.host.is_some()),
            ("task", self.task.is_some()),
            ("door", self.door.is_some()),
            ("at", self.at.is_some()),
            ("after_event", self.after_event.is_some()),
            ("restart_after", self.restart_after.is_some()),
            ("per_mille", self.per_mille.is_some()),
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

/// The kernel asks the first fault of a door, so a second would be silently without effect.
fn refuse_second_rates(sections: &[FaultSection]) -> Result<(), Mistake> {
    let mut seen = BTreeSet::new();
    for (number, fault) in sections.iter().enumerate() {
        if let Some(door) = &fault.door
            && !seen.insert(door)
        {
            let what = format!("the door `{door}` has its rate from an earlier fault");
            let mistake = Mistake::at(&format!("faults.{number}.door"), what);
            return Err(mistake.help("give each door one rate"));
        }
    }
    Ok(())
}

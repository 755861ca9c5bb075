//! A mill: two millers grind a sack each second, and their stones can jam. It only exists to fail
//! in the way that its scenario asks for.

use std::path::PathBuf;
use std::time::Duration;

use dacapo_kernel::{
    BuildError, Ctx, Event, FaultKind, Files, How, Invariant, KernelEvent, Mistake, Plan, Setup,
    System, Time, events,
};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

pub(crate) struct Mill;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ground {
    miller: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Jammed {
    miller: u8,
    hard: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rang {
    loud: u64,
}

events! {
    /// What happens in a mill.
    pub(crate) enum MillEvent {
        /// A sack is ground.
        64 "ground" v 1 Consequence => Ground(Ground);
        /// A stone stands still.
        65 "jammed" v 1 Consequence => Jammed(Jammed);
        /// The bell.
        66 "rang" v 1 Consequence => Rang(Rang);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Config {
    /// The property that is held against the run.
    property: Property,
    /// When the bell rings, in seconds, and how loud.
    #[serde(default)]
    bells: Vec<(u64, u64)>,
    #[serde(default)]
    table: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Property {
    HardJam,
    FiveJams,
    CrashAfterJam,
    SecondFirst,
    Loud,
    NoOtherBell,
    JamByTheEnd,
}

impl System for Mill {
    const NAME: &'static str = "mill";
    type Event = MillEvent;
    type View = ();
    type Config = Config;

    fn resolve(plan: &mut Plan<Config>, files: &dyn Files) -> Result<(), Mistake> {
        if let Some(table) = &plan.system.table {
            files
                .open(table)
                .map_err(|error| Mistake::at("table", error.to_string()))?;
        }
        Ok(())
    }

    fn build(plan: &Plan<Config>, setup: &mut Setup<'_, Mill>) -> Result<(), BuildError> {
        let bells = plan.system.bells.clone();
        setup.host("mill", move |ctx| open(ctx, bells.clone()));
        Ok(())
    }

    fn invariants(plan: &Plan<Config>) -> Vec<Box<dyn Invariant<MillEvent>>> {
        vec![Box::new(Watch {
            property: plan.system.property,
            bells: plan.system.bells.len(),
            jams: 0,
            last: None,
        })]
    }

    fn faults() -> Vec<FaultKind> {
        let kind = |name, how, least, most| FaultKind {
            name,
            meaning: "something goes wrong in the mill",
            value: "how much",
            least,
            most,
            how,
        };
        vec![
            kind(
                "mill.jam",
                How::Door {
                    most_per_mille: 500,
                },
                10,
                1_000,
            ),
            kind("mill.bell", How::Act { times: 2 }, 1, 50),
            kind("crash-host", How::CrashHost { host: "mill" }, 100, 60_000),
        ]
    }

    fn act(plan: &mut Plan<Config>, what: &str, at: Time, value: u64) -> Result<(), String> {
        if what != "mill.bell" {
            return Err(format!("there is no act `{what}`"));
        }
        plan.system
            .bells
            .push((at.as_nanos() / 1_000_000_000, value));
        Ok(())
    }

    fn describe(_: &Event<MillEvent>, domain: &MillEvent) -> String {
        format!("{domain:?}")
    }
}

async fn open(ctx: Ctx<Mill>, bells: Vec<(u64, u64)>) {
    for miller in [1, 2] {
        let name = ["ada", "bob"][usize::from(miller) - 1];
        let at_stone = ctx.actor(name);
        ctx.spawn(name, grind(at_stone, miller));
    }
    for (at, loud) in bells {
        let bell = ctx.clone();
        ctx.spawn("bell", async move {
            bell.sleep(Duration::from_secs(at)).await;
            bell.emit(Rang { loud });
        });
    }
}

async fn grind(ctx: Ctx<Mill>, miller: u8) {
    loop {
        ctx.sleep(Duration::from_secs(1)).await;
        match ctx.fault("mill.jam") {
            Some(hard) => ctx.emit(Jammed { miller, hard }),
            None => ctx.emit(Ground { miller }),
        };
    }
}

/// The one property that a run is held to.
struct Watch {
    property: Property,
    /// How many bells are to ring.
    bells: usize,
    jams: u32,
    last: Option<(Time, u8)>,
}

impl Invariant<MillEvent> for Watch {
    fn id(&self) -> &'static str {
        "mill.runs"
    }

    fn statement(&self) -> &'static str {
        "the mill runs as it should"
    }

    fn observe(&mut self, event: &Event<MillEvent>) -> Result<(), String> {
        let bad = match (self.property, event.domain()) {
            (Property::HardJam, Some(MillEvent::Jammed(jam))) => jam.hard >= 700,
            (Property::FiveJams, Some(MillEvent::Jammed(jam))) if jam.miller == 1 => {
                self.jams += 1;
                self.jams == 5
            }
            (Property::FiveJams, Some(MillEvent::Ground(sack))) if sack.miller == 1 => {
                self.jams = 0;
                false
            }
            (Property::CrashAfterJam, Some(MillEvent::Jammed(jam))) => {
                self.jams += u32::from(jam.miller == 2);
                false
            }
            (Property::CrashAfterJam, None) => {
                matches!(event.kernel(), Some(KernelEvent::HostRestarted(_))) && self.jams > 0
            }
            (Property::SecondFirst, Some(MillEvent::Ground(sack))) => {
                let before = self.last.replace((event.time, sack.miller));
                sack.miller == 1 && before == Some((event.time, 2))
            }
            (Property::Loud, Some(MillEvent::Rang(bell))) => bell.loud >= 3,
            (Property::NoOtherBell, Some(MillEvent::Rang(_))) => self.bells == 0,
            (Property::JamByTheEnd, Some(MillEvent::Jammed(_))) => {
                self.jams += 1;
                false
            }
            _ => false,
        };
        if bad {
            Err("it does not".to_owned())
        } else {
            Ok(())
        }
    }

    fn finish(&mut self, _: Time) -> Result<(), String> {
        if self.property == Property::JamByTheEnd && self.jams > 0 {
            return Err("there was a jam".to_owned());
        }
        Ok(())
    }
}

/// A folder with a scenario of the mill in it.
pub(crate) struct Yard(pub(crate) TempDir);

impl Yard {
    pub(crate) fn new() -> Yard {
        Yard(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Five minutes in which much goes wrong, held to one property.
    pub(crate) fn rough(&self, property: &str) -> Loaded<Mill> {
        self.scenario(&format!(
            r#"
name = "rough"
property = "{property}"

[run]
seed = 7
duration = "5m"
scheduler = "random"
quiet_from = "3m"

[[faults]]
kind = "door"
door = "mill.jam"
per_mille = 300

[[faults]]
kind = "crash_host"
host = "mill"
after_event = 400
restart_after = "7.3s"

[[faults]]
kind = "act"
what = "mill.bell"
at = "97s"
value = 41

[[faults]]
kind = "jump_clock"
at = "33s"
back = "5h"
"#
        ))
    }

    pub(crate) fn scenario(&self, text: &str) -> Loaded<Mill> {
        std::fs::write(self.path("mill.toml"), text).unwrap();
        load(&self.path("mill.toml"), &Overrides::default()).unwrap()
    }
}

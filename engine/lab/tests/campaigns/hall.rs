//! The system under test, and a scenario of it in a folder.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dacapo_kernel::*;
use dacapo_lab::Swarm;
use dacapo_lab::fuzz::{Campaign, Keep, Report, Runs, Seeds, Shard, caught};
use dacapo_lab::scenario::Overrides;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entered {
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Jammed {
    by: u64,
}

/// Read as another than it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Jammed")]
pub(crate) struct Garbled {
    by: u64,
}

impl From<Jammed> for Garbled {
    fn from(written: Jammed) -> Garbled {
        Garbled { by: written.by + 1 }
    }
}

events! {
    /// What happens in the hall.
    pub(crate) enum HallEvent {
        /// Somebody came in.
        64 "entered" v 1 Consequence => Entered(Entered);
        /// The turnstile was stuck.
        65 "jammed" v 1 Consequence => Jammed(Jammed);
        /// Somebody wrote badly.
        66 "garbled" v 1 Consequence => Garbled(Garbled);
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) hall: Hall,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hall {
    pub(crate) people: u64,
    /// Whether the program counts the runs that it has made, and lets that into a run.
    #[serde(default)]
    leaky: bool,
    /// Whether an event is read as another than it was written.
    #[serde(default)]
    garbled: bool,
    /// Whether the program fails after a run in which the turnstile was stuck this hard.
    #[serde(default)]
    breaks_at: Option<u64>,
}

static RUNS: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    jam: u64,
    breaks_at: Option<u64>,
}

impl View<HallEvent> for Seen {
    fn apply(&mut self, _: &Event<HallEvent>, event: &HallEvent) {
        if let HallEvent::Jammed(jam) = event {
            self.jam = self.jam.max(jam.by % 1_000);
            self.breaks_at = (jam.by >= 1_000).then_some(jam.by / 1_000);
        }
    }
}

pub(crate) struct Turnstile;

impl System for Turnstile {
    const NAME: &'static str = "turnstile";
    type Event = HallEvent;
    type View = Seen;
    type Config = Config;

    fn resolve(_: &mut Plan<Config>, _: &dyn Files) -> Result<(), Mistake> {
        Ok(())
    }

    fn build(plan: &Plan<Config>, setup: &mut Setup<'_, Self>) -> Result<(), BuildError> {
        let (hall, unlocked) = (
            plan.system.hall.clone(),
            plan.defects.iter().any(|d| d == "unlocked"),
        );
        setup.host("hall", move |ctx| open(ctx, hall.clone(), unlocked));
        Ok(())
    }

    fn invariants(_: &Plan<Config>) -> Vec<Box<dyn Invariant<HallEvent>>> {
        vec![Box::new(NoDeadlock), Box::new(Counted(0))]
    }

    fn sometimes(_: &Plan<Config>) -> Vec<Sometimes<HallEvent>> {
        let reached = |wanted: fn(&HallEvent) -> bool| {
            Box::new(move |event: &Event<HallEvent>| event.domain().is_some_and(wanted))
        };
        vec![
            Sometimes {
                id: "jammed",
                meaning: "the turnstile is stuck",
                watches: &[],
                reached: reached(|event| matches!(event, HallEvent::Jammed(_))),
            },
            Sometimes {
                id: "crowded",
                meaning: "a million people came in",
                watches: &[64],
                reached: reached(|e| matches!(e, HallEvent::Entered(e) if e.count > 1_000_000)),
            },
        ]
    }

    fn faults() -> Vec<FaultKind> {
        vec![FaultKind {
            name: "gate.jam",
            meaning: "the turnstile is stuck",
            value: "for how many milliseconds",
            least: 1,
            most: 100,
            how: How::Door {
                most_per_mille: 300,
            },
        }]
    }

    fn defects() -> Vec<Switch> {
        let switch = |name, caught_by| Switch {
            name,
            reference: "tests",
            broken: "",
            sound: "",
            caught_by,
        };
        vec![
            switch("unlocked", "hall.counted"),
            switch("unseen", "hall.counted, the verdict"),
        ]
    }

    fn figures(world: &World<Seen>) -> Vec<Figure> {
        let limit = world.view.breaks_at;
        assert!(
            limit.is_none_or(|limit| world.view.jam < limit),
            "a mistake in the program itself"
        );
        Vec::new()
    }

    fn describe(_: &Event<HallEvent>, _: &HallEvent) -> String {
        String::new()
    }
}

async fn open(ctx: Ctx<Turnstile>, hall: Hall, unlocked: bool) {
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let lock = Lock::new(&ctx, "turnstile");
    if hall.leaky {
        let by = RUNS.fetch_add(1, Ordering::Relaxed) % 1_000;
        ctx.emit(Jammed { by });
    }
    if hall.garbled {
        ctx.emit(Garbled { by: 0 });
    }
    for person in 1..=hall.people {
        let (ctx, lock, count) = (ctx.clone(), lock.clone(), count.clone());
        ctx.clone().spawn(format!("person-{person}"), async move {
            let held = if unlocked {
                None
            } else {
                Some(lock.acquire().await)
            };
            let before = count.get();
            if let Some(by) = ctx.fault("gate.jam") {
                let breaks_at = hall.breaks_at.unwrap_or(0);
                ctx.emit(Jammed {
                    by: by + 1_000 * breaks_at,
                });
                ctx.sleep(Duration::from_millis(by)).await;
            }
            count.set(before + 1);
            ctx.emit(Entered { count: before + 1 });
            drop(held);
        });
    }
}

/// Whoever comes in is counted.
struct Counted(u64);

impl Invariant<HallEvent> for Counted {
    fn id(&self) -> &'static str {
        "hall.counted"
    }

    fn statement(&self) -> &'static str {
        "whoever comes in is counted once"
    }

    fn observe(&mut self, event: &Event<HallEvent>) -> Result<(), String> {
        let Some(HallEvent::Entered(entered)) = event.domain() else {
            return Ok(());
        };
        self.0 += 1;
        match entered.count == self.0 {
            true => Ok(()),
            false => Err(format!("expected {}, found {}", self.0, entered.count)),
        }
    }

    fn evaluable(&self) -> bool {
        self.0 > 0
    }
}

const SCENARIO: &str = "name = \"hall\"\n[run]\nduration = \"10s\"\n[hall]\npeople = 6\n";

/// A folder with the scenario, and what of a campaign is not said otherwise.
pub(crate) struct Desk {
    folder: TempDir,
    pub(crate) overrides: Overrides,
    pub(crate) swarm: Swarm,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk::with(SCENARIO)
    }

    /// With this scenario.
    pub(crate) fn with(scenario: &str) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("hall.toml"), scenario).unwrap();
        Desk {
            folder,
            overrides: Overrides::default(),
            swarm: Swarm::default(),
        }
    }

    /// With this defect on.
    pub(crate) fn broken() -> Desk {
        let mut desk = Desk::new();
        desk.overrides.defects = vec!["unlocked".to_owned()];
        desk
    }

    pub(crate) fn set(mut self, set: &str) -> Desk {
        self.overrides.set.push(set.to_owned());
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a campaign over these seeds, with changes.
    pub(crate) fn run(&self, to: u64, change: impl FnOnce(&mut Campaign<'_>)) -> Report {
        self.watched(to, change, |_| true)
    }

    pub(crate) fn watched(
        &self,
        to: u64,
        change: impl FnOnce(&mut Campaign<'_>),
        watch: impl FnMut(&Report) -> bool,
    ) -> Report {
        self.campaign(to, |mut campaign| {
            change(&mut campaign);
            campaign.run::<Turnstile>(watch).unwrap()
        })
    }

    /// Does something with a campaign over these seeds.
    pub(crate) fn campaign<T>(&self, to: u64, work: impl FnOnce(Campaign<'_>) -> T) -> T {
        let keep = |seed: u64, bytes: &[u8]| {
            let path = self.path(&format!("{seed}.dlog"));
            fs::write(&path, bytes).map_err(|error| error.to_string())?;
            Ok(path)
        };
        let keep: &Keep<'_> = &keep;
        let scenario = self.path("hall.toml");
        work(Campaign {
            scenario: &scenario,
            overrides: &self.overrides,
            runs: Runs::Drawn(&self.swarm),
            seeds: Seeds {
                from: 0,
                to,
                shard: Shard::ALL,
            },
            jobs: 2,
            max_failures: None,
            sought: None,
            again_per_mille: 100,
            canary_per_mille: 0,
            caught,
            keep: Some(keep),
        })
    }

    /// The seeds whose logs were kept.
    pub(crate) fn kept(&self) -> Vec<u64> {
        let mut seeds: Vec<u64> = fs::read_dir(self.folder.path())
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_suffix(".dlog")?.parse().ok()
            })
            .collect();
        seeds.sort_unstable();
        seeds
    }
}

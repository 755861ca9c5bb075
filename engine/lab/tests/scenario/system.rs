//! A depot: workers that take parcels from each other. It only exists to be configured.

use std::path::{Path, PathBuf};

use dacapo_kernel::{
    BuildError, Event, Figure, Files, Mistake, Plan, Profile, Setup, Switch, System, World, events,
};
use dacapo_lab::scenario::{Loaded, Overrides, ScenarioError, load};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

pub(crate) struct Depot;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Passed {
    parcel: u32,
}

events! {
    /// What happens in a depot.
    pub(crate) enum DepotEvent {
        /// A parcel went from hand to hand.
        64 "parcel passed" v 1 Consequence => Passed(Passed);
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DepotConfig {
    pub(crate) workers: Vec<Worker>,
    #[serde(default)]
    pub(crate) belt: Belt,
    #[serde(default)]
    pub(crate) parcels: Option<Parcels>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Worker {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) takes_from: Vec<String>,
    #[serde(default)]
    pub(crate) pace: Pace,
    #[serde(default)]
    pub(crate) strength: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pace {
    Slow,
    #[default]
    Steady,
    Hurried,
}

/// Not strict by itself: the loader has to notice keys that this type would ignore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Belt {
    pub(crate) metres_per_second: f64,
    pub(crate) running: bool,
}

impl Default for Belt {
    fn default() -> Belt {
        Belt {
            metres_per_second: 0.5,
            running: true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Parcels {
    File { path: String },
    Generated { count: u32, heaviest_kg: f64 },
}

impl System for Depot {
    const NAME: &'static str = "depot";
    type Event = DepotEvent;
    type View = ();
    type Config = DepotConfig;

    fn resolve(plan: &mut Plan<DepotConfig>, files: &dyn Files) -> Result<(), Mistake> {
        let names: Vec<String> = plan.system.workers.iter().map(|w| w.name.clone()).collect();
        if names.is_empty() {
            return Err(Mistake::at("workers", "a depot needs a worker").help("add `[[workers]]`"));
        }
        for (number, worker) in plan.system.workers.iter().enumerate() {
            for (place, from) in worker.takes_from.iter().enumerate() {
                if !names.contains(from) {
                    let at = format!("workers.{number}.takes_from.{place}");
                    return Err(Mistake::at(&at, format!("there is no worker `{from}`"))
                        .candidates(names.iter().cloned()));
                }
            }
        }
        if plan.system.belt.running && plan.system.belt.metres_per_second > 10.0 {
            return Err(Mistake::at("belt.guard.kind", "a fast belt needs a guard")
                .help("slow it down to 10 or less"));
        }
        if let Some(Parcels::File { path }) = &plan.system.parcels {
            files
                .open(path)
                .map_err(|error| Mistake::at("parcels.path", error.to_string()))?;
        }
        Ok(())
    }

    fn build(_: &Plan<DepotConfig>, _: &mut Setup<'_, Depot>) -> Result<(), BuildError> {
        Ok(())
    }

    fn defects() -> Vec<Switch> {
        ["drops-parcels", "takes-twice", "never-rests"]
            .map(|name| Switch {
                name,
                reference: "",
                broken: "",
                sound: "",
                caught_by: "",
            })
            .to_vec()
    }

    fn profiles() -> Vec<Profile> {
        let profile = |name, defects: &[&'static str]| Profile {
            name,
            meaning: "",
            defects: defects.to_vec(),
        };
        vec![
            profile("sound", &[]),
            profile("as-found", &["never-rests", "takes-twice"]),
        ]
    }

    fn figures(_: &World<()>) -> Vec<Figure> {
        let figure = |name| Figure {
            name,
            value: 0.0,
            meaning: "",
        };
        vec![figure("parcels_passed"), figure("parcels_lost")]
    }

    fn describe(_: &Event<DepotEvent>, domain: &DepotEvent) -> String {
        format!("{domain:?}")
    }
}

/// A folder with one scenario file in it.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn with(scenario: impl AsRef<[u8]>) -> Folder {
        let folder = Folder(TempDir::new().expect("a folder for tests can be made"));
        folder.write("depot.toml", scenario);
        folder
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        let parent = path.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(parent).expect("a folder for tests can be made");
        std::fs::write(path, contents).expect("a file for tests can be written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn load(&self, overrides: &Overrides) -> Result<Loaded<Depot>, ScenarioError> {
        load::<Depot>(&self.path("depot.toml"), overrides)
    }

    /// The report of the mistake, with paths as seen from the folder.
    pub(crate) fn report(&self, name: impl AsRef<Path>, overrides: &Overrides) -> String {
        let path = self.0.path().join(name);
        let error = load::<Depot>(&path, overrides).expect_err("the scenario has a mistake");
        let folder = format!("{}/", self.0.path().display());
        error.to_string().replace(&folder, "")
    }
}

/// The least that makes a scenario of a depot.
pub(crate) const LEAST: &str = "name = \"depot\"\n[[workers]]\nname = \"ada\"\n";

pub(crate) fn set(options: &[&str]) -> Overrides {
    Overrides {
        set: options.iter().map(|s| (*s).to_owned()).collect(),
        ..Overrides::default()
    }
}

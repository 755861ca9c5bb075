//! Scenario files: from TOML, as a person writes it, to the resolved plan of a run.
//!
//! The common part (name, seed, budgets, faults, expectations) is read here; every other
//! section belongs to the system. Making the run is the kernel's affair.

mod common;
mod complaint;
mod data;
mod de;
mod error;
mod expectations;
mod faults;
mod nearest;
mod probe;
mod refused;
mod safe;
mod set;
mod source;
mod tree;
mod units;
mod vary;
mod wrong;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use dacapo_kernel::{Mistake, Plan, System};

use self::common::Common;
use self::complaint::Complaint;
use self::source::Source;
use self::tree::{Flaw, Node, Table, Value};
use self::vary::{Choice, VARY, Variations};
use self::wrong::Wrong;

pub use self::data::{DATA_BYTES_MAX, DataDir};
pub use self::error::ScenarioError;
pub use self::nearest::nearest;
pub use self::refused::Refused;
pub use self::safe::printable;
pub use self::source::SCENARIO_BYTES_MAX;
pub(crate) use self::source::folder_of;
pub use self::vary::{Alternative, Varied};

/// A scenario that is ready to run.
pub struct Loaded<S: System> {
    /// Everything that decides how the run goes.
    pub plan: Plan<S::Config>,
    /// Where its data files are read from.
    pub files: DataDir,
    /// The scenario file, as it was named.
    pub path: PathBuf,
    /// The changes to it that must be refused.
    pub refused: Vec<Refused>,
}

/// What is said on the command line and goes before what the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Instead of `run.seed`.
    pub seed: Option<u64>,
    /// `dotted.key=value`, applied in order: the value as in TOML, or a bare word.
    pub set: Vec<String>,
    /// Instead of `run.profile`.
    pub profile: Option<String>,
    /// Instead of `run.defects`, if not empty: on top of the profile.
    pub defects: Vec<String>,
    /// Instead of `run.scheduler`.
    pub scheduler: Option<String>,
    /// Instead of `budgets.events`.
    pub max_events: Option<u64>,
}

/// Reads a scenario file and resolves it.
///
/// The result depends on the file, its data files and the overrides alone: not on the working
/// directory, the time zone, the locale or the environment.
///
/// The figures that a scenario can name in `[expect.figures]` are those that [`System::figures`]
/// gives for a world in which nothing has happened.
///
/// # Errors
/// The first mistake in the file, in what overrides it, or in what it names.
///
/// # Panics
/// If the configuration of `S` has a key that is the engine's own, such as `run`: no scenario
/// could ever give it a value.
pub fn load<S: System>(path: &Path, overrides: &Overrides) -> Result<Loaded<S>, ScenarioError> {
    Written::read(path, overrides)?.load(&Choice::new())
}

impl<S: System> Loaded<S> {
    /// BLAKE3 of the resolved plan, in hexadecimal: equal for two scenarios that mean the same
    /// run, whatever their files look like.
    pub fn digest(&self) -> String {
        let plan = serde_json::to_vec(&self.plan).expect("a plan is plain data with text keys");
        blake3::hash(&plan).to_hex().to_string()
    }
}

impl<S: System> Clone for Loaded<S> {
    fn clone(&self) -> Loaded<S> {
        Loaded {
            plan: self.plan.clone(),
            files: self.files.clone(),
            path: self.path.clone(),
            refused: self.refused.clone(),
        }
    }
}

impl<S: System> fmt::Debug for Loaded<S> {
    /// Without the plan, which a system need not be able to show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("name", &self.plan.name)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A scenario file that was parsed, and what goes before what it says.
struct Written {
    path: PathBuf,
    source: Source,
    /// Without what varies.
    root: Node,
    overrides: Overrides,
    /// Data files that take the place of those in its folder.
    given: BTreeMap<String, Vec<u8>>,
    /// What varies, once the overrides have had their say.
    variations: Variations,
}

impl Written {
    fn read(path: &Path, overrides: &Overrides) -> Result<Written, ScenarioError> {
        Written::of(path, Source::read(path)?, overrides)
    }

    /// What stands in a file, or another text in its place.
    fn of(path: &Path, source: Source, overrides: &Overrides) -> Result<Written, ScenarioError> {
        let root = match tree::document(&source.text) {
            Ok(root) => root,
            Err((span, complaint)) => return Err(source.complain(Some(span), complaint)),
        };
        let mut written = Written {
            path: path.to_owned(),
            source,
            root,
            overrides: overrides.clone(),
            given: BTreeMap::new(),
            variations: Variations::default(),
        };
        (.., written.variations) = written.chosen(&Choice::new())?;
        written.root.table().leave_out(VARY);
        Ok(written)
    }

    /// What is written, with some alternatives and with what goes before either; and what varies.
    fn chosen(&self, choice: &Choice) -> Result<(Source, Node, Variations), ScenarioError> {
        let (mut source, mut root) = (self.source.clone(), self.root.clone());
        self.variations.put(choice, root.table());
        set::apply(&mut root, &mut source, &self.overrides)?;
        match Variations::taken_from(root.table()) {
            Ok(variations) => Ok((source, root, variations)),
            Err((span, complaint)) => Err(source.complain(Some(span), complaint)),
        }
    }

    fn load<S: System>(&self, choice: &Choice) -> Result<Loaded<S>, ScenarioError> {
        let (source, root, _) = self.chosen(choice)?;
        let document = Document::split(source, root, probe::keys_of::<S::Config>())?;
        let (mut plan, refused) = document.plan::<S>()?;
        let files = DataDir::new(folder_of(&self.path)).map_err(|error| {
            let what = format!("the scenario's folder cannot be read: {error}");
            document.source.complain(None, Complaint::new(what))
        })?;
        let files = files.given(self.given.clone());
        S::resolve(&mut plan, &files).map_err(|mistake| document.mistake(mistake))?;
        plan.data = files.opened();
        Ok(Loaded {
            plan,
            files,
            path: self.path.clone(),
            refused,
        })
    }
}

/// Everything that was written, parsed and overridden, but not yet understood.
struct Document {
    source: Source,
    /// The sections that are read here, and those of the system, each as a table of its own.
    common: Node,
    own: Node,
}

impl Document {
    /// Parts what is written, given the keys of the system if it has only some.
    fn split(
        source: Source,
        root: Node,
        system: Option<&'static [&'static str]>,
    ) -> Result<Document, ScenarioError> {
        let keys = system.unwrap_or_default();
        if let Some(key) = keys.iter().find(|key| common::KEYS.contains(key)) {
            panic!("the system's configuration has a key `{key}`, which is the engine's own");
        }
        let Value::Table(table) = root.value else {
            unreachable!("a document is a table, and an override only goes into it");
        };
        let (mut common, mut own) = (Table::default(), Table::default());
        for (key, node) in table.entries {
            if common::KEYS.contains(&key.text.as_str()) {
                common.entries.push((key, node));
            } else if system.is_none() || keys.contains(&key.text.as_str()) {
                own.entries.push((key, node));
            } else {
                return Err(source.complain(Some(key.span), unknown_key(&key.text, keys)));
            }
        }
        let part = |table| Node {
            value: Value::Table(table),
            span: root.span,
        };
        Ok(Document {
            common: part(common),
            own: part(own),
            source,
        })
    }

    fn plan<S: System>(&self) -> Result<(Plan<S::Config>, Vec<Refused>), ScenarioError> {
        let common: Common = de::from_node(&self.common).map_err(|wrong| self.wrong(wrong))?;
        let system = de::from_node(&self.own).map_err(|wrong| self.wrong(wrong))?;
        common
            .plan::<S>(system)
            .map_err(|mistake| self.mistake(mistake))
    }

    fn flaw(&self, (span, complaint): Flaw) -> ScenarioError {
        self.source.complain(Some(span), complaint)
    }

    fn wrong(&self, wrong: Wrong) -> ScenarioError {
        let (span, complaint) = wrong.into_flaw();
        self.source
            .complain(Some(span.unwrap_or(self.own.span)), complaint)
    }

    /// A mistake at a path of keys, at the place of that path or of the nearest part of it.
    fn mistake(&self, mistake: Mistake) -> ScenarioError {
        let is_common = |name: &String| self.common.below(name).is_some();
        let part = match mistake.at.first() {
            Some(name) if is_common(name) => &self.common,
            _ => &self.own,
        };
        let (mut node, mut key) = (part, None);
        for name in &mistake.at {
            let Some(below) = node.below(name) else {
                key = None;
                break;
            };
            (node, key) = (below, node.key(name));
        }
        // Where a word is wrong and what stands there is none, its key is meant.
        let (found, span) = match (&node.value, key) {
            (Value::Text(text), _) => (text.as_str(), node.span),
            (_, Some(key)) if !mistake.candidates.is_empty() => (key.text.as_str(), key.span),
            _ => (mistake.at.last().map_or("", String::as_str), node.span),
        };
        let mut complaint = Complaint::new(mistake.what);
        complaint.help = mistake.help;
        let candidates = mistake.candidates.iter().map(String::as_str);
        self.flaw((
            span,
            complaint.instead(found, "the words here are", candidates),
        ))
    }
}

/// What to say of a key that neither the engine nor the system has.
fn unknown_key(key: &str, system: &'static [&'static str]) -> Complaint {
    let complaint = Complaint::new(format!("unknown key `{}`", safe::clipped(key, 60)));
    if common::RUN_KEYS.contains(&key) {
        return complaint.help(format!("`{key}` belongs in the section `[run]`"));
    }
    let known = common::KEYS.iter().chain(system).copied();
    complaint.instead(key, "the keys here are", known)
}

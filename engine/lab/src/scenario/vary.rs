//! What a scenario leaves open for a campaign: settings of which each seed draws one.
//!
//! An alternative is a part of a scenario, and what it says stands in place of what is written. A single run has the
//! scenario as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use dacapo_kernel::{Stream, System};

use super::complaint::Complaint;
use super::tree::{Flaw, Key, Node, Span, Table, Value};
use super::{Loaded, Overrides, ScenarioError, Written};

/// The section's key.
pub(super) const VARY: &str = "vary";

/// How many alternatives one variation can have.
const ALTERNATIVES_MAX: usize = 64;

/// How many of the scenarios that were drawn are kept in memory.
const KEPT: usize = 1_000;

/// What no alternative can say: who the scenario is, and what varies.
const FIXED: [&str; 2] = ["name", VARY];

/// How the section is written.
const SHAPE: &str =
    "write `name = [{}, { run.duration = \"30m\" }]`: `{}` is the scenario as it stands";

/// The alternatives of everything that varies, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Variations(Vec<Variation>);

#[derive(Clone, Debug)]
struct Variation {
    name: String,
    /// What each says, and where it stands.
    alternatives: Vec<(Table, Span)>,
}

impl Variation {
    /// Whether an alternative is another one than the scenario as it is written.
    fn changes(&self, chosen: usize) -> bool {
        !self.alternatives[chosen].0.entries.is_empty()
    }
}

/// Which alternative each variation has; what has none is as it is written.
pub(super) type Choice = BTreeMap<usize, usize>;

impl Variations {
    /// Takes the section out of a document.
    ///
    /// # Errors
    /// If it is no table of lists of tables.
    pub(super) fn taken_from(root: &mut Table) -> Result<Variations, Flaw> {
        let at = root.entries.iter().position(|(key, _)| key.text == VARY);
        let Some(at) = at else {
            return Ok(Variations::default());
        };
        let (_, node) = root.entries.remove(at);
        let Value::Table(section) = node.value else {
            let what = format!(
                "`{VARY}`: expected a table of names, found {}",
                node.described()
            );
            return Err((node.span, Complaint::new(what).help(SHAPE)));
        };
        let variations = section.entries.into_iter().map(variation);
        variations.collect::<Result<_, _>>().map(Variations)
    }

    /// Puts what the chosen alternatives say in the place of what is written.
    pub(super) fn put(&self, choice: &Choice, root: &mut Table) {
        for (variation, alternative) in choice {
            root.overlay(&self.0[*variation].alternatives[*alternative].0);
        }
    }

    /// Each alternative that changes something, by itself.
    fn alone(&self) -> impl Iterator<Item = Choice> + '_ {
        let all = self.0.iter().enumerate();
        all.flat_map(|(at, variation)| {
            (0..variation.alternatives.len())
                .filter(move |chosen| variation.changes(*chosen))
                .map(move |chosen| Choice::from([(at, chosen)]))
        })
    }

    /// The alternatives of a seed. Each variation has a stream of its own, so that a new one changes no other's draws.
    fn drawn(&self, seed: u64) -> Choice {
        let draw = |(at, variation): (usize, &Variation)| {
            let mut stream = Stream::new(seed, VARY, &variation.name);
            let chosen = stream.below(variation.alternatives.len() as u64) as usize;
            variation.changes(chosen).then_some((at, chosen))
        };
        self.0.iter().enumerate().filter_map(draw).collect()
    }
}

fn variation((key, node): (Key, Node)) -> Result<Variation, Flaw> {
    let wrong = |node: &Node, expected: &str| {
        let (name, found) = (&key.text, node.described());
        let what = format!("`{VARY}.{name}`: expected {expected}, found {found}");
        (node.span, Complaint::new(what).help(SHAPE))
    };
    let Value::Array(items) = node.value else {
        return Err(wrong(&node, "a list of alternatives"));
    };
    if items.is_empty() || items.len() > ALTERNATIVES_MAX {
        let (name, count) = (&key.text, items.len());
        let what = format!(
            "`{VARY}.{name}`: expected 1 to {ALTERNATIVES_MAX} alternatives, found {count}"
        );
        return Err((node.span, Complaint::new(what).help(SHAPE)));
    }
    let mut alternatives = Vec::with_capacity(items.len());
    for item in items {
        let Value::Table(table) = item.value else {
            return Err(wrong(&item, "parts of a scenario"));
        };
        if let Some(fixed) = FIXED.iter().find_map(|fixed| table.key(fixed)) {
            let what = format!("`{}` cannot vary", fixed.text);
            return Err((fixed.span, Complaint::new(what).help("leave it out here")));
        }
        alternatives.push((table, item.span));
    }
    Ok(Variation {
        name: key.text,
        alternatives,
    })
}

/// An alternative that a run of a campaign has in the place of what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// What varies.
    pub of: String,
    /// Its place among the alternatives, the first being 0.
    pub number: usize,
    /// The line of the scenario at which it stands; none if an option says it.
    pub line: Option<u32>,
}

impl Alternative {
    /// Which it is, such as `store[3]`.
    pub fn name(&self) -> String {
        format!("{}[{}]", self.of, self.number)
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        }
    }
}

/// A scenario with everything that it can be in a campaign, each read when a seed first asks for it.
pub struct Varied<S: System> {
    written: Written,
    loaded: BTreeMap<Choice, Loaded<S>>,
}

impl<S: System> Varied<S> {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Those of [`load`](super::load), for the scenario as it is written.
    pub fn read(path: &Path, overrides: &Overrides) -> Result<Varied<S>, ScenarioError> {
        let written = Written::read(path, overrides)?;
        let plain = written.load(&Choice::new())?;
        Ok(Varied {
            written,
            loaded: BTreeMap::from([(Choice::new(), plain)]),
        })
    }

    /// Tries every alternative by itself.
    ///
    /// # Errors
    /// The first mistake in one.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let mut alone = self.written.variations.alone();
        alone.try_for_each(|choice| self.written.load::<S>(&choice).map(drop))
    }

    /// The scenario as it is written.
    pub fn written(&self) -> &Loaded<S> {
        &self.loaded[&Choice::new()]
    }

    /// What a seed draws in the place of what is written.
    pub fn alternatives(&self, seed: u64) -> Vec<Alternative> {
        let (variations, source) = (&self.written.variations, &self.written.source);
        let drawn = variations.drawn(seed).into_iter();
        let alternative = |(variation, number): (usize, usize)| {
            let variation = &variations.0[variation];
            Alternative {
                of: variation.name.clone(),
                number,
                line: source.line(variation.alternatives[number].1),
            }
        };
        drawn.map(alternative).collect()
    }

    /// The scenario that a seed draws.
    ///
    /// # Errors
    /// If the alternatives that it draws do not go together.
    pub fn of(&mut self, seed: u64) -> Result<&Loaded<S>, ScenarioError> {
        self.chosen(self.written.variations.drawn(seed))
    }

    /// The scenario that a seed draws, with these alternatives only.
    ///
    /// # Errors
    /// If they do not go together.
    pub fn with_only(
        &mut self,
        seed: u64,
        kept: &[Alternative],
    ) -> Result<&Loaded<S>, ScenarioError> {
        let variations = &self.written.variations;
        let mut choice = variations.drawn(seed);
        choice.retain(|at, _| kept.iter().any(|it| it.of == variations.0[*at].name));
        self.chosen(choice)
    }

    fn chosen(&mut self, choice: Choice) -> Result<&Loaded<S>, ScenarioError> {
        if !self.loaded.contains_key(&choice) {
            let loaded = self.written.load(&choice)?;
            if self.loaded.len() > KEPT {
                self.loaded.retain(|choice, _| choice.is_empty());
            }
            self.loaded.insert(choice.clone(), loaded);
        }
        Ok(&self.loaded[&choice])
    }
}

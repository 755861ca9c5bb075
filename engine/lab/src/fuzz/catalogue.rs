//! What can be counted in the runs of a campaign, each with a number: properties, what is to be
//! reached, kinds of fault.

use dacapo_kernel::{CRASH_HOST, CRASH_TASK, JUMP_CLOCK};
use dacapo_kernel::{Checked, Fault, Finding, How, Outcome, Plan, System};

/// Everything that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalogue {
    /// Each property and its statement.
    pub(super) properties: Vec<(&'static str, &'static str)>,
    /// What is to be reached sometimes, and what that means.
    pub(super) sometimes: Vec<(&'static str, &'static str)>,
    /// Kinds of fault by the names that runs tell of them, and what they do.
    pub(super) faults: Vec<(String, &'static str)>,
}

/// Everything that can be counted in the runs of a plan.
pub(super) fn of<S: System>(plan: &Plan<S::Config>) -> Catalogue {
    let properties = S::invariants(plan);
    let sometimes = S::sometimes(plan);
    let mut faults: Vec<(String, &'static str)> = Vec::new();
    let mut list = |name: &str, meaning| {
        if !faults.iter().any(|(known, _)| known == name) {
            faults.push((name.to_owned(), meaning));
        }
    };
    for kind in S::faults() {
        match kind.how {
            How::CrashHost { .. } => list(CRASH_HOST, kind.meaning),
            How::CrashTask { .. } => list(CRASH_TASK, kind.meaning),
            How::JumpClock => list(JUMP_CLOCK, kind.meaning),
            How::Door { .. } => list(kind.name, kind.meaning),
            // What an act does, the system does itself; the log tells of its consequences only.
            How::Act { .. } => {}
        }
    }
    let written = plan.faults.faults.iter();
    for fault in written.filter(|f| !matches!(f, Fault::Act { .. } | Fault::Choose { .. })) {
        list(fault.name(), "written in the scenario");
    }
    Catalogue {
        properties: properties.iter().map(|p| (p.id(), p.statement())).collect(),
        sometimes: sometimes.iter().map(|s| (s.id, s.meaning)).collect(),
        faults,
    }
}

/// Which of the catalogue's entries a run has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    bits: Vec<u64>,
}

impl Marks {
    fn set(&mut self, at: usize) {
        self.bits[at / 64] |= 1 << (at % 64);
    }

    /// Adds one to the count of every entry that is marked; the counts are in the order of the catalogue.
    pub(super) fn count<'a>(&self, counts: impl Iterator<Item = &'a mut u64>) {
        for (at, count) in counts.enumerate() {
            *count += self
                .bits
                .get(at / 64)
                .map_or(0, |bits| bits >> (at % 64) & 1);
        }
    }
}

impl Catalogue {
    /// What a run that has ended marks: properties that it says something of, what it reached, the
    /// faults that struck.
    pub(super) fn marks<V>(&self, outcome: &Outcome<V>) -> Marks {
        let entries = self.properties.len() + self.sometimes.len() + self.faults.len();
        let mut marks = Marks {
            bits: vec![0; entries.div_ceil(64)],
        };
        let mut base = 0;
        let says = |checked: &&Checked| checked.finding != Finding::NotEvaluable;
        let ids = self.properties.iter().map(|(id, _)| *id);
        let said = outcome.findings.iter().filter(says).map(|c| c.id);
        mark(&mut marks, base, ids, said);
        base += self.properties.len();
        let ids = self.sometimes.iter().map(|(id, _)| *id);
        mark(&mut marks, base, ids, outcome.reached.iter().copied());
        base += self.sometimes.len();
        let ids = self.faults.iter().map(|(name, _)| name.as_str());
        mark(
            &mut marks,
            base,
            ids,
            outcome.struck.iter().map(String::as_str),
        );
        marks
    }
}

/// Marks what is found among the ids. Both are mostly in the same order, so a search begins where the
/// last one ended.
fn mark<'a>(
    marks: &mut Marks,
    base: usize,
    ids: impl Iterator<Item = &'a str> + Clone,
    found: impl Iterator<Item = &'a str>,
) {
    let mut ahead = ids.clone().enumerate();
    for wanted in found {
        let at = ahead.find(|(_, id)| *id == wanted).or_else(|| {
            ahead = ids.clone().enumerate();
            ahead.find(|(_, id)| *id == wanted)
        });
        if let Some((at, _)) = at {
            marks.set(base + at);
        }
    }
}

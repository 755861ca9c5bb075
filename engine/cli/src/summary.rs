//! The summary of a run: how it ended, its figures, what was expected, what the properties say.

use std::time::Duration;

use dacapo_kernel::log::Chain;
use dacapo_kernel::{
    Checked, Finding, Measured, Measurement, Plan, Section, System, Verdict, World,
};
use dacapo_lab::{Judgement, VERSION, beyond_profile};
use serde_json::{Value, json};

use crate::figures::shown;
use crate::screen::{Screen, Tone};
use crate::text::{figure, grouped, seed, span};

/// Everything that a summary tells.
pub(crate) struct Summary<'a, S: System> {
    pub(crate) plan: &'a Plan<S::Config>,
    pub(crate) verdict: Option<&'a Verdict>,
    pub(crate) world: &'a World<S::View>,
    pub(crate) findings: &'a [Checked],
    pub(crate) judgement: &'a Judgement,
    /// What was folded from its events, where it was.
    pub(crate) measured: Option<&'a Measured>,
    pub(crate) events: u64,
    /// How long it took; none where no code was run.
    pub(crate) wall: Option<Duration>,
    pub(crate) fingerprint: Option<Chain>,
    pub(crate) log: &'a str,
    pub(crate) standing: Standing,
}

/// What a run or a log is worth, in a word or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Pass,
    Fail,
    /// Nothing failed, because nothing happened.
    NothingRan,
    /// The log ends before its run.
    CutOff,
}

impl Standing {
    /// Of a run that came to its end.
    pub(crate) fn of(judgement: &Judgement, happened: bool) -> Standing {
        match () {
            () if !judgement.is_good() => Standing::Fail,
            () if !happened => Standing::NothingRan,
            () => Standing::Pass,
        }
    }

    /// That word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Standing::Pass => "PASS",
            Standing::Fail => "FAIL",
            Standing::NothingRan => "NOTHING RAN",
            Standing::CutOff => "CUT OFF",
        }
    }
}

impl<S: System> Summary<'_, S> {
    /// Prints it, in one line if the caller wants quiet.
    pub(crate) fn tell(&self, screen: &mut Screen<'_>) {
        if !screen.is_for_people() {
            screen.json(&self.json());
        } else if screen.quiet {
            self.in_a_line(screen);
        } else {
            self.head(screen);
            self.facts(screen);
            for section in S::summary(self.world) {
                let Section {
                    title,
                    columns,
                    rows,
                } = section;
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                screen.table(&title, &columns, &rows);
            }
            self.figures(screen);
            self.measures(screen);
            self.expectations(screen);
            self.properties(screen);
            self.warnings(screen);
        }
    }

    fn painted_standing(&self, screen: &Screen<'_>) -> String {
        let tone = match self.standing {
            Standing::Pass => Tone::Good,
            Standing::Fail => Tone::Bad,
            Standing::NothingRan | Standing::CutOff => Tone::Warning,
        };
        screen.paint(tone, self.standing.word())
    }

    fn verdict_name(&self) -> &'static str {
        self.verdict.map_or("none", Verdict::name)
    }

    fn fingerprint(&self) -> String {
        self.fingerprint
            .map_or_else(|| "none".to_owned(), |chain| chain.to_string())
    }

    fn in_a_line(&self, screen: &mut Screen<'_>) {
        let outcome = self.painted_standing(screen);
        screen.line(format!(
            "{outcome}  {}  seed {}  {}  {} events  {}  {}",
            Screen::safe(&self.plan.name),
            seed(self.plan.seed),
            self.verdict_name(),
            grouped(self.events),
            self.fingerprint(),
            Screen::safe(self.log),
        ));
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let name = screen.paint(Tone::Head, Screen::safe(&self.plan.name));
        screen.line(name);
        for line in textwrap::wrap(&Screen::safe(&self.plan.story), screen.width() - 2) {
            screen.line(format!("  {line}"));
        }
        screen.line("");
    }

    fn facts(&self, screen: &mut Screen<'_>) {
        let outcome = self.painted_standing(screen);
        screen.line(format!("  verdict      {}  {outcome}", self.verdict_name()));
        let wall = self
            .wall
            .map_or_else(String::new, |wall| format!(" in {}", span(wall)));
        screen.line(format!("  time         {} virtual{wall}", self.world.now));
        screen.line(format!("  events       {}", grouped(self.events)));
        screen.line(format!(
            "  seed         {}   profile {}   defects {}",
            seed(self.plan.seed),
            Screen::safe(&self.plan.profile),
            Screen::safe(self.defects()),
        ));
        screen.line(format!("  log          {}", Screen::safe(self.log)));
        screen.line(format!("  fingerprint  {}", self.fingerprint()));
        screen.line(format!("  properties   {}", self.counts()));
    }

    /// How many properties held, and how many did not.
    fn counts(&self) -> String {
        let count = |word| {
            let found = self.findings.iter().filter(|c| said(&c.finding).0 == word);
            (found.count(), word)
        };
        let counts = ["held", "VIOLATED", "not evaluable"].map(count);
        let told = counts.iter().filter(|(number, _)| *number > 0);
        let told: Vec<String> = told
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        if told.is_empty() {
            return "none".to_owned();
        }
        told.join(", ")
    }

    /// The defects that are on beyond those of the profile, which are only counted.
    fn defects(&self) -> String {
        let (added, of_profile) = beyond_profile::<S>(self.plan);
        match (added.as_slice(), of_profile) {
            ([], 0) => "none".to_owned(),
            ([], count) => format!("{count} of the profile"),
            (added, 0) => added.join(", "),
            (added, count) => format!("{} and {count} of the profile", added.join(", ")),
        }
    }

    fn figures(&self, screen: &mut Screen<'_>) {
        let rows: Vec<Vec<String>> = self
            .judgement
            .figures
            .iter()
            .map(|f| vec![f.name.to_owned(), figure(f.value), f.meaning.to_owned()])
            .collect();
        screen.table("Figures", &["figure", "value", "meaning"], &rows);
    }

    /// The main ones of the figures that were folded from the events.
    fn measured(&self) -> impl Iterator<Item = &Measurement> {
        let whole = self.measured.and_then(|measured| measured.parts.first());
        whole.into_iter().flat_map(|part| &part.figures)
    }

    fn measures(&self, screen: &mut Screen<'_>) {
        let rows: Vec<Vec<String>> = self
            .measured()
            .filter(|figure| figure.is_main)
            .map(|f| {
                let meaning = match &f.value {
                    Ok(_) => f.meaning,
                    Err(why) => why,
                };
                vec![f.name.to_owned(), shown::value(f), meaning.to_owned()]
            })
            .collect();
        screen.table("What it came to", &["figure", "value", "meaning"], &rows);
    }

    fn expectations(&self, screen: &mut Screen<'_>) {
        let rows: Vec<Vec<String>> = self
            .judgement
            .expectations
            .iter()
            .map(|e| {
                let met = if e.met { "met" } else { "NOT MET" };
                vec![
                    met.to_owned(),
                    e.of.clone(),
                    e.expected.clone(),
                    e.actual.clone(),
                ]
            })
            .collect();
        screen.table("Expected", &["", "of", "expected", "actual"], &rows);
    }

    /// The properties that were violated; all of them only if everything is wanted.
    fn properties(&self, screen: &mut Screen<'_>) {
        let is_violated = |finding: &Finding| matches!(finding, Finding::Violated { .. });
        let rows: Vec<Vec<String>> = self
            .findings
            .iter()
            .filter(|checked| screen.verbose || is_violated(&checked.finding))
            .map(|checked| {
                let (finding, at) = said(&checked.finding);
                vec![
                    finding.to_owned(),
                    checked.id.to_owned(),
                    at,
                    checked.statement.to_owned(),
                ]
            })
            .collect();
        screen.table(
            "Properties",
            &["", "property", "at", "what must hold"],
            &rows,
        );
    }

    fn warnings(&self, screen: &mut Screen<'_>) {
        let warnings = S::warnings(self.plan, self.world);
        if !warnings.is_empty() {
            screen.line("");
        }
        for warning in warnings {
            let word = screen.paint(Tone::Warning, "warning");
            screen.line(format!("{word}: {}", Screen::safe(&warning)));
            screen.annotate("warning", &self.plan.name, &warning);
        }
    }

    fn json(&self) -> Value {
        let findings = self.findings.iter().map(|checked| {
            let (finding, _) = said(&checked.finding);
            let (at, what) = match &checked.finding {
                Finding::Violated { at, what } => (*at, Some(what)),
                _ => (None, None),
            };
            json!({
                "property": checked.id,
                "statement": checked.statement,
                "finding": finding.to_lowercase(),
                "event": at,
                "what": what,
            })
        });
        let figures = self.judgement.figures.iter();
        let figures =
            figures.map(|f| json!({"figure": f.name, "value": f.value, "meaning": f.meaning}));
        let expectations = self.judgement.expectations.iter();
        let expectations = expectations
            .map(|e| json!({"of": e.of, "expected": e.expected, "actual": e.actual, "met": e.met}));
        let sections = S::summary(self.world).into_iter();
        let sections =
            sections.map(|s| json!({"title": s.title, "columns": s.columns, "rows": s.rows}));
        let mut told = json!({
            "v": VERSION,
            "type": "run",
            "system": S::NAME,
            "scenario": self.plan.name,
            "story": self.plan.story,
            "outcome": self.standing.word().to_lowercase(),
            "verdict": self.verdict,
            "verdict_name": self.verdict_name(),
            "seed": self.plan.seed,
            "profile": self.plan.profile,
            "defects": self.plan.defects,
            "virtual_ns": self.world.now,
            "wall_ns": self.wall.map(|wall| u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX)),
            "events": self.events,
            "fingerprint": self.fingerprint.map(|chain| chain.to_string()),
            "log": self.log,
            "sections": sections.collect::<Vec<Value>>(),
            "figures": figures.collect::<Vec<Value>>(),
            "expectations": expectations.collect::<Vec<Value>>(),
            "properties": findings.collect::<Vec<Value>>(),
            "warnings": S::warnings(self.plan, self.world),
        });
        if self.measured.is_some() {
            told["measured"] = self.measured().map(shown::as_json).collect();
        }
        told
    }
}

/// What a property says, and the event at which it was violated.
pub(crate) fn said(finding: &Finding) -> (&'static str, String) {
    match finding {
        Finding::Held => ("held", String::new()),
        Finding::Violated { at: Some(at), .. } => ("VIOLATED", format!("event {}", grouped(at.0))),
        Finding::Violated { at: None, .. } => ("VIOLATED", "the end".to_owned()),
        Finding::NotEvaluable => ("not evaluable", String::new()),
    }
}

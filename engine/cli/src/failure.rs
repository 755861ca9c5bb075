//! The screen of a failure: what was expected, what is, why, who waits for whom, and the command
//! that shows it again.

use dacapo_kernel::{Budget, Events, Plan, Seq, System};
use dacapo_lab::{Chain, Failure, Judgement, Line, VERSION, chain_to};
use serde_json::{Value, json};

use crate::screen::{Screen, Tone};
use crate::text::{grouped, seed, shell_word};

/// How many causes are told at most.
const CAUSES: usize = 6;

/// How many failures are told at most.
const FAILURES: usize = 8;

/// A run that failed, and where its log is.
pub(crate) struct Failed<'a, S: System> {
    pub(crate) plan: &'a Plan<S::Config>,
    pub(crate) log: &'a str,
    pub(crate) events: u64,
    pub(crate) judgement: &'a Judgement,
}

impl<S: System> Failed<'_, S> {
    /// Tells every failure of the run.
    pub(crate) fn tell(&self, log: &mut Events<S::Event>, screen: &mut Screen<'_>) {
        let failures = &self.judgement.failures;
        for failure in failures.iter().take(FAILURES) {
            let causes = failure.at.and_then(|at| causes::<S>(log, at));
            if screen.is_for_people() {
                self.tell_one(failure, causes.as_ref(), None, screen);
            } else {
                screen.json(&self.json(failure, causes.as_ref()));
            }
        }
        if failures.len() > FAILURES && screen.is_for_people() {
            screen.line(format!("\nand {} more failures", failures.len() - FAILURES));
        }
        if let Some(budget) = self.judgement.exhausted {
            self.tell_exhausted(budget, screen);
        }
    }

    /// Tells the only failure of a run that was shrunk, with how far; the text must be safe.
    pub(crate) fn tell_shrunk(
        &self,
        shrunk: &str,
        log: &mut Events<S::Event>,
        screen: &mut Screen<'_>,
    ) {
        for failure in &self.judgement.failures {
            let causes = failure.at.and_then(|at| causes::<S>(log, at));
            self.tell_one(failure, causes.as_ref(), Some(shrunk), screen);
        }
    }

    fn tell_one(
        &self,
        failure: &Failure,
        causes: Option<&Chain>,
        shrunk: Option<&str>,
        screen: &mut Screen<'_>,
    ) {
        let place = match failure.at {
            Some(at) => format!("event {} of {}", grouped(at.0), grouped(self.events)),
            None => format!("at the end of {} events", grouped(self.events)),
        };
        screen.line("");
        let word = screen.paint(Tone::Bad, "FAIL");
        let name = Screen::safe(&self.plan.name);
        let property = screen.paint(Tone::Head, Screen::safe(&failure.property));
        screen.line(format!(
            "{word}  {name}  seed {}  {place}   {property}",
            seed(self.plan.seed)
        ));
        let (expected, actual) = (
            Screen::safe(&failure.expected),
            Screen::safe(&failure.actual),
        );
        if expected.chars().count() + actual.chars().count() + 32 <= screen.width() {
            screen.line(format!("  expected  {expected}      actual  {actual}"));
        } else {
            screen.line(format!("  expected  {expected}"));
            screen.line(format!("  actual    {actual}"));
        }
        if !failure.defects.is_empty() {
            screen.line(format!("  defect    {}", failure.defects.join(", ")));
        }
        if let Some(chain) = causes {
            tell_causes(chain, screen);
        }
        for wait in &failure.waits {
            screen.line(format!("  waits     {}", Screen::safe(wait)));
        }
        if let Some(shrunk) = shrunk {
            screen.line(format!("  shrunk    {shrunk}"));
        }
        let (program, log) = (screen.program.clone(), shell_word(self.log));
        screen.line(format!(
            "  reproduce {program} replay {}",
            Screen::safe(&log)
        ));
        if let Some(at) = failure.at {
            screen.line(format!(
                "  look      {program} show {} --at {at}",
                Screen::safe(&log)
            ));
        }
        let title = format!("{} {}", self.plan.name, failure.property);
        let text = format!(
            "{place}: expected {}, actual {}",
            failure.expected, failure.actual
        );
        screen.annotate("error", &title, &text);
    }

    fn tell_exhausted(&self, budget: Budget, screen: &mut Screen<'_>) {
        let what = format!("the run used up a budget: {budget}");
        if screen.is_for_people() {
            screen.line("");
            let word = screen.paint(Tone::Bad, "STOP");
            let (name, seed) = (Screen::safe(&self.plan.name), seed(self.plan.seed));
            screen.line(format!("{word}  {name}  seed {seed}  {what}"));
            screen.line("  raise it in the scenario's section `budgets`, or look at what went on for so long");
            screen.annotate("error", &self.plan.name, &what);
        } else {
            screen.json(&json!({
                "v": VERSION,
                "type": "exhausted",
                "scenario": self.plan.name,
                "seed": self.plan.seed,
                "what": what,
            }));
        }
    }

    fn json(&self, failure: &Failure, causes: Option<&Chain>) -> Value {
        json!({
            "v": VERSION,
            "type": "failure",
            "scenario": self.plan.name,
            "seed": self.plan.seed,
            "property": failure.property,
            "event": failure.at,
            "events": self.events,
            "expected": failure.expected,
            "actual": failure.actual,
            "defects": failure.defects,
            "causes": causes.map(|chain| chain.lines.iter().map(line_json).collect::<Vec<Value>>()),
            "waits": failure.waits,
            "log": self.log,
        })
    }
}

/// The causes of an event; none if the log cannot be read, which its reader says elsewhere.
fn causes<S: System>(log: &mut Events<S::Event>, at: Seq) -> Option<Chain> {
    chain_to::<S>(log, at, CAUSES).ok()
}

/// A chain of causes, the oldest first, in as many rows as it needs.
pub(crate) fn tell_causes(chain: &Chain, screen: &mut Screen<'_>) {
    let mut row = if chain.shortened {
        "  cause     …"
    } else {
        "  cause    "
    }
    .to_owned();
    for (at, line) in chain.lines.iter().enumerate() {
        let arrow = if at == 0 && !chain.shortened {
            ""
        } else {
            "→ "
        };
        let step = format!(
            " {arrow}{} {}",
            grouped(line.seq.0),
            Screen::safe(words(line))
        );
        if at > 0 && row.chars().count() + step.chars().count() > screen.width() {
            screen.line(std::mem::replace(&mut row, " ".repeat(11)));
        }
        row.push_str(&step);
    }
    screen.line(row);
}

/// What happened; its kind, where its system says nothing of it or the screen says it elsewhere.
fn words(line: &Line) -> &str {
    if line.text.is_empty() || line.kind == "cycle closed" {
        line.kind
    } else {
        &line.text
    }
}

/// An event in words, as JSON.
pub(crate) fn line_json(line: &Line) -> Value {
    json!({
        "seq": line.seq,
        "time_ns": line.time,
        "cause": line.cause,
        "actor": line.actor,
        "kind": line.kind,
        "text": line.text,
    })
}

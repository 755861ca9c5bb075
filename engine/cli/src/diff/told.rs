//! The difference of two logs on a screen, the most telling first.

use std::path::Path;

use dacapo_kernel::{Events, Seq, System};
use dacapo_lab::diff::{Counts, Diff, Ending, How};
use dacapo_lab::{Chain, FieldDifference, Line, VERSION, chain_to, tell_events};
use serde_json::{Value, json};

use crate::endings;
use crate::exit::Problem;
use crate::failure::{line_json, tell_causes};
use crate::log_file::open;
use crate::next;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, seed, shell_word};

/// How many causes are told at most.
const CAUSES: usize = 6;

/// What is told of two logs.
pub(super) struct Told<'a, S: System> {
    pub(super) logs: (&'a str, &'a str),
    pub(super) paths: (&'a Path, &'a Path),
    pub(super) diff: &'a Diff<S>,
    pub(super) endings: (&'a Ending, &'a Ending),
    pub(super) limit: usize,
}

/// The first event that differs, in words.
struct First {
    a: Option<Line>,
    b: Option<Line>,
    causes: Chain,
}

impl<S: System> Told<'_, S> {
    pub(super) fn tell(&self, screen: &mut Screen<'_>) -> Result<(), Problem> {
        let first = self.first()?;
        if !screen.is_for_people() {
            screen.json(&self.json(&first));
            return Ok(());
        }
        self.head(screen);
        if screen.quiet {
            return Ok(());
        }
        self.facts(screen);
        self.parting(&first, screen);
        let plan = self.diff.plan.as_slice();
        endings::fields("What differs in the plans", plan, self.limit, screen);
        self.kinds(screen);
        self.fields(screen);
        endings::tell(self.endings, self.limit, screen);
        self.next(screen);
        Ok(())
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let (a, b) = (Screen::safe(self.logs.0), Screen::safe(self.logs.1));
        let is_same = self.diff.counts.is_same();
        let plan = self.diff.plan.is_empty();
        let (tone, word, what) = match (is_same, &self.diff.first) {
            (true, _) if plan => (Tone::Good, "SAME", "every event is the same".to_owned()),
            (true, _) => (
                Tone::Warning,
                "DIFFERS",
                "every event is the same; the plans are not".to_owned(),
            ),
            (false, first) => {
                let place = first.as_ref().and_then(|first| first.a.or(first.b));
                let place =
                    place.map_or_else(String::new, |seq| format!(" at event {}", grouped(seq.0)));
                (Tone::Bad, "DIFFERS", format!("first{place}"))
            }
        };
        let word = screen.paint(tone, word);
        screen.line(format!("{word}  {a}  {b}  {what}"));
    }

    fn facts(&self, screen: &mut Screen<'_>) {
        let (diff, (a, b)) = (self.diff, self.endings);
        let mut fact = |name: &str, a: String, b: String| {
            let text = match a == b {
                true => a,
                false => format!("{a}  →  {b}"),
            };
            screen.line(format!("  {name:<9} {text}"));
        };
        fact(
            "scenario",
            Screen::safe(&diff.a.name),
            Screen::safe(&diff.b.name),
        );
        fact("seed", seed(diff.a.seed), seed(diff.b.seed));
        let verdict = |ending: &Ending| {
            let verdict = ending.verdict.as_deref().unwrap_or("none, it was cut off");
            Screen::safe(verdict)
        };
        fact("verdict", verdict(a), verdict(b));
        fact("end", a.end.to_string(), b.end.to_string());
        fact("events", grouped(a.events), grouped(b.events));
        screen.line(format!("  {:<9} {}", "together", in_words(&diff.counts)));
    }

    fn parting(&self, first: &First, screen: &mut Screen<'_>) {
        let Some(parting) = &self.diff.first else {
            return;
        };
        let what = match (parting.how, parting.is_input) {
            (How::Changed, true) => "an input says something else",
            (How::Changed, false) => "the same event says something else",
            (How::Moved, true) => "an input comes at another time",
            (How::Moved, false) => "the same event happens at another time",
            (How::OnlyA, true) => "an input that only A has",
            (How::OnlyA, false) => "an event that only A has",
            (How::OnlyB, true) => "an input that only B has",
            (How::OnlyB, false) => "an event that only B has",
        };
        screen.line("");
        let head = screen.paint(Tone::Head, "Where they part");
        screen.line(format!("{head}: {what}"));
        for (name, line) in [("A", &first.a), ("B", &first.b)] {
            let text = match line {
                Some(line) => format!(
                    "{}  {}  {}  {}  {}",
                    grouped(line.seq.0),
                    line.time,
                    Screen::safe(&line.actor),
                    line.kind,
                    Screen::safe(&line.text)
                ),
                None => "nothing".to_owned(),
            };
            screen.line(format!("  {name}         {text}"));
        }
        for field in parting.fields.iter().take(self.limit) {
            screen.line(format!("  differs   {}", endings::change(field)));
        }
        if !first.causes.lines.is_empty() {
            tell_causes(&first.causes, screen);
        }
    }

    fn kinds(&self, screen: &mut Screen<'_>) {
        let number = |number: u64| match number {
            0 => String::new(),
            some => grouped(some),
        };
        let kinds = self.diff.kinds.iter().take(self.limit);
        let rows: Vec<Vec<String>> = kinds
            .map(|(name, counts)| {
                vec![
                    (*name).to_owned(),
                    number(counts.same + counts.renumbered),
                    number(counts.moved),
                    number(counts.changed),
                    number(counts.only_a),
                    number(counts.only_b),
                ]
            })
            .collect();
        let columns = ["kind", "same", "moved", "changed", "only A", "only B"];
        screen.table("Events that differ, by kind", &columns, &rows);
        self.more(self.diff.kinds.len(), "kind", "kinds", screen);
    }

    fn fields(&self, screen: &mut Screen<'_>) {
        let fields = self.diff.fields.iter().take(self.limit);
        let rows: Vec<Vec<String>> = fields
            .map(|field| {
                vec![
                    field.kind.to_owned(),
                    field.path.clone(),
                    grouped(field.times),
                    endings::value(&field.example.expected),
                    endings::value(&field.example.actual),
                ]
            })
            .collect();
        let columns = ["kind", "field", "times", "in A, at first", "in B"];
        screen.table("What the changed ones say", &columns, &rows);
        self.more(self.diff.fields.len(), "field", "fields", screen);
    }

    fn more(&self, all: usize, one: &str, several: &str, screen: &mut Screen<'_>) {
        if let Some(more) = all.checked_sub(self.limit).filter(|more| *more > 0) {
            screen.line(format!(" … and {}", counted(more as u64, one, several)));
        }
    }

    fn next(&self, screen: &mut Screen<'_>) {
        let Some(parting) = &self.diff.first else {
            return;
        };
        let word = |log: &str| Screen::safe(shell_word(log));
        let mut commands = Vec::new();
        for (seq, log) in [(parting.a, self.logs.0), (parting.b, self.logs.1)] {
            if let Some(seq) = seq {
                let command = format!("explain {} {seq}", word(log));
                commands.push((command, "why, and what follows from it"));
            }
        }
        next::propose(&commands, screen);
    }

    fn first(&self) -> Result<First, Problem> {
        let mut first = First {
            a: None,
            b: None,
            causes: Chain {
                lines: Vec::new(),
                shortened: false,
            },
        };
        let Some(parting) = &self.diff.first else {
            return Ok(first);
        };
        let mut line =
            |path: &Path, log: &str, seq: Option<Seq>| -> Result<Option<Line>, Problem> {
                let Some(seq) = seq else { return Ok(None) };
                let problem = |error| Problem::log(log, &error);
                let mut events = Events::<S::Event>::new(open(path)?);
                let lines = tell_events::<S>(&mut events, &[seq]).map_err(problem)?;
                let line = lines.into_iter().next();
                if let Some(cause) = line.as_ref().and_then(|line: &Line| line.cause) {
                    first.causes = chain_to::<S>(&mut events, cause, CAUSES).map_err(problem)?;
                }
                Ok(line)
            };
        let a = line(self.paths.0, self.logs.0, parting.a)?;
        let b = line(self.paths.1, self.logs.1, parting.b)?;
        (first.a, first.b) = (a, b);
        Ok(first)
    }

    fn json(&self, first: &First) -> Value {
        let diff = self.diff;
        let kinds = diff.kinds.iter().map(|(name, counts)| {
            let mut value = counts_json(counts);
            value["kind"] = json!(name);
            value
        });
        let fields = diff.fields.iter().map(|field| {
            json!({
                "kind": field.kind,
                "path": field.path,
                "times": field.times,
                "a": field.example.expected,
                "b": field.example.actual,
            })
        });
        let parting = diff.first.as_ref().map(|parting| {
            json!({
                "how": how_name(parting.how),
                "input": parting.is_input,
                "a": first.a.as_ref().map(line_json),
                "b": first.b.as_ref().map(line_json),
                "fields": parting.fields.iter().map(field_json).collect::<Vec<Value>>(),
                "causes": first.causes.lines.iter().map(line_json).collect::<Vec<Value>>(),
            })
        });
        json!({
            "v": VERSION,
            "type": "diff",
            "a": self.logs.0,
            "b": self.logs.1,
            "same": diff.counts.is_same() && diff.plan.is_empty(),
            "plan": diff.plan.iter().map(field_json).collect::<Vec<Value>>(),
            "counts": counts_json(&diff.counts),
            "first": parting,
            "kinds": kinds.collect::<Vec<Value>>(),
            "fields": fields.collect::<Vec<Value>>(),
            "endings": endings::json(self.endings),
        })
    }
}

fn how_name(how: How) -> &'static str {
    match how {
        How::Changed => "changed",
        How::Moved => "moved",
        How::OnlyA => "only a",
        How::OnlyB => "only b",
    }
}

fn field_json(field: &FieldDifference) -> Value {
    json!({"path": field.path, "a": field.expected, "b": field.actual})
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "same": counts.same,
        "renumbered": counts.renumbered,
        "moved": counts.moved,
        "changed": counts.changed,
        "only_a": counts.only_a,
        "only_b": counts.only_b,
    })
}

/// How the events go together, in a line; what there is none of is left out.
fn in_words(counts: &Counts) -> String {
    let parts = [
        (counts.same, "the same"),
        (counts.renumbered, "the same but for running numbers"),
        (counts.moved, "earlier or later"),
        (counts.changed, "say something else"),
        (counts.only_a, "only in A"),
        (counts.only_b, "only in B"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", grouped(*number)))
        .collect();
    parts.join(", ")
}

//! The page about two runs beside each other.

use dacapo_kernel::{Finding, System, Verdict};
use dacapo_lab::report::Versus;
use dacapo_lab::{Difference, FieldDifference, Line};
use maud::{Markup, html};

use super::chart;
use super::lanes::short;
use super::page::document;
use super::parts;
use crate::figures::shown;
use crate::text::{figure, grouped, seed, shell_word};

/// How many differences of the plan, or of an event, are listed.
const FIELDS: usize = 100;

/// How much of a value is shown.
const VALUE: usize = 400;

/// What stands where a run has nothing.
const NOTHING: &str = "nothing";

/// The whole page; the logs are named in the order of the sides.
pub(super) fn markup<S: System>(versus: &Versus<S>, logs: [&str; 2], program: &str) -> Markup {
    let title = "Two runs beside each other";
    let body = html! {
        header {
            h1 { (title) }
            p { (in_short(versus)) }
        }
        (endings(versus, logs, program))
        (fields("What was planned differently", &versus.planned))
        @if let Some(first) = &versus.first { (difference(first)) }
        @if let Some(own) = &versus.first_own { (first_own(own, S::NAME)) }
        (figures(versus))
        (properties(versus))
        (charts(versus))
    };
    document(title, &body)
}

fn in_short<S: System>(versus: &Versus<S>) -> String {
    let [a, b] = &versus.sides;
    let ending = |verdict: Option<&Verdict>| verdict.map_or("no end", Verdict::name).to_owned();
    let (a_end, b_end) = (ending(a.verdict.as_ref()), ending(b.verdict.as_ref()));
    let ended = match a_end == b_end {
        true => format!("Both ended with {a_end}."),
        false => format!("A ended with {a_end}, B with {b_end}."),
    };
    match &versus.first {
        None => format!("Every event but the plan is the same. {ended}"),
        Some(first) => format!(
            "They are the same up to event {} and differ from there on. {ended}",
            grouped(first.seq.0.saturating_sub(1))
        ),
    }
}

fn endings<S: System>(versus: &Versus<S>, logs: [&str; 2], program: &str) -> Markup {
    let row = |name: &str, of: [String; 2]| {
        let [a, b] = of;
        vec![name.to_owned(), a, b]
    };
    let each = |tell: &dyn Fn(usize) -> String| [tell(0), tell(1)];
    let sides = &versus.sides;
    let rows = [
        row("log", each(&|at| logs[at].to_owned())),
        row("name", each(&|at| sides[at].plan.name.clone())),
        row("seed", each(&|at| seed(sides[at].plan.seed))),
        row(
            "verdict",
            each(&|at| {
                let verdict = sides[at].verdict.as_ref();
                verdict.map_or("none", Verdict::name).to_owned()
            }),
        ),
        row("time", each(&|at| sides[at].end.to_string())),
        row("events", each(&|at| grouped(sides[at].events))),
        row("fingerprint", each(&|at| sides[at].fingerprint.clone())),
        row(
            "reproduce",
            each(&|at| format!("{program} replay {}", shell_word(logs[at]))),
        ),
    ];
    parts::table("How they ended", &["", "A", "B"], &rows)
}

fn fields(title: &str, of: &[FieldDifference]) -> Markup {
    let value = |value: &Option<serde_json::Value>| {
        let text = value.as_ref().map(|value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        });
        text.map_or_else(|| NOTHING.to_owned(), |text| short(&text, VALUE))
    };
    let rows: Vec<Vec<String>> = of
        .iter()
        .take(FIELDS)
        .map(|it| vec![it.path.clone(), value(&it.expected), value(&it.actual)])
        .collect();
    html! {
        @if !rows.is_empty() {
            (parts::table(title, &["what", "A", "B"], &rows))
            @if of.len() > FIELDS {
                p class="note" { (grouped((of.len() - FIELDS) as u64)) " more differ" }
            }
        }
    }
}

fn difference(first: &Difference) -> Markup {
    html! {
        section {
            h2 { "The first event that differs: " (grouped(first.seq.0)) }
            dl {
                dt { "A" } dd { (line(first.expected.as_ref())) }
                dt { "B" } dd { (line(first.actual.as_ref())) }
                dt { "before it" } dd { (first.common_time) ": " (first.common_state) }
            }
            @if !first.causes.lines.is_empty() {
                h3 { "What led there, in A" }
                @if first.causes.shortened { p class="note" { "Older causes are left out." } }
                ol class="chain" {
                    @for cause in &first.causes.lines {
                        li value=(cause.seq.0) { b { (cause.time) " " (cause.actor) } " " (short(&cause.text, VALUE)) }
                    }
                }
            }
            (fields("What differs in it", &first.fields))
        }
    }
}

fn line(of: Option<&Line>) -> Markup {
    html! {
        @match of {
            Some(line) => { (line.time) " " b { (line.actor) } " " (line.kind) " " (short(&line.text, VALUE)) },
            None => { "nothing of the kind" },
        }
    }
}

fn first_own(of: &[Option<Line>; 2], system: &str) -> Markup {
    let at = |line: &Option<Line>| {
        let seq = line.as_ref().map(|line| grouped(line.seq.0));
        seq.map_or_else(String::new, |seq| format!("event {seq}: "))
    };
    html! {
        section {
            h2 { "The first that differs of what the " (system) " does" }
            dl {
                @for (which, line_of) in ["A", "B"].into_iter().zip(of) {
                    dt { (which) } dd { (at(line_of)) (line(line_of.as_ref())) }
                }
            }
        }
    }
}

/// Every figure of both, side by side; those that differ come first.
fn figures<S: System>(versus: &Versus<S>) -> Markup {
    let [a, b] = &versus.sides;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, value, meaning) in &a.counts {
        let other = b.counts.iter().find(|(other, ..)| other == name);
        let other = other.map_or_else(|| NOTHING.to_owned(), |(_, value, _)| figure(*value));
        rows.push(vec![
            (*name).to_owned(),
            figure(*value),
            other,
            (*meaning).to_owned(),
        ]);
    }
    let whole = |side: &Option<dacapo_kernel::Measured>| {
        let part = side.as_ref().and_then(|measured| measured.parts.first());
        part.map_or_else(Vec::new, |part| part.figures.clone())
    };
    let others = whole(&b.measured);
    for figure in whole(&a.measured) {
        let other = others.iter().find(|other| other.name == figure.name);
        rows.push(vec![
            figure.name.to_owned(),
            shown::value(&figure),
            other.map_or_else(|| NOTHING.to_owned(), shown::value),
            figure.meaning.to_owned(),
        ]);
    }
    let (differ, same): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row[1] != row[2]);
    let columns = ["figure", "A", "B", "meaning"];
    html! {
        @if !differ.is_empty() { (parts::table("Figures that differ", &columns, &differ)) }
        @if !same.is_empty() { (parts::table("Figures that are the same", &columns, &same)) }
    }
}

/// The properties of which the two runs say something different.
fn properties<S: System>(versus: &Versus<S>) -> Markup {
    let said = |finding: Option<&Finding>| match finding {
        Some(Finding::Held) => "held".to_owned(),
        Some(Finding::NotEvaluable) => "not exercised".to_owned(),
        Some(Finding::Violated { at: Some(at), .. }) => {
            format!("VIOLATED at event {}", grouped(at.0))
        }
        Some(Finding::Violated { at: None, .. }) => "VIOLATED at the end".to_owned(),
        None => NOTHING.to_owned(),
    };
    let [a, b] = &versus.sides;
    let rows = a.properties.iter().map(|(id, finding)| {
        let other = b.properties.iter().find(|(other, _)| other == id);
        let other = other.map(|(_, finding)| finding);
        vec![(*id).to_owned(), said(Some(finding)), said(other)]
    });
    let rows: Vec<Vec<String>> = rows.filter(|row| row[1] != row[2]).collect();
    html! {
        @if !rows.is_empty() {
            (parts::table("Properties that differ", &["property", "A", "B"], &rows))
        }
    }
}

fn charts<S: System>(versus: &Versus<S>) -> Markup {
    let [a, b] = &versus.sides;
    html! {
        @for shown in &versus.charts {
            section {
                h2 { (shown.title) }
                @if let Some(drawn) = chart::drawn(shown, a.end.max(b.end)) { (drawn) }
            }
        }
    }
}

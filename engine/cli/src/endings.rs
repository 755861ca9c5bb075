//! What two runs come to, side by side: what failed, figures, curves, lists, the last state. Only what
//! differs is told.

use dacapo_kernel::{Measurement, Time};
use dacapo_lab::FieldDifference;
use dacapo_lab::diff::{Curves, Ending, EndingDifference, ListDifference};
use serde_json::{Value, json};

use crate::figures::shown::{as_json, value as figure_value};
use crate::screen::{Screen, Tone};
use crate::text::{counted, figure, grouped};

/// How long a value of the state may be that is shown whole.
const VALUE_MAX: usize = 60;

/// Tells what differs between two endings.
pub(crate) fn tell((a, b): (&Ending, &Ending), limit: usize, screen: &mut Screen<'_>) {
    let differs = a.to(b);
    failed(&differs, screen);
    figures(&differs, limit, screen);
    curves(&differs, limit, screen);
    for list in &differs.lists {
        tell_list(list, limit, screen);
    }
    let state = differs.state.as_slice();
    fields("What differs in the last state", state, limit, screen);
}

fn failed(differs: &EndingDifference, screen: &mut Screen<'_>) {
    if differs.failed_a.is_empty() && differs.failed_b.is_empty() {
        return;
    }
    screen.line("");
    let head = screen.paint(Tone::Head, "What fails");
    screen.line(head);
    for (name, failed) in [("A", &differs.failed_a), ("B", &differs.failed_b)] {
        for property in failed {
            let property = screen.paint(Tone::Bad, Screen::safe(property));
            screen.line(format!("  only in {name}  {property}"));
        }
    }
}

fn figures(differs: &EndingDifference, limit: usize, screen: &mut Screen<'_>) {
    let told = differs.figures.iter().take(limit);
    let rows: Vec<Vec<String>> = told
        .map(|differs| {
            vec![
                differs.a.name.to_owned(),
                figure_value(&differs.a),
                figure_value(&differs.b),
                by(&differs.a, differs.by()),
                differs.a.meaning.to_owned(),
            ]
        })
        .collect();
    let columns = ["figure", "A", "B", "by", "meaning"];
    screen.table("Figures that differ", &columns, &rows);
    more(differs.figures.len(), limit, "figure", "figures", screen);
}

/// By how much a figure is another one, in its unit.
pub(crate) fn by(of: &Measurement, by: Option<f64>) -> String {
    let Some(by) = by else {
        return String::new();
    };
    let mut shown = of.clone();
    shown.value = Ok(by);
    let sign = if by > 0.0 { "+" } else { "" };
    format!("{sign}{}", figure_value(&shown))
}

fn curves(differs: &EndingDifference, limit: usize, screen: &mut Screen<'_>) {
    let last = |curve: &Curves| match curve.last {
        Some((_, value)) if curve.names.is_empty() => figure(value),
        _ => curve.last_in_words(),
    };
    let mut rows = Vec::new();
    for (a, b) in differs.curves.iter().take(limit) {
        rows.push(vec![
            a.title.clone(),
            "in the end".to_owned(),
            last(a),
            last(b),
        ]);
        for (at, name) in a.names.iter().enumerate() {
            let held = |curve: &Curves| curve.held.get(at).copied().unwrap_or(0);
            if held(a) != held(b) {
                let span = |nanos| Time::from_nanos(nanos).to_string();
                rows.push(vec![
                    String::new(),
                    format!("held {name}"),
                    span(held(a)),
                    span(held(b)),
                ]);
            }
        }
    }
    screen.table("Curves that differ", &["curve", "", "A", "B"], &rows);
    more(differs.curves.len(), limit, "curve", "curves", screen);
}

fn tell_list(list: &ListDifference, limit: usize, screen: &mut Screen<'_>) {
    screen.line("");
    let title = screen.paint(Tone::Head, Screen::safe(&list.title));
    let (a, b) = (grouped(list.rows.0), grouped(list.rows.1));
    screen.line(format!("{title}: {a} in A, {b} in B"));
    for (name, (rows, all)) in [("A", &list.only_a), ("B", &list.only_b)] {
        for row in rows.iter().take(limit) {
            let row = clipped(&row.join("  "), screen.width().saturating_sub(14));
            screen.line(format!("  only in {name}  {}", Screen::safe(row)));
        }
        let told = rows.len().min(limit) as u64;
        if *all > told {
            screen.line(format!(
                "  only in {name}  … and {} more",
                grouped(all - told)
            ));
        }
    }
}

/// Values that differ, each in a line.
pub(crate) fn fields(
    title: &str,
    fields: &[FieldDifference],
    limit: usize,
    screen: &mut Screen<'_>,
) {
    if fields.is_empty() {
        return;
    }
    screen.line("");
    let title = screen.paint(Tone::Head, title);
    screen.line(title);
    for field in fields.iter().take(limit) {
        screen.line(format!("  {}", change(field)));
    }
    if let Some(more) = fields.len().checked_sub(limit).filter(|more| *more > 0) {
        screen.line(format!(
            "  … and {}",
            counted(more as u64, "value", "values")
        ));
    }
}

/// A value in A and in B.
pub(crate) fn change(field: &FieldDifference) -> String {
    format!(
        "{}  {} → {}",
        Screen::safe(&field.path),
        Screen::safe(value(&field.expected)),
        Screen::safe(value(&field.actual))
    )
}

/// A value in a few words; it may be foreign.
pub(crate) fn value(value: &Option<Value>) -> String {
    match value {
        Some(value) => clipped(&value.to_string(), VALUE_MAX),
        None => "nothing".to_owned(),
    }
}

/// A text that fits, with an ellipsis where it would not.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept + "…"
}

fn more(all: usize, limit: usize, one: &str, several: &str, screen: &mut Screen<'_>) {
    if let Some(more) = all.checked_sub(limit).filter(|more| *more > 0) {
        screen.line(format!(" … and {}", counted(more as u64, one, several)));
    }
}

/// The same for programs.
pub(crate) fn json((a, b): (&Ending, &Ending)) -> Value {
    let differs = a.to(b);
    let ending = |ending: &Ending| {
        json!({
            "verdict": ending.verdict,
            "end_ns": ending.end,
            "events": ending.events,
            "failed": ending.failed,
        })
    };
    let figures = differs.figures.iter().map(
        |differs| json!({"a": as_json(&differs.a), "b": as_json(&differs.b), "by": differs.by()}),
    );
    let curve = |curve: &Curves| {
        let held = curve.names.iter().zip(&curve.held);
        let held = held.map(|(name, nanos)| json!({"name": name, "ns": nanos}));
        json!({
            "last": curve.last.map(|(_, value)| value),
            "name": (!curve.names.is_empty()).then(|| curve.last_in_words()),
            "held": held.collect::<Vec<Value>>(),
            "changes": curve.changes,
        })
    };
    let curves = differs.curves.iter();
    let curves = curves.map(|(a, b)| json!({"curve": a.title, "a": curve(a), "b": curve(b)}));
    let lists = differs.lists.iter().map(|list| {
        json!({
            "list": list.title,
            "rows_a": list.rows.0,
            "rows_b": list.rows.1,
            "only_a": list.only_a.1,
            "only_b": list.only_b.1,
        })
    });
    let state = differs.state.iter();
    let state =
        state.map(|field| json!({"path": field.path, "a": field.expected, "b": field.actual}));
    json!({
        "a": ending(a),
        "b": ending(b),
        "failed_only_a": differs.failed_a,
        "failed_only_b": differs.failed_b,
        "figures": figures.collect::<Vec<Value>>(),
        "curves": curves.collect::<Vec<Value>>(),
        "lists": lists.collect::<Vec<Value>>(),
        "state": state.collect::<Vec<Value>>(),
    })
}

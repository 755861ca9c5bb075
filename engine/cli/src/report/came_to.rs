//! What a run came to: its main figures, side by side where it is told in parts, and what a reader has to know of them.

use dacapo_kernel::Measured;
use maud::{Markup, html};

use super::parts;
use crate::figures::shown::{PARTS, value};

/// The main figures and the notes; nothing where the system makes no such figures.
pub(super) fn told(measured: Option<&Measured>) -> Markup {
    let Some(measured) = measured else {
        return html! {};
    };
    let names = PARTS.iter().take(measured.parts.len()).copied();
    let names = match measured.parts.len() {
        1 => vec!["value"],
        _ => names.collect(),
    };
    let columns = [vec!["figure"], names, vec!["meaning"]].concat();
    let whole = measured.parts.first().into_iter();
    let figures = whole.flat_map(|part| part.figures.iter().enumerate());
    let rows: Vec<Vec<String>> = figures
        .filter(|(_, figure)| figure.is_main)
        .map(|(at, figure)| {
            let values = measured.parts.iter().map(|part| value(&part.figures[at]));
            let mut row = vec![figure.name.to_owned()];
            row.extend(values);
            row.push(figure.meaning.to_owned());
            row
        })
        .collect();
    html! {
        @if !rows.is_empty() { (parts::table("What it came to", &columns, &rows)) }
        @for note in &measured.notes { p class="note" { (note) } }
    }
}

//! The parts of a page that are tables and lists.

use dacapo_kernel::{Checked, Finding};
use dacapo_lab::report::ShownListing;
use dacapo_lab::{Chain, Failure, Judgement};
use maud::{Markup, html};

use super::lanes::short;
use crate::text::grouped;

/// A titled table.
pub(super) fn table(title: &str, columns: &[impl AsRef<str>], rows: &[Vec<String>]) -> Markup {
    html! {
        section {
            h2 { (title) }
            div class="scroll" {
                table {
                    thead { tr { @for column in columns { th { (column.as_ref()) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                }
            }
        }
    }
}

/// What failed, each with what it follows from.
pub(super) fn failures(judgement: &Judgement, chains: &[Option<Chain>]) -> Markup {
    html! {
        @for (failure, chain) in judgement.failures.iter().zip(chains) {
            (one(failure, chain.as_ref()))
        }
    }
}

fn one(failure: &Failure, chain: Option<&Chain>) -> Markup {
    html! {
        section class="failure" {
            h2 {
                span class="bad" { "FAIL" } " " (failure.property)
                @if let Some(at) = failure.at { small { " at event " (grouped(at.0)) } }
            }
            dl {
                dt { "expected" } dd { (failure.expected) }
                dt { "actual" } dd { (failure.actual) }
                @if !failure.defects.is_empty() { dt { "defect" } dd { (failure.defects.join(", ")) } }
                @for wait in &failure.waits { dt { "waits" } dd { (wait) } }
            }
            @if let Some(chain) = chain {
                h3 { "How it came about" }
                @if chain.shortened { p class="note" { "Older causes are left out." } }
                ol class="chain" {
                    @for line in &chain.lines {
                        li value=(line.seq.0) { b { (line.time) " " (line.actor) } " " span title=(line.text) { (short(&line.text, 400)) } }
                    }
                }
            }
        }
    }
}

/// What every property says, the violated ones first; those that had nothing to judge say so.
pub(super) fn properties(findings: &[Checked]) -> Markup {
    let rank = |finding: &Finding| match finding {
        Finding::Violated { .. } => 0,
        Finding::Held => 1,
        Finding::NotEvaluable => 2,
    };
    let mut sorted: Vec<&Checked> = findings.iter().collect();
    sorted.sort_by_key(|checked| rank(&checked.finding));
    html! {
        @if !sorted.is_empty() {
            section {
                h2 { "Properties" }
                div class="scroll" {
                    table {
                        thead { tr { th { "" } th { "property" } th { "at" } th { "what must hold" } } }
                        tbody { @for checked in sorted { (property(checked)) } }
                    }
                }
            }
        }
    }
}

fn property(checked: &Checked) -> Markup {
    let (class, word, at) = match &checked.finding {
        Finding::Held => ("good", "held", String::new()),
        Finding::Violated { at: Some(at), .. } => ("bad", "VIOLATED", grouped(at.0)),
        Finding::Violated { at: None, .. } => ("bad", "VIOLATED", "the end".to_owned()),
        Finding::NotEvaluable => ("quiet", "not exercised", String::new()),
    };
    html! {
        tr {
            td { span class=(class) { (word) } }
            td { (checked.id) }
            td { (at) }
            td { (checked.statement) }
        }
    }
}

/// A list of the system's own.
pub(super) fn listing(listing: &ShownListing) -> Markup {
    let width = listing.columns.len() + 2;
    html! {
        section {
            h2 { (listing.title) }
            div class="scroll" {
                table {
                    thead { tr { th { "event" } th { "time" } @for column in listing.columns { th { (column) } } } }
                    tbody {
                        @for (at, (seq, time, cells)) in listing.rows.iter().enumerate() {
                            @if let Some((after, count)) = listing.left_out && after == at {
                                tr { td class="note" colspan=(width) { (grouped(count)) " more are left out here" } }
                            }
                            tr { td { (grouped(seq.0)) } td { (time) } @for cell in cells { td { (cell) } } }
                        }
                    }
                }
            }
        }
    }
}

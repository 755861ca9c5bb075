//! Events in lanes: a column for each actor, a row for each event, a line back to each cause.

use std::collections::BTreeMap;

use dacapo_kernel::Seq;
use dacapo_lab::Line;
use maud::{Markup, html};

use crate::text::grouped;

const ROW: usize = 20;
const LANE: usize = 22;

/// How much of what happened is told in a row; the whole is its tooltip.
const TEXT: usize = 160;

/// The events, the oldest first.
pub(super) fn drawn(lines: &[Line]) -> Markup {
    let lanes = lanes(lines);
    let rows: BTreeMap<Seq, (usize, usize)> = lines
        .iter()
        .enumerate()
        .map(|(row, line)| (line.seq, (lanes[line.actor.as_str()], row)))
        .collect();
    let width = lanes.len() * LANE;
    html! {
        p class="note" {
            @for (actor, lane) in in_order(&lanes) { (lane + 1) " " (actor) "  " }
        }
        div class="scroll lanes" {
            svg width=(width) height=(lines.len() * ROW) role="img" aria-label="events by actor" {
                @for lane in 0..lanes.len() {
                    line class="lane" x1=(x(lane)) x2=(x(lane)) y1="0" y2=(lines.len() * ROW) {}
                }
                @for line in lines {
                    @let (lane, row) = rows[&line.seq];
                    @if let Some((from, above)) = line.cause.and_then(|cause| rows.get(&cause)) {
                        line class="cause" x1=(x(*from)) y1=(y(*above)) x2=(x(lane)) y2=(y(row)) {}
                    }
                }
                @for line in lines {
                    @let (lane, row) = rows[&line.seq];
                    circle cx=(x(lane)) cy=(y(row)) r="4" { title { (line.text) } }
                }
            }
            ol class="rows" {
                @for line in lines {
                    li {
                        span class="seq" { (grouped(line.seq.0)) }
                        span class="time" { (line.time) }
                        b { (line.actor) } " "
                        span title=(line.text) { (line.kind) " " (short(&line.text, TEXT)) }
                    }
                }
            }
        }
    }
}

/// The lane of each actor, in the order in which they first act.
fn lanes(lines: &[Line]) -> BTreeMap<&str, usize> {
    let mut lanes = BTreeMap::new();
    for line in lines {
        let next = lanes.len();
        lanes.entry(line.actor.as_str()).or_insert(next);
    }
    lanes
}

fn in_order<'a>(lanes: &BTreeMap<&'a str, usize>) -> Vec<(&'a str, usize)> {
    let mut order: Vec<(&str, usize)> = lanes.iter().map(|(actor, lane)| (*actor, *lane)).collect();
    order.sort_by_key(|(_, lane)| *lane);
    order
}

fn x(lane: usize) -> usize {
    lane * LANE + LANE / 2
}

fn y(row: usize) -> usize {
    row * ROW + ROW / 2
}

/// A text cut to so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

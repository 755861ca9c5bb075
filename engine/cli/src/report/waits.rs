//! The graph of waits, drawn: tasks are round, locks are square, and each arrow goes to what is waited for, or to who
//! holds it.
//!
//! The circle stands at the top, in two rows that are read around; whoever else waits stands below it.

use dacapo_lab::report::{WaitNode, WaitPicture};
use maud::{Markup, html};

use super::lanes::short;

/// From the middle of a part to the middle of the next.
const STEP: (f64, f64) = (250.0, 110.0);

/// Half the height of a part.
const HALF: f64 = 17.0;

/// How many parts stand in a row below the circle.
const PER_ROW: usize = 3;

/// The longest name that is written out; the whole is its tooltip.
const NAME: usize = 26;

type Point = (f64, f64);

/// The picture with its legend.
pub(super) fn drawn(picture: &WaitPicture) -> Markup {
    let places = places(picture);
    let right = places
        .iter()
        .fold(0.0, |most: f64, place| most.max(place.0));
    let bottom = places
        .iter()
        .fold(0.0, |most: f64, place| most.max(place.1));
    let (width, height) = (right + STEP.0 / 2.0, bottom + STEP.1 / 2.0);
    let title = if picture.is_broken {
        "Who waited for whom, until a timeout broke the circle"
    } else {
        "Who waits for whom"
    };
    html! {
        section {
            h2 { (title) }
            div class="scroll" {
                svg class="waits" width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(title) {
                    @for (from, to) in &picture.edges {
                        (arrow(picture, &places, *from, *to))
                    }
                    @for (at, (node, place)) in picture.nodes.iter().zip(&places).enumerate() {
                        (part(node, *place, at < picture.in_circle))
                    }
                }
            }
            p class="note" {
                "Tasks are round, locks are square. An arrow from a task goes to what it waits for, an arrow from a lock to who \
                 holds it."
                @if picture.in_circle > 0 { " The circle is red." }
                @if picture.left_out > 0 { " " (picture.left_out) " more tasks wait and are left out." }
            }
        }
    }
}

/// Where each part stands.
fn places(picture: &WaitPicture) -> Vec<Point> {
    let circle = picture.in_circle;
    let above = circle.div_ceil(2);
    let rows = [0, 1, 2][circle.min(2)];
    (0..picture.nodes.len())
        .map(|at| {
            let (column, row) = if at < above {
                (at, 0)
            } else if at < circle {
                // Back below, so that the last part stands under the first.
                (circle - 1 - at, 1)
            } else {
                let at = at - circle;
                (at % PER_ROW, rows + at / PER_ROW)
            };
            ((column as f64 + 0.5) * STEP.0, (row as f64 + 0.5) * STEP.1)
        })
        .collect()
}

fn part(node: &WaitNode, (x, y): Point, is_stuck: bool) -> Markup {
    let half = half_width(node);
    let class = if is_stuck { "stuck" } else { "" };
    let round = if node.is_lock { 2.0 } else { HALF };
    html! {
        g class=(class) {
            title { (node.name) }
            rect x=(x - half) y=(y - HALF) width=(2.0 * half) height=(2.0 * HALF) rx=(round) {}
            text x=(x) y=(y + 5.0) text-anchor="middle" { (short(&node.name, NAME)) }
        }
    }
}

/// Half the width that a name needs: what a wide letter takes, whatever the font is.
fn half_width(node: &WaitNode) -> f64 {
    let letters = node.name.chars().count().min(NAME + 1);
    letters as f64 * 3.9 + 14.0
}

/// An arrow from part to part, bent a little, so that one there and one back are two.
fn arrow(picture: &WaitPicture, places: &[Point], from: usize, to: usize) -> Markup {
    let (start, end) = (places[from], places[to]);
    let (dx, dy) = (end.0 - start.0, end.1 - start.1);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let bend = (
        f64::midpoint(start.0, end.0) - dy / length * 26.0,
        f64::midpoint(start.1, end.1) + dx / length * 26.0,
    );
    let begin = edge_of(start, bend, half_width(&picture.nodes[from]));
    let tip = edge_of(end, bend, half_width(&picture.nodes[to]));
    let is_stuck = from < picture.in_circle && to < picture.in_circle;
    let class = if is_stuck { "stuck" } else { "" };
    let path = format!(
        "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
        begin.0, begin.1, bend.0, bend.1, tip.0, tip.1
    );
    html! {
        g class=(class) {
            path d=(path) {}
            polygon points=(head(bend, tip)) {}
        }
    }
}

/// Where the way from the middle of a part to a point leaves the part.
fn edge_of(middle: Point, towards: Point, half_width: f64) -> Point {
    let (dx, dy) = (towards.0 - middle.0, towards.1 - middle.1);
    let room = 3.0;
    let across = (half_width + room) / dx.abs().max(1e-6);
    let down = (HALF + room) / dy.abs().max(1e-6);
    let part = across.min(down).min(1.0);
    (middle.0 + dx * part, middle.1 + dy * part)
}

/// The three corners of the head of an arrow.
fn head(from: Point, tip: Point) -> String {
    let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt().max(1e-6);
    let (ux, uy) = (dx / length, dy / length);
    let back = (tip.0 - ux * 10.0, tip.1 - uy * 10.0);
    format!(
        "{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}",
        tip.0,
        tip.1,
        back.0 - uy * 5.0,
        back.1 + ux * 5.0,
        back.0 + uy * 5.0,
        back.1 - ux * 5.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(names: &[&str], in_circle: usize, edges: &[(usize, usize)]) -> WaitPicture {
        let node = |name: &&str| WaitNode {
            name: (*name).to_owned(),
            is_lock: name.len() == 1,
        };
        WaitPicture {
            nodes: names.iter().map(node).collect(),
            in_circle,
            edges: edges.to_vec(),
            left_out: 2,
            is_broken: false,
        }
    }

    /// Two parts at one place, or an arrow that begins or ends inside of a part, fail here.
    #[test]
    fn parts_stand_apart_and_arrows_between_them() {
        let names = [
            "one",
            "a",
            "two",
            "b",
            "three, a long name for a task",
            "c",
            "four",
            "five",
        ];
        let edges = [
            (0, 1),
            (1, 2),
            (2, 3),
            (3, 4),
            (4, 5),
            (5, 0),
            (6, 1),
            (7, 3),
        ];
        let picture = picture(&names, 6, &edges);
        let places = places(&picture);
        for (at, place) in places.iter().enumerate() {
            let apart = |other: &Point| {
                (place.0 - other.0).abs() >= STEP.0 || (place.1 - other.1).abs() >= STEP.1
            };
            assert!(places[..at].iter().all(apart), "{at} of {places:?}");
        }
        for (from, to) in edges {
            let drawn = arrow(&picture, &places, from, to).into_string();
            let path = drawn
                .split("d=\"M")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            let numbers: Vec<f64> = path
                .split([' ', 'Q'])
                .map(|number| number.parse().unwrap())
                .collect();
            let ends = [(numbers[0], numbers[1], from), (numbers[4], numbers[5], to)];
            for (x, y, at) in ends {
                let (dx, dy) = ((x - places[at].0).abs(), (y - places[at].1).abs());
                let half = half_width(&picture.nodes[at]);
                assert!(dx > half || dy > HALF, "{from} to {to}: {path}");
                assert!(dx < half + 5.0 && dy < HALF + 5.0, "{from} to {to}: {path}");
            }
        }
    }

    #[test]
    fn names_are_text_and_what_is_left_out_is_said() {
        let hostile = "<script>alert(1)</script> in a name that is far too long to be shown";
        let drawn = drawn(&picture(&[hostile, "b"], 2, &[(0, 1), (1, 0)])).into_string();
        assert!(
            drawn.contains("&lt;script&gt;alert(1)&lt;/script&gt; …"),
            "{drawn}"
        );
        assert!(!drawn.contains("<script"), "{drawn}");
        assert!(
            drawn.contains("2 more tasks wait and are left out"),
            "{drawn}"
        );
        assert!(!drawn.contains("url("), "nothing is fetched");
    }
}

//! Curves over virtual time, drawn as vector graphics.

use dacapo_kernel::{Scale, Shape, Time};
use dacapo_lab::report::{ShownChart, ShownCurve};
use maud::{Markup, PreEscaped, html};
use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, IntoFont, LineSeries, RGBColor, SVGBackend,
};

use crate::text::grouped;

pub(super) const SIZE: (u32, u32) = (960, 300);

/// Colours that are told apart on light and on dark ground, and by people who see red and green alike.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(150, 120, 0),
    RGBColor(86, 130, 200),
];

/// The chart as a picture with its legend, over a run that ends then: all charts of a page share
/// their time. `None` if it cannot be drawn.
pub(super) fn drawn(chart: &ShownChart, end: Time) -> Option<Markup> {
    let picture = picture(chart, seconds(end))?;
    Some(html! {
        div class="scroll chart" role="img" aria-label=(chart.title) { (PreEscaped(picture)) }
        p class="note" {
            @for (at, curve) in chart.curves.iter().enumerate() {
                span style=(format!("color: {}", css(colour(at)))) { "■ " }
                (curve.name)
                @if curve.values > curve.points.len() as u64 { " (" (grouped(curve.values)) " values, thinned)" }
                " "
            }
            @if let Scale::Number(unit) = chart.scale { "in " (unit) }
        }
    })
}

pub(super) fn colour(at: usize) -> RGBColor {
    COLOURS[at % COLOURS.len()]
}

pub(super) fn css(RGBColor(red, green, blue): RGBColor) -> String {
    format!("rgb({red}, {green}, {blue})")
}

pub(super) fn seconds(time: Time) -> f64 {
    time.as_nanos() as f64 / 1e9
}

/// The chart alone.
pub(super) fn picture(chart: &ShownChart, end: f64) -> Option<String> {
    let points = || chart.curves.iter().flat_map(|curve| &curve.points);
    let to = end.max(1e-6);
    let (low, high) = match chart.scale {
        Scale::Names(names) => (-0.2, names.len() as f64 - 0.8),
        Scale::Number(_) => range(points().map(|(_, value)| *value))?,
    };
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        let mut plot = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(84)
            .build_cartesian_2d(0.0..to, low..high)
            .ok()?;
        let name = |value: &f64| match chart.scale {
            Scale::Names(names) => named(names, *value),
            Scale::Number(_) => number(*value),
        };
        let font = ("sans-serif", 13).into_font();
        plot.configure_mesh()
            .light_line_style(RGBColor(128, 128, 128).mix(0.08))
            .bold_line_style(RGBColor(128, 128, 128).mix(0.25))
            .x_labels(8)
            .y_labels(match chart.scale {
                Scale::Names(names) => names.len(),
                Scale::Number(_) => 6,
            })
            .x_label_formatter(&|at| clock(*at))
            .y_label_formatter(&name)
            .label_style(font)
            .draw()
            .ok()?;
        for (at, curve) in chart.curves.iter().enumerate() {
            let colour = colour(at);
            if curve.shape == Shape::Marks {
                let marks = curve.points.iter();
                let marks = marks.map(|(t, v)| Circle::new((seconds(*t), *v), 3, colour.filled()));
                plot.draw_series(marks).ok()?;
            } else {
                let line = line(curve, to).into_iter();
                plot.draw_series(LineSeries::new(line, colour.stroke_width(2)))
                    .ok()?;
            }
        }
        area.present().ok()?;
    }
    Some(text)
}

/// The corners of a curve; a value that holds until the next one goes on to the end.
fn line(curve: &ShownCurve, to: f64) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (time, value) in &curve.points {
        if curve.shape == Shape::Steps
            && let Some((_, before)) = corners.last().copied()
        {
            corners.push((seconds(*time), before));
        }
        corners.push((seconds(*time), *value));
    }
    if curve.shape == Shape::Steps
        && let Some((_, last)) = corners.last().copied()
    {
        corners.push((to, last));
    }
    corners
}

/// A range with a little room, never empty.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold(None, |range: Option<(f64, f64)>, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })?;
    let room = ((high - low) * 0.04).max(high.abs() * 1e-6).max(1e-9);
    Some((low - room, high + room))
}

fn named(names: &[&str], value: f64) -> String {
    let at = value.round();
    if (value - at).abs() > 1e-6 || at < 0.0 {
        return String::new();
    }
    names
        .get(at as usize)
        .map_or_else(String::new, |name| (*name).to_owned())
}

fn number(value: f64) -> String {
    match value.abs() {
        at_least if at_least >= 100.0 || value == 0.0 => format!("{value:.0}"),
        at_least if at_least >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.6}"),
    }
}

/// Seconds of virtual time as a clock, with days where there are any.
fn clock(at: f64) -> String {
    let whole = at.max(0.0).round() as u64;
    let (days, hours) = (whole / 86_400, whole / 3_600 % 24);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    match days {
        0 => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        days => format!("{days}d {hours:02}:{minutes:02}"),
    }
}

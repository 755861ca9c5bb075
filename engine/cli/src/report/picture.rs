//! The charts of a report as picture files, each with its title and legend in it, for pages of one's own.

use std::fs;
use std::path::Path;

use dacapo_kernel::{Scale, Time};
use dacapo_lab::export::name_for;
use dacapo_lab::report::ShownChart;

use super::chart::{SIZE, colour, css, picture, seconds};
use crate::exit::Problem;
use crate::log_file::shown;

/// What a picture of this command begins with; any other file of its name is left alone.
const MARK: &str = "<!-- a chart of a report -->\n";

/// The height of the line with title and legend.
const HEAD: u32 = 28;

/// Writes a picture for each chart into a folder; how many.
pub(super) fn write(charts: &[ShownChart], end: Time, folder: &Path) -> Result<usize, Problem> {
    let problem = |path: &Path, error: std::io::Error| {
        Problem::usage(format!("{}: cannot be written: {error}", shown(path)))
    };
    fs::create_dir_all(folder).map_err(|error| problem(folder, error))?;
    let mut names = Vec::new();
    let mut pictures = Vec::new();
    for chart in charts {
        let Some(drawn) = picture(chart, seconds(end)) else {
            continue;
        };
        let name = name_for(&chart.title, "chart", &names);
        let path = folder.join(format!("{name}.svg"));
        names.push(name);
        if let Ok(there) = fs::read(&path)
            && !there.starts_with(MARK.as_bytes())
        {
            return Err(Problem::usage(format!(
                "{} is there already and is no chart of a report: move it away, or name another folder with --svg",
                shown(&path)
            )));
        }
        pictures.push((path, framed(chart, &drawn)));
    }
    for (path, text) in &pictures {
        fs::write(path, text).map_err(|error| problem(path, error))?;
    }
    Ok(pictures.len())
}

/// A picture on white paper with a line above it that says what it shows.
fn framed(chart: &ShownChart, drawn: &str) -> String {
    let (width, height) = (SIZE.0, SIZE.1 + HEAD);
    let unit = match chart.scale {
        Scale::Number(unit) => format!(", in {unit}"),
        Scale::Names(_) => String::new(),
    };
    let title = escaped(&format!("{}{unit}", chart.title));
    let legend: Vec<String> = chart
        .curves
        .iter()
        .enumerate()
        .map(|(at, curve)| {
            let (colour, name) = (css(colour(at)), escaped(&curve.name));
            format!("<tspan dx=\"14\" fill=\"{colour}\">■ {name}</tspan>")
        })
        .collect();
    format!(
        "{MARK}<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"14\" y=\"20\" font-family=\"sans-serif\" font-size=\"14\"><tspan font-weight=\"bold\">{title}</tspan>{}</text>\n\
         <g transform=\"translate(0 {HEAD})\">\n{drawn}\n</g>\n</svg>\n",
        legend.concat()
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    crate::screen::Screen::safe(text.replace('>', "&gt;"))
}

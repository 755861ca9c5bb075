//! The figures of a log on a screen: a table, what is not defined and why, and the same as JSON.

use dacapo_kernel::{Measured, Part, System};
use dacapo_lab::{Figured, VERSION};
use serde_json::{Value, json};

use super::shown::{PARTS, UNDEFINED, as_json, instant, interval, value};
use crate::screen::{Screen, Tone};
use crate::text::{figure, grouped, seed};

/// The figures of a log.
pub(super) struct Told<'a, S: System> {
    pub(super) log: &'a str,
    pub(super) figured: &'a Figured<S>,
    /// The file that the points were written to.
    pub(super) csv: Option<String>,
}

impl<S: System> Told<'_, S> {
    pub(super) fn tell(&self, screen: &mut Screen<'_>) {
        if !screen.is_for_people() {
            return screen.json(&self.json());
        }
        if !screen.quiet {
            self.head(screen);
        }
        match &self.figured.measured {
            Some(measured) => measures(measured, screen),
            None => {
                let why = "this system makes no figures beyond what it counts";
                screen.note(why);
            }
        }
        let rows: Vec<Vec<String>> = self
            .figured
            .counts
            .iter()
            .map(|f| vec![f.name.to_owned(), figure(f.value), f.meaning.to_owned()])
            .collect();
        if !screen.quiet {
            screen.table(
                "Counted over the whole run",
                &["figure", "value", "meaning"],
                &rows,
            );
        }
        if let (Some(csv), Some(points)) = (&self.csv, self.points()) {
            screen.line("");
            screen.line(format!(
                "{} points in {}",
                grouped(points),
                Screen::safe(csv)
            ));
        }
    }

    fn points(&self) -> Option<u64> {
        let series = self.figured.measured.as_ref()?.series.as_ref()?;
        Some(series.points.len() as u64)
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let plan = &self.figured.plan;
        let at = |time| instant(plan.start_unix_ns, time);
        let name = screen.paint(Tone::Head, Screen::safe(&plan.name));
        screen.line(name);
        screen.line(format!("  log     {}", Screen::safe(self.log)));
        screen.line(format!("  seed    {}", seed(plan.seed)));
        screen.line(format!("  events  {}", grouped(self.figured.events)));
        let parts = self.figured.measured.iter().flat_map(|m| &m.parts);
        let mut told = false;
        for (part, name) in parts.zip(PARTS) {
            told = true;
            let (from, to) = (at(part.from), at(part.to));
            screen.line(format!("  {name:6}  {from} to {to}"));
        }
        if !told {
            let (from, to) = (at(dacapo_kernel::Time::ZERO), at(self.figured.end));
            screen.line(format!("  whole   {from} to {to}"));
        }
    }

    fn json(&self) -> Value {
        let figured = self.figured;
        let counts = figured.counts.iter();
        let counts =
            counts.map(|f| json!({"figure": f.name, "value": f.value, "meaning": f.meaning}));
        let measured = figured.measured.as_ref();
        let parts = measured.iter().flat_map(|measured| &measured.parts);
        let parts = parts.zip(PARTS).map(|(part, name)| {
            let figures = part.figures.iter().map(as_json);
            let sections = part.sections.iter();
            let sections =
                sections.map(|s| json!({"title": s.title, "columns": s.columns, "rows": s.rows}));
            json!({
                "part": name,
                "from": instant(figured.plan.start_unix_ns, part.from),
                "to": instant(figured.plan.start_unix_ns, part.to),
                "from_ns": part.from,
                "to_ns": part.to,
                "figures": figures.collect::<Vec<Value>>(),
                "sections": sections.collect::<Vec<Value>>(),
            })
        });
        json!({
            "v": VERSION,
            "type": "figures",
            "system": S::NAME,
            "scenario": figured.plan.name,
            "seed": figured.plan.seed,
            "log": self.log,
            "events": figured.events,
            "is_whole": figured.is_whole,
            "parts": parts.collect::<Vec<Value>>(),
            "counts": counts.collect::<Vec<Value>>(),
            "notes": measured.map(|measured| &measured.notes),
            "points": self.points(),
            "csv": self.csv,
        })
    }
}

fn measures(measured: &Measured, screen: &mut Screen<'_>) {
    match measured.parts.as_slice() {
        [whole] => alone(whole, screen),
        parts => side_by_side(parts, screen),
    }
    if screen.quiet {
        return;
    }
    undefined(&measured.parts, screen);
    for (part, name) in measured.parts.iter().zip(PARTS) {
        for section in &part.sections {
            let title = match measured.parts.len() {
                1 => section.title.clone(),
                _ => format!("{}, {name}", section.title),
            };
            let columns: Vec<&str> = section.columns.iter().map(String::as_str).collect();
            screen.table(&title, &columns, &section.rows);
        }
    }
    if !measured.notes.is_empty() {
        screen.line("");
    }
    for note in &measured.notes {
        let word = screen.paint(Tone::Warning, "note");
        screen.line(format!("{word}: {}", Screen::safe(note)));
    }
}

fn alone(whole: &Part, screen: &mut Screen<'_>) {
    let figures = whole.figures.iter();
    let rows: Vec<Vec<String>> = figures
        .clone()
        .map(|f| vec![f.name.to_owned(), value(f), f.meaning.to_owned()])
        .collect();
    screen.table("Figures", &["figure", "value", "meaning"], &rows);
    let known = figures.filter_map(|f| Some((f, f.interval?)));
    let rows: Vec<Vec<String>> = known
        .map(|(f, known)| {
            let confidence = format!("{} %", figure(known.confidence * 100.0));
            vec![f.name.to_owned(), value(f), interval(f), confidence]
        })
        .collect();
    let columns = ["figure", "value", "lies between", "confidence"];
    screen.table("How sure they are", &columns, &rows);
}

fn side_by_side(parts: &[Part], screen: &mut Screen<'_>) {
    let Some(whole) = parts.first() else { return };
    let rows: Vec<Vec<String>> = whole
        .figures
        .iter()
        .enumerate()
        .map(|(at, figure)| {
            let values = parts.iter().map(|part| value(&part.figures[at]));
            let name = [figure.name.to_owned()].into_iter();
            name.chain(values)
                .chain([figure.meaning.to_owned()])
                .collect()
        })
        .collect();
    let names = PARTS.iter().take(parts.len()).copied();
    let columns: Vec<&str> = ["figure"]
        .into_iter()
        .chain(names)
        .chain(["meaning"])
        .collect();
    screen.table("Figures", &columns, &rows);
}

/// Why figures are not defined; figures that lack for the same reason are told together.
fn undefined(parts: &[Part], screen: &mut Screen<'_>) {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for (part, name) in parts.iter().zip(PARTS) {
        for figure in &part.figures {
            let Err(why) = &figure.value else { continue };
            match rows.iter_mut().find(|row| row[0] == name && row[2] == *why) {
                Some(row) => row[1] = format!("{}, {}", row[1], figure.name),
                None => rows.push([name.to_owned(), figure.name.to_owned(), why.clone()]),
            }
        }
    }
    let several = parts.len() > 1;
    let skip = usize::from(!several);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row[skip..].to_vec()).collect();
    let columns = ["part", "figure", "why"];
    let title = format!("{}{}", UNDEFINED[..1].to_uppercase(), &UNDEFINED[1..]);
    screen.table(&title, &columns[skip..], &rows);
}

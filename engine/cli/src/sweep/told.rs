//! The rows of a sweep on a screen: each, or the means over the seeds; and what is to be said of all.

use std::marker::PhantomData;

use dacapo_kernel::{Measurement, System, Trial};
use dacapo_lab::VERSION;
use dacapo_lab::sweep::{Column, Progress, Row, Vary};
use serde_json::{Map, Value, json};

use crate::figures::shown::{UNDEFINED, value};
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped};

/// How many rows a screen shows.
const ROWS_SHOWN: usize = 60;

/// The rows of a sweep.
pub(super) struct Told<'a, S: System> {
    pub(super) name: &'a str,
    pub(super) vary: &'a [Vary],
    pub(super) columns: &'a [Column],
    /// The places of the figures that the table shows.
    pub(super) chosen: &'a [usize],
    pub(super) rows: &'a [Row],
    pub(super) progress: Progress,
    pub(super) csv: Option<String>,
    pub(super) system: PhantomData<S>,
}

/// Rows that differ in their seeds only.
struct Group<'a> {
    values: Vec<&'a str>,
    rows: Vec<&'a Row>,
}

impl<S: System> Told<'_, S> {
    pub(super) fn tell(&self, screen: &mut Screen<'_>) {
        let sections = S::across(&self.trials());
        if !screen.is_for_people() {
            self.rows
                .iter()
                .for_each(|row| screen.json(&self.row_json(row)));
            let sections = sections
                .iter()
                .map(|s| json!({"title": s.title, "columns": s.columns, "rows": s.rows}));
            let sections: Vec<Value> = sections.collect();
            screen.json(&json!({
                "v": VERSION,
                "type": "sweep",
                "system": S::NAME,
                "scenario": self.name,
                "combinations": self.progress.all,
                "rows": self.rows.len(),
                "found": self.progress.found,
                "failing": self.failing(),
                "csv": self.csv,
                "sections": sections,
            }));
            return;
        }
        if !screen.quiet {
            self.head(screen);
            self.table(screen);
            for section in sections {
                let columns: Vec<&str> = section.columns.iter().map(String::as_str).collect();
                screen.table(&section.title, &columns, &section.rows);
            }
        }
        self.end(screen);
    }

    /// The figures of each row by name.
    fn trials(&self) -> Vec<Trial> {
        let trial = |row: &Row| {
            let figures = self.columns.iter().zip(&row.figures);
            let defined = figures.filter_map(|(column, value)| Some((column.name, (*value)?)));
            defined
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        };
        self.rows.iter().map(trial).collect()
    }

    fn failing(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| !row.failures.is_empty())
            .count()
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let name = screen.paint(Tone::Head, Screen::safe(self.name));
        screen.line(name);
        for vary in self.vary {
            let values = vary.values();
            let count = vary.values().count();
            let mut shown: Vec<&str> = values.take(8).collect();
            if count > shown.len() {
                shown.truncate(3);
                shown.push("…");
                shown.extend(vary.values().last());
            }
            let line = format!(
                "  {}  {}: {}",
                vary.key,
                counted(count as u64, "value", "values"),
                shown.join(", ")
            );
            screen.line(Screen::safe(line));
        }
        let all = counted(self.progress.all, "combination", "combinations");
        let found = match self.progress.found {
            0 => String::new(),
            found => format!(", {} of them in the file already", grouped(found)),
        };
        screen.line(format!("  {all}{found}"));
    }

    /// Whether rows that differ in their seeds only are put together.
    fn is_grouped(&self) -> bool {
        let seeds = self.vary.iter().find(|vary| vary.is_seed());
        seeds.is_some_and(|seeds| seeds.values().count() > 1)
    }

    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for row in self.rows {
            let pairs = self.vary.iter().zip(&row.values);
            let kept = pairs.filter(|(vary, _)| !(self.is_grouped() && vary.is_seed()));
            let values: Vec<&str> = kept.map(|(_, value)| value.as_str()).collect();
            // Combinations come in order, so the group of a row is near the end, if the seed varies fastest.
            match groups.iter_mut().rev().find(|group| group.values == values) {
                Some(group) if self.is_grouped() => group.rows.push(row),
                _ => groups.push(Group {
                    values,
                    rows: vec![row],
                }),
            }
        }
        groups
    }

    fn table(&self, screen: &mut Screen<'_>) {
        let groups = self.groups();
        let grouped_by_seed = self.is_grouped();
        let keys = self.vary.iter();
        let keys = keys.filter(|vary| !(grouped_by_seed && vary.is_seed()));
        let mut columns: Vec<&str> = keys.map(|vary| vary.key.as_str()).collect();
        if grouped_by_seed {
            columns.push("runs");
        }
        columns.push("failed");
        columns.extend(self.chosen.iter().map(|at| self.columns[*at].name));
        let rows: Vec<Vec<String>> = groups
            .iter()
            .take(ROWS_SHOWN)
            .map(|group| self.line(group, grouped_by_seed))
            .collect();
        let title = match grouped_by_seed {
            true => "Means over the seeds ± their standard errors",
            false => "Figures",
        };
        screen.table(title, &columns, &rows);
        if groups.len() > ROWS_SHOWN {
            let more = groups.len() - ROWS_SHOWN;
            let more = counted(more as u64, "row", "rows");
            screen.line(format!("… and {more} more; --csv has all of them"));
        }
        if screen.verbose {
            let meanings = self.chosen.iter().map(|at| {
                let column = &self.columns[*at];
                vec![column.name.to_owned(), column.meaning.to_owned()]
            });
            let meanings: Vec<Vec<String>> = meanings.collect();
            screen.table("What they mean", &["figure", "meaning"], &meanings);
        }
    }

    fn line(&self, group: &Group<'_>, grouped_by_seed: bool) -> Vec<String> {
        let values = group.values.iter().map(|value| (*value).to_owned());
        let mut line: Vec<String> = values.collect();
        if grouped_by_seed {
            line.push(group.rows.len().to_string());
        }
        let failed = group.rows.iter().filter(|row| !row.failures.is_empty());
        line.push(match (failed.count(), grouped_by_seed) {
            (0, _) => String::new(),
            (count, true) => count.to_string(),
            (_, false) => group.rows[0].failures.join(", "),
        });
        for at in self.chosen {
            let figures = group.rows.iter().filter_map(|row| row.figures[*at]);
            line.push(self.mean(*at, &figures.collect::<Vec<f64>>()));
        }
        line
    }

    /// The mean of a figure over the runs for which it is defined, and how far off it may be.
    fn mean(&self, at: usize, values: &[f64]) -> String {
        let column = &self.columns[at];
        let shown =
            |number: f64| value(&Measurement::new(column.name, column.unit, Ok(number), ""));
        let Some((mean, error)) = mean_and_error(values) else {
            return UNDEFINED.to_owned();
        };
        match error {
            Some(error) => format!("{} ± {}", shown(mean), shown(error)),
            None => shown(mean),
        }
    }

    fn row_json(&self, row: &Row) -> Value {
        let values = self.vary.iter().zip(&row.values);
        let values: Map<String, Value> = values
            .map(|(vary, value)| (vary.key.clone(), json!(value)))
            .collect();
        let figures = self.columns.iter().zip(&row.figures);
        let figures: Map<String, Value> = figures
            .map(|(column, value)| (column.name.to_owned(), json!(value)))
            .collect();
        json!({
            "v": VERSION,
            "type": "sweep-row",
            "values": values,
            "verdict": row.verdict,
            "failures": row.failures,
            "events": row.events,
            "figures": figures,
        })
    }

    fn end(&self, screen: &mut Screen<'_>) {
        let done = self.rows.len() as u64;
        if !screen.quiet {
            screen.line("");
        }
        let failing = self.failing();
        let word = match failing {
            0 => screen.paint(Tone::Good, "DONE"),
            _ => screen.paint(Tone::Bad, "FAIL"),
        };
        let csv = self
            .csv
            .as_ref()
            .map_or_else(String::new, |csv| format!("  {csv}"));
        screen.line(format!(
            "{word}  {}  {} of {} runs, {failing} violate a property{}",
            Screen::safe(self.name),
            grouped(done),
            grouped(self.progress.all),
            Screen::safe(csv),
        ));
        if done < self.progress.all {
            screen.warning(match self.csv {
                Some(_) => "interrupted: the same command goes on from here",
                None => "interrupted: with --csv the rows would have been kept, to go on from",
            });
        }
    }
}

/// The mean of values and its standard error, where there are several; none without a value.
fn mean_and_error(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.is_empty() {
        return None;
    }
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let error = (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
    Some((mean, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if the error is that of one run and not of the mean, or one run is said to have an error.
    #[test]
    fn a_mean_has_an_error_from_two_values_on() {
        assert_eq!(mean_and_error(&[]), None);
        assert_eq!(mean_and_error(&[3.0]), Some((3.0, None)));
        assert_eq!(mean_and_error(&[1.0, 3.0]), Some((2.0, Some(1.0))));
    }
}

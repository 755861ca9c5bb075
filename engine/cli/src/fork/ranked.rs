//! `fork --rank`: which inputs matter most, by what becomes of a figure without each, or with another.

use dacapo_kernel::{Events, Measurement, System, Unit, Wanted};
use dacapo_lab::find::Query;
use dacapo_lab::fork::{Asked, Rank, RankError, Ranked, Ranking, inputs_of, rank as make};
use dacapo_lab::{Figured, Line, Pattern, VERSION, figures};
use serde_json::{Value, json};

use super::{ForkArgs, Original, asked};
use crate::endings::by;
use crate::exit::{Exit, Problem};
use crate::failure::line_json;
use crate::figures::shown::value as figure_value;
use crate::log_file::open;
use crate::next;
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};

pub(super) fn rank<S: System>(
    args: &ForkArgs,
    figure: &str,
    original: &Original<S>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let log = &original.log;
    let problem = |error| Problem::log(log, &error);
    let mut asked: Asked = asked(args)?;
    asked.left_out = asked.set.is_empty();
    let all = inputs::<S>(args, original)?;
    let most = usize::try_from(args.max_runs).unwrap_or(usize::MAX);
    let inputs = spread(&all, most);
    let recorded: Figured<S> =
        figures(open(&args.log)?, Wanted::default(), |_, _| ()).map_err(problem)?;
    let begun = screen.elapsed();
    let ranked = {
        let mut progress = screen.progress("rank", Goal::Unknown);
        let ranking = Ranking {
            recorded: &recorded,
            recording: &original.recording,
            files: &original.files,
            inputs: &inputs,
            asked: &asked,
            figure,
        };
        make::<S>(&ranking, |made| {
            progress.says(format!("{made} of {} inputs", inputs.len()));
            let spent = screen.elapsed().saturating_sub(begun);
            args.budget.is_none_or(|budget| spent < budget)
        })
        .map_err(|error| told(log, error))?
    };
    let shown = Shown {
        log,
        figure: measurement(&recorded, figure),
        asked: &asked,
        candidates: all.len(),
        ranked: &ranked,
    };
    match screen.is_for_people() {
        true => shown.tell(args.limit, screen),
        false => screen.json(&shown.json()),
    }
    Ok(Exit::Fine)
}

/// The inputs that are asked for.
fn inputs<S: System>(args: &ForkArgs, original: &Original<S>) -> Result<Vec<Line>, Problem> {
    let pattern = args
        .of
        .as_ref()
        .map(|text| Pattern::read::<S>(text))
        .transpose();
    let query = Query {
        pattern: pattern.map_err(|error| Problem::usage(format!("--of: {error}")))?,
        ..Query::default()
    };
    let mut events = Events::<S::Event>::new(open(&args.log)?);
    let mut inputs = inputs_of::<S>(&mut events, &original.recording, &query)
        .map_err(|error| Problem::log(&original.log, &error))?;
    if args.of.is_none() {
        // What the system is told; chance is asked for by name.
        inputs.retain(|line| {
            let event = original.recording.event(line.seq);
            event.is_some_and(|event| event.domain().is_some())
        });
    }
    if inputs.is_empty() {
        return Err(Problem::usage(format!(
            "{}: no input is so; an input is what a feed brings, an answer, a draw, a choice or a fault",
            original.log
        )));
    }
    Ok(inputs)
}

/// At most so many, spread evenly.
fn spread(all: &[Line], most: usize) -> Vec<Line> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most)
        .map(|at| all[at * all.len() / most].clone())
        .collect()
}

fn measurement<S: System>(recorded: &Figured<S>, name: &str) -> Measurement {
    let part = recorded.measured.as_ref().and_then(|m| m.parts.first());
    let measured = part.and_then(|part| part.figures.iter().find(|figure| figure.name == name));
    let counted = recorded.counts.iter().find(|figure| figure.name == name);
    match (measured, counted) {
        (Some(measured), _) => measured.clone(),
        (None, Some(figure)) => {
            Measurement::new(figure.name, Unit::Count, Ok(figure.value), figure.meaning)
        }
        (None, None) => Measurement::new("figure", Unit::Count, Ok(0.0), ""),
    }
}

struct Shown<'a> {
    log: &'a str,
    figure: Measurement,
    asked: &'a Asked,
    candidates: usize,
    ranked: &'a Ranked,
}

impl Shown<'_> {
    fn tell(&self, limit: usize, screen: &mut Screen<'_>) {
        let ranked = self.ranked;
        let word = screen.paint(Tone::Head, "RANK");
        let base = figure_value(&self.figure);
        screen.line(format!(
            "{word}  {}  by {}: {base} as recorded",
            Screen::safe(self.log),
            self.figure.name
        ));
        let tried = counted(ranked.ranks.len() as u64, "input", "inputs");
        let what = match self.asked.left_out {
            true => "left out".to_owned(),
            false => {
                let sets = self.asked.set.iter();
                let sets: Vec<String> = sets
                    .map(|(path, value)| format!("{path}={value}"))
                    .collect();
                format!("with {}", sets.join(", "))
            }
        };
        screen.line(format!(
            "  tried     {tried}, each by itself {}",
            Screen::safe(what)
        ));
        if self.candidates > ranked.ranks.len() + ranked.refused.0 as usize {
            screen.line(format!(
                "  of        {}, spread over the run; --of narrows them down, --max-runs tries more",
                grouped(self.candidates as u64)
            ));
        }
        let differing = ranked
            .ranks
            .iter()
            .filter(|rank| rank.worth != Some(0.0))
            .count();
        screen.line(format!(
            "  matter    {}",
            counted(differing as u64, "input", "inputs")
        ));
        if let (more @ 1.., Some(why)) = &ranked.refused {
            let why = Screen::safe(why);
            screen.line(format!("  refused   {}: {why}", grouped(*more)));
        }
        if ranked.panicked > 0 {
            screen.line(format!(
                "  lost      {} ended in a mistake of the program itself",
                grouped(ranked.panicked)
            ));
        }
        let mattering = ranked.ranks.iter().filter(|rank| rank.worth != Some(0.0));
        let rows: Vec<Vec<String>> = mattering.take(limit).map(|rank| self.row(rank)).collect();
        let columns = ["event", "at", "whose", "input", "figure then", "is worth"];
        screen.table("What matters most", &columns, &rows);
        if let Some(first) = ranked.ranks.first().filter(|_| !rows.is_empty()) {
            let log = Screen::safe(shell_word(self.log));
            let change = match self.asked.left_out {
                true => "--drop".to_owned(),
                false => {
                    let sets = self.asked.set.iter();
                    let sets: Vec<String> = sets
                        .map(|(path, value)| {
                            let word = shell_word(&format!("{path}={value}"));
                            format!("--set {}", Screen::safe(word))
                        })
                        .collect();
                    sets.join(" ")
                }
            };
            let command = format!("fork {log} --at {} {change}", first.line.seq);
            next::propose(&[(command, "that fork, compared with the run")], screen);
        }
    }

    fn row(&self, rank: &Rank) -> Vec<String> {
        let value = match rank.value {
            Some(value) => {
                let mut shown = self.figure.clone();
                shown.value = Ok(value);
                figure_value(&shown)
            }
            None => "not defined".to_owned(),
        };
        let verdict = match rank.verdict {
            "complete" => String::new(),
            other => format!(" ({other})"),
        };
        vec![
            grouped(rank.line.seq.0),
            rank.line.time.to_string(),
            rank.line.actor.clone(),
            crate::endings::clipped(&rank.line.text, 60),
            format!("{value}{verdict}"),
            by(&self.figure, rank.worth),
        ]
    }

    fn json(&self) -> Value {
        let ranks = self.ranked.ranks.iter().map(|rank| {
            json!({
                "event": line_json(&rank.line),
                "value": rank.value,
                "worth": rank.worth,
                "verdict_name": rank.verdict,
            })
        });
        json!({
            "v": VERSION,
            "type": "rank",
            "log": self.log,
            "figure": self.figure.name,
            "base": self.ranked.base,
            "candidates": self.candidates,
            "refused": self.ranked.refused.0,
            "panicked": self.ranked.panicked,
            "ranks": ranks.collect::<Vec<Value>>(),
        })
    }
}

fn told(log: &str, error: RankError) -> Problem {
    match error {
        RankError::Run(error) => Problem::log(log, &error),
        RankError::NoFigure { .. } => Problem::usage(format!("{log}: {error}")),
        RankError::Diverged(_) => Problem::Other(Exit::Diverged, format!("{log}: {error}")),
    }
}

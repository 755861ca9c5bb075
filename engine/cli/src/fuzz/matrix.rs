//! `fuzz --matrix`: each defect switched on in turn, and how soon it is found.

use std::time::Duration;

use dacapo_kernel::System;
use dacapo_lab::VERSION;
use dacapo_lab::fuzz::{Report, Runs, Small};
use dacapo_lab::matrix::{Hit, Matrix, Row, Sowing};
use dacapo_lab::scenario::Alternative;
use serde_json::{Value, json};

use super::report::listed;
use super::{FuzzArgs, campaign, drawn_from, table_file};
use crate::exit::{Exit, Problem};
use crate::interrupt::Interrupts;
use crate::log_file::shown;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, seed, span};

pub(crate) fn matrix<S: System>(args: &FuzzArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    if S::defects().is_empty() {
        return Err(Problem::usage("this system has no defects to switch on"));
    }
    if let Some(path) = &args.markdown {
        table_file::check(path)?;
    }
    let (overrides, swarm) = drawn_from::<S>(args, screen)?;
    let clock = screen.clock();
    let sowing = Sowing {
        campaign: campaign(args, &overrides, Runs::Drawn(&swarm), None),
        shrink: !args.no_shrink,
        elapsed: &*clock,
    };
    let interrupts = Interrupts::of(screen);
    let begun = clock();
    let made = sowing.run::<S>(
        |_, _| {
            let spent = clock().saturating_sub(begun);
            !interrupts.any() && args.budget.is_none_or(|budget| spent < budget)
        },
        |row| screen.note(in_short(row)),
    )?;
    let seeds = sowing.campaign.seeds;
    tell::<S>(&made, screen);
    if let Some(path) = &args.markdown {
        let Some(sound) = &made.sound else {
            return Err(Problem::usage("the table was cut short and is not written"));
        };
        let range = format!("{}..{}", seeds.from, seeds.to);
        let text = table_file::markdown(
            &made,
            sound,
            &shown(&args.scenario),
            &range,
            &screen.program,
        );
        table_file::write(path, &text)?;
        screen.note(format!("the table stands in {}", Screen::safe(shown(path))));
    }
    Ok(match made.is_good() {
        true => Exit::Fine,
        false => Exit::Violated,
    })
}

fn in_short(row: &Row) -> String {
    let word = match &row.hit {
        Some(hit) => format!("by {} in seed {}", hit.property, seed(hit.seed)),
        None => "not found".to_owned(),
    };
    format!("{}: {word}, {}", row.defect, span(row.wall))
}

fn tell<S: System>(matrix: &Matrix, screen: &mut Screen<'_>) {
    if !screen.is_for_people() {
        return tell_json::<S>(matrix, screen);
    }
    let rows: Vec<Vec<String>> = matrix.rows.iter().map(cells).collect();
    let columns = [
        "defect",
        "found by",
        "after",
        "seed",
        "time",
        "inputs",
        "settings",
        "violated too",
    ];
    if !screen.quiet {
        screen.table("", &columns, &rows);
        screen.line("");
    }
    let found = matrix.rows.len() - matrix.missed().count();
    let total: Duration = matrix.rows.iter().map(|row| row.wall).sum();
    screen.line(format!(
        "{} of {} found in {}",
        found,
        counted(matrix.rows.len() as u64, "defect", "defects"),
        span(total)
    ));
    for row in matrix.missed() {
        let word = screen.paint(Tone::Bad, "MISSED");
        let by = row.caught_by.join(", ");
        screen.line(format!(
            "{word}  {} in {}; expected of {}",
            row.defect,
            counted(row.seeds, "seed", "seeds"),
            Screen::safe(by)
        ));
    }
    match &matrix.sound {
        None => screen.warning("the matrix was cut short; it says nothing of the sound system"),
        Some(sound) => tell_sound(sound, screen),
    }
}

fn tell_sound(sound: &Report, screen: &mut Screen<'_>) {
    let runs = counted(sound.runs, "run", "runs");
    if sound.failing == 0 && sound.diverged.is_empty() {
        return screen.line(format!("with all of them off nothing is found in {runs}"));
    }
    let word = screen.paint(Tone::Bad, "FAIL");
    screen.line(format!(
        "{word}  with all of them off {} of {runs} fail",
        grouped(sound.failing)
    ));
    for found in &sound.groups {
        screen.line(format!(
            "  {}  in {}, first seed {}: {}",
            Screen::safe(&found.group.property),
            counted(found.runs, "run", "runs"),
            seed(found.seed),
            Screen::safe(&found.group.cause)
        ));
    }
}

fn cells(row: &Row) -> Vec<String> {
    let hit = row.hit.as_ref();
    let of_hit = |tell: fn(&Hit) -> String| hit.map_or_else(|| "-".to_owned(), tell);
    let found_by = hit.map_or_else(|| "NOT FOUND".to_owned(), |hit| hit.property.clone());
    vec![
        row.defect.to_owned(),
        found_by,
        counted(row.seeds, "seed", "seeds"),
        of_hit(|hit| seed(hit.seed)),
        span(row.wall),
        of_hit(|hit| {
            let small = hit.small.as_ref();
            small.map_or_else(|| "-".to_owned(), |small| grouped(small.inputs))
        }),
        of_hit(|hit| settings(hit.small.as_ref())),
        row.others.join(", "),
    ]
}

/// What was drawn in the place of what the scenario says, without the lines, which move.
pub(super) fn settings(small: Option<&Small>) -> String {
    let drawn = small.iter().flat_map(|small| &small.alternatives);
    let names: Vec<String> = drawn.map(Alternative::name).collect();
    names.join(", ")
}

fn tell_json<S: System>(matrix: &Matrix, screen: &mut Screen<'_>) {
    for row in &matrix.rows {
        let hit = row.hit.as_ref();
        let small = hit.and_then(|hit| hit.small.as_ref());
        screen.json(&json!({
            "v": VERSION,
            "type": "defect-found",
            "defect": row.defect,
            "caught_by": row.caught_by,
            "found": hit.is_some(),
            "property": hit.map(|hit| &hit.property),
            "seed": hit.map(|hit| hit.seed),
            "seeds": row.seeds,
            "inputs": small.map(|small| small.inputs),
            "alternatives": small.map(|small| listed(&small.alternatives)),
            "others": row.others,
            "wall_ns": u64::try_from(row.wall.as_nanos()).unwrap_or(u64::MAX),
        }));
    }
    let sound = matrix.sound.as_ref().map(|sound| {
        let group = |found: &dacapo_lab::fuzz::Found| {
            json!({
                "property": found.group.property,
                "cause": found.group.cause,
                "seed": found.seed,
                "runs": found.runs,
            })
        };
        let groups: Vec<Value> = sound.groups.iter().map(group).collect();
        json!({"runs": sound.runs, "failing": sound.failing, "groups": groups})
    });
    screen.json(&json!({
        "v": VERSION,
        "type": "matrix",
        "system": S::NAME,
        "defects": matrix.rows.len(),
        "missed": matrix.missed().map(|row| row.defect).collect::<Vec<&str>>(),
        "sound": sound,
        "good": matrix.is_good(),
    }));
}

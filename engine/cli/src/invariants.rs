//! `invariants`: what must hold in every run, and what many runs are to reach.

use std::path::PathBuf;

use clap::Args;
use dacapo_kernel::{EventSet, Invariant, KernelEvent, Plan, Switch, System};
use dacapo_lab::VERSION;
use dacapo_lab::scenario::{Overrides, load};
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::screen::Screen;

/// For which scenario the properties are.
#[derive(Args, Debug)]
pub(crate) struct InvariantsArgs {
    /// A scenario, whose configuration may decide which properties there are
    #[arg(value_name = "SCENARIO")]
    scenario: Option<PathBuf>,
}

pub(crate) fn invariants<S: System>(
    args: &InvariantsArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    let plan = match &args.scenario {
        Some(path) => load::<S>(path, &Overrides::default())?.plan,
        None => plainest::<S>(&screen.program)?,
    };
    let (invariants, switches) = (S::invariants(&plan), S::defects());
    if !screen.is_for_people() {
        tell_json::<S>(&plan, &switches, screen);
    } else if screen.quiet {
        invariants
            .iter()
            .for_each(|property| screen.line(property.id()));
    } else {
        let row = |property: &dyn Invariant<S::Event>| {
            vec![
                property.id().to_owned(),
                property.statement().to_owned(),
                conditions::<S>(property),
                caught(property.id(), &switches).join(", "),
            ]
        };
        let rows: Vec<Vec<String>> = invariants.iter().map(|i| row(i.as_ref())).collect();
        if rows.is_empty() {
            screen.line("this system has no properties");
        } else {
            let columns = ["property", "what must hold", "needs; not under", "notices"];
            screen.table_of_texts(&columns, &rows);
        }
        let rows: Vec<Vec<String>> = S::sometimes(&plan)
            .iter()
            .map(|sometimes| vec![sometimes.id.to_owned(), sometimes.meaning.to_owned()])
            .collect();
        screen.table(
            "What many runs are to reach",
            &["name", "what it is"],
            &rows,
        );
    }
    Ok(Exit::Fine)
}

/// A plan of the system as it is when nobody has configured it.
fn plainest<S: System>(program: &str) -> Result<Plan<S::Config>, Problem> {
    dacapo_lab::plainest_plan::<S>().ok_or_else(|| {
        Problem::usage(format!(
            "which properties there are depends on the scenario; name one: {program} invariants SCENARIO"
        ))
    })
}

/// The kinds of event without which it says nothing, and the faults under which it does not hold.
fn conditions<S: System>(property: &dyn Invariant<S::Event>) -> String {
    let mut lines = Vec::new();
    let needs = needs::<S>(property);
    if !needs.is_empty() {
        lines.push(format!("needs {}", needs.join(", ")));
    }
    if !property.excludes().is_empty() {
        lines.push(format!("not under {}", property.excludes().join(", ")));
    }
    lines.join("\n")
}

fn needs<S: System>(property: &dyn Invariant<S::Event>) -> Vec<String> {
    let needs = property.needs().iter();
    let one_of = |group: &&'static [u16]| {
        let names: Vec<&str> = group.iter().map(|number| kind::<S>(*number)).collect();
        names.join(" or ")
    };
    needs.map(one_of).collect()
}

fn kind<S: System>(number: u16) -> &'static str {
    let mut kinds = KernelEvent::KINDS.iter().chain(S::Event::KINDS);
    let found = kinds.find(|kind| kind.number == number);
    found.map_or("an unknown kind", |kind| kind.name)
}

/// The defects that a property notices.
fn caught(property: &str, switches: &[Switch]) -> Vec<&'static str> {
    let mine = switches
        .iter()
        .filter(|switch| dacapo_lab::catches(switch, property));
    mine.map(|switch| switch.name).collect()
}

fn tell_json<S: System>(plan: &Plan<S::Config>, switches: &[Switch], screen: &mut Screen<'_>) {
    for property in S::invariants(plan) {
        screen.json(&json!({
            "v": VERSION,
            "type": "property",
            "id": property.id(),
            "statement": property.statement(),
            "needs": needs::<S>(property.as_ref()),
            "excludes": property.excludes(),
            "notices": caught(property.id(), switches),
        }));
    }
    for sometimes in S::sometimes(plan) {
        screen.json(&json!({
            "v": VERSION,
            "type": "sometimes",
            "id": sometimes.id,
            "meaning": sometimes.meaning,
        }));
    }
}

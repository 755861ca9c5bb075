//! The scenarios that ship with the project, as stories: what each is expected to show.
//!
//! Nearly everything is read from the log, as anybody with the file alone could do it.

mod binance_tape;
mod crashes;
mod day;
mod deadlock;
mod defects;
mod eurusd;
mod exported;
mod figures;
mod hard_day;
mod idle;
mod live_models;
mod llm_agents;
mod money;
mod own_data;
mod programs;
mod regressions;
mod sp500;
mod twins;

use dacapo_kernel::{Checked, Outcome, Plan, System};
use dacapo_lab::{Ended, Examined, Judgement, examine, judge};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::Config;
use dacapo_orchestration::views::Views;
use dacapo_tests::reader;

/// What a log says of itself, without running any code.
fn examined(log: &[u8]) -> Examined<Orchestration> {
    examine(reader(log), |_, _| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// What is to be said of an examined log.
fn judged(examined: &Examined<Orchestration>) -> Judgement {
    judge(&Ended::<Orchestration> {
        plan: &examined.plan,
        verdict: examined.world.verdict.as_ref(),
        world: &examined.world,
        findings: &examined.findings,
    })
}

/// What one property says.
fn property<'a>(findings: &'a [Checked], id: &str) -> &'a Checked {
    let found = findings.iter().find(|checked| checked.id == id);
    found.unwrap_or_else(|| panic!("there is no property {id}"))
}

/// One figure of a judged run.
fn figure(judgement: &Judgement, name: &str) -> u64 {
    let found = judgement.figures.iter().find(|figure| figure.name == name);
    found
        .unwrap_or_else(|| panic!("there is no figure {name}"))
        .value as u64
}

/// What a person is told about a run that went by without a mistake.
fn warnings(plan: &Plan<Config>, outcome: &Outcome<Views>) -> Vec<String> {
    Orchestration::warnings(plan, &outcome.world)
}

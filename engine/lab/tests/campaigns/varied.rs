//! What a scenario leaves open: each seed draws one alternative of each, and a failure carries what was drawn.

use std::collections::BTreeSet;

use dacapo_kernel::log::{File, Reader};
use dacapo_kernel::{BoxedStorage, Plan};
use dacapo_lab::examine;
use dacapo_lab::fuzz::{FuzzError, small};
use dacapo_lab::scenario::{Overrides, Varied, load};

use crate::hall::{Config, Desk, Turnstile};

const OPEN: &str = "name = \"hall\"\n[run]\nduration = \"10s\"\n[hall]\npeople = 6\n[vary]\n\
                    crowd = [{}, { hall.people = 2 }, { hall = { people = 9 } }]\n\
                    length = [{}, { run.duration = \"20s\" }]\n";

/// The same, but that nobody is in anybody's way unless a crowd is drawn.
fn alone() -> String {
    OPEN.replace("people = 6", "people = 1")
}

fn plans(seeds: u64, overrides: &Overrides) -> Vec<Plan<Config>> {
    let desk = Desk::with(OPEN);
    let mut varied = Varied::<Turnstile>::read(&desk.path("hall.toml"), overrides).unwrap();
    let drawn = (0..seeds).map(|seed| varied.of(seed).unwrap().plan.clone());
    drawn.collect()
}

fn drawn(plans: &[Plan<Config>]) -> BTreeSet<(u64, Option<u64>)> {
    let of = |plan: &Plan<Config>| (plan.system.hall.people, plan.duration_ns);
    plans.iter().map(of).collect()
}

const SECOND: u64 = 1_000_000_000;

// Fails if a seed may draw nothing, or less than one of each.
#[test]
fn a_seed_draws_one_alternative_of_each() {
    let all = [2, 6, 9].map(|people| [10, 20].map(|s| (people, Some(s * SECOND))));
    let plans = plans(100, &Overrides::default());
    assert_eq!(drawn(&plans), all.into_iter().flatten().collect());
}

// Fails if what is drawn goes before what the command line says, or the section itself cannot be changed by it.
#[test]
fn the_command_line_goes_before_what_is_drawn() {
    let set = |set: &str| Overrides {
        set: vec![set.to_owned()],
        ..Overrides::default()
    };
    let fixed = drawn(&plans(100, &set("hall.people=4")));
    assert_eq!(fixed, [10, 20].map(|s| (4, Some(s * SECOND))).into());
    let closed = drawn(&plans(100, &set("vary={}")));
    assert_eq!(closed, [(6, Some(10 * SECOND))].into());
    let one = drawn(&plans(100, &set("vary.crowd=[{hall={people=3}}]")));
    assert_eq!(one, [10, 20].map(|s| (3, Some(s * SECOND))).into());
}

// Fails if a single run has another scenario than the one that is written.
#[test]
fn a_single_run_has_what_is_written() {
    let desk = Desk::with(OPEN);
    let loaded = load::<Turnstile>(&desk.path("hall.toml"), &Overrides::default()).unwrap();
    assert_eq!(loaded.plan.system.hall.people, 6);
    assert_eq!(loaded.plan.duration_ns, Some(10 * SECOND));
}

// Fails if a failure is told with what only some of its runs drew, or without what all of them did.
#[test]
fn a_failure_is_told_with_what_its_runs_have_in_common() {
    let mut desk = Desk::with(&alone().replace("{ hall.people = 2 }, ", ""));
    desk.overrides.defects = vec!["unlocked".to_owned()];
    let told = |desk: &Desk| {
        let report = desk.run(300, |_| ());
        let found = &report.groups[0];
        assert!(found.runs > 10, "{found:?}");
        let drawn = found.alternatives.iter().map(ToString::to_string);
        drawn.collect::<Vec<_>>()
    };
    assert_eq!(told(&desk), ["crowd[1] (line 7)"]);
    let crowd = "vary.crowd=[{}, {}, { hall.people = 9 }]";
    desk.overrides.set = vec![crowd.to_owned()];
    assert_eq!(told(&desk), ["crowd[2]"]);
}

// Fails if the log of a failure, or what is left of it, has the settings of another run.
#[test]
fn a_failure_carries_what_was_drawn() {
    let mut desk = Desk::with(&alone());
    desk.overrides.defects = vec!["unlocked".to_owned()];
    let mut varied = Varied::<Turnstile>::read(&desk.path("hall.toml"), &desk.overrides).unwrap();
    let report = desk.run(300, |campaign| campaign.max_failures = Some(30));
    let found = &report.groups[0];
    let people = varied.of(found.seed).unwrap().plan.system.hall.people;
    let storage: BoxedStorage = Box::new(File::open(found.log.as_ref().unwrap()).unwrap());
    let examined = examine::<Turnstile>(Reader::open(storage).unwrap(), |_, _| {}).unwrap();
    assert_eq!(examined.plan.system.hall.people, people);
    let to = desk.path("small.toml");
    desk.campaign(300, |campaign| {
        small::<Turnstile>(&campaign, found, Some(&to), &mut || true).unwrap();
    });
    let left = load::<Turnstile>(&to, &Overrides::default()).unwrap();
    assert_eq!(left.plan.system.hall.people, people);
}

// Fails if what is left of a failure has settings that it can fail without, or lacks one that it takes.
#[test]
fn what_a_failure_does_not_take_is_as_it_is_written() {
    let mut desk = Desk::with(&alone());
    desk.overrides.defects = vec!["unlocked".to_owned()];
    let small = desk.campaign(300, |mut campaign| {
        let varied = Varied::<Turnstile>::read(campaign.scenario, campaign.overrides).unwrap();
        let mut draw_both = (0..300).filter(|seed| varied.alternatives(*seed).len() == 2);
        let found = draw_both.find_map(|seed| {
            (campaign.seeds.from, campaign.seeds.to) = (seed, seed + 1);
            let report = campaign.run::<Turnstile>(|_| true).unwrap();
            report.groups.into_iter().next()
        });
        small::<Turnstile>(&campaign, &found.unwrap(), None, &mut || true).unwrap()
    });
    let needed: Vec<&str> = small.alternatives.iter().map(|it| it.of.as_str()).collect();
    assert_eq!(needed, ["crowd"]);
}

// Fails if a mistake in an alternative is found only by the seed that draws it.
#[test]
fn a_mistake_in_an_alternative_is_told_before_anything_runs() {
    for (section, told) in [
        ("vary = 3", "`vary`: expected a table of names"),
        (
            "[vary]\nx = { y = 1 }",
            "`vary.x`: expected a list of alternatives",
        ),
        ("[vary]\nx = []", "expected 1 to 64 alternatives, found 0"),
        (
            "[vary]\nx = [{}, 3]",
            "`vary.x`: expected parts of a scenario",
        ),
        ("[vary]\nx = [{ name = \"y\" }]", "`name` cannot vary"),
        (
            "[vary]\nx = [{}, { hall.peple = 2 }]",
            "unknown key `peple` in `hall`",
        ),
        ("[vary]\nx = [{}, { run.duration = 2 }]", "duration"),
    ] {
        let text = OPEN.split("[vary]").next().unwrap();
        let text = match section.strip_prefix("vary =") {
            Some(_) => format!("{section}\n{text}"),
            None => format!("{text}{section}\n"),
        };
        let desk = Desk::with(&text);
        let error = desk.campaign(300, |campaign| {
            campaign.run::<Turnstile>(|_| true).unwrap_err()
        });
        let FuzzError::Scenario(error) = &error else {
            panic!("{error}");
        };
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(
            error.line,
            Some(if section == "vary = 3" { 1 } else { 7 }),
            "{error}"
        );
    }
}

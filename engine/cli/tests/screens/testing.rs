//! `test` and the modes of `replay`: golden logs that hold, that differ, that are accepted.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;

use dacapo_cli::Exit;
use insta::assert_snapshot;

use crate::desk::{Desk, Said};
use crate::kitchen::CHANGED;

/// A desk with a scenario and its golden log.
fn kept() -> Desk {
    CHANGED.set(false);
    let desk = Desk::new();
    let said = test(
        &desk,
        &["--bless", "first recording", "--keep", "DESK/golden"],
    );
    assert_eq!(said.exit, Exit::Fine, "{said}");
    desk
}

/// On one thread, since what makes the kitchen another is known to this one alone.
fn test(desk: &Desk, options: &[&str]) -> Said {
    desk.call(&[&["test", "DESK", "--jobs", "1"][..], options].concat())
}

#[test]
fn what_holds_is_passed_and_what_is_recorded_is_the_same() {
    let desk = kept();
    let said = test(&desk, &[]);
    assert_eq!(said.exit, Exit::Fine);
    assert_snapshot!("test", said);
    // With threads the lines come in the same order.
    let threads = desk.call(&["test", "DESK", "--jobs", "4"]);
    assert_eq!(threads.out, said.out);
}

/// Fails if changed code goes unnoticed, or is told otherwise than it was.
#[test]
fn a_golden_log_that_differs_is_explained() {
    let desk = kept();
    CHANGED.set(true);
    let said = test(
        &desk,
        &["--junit", "DESK/junit.xml", "--summary", "DESK/summary.md"],
    );
    assert_eq!(said.exit, Exit::Golden, "{said}");
    assert_snapshot!("test_differs", said);
    let folder = desk.path("").to_string_lossy().into_owned();
    let written = |name: &str| {
        let text = fs::read_to_string(desk.path(name)).unwrap();
        text.replace(folder.trim_end_matches('/'), "DESK")
    };
    assert_snapshot!("test_junit", written("junit.xml"));
    assert_snapshot!("test_summary", written("summary.md"));
    assert_snapshot!(
        "test_differs_json",
        test(&desk, &["--message-format", "json"])
    );
    let github = test(&desk, &["--message-format", "github"]);
    let annotations = github.out.lines().filter(|line| line.starts_with("::"));
    assert_snapshot!(
        "test_differs_github",
        annotations.collect::<Vec<&str>>().join("\n")
    );
    // Every event that changed is of this kind.
    let ignored = test(
        &desk,
        &["--ignore-kind", "dish-served", "--ignore-kind", "run ended"],
    );
    assert_eq!(
        ignored.exit,
        Exit::Golden,
        "recipes are asked for later, too: {ignored}"
    );
}

/// Fails if a log is written without its reason, or the reason takes the place of another.
#[test]
fn what_is_accepted_is_the_same_from_then_on_and_its_reason_is_kept() {
    let desk = kept();
    CHANGED.set(true);
    assert_eq!(test(&desk, &[]).exit, Exit::Golden);
    let said = test(&desk, &["--bless", "cooks are slower"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_eq!(test(&desk, &["--locked"]).exit, Exit::Fine);
    let kept = fs::read_to_string(desk.path("golden/kitchen.golden.toml")).unwrap();
    let reasons = kept.lines().filter(|line| line.starts_with("reason"));
    let reasons: Vec<&str> = reasons.collect();
    assert_eq!(
        reasons,
        [
            r#"reason = "first recording""#,
            r#"reason = "cooks are slower""#
        ]
    );
}

/// Fails if a log that nobody gave a reason for passes where it must not.
#[test]
fn where_it_is_locked_a_log_without_a_reason_is_refused() {
    let desk = kept();
    CHANGED.set(true);
    desk.run(&[]);
    fs::remove_file(desk.path("golden/kitchen.dlog.gz")).unwrap();
    fs::copy(desk.path("a.dlog"), desk.path("golden/kitchen.dlog")).unwrap();
    assert_eq!(test(&desk, &[]).exit, Exit::Fine, "it holds");
    let said = test(&desk, &["--locked"]);
    assert_eq!(said.exit, Exit::Golden, "{said}");
    assert_snapshot!("test_locked", said);
    let call = ["test", "DESK", "--jobs", "1"];
    let in_ci = desk.call_at(&call, |console| console.in_ci());
    assert_eq!(in_ci.exit, Exit::Golden, "{in_ci}");
    let blessed = [&call[..], &["--bless", "why"]].concat();
    let said = desk.call_at(&blessed, |console| console.in_ci());
    assert_eq!(said.exit, Exit::Usage, "nothing is accepted there: {said}");
    assert_eq!(test(&desk, &["--locked"]).exit, Exit::Golden, "nothing was");
}

/// Fails if a view that reads the same events otherwise goes unnoticed, if one that tells more is taken for it, or if
/// the state is not kept once it is accepted.
#[test]
fn a_view_that_reads_the_same_events_otherwise_is_noticed() {
    let desk = kept();
    let path = desk.path("golden/kitchen.state.json");
    let today = fs::read_to_string(&path).unwrap();
    let with = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
        let mut other: serde_json::Value = serde_json::from_str(&today).unwrap();
        change(other["view"].as_object_mut().unwrap());
        fs::write(&path, other.to_string()).unwrap();
    };
    // What was told then and is another now.
    with(&|view| view["recipes"][0] = "burn it".into());
    let said = test(&desk, &[]);
    assert_eq!(said.exit, Exit::Golden, "{said}");
    assert_snapshot!("test_state", said);
    assert_eq!(test(&desk, &["--bless", "counted anew"]).exit, Exit::Fine);
    assert_eq!(fs::read_to_string(&path).unwrap(), today);
    // What was told then and is not told any more.
    with(&|view| drop(view.insert("spilt".to_owned(), 3.into())));
    assert_eq!(test(&desk, &[]).exit, Exit::Golden);
    // What is told now and was not told then.
    with(&|view| drop(view.remove("served")));
    assert_eq!(test(&desk, &[]).exit, Exit::Fine);
    // A log that has none yet gets one.
    fs::remove_file(&path).unwrap();
    assert_eq!(test(&desk, &[]).exit, Exit::Fine);
    assert_eq!(test(&desk, &["--bless", "a state"]).exit, Exit::Fine);
    assert_eq!(fs::read_to_string(&path).unwrap(), today);
    fs::write(&path, "{").unwrap();
    assert_eq!(test(&desk, &[]).exit, Exit::Usage);
}

/// Fails if inputs are taken from a log that is held to its seed, or made from the seed for one that is not.
#[test]
fn a_log_may_be_held_to_what_its_seed_makes() {
    let desk = kept();
    desk.run(&[]);
    let fork = [
        "fork",
        "DESK/a.dlog",
        "--at",
        "13",
        "--set",
        "text=burn it",
        "--out",
        "DESK/golden/b.dlog",
    ];
    assert_eq!(desk.call(&fork).exit, Exit::Fine);
    assert_eq!(test(&desk, &[]).exit, Exit::Fine);
    for (name, exit) in [("kitchen", Exit::Fine), ("b", Exit::Golden)] {
        let path = desk.path(&format!("golden/{name}.golden.toml"));
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("inputs = \"generated\"\n{text}")).unwrap();
        assert_eq!(test(&desk, &[]).exit, exit, "{name}");
    }
}

/// Fails if a log that was made from a scenario stays the same although the scenario means another run by now.
#[test]
fn a_log_is_held_to_its_scenario_as_it_stands() {
    let desk = kept();
    let beside = fs::read_to_string(desk.path("golden/kitchen.golden.toml")).unwrap();
    assert!(
        beside.contains("scenario = \"../kitchen.toml\""),
        "{beside}"
    );
    let text = fs::read_to_string(desk.path("kitchen.toml")).unwrap();
    let other = text.replace("dishes = 4", "dishes = 3");
    assert_ne!(other, text);
    fs::write(desk.path("kitchen.toml"), other).unwrap();
    let said = test(&desk, &[]);
    assert_eq!(said.exit, Exit::Golden);
    let setting = "setting   system.kitchen.dishes: expected 4, actual 3\n";
    assert!(said.to_string().contains(setting), "{said}");
    assert_eq!(test(&desk, &["--bless", "a dish less"]).exit, Exit::Fine);
    // What is set beside the log goes before what the scenario says.
    let path = desk.path("golden/kitchen.golden.toml");
    let beside = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("set = [\"kitchen.dishes=4\"]\n{beside}")).unwrap();
    assert_eq!(test(&desk, &[]).exit, Exit::Golden);
    fs::remove_file(desk.path("kitchen.toml")).unwrap();
    assert_eq!(test(&desk, &[]).exit, Exit::Usage);
}

/// Fails if anything is accepted that somebody did not say yes to.
#[test]
fn a_review_shows_each_difference_and_asks() {
    let review = |desk: &Desk, typed: &'static str| {
        let call = ["test", "DESK", "--jobs", "1", "--review"];
        desk.call_at(&call, |console| console.typed(Cursor::new(typed)))
    };
    let desk = kept();
    CHANGED.set(true);
    for refused in ["n\n", "q\n", "", "y\n\n"] {
        assert_eq!(review(&desk, refused).exit, Exit::Golden, "{refused:?}");
    }
    let said = review(&desk, "y\ncooks are slower\n");
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_snapshot!("test_review", said);
    assert_eq!(test(&desk, &["--locked"]).exit, Exit::Fine);
}

#[test]
fn a_run_in_which_a_property_is_violated_now_is_never_accepted() {
    let desk = kept();
    desk.run(&["--defects", "served-twice"]);
    let failing = fs::read(desk.path("a.dlog")).unwrap();
    fs::write(desk.path("golden/failing.dlog"), failing).unwrap();
    // A log of a failed run that fails in the same way is as it should be.
    assert_eq!(test(&desk, &[]).exit, Exit::Fine);
}

/// Fails if one reason is told as often as there are runs that fail for it.
#[test]
fn runs_that_fail_for_the_same_reason_are_told_once() {
    CHANGED.set(false);
    let desk = Desk::new();
    let text = fs::read_to_string(desk.path("kitchen.toml")).unwrap();
    let broken = text.replace("[run]", "[run]\ndefects = [\"served-twice\"]");
    assert_ne!(broken, text);
    for name in ["broken-1.toml", "broken-2.toml"] {
        fs::write(desk.path(name), &broken).unwrap();
    }
    let said = test(&desk, &[]);
    assert_eq!(said.exit, Exit::Violated, "{said}");
    assert_snapshot!("test_fails", said);
}

#[test]
fn wrong_use_is_told() {
    let desk = kept();
    for (options, exit) in [
        (&["--filter", "nothing-has-this"][..], Exit::NothingRan),
        (&["--level", "decision"], Exit::Usage),
        (&["--ignore-kind", "dish-severed"], Exit::Usage),
        (&["--bless", "  "], Exit::Usage),
        (&["--against", "DESK/none"], Exit::Usage),
        (&["DESK/none.toml"], Exit::Usage),
    ] {
        let said = test(&desk, options);
        assert_eq!(said.exit, exit, "{options:?}: {said}");
    }
    let slips = [
        &["--level", "decision"][..],
        &["--ignore-kind", "dish-severed"],
    ];
    let slips = slips.map(|options| test(&desk, options).to_string());
    assert_snapshot!("test_slips", slips.join("\n"));
    fs::write(desk.path("golden/cut.dlog.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    let said = test(&desk, &["--filter", "cut"]);
    assert_eq!(said.exit, Exit::Usage, "{said}");
    assert_snapshot!("help_test", desk.call(&["test", "--help"]));
}

/// A program that hands out a log that was recorded before the kitchen changed.
#[test]
fn another_program_is_held_against_this_one() {
    CHANGED.set(false);
    let desk = Desk::new();
    desk.run(&[]);
    let base = desk.path("base");
    let log = desk.path("a.dlog");
    fs::write(&base, format!("#!/bin/sh\ncp '{}' \"$4\"\n", log.display())).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
    let call = [
        "test",
        "DESK/kitchen.toml",
        "--jobs",
        "1",
        "--against",
        "DESK/base",
    ];
    let said = desk.call(&call);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    CHANGED.set(true);
    let said = desk.call(&call);
    assert_eq!(said.exit, Exit::Golden, "{said}");
    assert_snapshot!("test_against", said);
    fs::write(&base, "#!/bin/sh\necho 'no such key' >&2\nexit 2\n").unwrap();
    let said = desk.call(&call);
    assert_eq!(said.exit, Exit::NothingRan, "{said}");
}

/// A program of which every seed is the run that was recorded before the kitchen changed. Fails if seeds are left
/// out, or asked for without the faults of their campaign.
#[test]
fn seeds_of_another_program_are_held_against_this_one() {
    CHANGED.set(false);
    let desk = Desk::new();
    desk.run(&[]);
    let base = desk.path("base");
    let text = format!(
        "#!/bin/sh\n[ $1 = run ] && exec cp '{log}' \"$4\"\nmkdir \"$4\"\nfrom=${{6%..*}}\nwhile [ $from -lt ${{6#*..}} ]; do\n\
         [ $from = 27 ] || cp '{log}' \"$4/kitchen-$(printf %x $from).dlog\"\nfrom=$((from + 1))\ndone\necho \"asked $*\" >&2\n",
        log = desk.path("a.dlog").display()
    );
    fs::write(&base, text).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
    let against = ["--against", "DESK/base", "--seeds", "0..30", "--jobs", "1"];
    let call = [&["test", "DESK/kitchen.toml"][..], &against].concat();
    let said = desk.call(&call);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    let text = said.to_string();
    assert!(text.contains("30 same"), "{text}");
    assert!(
        text.contains("no run of 1 seed from 25 on: asked fuzz") && text.contains("--canary 1000"),
        "{text}"
    );
    CHANGED.set(true);
    let said = desk.call(&call);
    assert_eq!(said.exit, Exit::Golden, "{said}");
    let text = said.to_string();
    assert!(text.contains("kitchen.toml, seed 0x1d"), "{text}");
    CHANGED.set(false);
    let said = desk.call(&["test", "DESK/kitchen.toml", "--seeds", "0..30"]);
    assert_eq!(said.exit, Exit::Usage, "{said}");
}

/// Fails if a mode compares more or less than it says.
#[test]
fn a_replay_goes_on_with_the_inputs_that_apply() {
    CHANGED.set(false);
    let desk = Desk::new();
    desk.run(&[]);
    let replay = |options: &[&str]| desk.call(&[&["replay", "DESK/a.dlog"][..], options].concat());
    let modes = [
        &["--mode", "best-effort"][..],
        &["--mode", "best-effort", "--level", "events"],
        &["--mode", "prefix", "--prefix", "20"],
        &["--ignore-kind", "choice"],
    ];
    for mode in modes {
        assert_eq!(replay(mode).exit, Exit::Fine, "{mode:?}");
    }
    CHANGED.set(true);
    for mode in [modes[0], modes[1], modes[3]] {
        assert_eq!(replay(mode).exit, Exit::Diverged, "{mode:?}");
    }
    assert_snapshot!("replay_best_effort", replay(modes[0]));
    assert_snapshot!(
        "replay_prefix",
        replay(&["--mode", "prefix", "--prefix", "3"])
    );
    assert_eq!(
        replay(&["--mode", "prefix", "--prefix", "100000"]).exit,
        Exit::Diverged
    );
    assert_eq!(replay(&["--level", "events"]).exit, Exit::Usage);
    assert_eq!(replay(&["--mode", "prefix"]).exit, Exit::Usage);
}

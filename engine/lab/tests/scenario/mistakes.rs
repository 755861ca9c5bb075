//! Every kind of mistake, and what its author reads.

use dacapo_lab::scenario::Overrides;
use insta::assert_snapshot;

use crate::system::{Folder, LEAST};

/// One mistake: a scenario, and the report that it leads to.
macro_rules! mistakes {
    ($($(#[$meta:meta])* $name:ident: $toml:expr;)*) => {$(
        #[test]
        $(#[$meta])*
        fn $name() {
            let report = Folder::with($toml).report("depot.toml", &Overrides::default());
            assert_snapshot!(stringify!($name), report);
        }
    )*};
}

/// A sound scenario with something added at its end.
fn and(more: &str) -> String {
    format!("{LEAST}{more}")
}

mistakes! {
    // The document.
    empty_file: "";
    unclosed_text: "name = \"depot\nstory = 3\n";
    unclosed_table: and("[run\nseed = 1\n");
    no_value: and("[run]\nseed =\n");
    key_given_twice: and("[run]\nseed = 1\nstart = \"2025-01-06T00:00:00Z\"\nseed = 2\n");
    table_given_twice: and("[run]\nseed = 1\n[belt]\n[run]\n");
    number_too_large_for_anything: and("[run]\nseed = 99999999999999999999999999999999999999999999\n");
    number_beyond_64_bits: and("[run]\nseed = 18446744073709551616\n");
    not_utf8: b"name = \"depot\"\nstory = \"caf\xe9\"\n";

    // Keys.
    unknown_section: and("[budget]\nevents = 3\n");
    unknown_section_of_the_system: and("[belts]\nrunning = false\n");
    unknown_section_near_nothing: and("[zoology]\n");
    key_of_run_at_the_top: format!("seed = 7\n{LEAST}");
    unknown_key_in_run: and("[run]\nscheduller = \"fifo\"\n");
    unknown_key_in_budgets: and("[budgets]\nevent = 5\n");
    unknown_key_in_the_system: and("takes = [\"bob\"]\n");
    unknown_key_that_a_type_would_ignore: and("[belt]\nruning = true\n");
    unknown_key_in_a_tagged_table: and("[parcels]\nfrom = \"generated\"\ncount = 3\nheaviest = 2.5\n");
    missing_name: "[[workers]]\nname = \"ada\"\n";
    missing_section: "name = \"depot\"\n";
    missing_key_in_the_system: and("[[workers]]\nstrength = 3\n");
    missing_tag: and("[parcels]\ncount = 3\n");

    // Types and ranges.
    text_for_a_number: and("[run]\nseed = \"seven\"\n");
    number_for_text: "name = 3\n[[workers]]\nname = \"ada\"\n";
    fraction_for_a_whole_number: and("[run]\nseed = 1.5\n");
    negative_seed: and("[run]\nseed = -1\n");
    number_beyond_its_type: and("strength = 300\n");
    text_for_a_switch: and("[belt]\nrunning = \"yes\"\n");
    array_for_a_table: and("[[run]]\nseed = 1\n");
    table_for_an_array: "name = \"depot\"\n[workers]\nname = \"ada\"\n";
    not_finite: and("[belt]\nmetres_per_second = inf\n");
    wrong_type_in_a_tagged_table: and("[parcels]\nfrom = \"generated\"\ncount = \"many\"\nheaviest_kg = 2.5\n");
    unknown_word: and("pace = \"steddy\"\n");
    no_word: and("pace = 3\n");
    unknown_tag: and("[parcels]\nfrom = \"fille\"\npath = \"a.csv\"\n");

    // The name.
    empty_name: "name = \" \"\n[[workers]]\nname = \"ada\"\n";
    name_with_a_slash: "name = \"../depot\"\n[[workers]]\nname = \"ada\"\n";
    name_with_a_dot: "name = \"..\"\n[[workers]]\nname = \"ada\"\n";
    name_that_turns_the_line: "name = \"a\\u202eb\"\n[[workers]]\nname = \"ada\"\n";
    name_too_long: format!("name = \"{}\"\n[[workers]]\nname = \"ada\"\n", "depot".repeat(50));

    // Time.
    bad_duration: and("[run]\nduration = \"3 fortnights\"\n");
    negative_duration: and("[run]\nduration = \"-5s\"\n");
    no_duration: and("[run]\nduration = \"0s\"\n");
    duration_without_a_unit: and("[run]\nduration = 90\n");
    duration_too_long: and("[run]\nduration = \"9999999h\"\n");
    bad_date: and("[run]\nstart = \"2025-02-30T00:00:00Z\"\n");
    date_without_offset: and("[run]\nstart = 2025-03-25T23:07:00\n");
    date_too_late: and("[run]\nstart = \"2400-01-01T00:00:00Z\"\n");

    // What the system can tell.
    unknown_scheduler: and("[run]\nscheduler = \"fiffo\"\n");
    unknown_profile: and("[run]\nprofile = \"as_fond\"\n");
    unknown_defect: and("[run]\ndefects = [\"takes-twice\", \"drop-parcels\"]\n");
    unknown_verdict: and("[expect]\nverdict = \"deadlocked\"\n");
    unknown_figure: and("[expect.figures]\nparcel_passed = { at_least = 1 }\n");
    figure_without_a_bound: and("[expect.figures]\nparcels_passed = {}\n");
    figure_with_crossed_bounds: and("[expect.figures]\nparcels_passed = { at_least = 5, at_most = 2 }\n");
    unknown_bound: and("[expect.figures]\nparcels_passed = { at_lest = 5 }\n");
    no_budget: and("[budgets]\nevents = 0\n");
    budget_beyond_time: and("[budgets]\nvirtual_seconds = 20_000_000_000\n");

    // Faults.
    unknown_fault: and("[[faults]]\nkind = \"crash-host\"\nhost = \"east\"\nat = \"1m\"\n");
    fault_without_a_kind: and("[[faults]]\nhost = \"east\"\n");
    fault_without_a_time: and("[[faults]]\nkind = \"crash_host\"\nhost = \"east\"\n");
    fault_with_two_times: and("[[faults]]\nkind = \"crash_host\"\nhost = \"east\"\nat = \"1m\"\nafter_event = 3\n");
    fault_without_a_host: and("[[faults]]\nkind = \"crash_host\"\nat = \"1m\"\n");
    task_that_crashes_after_an_event: and("[[faults]]\nkind = \"crash_task\"\ntask = \"ada\"\nafter_event = 3\n");
    door_with_a_time: and("[[faults]]\nkind = \"door\"\ndoor = \"rain\"\nper_mille = 3\nat = \"1m\"\n");
    door_too_often: and("[[faults]]\nkind = \"door\"\ndoor = \"rain\"\nper_mille = 1001\n");
    door_twice: and("faults = [\n  { kind = \"door\", door = \"rain\", per_mille = 1 },\n  { kind = \"door\", door = \"rain\", per_mille = 2 },\n]\n").replace("[[workers]]\nname = \"ada\"\nfaults", "workers = [{ name = \"ada\" }]\nfaults");

    // What the system says itself.
    mistake_of_the_system: and("takes_from = [\"adda\"]\n");
    mistake_about_what_is_not_there: and("[belt]\nmetres_per_second = 11\n");
    mistake_about_an_empty_list: "name = \"depot\"\nworkers = []\n";
}

#[test]
fn of_several_mistakes_the_first_in_the_file_is_told() {
    let folder = Folder::with("zebra = 1\nape = 2\nname = \"depot\"\n");
    let error = folder.load(&Overrides::default()).unwrap_err();
    assert_eq!((error.line, error.column), (Some(1), Some(1)));
}

#[test]
fn a_missing_file_has_a_neighbour() {
    let folder = Folder::with(LEAST);
    let none = Overrides::default();
    assert_snapshot!("missing_file", folder.report("depott.toml", &none));
    assert_snapshot!("missing_suffix", folder.report("depot", &none));
    assert_snapshot!(
        "missing_folder",
        folder.report("elsewhere/depot.toml", &none)
    );
}

#[test]
fn a_folder_is_no_scenario() {
    let folder = Folder::with(LEAST);
    folder.write("stories/depot.toml", LEAST);
    assert_snapshot!("folder", folder.report("stories", &Overrides::default()));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = Folder::with(and(&"# padding\n".repeat(110_000)));
    assert_snapshot!(
        "too_large",
        folder.report("depot.toml", &Overrides::default())
    );
}

#[test]
fn the_parts_of_a_mistake_are_there_for_other_programs() {
    let folder = Folder::with(and("pace = \"steddy\"\n"));
    let error = folder.load(&Overrides::default()).unwrap_err();
    let json = serde_json::to_value(&error).unwrap();
    assert_eq!((error.line, error.column), (Some(4), Some(8)));
    assert_eq!(json["suggestion"], "steady");
    assert_eq!(json["what"], "`workers.0.pace`: unknown word `steddy`");
    assert!(json["file"].as_str().unwrap().ends_with("depot.toml"));
}

#[test]
fn colour_is_there_only_when_asked_for() {
    let folder = Folder::with(and("pace = \"steddy\"\n"));
    let error = folder.load(&Overrides::default()).unwrap_err();
    assert!(!error.render(false).contains('\u{1b}'));
    assert!(error.render(true).contains("\u{1b}["));
    assert_eq!(error.to_string(), error.render(false));
}

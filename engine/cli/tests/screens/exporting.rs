//! `export`: what it says, what it leaves alone, and what it leaves behind.

use std::fs;

use dacapo_cli::Exit;
use insta::assert_snapshot;
use serde_json::Value;

use crate::desk::Desk;

fn names(desk: &Desk, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(desk.path(folder)).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

// Fails if a table comes or goes, or the screen changes.
#[test]
fn the_tables_are_told() {
    let desk = Desk::new();
    desk.run(&[]);
    assert_snapshot!(
        "export",
        desk.call(&["export", "DESK/a.dlog", "--to", "csv"])
    );
    let to_sqlite = [
        "export",
        "DESK/a.dlog",
        "--to",
        "sqlite",
        "--message-format",
        "json",
    ];
    let told: Value = serde_json::from_str(&desk.call(&to_sqlite).out).unwrap();
    assert_eq!(told["type"], "export");
    let first = told["tables"][0].clone();
    assert_eq!(first["table"], "events");
    assert_eq!(first["rows"], told["events"]);
    assert_snapshot!(
        "export_quiet",
        desk.call(&["export", "DESK/a.dlog", "--to", "jsonl", "-q"])
    );
    let lines = fs::read_to_string(desk.path("a.jsonl")).unwrap();
    let shown = desk.call(&["show", "DESK/a.dlog", "--message-format", "json"]);
    assert_eq!(lines, shown.out, "the same lines as `show` prints");
    assert_eq!(
        names(&desk, "."),
        [
            "a-csv",
            "a.dlog",
            "a.dlog.meta.json",
            "a.jsonl",
            "a.sqlite",
            "kitchen.toml"
        ],
        "nothing is left beside them"
    );
}

// Fails if anything that no export wrote is lost, or something half written takes its place.
#[test]
fn what_is_there_stays_unless_it_is_an_older_export() {
    let desk = Desk::new();
    desk.run(&[]);
    for form in ["csv", "sqlite", "jsonl"] {
        let export = |options: &[&str]| {
            let words = [&["export", "DESK/a.dlog", "--to", form], options].concat();
            desk.call(&words)
        };
        assert_eq!(export(&[]).exit, Exit::Fine);
        let again = export(&[]);
        assert_eq!(again.exit, Exit::Usage, "{form}");
        assert!(
            again.err.contains("exists already; give --force"),
            "{again}"
        );
        assert_eq!(export(&["--force"]).exit, Exit::Fine, "{form}");
        let strange = export(&["--out", "DESK/a.dlog", "--force"]);
        assert_eq!(strange.exit, Exit::Usage, "{form}");
        assert!(strange.err.contains("is not replaced"), "{strange}");
    }
    assert_eq!(desk.call(&["check", "DESK/a.dlog", "-q"]).exit, Exit::Fine);
    fs::write(desk.path("a-csv/mine.csv"), "dear").unwrap();
    let said = desk.call(&["export", "DESK/a.dlog", "--to", "csv", "--force"]);
    assert!(
        said.err
            .contains("it holds mine.csv, which no export wrote"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(desk.path("a-csv/mine.csv")).unwrap(),
        "dear"
    );
    // A folder of one's own, with files of that form.
    fs::create_dir(desk.path("own")).unwrap();
    fs::write(desk.path("own/mine.csv"), "dear").unwrap();
    let own = [
        "export",
        "DESK/a.dlog",
        "--to",
        "csv",
        "--out",
        "DESK/own",
        "--force",
    ];
    assert_eq!(desk.call(&own).exit, Exit::Usage);
    assert_eq!(names(&desk, "own"), ["mine.csv"]);
}

// Fails if a kill in the middle of an export stands in the way of the next one.
#[test]
fn what_a_killed_export_left_is_replaced() {
    let desk = Desk::new();
    desk.run(&[]);
    fs::create_dir(desk.path(".a-csv.new")).unwrap();
    fs::write(desk.path(".a-csv.new/events.csv"), "seq,ti").unwrap();
    fs::write(desk.path(".a.sqlite.new"), "").unwrap();
    for form in ["csv", "sqlite"] {
        let said = desk.call(&["export", "DESK/a.dlog", "--to", form, "-q"]);
        assert_eq!(said.exit, Exit::Fine, "{said}");
    }
    assert!(names(&desk, ".").iter().all(|name| !name.ends_with(".new")));
}

// Fails if half a log passes for a whole one, or a damaged one leaves something behind.
#[test]
fn a_log_that_is_not_whole_is_told() {
    let desk = Desk::new();
    desk.run(&[]);
    let mut log = fs::read(desk.path("a.dlog")).unwrap();
    fs::write(desk.path("cut.dlog"), &log[..log.len() - 20]).unwrap();
    let said = desk.call(&["export", "DESK/cut.dlog", "--to", "csv", "-q"]);
    assert_eq!(said.exit, Exit::Log, "{said}");
    assert!(
        said.err.contains("these are the data up to there"),
        "{said}"
    );
    assert!(names(&desk, "cut-csv").contains(&"events.csv".to_owned()));
    let middle = log.len() / 2;
    log[middle] ^= 1;
    fs::write(desk.path("bad.dlog"), &log).unwrap();
    let said = desk.call(&["export", "DESK/bad.dlog", "--to", "csv"]);
    assert_eq!(said.exit, Exit::Log, "{said}");
    assert!(said.err.contains("damaged at byte"), "{said}");
    let left = names(&desk, ".");
    assert!(
        left.iter().all(|name| !name.contains("bad-csv")),
        "{left:?}"
    );
}

#[test]
fn slips_are_explained() {
    let desk = Desk::new();
    desk.run(&[]);
    let mut told = String::new();
    let slips: [&[&str]; 4] = [
        &["export", "DESK/a.dlog"],
        &["export", "DESK/a.dlog", "--to", "excel"],
        &["export", "DESK/none.dlog", "--to", "csv"],
        &["export", "DESK/kitchen.toml", "--to", "csv"],
    ];
    for slip in slips {
        told += &format!("$ kitchen {}\n{}\n", slip.join(" "), desk.call(slip));
    }
    if !cfg!(feature = "parquet") {
        let said = desk.call(&["export", "DESK/a.dlog", "--to", "parquet"]);
        assert_eq!(said.exit, Exit::Usage);
        assert!(said.err.contains("--features parquet has it"), "{said}");
    }
    assert_snapshot!("export_slips", told);
    assert_snapshot!("help_export", desk.call(&["export", "--help"]));
}

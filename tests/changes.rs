//! Changes of the orchestration's source, held against the golden logs: a change of what it does is noticed,
//! named where a person would begin to look, and told once; a change of how it is written is not noticed.
//!
//! The lists are in `tests/data/changes.toml`. By itself this only looks whether each still fits the source;
//! `DACAPO_CHANGES=1 cargo test -p dacapo-tests --test changes -- --nocapture` builds two programs, one with every
//! refactoring in it and one in which each mutation is behind a switch, and runs them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dacapo_tests::root;
use serde_json::Value;
use toml::Table;

/// Where the paths of the lists begin.
const SOURCE: &str = "engine/orchestration/src";

/// What the program asks about a mutation; only the copy that is built for the test has it.
const SWITCH: &str = r#"
pub(crate) fn changed(name: &str) -> bool {
    static ON: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let on = ON.get_or_init(|| std::env::var("DACAPO_CHANGED").ok());
    on.as_deref() == Some(name)
}
"#;

/// Of all golden logs that the mutations make differ, the share that is in the largest reason of its mutation, at least.
const GROUPED_PER_CENT: usize = 95;

#[derive(Clone, Debug)]
struct Change {
    name: String,
    file: String,
    within: String,
    old: String,
    new: String,
    points_at: Vec<String>,
}

fn changes(kind: &str) -> Vec<Change> {
    let text = fs::read_to_string(root().join("tests/data/changes.toml")).expect("the lists");
    let lists: Table = toml::from_str(&text).expect("the lists are TOML");
    let list = lists[kind].as_array().expect("a list");
    let change = |table: &Table| {
        let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
        let old = text("old").expect("what is changed").to_owned();
        let points_at = table.get("points_at").and_then(toml::Value::as_array);
        let points_at = points_at.into_iter().flatten();
        Change {
            name: text("name").expect("a name").to_owned(),
            file: text("file").expect("a file").to_owned(),
            within: text("within").unwrap_or(&old).to_owned(),
            new: text("new").expect("into what").to_owned(),
            points_at: points_at
                .filter_map(|kind| kind.as_str().map(str::to_owned))
                .collect(),
            old,
        }
    };
    let tables = list.iter().filter_map(toml::Value::as_table);
    tables.map(change).collect()
}

impl Change {
    /// The text of its file with this in place of what is changed.
    fn applied(&self, text: &str, new: &str) -> Result<String, String> {
        let found = (
            text.matches(&self.within).count(),
            self.within.matches(&self.old).count(),
        );
        if found != (1, 1) {
            return Err(format!(
                "{}: {:?} stands {} times in {}, expected once",
                self.name, self.within, found.0, self.file
            ));
        }
        let changed = self.within.replace(&self.old, new);
        Ok(text.replace(&self.within, &changed))
    }

    /// Both ways, with a switch between them.
    fn switched(&self) -> String {
        let (name, old, new) = (&self.name, &self.old, &self.new);
        let either = format!("if crate::changed({name:?}) {{ {new} }} else {{ {old} }}");
        if old.trim_end().ends_with(';') {
            either
        } else {
            format!("({either})")
        }
    }
}

/// Fails if a change does not fit the source any more: it would no longer be tried.
#[test]
fn every_change_fits_the_source() {
    for (kind, least) in [("mutation", 20), ("refactoring", 20)] {
        let changes = changes(kind);
        assert!(
            changes.len() >= least,
            "{} of the kind {kind}",
            changes.len()
        );
        for change in changes {
            let path = root().join(SOURCE).join(&change.file);
            let text = fs::read_to_string(&path).expect("the file is there");
            let applied = change.applied(&text, &change.new);
            assert!(applied.unwrap_or_else(|what| panic!("{what}")) != text);
            assert!(kind == "refactoring" || !change.points_at.is_empty());
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a test builds programs is nothing that is simulated"
)]
fn is_wanted() -> bool {
    std::env::var_os("DACAPO_CHANGES").is_some()
}

#[test]
fn every_mutation_is_noticed_and_no_refactoring() {
    if !is_wanted() {
        return;
    }
    let mut wrong = Vec::new();
    let refactored = Built::with(&changes("refactoring"), "refactored", |change| {
        change.new.clone()
    });
    let said = refactored.test(None);
    if !said.differ.is_empty() {
        wrong.push(format!("refactorings are noticed: {said:?}"));
    }
    assert!(said.tested >= 50, "only {} golden logs", said.tested);

    let mutations = changes("mutation");
    let mutated = Built::with(&mutations, "mutated", Change::switched);
    let plain = mutated.test(None);
    assert_eq!(plain.differ, Vec::<String>::new(), "with no mutation on");
    let (mut all, mut together) = (0, 0);
    for change in &mutations {
        let said = mutated.test(Some(&change.name));
        let grouped = said.causes.iter().max().copied().unwrap_or(0);
        let points = said
            .named
            .iter()
            .any(|kind| change.points_at.contains(kind));
        println!(
            "{:32} {:3} differ, {:3} in one of {} reasons, at {:?}{}",
            change.name,
            said.differ.len(),
            grouped,
            said.causes.len(),
            said.named,
            if points { "" } else { "  NOT WHERE EXPECTED" }
        );
        (all, together) = (all + said.differ.len(), together + grouped);
        if said.differ.is_empty() {
            wrong.push(format!("{}: not noticed", change.name));
        } else if !points {
            wrong.push(format!("{}: {said:?}", change.name));
        }
    }
    println!("{together} of {all} in the largest reason of their mutation");
    if together * 100 < all * GROUPED_PER_CENT {
        wrong.push(format!("{together} of {all} are together"));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A program that was built with changes.
struct Built {
    program: PathBuf,
}

/// What a program says of the golden logs.
#[derive(Debug)]
struct Said {
    tested: usize,
    /// The golden logs that differ, or fail.
    differ: Vec<String>,
    /// How many logs each reason has.
    causes: Vec<usize>,
    /// The kinds of event that the first reason names: where its first log differs or fails, and where its first trace is.
    named: Vec<String>,
}

impl Built {
    fn with(changes: &[Change], name: &str, new: impl Fn(&Change) -> String) -> Built {
        // Kept between runs of the test, so that little is built anew. Both programs are built in one place, which takes
        // the crates of one for those of the other unless they are newer: what is changed is written each time.
        let folder = root().join("target/changes");
        let copy = folder.join(name);
        let texts = changed_texts(changes, new);
        for part in ["engine", "tests", "benches", "Cargo.toml", "Cargo.lock"] {
            copy_all(&root().join(part), &copy.join(part), &texts);
        }
        let target = folder.join("target");
        let built = Command::new(env!("CARGO"))
            .current_dir(&copy)
            .env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "-Awarnings")
            .args(["build", "--quiet", "--offline", "-p", "dacapo"])
            .status()
            .expect("cargo is there");
        assert!(built.success(), "the program with changes is not built");
        let program = folder.join(format!("{name}-dacapo"));
        fs::copy(target.join("debug/dacapo"), &program).expect("the program is kept");
        Built { program }
    }

    fn test(&self, change: Option<&str>) -> Said {
        let mut command = Command::new(&self.program);
        command.current_dir(root());
        command.args(["test", "scenarios/golden", "--message-format", "json"]);
        command.env_remove("CI").env_remove("DACAPO_CHANGED");
        if let Some(change) = change {
            command.env("DACAPO_CHANGED", change);
        }
        let output = command.output().expect("the program runs");
        let lines = String::from_utf8_lossy(&output.stdout);
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON lines"));
        said(&lines.collect::<Vec<Value>>())
    }
}

fn said(lines: &[Value]) -> Said {
    let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
    let bad = |line: &&Value| line["result"] != "same" && line["result"] != "pass";
    let case = |line: &Value| line["case"].as_str().unwrap_or_default().to_owned();
    let differ: Vec<String> = of("test").filter(bad).map(case).collect();
    let causes: Vec<&Value> = of("cause").collect();
    let logs = |cause: &&Value| cause["logs"].as_array().map_or(0, Vec::len);
    let first = causes.first().and_then(|cause| cause["logs"][0].as_str());
    let mut named = Vec::new();
    for line in of("test").filter(|line| line["case"].as_str() == first && first.is_some()) {
        let (difference, trace) = (&line["difference"], &line["trace"]);
        let places = [
            &difference["expected"],
            &difference["actual"],
            &trace["expected"],
            &trace["actual"],
            &line["place"],
        ];
        let kinds = places
            .into_iter()
            .filter_map(|place| place["kind"].as_str());
        named.extend(kinds.map(str::to_owned));
    }
    named.dedup();
    Said {
        tested: of("test").count(),
        causes: causes.iter().map(logs).collect(),
        differ,
        named,
    }
}

/// The files of the orchestration as the changes leave them.
fn changed_texts(changes: &[Change], new: impl Fn(&Change) -> String) -> BTreeMap<PathBuf, String> {
    let source = root().join(SOURCE);
    let mut texts = BTreeMap::new();
    let read = |path: &Path| fs::read_to_string(path).expect("the file is there");
    for change in changes {
        let path = source.join(&change.file);
        let text = texts.remove(&path).unwrap_or_else(|| read(&path));
        let text = change.applied(&text, &new(change));
        texts.insert(path, text.unwrap_or_else(|what| panic!("{what}")));
    }
    let library = source.join("lib.rs");
    let text = read(&library) + SWITCH;
    texts.insert(library, text);
    texts
}

/// Copies a file or a folder; of some files there is another text.
fn copy_all(from: &Path, to: &Path, texts: &BTreeMap<PathBuf, String>) {
    if from.is_file() {
        if let Some(text) = texts.get(from) {
            fs::write(to, text).expect("a file is written");
            return;
        }
        let bytes = fs::read(from).expect("a file is read");
        if fs::read(to).ok().as_ref() != Some(&bytes) {
            fs::write(to, bytes).expect("a file is written");
        }
        return;
    }
    fs::create_dir_all(to).expect("a folder is made");
    for entry in fs::read_dir(from).expect("the folder is read") {
        let entry = entry.expect("the folder is read");
        if entry.file_name() != "target" && entry.file_name() != "data" {
            copy_all(&entry.path(), &to.join(entry.file_name()), texts);
        }
    }
}

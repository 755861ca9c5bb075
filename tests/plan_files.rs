//! Every scenario that ships can be written anew from its plan, and is then the same scenario.

use std::fs;
use std::path::{Path, PathBuf};

use dacapo_lab::plan_file;
use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_tests::root;

/// Every scenario file in a folder and those below it. What is kept beside a golden log is none.
fn scenarios(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        let is_golden = path.to_string_lossy().ends_with(".golden.toml");
        if path.is_dir() {
            scenarios(&path, found);
        } else if !is_golden && path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn a_scenario_that_is_written_from_its_plan_is_the_same() {
    let mut found = Vec::new();
    scenarios(&root().join("scenarios"), &mut found);
    assert!(found.len() > 5, "only {} scenarios were found", found.len());
    for path in found {
        let loaded = load::<Orchestration>(&path, &Overrides::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let text = plan_file::<Orchestration>(&loaded.plan)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let folder = tempfile::tempdir().expect("a folder can be made");
        let beside = path.parent().expect("a file lies in a folder");
        for data in &loaded.plan.data {
            let to = folder.path().join(&data.path);
            fs::create_dir_all(to.parent().expect("a file lies in a folder"))
                .and_then(|()| fs::copy(beside.join(&data.path), &to))
                .expect("the data can be copied");
        }
        let written = folder.path().join("again.toml");
        fs::write(&written, &text).expect("the folder is there");
        let again = load::<Orchestration>(&written, &Overrides::default())
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", path.display()));
        assert_eq!(
            again.digest(),
            loaded.digest(),
            "{}\n{text}",
            path.display()
        );
    }
}

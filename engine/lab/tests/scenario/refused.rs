//! The entries of `[[refused]]`: what each changes, and what is wrong with one that says nothing.

use dacapo_lab::scenario::{Overrides, Refused};
use insta::assert_snapshot;

use crate::system::{Depot, Folder, LEAST};

fn refused(entries: &str) -> (Folder, Vec<Refused>) {
    let folder = Folder::with(format!("{LEAST}{entries}"));
    let loaded = folder
        .load(&Overrides::default())
        .expect("the scenario is right");
    let refused = loaded.refused;
    (folder, refused)
}

fn error(folder: &Folder, refused: &Refused) -> Option<String> {
    let loaded = refused.load::<Depot>(&folder.path("depot.toml"));
    loaded.err().map(|error| error.to_string())
}

/// Fails if a value, a data file or the whole text is not put in the place of what the scenario has.
#[test]
fn each_is_the_scenario_with_its_change() {
    let (folder, all) = refused(
        r#"
        [[refused]]
        says = "there is no worker"
        set = ["workers=[{ name = 'ada', takes_from = ['bob'] }]"]

        [[refused]]
        says = "there is no such file"
        set = ["parcels={ from = 'file', path = 'parcels.csv' }"]

        [[refused]]
        says = "not this"
        set = ["parcels={ from = 'file', path = 'parcels.csv' }"]
        files = { "parcels.csv" = "3\n" }

        [[refused]]
        says = "the key `name` is missing"
        scenario = "workers = []"
        "#,
    );
    let errors: Vec<Option<String>> = all.iter().map(|it| error(&folder, it)).collect();
    let says = |at: usize| {
        errors[at]
            .as_ref()
            .is_some_and(|it| it.contains(&all[at].says))
    };
    assert!(says(0) && says(1) && says(3), "{errors:?}");
    assert_eq!(errors[2], None, "the file is given");
    assert!(!folder.path("parcels.csv").exists(), "and not written");
}

#[test]
fn one_that_says_or_changes_nothing_is_a_mistake() {
    let report = |entries: &str| {
        Folder::with(format!("{LEAST}{entries}")).report("depot.toml", &Overrides::default())
    };
    let silent = "[[refused]]\nset = [\"run.seed=1\"]\n";
    assert_snapshot!("refused_says_nothing", report(silent));
    let blank = "[[refused]]\nsays = \" \"\nset = [\"run.seed=1\"]\n";
    assert_snapshot!("refused_says_blanks", report(blank));
    let unchanged = "[[refused]]\nsays = \"no\"\n";
    assert_snapshot!("refused_changes_nothing", report(unchanged));
    let unknown = "[[refused]]\nsays = \"no\"\nseed = 1\n";
    assert_snapshot!("refused_unknown_key", report(unknown));
}

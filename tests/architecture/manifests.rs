//! What the manifests say: dependencies between crates, and the lints that all share.

use std::fs;

use dacapo_tests::root;
use toml::Table;

use super::arrows::{allowed, crate_of};
use super::assert_none;

/// A manifest, and where it lies.
pub(super) struct Manifest {
    path: String,
    table: Table,
}

impl Manifest {
    fn new(path: &str, text: &str) -> Manifest {
        Manifest {
            path: path.to_owned(),
            table: text
                .parse()
                .unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    fn at(&self, keys: &[&str]) -> Option<&toml::Value> {
        let (last, sections) = keys.split_last()?;
        let mut table = &self.table;
        for section in sections {
            table = table.get(*section)?.as_table()?;
        }
        table.get(*last)
    }

    /// The names of its dependencies of every sort.
    fn dependencies(&self) -> impl Iterator<Item = &str> {
        let sorts = ["dependencies", "dev-dependencies", "build-dependencies"];
        let tables = sorts
            .into_iter()
            .filter_map(|sort| self.table.get(sort)?.as_table());
        tables.flat_map(|table| table.keys().map(String::as_str))
    }
}

/// The manifest of every member of the workspace.
pub(super) fn all() -> Vec<Manifest> {
    let workspace = workspace();
    let members = workspace
        .at(&["workspace", "members"])
        .and_then(toml::Value::as_array);
    let members = members.expect("the workspace lists its members");
    let paths = members.iter().filter_map(toml::Value::as_str);
    let manifests: Vec<Manifest> = paths
        .map(|member| {
            let path = format!("{member}/Cargo.toml");
            let text = fs::read_to_string(root().join(&path));
            Manifest::new(
                &path,
                &text.unwrap_or_else(|error| panic!("{path}: {error}")),
            )
        })
        .collect();
    assert!(manifests.len() >= 6, "only {} members", manifests.len());
    manifests
}

fn workspace() -> Manifest {
    let text = fs::read_to_string(root().join("Cargo.toml")).expect("the root has a manifest");
    Manifest::new("Cargo.toml", &text)
}

/// The dependencies that point back.
pub(super) fn against_the_arrows(manifests: &[Manifest]) -> Vec<String> {
    let mut complaints = Vec::new();
    for manifest in manifests {
        let Some(crate_name) = crate_of(&manifest.path) else {
            continue;
        };
        let allowed = allowed(crate_name).unwrap_or(&[]);
        for dependency in manifest.dependencies() {
            let Some(other) = dependency.strip_prefix("dacapo-") else {
                continue;
            };
            if !allowed.contains(&other) {
                complaints.push(format!(
                    "{}: {crate_name} depends on {other}; it may depend on {allowed:?} only",
                    manifest.path
                ));
            }
        }
    }
    complaints
}

/// Crates that depend on bincode, where only the kernel may, and tests of what is encoded.
fn naming_bincode(manifests: &[Manifest]) -> Vec<String> {
    let names = |manifest: &&Manifest| {
        let table = manifest
            .table
            .get("dependencies")
            .and_then(toml::Value::as_table);
        table.is_some_and(|table| table.contains_key("bincode"))
    };
    let found = manifests
        .iter()
        .filter(names)
        .map(|manifest| manifest.path.as_str());
    found
        .filter(|path| *path != "engine/kernel/Cargo.toml")
        .map(|path| format!("{path}: only the kernel's codec names bincode"))
        .collect()
}

/// Members that do not take the lints of the workspace.
fn without_shared_lints(manifests: &[Manifest]) -> Vec<String> {
    let takes = |manifest: &Manifest| {
        manifest
            .at(&["lints", "workspace"])
            .and_then(toml::Value::as_bool)
            == Some(true)
    };
    let without = manifests.iter().filter(|manifest| !takes(manifest));
    without
        .map(|manifest| format!("{}: expected `[lints] workspace = true`", manifest.path))
        .collect()
}

/// What the workspace itself must say, for code to be as promised.
fn missing_promises(workspace: &Manifest) -> Vec<String> {
    let said = |keys: &[&str]| workspace.at(keys).map(ToString::to_string);
    let mut complaints = Vec::new();
    let mut expect = |keys: &[&str], expected: &str| {
        let found = said(keys);
        if found.as_deref() != Some(expected) {
            let found = found.as_deref().unwrap_or("nothing");
            let key = keys.join(".");
            complaints.push(format!(
                "Cargo.toml: {key}: expected {expected}, found {found}"
            ));
        }
    };
    expect(&["workspace", "lints", "rust", "unsafe_code"], "\"forbid\"");
    expect(&["workspace", "lints", "clippy", "unwrap_used"], "\"warn\"");
    expect(
        &["workspace", "lints", "clippy", "disallowed_methods"],
        "\"warn\"",
    );
    expect(
        &["workspace", "lints", "clippy", "disallowed_types"],
        "\"warn\"",
    );
    expect(&["profile", "release", "overflow-checks"], "true");
    complaints
}

#[test]
fn every_crate_takes_the_lints_that_all_share() {
    assert_none(&without_shared_lints(&all()));
}

#[test]
fn unsafe_code_is_forbidden_and_overflow_is_checked() {
    assert_none(&missing_promises(&workspace()));
}

#[test]
fn bincode_is_a_dependency_of_the_kernel_alone() {
    assert_none(&naming_bincode(&all()));
}

#[test]
fn a_dependency_that_points_back_is_noticed() {
    let planted = |path: &str, text: &str| against_the_arrows(&[Manifest::new(path, text)]).len();
    let lab = "[dependencies]\ndacapo-lab.workspace = true\n";
    assert_eq!(planted("engine/kernel/Cargo.toml", lab), 1);
    assert_eq!(planted("engine/cli/Cargo.toml", lab), 0);
    let tests = "[dev-dependencies]\ndacapo-orchestration = { path = \"..\" }\n";
    assert_eq!(planted("engine/lab/Cargo.toml", tests), 1);
    assert_eq!(
        planted("engine/another/Cargo.toml", lab),
        1,
        "a new crate has to be listed"
    );
    assert_eq!(planted("tests/Cargo.toml", tests), 0);
}

#[test]
fn a_manifest_that_promises_less_is_noticed() {
    let deny = "[workspace.lints.rust]\nunsafe_code = \"deny\"\n";
    let complaints = missing_promises(&Manifest::new("Cargo.toml", deny));
    assert_eq!(complaints.len(), 5);
    assert!(
        complaints[0].ends_with("expected \"forbid\", found \"deny\""),
        "{complaints:?}"
    );
    let planted = |text| Manifest::new("engine/lab/Cargo.toml", text);
    assert_eq!(
        without_shared_lints(&[planted("[lints]\nworkspace = false\n")]).len(),
        1
    );
    assert_eq!(without_shared_lints(&[planted("[package]\n")]).len(), 1);
    assert_eq!(
        naming_bincode(&[planted("[dependencies]\nbincode = \"2\"\n")]).len(),
        1
    );
    assert_eq!(
        naming_bincode(&[planted("[dev-dependencies]\nbincode = \"2\"\n")]).len(),
        0
    );
}

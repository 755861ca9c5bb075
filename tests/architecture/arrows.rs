//! Imports between crates point one way.

use super::source::{Source, names};
use super::{assert_none, manifests, project};

/// What each crate may import. Whoever is not listed here, such as a test, may import anything.
pub(super) const ARROWS: [(&str, &[&str]); 7] = [
    ("kernel", &[]),
    ("lab", &["kernel"]),
    ("cli", &["lab", "kernel"]),
    ("market", &["kernel"]),
    ("orchestration", &["market", "kernel"]),
    ("models", &["kernel"]),
    ("dacapo", &["cli", "models", "orchestration"]),
];

/// What a crate may import; `None` if anything.
pub(super) fn allowed(from: &str) -> Option<&'static [&'static str]> {
    ARROWS
        .iter()
        .find(|(name, _)| *name == from)
        .map(|(_, to)| *to)
}

/// The imports in source texts that point back.
fn against(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let Some(crate_name) = crate_of(&source.path) else {
            continue;
        };
        let Some(allowed) = allowed(crate_name) else {
            continue;
        };
        for (number, line) in (1..).zip(source.code.lines()) {
            for name in names(line) {
                let Some(other) = name.strip_prefix("dacapo_") else {
                    continue;
                };
                let is_crate = ARROWS.iter().any(|(known, _)| *known == other);
                if is_crate && other != crate_name && !allowed.contains(&other) {
                    complaints.push(format!(
                        "{}:{number}: {crate_name} imports {other}; it may import {allowed:?} only",
                        source.path
                    ));
                }
            }
        }
    }
    complaints
}

/// The crate that a source file belongs to.
pub(super) fn crate_of(path: &str) -> Option<&str> {
    path.strip_prefix("engine/")?.split('/').next()
}

#[test]
fn no_source_imports_against_the_arrows() {
    assert_none(&against(&project()));
}

#[test]
fn no_manifest_depends_against_the_arrows() {
    assert_none(&manifests::against_the_arrows(&manifests::all()));
}

#[test]
fn an_import_that_points_back_is_noticed() {
    let planted = |path: &str, text: &str| against(&[Source::new(path, text)]).len();
    assert_eq!(
        planted("engine/kernel/src/a.rs", "use dacapo_lab::judge;"),
        1
    );
    assert_eq!(
        planted(
            "engine/lab/src/a/b.rs",
            "let x = dacapo_orchestration::Ctx;"
        ),
        1
    );
    assert_eq!(
        planted("engine/cli/tests/a.rs", "use dacapo_orchestration::bus;"),
        1
    );
    assert_eq!(
        planted("engine/orchestration/src/a.rs", "use dacapo_lab::{judge};"),
        1
    );
    assert_eq!(
        planted("engine/market/src/a.rs", "use dacapo_orchestration::bus;"),
        1
    );
    assert_eq!(
        planted("engine/dacapo/src/main.rs", "use dacapo_kernel::Run;"),
        1
    );
    assert_eq!(
        planted(
            "engine/lab/src/a.rs",
            "use dacapo_kernel::Run; // dacapo_cli"
        ),
        0
    );
    assert_eq!(planted("tests/a.rs", "use dacapo_orchestration::bus;"), 0);
}

//! The page of the kinds of event is the list that the program has, and nothing ever goes from it.
//!
//! After a kind or a version was added, `BLESS_DOCS=1 cargo test -p dacapo-tests --test all log_kinds` writes it anew.

use std::fs;

use dacapo_kernel::{EventSet, KernelEvent, Kind, Role};
use dacapo_lab::golden::levels;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::root;

const PAGE: &str = "docs/log-kinds.md";

const HEAD: &str = "\
# Kinds of event

Every kind of event that a log of the orchestration can have, with its number and the version in which it is written today. A number is
never reused; a body that changes gets a new version, and the old one is still read. The kernel's own are below 64. A log carries this
table in its header ([log format](log-format.md)); a kind or a version that a program does not know is refused by name.

A kind may be written in two versions: `model asked` in its second where the prompt is a situation, in its first where it is a text.

What each means is said where it stands: `engine/kernel/src/kernel_event.rs` and `engine/orchestration/src/domain_event.rs`. Which count
where runs are compared: [levels](regression.md#what-counts-levels).
";

fn table(title: &str, kinds: &[Kind]) -> String {
    let mut text =
        format!("\n## {title}\n\n| number | version | name | role |\n|---|---|---|---|\n");
    for kind in kinds {
        for version in 1..=kind.version {
            let role = match kind.role {
                Role::Input => "input",
                Role::Consequence => "consequence",
                Role::Call => "call",
                Role::Answer => "answer",
            };
            text.push_str(&format!(
                "| {} | {version} | {} | {role} |\n",
                kind.number, kind.name
            ));
        }
    }
    text
}

fn page() -> String {
    let (own, domain) = (KernelEvent::KINDS, DomainEvent::KINDS);
    HEAD.to_owned() + &table("The kernel's", own) + &table("The orchestration's", domain)
}

fn rows(text: &str) -> Vec<&str> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| number");
    text.lines().filter(is_row).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a test writes its page anew is nothing that is simulated"
)]
fn bless() -> bool {
    std::env::var_os("BLESS_DOCS").is_some()
}

/// Fails if a kind is added, removed, renumbered or renamed and the page does not say so.
#[test]
fn the_page_of_kinds_is_what_the_program_has() {
    let path = root().join(PAGE);
    let written = fs::read_to_string(&path).unwrap_or_default();
    let page = page();
    let gone: Vec<&str> = rows(&written)
        .into_iter()
        .filter(|row| !rows(&page).contains(row))
        .collect();
    assert!(
        gone.is_empty(),
        "logs may have these, and nothing reads them: {gone:?}"
    );
    if bless() {
        fs::write(&path, page).expect("the page can be written");
    } else {
        assert!(
            written == page,
            "{PAGE} is not what the program has; see the head of this file"
        );
    }
}

#[test]
fn the_page_on_regression_names_every_level() {
    let text = fs::read_to_string(root().join("docs/regression.md")).expect("the page is there");
    for level in levels::<Orchestration>() {
        let row = format!("| `{}`", level.name);
        let line = text.lines().find(|line| line.starts_with(&row));
        let line = line.unwrap_or_else(|| panic!("the page has no row for {}", level.name));
        let meaning = level.meaning;
        assert!(
            line.contains(meaning),
            "of {} it says {line:?}, expected {meaning:?}",
            level.name
        );
    }
}

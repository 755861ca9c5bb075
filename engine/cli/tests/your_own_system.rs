//! The page `docs/your-own-system.md` shows real code and real output, and the example that it
//! builds is as short as it says.
//!
//! After a change of a screen, `BLESS_DOCS=1 cargo test -p dacapo-cli --test your_own_system`
//! writes the output anew.

#[path = "../../../docs/examples/work-queue/src/main.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the example is a program of its own, whose main is not called here"
)]
#[allow(missing_docs, reason = "the page explains it")]
mod work_queue;

use std::fs;
use std::path::{Path, PathBuf};

use dacapo_cli::{Console, execute};

const SOURCE: &str = include_str!("../../../docs/examples/work-queue/src/main.rs");
const PROPERTIES: &str = include_str!("../../../docs/examples/work-queue/src/properties.rs");
const REGRESSION: &str = include_str!("../../../docs/examples/work-queue/tests/regression.rs");
const SHRINKING: &str = include_str!("../../../docs/examples/work-queue/tests/shrinking.rs");
const TWINS: &str = include_str!("../../../docs/examples/work-queue/tests/twins.rs");
const MANIFEST: &str = include_str!("../../../docs/examples/work-queue/Cargo.toml");
const PAGE: &str = "docs/your-own-system.md";
const EXAMPLE: &str = "docs/examples/work-queue";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The fenced blocks of the page in one language, without their fences.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a split has a first part"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_example_takes_less_than_200_lines() {
    let lines = SOURCE.lines().count();
    assert!(lines < 200, "{lines} lines");
    let properties = PROPERTIES.lines().count();
    assert!(properties < 100, "{properties} lines");
}

#[test]
fn the_code_on_the_page_is_the_code_of_the_example() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page is there");
    let scenarios = ["slow-worker", "rough"].map(|name| {
        let scenario = format!("{EXAMPLE}/scenarios/{name}.toml");
        fs::read_to_string(root().join(scenario)).expect("the scenario is there")
    });
    let sources = [SOURCE, PROPERTIES, TWINS, SHRINKING, REGRESSION];
    for block in blocks(&page, "rust") {
        let is_there = sources.iter().any(|source| source.contains(&block));
        assert!(is_there, "not in the example:\n{block}");
    }
    for block in blocks(&page, "toml") {
        let is_there = MANIFEST.contains(&block) || scenarios.contains(&block);
        assert!(is_there, "in no file of the example:\n{block}");
    }
}

#[test]
fn the_output_on_the_page_is_what_the_program_prints() {
    let page = fs::read_to_string(root().join(PAGE)).expect("the page is there");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let scenarios = folder.path().join("scenarios");
    fs::create_dir(&scenarios).expect("the folder is empty");
    for name in ["steady.toml", "slow-worker.toml", "rough.toml"] {
        let from = root().join(EXAMPLE).join("scenarios").join(name);
        fs::copy(from, scenarios.join(name)).expect("the scenario is there");
    }
    // The only test of this program that depends on the working directory.
    std::env::set_current_dir(folder.path()).expect("the folder is there");
    let mut fresh = page.clone();
    let mut exit = 0;
    for block in blocks(&page, "console") {
        let commands = block.lines().filter(|line| line.starts_with("$ "));
        let printed: String = commands.map(|line| perform(line, &mut exit)).collect();
        fresh = fresh.replacen(&block, &printed, 1);
    }
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).expect("this crate is there");
    if bless() {
        fs::write(root().join(PAGE), fresh).expect("the page can be written");
    } else {
        assert_eq!(without_what_varies(&page), without_what_varies(&fresh));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a test writes its page anew is nothing that is simulated"
)]
fn bless() -> bool {
    std::env::var_os("BLESS_DOCS").is_some()
}

/// The command line and what it prints.
fn perform(line: &str, exit: &mut u8) -> String {
    if line == "$ echo $?" {
        return format!("{line}\n{exit}\n");
    }
    let arguments = line
        .strip_prefix("$ cargo run -q -- ")
        .unwrap_or_else(|| panic!("a command that this test cannot run: {line}"));
    let words: Vec<&str> = ["work-queue"]
        .into_iter()
        .chain(arguments.split(' '))
        .collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let console = Console::captured(&mut out, &mut err);
    *exit = execute::<work_queue::WorkQueue, _>(&words, console).code();
    // The clock of this console stands still; a run like these takes a millisecond.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(" in 0 µs", " in 1 ms");
    format!("{line}\n{}{}", text(&out), text(&err))
}

/// Wall times differ from day to day, fingerprints with every version of the kernel: what stands
/// behind ` in ` or `fingerprint` is not compared.
fn without_what_varies(page: &str) -> String {
    let line = |line: &str| {
        let (before, behind) = line.split_once(" in ").unwrap_or((line, ""));
        let is_wall_time = before.ends_with(" virtual") || before.ends_with(" events");
        let is_fingerprint =
            |word: &str| word.len() == 32 && u128::from_str_radix(word, 16).is_ok();
        let kept = if is_wall_time && !behind.is_empty() {
            before
        } else {
            line
        };
        let words = kept.split(' ').filter(|word| !is_fingerprint(word));
        words.collect::<Vec<&str>>().join(" ")
    };
    page.lines().map(line).collect::<Vec<String>>().join("\n")
}

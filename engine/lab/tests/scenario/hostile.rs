//! Files that nobody writes by hand: they must neither reach the terminal nor stop the program.

use dacapo_lab::scenario::Overrides;
use insta::assert_snapshot;

use crate::system::{Folder, LEAST, set};

fn report(toml: impl AsRef<[u8]>) -> String {
    Folder::with(toml).report("depot.toml", &Overrides::default())
}

/// Whether a character acts on a terminal or on the order of writing.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn what_acts_on_a_terminal_is_shown_and_not_done() {
    let comment = "name = 3 # \u{9b}2J \u{202e}txet \u{2066}x\n";
    let text = format!("{LEAST}pace = \"\\u001b[31mred\\u0007 \u{9b}31m \u{202e}der\"\n");
    let key = format!("{LEAST}\"\\u001b]0;title\\u0007\\n\u{202e}\" = 3\n");
    let name = "name = \"a\\u001b[2Jb\"\n[[workers]]\nname = \"ada\"\n";
    let worker = format!("{LEAST}takes_from = [\"\\u001b[2J\\n\u{202e}\"]\n");
    let reports = [comment, &text, &key, name, &worker].map(report);
    for report in &reports {
        assert!(!report.contains(acts), "{report:?}");
    }
    assert_snapshot!("terminal", reports.join("\n\n"));
}

#[test]
fn a_raw_escape_in_the_file_is_no_toml_and_is_not_echoed() {
    for raw in ["\u{1b}[31m", "\u{7}", "\u{0}", "\u{7f}"] {
        let report = report(format!("name = \"a{raw}b\"\n"));
        assert!(!report.contains(acts), "{report:?}");
        assert!(report.contains("not valid TOML"), "{report}");
    }
}

#[test]
fn options_and_file_names_are_not_echoed_raw() {
    let folder = Folder::with(LEAST);
    let report = folder.report("depot.toml", &set(&["run.\u{1b}[31m=3\u{9b}"]));
    assert!(!report.contains(acts), "{report:?}");
    let report = folder.report("de\u{1b}[31mpot.toml", &Overrides::default());
    assert!(!report.contains(acts), "{report:?}");
    folder.write("\u{1b}[31mx.toml", "");
    let report = folder.report("\u{1b}[31my.toml", &Overrides::default());
    assert!(!report.contains(acts), "{report:?}");
    assert!(report.contains("did you mean"), "{report}");
}

#[test]
fn columns_are_those_of_the_file() {
    let at = |toml: &str| {
        let error = Folder::with(toml).load(&Overrides::default()).unwrap_err();
        (error.line.unwrap(), error.column.unwrap())
    };
    assert_eq!(at("name = 3\n"), (1, 8));
    assert_eq!(at("\u{feff}name = 3\n"), (1, 8));
    assert_eq!(at("\t\tname = 3\n"), (1, 10));
    assert_eq!(at("story = \"\"\r\nname = 3\r\n"), (2, 8));
    assert_eq!(at("run.\"größer\" = 3\n"), (1, 5));
    assert_eq!(at("run = { \"größer\" = 3, seed = 1 }\n"), (1, 9));
    assert_eq!(at("name = \"größer\"\nbelt = { \"é\" = 3 }\n"), (2, 10));
}

#[test]
fn the_caret_stands_under_its_word() {
    let reports = [
        "\tname = 3\n",
        "\u{feff}name = 3\r\n",
        "story = \"größer\"\nrun = { start = \"東京\", seed = -1 }\n",
        "name = '''\nthree\nlines/'''\n[[workers]]\nname = \"ada\"\n",
    ]
    .map(report);
    assert_snapshot!("caret", reports.join("\n\n"));
}

#[test]
fn a_very_long_line_is_cut_around_its_mistake() {
    let long = format!(
        "{LEAST}takes_from = [{}\"adda\"]\n",
        "\"ada\", ".repeat(100_000)
    );
    let report = report(long);
    assert!(report.lines().all(|line| line.chars().count() < 200));
    assert_snapshot!("long_line", report);
}

#[test]
fn deep_nesting_is_a_mistake_and_not_the_end_of_the_program() {
    let dotted = format!("{LEAST}[x]\n{}a = 1\n", "a.".repeat(400_000));
    let spaced = format!("{LEAST}[x]\n{}a = 1\n", "a . \"b\" . ".repeat(100_000));
    let header = format!("{LEAST}[{}a]\n", "a.".repeat(400_000));
    let arrays = format!(
        "{LEAST}x = {}{}\n",
        "[".repeat(400_000),
        "]".repeat(400_000)
    );
    let mixed = format!(
        "{LEAST}x = {}1{}\n",
        "{ a.b.c.d.e.f.g.h = ".repeat(70),
        " }".repeat(70)
    );
    for (toml, said) in [
        (dotted, "a key has at most 16 parts"),
        (spaced, "a key has at most 16 parts"),
        (header, "a key has at most 16 parts"),
        (arrays, "not valid TOML"),
        (mixed, "nested more than 64 deep"),
    ] {
        let report = report(toml);
        assert!(report.contains(said), "{report}");
    }
    let folder = Folder::with(LEAST);
    let deep = format!("{}=1", "a.".repeat(400_000) + "a");
    let report = folder.report("depot.toml", &set(&[&deep]));
    assert!(report.contains("is no key"), "{report}");
}

#[test]
fn a_key_has_at_most_sixteen_parts() {
    let key = |parts: usize| format!("{LEAST}[x]\n{} = 1\n", vec!["a"; parts].join("."));
    assert!(report(key(16)).contains("unknown key `x`"));
    assert!(report(key(17)).contains("a key has at most 16 parts"));
}

#[test]
fn the_deepest_file_that_the_parser_takes_is_refused_and_let_go() {
    let table = format!("{{ {} = ", vec!["a"; 16].join("."));
    for levels in [70, 79, 90] {
        let deep = format!(
            "{LEAST}x = {}1{}\n",
            table.repeat(levels),
            " }".repeat(levels)
        );
        let report = report(deep);
        assert!(
            report.contains("nested more than 64 deep") || report.contains("not valid TOML"),
            "{report}"
        );
    }
}

#[test]
fn long_words_are_neither_compared_nor_repeated_in_full() {
    let report = report(format!("{LEAST}pace = \"{}\"\n", "steady".repeat(100_000)));
    assert!(report.len() < 2_000, "{}", report.len());
}

//! No text of the project knows the machine it was written on.

use super::{Document, documents};

/// Folders that exist on one machine and not on the next.
const FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

fn machine_paths(document: &Document) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(document.text.lines()) {
        for folder in FOLDERS.iter().filter(|folder| names(line, folder)) {
            complaints.push(format!("{}:{number}: names /{folder}", document.path));
        }
    }
    complaints
}

/// Whether a line names this folder at the root of a machine, or something in it.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices('/').any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let Some(after) = line[at + 1..].strip_prefix(folder) else {
            return false;
        };
        let is_part = |c: char| c.is_alphanumeric() || "_-.~*}".contains(c);
        !before.is_some_and(|c| is_part(c) || c == '/') && !after.starts_with(is_part)
    })
}

#[test]
fn no_text_names_a_folder_of_one_machine() {
    let complaints: Vec<String> = documents().iter().flat_map(machine_paths).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_path_of_one_machine_is_noticed() {
    let planted = |text: &str| {
        let path = "docs/a.md".to_owned();
        let text = text.to_owned();
        machine_paths(&Document { path, text }).len()
    };
    for folder in FOLDERS {
        assert_eq!(planted(&format!("see `/{folder}/project`")), 1, "{folder}");
        assert_eq!(planted(&format!("cd /{folder}")), 1, "{folder}");
        assert_eq!(planted(&format!("path=\"/{folder}/x\"")), 1, "{folder}");
        assert_eq!(
            planted(&format!("docs/{folder}/x, ../{folder}/x, a-/{folder}er")),
            0
        );
    }
    assert_eq!(planted("docs/examples/work-queue and /workshop"), 0);
}

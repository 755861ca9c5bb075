//! The files that the documents name are there.

use dacapo_tests::root;

use super::{Document, documents};

/// The beginnings of paths that are meant from the root of the project.
const FOLDERS: [&str; 6] = [
    "scenarios/",
    "docs/",
    "engine/",
    "tests/",
    "benches/",
    ".ci/",
];

/// The example system, a project of its own.
const EXAMPLE: &str = "docs/examples/work-queue";

/// The paths of the project that a Markdown text names.
fn named(text: &str) -> Vec<&str> {
    let breaks = |c: char| c.is_whitespace() || "`()[]<>\"',;:|#".contains(c);
    let words = text.split(breaks).map(|word| word.trim_end_matches('.'));
    words
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        // A path with a placeholder stands for many.
        .filter(|word| !word.contains(['*', '{', '…', '$']) && !word.contains("NAME"))
        .collect()
}

fn missing(document: &Document) -> Vec<String> {
    let named = named(&document.text).into_iter();
    named
        .filter(|path| !root().join(path).exists())
        // The page on the example tells what is run in the example's own folder.
        .filter(|path| !root().join(EXAMPLE).join(path).exists())
        .map(|path| format!("{}: names {path}, which does not exist", document.path))
        .collect()
}

/// The pages for whoever uses the project. A decision may name what has gone since.
fn is_page(document: &&Document) -> bool {
    let path = &document.path;
    path.ends_with(".md")
        && (path == "README.md" || path.starts_with("docs/") || path.starts_with("scenarios/"))
        && !path.starts_with("docs/decisions/")
}

#[test]
fn every_file_that_a_page_names_exists() {
    let documents = documents();
    let pages: Vec<&Document> = documents.iter().filter(is_page).collect();
    assert!(!pages.is_empty());
    let complaints: Vec<String> = pages.into_iter().flat_map(missing).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_noticed() {
    let page = |text: &str| Document {
        path: "README.md".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(missing(&page("run `scenarios/no-such.toml`.")).len(), 1);
    assert_eq!(missing(&page("[the log](docs/no-such.md#bytes)")).len(), 1);
    assert_eq!(
        missing(&page(
            "run scenarios/deadlock.toml; see docs/log-format.md."
        ))
        .len(),
        0
    );
    assert_eq!(
        missing(&page("`scenarios/*.toml`, `engine/NAME/src`")).len(),
        0
    );
}

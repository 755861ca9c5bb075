//! Source files as texts: where they lie, and what is left of them without comments and tests.

use std::fs;
use std::path::Path;

use dacapo_tests::root;

/// One Rust source file.
pub(super) struct Source {
    /// From the root of the project, with slashes.
    pub(super) path: String,
    /// All of it.
    pub(super) text: String,
    /// The same without the content of comments and texts, line by line.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code: without_words(text),
        }
    }

    /// Whether all of it is test code.
    pub(super) fn is_test(&self) -> bool {
        let (folders, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        folders
            .split('/')
            .any(|folder| folder == "tests" || folder == "benches")
            || file == "tests.rs"
            || file.ends_with("_tests.rs")
    }

    /// Its numbered lines of code outside comments and tests.
    pub(super) fn product_lines(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut in_test = false;
        for (number, line) in (1..).zip(self.code.lines()) {
            in_test |= line.starts_with("#[cfg(test)]");
            if !in_test {
                lines.push((number, line));
            }
            // An item at the margin ends at the margin, or in the line of a module elsewhere.
            let ends = line == "}" || line.ends_with(';') && !line.starts_with(' ');
            in_test &= !ends;
        }
        lines
    }
}

/// Every Rust file below these folders, except what a build left there.
pub(super) fn rust_files(folders: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&root().join(folder), folder, &mut found);
    }
    found
}

fn collect(folder: &Path, name: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let (path, file) = (entry.path(), entry.file_name());
        let file = file.to_string_lossy();
        let name = format!("{name}/{file}");
        if path.is_dir() && file != "target" {
            collect(&path, &name, found);
        } else if file.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("source files are UTF-8");
            found.push(Source::new(&name, &text));
        }
    }
}

/// The names in a line of code: maximal runs of letters, digits and underscores.
pub(super) fn names(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|name| !name.is_empty())
}

/// Source text whose comments and text literals are blank; lines stay where they are.
fn without_words(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = word_length(rest, code.chars().next_back());
        if length == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        // What stood there still separates its neighbours.
        code.push(' ');
        rest = &rest[length..];
    }
    let lines: Vec<&str> = code.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The length of the comment or literal that `rest` begins with; 0 if it begins with code.
fn word_length(rest: &str, before: Option<char>) -> usize {
    let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let until = |end: &str, from: usize| {
        let found = rest[from..].find(end);
        found.map_or(rest.len(), |at| from + at + end.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until("*/", 2);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with("r\"") || rest.starts_with("r#") && !in_name {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            return until(&end, 2 + hashes);
        }
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        // A lifetime has no second quotation mark right behind its first letter.
        let letter = inside.chars().next().map_or(0, char::len_utf8);
        if inside.starts_with('\\') {
            return quoted(rest, '\'');
        }
        if inside[letter..].starts_with('\'') {
            return letter + 2;
        }
    }
    0
}

fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = r##"let a = "HashMap // "; // HashMap
/* HashMap
*/ let b = r#"a "HashMap" b"#; let c: &'static str = 'x'; '\'' HashSet
"##;
    let source = Source::new("engine/kernel/src/a.rs", text);
    assert!(!source.code.contains("HashMap"), "{}", source.code);
    assert!(source.code.contains("HashSet") && source.code.contains("&'static str"));
    assert_eq!(source.code.lines().count(), text.lines().count());
}

#[test]
fn test_modules_are_no_product() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod d;\nfn e() {}\n";
    let source = Source::new("engine/kernel/src/a.rs", text);
    let kept: Vec<usize> = source
        .product_lines()
        .into_iter()
        .map(|(line, _)| line)
        .collect();
    assert_eq!(kept, [1, 6, 9]);
    for path in [
        "engine/a/src/b/tests.rs",
        "engine/a/tests/b.rs",
        "engine/a/src/b_tests.rs",
    ] {
        assert!(Source::new(path, text).product_lines().is_empty(), "{path}");
    }
}

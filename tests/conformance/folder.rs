//! The folders that recordings are read from.

use std::fs;
use std::path::PathBuf;

use dacapo_tests::root;

/// A folder of recordings: where it lies in the project, and what names another one instead.
#[derive(Clone, Copy)]
pub(crate) struct Folder {
    /// An environment variable. A relative path in it begins at the root of the project.
    pub(crate) variable: &'static str,
    /// From the root of the project.
    pub(crate) default: &'static str,
}

/// Recorded cases, one per line.
pub(crate) const VECTORS: Folder = Folder {
    variable: "DACAPO_VECTORS",
    default: "tests/data/vectors",
};

/// Recorded end-to-end runs, one file each.
pub(crate) const E2E: Folder = Folder {
    variable: "DACAPO_E2E",
    default: "tests/data/e2e",
};

/// A file of recordings; what cannot be read says why.
pub(crate) struct File {
    /// Its name without the ending.
    pub(crate) stem: String,
    /// Its path, for messages.
    pub(crate) path: String,
    /// Its text, or what prevents reading it.
    pub(crate) text: Result<String, String>,
}

impl Folder {
    /// Whether the environment names it.
    pub(crate) fn given(self) -> Option<String> {
        #[expect(
            clippy::disallowed_methods,
            reason = "chooses which recordings are compared; no run can see it"
        )]
        std::env::var(self.variable).ok()
    }

    /// Where it lies.
    pub(crate) fn path(self) -> PathBuf {
        let given = self.given();
        root().join(given.as_deref().unwrap_or(self.default))
    }

    /// Its `*.jsonl` files by name.
    ///
    /// # Errors
    /// If it cannot be listed, or has no such file.
    pub(crate) fn files(self) -> Result<Vec<File>, String> {
        let folder = self.path();
        let shown = folder.display();
        let entries = fs::read_dir(&folder).map_err(|error| self.explained(&error.to_string()))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
            if path.extension().is_some_and(|ending| ending == "jsonl") {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(self.explained("it has no *.jsonl file"));
        }
        paths.sort();
        Ok(paths.into_iter().map(File::read).collect())
    }

    fn explained(self, error: &str) -> String {
        let (folder, variable) = (self.path(), self.variable);
        format!(
            "{}: {error}; {variable} names another folder, from the root of the project",
            folder.display()
        )
    }
}

impl File {
    fn read(path: PathBuf) -> File {
        let stem = path.file_stem().unwrap_or_default();
        File {
            stem: stem.to_string_lossy().into_owned(),
            path: path.display().to_string(),
            text: fs::read_to_string(&path).map_err(|error| error.to_string()),
        }
    }
}

/// The variables that are set, with the folders that they name.
pub(crate) fn named() -> impl Iterator<Item = (&'static str, String)> {
    let folders = [VECTORS, E2E].into_iter();
    folders.filter_map(|folder| Some((folder.variable, folder.given()?)))
}

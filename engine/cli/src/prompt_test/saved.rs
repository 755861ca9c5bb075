//! Replies as they come, into a file: what was paid for is there even if the rest never comes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use dacapo_lab::rehearing::SavedReply;

use crate::exit::Problem;

/// A file of replies that is being written.
pub(super) struct SavedFile {
    path: PathBuf,
    file: File,
}

impl SavedFile {
    /// Creates it; one that exists is never replaced.
    pub(super) fn create(path: &Path) -> Result<SavedFile, Problem> {
        let mut options = OpenOptions::new();
        let created = options.write(true).create_new(true).mode(0o600).open(path);
        let file = created.map_err(|error| {
            let place = path.display();
            Problem::usage(format!(
                "{place} cannot be created: {error}; give another path"
            ))
        })?;
        Ok(SavedFile {
            path: path.to_owned(),
            file,
        })
    }

    /// Adds a reply, as one line.
    pub(super) fn append(&mut self, reply: &SavedReply) -> Result<(), Problem> {
        let mut line = serde_json::to_vec(reply).expect("a reply is plain data");
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| {
            let place = self.path.display();
            Problem::internal(format!("{place} cannot be written: {error}"))
        })
    }
}

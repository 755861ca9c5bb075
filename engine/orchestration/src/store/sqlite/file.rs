//! The file of a store, and the mark beside it by which it is known that there was one.
//!
//! The mark of `run.store` is `run.store.mark`: a line with the number of the last commit. It is written
//! after each commit and needs no care: what may be wrong with it after a loss of power is that it lags.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::store::tables::{Loss, TableError};

/// Digits of the number in a mark, with leading zeros, so that a later one covers it.
const DIGITS: usize = 20;

/// Nobody else reads a store: it tells what somebody owns.
const MODE: u32 = 0o600;

/// The file of a store.
#[derive(Debug)]
pub(super) struct StoreFile {
    path: PathBuf,
    mark: File,
}

impl StoreFile {
    /// A new file.
    ///
    /// # Errors
    /// If there is one of that name or its mark already, or it cannot be made.
    pub(super) fn create(path: &Path) -> Result<StoreFile, TableError> {
        for taken in [path.to_owned(), beside(path, ".mark")] {
            if taken.symlink_metadata().is_ok() {
                return Err(TableError::Failed(format!(
                    "{} exists: a run begins with an empty store; remove the store and its mark, or name another",
                    taken.display()
                )));
            }
        }
        new_file(path).map_err(|error| at(path, &error))?;
        let (file, _) = StoreFile::open(path)?;
        Ok(file)
    }

    /// A file that may be there, and the number of the last commit that was made to it, if its mark says.
    ///
    /// # Errors
    /// If its mark can be neither read nor made.
    pub(super) fn open(path: &Path) -> Result<(StoreFile, Option<u64>), TableError> {
        let mark_path = beside(path, ".mark");
        let is_link = |path: &Path| path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        if is_link(&mark_path) {
            let error = io::Error::other("a mark is no symbolic link: remove it");
            return Err(at(&mark_path, &error));
        }
        let is_new = !mark_path.exists();
        let opened = if is_new {
            let made = new_file(&mark_path);
            // A file is there for good when its folder says so.
            made.and_then(|mark| sync_folder(path).map(|()| mark))
        } else {
            OpenOptions::new().read(true).write(true).open(&mark_path)
        };
        let mut file = StoreFile {
            path: path.to_owned(),
            mark: opened.map_err(|error| at(&mark_path, &error))?,
        };
        let number = if is_new {
            if path.symlink_metadata().is_err() {
                file.make()?;
            }
            file.mark(0);
            Some(0)
        } else {
            file.marked()
        };
        Ok((file, number))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// There was a file: where there is none now, it is gone, and SQLite must not make another.
    pub(super) fn must_be_there(&self) -> Result<(), TableError> {
        match self.path.symlink_metadata() {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Loss::Gone.into()),
            Err(error) => Err(at(&self.path, &error)),
        }
    }

    /// Makes an empty file.
    pub(super) fn make(&self) -> Result<(), TableError> {
        let made = new_file(&self.path).and_then(|_| sync_folder(&self.path));
        made.map_err(|error| at(&self.path, &error))
    }

    /// Renames what is there, so that somebody can still look into it.
    pub(super) fn put_aside(&self) -> Result<(), TableError> {
        if self.must_be_there().is_err() {
            return Ok(());
        }
        let free = (1..).map(|n: u32| beside(&self.path, &format!(".lost-{n}")));
        let mut free = free.filter(|path| path.symlink_metadata().is_err());
        let Some(aside) = free.next() else {
            return Ok(());
        };
        // The journal belongs to what it is about to be undone in.
        let journal = beside(&self.path, "-journal");
        if journal.is_file() {
            let renamed = fs::rename(&journal, beside(&aside, "-journal"));
            renamed.map_err(|error| at(&journal, &error))?;
        }
        fs::rename(&self.path, &aside).map_err(|error| at(&self.path, &error))
    }

    /// Notes the number of a commit. One that cannot be noted is lost to the mark, not to the store.
    pub(super) fn mark(&mut self, number: u64) {
        let line = format!("{number:0DIGITS$}\n");
        let written = self.mark.seek(SeekFrom::Start(0));
        let _lags = written.and_then(|_| self.mark.write_all(line.as_bytes()));
    }

    fn marked(&mut self) -> Option<u64> {
        let mut text = String::new();
        let mark = (&self.mark).take(DIGITS as u64 + 1);
        { mark }.read_to_string(&mut text).ok()?;
        text.trim_end().parse().ok()
    }
}

/// A name beside another.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(MODE);
    options.open(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn at(path: &Path, error: &io::Error) -> TableError {
    TableError::Failed(format!("{}: {error}", path.display()))
}

//! A log in a file: regular, private, never reached through a symbolic link, with one writer.
//!
//! The lock is the system's own and falls with the process that holds it. Readers take none.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::LogError;
use super::storage::Storage;

/// Read and write for the owner, nothing for anybody else.
const MODE: u32 = 0o600;

/// A file that holds a log.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    /// Where the next byte goes.
    end: u64,
}

impl File {
    /// Creates a file that does not exist yet, locks it, and makes its name durable.
    ///
    /// # Errors
    /// [`LogError::Exists`] if there is anything of this name, be it a dangling symbolic link;
    /// [`LogError::File`] if the system refuses.
    pub fn create_new(path: &Path) -> Result<File, LogError> {
        let file = create(path)?;
        lock(&file, path)?;
        sync_with_folder(&file, path)?;
        Ok(File { file, end: 0 })
    }

    /// Opens a log for reading.
    ///
    /// # Errors
    /// [`LogError::NotRegularFile`] for a symbolic link, folder, pipe, socket or device;
    /// [`LogError::File`] if the system refuses.
    pub fn open(path: &Path) -> Result<File, LogError> {
        open_regular(path, OpenOptions::new().read(true))
    }

    /// Opens a log for reading that nobody is writing, and keeps writers away while it is read.
    /// Nothing about the file changes.
    ///
    /// # Errors
    /// Those of [`File::open`], and [`LogError::Locked`] if it has a writer.
    pub fn open_at_rest(path: &Path) -> Result<File, LogError> {
        let opened = open_regular(path, OpenOptions::new().read(true))?;
        lock_by(&opened.file, path, fs::File::try_lock_shared)?;
        Ok(opened)
    }

    /// Opens a log for reading and writing, as its only writer.
    ///
    /// # Errors
    /// Those of [`File::open`], and [`LogError::Locked`] if it has a writer.
    pub fn open_locked(path: &Path) -> Result<File, LogError> {
        let opened = open_regular(path, OpenOptions::new().read(true).write(true))?;
        lock(&opened.file, path)?;
        // The name may have passed to another file before the lock was ours.
        let named = regular_metadata(path)?;
        let ours = opened
            .file
            .metadata()
            .map_err(|source| file_error("look at", path, source))?;
        if !same_file(&named, &ours) {
            return Err(LogError::Locked {
                path: path.to_owned(),
            });
        }
        let end = ours.len();
        Ok(File { end, ..opened })
    }
}

impl Storage for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.end)?;
        self.end += written as u64;
        Ok(written)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }

    fn write_again(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, offset)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.end = len;
        Ok(())
    }
}

/// A new file that takes the name of an old one when it is ready, so that there is at every
/// moment either the old log or the new one under that name.
pub(crate) struct Replacement {
    path: PathBuf,
    beside: PathBuf,
    /// Held until the name has passed on: nobody else replaces or continues the old log meanwhile.
    _old: Option<File>,
}

impl Replacement {
    /// Creates and locks a file beside `path`, which becomes it at [`Replacement::take_name`].
    pub(crate) fn begin(path: &Path) -> Result<(Replacement, File), LogError> {
        let old = match fs::symlink_metadata(path) {
            Ok(_) => Some(File::open_locked(path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(file_error("look at", path, source)),
        };
        let beside = beside(path);
        // One that an interrupted replacement left has no writer, or its lock says so.
        match File::open_locked(&beside) {
            Ok(_) => {
                fs::remove_file(&beside).map_err(|source| file_error("remove", &beside, source))?
            }
            Err(LogError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = create(&beside)?;
        lock(&file, &beside)?;
        Ok((
            Replacement {
                path: path.to_owned(),
                beside,
                _old: old,
            },
            File { file, end: 0 },
        ))
    }

    /// Gives the new file, whose content is synced by now, the name of the old one.
    pub(crate) fn take_name(self) -> Result<(), LogError> {
        fs::rename(&self.beside, &self.path)
            .map_err(|source| file_error("replace", &self.path, source))?;
        sync_folder(&self.path)
    }
}

/// `.NAME.new` in the same folder.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn create(path: &Path) -> Result<fs::File, LogError> {
    let created = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path);
    created.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => LogError::Exists {
            path: path.to_owned(),
        },
        _ => file_error("create", path, source),
    })
}

/// Looks before it opens, because opening a pipe waits and opening a device may act; and looks
/// again afterwards, because the name may have changed hands in between.
fn open_regular(path: &Path, options: &OpenOptions) -> Result<File, LogError> {
    let named = regular_metadata(path)?;
    let file = options
        .open(path)
        .map_err(|source| file_error("open", path, source))?;
    let opened = file
        .metadata()
        .map_err(|source| file_error("look at", path, source))?;
    if !same_file(&named, &opened) {
        return Err(LogError::NotRegularFile {
            path: path.to_owned(),
            found: "being replaced",
        });
    }
    Ok(File {
        end: opened.len(),
        file,
    })
}

fn regular_metadata(path: &Path) -> Result<Metadata, LogError> {
    let named = fs::symlink_metadata(path).map_err(|source| file_error("open", path, source))?;
    let kind = named.file_type();
    let found = match () {
        () if kind.is_file() => return Ok(named),
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(LogError::NotRegularFile {
        path: path.to_owned(),
        found,
    })
}

fn same_file(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn lock(file: &fs::File, path: &Path) -> Result<(), LogError> {
    lock_by(file, path, fs::File::try_lock)
}

fn lock_by(
    file: &fs::File,
    path: &Path,
    take: fn(&fs::File) -> Result<(), TryLockError>,
) -> Result<(), LogError> {
    take(file).map_err(|error| match error {
        TryLockError::WouldBlock => LogError::Locked {
            path: path.to_owned(),
        },
        TryLockError::Error(source) => file_error("lock", path, source),
    })
}

fn sync_with_folder(file: &fs::File, path: &Path) -> Result<(), LogError> {
    file.sync_all()
        .map_err(|source| file_error("sync", path, source))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), LogError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| file_error("sync the folder", folder, source))
}

fn file_error(doing: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::File {
        doing,
        path: path.to_owned(),
        source,
    }
}

//! The data files of a scenario: those that lie in its folder, and no others.
//!
//! Every file that is opened is digested and noted. What is in a file is the system's affair.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};

use dacapo_kernel::{BuildError, DataFile, Dialogue, Files, Program};

use super::nearest::nearest;
use super::safe::printable;
use crate::process;

/// The largest data file that is read, in bytes: 256 MiB.
pub const DATA_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The folder of a scenario, as the place that its data files are read from.
///
/// Opens regular files inside the folder, up to [`DATA_BYTES_MAX`]; refuses absolute paths,
/// `..`, links that leave the folder, folders and devices. A file that differs between two
/// openings is refused too, so that one run never sees two versions.
#[derive(Clone, Debug)]
pub struct DataDir {
    folder: PathBuf,
    opened: RefCell<BTreeMap<String, DataFile>>,
    /// Files that take the place of those of their paths, whether there are any or not.
    given: BTreeMap<String, Vec<u8>>,
    /// The folder for what a run leaves; where the run is made, if none is named.
    leaves_in: PathBuf,
}

impl DataDir {
    /// The files in this folder.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn new(folder: &Path) -> std::io::Result<DataDir> {
        Ok(DataDir {
            folder: folder.canonicalize()?,
            opened: RefCell::default(),
            given: BTreeMap::new(),
            leaves_in: PathBuf::new(),
        })
    }

    /// The same with these files in the place of those of their paths.
    pub(super) fn given(mut self, files: BTreeMap<String, Vec<u8>>) -> DataDir {
        self.given = files;
        self
    }

    /// The same for a run that leaves its own files in this folder.
    pub fn leaving_in(mut self, folder: &Path) -> DataDir {
        self.leaves_in = folder.to_owned();
        self
    }

    /// Every file that was opened so far, sorted by path.
    pub fn opened(&self) -> Vec<DataFile> {
        self.opened.borrow().values().cloned().collect()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        if let Some(bytes) = self.given.get(path) {
            return Ok(bytes.clone());
        }
        let place = self.place(path)?;
        // A pipe would block on opening, so what it is comes before.
        let kind = fs::metadata(&place).map_err(|error| error.to_string())?;
        if kind.is_dir() {
            return Err("is a folder; name a file in it".to_owned());
        }
        if !kind.is_file() {
            return Err("is a device or a pipe; only regular files are read".to_owned());
        }
        let too_large =
            || format!("is larger than {DATA_BYTES_MAX} bytes, the most that is read; split it");
        if kind.len() > DATA_BYTES_MAX {
            return Err(too_large());
        }
        let file = File::open(&place).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        file.take(DATA_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        // It may have grown since its length was asked for.
        if bytes.len() as u64 > DATA_BYTES_MAX {
            return Err(too_large());
        }
        Ok(bytes)
    }

    /// Where a file really lies, if that is inside the folder.
    fn place(&self, path: &str) -> Result<PathBuf, String> {
        let inside = Path::new(path);
        if path.is_empty() {
            return Err("expected the path of a file beside the scenario".to_owned());
        }
        for component in inside.components() {
            match component {
                Component::Normal(_) | Component::CurDir => {}
                Component::ParentDir => {
                    return Err(
                        "`..` leaves the scenario's folder; put the file beside the scenario"
                            .to_owned(),
                    );
                }
                Component::RootDir | Component::Prefix(_) => {
                    return Err("is absolute; give a path relative to the scenario file".to_owned());
                }
            }
        }
        let place = self.folder.join(inside);
        let real = place.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.missing(path),
            _ => error.to_string(),
        })?;
        if !real.starts_with(&self.folder) {
            return Err(
                "is a link that leaves the scenario's folder; put the file itself there".to_owned(),
            );
        }
        Ok(real)
    }

    /// What to say of a file that is not there: the nearest name beside it.
    fn missing(&self, path: &str) -> String {
        let inside = Path::new(path);
        let parent = inside.parent().unwrap_or(Path::new(""));
        let name = inside.file_name().unwrap_or_default().to_string_lossy();
        let beside = names_in(&self.folder.join(parent));
        match nearest(&name, beside.iter().map(String::as_str)) {
            Some(near) => format!(
                "there is no such file; did you mean `{}`?",
                parent.join(near).display()
            ),
            None => "there is no such file; paths are relative to the scenario file".to_owned(),
        }
    }

    fn note(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        let file = DataFile {
            path: path.to_owned(),
            digest: blake3::hash(bytes).to_hex().to_string(),
            bytes: bytes.len() as u64,
        };
        let mut opened = self.opened.borrow_mut();
        match opened.get(path) {
            Some(before) if *before != file => Err(format!(
                "changed while the run was prepared: BLAKE3 was {}, is {}; run again",
                before.digest, file.digest
            )),
            Some(_) => Ok(()),
            None => {
                opened.insert(path.to_owned(), file);
                Ok(())
            }
        }
    }
}

impl Files for DataDir {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        let noted = self
            .read(path)
            .and_then(|bytes| self.note(path, &bytes).map(|()| bytes));
        match noted {
            Ok(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Err(what) => Err(BuildError::File {
                path: match path {
                    "" => "(no path)".to_owned(),
                    path => printable(path),
                },
                what: printable(&what),
            }),
        }
    }

    fn place_to_leave(&self, path: &str) -> Option<PathBuf> {
        Some(self.leaves_in.join(path))
    }

    /// A program with a path lies in the scenario's folder; any other is one of the machine's.
    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        let first = program.command.first().map_or("", String::as_str);
        let executable = match first.contains('/') {
            true => self.place(first).map_err(|what| BuildError::File {
                path: printable(first),
                what: printable(&what),
            })?,
            false => PathBuf::from(first),
        };
        Ok(Box::new(process::start(
            program,
            &executable,
            &self.folder,
        )?))
    }
}

/// The names in a folder, sorted; none if it cannot be read.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(1_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

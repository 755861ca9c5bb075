//! The data files of a recorded run: a log names them with their digests, and does not hold them.
//!
//! They are looked for in a few folders, and taken only if every byte is as it was.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dacapo_kernel::{BuildError, DataFile, Dialogue, Files, Program, Service};

use crate::scenario::{DataDir, printable};

/// The data files of a recorded run, in memory: many runs read them.
#[derive(Debug, Default)]
pub struct RecordedFiles {
    bytes: BTreeMap<String, Rc<[u8]>>,
}

impl RecordedFiles {
    /// Finds all of them in the first of these folders that has them as they were.
    ///
    /// # Errors
    /// What is wrong with which file in which folder.
    pub fn find(data: &[DataFile], folders: &[PathBuf]) -> Result<RecordedFiles, String> {
        if data.is_empty() {
            return Ok(RecordedFiles::default());
        }
        let mut wrong = Vec::new();
        for folder in folders {
            match RecordedFiles::in_folder(data, folder) {
                Ok(found) => return Ok(found),
                Err(what) => wrong.push(what),
            }
        }
        Err(wrong.join("; "))
    }

    fn in_folder(data: &[DataFile], folder: &Path) -> Result<RecordedFiles, String> {
        let shown = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let here = |what: String| format!("{}: {what}", printable(&shown.to_string_lossy()));
        let dir = DataDir::new(shown).map_err(|error| here(error.to_string()))?;
        let mut bytes = BTreeMap::new();
        for file in data {
            let mut read = Vec::new();
            let mut from = dir
                .open(&file.path)
                .map_err(|error| here(error.to_string()))?;
            from.read_to_end(&mut read)
                .map_err(|error| here(error.to_string()))?;
            if blake3::hash(&read).to_hex().as_str() != file.digest {
                let name = printable(&file.path);
                return Err(here(format!(
                    "{name} is not as it was when the log was made"
                )));
            }
            bytes.insert(file.path.clone(), read.into());
        }
        Ok(RecordedFiles { bytes })
    }
}

/// The files of a recorded run that a folder does not have as they were.
pub fn changed_files(data: &[DataFile], folder: &DataDir) -> Vec<String> {
    let is_as_it_was = |file: &&DataFile| {
        let mut read = Vec::new();
        let opened = folder.open(&file.path);
        let complete = opened.is_ok_and(|mut from| from.read_to_end(&mut read).is_ok());
        complete && blake3::hash(&read).to_hex().as_str() == file.digest
    };
    let changed = data.iter().filter(|file| !is_as_it_was(file));
    changed.map(|file| printable(&file.path)).collect()
}

impl Files for RecordedFiles {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        match self.bytes.get(path) {
            Some(bytes) => Ok(Box::new(Cursor::new(Rc::clone(bytes)))),
            None => Err(BuildError::File {
                path: printable(path),
                what: "is not among the data files of the log".to_owned(),
            }),
        }
    }

    fn place_to_leave(&self, _path: &str) -> Option<PathBuf> {
        None
    }

    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        let (shown, name) = (program.shown(), &program.name);
        Err(BuildError::Plan(format!(
            "`{shown}`, the program of {name}, would have to answer what the log has no answer to, and is not \
             started for a log; change the scenario and `run` it instead"
        )))
    }

    fn connect(&self, service: &Service) -> Result<Box<dyn Dialogue>, BuildError> {
        let name = &service.name;
        Err(BuildError::Plan(format!(
            "the {name} was asked live, and would have to answer what the log has no answer to; change the \
             scenario, and `record SCENARIO --from LOG` asks only what the log does not have"
        )))
    }
}

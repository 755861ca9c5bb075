//! The data files of a scenario, read once for the many runs of a worker.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::rc::Rc;

use dacapo_kernel::{BuildError, Dialogue, Files, Program};

/// Files that are read the first time they are opened, and kept in memory.
pub(super) struct KeptFiles<F> {
    files: F,
    kept: RefCell<BTreeMap<String, Rc<[u8]>>>,
}

impl<F: Files> KeptFiles<F> {
    pub(super) fn new(files: F) -> KeptFiles<F> {
        KeptFiles {
            files,
            kept: RefCell::default(),
        }
    }
}

impl<F: Files> Files for KeptFiles<F> {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        if let Some(bytes) = self.kept.borrow().get(path) {
            return Ok(Box::new(Cursor::new(Rc::clone(bytes))));
        }
        let mut bytes = Vec::new();
        let mut file = self.files.open(path)?;
        file.read_to_end(&mut bytes)
            .map_err(|error| BuildError::File {
                path: path.to_owned(),
                what: error.to_string(),
            })?;
        let bytes: Rc<[u8]> = bytes.into();
        self.kept
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&bytes));
        Ok(Box::new(Cursor::new(bytes)))
    }

    /// Many runs are made of one scenario, and none may find what another has left: a store in a file is one in memory.
    fn place_to_leave(&self, _path: &str) -> Option<PathBuf> {
        None
    }

    /// Each run has a program of its own, which knows nothing of other runs.
    fn start(&self, program: &Program) -> Result<Box<dyn Dialogue>, BuildError> {
        self.files.start(program)
    }
}

//! What the tests across the crates share: running a scenario of the product in memory.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Reader, Storage, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Outcome, Run, Verified, verify};
use dacapo_lab::scenario::{Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::views::Views;

/// Where the project's files are.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("the tests lie in a folder of the project")
        .to_owned()
}

/// A scenario of the project.
pub fn scenario(name: &str) -> PathBuf {
    root().join("scenarios").join(name).with_extension("toml")
}

/// A run that was recorded in memory.
pub struct Recorded {
    /// What is known of it.
    pub outcome: Outcome<Views>,
    /// Its log.
    pub log: Vec<u8>,
}

/// Records a scenario.
///
/// # Panics
/// If the scenario has a mistake or the run cannot be made.
pub fn record(path: &Path, overrides: &Overrides) -> Recorded {
    let loaded = load::<Orchestration>(path, overrides).unwrap_or_else(|error| panic!("{error}"));
    let bytes = Shared::default();
    let storage: BoxedStorage = Box::new(bytes.clone());
    let outcome = Run::<Orchestration>::new(&loaded.plan)
        .record(&loaded.files, storage, SyncPolicy::Never)
        .unwrap_or_else(|error| panic!("{error}"));
    let log = bytes.0.borrow().clone();
    Recorded { outcome, log }
}

/// Replays a log and compares every event.
///
/// # Panics
/// If the log cannot be read.
pub fn replay(log: &[u8]) -> Verified<Orchestration> {
    verify(reader(log), None).unwrap_or_else(|error| panic!("{error}"))
}

/// A reader of a log in memory.
///
/// # Panics
/// If the bytes are no log.
pub fn reader(log: &[u8]) -> Reader<BoxedStorage> {
    let storage: BoxedStorage = Box::new(Memory(log.to_vec()));
    Reader::open(storage).unwrap_or_else(|error| panic!("{error}"))
}

/// Bytes that can be looked at after the log that was written to them is closed.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Storage for Shared {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.borrow().len() as u64)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.borrow();
        let from = bytes.get(offset as usize..).unwrap_or_default();
        let read = from.len().min(into.len());
        into[..read].copy_from_slice(&from[..read]);
        Ok(read)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.borrow_mut().truncate(len as usize);
        Ok(())
    }
}

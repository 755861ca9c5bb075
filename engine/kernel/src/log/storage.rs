//! Where the bytes of a log are: a file, memory, or something that fails on purpose.
//!
//! The trait is as thin as the system calls below it. It may write and read less than it was asked
//! to and be interrupted, as they may; what to do then is decided here, once, for all of them.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use super::error::LogError;

/// Bytes that grow at the end.
pub trait Storage {
    /// Its length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether there is nothing in it.
    ///
    /// # Errors
    /// What the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Writes some of `bytes` at the end and says how many: at least one, unless it is full.
    ///
    /// # Errors
    /// What the system says; some bytes may have been written all the same.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns when everything appended so far, and the length, outlives a loss of power.
    ///
    /// # Errors
    /// What the system says. Nothing is known then about what is durable, and a later success
    /// would not change that.
    fn sync(&mut self) -> io::Result<()>;

    /// Reads some bytes at `offset` into `into` and says how many; 0 only at the end.
    ///
    /// # Errors
    /// What the system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes `bytes` over the same bytes at `offset`, and says how many, so that the next sync makes
    /// them durable even where the system takes them for written. After a sync that failed it may
    /// do so, and be wrong. Storage that never does has nothing to do.
    ///
    /// # Errors
    /// What the system says; the bytes are what they were.
    fn write_again(&mut self, _offset: u64, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    /// Drops everything from `len` on.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

impl<T: Storage + ?Sized> Storage for Box<T> {
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (**self).append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (**self).sync()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }

    fn write_again(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        (**self).write_again(offset, bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        (**self).truncate(len)
    }
}

/// Storage that somebody else can still look at after the log in it is closed.
impl<T: Storage + ?Sized> Storage for Rc<RefCell<T>> {
    fn len(&self) -> io::Result<u64> {
        self.borrow().len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.borrow_mut().append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.borrow_mut().sync()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.borrow().read_at(offset, into)
    }

    fn write_again(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.borrow_mut().write_again(offset, bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.borrow_mut().truncate(len)
    }
}

/// A log in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(pub Vec<u8>);

impl Storage for Memory {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_reserve(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.0.len());
        let len = into.len().min(self.0.len() - start);
        into[..len].copy_from_slice(&self.0[start..start + len]);
        Ok(len)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }
}

/// Appends all of `bytes`; `offset` is where they begin. Goes on after a short write and after an
/// interruption.
pub(crate) fn append_all<S: Storage>(
    storage: &mut S,
    offset: u64,
    bytes: &[u8],
) -> Result<(), LogError> {
    let mut done = 0;
    while done < bytes.len() {
        match storage.append(&bytes[done..]) {
            Ok(0) => {
                return Err(io_error(
                    "write the log",
                    offset + done as u64,
                    io::ErrorKind::WriteZero.into(),
                ));
            }
            Ok(written) => done += written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error("write the log", offset + done as u64, error)),
        }
    }
    Ok(())
}

/// Writes the bytes from `begin` to `end` over themselves, a piece at a time.
pub(crate) fn write_again<S: Storage>(
    storage: &mut S,
    begin: u64,
    end: u64,
) -> Result<(), LogError> {
    let mut piece = vec![0; (end - begin).min(64 * 1024) as usize];
    let mut at = begin;
    while at < end {
        let part = &mut piece[..(end - at).min(64 * 1024) as usize];
        read_full(storage, at, part)?;
        match storage.write_again(at, part) {
            Ok(0) => {
                return Err(io_error(
                    "write the log",
                    at,
                    io::ErrorKind::WriteZero.into(),
                ));
            }
            Ok(written) => at += written as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error("write the log", at, error)),
        }
    }
    Ok(())
}

/// Drops everything from `len` on. Goes on after an interruption.
pub(crate) fn cut<S: Storage>(storage: &mut S, len: u64) -> Result<(), LogError> {
    loop {
        match storage.truncate(len) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done.map_err(|source| io_error("cut the torn tail", len, source)),
        }
    }
}

/// Fills `into` from `offset` on. The caller knows that the storage is long enough: if it has become
/// shorter, that is an error of the storage.
pub(crate) fn read_full<S: Storage>(
    storage: &S,
    offset: u64,
    into: &mut [u8],
) -> Result<(), LogError> {
    let mut done = 0;
    while done < into.len() {
        match storage.read_at(offset + done as u64, &mut into[done..]) {
            Ok(0) => {
                return Err(io_error(
                    "read the log",
                    offset + done as u64,
                    io::ErrorKind::UnexpectedEof.into(),
                ));
            }
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(io_error("read the log", offset + done as u64, error)),
        }
    }
    Ok(())
}

pub(crate) fn io_error(doing: &'static str, offset: u64, source: io::Error) -> LogError {
    LogError::Io {
        doing,
        offset,
        source,
    }
}

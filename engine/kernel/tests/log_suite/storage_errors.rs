//! Storage that writes less than asked, is interrupted, or fails to be read.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use dacapo_kernel::Seq;
use dacapo_kernel::log::{LogError, Memory, Reader, Storage, SyncPolicy, Writer, recover_storage};

use crate::support::{append, closed, events, header, read};

const POLICY: SyncPolicy = SyncPolicy::Interval(6);

/// What a [`Flawed`] storage does.
#[derive(Clone, Debug, Default)]
struct Flaws {
    /// Writes and reads at most so many bytes at once.
    at_most: Option<usize>,
    /// Every other call is interrupted.
    is_interrupted: bool,
    /// The operation that fails, counted from 0.
    fails_at: Option<u64>,
}

#[derive(Debug, Default)]
struct Flawed {
    memory: Memory,
    flaws: Flaws,
    operations: Rc<Cell<u64>>,
}

impl Flawed {
    fn operation(&self) -> io::Result<()> {
        let at = self.operations.replace(self.operations.get() + 1);
        match self.flaws.fails_at == Some(at) {
            true => Err(io::ErrorKind::Other.into()),
            false if self.flaws.is_interrupted && at.is_multiple_of(2) => {
                Err(io::ErrorKind::Interrupted.into())
            }
            false => Ok(()),
        }
    }

    fn some(&self, len: usize) -> usize {
        self.flaws.at_most.unwrap_or(usize::MAX).min(len)
    }
}

impl Storage for Flawed {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.operation()?;
        self.memory.append(&bytes[..self.some(bytes.len())])
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.operation()?;
        let some = self.some(into.len());
        self.memory.read_at(offset, &mut into[..some])
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.operation()?;
        self.memory.truncate(len)
    }
}

fn flawed(flaws: Flaws) -> Flawed {
    Flawed {
        flaws,
        ..Flawed::default()
    }
}

#[test]
fn short_writes_and_interruptions_leave_an_identical_log() {
    let written = events(25);
    let expected = closed(&written, POLICY).storage;
    for at_most in [1, 3, 64, 1_000] {
        let flaws = Flaws {
            at_most: Some(at_most),
            is_interrupted: true,
            ..Flaws::default()
        };
        let mut writer = Writer::create(flawed(flaws.clone()), &header(), POLICY).unwrap();
        for event in &written {
            append(&mut writer, event).unwrap();
        }
        let storage = writer.close().unwrap().storage;
        assert_eq!(storage.memory, expected);
        let mut reader = Reader::open(Flawed { flaws, ..storage }).unwrap();
        let mut found = 0;
        while let Some(record) = reader.next().unwrap() {
            assert_eq!(record.body, written[found].body);
            found += 1;
        }
        assert_eq!(found, 25);
    }
}

/// Recovering and going on after a torn write, in the smallest steps.
#[test]
fn short_writes_and_interruptions_recover_to_an_identical_log() {
    let written = events(25);
    let log = closed(&written, POLICY).storage;
    let cut = log.0.len() / 2;
    let finish = |storage: Flawed| {
        let (mut writer, _) = recover_storage(storage, POLICY).unwrap();
        let begin = writer.next_seq().0 as usize;
        for event in &written[begin..] {
            append(&mut writer, event).unwrap();
        }
        writer.close().unwrap().storage.memory
    };
    let torn = |flaws| Flawed {
        memory: Memory(log.0[..cut].to_vec()),
        flaws,
        ..Flawed::default()
    };
    let expected = finish(torn(Flaws::default()));
    for at_most in [1, 3, 64] {
        let flaws = Flaws {
            at_most: Some(at_most),
            is_interrupted: true,
            ..Flaws::default()
        };
        assert_eq!(finish(torn(flaws)), expected, "{at_most} bytes at once");
    }
}

#[test]
fn an_error_of_the_storage_is_never_called_damage() {
    let log = closed(&events(25), POLICY).storage;
    for at in 0..40 {
        for is_closed in [true, false] {
            let mut memory = log.clone();
            if !is_closed {
                memory.0.truncate(log.0.len() - 30);
            }
            let flaws = Flaws {
                fails_at: Some(at),
                at_most: Some(500),
                ..Flaws::default()
            };
            let storage = Flawed {
                memory,
                flaws,
                ..Flawed::default()
            };
            let operations = storage.operations.clone();
            let outcome = Reader::open(storage).and_then(|mut reader| {
                while reader.next()?.is_some() {}
                reader.seek(Seq(3))?;
                reader.next()?;
                reader.ending()
            });
            match outcome {
                Err(LogError::Io { .. }) => {}
                Ok(_) => assert!(operations.get() <= at, "the error at {at} was lost"),
                Err(error) => panic!("the error at {at} was taken for: {error}"),
            }
        }
    }
}

#[test]
fn storage_that_shrinks_while_it_is_read_is_an_error_of_the_storage() {
    struct Shrinking(Memory);
    impl Storage for Shrinking {
        fn len(&self) -> io::Result<u64> {
            Ok(self.0.len()? + 100)
        }
        fn append(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset, into)
        }
        fn truncate(&mut self, _: u64) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
    let log = closed(&events(25), POLICY).storage;
    assert!(read(&log.0).1.is_ok());
    let opened = Reader::open(Shrinking(log)).and_then(|mut reader| reader.ending());
    assert!(matches!(opened, Err(LogError::Io { .. })));
}

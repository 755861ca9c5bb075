//! Storage that writes less than asked, is interrupted, or fails.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use dacapo_kernel::Seq;
use dacapo_kernel::log::{LogError, Memory, Reader, Storage, SyncPolicy, Writer, recover_storage};

use crate::support::{Event, append, closed, events, header, read};

const POLICY: SyncPolicy = SyncPolicy::Interval(6);

/// What a [`Flawed`] storage does.
#[derive(Clone, Debug, Default)]
struct Flaws {
    /// Writes and reads at most so many bytes at once.
    at_most: Option<usize>,
    /// Every other call is interrupted.
    is_interrupted: bool,
    /// The operation that fails, counted from 0, and whether all after it fail too.
    fails_at: Option<(u64, bool)>,
    kind: Option<io::ErrorKind>,
}

#[derive(Debug, Default)]
struct Flawed {
    memory: Memory,
    flaws: Flaws,
    operations: Rc<Cell<u64>>,
    syncs: Rc<Cell<u64>>,
}

impl Flawed {
    fn operation(&self) -> io::Result<()> {
        let at = self.operations.replace(self.operations.get() + 1);
        let fails = self
            .flaws
            .fails_at
            .is_some_and(|(first, sticky)| at == first || (sticky && at > first));
        match fails {
            true => Err(self.flaws.kind.unwrap_or(io::ErrorKind::Other).into()),
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
        self.syncs.set(self.syncs.get() + 1);
        if self.flaws.fails_at.is_some() {
            self.operation()
        } else {
            Ok(())
        }
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

/// Writes all events to storage that fails; what is left in it, and what was acknowledged before.
fn write_until_it_fails(flaws: Flaws, written: &[Event]) -> Option<u64> {
    let storage = flawed(flaws);
    let (operations, syncs) = (storage.operations.clone(), storage.syncs.clone());
    let mut writer = Writer::create(storage, &header(), POLICY).ok()?;
    for event in written {
        if let Err(error) = append(&mut writer, event) {
            assert!(matches!(error, LogError::Io { .. }), "{error}");
            let acknowledged = writer.durable();
            let (before, synced) = (operations.get(), syncs.get());
            assert!(matches!(
                append(&mut writer, event),
                Err(LogError::WriterEnded)
            ));
            assert!(matches!(writer.sync(), Err(LogError::WriterEnded)));
            assert_eq!(
                writer.durable(),
                acknowledged,
                "nothing is acknowledged after an error"
            );
            assert!(matches!(writer.close(), Err(LogError::WriterEnded)));
            assert_eq!(
                (operations.get(), syncs.get()),
                (before, synced),
                "nothing is tried again"
            );
            return Some(acknowledged.map_or(0, |seq| seq.0 + 1));
        }
    }
    writer.close().is_err().then_some(written.len() as u64)
}

#[test]
fn an_error_at_any_operation_ends_the_writer() {
    let written = events(25);
    let mut failures = 0;
    for at in 0..16 {
        for sticky in [false, true] {
            for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
                let flaws = Flaws {
                    fails_at: Some((at, sticky)),
                    kind: Some(kind),
                    ..Flaws::default()
                };
                failures += u32::from(write_until_it_fails(flaws, &written).is_some());
            }
        }
    }
    assert!(failures > 40, "{failures}");
}

/// An append that fails half-way leaves a torn tail, which recovery drops.
#[test]
fn a_full_disk_leaves_a_log_that_goes_on() {
    struct Full(Memory, usize);
    impl Storage for Full {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.1 - self.0.0.len() {
                0 => Err(io::ErrorKind::StorageFull.into()),
                room => self.0.append(&bytes[..room.min(bytes.len())]),
            }
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset, into)
        }
        fn truncate(&mut self, len: u64) -> io::Result<()> {
            self.0.truncate(len)
        }
    }

    let written = events(25);
    let whole = closed(&written, POLICY).storage.0;
    for size in (200..whole.len()).step_by(7) {
        let Ok(mut writer) = Writer::create(Full(Memory::default(), size), &header(), POLICY)
        else {
            continue;
        };
        let stopped = written
            .iter()
            .find_map(|event| append(&mut writer, event).err());
        let acknowledged = writer.durable().map_or(0, |seq| seq.0 + 1);
        if let Some(error) = stopped {
            assert!(error.to_string().contains("see to the disk"), "{error}");
        }
        let left = Memory(whole[..size].to_vec());
        let (_, recovered) = recover_storage(left, POLICY).unwrap();
        assert!(recovered.events >= acknowledged, "size {size}");
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
                fails_at: Some((at, false)),
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

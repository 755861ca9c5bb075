//! The append-only event log: a header, blocks of records that are checked and chained, a footer.
//!
//! A record is a kind, a version, flags, a virtual time and a body of bytes. What kinds mean, and
//! what is derived from a log (snapshots, indexes for search, exports), lives elsewhere and never
//! in the file. `docs/log-format.md` has every byte.

mod blocks;
mod bytes;
mod chain;
mod ending;
mod error;
mod file;
mod footer;
mod frame;
mod header;
mod index;
mod lost;
mod reader;
mod recover;
mod salvage;
mod scan;
mod storage;
mod survey;
mod tail;
mod window;
mod writer;

pub use chain::Chain;
pub use ending::Ending;
pub use error::LogError;
pub use file::File;
pub use frame::Head;
pub use header::{Header, KindEntry, RunId};
pub use lost::{Lost, Remains};
pub use reader::{Reader, Record};
pub use recover::{Recovered, recover, recover_storage};
pub use salvage::{Salvage, Salvaged, salvage};
pub use storage::{Memory, Storage};
pub use writer::{Closed, SyncPolicy, Writer};

//! One JSON object for each event, as `show` prints them for other programs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use dacapo_kernel::{Event, System};

use crate::record::event_json;
use crate::tell::Names;

/// The file, and how many lines it has.
pub(super) struct Lines {
    file: BufWriter<File>,
    count: u64,
}

impl Lines {
    pub(super) fn create(path: &Path) -> io::Result<Lines> {
        Ok(Lines {
            file: BufWriter::new(File::create_new(path)?),
            count: 0,
        })
    }

    pub(super) fn event<S: System>(
        &mut self,
        names: &Names,
        event: &Event<S::Event>,
    ) -> io::Result<()> {
        let value = event_json::<S>(names, event)?;
        serde_json::to_writer(&mut self.file, &value)?;
        self.count += 1;
        self.file.write_all(b"\n")
    }

    pub(super) fn finish(self) -> io::Result<u64> {
        let file = self.file.into_inner().map_err(io::Error::from)?;
        file.sync_all()?;
        Ok(self.count)
    }
}

//! A folder with one file of comma-separated values for each table, quoted as RFC 4180 says. An empty cell
//! is one that has no value, an instant is ISO 8601 in UTC.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use ::csv::Writer;

use super::table::{Cell, Sink, Table, iso};

pub(super) struct Csv {
    folder: PathBuf,
    files: Vec<Writer<BufWriter<File>>>,
}

impl Csv {
    pub(super) fn create(folder: &Path) -> io::Result<Csv> {
        fs::create_dir(folder)?;
        Ok(Csv {
            folder: folder.to_owned(),
            files: Vec::new(),
        })
    }
}

impl Sink for Csv {
    fn table(&mut self, table: &Table) -> io::Result<()> {
        let path = self.folder.join(format!("{}.csv", table.name));
        let mut file = Writer::from_writer(BufWriter::new(File::create_new(path)?));
        file.write_record(table.columns.iter().map(|column| &column.name))?;
        self.files.push(file);
        Ok(())
    }

    fn row(&mut self, table: usize, cells: &[Cell<'_>]) -> io::Result<()> {
        let file = &mut self.files[table];
        for cell in cells {
            match cell {
                Cell::Empty => file.write_field("")?,
                Cell::Whole(number) => file.write_field(number.to_string())?,
                Cell::Real(number) => file.write_field(number.to_string())?,
                Cell::Text(text) => file.write_field(text.as_bytes())?,
                Cell::Instant(ns) => file.write_field(iso(*ns))?,
            }
        }
        Ok(file.write_record(None::<&[u8]>)?)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        for file in self.files {
            let buffered = file
                .into_inner()
                .map_err(|error| io::Error::other(error.to_string()))?;
            let file = buffered.into_inner().map_err(io::Error::from)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

//! A folder with one Parquet file for each table, compressed with LZ4. An instant is a timestamp in UTC with
//! nanoseconds.

use std::fs::{self, File};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::types::Type;

use super::table::{Cell, Column, ColumnKind, Sink, Table};

/// How many rows are kept in memory before they are written.
const GROUP_ROWS: usize = 65_536;

/// How many bytes of text are.
const GROUP_BYTES: usize = 32 << 20;

pub(super) struct Parquet {
    folder: PathBuf,
    files: Vec<Writing>,
}

/// A file, and the rows that are not written yet.
struct Writing {
    file: SerializedFileWriter<File>,
    columns: Vec<Values>,
    rows: usize,
    bytes: usize,
}

/// The cells of a column: for each row whether it has a value, and the values.
struct Values {
    is_there: Vec<i16>,
    values: Kind,
}

enum Kind {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<ByteArray>),
}

fn other(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

impl Parquet {
    pub(super) fn create(folder: &Path) -> io::Result<Parquet> {
        fs::create_dir(folder)?;
        Ok(Parquet {
            folder: folder.to_owned(),
            files: Vec::new(),
        })
    }
}

impl Sink for Parquet {
    fn table(&mut self, table: &Table) -> io::Result<()> {
        let path = self.folder.join(format!("{}.parquet", table.name));
        let columns = table.columns.iter().map(declared);
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(other)?;
        let schema = Type::group_type_builder("row")
            .with_fields(columns)
            .build()
            .map_err(other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .build();
        let file = File::create_new(path)?;
        let file = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        self.files.push(Writing {
            file: file.map_err(other)?,
            columns: table.columns.iter().map(Values::of).collect(),
            rows: 0,
            bytes: 0,
        });
        Ok(())
    }

    fn row(&mut self, table: usize, cells: &[Cell<'_>]) -> io::Result<()> {
        let writing = &mut self.files[table];
        for (column, cell) in writing.columns.iter_mut().zip(cells) {
            writing.bytes += column.push(cell);
        }
        writing.rows += 1;
        if writing.rows >= GROUP_ROWS || writing.bytes >= GROUP_BYTES {
            writing.write_group().map_err(other)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        for mut writing in self.files {
            writing.write_group().map_err(other)?;
            writing.file.finish().map_err(other)?;
            writing.file.inner().sync_all()?;
        }
        Ok(())
    }
}

/// A column in the words of Parquet.
fn declared(column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match column.kind {
        ColumnKind::Whole => (Physical::INT64, None),
        ColumnKind::Real => (Physical::DOUBLE, None),
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Instant => {
            let in_utc = LogicalType::timestamp(true, TimeUnit::NANOS);
            (Physical::INT64, Some(in_utc))
        }
    };
    let built = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(built))
}

impl Values {
    fn of(column: &Column) -> Values {
        Values {
            is_there: Vec::new(),
            values: match column.kind {
                ColumnKind::Whole | ColumnKind::Instant => Kind::Whole(Vec::new()),
                ColumnKind::Real => Kind::Real(Vec::new()),
                ColumnKind::Text => Kind::Text(Vec::new()),
            },
        }
    }

    /// Takes a cell; how many bytes of text it has. One that does not fit its column is left empty.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        let (fits, bytes) = match (&mut self.values, cell) {
            (Kind::Whole(values), Cell::Whole(value) | Cell::Instant(value)) => {
                values.push(*value);
                (true, 0)
            }
            (Kind::Real(values), Cell::Real(value)) => {
                values.push(*value);
                (true, 0)
            }
            (Kind::Text(values), Cell::Text(text)) => {
                values.push(ByteArray::from(text.as_bytes().to_vec()));
                (true, text.len())
            }
            _ => (false, 0),
        };
        self.is_there.push(i16::from(fits));
        bytes
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let there = mem::take(&mut self.is_there);
        match &mut self.values {
            Kind::Whole(values) => {
                let values = mem::take(values);
                let typed = column.typed::<Int64Type>();
                typed.write_batch(&values, Some(&there), None)?;
            }
            Kind::Real(values) => {
                let values = mem::take(values);
                let typed = column.typed::<DoubleType>();
                typed.write_batch(&values, Some(&there), None)?;
            }
            Kind::Text(values) => {
                let values = mem::take(values);
                let typed = column.typed::<ByteArrayType>();
                typed.write_batch(&values, Some(&there), None)?;
            }
        }
        Ok(())
    }
}

impl Writing {
    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for values in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                values.write(&mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;

    use super::*;

    // Fails if a cell, a row or a group of rows is lost or moved, an empty cell becomes a value, or an instant
    // is read as another one.
    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = folder.path().join("x");
        let mut sink = Box::new(Parquet::create(&folder).expect("the folder is new"));
        let column = Column::new;
        let columns = vec![
            column("whole", ColumnKind::Whole),
            column("real", ColumnKind::Real),
            column("text", ColumnKind::Text),
            column("at", ColumnKind::Instant),
        ];
        let name = "t".to_owned();
        let table = Table { name, columns };
        sink.table(&table).expect("the file is new");
        let rows = GROUP_ROWS as i64 * 2 + 3;
        for row in 0..rows {
            let at = Cell::Instant(row * 1_000_000_001);
            let cells = match row % 3 {
                0 => [Cell::Whole(row), Cell::Real(0.1), "a\"b\n".into(), at],
                _ => [Cell::Empty, Cell::Empty, Cell::Empty, at],
            };
            sink.row(0, &cells).expect("there is room");
        }
        sink.finish().expect("there is room");
        let file = File::open(folder.join("t.parquet")).expect("it was written");
        let reader = SerializedFileReader::new(file).expect("it is a Parquet file");
        assert_eq!(reader.num_row_groups(), 3);
        let read = reader.get_row_iter(None).expect("it has rows");
        let mut count = 0;
        for (row, read) in (0..).zip(read) {
            let read = read.expect("it can be read");
            let cells: Vec<&Field> = read.get_column_iter().map(|(_, field)| field).collect();
            let expected = match row % 3 {
                0 => [
                    Field::Long(row),
                    Field::Double(0.1),
                    Field::Str("a\"b\n".to_owned()),
                ],
                _ => [Field::Null, Field::Null, Field::Null],
            };
            assert_eq!(cells[..3], expected.each_ref());
            assert!(format!("{:?}", cells[3]).contains(&format!("{}", row * 1_000_000_001)));
            count += 1;
        }
        assert_eq!(count, rows);
    }
}

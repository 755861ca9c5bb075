//! A file that may be compressed: its content says whether it is.

use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

type Replayed<R> = Chain<Cursor<Vec<u8>>, R>;

/// A reader that has been looked at, and is decompressed if its content says that it is compressed.
#[derive(Debug)]
pub(crate) enum Unpacked<R: Read> {
    Plain(Replayed<R>),
    // Several gzip members in a row are one text, as for any other gzip reader.
    Gzip(Box<MultiGzDecoder<Replayed<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first two bytes.
    pub(crate) fn sniff(mut input: R) -> io::Result<Self> {
        let mut head = Vec::with_capacity(GZIP_MAGIC.len());
        let wanted = GZIP_MAGIC.len() as u64;
        input.by_ref().take(wanted).read_to_end(&mut head)?;
        let compressed = head == GZIP_MAGIC;
        let whole = Cursor::new(head).chain(input);
        Ok(match compressed {
            true => Unpacked::Gzip(Box::new(MultiGzDecoder::new(whole))),
            false => Unpacked::Plain(whole),
        })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Unpacked::Plain(input) => input.read(buffer),
            Unpacked::Gzip(input) => input.read(buffer),
        }
    }
}

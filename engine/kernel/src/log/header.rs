//! The file header: which run this is, and what its kinds are called.
//!
//! Only deterministic facts: when, where and by whom a run was made is kept beside the log.

use std::fmt;

use super::bytes::Fields;
use super::chain::{CHAIN_LEN, Chain, write_hex};
use super::error::LogError;
use super::storage::{Storage, read_full};
use crate::id::Seq;

/// The first bytes of every log. The first has its high bit set and a line end follows the name, so
/// that a transfer that changes text breaks it.
pub(crate) const MAGIC: [u8; 8] = *b"\x89DLOG\r\n\x1a";
/// The format version that is written and read here.
pub(crate) const FORMAT: u16 = 1;
/// Magic, format version, flags and header length: the same place in every version.
const LEAD_LEN: usize = 16;
const CHECKSUM_LEN: usize = 4;
/// The largest header in bytes: a megabyte.
pub(crate) const MAX_HEADER: usize = 1024 * 1024;
const CRITICAL: u8 = 1;

/// Which run a log belongs to. It follows from what the run is given, never from a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub [u8; 16]);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// One kind of record: its number, its name, and the version of its body that the writer wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindEntry {
    /// The number that records carry.
    pub kind: u16,
    /// What people call it.
    pub name: String,
    /// The version of the body that the writer knew as the newest.
    pub version: u8,
    /// Whether a reader that does not know the kind must refuse the log rather than skip the record.
    pub critical: bool,
}

/// What stands at the beginning of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which run it is.
    pub run_id: RunId,
    /// The seed that generated the run's inputs.
    pub seed: u64,
    /// Digest of the resolved scenario.
    pub scenario_digest: [u8; 32],
    /// Name and version of the program that wrote the log, at most 65,535 bytes.
    pub engine: String,
    /// The sequence number of the first event: 0, unless the log goes on from another segment.
    pub first_seq: Seq,
    /// The final chain of the segment before this one; zero for the first.
    pub previous: Chain,
    /// The kinds of records, each once. They are written in the order of their numbers.
    pub kinds: Vec<KindEntry>,
}

impl Header {
    /// The chain before the first block: over the format version, run id, seed, scenario digest,
    /// first sequence number and previous chain.
    ///
    /// Neither the program's version nor the table of kinds is hashed: a later program that does
    /// the same has the same fingerprint. The header's checksum guards them.
    pub fn initial_chain(&self) -> Chain {
        let mut hashed = b"dacapo log".to_vec();
        hashed.extend_from_slice(&FORMAT.to_le_bytes());
        hashed.extend_from_slice(&self.run_id.0);
        hashed.extend_from_slice(&self.seed.to_le_bytes());
        hashed.extend_from_slice(&self.scenario_digest);
        hashed.extend_from_slice(&self.first_seq.0.to_le_bytes());
        hashed.extend_from_slice(&self.previous.0);
        Chain::of(&hashed)
    }

    /// The fingerprint of the table of kinds: equal tables, in whatever order, have equal ones.
    ///
    /// # Errors
    /// If a kind has two entries or a name is too long to be written.
    pub fn schema(&self) -> Result<Chain, LogError> {
        Ok(Chain::of(&self.kind_table()?))
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, LogError> {
        let table = self.kind_table()?;
        let engine_len = short("the engine's version", self.engine.len())?;
        let kind_count = short("the number of kinds", self.kinds.len())?;
        let mut out = Vec::with_capacity(256 + table.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.run_id.0);
        out.extend_from_slice(&self.seed.to_le_bytes());
        out.extend_from_slice(&self.scenario_digest);
        out.extend_from_slice(&self.first_seq.0.to_le_bytes());
        out.extend_from_slice(&self.previous.0);
        out.extend_from_slice(&Chain::of(&table).0);
        out.extend_from_slice(&engine_len.to_le_bytes());
        out.extend_from_slice(&kind_count.to_le_bytes());
        out.extend_from_slice(self.engine.as_bytes());
        out.extend_from_slice(&table);
        let len = out.len() + CHECKSUM_LEN;
        if len > MAX_HEADER {
            return Err(too_large("the header", len, MAX_HEADER));
        }
        out[12..LEAD_LEN].copy_from_slice(&(len as u32).to_le_bytes());
        let checksum = crc32c::crc32c(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        Ok(out)
    }

    fn kind_table(&self) -> Result<Vec<u8>, LogError> {
        let mut sorted: Vec<&KindEntry> = self.kinds.iter().collect();
        sorted.sort_by_key(|entry| entry.kind);
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0].kind == pair[1].kind) {
            return Err(LogError::KindTwice { kind: pair[0].kind });
        }
        let mut out = Vec::new();
        for entry in sorted {
            out.extend_from_slice(&entry.kind.to_le_bytes());
            out.push(entry.version);
            out.push(if entry.critical { CRITICAL } else { 0 });
            out.extend_from_slice(&short("the name of a kind", entry.name.len())?.to_le_bytes());
            out.extend_from_slice(entry.name.as_bytes());
        }
        Ok(out)
    }

    /// Reads and checks the header of a log that is `file_len` bytes long; also where it ends.
    pub(crate) fn read<S: Storage>(storage: &S, file_len: u64) -> Result<(Header, u64), LogError> {
        let mut lead = [0; LEAD_LEN];
        let lead_len = file_len.min(LEAD_LEN as u64) as usize;
        read_full(storage, 0, &mut lead[..lead_len])?;
        let magic_len = lead_len.min(MAGIC.len());
        if magic_len == 0 || lead[..magic_len] != MAGIC[..magic_len] {
            return Err(LogError::NotALog {
                found: lead[..magic_len].to_vec(),
            });
        }
        let len = header_len(&lead[..lead_len])?;
        if len as u64 > file_len {
            return Err(damaged(file_len, "the file header is cut short"));
        }
        let mut bytes = vec![0; len];
        read_full(storage, 0, &mut bytes)?;
        Ok((parse(&bytes)?, len as u64))
    }
}

fn header_len(lead: &[u8]) -> Result<usize, LogError> {
    let mut fields = Fields(&lead[MAGIC.len().min(lead.len())..]);
    let (Some(format), Some(_flags), Some(len)) = (fields.u16(), fields.u16(), fields.u32()) else {
        return Err(damaged(lead.len() as u64, "the file header is cut short"));
    };
    if format > FORMAT {
        return Err(LogError::NewerFormat {
            found: format,
            supported: FORMAT,
        });
    }
    if !(LEAD_LEN + CHECKSUM_LEN..=MAX_HEADER).contains(&(len as usize)) {
        return Err(damaged(12, "the file header has an impossible length"));
    }
    Ok(len as usize)
}

fn parse(bytes: &[u8]) -> Result<Header, LogError> {
    let (body, checksum) = bytes
        .split_last_chunk::<CHECKSUM_LEN>()
        .expect("a header is never shorter than its checksum");
    if crc32c::crc32c(body) != u32::from_le_bytes(*checksum) {
        return Err(damaged(0, "the checksum of the file header does not match"));
    }
    let mut fields = Fields(&body[MAGIC.len()..]);
    if fields.u16() == Some(0) {
        return Err(damaged(8, "there is no format version 0"));
    }
    match fields.u16() {
        Some(0) => {}
        flags => {
            let value = u64::from(flags.unwrap_or_default());
            return Err(LogError::Unsupported {
                offset: 0,
                what: "header flag",
                value,
                supported: "0",
            });
        }
    }
    let header = parse_facts(&mut fields).filter(|_| fields.0.is_empty());
    header.ok_or_else(|| damaged(0, "the fields of the file header contradict each other"))
}

fn parse_facts(fields: &mut Fields<'_>) -> Option<Header> {
    let _len = fields.u32()?;
    let run_id = RunId(fields.array()?);
    let seed = fields.u64()?;
    let scenario_digest = fields.array()?;
    let first_seq = Seq(fields.u64()?);
    let previous = Chain(fields.array()?);
    let schema: [u8; CHAIN_LEN] = fields.array()?;
    let (engine_len, kind_count) = (fields.u16()?, fields.u16()?);
    let engine = text(fields.slice(usize::from(engine_len))?)?;
    if Chain::of(fields.0).0 != schema {
        return None;
    }
    let kinds = (0..kind_count)
        .map(|_| parse_kind(fields))
        .collect::<Option<Vec<_>>>()?;
    let ascending = kinds.windows(2).all(|pair| pair[0].kind < pair[1].kind);
    ascending.then_some(Header {
        run_id,
        seed,
        scenario_digest,
        engine,
        first_seq,
        previous,
        kinds,
    })
}

fn parse_kind(fields: &mut Fields<'_>) -> Option<KindEntry> {
    let (kind, version, flags) = (fields.u16()?, fields.u8()?, fields.u8()?);
    let len = fields.u16()?;
    let name = text(fields.slice(usize::from(len))?)?;
    (flags <= CRITICAL).then_some(KindEntry {
        kind,
        name,
        version,
        critical: flags == CRITICAL,
    })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn short(what: &'static str, len: usize) -> Result<u16, LogError> {
    u16::try_from(len).map_err(|_| too_large(what, len, usize::from(u16::MAX)))
}

fn too_large(what: &'static str, size: usize, limit: usize) -> LogError {
    LogError::TooLarge {
        what,
        size: size as u64,
        limit: limit as u64,
    }
}

fn damaged(offset: u64, what: &'static str) -> LogError {
    LogError::HeaderDamaged { offset, what }
}

//! The dump in the documentation is what the writer writes.

use std::fs;
use std::path::Path;

use dacapo_kernel::log::{Chain, Head, Header, KindEntry, Memory, RunId, SyncPolicy, Writer};
use dacapo_kernel::{Seq, Time, codec};

/// The log of the documentation: two events, closed.
fn example() -> Vec<u8> {
    let header = Header {
        run_id: RunId(*b"an example run!!"),
        seed: 42,
        scenario_digest: [0x5C; 32],
        engine: "dacapo 0.1.0".into(),
        first_seq: Seq(0),
        previous: Chain([0; 16]),
        kinds: vec![KindEntry {
            kind: 7,
            name: "quote".into(),
            version: 1,
            critical: true,
        }],
    };
    let mut writer = Writer::create(Memory::default(), &header, SyncPolicy::Never).unwrap();
    for (time, price) in [
        (Time::from_micros(1), 250_u64),
        (Time::from_micros(3), 61_000),
    ] {
        let head = Head {
            kind: 7,
            version: 1,
            flags: 0,
            time,
        };
        writer
            .append(head, |out| codec::encode(&("BTC", price), out))
            .unwrap();
    }
    writer.close().unwrap().storage.0
}

/// Lines as in the documentation: offset, bytes, and a remark that is the document's own.
fn dump(bytes: &[u8]) -> String {
    let line = |(at, row): (usize, &[u8])| {
        let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:04x}  {}\n", at * 16, hex.join(" "))
    };
    bytes.chunks(16).enumerate().map(line).collect()
}

#[test]
fn the_dump_is_what_the_writer_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log-format.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, from) = text
        .split_once("```hexdump\n")
        .expect("a dump in the document");
    let (documented, _) = from.split_once("```").unwrap();
    assert_eq!(
        documented,
        dump(&example()),
        "write the right-hand side into the document"
    );
}

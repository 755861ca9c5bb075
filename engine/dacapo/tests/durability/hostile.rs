//! Lengths and counts chosen to hurt, under 512 MB of address space: an error each time. A length
//! that were believed would end the process.

use std::fs;

use crate::desk::{Desk, PROGRAM, Said, run};

fn limited(desk: &Desk, words: &[&str]) -> Said {
    let script = "ulimit -v 524288 && exec \"$0\" \"$@\"";
    let words = [&["20", "sh", "-c", script, PROGRAM], words].concat();
    Said::of(desk.within("timeout", &words).output().unwrap())
}

fn find(log: &[u8], magic: &[u8; 4]) -> usize {
    log.windows(4).position(|bytes| bytes == magic).unwrap() - 4
}

/// The log with this at `at`, and a checksum at `checksum` over the bytes behind it up to `end`.
fn forged(log: &[u8], at: usize, value: &[u8], checksum: usize, end: usize) -> Vec<u8> {
    let mut bytes = log.to_vec();
    bytes[at..at + value.len()].copy_from_slice(value);
    let crc = crc32c::crc32c(&bytes[checksum + 4..end]);
    bytes[checksum..checksum + 4].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn hostile_lengths_are_errors_of_the_log() {
    let desk = Desk::new();
    desk.call(&run("200", "every", "a.dlog"));
    let log = desk.bytes("a.dlog");
    let (block, footer) = (find(&log, b"DBLK"), find(&log, b"DFTR"));
    let sound = limited(&desk, &["check", "a.dlog"]);
    assert_eq!(sound.code, Some(7), "{sound}");

    let mut hostile = Vec::new();
    for value in [u32::MAX, 0x7FFF_FFFF, 0x0100_0010] {
        let value = value.to_le_bytes();
        for field in [12, 16, 20] {
            hostile.push(forged(&log, block + field, &value, block, block + 64));
        }
        let both = [value, value].concat();
        hostile.push(forged(&log, block + 12, &both, block, block + 64));
        for field in [16, 20] {
            hostile.push(forged(&log, footer + field, &value, footer, footer + 24));
        }
        let mut header = log.clone();
        header[12..16].copy_from_slice(&value);
        hostile.push(header);
    }
    for bytes in hostile {
        fs::write(desk.path("bad.dlog"), &bytes).unwrap();
        for command in ["check", "show", "replay", "salvage"] {
            let said = limited(&desk, &[command, "bad.dlog"]);
            // What `show` and `salvage` can do with the sound part is fine.
            let ends_well = matches!(said.code, Some(0 | 6));
            assert!(ends_well, "{command}: {said}");
            assert!(
                command == "salvage" || command == "show" || said.code == Some(6),
                "{said}"
            );
        }
        let _ = fs::remove_file(desk.path("bad-salvaged.dlog"));
    }
}

//! A small file system fills up while a log is written to it.
//!
//! It fails if the program ends otherwise than with its error, or leaves something that is no log.

use std::fs;

use crate::desk::{Desk, PROGRAM, SCENARIO, Said, skip};

/// In a name space of its own, so that nothing stays mounted; the log is copied out.
const SCRIPT: &str = r#"
mount -t tmpfs -o size="$1" tmpfs mnt || exit 99
"$2" run "$3" --max-events 20000 --sync "$4" --out mnt/a.dlog --acknowledge --message-format json
code=$?
cp mnt/a.dlog a.dlog
exit $code
"#;

fn record_into(desk: &Desk, size: &str, sync: &str) -> Option<Said> {
    fs::create_dir_all(desk.path("mnt")).unwrap();
    let words = [
        "-rm", "sh", "-c", SCRIPT, "sh", size, PROGRAM, SCENARIO, sync,
    ];
    match desk.within("unshare", &words).output() {
        Ok(output) if output.status.code() != Some(99) && output.status.code() != Some(1) => {
            Some(Said::of(output))
        }
        _ => None,
    }
}

#[test]
fn a_full_disk_ends_the_run_and_leaves_a_log() {
    for (size, sync) in [
        ("16k", "every"),
        ("64k", "interval"),
        ("256k", "never"),
        ("256k", "interval"),
    ] {
        let desk = Desk::new();
        let Some(said) = record_into(&desk, size, sync) else {
            return skip("no file system can be mounted here");
        };
        assert_eq!(said.code, Some(70), "{said}");
        assert!(said.err.contains("cannot write the log at byte"), "{said}");
        assert!(said.err.contains("No space left on device"), "{said}");
        assert!(said.err.contains("see to the disk and try again"), "{said}");
        let told = said.acknowledged();
        let (kept, is_whole) = desk.check("a.dlog");
        assert!(!is_whole);
        assert!(kept >= told, "{kept} of {told}");
        assert!(kept > 0, "{said}");
        let shown = desk.call(&["show", "a.dlog", "--limit", "5"]);
        assert_eq!(shown.code, Some(0), "{shown}");
    }
}

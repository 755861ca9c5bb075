//! A process that records is killed again and again, and goes on with the same log each time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use dacapo_kernel::Time;
use dacapo_kernel::log::{Ending, File, Head, Reader, SyncPolicy, Writer, recover_storage};

use crate::support::header;

const PATH: &str = "DACAPO_TEST_RECORD_TO";

#[test]
fn two_hundred_kills_lose_nothing_acknowledged() {
    kill_often(200);
}

#[test]
#[ignore = "long"]
fn ten_thousand_kills_lose_nothing_acknowledged() {
    kill_often(10_000);
}

fn kill_often(times: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.dlog");
    let mut events = 0;
    for round in 0..times {
        let acknowledged = record_and_be_killed(&path, 1 + round * 7 % 11);
        let kept = check(&path);
        assert!(
            kept >= acknowledged && kept >= events,
            "{kept} left, {acknowledged} acknowledged, {events} before"
        );
        events = kept;
    }
}

/// Starts a recorder, kills it after some acknowledgements, and says how many events it had acknowledged.
fn record_and_be_killed(path: &Path, acknowledgements: u64) -> u64 {
    let mut recorder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kills::records_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(recorder.stdout.take().unwrap());
    let mut acknowledged = 0;
    let mut heard = 0;
    for line in said.lines().map_while(Result::ok) {
        let Some(events) = line
            .strip_prefix("acknowledged ")
            .and_then(|rest| rest.strip_suffix(" events"))
        else {
            continue;
        };
        acknowledged = events.parse().unwrap();
        heard += 1;
        if heard == acknowledgements {
            recorder.kill().unwrap();
        }
    }
    recorder.wait().unwrap();
    assert!(heard >= acknowledgements, "the recorder ended by itself");
    acknowledged
}

/// Reads the log; each event's body is its number.
fn check(path: &Path) -> u64 {
    let mut reader = Reader::open_path(path).unwrap();
    while let Some(record) = reader.next().unwrap() {
        assert_eq!(record.body, record.seq.0.to_le_bytes());
    }
    let ending = reader.ending().unwrap();
    assert!(!matches!(ending, Ending::Closed { .. }));
    ending.events()
}

#[test]
#[ignore = "the recorder that the other tests start and kill"]
#[expect(
    clippy::disallowed_methods,
    reason = "it is told where to record, and nothing is replayed"
)]
fn records_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let path = Path::new(&path);
    let policy = SyncPolicy::Interval(40);
    let mut writer = match path.exists() {
        false => Writer::create_path(path, &header(), policy).unwrap(),
        true => {
            recover_storage(File::open_locked(path).unwrap(), policy)
                .unwrap()
                .0
        }
    };
    let mut said = None;
    loop {
        let seq = writer.next_seq().0;
        let head = Head {
            kind: 1,
            version: 1,
            flags: 0,
            time: Time::from_micros(seq),
        };
        writer
            .append(head, |out| {
                out.extend_from_slice(&seq.to_le_bytes());
                Ok(())
            })
            .unwrap();
        if writer.durable() != said {
            said = writer.durable();
            let events = said.map_or(0, |seq| seq.0 + 1);
            writeln!(std::io::stdout(), "acknowledged {events} events").unwrap();
        }
    }
}

//! A program outside as a real process: started in the scenario's folder, spoken with by lines.
//!
//! The one place where a process is started, and the one where the wall clock decides something: whether a program
//! hangs. Neither reaches the simulated world; what is wrong here ends the run with an error.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use dacapo_kernel::{BuildError, Dialogue, Program, Unfit};

use crate::scenario::printable;

/// The longest line that a program may say, in bytes: 1 MiB.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// How much is kept of what a program writes to standard error: the end of it, in bytes.
const LAST_WORDS: usize = 1_000;

/// How long a program may take to end once nobody asks it any more, and to say its last words.
const GRACE: Duration = Duration::from_secs(1);

/// What a program has from the machine besides its environment: nothing of it may depend on the day or the place.
const SURROUNDINGS: [(&str, &str); 4] = [
    ("LC_ALL", "C.UTF-8"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
    ("PYTHONHASHSEED", "0"),
    ("TZ", "UTC"),
];

/// What came back from a program.
enum Heard {
    Line(Vec<u8>),
    TooLong,
    /// It closed its standard output.
    Nothing,
    Failed(std::io::Error),
}

/// A running program.
pub(crate) struct Process {
    child: Child,
    /// None once the program is told to end.
    say: Option<SyncSender<String>>,
    hear: Receiver<Heard>,
    last_words: Receiver<Vec<u8>>,
    limit: Duration,
    /// It did not answer in time, and is not waited for again.
    hangs: bool,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Starts a program in a folder.
///
/// # Errors
/// If there is no such program, or it may not be started.
pub(crate) fn start(
    program: &Program,
    executable: &Path,
    folder: &Path,
) -> Result<Process, BuildError> {
    let mut command = Command::new(executable);
    command
        .args(program.command.iter().skip(1))
        .current_dir(folder)
        .envs(SURROUNDINGS)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        let what = match error.kind() {
            ErrorKind::NotFound => format!(
                "the program of {} cannot be started: there is no such program; install it, or name another in `command`",
                program.name
            ),
            ErrorKind::PermissionDenied => format!(
                "the program of {} cannot be started: {error}; make it executable, or name its interpreter first in `command`",
                program.name
            ),
            _ => format!("the program of {} cannot be started: {error}", program.name),
        };
        BuildError::File {
            path: printable(&executable.to_string_lossy()),
            what: printable(&what),
        }
    })?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        unreachable!("all three were asked for");
    };
    let (say, said) = sync_channel(1);
    let (tell, hear) = sync_channel(1);
    let (tell_last, last_words) = sync_channel(1);
    beside(move || converse(stdin, BufReader::new(stdout), &said, &tell));
    beside(move || drop(tell_last.send(end_of(stderr))));
    Ok(Process {
        child,
        say: Some(say),
        hear,
        last_words,
        limit: program.limit,
        hangs: false,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread that waits for a process, so that the run need not wait for ever; no simulated code runs in it"
)]
fn beside(work: impl FnOnce() + Send + 'static) {
    drop(std::thread::spawn(work));
}

/// Says each line and tells the one that comes back, until nobody says anything any more.
fn converse(
    mut stdin: ChildStdin,
    mut stdout: BufReader<ChildStdout>,
    said: &Receiver<String>,
    tell: &SyncSender<Heard>,
) {
    while let Ok(mut line) = said.recv() {
        line.push('\n');
        // A program that is gone cannot be told anything; that it is gone shows in what comes back.
        let _ = stdin
            .write_all(line.as_bytes())
            .and_then(|()| stdin.flush());
        if tell.send(line_of(&mut stdout)).is_err() {
            return;
        }
    }
}

/// The next line without its end, within the bound.
fn line_of(from: &mut impl BufRead) -> Heard {
    let mut line = Vec::new();
    let most = LINE_BYTES_MAX as u64 + 1;
    match from.take(most).read_until(b'\n', &mut line) {
        Err(error) => Heard::Failed(error),
        Ok(_) if line.pop_if(|last| *last == b'\n').is_some() => {
            line.pop_if(|last| *last == b'\r');
            Heard::Line(line)
        }
        Ok(_) if line.len() > LINE_BYTES_MAX => Heard::TooLong,
        // What it said before it ended without a line break was never said.
        Ok(_) => Heard::Nothing,
    }
}

/// The end of what is written, once it is over.
fn end_of(mut from: ChildStderr) -> Vec<u8> {
    let (mut kept, mut buffer, mut is_cut) = (Vec::new(), [0; 4096], false);
    loop {
        match from.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(some) => {
                kept.extend_from_slice(&buffer[..some]);
                let before = kept.len().saturating_sub(LAST_WORDS);
                is_cut |= before > 0;
                kept.drain(..before);
            }
        }
    }
    // What is left of a line that is cut says nothing.
    if is_cut && let Some(end) = kept.iter().position(|byte| *byte == b'\n') {
        kept.drain(..=end);
    }
    kept
}

impl Process {
    /// How it ended, if it does so within the grace that it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        let step = Duration::from_millis(1);
        for _ in 0..GRACE.as_millis() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            pause(step);
        }
        None
    }

    /// Ends it: in good order if it does so by itself once nobody asks any more, by force otherwise.
    fn end(&mut self) {
        self.say = None;
        if self.hangs || self.ended().is_none() {
            // One that has ended meanwhile cannot be killed any more.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// It does not speak any more: why.
    fn silence(&mut self) -> Unfit {
        let help =
            "see what it writes to standard error; try it by hand with the lines of the protocol";
        let what = match self.ended() {
            None => "it closed its standard output and goes on running".to_owned(),
            Some(status) => match (status.code(), status.signal()) {
                (Some(0), _) => "it ended, with exit code 0, instead of answering".to_owned(),
                (Some(code), _) => format!("it ended with exit code {code}"),
                (None, Some(signal)) => format!("it was ended by signal {signal}"),
                (None, None) => "it ended".to_owned(),
            },
        };
        Unfit::new(what, help)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process ends in its own time; no simulated code waits here"
)]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

impl Dialogue for Process {
    fn ask(&mut self, line: &str) -> Result<String, Unfit> {
        let told = self.say.as_ref().map(|say| say.send(line.to_owned()));
        if !matches!(told, Some(Ok(()))) {
            return Err(self.silence());
        }
        match self.hear.recv_timeout(self.limit) {
            Ok(Heard::Line(line)) => String::from_utf8(line).map_err(|error| {
                let what = format!("it is not UTF-8: {}", error.utf8_error());
                Unfit::new(what, "write UTF-8 to standard output")
            }),
            Ok(Heard::TooLong) => {
                let what =
                    format!("it is longer than {LINE_BYTES_MAX} bytes, the most that is read");
                Err(Unfit::new(what, "say less at once"))
            }
            Ok(Heard::Failed(error)) => {
                let what = format!("it cannot be read: {error}");
                Err(Unfit::new(what, "run it again"))
            }
            Ok(Heard::Nothing) | Err(RecvTimeoutError::Disconnected) => Err(self.silence()),
            Err(RecvTimeoutError::Timeout) => {
                self.hangs = true;
                let what = format!(
                    "no line came within {} s by the wall clock",
                    self.limit.as_secs_f64()
                );
                let help = "look for what it waits for, and flush standard output after each line; if it needs longer, \
                            raise `limit_seconds`. Virtual time did not pass meanwhile";
                Err(Unfit::new(what, help))
            }
        }
    }

    fn last_words(&mut self) -> String {
        // They are complete once the program is gone; one that has ended already is not hurt.
        self.end();
        let said = self.last_words.recv_timeout(GRACE).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }
}

//! What surrounds a call of the program: where its output goes, how wide it is, what time it is.
//!
//! The program takes all of this from here, so that a test can stand in for it.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::{BuildError, Dialogue, Service};

/// Reaches a service that is asked live.
pub(crate) type Connect = dyn Fn(&Service) -> Result<Box<dyn Dialogue>, BuildError>;

/// Where a call of the program prints, and what it knows of its surroundings.
pub struct Console<'a> {
    pub(crate) out: Box<dyn Write + 'a>,
    pub(crate) err: Box<dyn Write + 'a>,
    pub(crate) out_is_terminal: bool,
    pub(crate) err_is_terminal: bool,
    /// Columns of the terminal, if it is one.
    pub(crate) width: Option<u16>,
    /// Whether the environment asks for no colour.
    pub(crate) no_color: bool,
    /// What the environment says about diagnostics.
    pub(crate) rust_log: Option<String>,
    /// Wall time since some instant.
    pub(crate) elapsed: Rc<dyn Fn() -> Duration + 'a>,
    /// Lets so much wall time pass.
    pub(crate) rest: Rc<dyn Fn(Duration) + 'a>,
    /// Who reaches the services that are asked live, if anybody does.
    pub(crate) connect: Option<Rc<Connect>>,
    /// Whether interrupts of the process are for this call of the program.
    pub(crate) has_interrupts: bool,
    /// What somebody types.
    pub(crate) input: Box<dyn BufRead + 'a>,
    /// Whether the environment says that this is a run on a server that tests changes.
    pub(crate) is_ci: bool,
    /// Where such a server wants a summary in Markdown.
    pub(crate) summary: Option<PathBuf>,
    /// Calls something and says how long it took.
    pub(crate) timed: fn(&mut dyn FnMut()) -> Duration,
}

impl<'a> Console<'a> {
    /// A console that is no terminal, has no environment, and whose clock moves only while something
    /// rests, which takes no time. What is printed goes to the two writers.
    pub fn captured(out: impl Write + 'a, err: impl Write + 'a) -> Console<'a> {
        let clock = Rc::new(Cell::new(Duration::ZERO));
        let hand = Rc::clone(&clock);
        Console {
            out: Box::new(out),
            err: Box::new(err),
            out_is_terminal: false,
            err_is_terminal: false,
            width: None,
            no_color: false,
            rust_log: None,
            elapsed: Rc::new(move || clock.get()),
            rest: Rc::new(move |span| hand.set(hand.get() + span)),
            connect: None,
            has_interrupts: false,
            input: Box::new(std::io::empty()),
            is_ci: false,
            summary: None,
            timed: |work| {
                work();
                Duration::ZERO
            },
        }
    }

    /// The same console with what somebody types at it.
    pub fn typed(mut self, text: impl BufRead + 'a) -> Console<'a> {
        self.input = Box::new(text);
        self
    }

    /// The same console on a server that tests changes.
    pub fn in_ci(mut self) -> Console<'a> {
        self.is_ci = true;
        self
    }

    /// The same console, with somebody who reaches the services that are asked live.
    pub fn connected(
        self,
        connect: impl Fn(&Service) -> Result<Box<dyn Dialogue>, BuildError> + 'static,
    ) -> Console<'a> {
        Console {
            connect: Some(Rc::new(connect)),
            ..self
        }
    }

    /// The console of the process.
    pub(crate) fn of_process() -> Console<'static> {
        let out = std::io::stdout();
        let (out_is_terminal, err_is_terminal) =
            (out.is_terminal(), std::io::stderr().is_terminal());
        let width = comfy_table::Table::new().width();
        Console {
            out: Box::new(std::io::BufWriter::new(out.lock())),
            err: Box::new(std::io::stderr()),
            out_is_terminal,
            err_is_terminal,
            width,
            no_color: environment("NO_COLOR").is_some_and(|value| !value.is_empty()),
            rust_log: environment("RUST_LOG").and_then(|value| value.into_string().ok()),
            elapsed: Rc::new(stopwatch()),
            rest: Rc::new(rest),
            connect: None,
            has_interrupts: true,
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            is_ci: environment("CI").is_some_and(|value| !value.is_empty() && value != "false"),
            summary: environment("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            timed: |work| {
                let watch = stopwatch();
                work();
                watch()
            },
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is read here decides how the program prints, never what is simulated"
)]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[expect(
    clippy::disallowed_types,
    reason = "how long a run took is told to people and stays out of the log"
)]
fn stopwatch() -> impl Fn() -> Duration {
    let start = std::time::Instant::now();
    move || start.elapsed()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a recording in real time is held back here, outside of what is simulated; its log does not know"
)]
fn rest(span: Duration) {
    std::thread::sleep(span);
}

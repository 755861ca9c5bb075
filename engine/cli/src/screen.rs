//! What is printed, and how: results to standard output, notes and errors to standard error,
//! colour or none, and nothing foreign that would act on a terminal.
//!
//! Whoever prints a text that came from a model, a scenario or a log puts it through
//! [`Screen::safe`] first; the few texts of our own that carry colour are made by
//! [`Screen::paint`].

use std::fmt::Display;
use std::io::{self, BufRead as _, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use dacapo_lab::scenario::printable;
use serde_json::Value;

use crate::args::{Common, Format, When};
use crate::console::{Connect, Console};

/// The output of one call of the program.
pub(crate) struct Screen<'a> {
    console: Console<'a>,
    colour: bool,
    /// How results are printed.
    pub(crate) format: Format,
    /// Whether only results are wanted.
    pub(crate) quiet: bool,
    /// Whether everything is wanted, not only what is unusual.
    pub(crate) verbose: bool,
    /// Whether a progress bar may be drawn.
    pub(crate) progress: bool,
    /// What the program is called.
    pub(crate) program: String,
    /// Whoever reads standard output has gone, such as `head`.
    closed: bool,
    /// The first error while writing.
    broken: Option<io::Error>,
}

/// What a text means, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Head,
    Good,
    Bad,
    Warning,
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Tone::Plain => Style::new(),
            Tone::Head => Style::new().bold(),
            Tone::Good => colour(AnsiColor::Green).bold(),
            Tone::Bad => colour(AnsiColor::Red).bold(),
            Tone::Warning => colour(AnsiColor::Yellow).bold(),
            Tone::Faint => Style::new().dimmed(),
        }
    }
}

impl<'a> Screen<'a> {
    pub(crate) fn new(console: Console<'a>, common: &Common, program: &str) -> Screen<'a> {
        let colour = match common.color {
            When::Always => true,
            When::Never => false,
            When::Auto => console.out_is_terminal && !console.no_color,
        };
        Screen {
            colour,
            format: common.message_format,
            quiet: common.quiet,
            verbose: common.verbose > 0,
            progress: console.err_is_terminal && !common.no_progress && !common.quiet,
            program: program.to_owned(),
            closed: false,
            broken: None,
            console,
        }
    }

    /// Text of foreign origin, with everything that would act on a terminal made visible.
    pub(crate) fn safe(text: impl Display) -> String {
        printable(&text.to_string())
    }

    /// Text in the colour of its meaning, if colours are wanted. The text must be safe.
    pub(crate) fn paint(&self, tone: Tone, text: impl Display) -> String {
        if self.colour && tone != Tone::Plain {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    /// Columns to fill.
    pub(crate) fn width(&self) -> usize {
        usize::from(self.console.width.unwrap_or(100)).clamp(40, 160)
    }

    /// Whether colours are wanted.
    pub(crate) fn has_colour(&self) -> bool {
        self.colour
    }

    /// Whether people read this, be it with annotations.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format != Format::Json
    }

    /// Who reaches the services that are asked live, if anybody does.
    pub(crate) fn connect(&self) -> Option<Rc<Connect>> {
        self.console.connect.clone()
    }

    /// Wall time since some instant.
    pub(crate) fn elapsed(&self) -> Duration {
        (self.console.elapsed)()
    }

    /// What calls something and says how long it took.
    pub(crate) fn timed(&self) -> fn(&mut dyn FnMut()) -> Duration {
        self.console.timed
    }

    /// Whether this is a run on a server that tests changes.
    pub(crate) fn is_ci(&self) -> bool {
        self.console.is_ci
    }

    /// Where such a server wants a summary in Markdown, if annotations are wanted too.
    pub(crate) fn wanted_summary(&self) -> Option<PathBuf> {
        let wanted = self.console.summary.clone();
        wanted.filter(|_| self.format == Format::Github)
    }

    /// Asks, and reads a line of what somebody types; none at the end.
    pub(crate) fn ask(&mut self, question: &str) -> Option<String> {
        let _ = self.console.out.flush();
        let _ = write!(self.console.err, "{question} ");
        let _ = self.console.err.flush();
        let mut line = String::new();
        match self.console.input.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_owned()),
        }
    }

    /// Whether an interrupt of the process is for whoever uses this screen.
    pub(crate) fn has_interrupts(&self) -> bool {
        self.console.has_interrupts
    }

    /// The clock behind [`elapsed`](Screen::elapsed), for whoever prints while it is asked.
    pub(crate) fn clock(&self) -> Rc<dyn Fn() -> Duration + 'a> {
        Rc::clone(&self.console.elapsed)
    }

    /// What lets wall time pass.
    pub(crate) fn rest(&self) -> Rc<dyn Fn(Duration) + 'a> {
        Rc::clone(&self.console.rest)
    }

    /// A line of results. It must be safe.
    pub(crate) fn line(&mut self, text: impl Display) {
        self.put(&format!("{text}\n"));
    }

    /// A JSON object on a line of its own. JSON escapes the C0 controls itself; the rest that
    /// could act on a terminal is escaped here, which changes nothing for whoever parses it.
    pub(crate) fn json(&mut self, value: &Value) {
        let mut text = String::new();
        for c in value.to_string().chars() {
            if printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() {
                text.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        self.line(text);
    }

    /// Results as they are: completions.
    pub(crate) fn put(&mut self, text: &str) {
        if self.closed || self.broken.is_some() {
            return;
        }
        let written = self.console.out.write_all(text.as_bytes());
        self.note_failure(written);
    }

    fn note_failure(&mut self, written: io::Result<()>) {
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(error) => self.broken = Some(error),
        }
    }

    /// Hands out the results so far, for whoever waits for them.
    pub(crate) fn hand_out(&mut self) {
        if !self.is_closed() {
            let flushed = self.console.out.flush();
            self.note_failure(flushed);
        }
    }

    /// Whether nobody reads the results any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.broken.is_some()
    }

    /// A remark beside the results, unless the caller wants quiet.
    pub(crate) fn note(&mut self, text: impl Display) {
        if !self.quiet {
            self.say(&text.to_string());
        }
    }

    /// A warning beside the results. The text may be foreign.
    pub(crate) fn warning(&mut self, text: impl Display) {
        let word = self.paint(Tone::Warning, "warning");
        self.say(&format!("{word}: {}", Self::safe(&text)));
        self.annotate("warning", "warning", &text.to_string());
    }

    /// What went wrong. The text may be foreign.
    pub(crate) fn error(&mut self, text: impl Display) {
        let word = self.paint(Tone::Bad, "error");
        self.say(&format!("{word}: {}", Self::safe(&text)));
        self.annotate("error", "error", &text.to_string());
    }

    /// A line for GitHub's runner, which shows it beside the changes of a pull request.
    pub(crate) fn annotate(&mut self, level: &str, title: &str, text: &str) {
        if self.format != Format::Github {
            return;
        }
        let data = |text: &str| {
            let text = Self::safe(text).replace('%', "%25");
            text.replace('\r', "%0D").replace('\n', "%0A")
        };
        let title = data(title).replace(':', "%3A").replace(',', "%2C");
        self.line(format!("::{level} title={title}::{}", data(text)));
    }

    /// Lines for standard error, as they are. They must be safe.
    pub(crate) fn say(&mut self, text: &str) {
        // Nobody can be told that standard error is gone.
        let _ = self.console.out.flush();
        let _ = writeln!(self.console.err, "{text}");
    }

    /// Hands everything out; an error if the results could not be written.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let flushed = if self.closed {
            Ok(())
        } else {
            self.console.out.flush()
        };
        self.note_failure(flushed);
        self.broken.take().map_or(Ok(()), Err)
    }
}

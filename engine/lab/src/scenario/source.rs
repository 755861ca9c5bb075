//! The text of a scenario and of the options that override it: reading it, and turning a place
//! in it into a file, a line and a column.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::complaint::Complaint;
use super::data::names_in;
use super::error::{Excerpt, ScenarioError};
use super::nearest::nearest;
use super::safe::{clipped, printable, stand_in};
use super::tree::{Origin, Span};

/// The largest scenario file that is read, in bytes: 1 MiB. Long tables are files beside it.
pub const SCENARIO_BYTES_MAX: u64 = 1024 * 1024;

/// How many characters of an option are shown.
const OPTION_MAX: usize = 120;
/// How many characters are underlined; a longer text is marked at its beginning.
const MARK_MAX: usize = 60;
/// How many characters of a sentence are shown.
const SENTENCE_MAX: usize = 1_000;

/// Everything that a person wrote for one run.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: String,
    pub(super) text: String,
    /// As they would stand on a command line, such as `--set run.seed=7`.
    options: Vec<String>,
}

impl Source {
    /// A text in the place of what a file says.
    pub(super) fn of(path: &Path, text: &str) -> Source {
        Source {
            file: printable(&path.to_string_lossy()),
            text: text.to_owned(),
            options: Vec::new(),
        }
    }

    /// Reads a scenario file.
    ///
    /// # Errors
    /// If it cannot be read, is too large or is not UTF-8.
    pub(super) fn read(path: &Path) -> Result<Source, ScenarioError> {
        let mut source = Source::of(path, "");
        let bytes = match bytes_of(path) {
            Ok(bytes) => bytes,
            Err(complaint) => return Err(source.complain(None, complaint)),
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                source.text = text;
                Ok(source)
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[at];
                // What comes before is as long in the repaired text, so the place is the same.
                source.text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let span = Span {
                    origin: Origin::File,
                    start: at,
                    end: at,
                };
                let what = format!("not UTF-8: byte 0x{byte:02x} at offset {at}");
                Err(source.complain(
                    Some(span),
                    Complaint::new(what).help("save the file as UTF-8"),
                ))
            }
        }
    }

    /// Takes note of an option as it would stand on a command line.
    pub(super) fn option(&mut self, text: String) -> Origin {
        self.options.push(text);
        Origin::Option(self.options.len() - 1)
    }

    /// A complaint as a person reads it.
    pub(super) fn complain(&self, span: Option<Span>, complaint: Complaint) -> ScenarioError {
        let mut error = ScenarioError {
            file: self.file.clone(),
            line: None,
            column: None,
            what: clipped(&complaint.what, SENTENCE_MAX),
            suggestion: complaint
                .suggestion
                .map(|word| clipped(&word, SENTENCE_MAX)),
            help: complaint.help.map(|help| clipped(&help, SENTENCE_MAX)),
            excerpt: None,
        };
        match span {
            Some(Span {
                origin: Origin::Option(number),
                ..
            }) => error.file = clipped(&self.options[number], OPTION_MAX),
            Some(span) => self.locate(&mut error, span),
            None => {}
        }
        error
    }

    /// The line of the file at which something stands, the first being 1; none if an option says it.
    pub(super) fn line(&self, span: Span) -> Option<u32> {
        let is_in_file = span.origin == Origin::File;
        let before = &self.text[..self.text.floor_char_boundary(span.start)];
        let line = is_in_file.then(|| before.matches('\n').count() + 1)?;
        u32::try_from(line).ok()
    }

    fn locate(&self, error: &mut ScenarioError, span: Span) {
        let start = self.text.floor_char_boundary(span.start);
        let before = &self.text[..start];
        let first = match before.rfind('\n') {
            Some(at) => at + 1,
            // A byte order mark is no part of the first line for whoever counts its columns.
            None if self.text.starts_with('\u{feff}') => '\u{feff}'.len_utf8(),
            None => 0,
        };
        let line = self.text[first..].split('\n').next().unwrap_or("");
        let line = line.strip_suffix('\r').unwrap_or(line);
        let inside = |at: usize| line.floor_char_boundary(at.saturating_sub(first));
        let (from, to) = (inside(start), inside(span.end.max(start)));
        let shown = |text: &str| text.chars().map(stand_in).collect::<String>();
        let text = shown(line);
        let mark: String = line[from..to].chars().take(MARK_MAX).collect();
        let marked = shown(&line[..from]).len();
        let marked = marked..marked + shown(&mark).len();
        error.line = self.line(span);
        error.column = u32::try_from(line[..from].chars().count() + 1).ok();
        error.excerpt = Some(Box::new(Excerpt { text, marked }));
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Complaint> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(path),
        _ => Complaint::new(format!("cannot be read: {error}")),
    };
    // A pipe would block on opening, so what it is comes before.
    let kind = fs::metadata(path).map_err(unreadable)?;
    if kind.is_dir() {
        return Err(Complaint::new("this is a folder, not a scenario file")
            .help("name one of the `.toml` files in it"));
    }
    if !kind.is_file() {
        return Err(
            Complaint::new("this is a device or a pipe, not a scenario file")
                .help("save the scenario as a file and name that"),
        );
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SCENARIO_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > SCENARIO_BYTES_MAX {
        let what =
            format!("the file is larger than {SCENARIO_BYTES_MAX} bytes, the most that is read");
        return Err(Complaint::new(what).help("put long tables into files beside the scenario"));
    }
    Ok(bytes)
}

fn missing(path: &Path) -> Complaint {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = folder_of(path);
    let mut beside = names_in(folder);
    beside.retain(|name| name.ends_with(".toml"));
    let beside = beside.iter().map(String::as_str);
    let near = nearest(&name, beside.clone()).or_else(|| nearest(&format!("{name}.toml"), beside));
    let complaint = Complaint::new("there is no such file");
    match near {
        Some(near) => Complaint {
            suggestion: Some(path.with_file_name(near).display().to_string()),
            ..complaint
        },
        None => complaint.help("name an existing scenario file"),
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

//! The log of a run as a file: where it goes, how it takes the place of an older one, and the
//! facts of the day, which stay beside it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dacapo_kernel::BoxedStorage;
use dacapo_kernel::log::{File, LogError, Memory, Reader};
use dacapo_kernel::{Plan, RunError, System};
use dacapo_lab::beyond_profile;
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::screen::Screen;

/// What a log that was compressed unpacks to; none if it was not.
///
/// One that is damaged is read as the log that it is not, and refused as that.
fn compressed(path: &Path) -> Option<Vec<u8>> {
    let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
    is_compressed
        .then(|| dacapo_lab::golden::log_bytes(path).ok())
        .flatten()
}

/// Opens a log that holds at least one event, compressed with gzip or not.
pub(crate) fn open(path: &Path) -> Result<Reader<BoxedStorage>, Problem> {
    let open = || -> Result<Reader<BoxedStorage>, LogError> {
        let storage: BoxedStorage = match compressed(path) {
            Some(bytes) => Box::new(Memory(bytes)),
            None => Box::new(File::open(path)?),
        };
        Reader::open(storage)
    };
    let problem = |error| Problem::log(&shown(path), &RunError::Log(error));
    let mut reader = open().map_err(problem)?;
    if reader.peek().map_err(problem)?.is_none() {
        return Err(Problem::Other(
            Exit::Log,
            format!(
                "{}: the log holds no event; it was cut off before its first block was whole",
                path.display()
            ),
        ));
    }
    Ok(reader)
}

/// Opens a log once more that was opened before.
pub(crate) fn reopen(path: &Path) -> Result<Reader<BoxedStorage>, RunError> {
    let storage: BoxedStorage = Box::new(File::open(path)?);
    Ok(Reader::open(storage)?)
}

/// A path as text.
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where the log of a plan goes unless somebody says otherwise: a name of its own for each seed,
/// for a profile that the scenario does not choose itself, and for each set of defects that
/// somebody asked for.
pub(crate) fn default_path<S: System>(plan: &Plan<S::Config>, profile: Option<&str>) -> PathBuf {
    Path::new("runs").join(LogName::of::<S>(plan, profile).with_seed(plan.seed))
}

/// The name of a log, but for its seed.
pub(crate) struct LogName {
    before: String,
    after: String,
}

impl LogName {
    /// The name of the file for this seed.
    pub(crate) fn with_seed(&self, seed: u64) -> String {
        format!("{}-{seed:x}{}.dlog", self.before, self.after)
    }

    /// The name for runs of a plan.
    pub(crate) fn of<S: System>(plan: &Plan<S::Config>, profile: Option<&str>) -> LogName {
        let tame = |c: char| match c {
            c if c.is_alphanumeric() || c == '-' || c == '_' => c,
            _ => '-',
        };
        let name: String = plan.name.chars().take(100).map(tame).collect();
        let defects = match beyond_profile::<S>(plan).0.as_slice() {
            [] => String::new(),
            [one] => format!("-{one}"),
            [first, more @ ..] => format!("-{first}-and-{}-more", more.len()),
        };
        let profile = profile.map_or_else(String::new, |profile| format!("-{profile}"));
        LogName {
            before: name,
            after: format!("{profile}{defects}"),
        }
    }
}

/// Writes a whole log, in place of an older one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    let (target, mut storage) = Target::create(path, true)?;
    let mut written = 0;
    while written < bytes.len() {
        let error = |error: io::Error| {
            Problem::internal(format!("{} cannot be written: {error}", path.display()))
        };
        match storage.append(&bytes[written..]) {
            Ok(0) => return Err(error(io::ErrorKind::WriteZero.into())),
            Ok(some) => written += some,
            Err(again) if again.kind() == io::ErrorKind::Interrupted => {}
            Err(other) => return Err(error(other)),
        }
    }
    drop(storage);
    target.finish()
}

/// A log that is being written. Where there is an older one, it keeps its name until the new one
/// is whole.
pub(crate) struct Target {
    path: PathBuf,
    /// Where the bytes go meanwhile, if not there at once.
    beside: Option<PathBuf>,
}

impl Target {
    /// Creates the file; `replace` says whether an older one may go.
    pub(crate) fn create(path: &Path, replace: bool) -> Result<(Target, BoxedStorage), Problem> {
        let problem = |error: LogError| Problem::log(&shown(path), &RunError::Log(error));
        let exists = fs::symlink_metadata(path).is_ok();
        if exists && !replace {
            return Err(Problem::usage(format!(
                "{} exists already; give --force to replace it, or another path",
                path.display()
            )));
        }
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(|error| {
                let folder = folder.display();
                Problem::usage(format!("the folder {folder} cannot be made: {error}"))
            })?;
        }
        let mut target = Target {
            path: path.to_owned(),
            beside: None,
        };
        if exists {
            // Refuses what is no log file of ours, and one that is still being written.
            drop(File::open_locked(path).map_err(problem)?);
            let beside = with_affixes(path, ".", ".new");
            // One that an interrupted run left has no writer; a lock says if it has.
            if fs::symlink_metadata(&beside).is_ok() {
                drop(File::open_locked(&beside).map_err(problem)?);
                remove(&beside);
            }
            target.beside = Some(beside);
        }
        let file = File::create_new(target.place()).map_err(problem)?;
        Ok((target, Box::new(file)))
    }

    fn place(&self) -> &Path {
        self.beside.as_deref().unwrap_or(&self.path)
    }

    /// The log is whole: gives it its name.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        let Some(beside) = &self.beside else {
            return Ok(());
        };
        fs::rename(beside, &self.path)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| {
                let (beside, path) = (beside.display(), self.path.display());
                Problem::internal(format!(
                    "the new log {beside} cannot take the name {path}: {error}"
                ))
            })
    }

    /// There will be no run: leaves nothing behind.
    pub(crate) fn abandon(self) {
        remove(self.place());
    }
}

fn remove(path: &Path) {
    // What cannot be removed is met again, with its error, when it is created.
    let _ = fs::remove_file(path);
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => fs::File::open(".")?.sync_all(),
    }
}

pub(crate) fn with_affixes(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    path.with_file_name(name)
}

/// Writes when, where and by whom a log was made into a file beside it. These facts differ from
/// day to day and so are no part of the log.
pub(crate) fn write_facts(
    log: &Path,
    arguments: &[OsString],
    wall: Duration,
    screen: &mut Screen<'_>,
) {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let facts = json!({
        "v": dacapo_lab::VERSION,
        "made_at": jiff::Timestamp::now().to_string(),
        "made_by": environment(&["USER", "LOGNAME", "USERNAME"]),
        "machine": fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned()),
        "folder": folder(),
        "command": words,
        "program": format!("{} {}", screen.program, env!("CARGO_PKG_VERSION")),
        "platform": format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        "wall_ms": u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
    });
    let path = with_affixes(log, "", ".meta.json");
    if let Err(error) = write_beside(&path, &format!("{facts:#}\n")) {
        let path = path.display();
        screen.warning(format!(
            "{path} cannot be written: {error}; the log is complete without it"
        ));
    }
}

/// Writes a text for its owner alone, in place of what has the name. A symbolic link is replaced,
/// never followed.
fn write_beside(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(path);
    created?.write_all(text.as_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "who made a log is told beside it, never in it"
)]
fn environment(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok())
}

#[expect(
    clippy::disallowed_methods,
    reason = "where a log was made is told beside it, never in it"
)]
fn folder() -> Option<String> {
    std::env::current_dir().ok().map(|folder| shown(&folder))
}

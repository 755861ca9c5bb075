//! The files of a test: which there are below a folder, and the bytes of a golden log.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

/// The largest golden log that is read, in bytes, before and after it was compressed: 256 MiB.
pub const LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How many folders lie in each other at most.
const DEPTH_MAX: usize = 32;

/// Folders that are passed over: what runs and campaigns leave, and what is built.
const PASSED_OVER: [&str; 3] = ["runs", "failures", "target"];

/// The end of the name of the file beside a golden log.
pub(super) const KEPT: &str = ".golden.toml";

/// Something to test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its file.
    pub path: PathBuf,
    /// What people know it by, if not by its file.
    pub known_as: Option<String>,
    /// What is done with it.
    pub kind: CaseKind,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseKind {
    /// A scenario: it is run and held to what it expects.
    Scenario,
    /// A golden log: its run is made again and held against it.
    Golden,
}

impl Case {
    /// A file as a case, by its name; none if it is neither a scenario nor a log.
    pub fn of(path: &Path) -> Option<Case> {
        let name = path.file_name()?.to_str()?;
        let kind = if name.ends_with(".dlog") || name.ends_with(".dlog.gz") {
            CaseKind::Golden
        } else if name.ends_with(".toml") && !name.ends_with(KEPT) && name != "Cargo.toml" {
            CaseKind::Scenario
        } else {
            return None;
        };
        Some(Case {
            path: path.to_owned(),
            known_as: None,
            kind,
        })
    }

    /// What people know it by.
    pub fn name(&self) -> String {
        let path = || self.path.to_string_lossy().into_owned();
        self.known_as.clone().unwrap_or_else(path)
    }
}

/// Every scenario and golden log among these files and below these folders, sorted by path in each.
///
/// Hidden files, links to folders, and folders called `runs`, `failures` and `target` are passed over.
///
/// # Errors
/// If a path does not exist, cannot be read, or is a file that is neither.
pub fn find(paths: &[PathBuf]) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for path in paths {
        let told = |error: io::Error| format!("{}: {error}", path.display());
        if fs::metadata(path).map_err(told)?.is_dir() {
            below(path, 0, &mut cases)?;
            continue;
        }
        cases.push(Case::of(path).ok_or_else(|| {
            format!(
                "{}: neither a scenario (.toml) nor a log (.dlog, .dlog.gz)",
                path.display()
            )
        })?);
    }
    let mut once: Vec<Case> = Vec::new();
    for case in cases {
        if !once.iter().any(|known| known.path == case.path) {
            once.push(case);
        }
    }
    Ok(once)
}

fn below(folder: &Path, depth: usize, cases: &mut Vec<Case>) -> Result<(), String> {
    let told = |error: io::Error| format!("{}: {error}", folder.display());
    if depth > DEPTH_MAX {
        return Err(format!(
            "{}: more than {DEPTH_MAX} folders lie in each other here",
            folder.display()
        ));
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        let entry = entry.map_err(told)?;
        entries.push((entry.path(), entry.file_type().map_err(told)?));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (path, kind) in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            if !PASSED_OVER.contains(&&*name) {
                below(&path, depth + 1, cases)?;
            }
        } else {
            cases.extend(Case::of(&path));
        }
    }
    Ok(())
}

/// The bytes of a log, which may be compressed with gzip.
///
/// # Errors
/// If the file cannot be read, is no regular file, or is too large.
pub fn log_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let too_large = || {
        format!(
            "{}: larger than {LOG_BYTES_MAX} bytes, the most that a golden log may have; \
             record a shorter run",
            path.display()
        )
    };
    // A pipe would block on opening, so what it is comes before.
    let kind = fs::metadata(path).map_err(told)?;
    if !kind.is_file() {
        return Err(format!("{}: not a file", path.display()));
    }
    if kind.len() > LOG_BYTES_MAX {
        return Err(too_large());
    }
    let file = File::open(path).map_err(told)?;
    let mut bytes = Vec::new();
    if is_compressed(path) {
        let unpacked = MultiGzDecoder::new(file).take(LOG_BYTES_MAX + 1);
        let mut unpacked = unpacked;
        unpacked.read_to_end(&mut bytes).map_err(|error| {
            format!(
                "{}: not what gzip writes, or cut off: {error}",
                path.display()
            )
        })?;
    } else {
        let mut file = file.take(LOG_BYTES_MAX + 1);
        file.read_to_end(&mut bytes).map_err(told)?;
    }
    if bytes.len() as u64 > LOG_BYTES_MAX {
        return Err(too_large());
    }
    Ok(bytes)
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// Writes a log in place of the one that has the name, compressed if the name says so. The same log is the
/// same file on any day.
///
/// # Errors
/// If it cannot be written; the older one is there then.
pub fn write_log(path: &Path, log: &[u8]) -> Result<(), String> {
    let packed = |log: &[u8]| -> io::Result<Vec<u8>> {
        if !is_compressed(path) {
            return Ok(log.to_vec());
        }
        let mut packer = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::best());
        packer.write_all(log)?;
        packer.finish()
    };
    let written = packed(log).and_then(|bytes| replace(path, &bytes));
    written.map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// A file beside a log: with its name, but for this end.
pub(super) fn beside(log: &Path, end: &str) -> PathBuf {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let name = name.strip_suffix(".dlog").unwrap_or(name);
    log.with_file_name(format!("{name}{end}"))
}

/// The text of a file beside a log; none if there is no such file.
pub(super) fn read_beside(path: &Path, bytes_max: u64) -> Result<Option<String>, String> {
    let told = |what: String| format!("{}: {what}", path.display());
    let length = match fs::metadata(path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(error.to_string())),
    };
    if length > bytes_max {
        return Err(told(format!("larger than {bytes_max} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    Ok(Some(text))
}

/// Writes a file beside the one that has the name, and gives it the name once it is whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let beside = path.with_file_name(name);
    fs::write(&beside, bytes)?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails if a kept file, a hidden one or what a run left is taken for a case.
    #[test]
    fn only_scenarios_and_logs_are_found_and_what_runs_leave_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.toml",
            "a.toml",
            "golden/a.dlog.gz",
            "golden/a.golden.toml",
            "golden/b.dlog",
            "Cargo.toml",
            ".hidden/c.toml",
            "runs/a-1.dlog",
            "data/a.csv",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        let names = found.iter().map(|case| case.path.strip_prefix(&folder));
        let names: Vec<String> = names
            .map(|name| name.unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            ["a.toml", "b.toml", "golden/a.dlog.gz", "golden/b.dlog"]
        );
        let twice = find(&[folder.path().join("a.toml"), folder.path().join("a.toml")]);
        assert_eq!(twice.unwrap().len(), 1);
        assert!(find(&[folder.path().join("data/a.csv")]).is_err());
        assert!(find(&[folder.path().join("none")]).is_err());
    }

    /// Fails if a compressed log depends on the day, or comes back as another.
    #[test]
    fn a_compressed_log_comes_back_and_is_the_same_file_again() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (
            folder.path().join("a.dlog"),
            folder.path().join("a.dlog.gz"),
        );
        let log: Vec<u8> = (0..100_000u32).map(|n| (n / 1_000) as u8).collect();
        for path in [&plain, &packed] {
            write_log(path, &log).unwrap();
            assert!(log_bytes(path).unwrap() == log);
        }
        let before = fs::read(&packed).unwrap();
        assert!(before.len() < 2_000);
        write_log(&packed, &log).unwrap();
        assert!(fs::read(&packed).unwrap() == before);
        fs::write(&packed, &before[..before.len() / 2]).unwrap();
        assert!(log_bytes(&packed).unwrap_err().contains("cut off"));
    }
}

//! Where exported data go: beside the name they will have until they are whole, and in place of older data
//! only if these are of the same form and somebody said so.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dacapo_lab::export::Format;

use crate::exit::Problem;
use crate::log_file::shown;

/// The file in an exported folder that lists the others, so that nothing else is ever removed with them.
const LIST: &str = ".exported";

/// How much of a file tells what it is.
const HEAD: u64 = 16;

/// Where the data will be, and where they are until then.
pub(super) struct Place {
    path: PathBuf,
    beside: PathBuf,
    format: Format,
}

impl Place {
    /// Looks whether the data may go there.
    pub(super) fn find(path: &Path, format: Format, replace: bool) -> Result<Place, Problem> {
        let is_there = fs::symlink_metadata(path).is_ok();
        if is_there && !replace {
            return Err(Problem::usage(format!(
                "{} exists already; give --force to replace it, or another path with --out",
                shown(path)
            )));
        }
        if is_there {
            is_ours(path, format).map_err(|why| {
                Problem::usage(format!(
                    "{} is not replaced: {why}; give another path with --out",
                    shown(path)
                ))
            })?;
        }
        let beside = affixed(path, ".new").ok_or_else(|| {
            Problem::usage(format!("{} is no name for exported data", shown(path)))
        })?;
        if let Some(folder) = beside.parent().filter(|it| !it.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| {
                let folder = shown(folder);
                Problem::usage(format!("the folder {folder} cannot be made: {error}"))
            })?;
        }
        // What a killed export left is of no use to anybody.
        if fs::symlink_metadata(&beside).is_ok() {
            is_ours(&beside, format).map_err(|why| {
                Problem::usage(format!(
                    "{} is in the way: {why}; move it elsewhere",
                    shown(&beside)
                ))
            })?;
            remove(&beside, format);
        }
        Ok(Place {
            path: path.to_owned(),
            beside,
            format,
        })
    }

    /// Where the data are written.
    pub(super) fn beside(&self) -> &Path {
        &self.beside
    }

    /// They are whole, and consist of these tables: gives them their name.
    pub(super) fn finish(self, tables: &[(String, u64)]) -> Result<(), Problem> {
        let named = self.list(tables).and_then(|()| self.give_name());
        named.map_err(|error| {
            Problem::usage(format!(
                "{}: cannot take the name {}: {error}",
                shown(&self.beside),
                shown(&self.path)
            ))
        })
    }

    fn list(&self, tables: &[(String, u64)]) -> io::Result<()> {
        if !self.format.is_folder() {
            return Ok(());
        }
        let ending = self.format.name();
        let names = tables
            .iter()
            .map(|(table, _)| format!("{table}.{ending}\n"));
        fs::write(self.beside.join(LIST), names.collect::<String>())
    }

    fn give_name(&self) -> io::Result<()> {
        let older = self.format.is_folder() && fs::symlink_metadata(&self.path).is_ok();
        let Some(old) = affixed(&self.path, ".old").filter(|_| older) else {
            // A file takes the place of another in one step.
            return fs::rename(&self.beside, &self.path);
        };
        fs::rename(&self.path, &old)?;
        fs::rename(&self.beside, &self.path)?;
        remove(&old, self.format);
        Ok(())
    }

    /// They will never be whole: leaves nothing behind.
    pub(super) fn abandon(self) {
        remove(&self.beside, self.format);
    }
}

/// The hidden name beside a path.
fn affixed(path: &Path, after: &str) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(after);
    Some(path.with_file_name(name))
}

/// Whether an export of this form may have written what is there; if not, why.
fn is_ours(path: &Path, format: Format) -> Result<(), String> {
    let meta = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if format.is_folder() {
        if !meta.is_dir() {
            return Err(format!("--to {} writes a folder", format.name()));
        }
        return match stranger(path, format).map_err(|error| error.to_string())? {
            None => Ok(()),
            Some(name) => Err(format!("it holds {name}, which no export wrote")),
        };
    }
    if !meta.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.map_err(|error| error.to_string())?;
    let looks_right = match format {
        Format::Sqlite => head == b"SQLite format 3\0",
        _ => head.starts_with(b"{\""),
    };
    match looks_right || head.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "what is in it is not what --to {} writes",
            format.name()
        )),
    }
}

/// Something in a folder that no export of this form wrote there. A whole export lists its files; one
/// that was killed has a hidden name, and nothing but files of its form.
fn stranger(folder: &Path, format: Format) -> io::Result<Option<String>> {
    let list = match fs::read_to_string(folder.join(LIST)) {
        Ok(list) => Some(list),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let is_hidden = folder
        .file_name()
        .is_some_and(|it| it.as_encoded_bytes().starts_with(b"."));
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = shown(Path::new(&entry.file_name()));
        let is_ours = match &list {
            Some(list) => name == LIST || list.lines().any(|listed| listed == name),
            None => {
                is_hidden
                    && Path::new(&name)
                        .extension()
                        .is_some_and(|it| it == format.name())
            }
        };
        if !is_ours || !entry.file_type()?.is_file() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Removes a file, or a folder with nothing but files of an export; anything else stays.
fn remove(path: &Path, format: Format) {
    // What cannot be removed is met again, with its error, where its name is needed.
    if !format.is_folder() {
        let _ = fs::remove_file(path);
        return;
    }
    if let Ok(None) = stranger(path, format) {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
        let _ = fs::remove_dir(path);
    }
}

//! What is kept beside a golden log: at which level it is held, and why it is as it is.
//!
//! A log `day.dlog.gz` has its `day.golden.toml`. Each time a log is accepted, the reason is added to
//! its end; nothing in the file is ever rewritten.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::files::{KEPT, beside, read_beside, replace};
use crate::scenario::folder_of;

/// How large the file may be, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;

/// What is kept beside a golden log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kept {
    /// The level at which it is held; the system's last one if there is none.
    pub level: Option<String>,
    /// Kinds of event that are passed over, by name or number.
    pub ignore: Vec<String>,
    /// Kinds of event that count beside those of the level, by name or number.
    pub also: Vec<String>,
    /// Where the inputs of the new run come from.
    pub inputs: NewInputs,
    /// The scenario that the run is made from, as it stands today, seen from the log; its inputs are generated.
    pub scenario: Option<PathBuf>,
    /// What is set in the scenario, as `--set` has it.
    pub set: Vec<String>,
    /// The folder with the data files of a run that is made from the plan in its log, seen from the log; that of the
    /// log itself if there is none.
    pub data: Option<String>,
    /// The logs that were accepted, the newest last.
    pub accepted: Vec<Accepted>,
}

/// Where the inputs of the run that is held against a golden log come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewInputs {
    /// From the log, as far as they still apply: only the system's own behaviour is held.
    #[default]
    Recorded,
    /// From the seed, as in the first run: what generates them is held as well.
    Generated,
}

/// A log that somebody accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Why.
    pub reason: String,
    /// The last link of the chain over its bytes.
    pub fingerprint: String,
    /// How many events it has.
    pub events: u64,
}

impl Kept {
    /// What is kept beside a log; nothing if there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read or has a mistake, with its place.
    pub fn beside(log: &Path) -> Result<Kept, String> {
        let path = path_beside(log);
        let Some(text) = read_beside(&path, BYTES_MAX)? else {
            return Ok(Kept::default());
        };
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The log that was accepted last.
    pub fn newest(&self) -> Option<&Accepted> {
        self.accepted.last()
    }
}

/// Adds the reason for which a log was accepted to what is kept beside it.
///
/// # Errors
/// If the file cannot be written.
pub fn accept(log: &Path, level: &str, accepted: &Accepted) -> Result<(), String> {
    let path = path_beside(log);
    let told = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    let mut text = read_beside(&path, BYTES_MAX)?.unwrap_or_else(|| head(log, level));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let (reason, fingerprint) = (quoted(&accepted.reason), quoted(&accepted.fingerprint));
    text.push_str(&format!(
        "\n[[accepted]]\nreason = {reason}\nfingerprint = {fingerprint}\nevents = {}\n",
        accepted.events
    ));
    replace(&path, text.as_bytes()).map_err(told)
}

/// Says beside a log that its run is made from a scenario, unless something is said there already.
///
/// # Errors
/// If either is nowhere, or the file cannot be written.
pub fn made_from(log: &Path, level: &str, scenario: &Path) -> Result<(), String> {
    let beside = path_beside(log);
    if beside.exists() {
        return Ok(());
    }
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let place = |path: &Path| path.canonicalize().map_err(|error| told(path, error));
    let seen = seen_from(&place(folder_of(log))?, &place(scenario)?);
    // The same word on every system.
    let seen: Vec<String> = seen
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let text = format!(
        "{}# Made from the scenario as it stands: what it means today, and what is drawn and read, is held as well.\n\
         scenario = {}\n",
        head(log, level),
        quoted(&seen.join("/"))
    );
    replace(&beside, text.as_bytes()).map_err(|error| told(&beside, error))
}

/// How the file begins.
fn head(log: &Path, level: &str) -> String {
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let level = quoted(level);
    format!("# How {name} is held, and why it is as it is.\nlevel = {level}\n")
}

/// The way from a folder to a file.
fn seen_from(folder: &Path, file: &Path) -> PathBuf {
    let shared = folder.components().zip(file.components());
    let shared = shared.take_while(|(one, other)| one == other).count();
    let up = folder
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    up.chain(file.components().skip(shared)).collect()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The file beside a log.
fn path_beside(log: &Path) -> PathBuf {
    beside(log, KEPT)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn accepted(reason: &str) -> Accepted {
        Accepted {
            reason: reason.to_owned(),
            fingerprint: "00ff".to_owned(),
            events: 7,
        }
    }

    // Fails if a log and its scenario cannot lie anywhere beside each other.
    #[test]
    fn a_scenario_is_named_as_it_is_seen_from_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("golden/deep")).unwrap();
        fs::create_dir_all(at("stories")).unwrap();
        fs::write(at("stories/day.toml"), "").unwrap();
        for (log, seen) in [
            ("day.dlog.gz", "stories/day.toml"),
            ("stories/day.dlog.gz", "day.toml"),
            ("golden/deep/day.dlog.gz", "../../stories/day.toml"),
        ] {
            made_from(&at(log), "decisions", &at("stories/day.toml")).unwrap();
            accept(&at(log), "decisions", &accepted("first")).unwrap();
            let kept = Kept::beside(&at(log)).unwrap();
            assert_eq!(kept.scenario, Some(seen.into()));
            assert_eq!(kept.level.as_deref(), Some("decisions"));
            assert_eq!(kept.accepted.len(), 1);
        }
    }

    /// Fails if a reason is lost, changed, or takes the place of another.
    #[test]
    fn reasons_add_up_and_what_somebody_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("day.dlog.gz");
        assert_eq!(Kept::beside(&log), Ok(Kept::default()));
        accept(&log, "decisions", &accepted("first \"recording\"\nof two")).unwrap();
        let path = path_beside(&log);
        assert_eq!(path, folder.path().join("day.golden.toml"));
        let text = fs::read_to_string(&path).unwrap();
        let text = text.replace("level", "# ours\nignore = [\"tick\"]\nlevel");
        fs::write(&path, text).unwrap();
        accept(&log, "other", &accepted("second")).unwrap();
        let kept = Kept::beside(&log).unwrap();
        assert_eq!(kept.level.as_deref(), Some("decisions"));
        assert_eq!(kept.ignore, ["tick"]);
        let reasons: Vec<&str> = kept.accepted.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["first \"recording\"\nof two", "second"]);
        assert!(fs::read_to_string(&path).unwrap().contains("# ours"));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("a.dlog");
        fs::write(path_beside(&log), "levle = \"events\"\n").unwrap();
        let told = Kept::beside(&log).unwrap_err();
        assert!(
            told.contains("a.golden.toml") && told.contains("levle"),
            "{told}"
        );
    }
}

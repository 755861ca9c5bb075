//! A folder with a scenario, and calls of the program on it whose output is kept.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use dacapo_cli::{Console, Exit, execute};
use tempfile::TempDir;

use crate::kitchen::Kitchen;

const SCENARIO: &str = include_str!("../../examples/kitchen.toml");

pub(crate) struct Desk {
    folder: TempDir,
}

/// What a call of the program said. The folder is shown as `DESK`, a fingerprint as `FINGERPRINT`.
pub(crate) struct Said {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        let desk = Desk {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(desk.path("kitchen.toml"), SCENARIO).unwrap();
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Calls the program; words with `DESK/` in front are paths in the folder.
    pub(crate) fn call(&self, arguments: &[&str]) -> Said {
        self.call_at(arguments, |console| console)
    }

    /// The same at another console: one with something typed at it, or of a server.
    pub(crate) fn call_at(
        &self,
        arguments: &[&str],
        at: impl for<'a> FnOnce(Console<'a>) -> Console<'a>,
    ) -> Said {
        let folder = self.folder.path().to_str().unwrap().to_owned();
        let mut words = vec!["kitchen".to_owned()];
        words.extend(arguments.iter().map(|word| word.replace("DESK", &folder)));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = execute::<Kitchen, _>(&words, at(Console::captured(&mut out, &mut err)));
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap().replace(&folder, "DESK");
            without_fingerprints(&text)
        };
        Said {
            exit,
            out: text(out),
            err: text(err),
        }
    }

    /// Runs the scenario into `DESK/a.dlog`.
    pub(crate) fn run(&self, options: &[&str]) -> Said {
        let mut arguments = vec![
            "run",
            "DESK/kitchen.toml",
            "--out",
            "DESK/a.dlog",
            "--force",
        ];
        arguments.extend(options);
        self.call(&arguments)
    }
}

/// A screen shows a fingerprint; which one it is depends on every byte of a log, and is tested
/// where logs are.
fn without_fingerprints(text: &str) -> String {
    let (mut out, mut digits) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() == 32 {
            "FINGERPRINT"
        } else {
            &digits
        });
        digits.clear();
        out.push(c);
    }
    out.pop();
    out
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.exit.code())?;
        if !self.out.is_empty() {
            write!(f, "--- standard output\n{}", self.out)?;
        }
        if !self.err.is_empty() {
            write!(f, "--- standard error\n{}", self.err)?;
        }
        Ok(())
    }
}

//! `init`: write a scenario for data files that somebody brings.
//!
//! What is in the files is the system's affair: here is where they lie, where the scenario goes, and what is said.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use dacapo_kernel::{Brought, Draft, System};
use dacapo_lab::VERSION;
use dacapo_lab::scenario::{DataDir, Overrides, load};
use serde_json::json;

use crate::exit::{Exit, Problem};
use crate::log_file::shown;
use crate::next;
use crate::screen::Screen;
use crate::text::shell_word;

/// Which data, and where the scenario goes.
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// A data file, with a name of your own in front if you like; may be repeated
    #[arg(long, value_name = "[NAME=]FILE", required = true)]
    data: Vec<String>,
    /// Which end of the time that a row is about its stamp is. It is never guessed
    #[arg(long, value_name = "END", value_parser = ["open", "close"])]
    stamped: Option<String>,
    /// Where the scenario goes, instead of NAME.toml in this folder; nothing is overwritten
    #[arg(long, short, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    (
        "init --data my.csv",
        "look at the file, and ask what cannot be known",
    ),
    (
        "init --data my.csv --stamped open",
        "write my.toml: each row is stamped when its time begins",
    ),
    (
        "init --data A=a.csv --data B=b.csv --stamped close",
        "two files, with names of your own",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nThe files stay where they are, in the folder of the scenario or below it, and are only read.\n\
     Exit: 0 written, 2 something is wrong with a file, or a question is to be answered first.";

pub(crate) fn init<S: System>(args: &InitArgs, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let folder = folder_of(args.out.as_deref());
    let files = DataDir::new(&folder).map_err(|error| {
        Problem::usage(format!(
            "{}: the folder cannot be read: {error}",
            shown(&folder)
        ))
    })?;
    let data = args.data.iter().map(|data| place(data, &folder));
    let data = data.collect::<Result<Vec<_>, _>>()?;
    let brought = Brought {
        data: &data,
        stamped: args.stamped.as_deref(),
    };
    let drafted = S::scenario_for(&brought, &files).ok_or_else(|| {
        Problem::usage("this system has no use for data files; write the scenario by hand")
    })?;
    let draft = drafted.map_err(Problem::usage)?;
    let Ok(text) = &draft.text else {
        return ask(&draft, screen);
    };
    let path = match &args.out {
        Some(path) => path.clone(),
        None => PathBuf::from(format!("{}.toml", draft.name)),
    };
    write(&path, text)?;
    // Somebody who has just begun must not be left with a file that cannot be run.
    load::<S>(&path, &Overrides::default())?;
    tell(&draft, &path, screen);
    Ok(Exit::Fine)
}

/// Where the scenario will lie.
fn folder_of(out: Option<&Path>) -> PathBuf {
    match out.and_then(Path::parent) {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The path of a data file from the folder of the scenario, and the name in front of it.
fn place(data: &str, folder: &Path) -> Result<(String, Option<String>), Problem> {
    // A file whose own name has the sign in it is meant as it is.
    let (name, file) = match data.split_once('=') {
        Some((name, file)) if !Path::new(data).exists() => (Some(name.to_owned()), file),
        _ => (None, data),
    };
    let problem =
        |error: std::io::Error| Problem::usage(format!("{}: {error}", Screen::safe(file)));
    let real = Path::new(file).canonicalize().map_err(problem)?;
    let folder = folder.canonicalize().map_err(problem)?;
    let inside = real.strip_prefix(&folder).ok().and_then(Path::to_str);
    let Some(inside) = inside else {
        return Err(Problem::usage(format!(
            "{} lies outside of the folder of the scenario, which reads nothing else: copy it to {}, \
             or say with --out where the scenario goes",
            Screen::safe(file),
            shown(&folder)
        )));
    };
    // The same words on every system.
    Ok((inside.replace('\\', "/"), name))
}

/// Writes a new file; one that is there stays as it is.
fn write(path: &Path, text: &str) -> Result<(), Problem> {
    let mut file = File::create_new(path).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                "exists already and is not overwritten; give another path with --out".to_owned()
            }
            _ => error.to_string(),
        };
        Problem::usage(format!("{}: {what}", shown(path)))
    })?;
    if let Err(error) = file.write_all(text.as_bytes()) {
        // Half a scenario is of no use, and would stand in the way of the next attempt.
        drop(file);
        let _ = fs::remove_file(path);
        return Err(Problem::usage(format!("{}: {error}", shown(path))));
    }
    Ok(())
}

/// Says what was recognised, and what must be answered before anything is written.
fn ask(draft: &Draft, screen: &mut Screen<'_>) -> Result<Exit, Problem> {
    let question = draft.text.clone().err().unwrap_or_default();
    if screen.is_for_people() {
        recognised(draft, screen);
    }
    Err(Problem::usage(question))
}

fn recognised(draft: &Draft, screen: &mut Screen<'_>) {
    for section in &draft.recognised {
        let columns: Vec<&str> = section.columns.iter().map(String::as_str).collect();
        screen.table(&section.title, &columns, &section.rows);
    }
    screen.line("");
}

fn tell(draft: &Draft, path: &Path, screen: &mut Screen<'_>) {
    let shown_path = shown(path);
    if !screen.is_for_people() {
        let sections = draft.recognised.iter().map(|section| {
            json!({"title": section.title, "columns": section.columns, "rows": section.rows})
        });
        screen.json(&json!({
            "v": VERSION,
            "type": "init",
            "scenario": shown_path,
            "recognised": sections.collect::<Vec<_>>(),
        }));
        return;
    }
    if screen.quiet {
        screen.line(Screen::safe(&shown_path));
        return;
    }
    recognised(draft, screen);
    screen.line(format!("wrote {}", Screen::safe(&shown_path)));
    let word = Screen::safe(shell_word(&shown_path));
    next::propose(&[(format!("run {word}"), "simulate it")], screen);
}

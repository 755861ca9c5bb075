//! Turns recorded end-to-end runs into scenario files: `convert-e2e FILE.jsonl... FOLDER`.
//!
//! Each line of a file is a run; its scenario is written as `FOLDER/ID.toml`, in the profile in
//! which the run was recorded.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program speaks to whoever started it"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let Some((folder, files)) = arguments
        .split_last()
        .filter(|(_, files)| !files.is_empty())
    else {
        eprintln!("usage: convert-e2e FILE.jsonl... FOLDER");
        return ExitCode::from(2);
    };
    if let Err(error) = std::fs::create_dir_all(folder) {
        eprintln!("{}: {error}", folder.display());
        return ExitCode::from(2);
    }
    for file in files {
        if let Err(what) = convert(file, folder) {
            eprintln!("{}: {what}", file.display());
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn convert(file: &Path, folder: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for (number, line) in text.lines().enumerate() {
        let at = |what: String| format!("line {}: {what}", number + 1);
        let case: Value = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
        let scenario = dacapo_tests::scenario(&case, "upstream").map_err(at)?;
        let id = case["id"].as_str().unwrap_or("run");
        let path = folder.join(format!("{id}.toml"));
        std::fs::write(&path, scenario).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

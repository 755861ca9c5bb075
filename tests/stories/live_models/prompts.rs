//! New prompts for a desk, and what a test of one says.

use std::fs;

use dacapo_cli::Exit;
use serde_json::Value;
use tempfile::TempDir;

use super::call;

/// Writes templates beside the one that the run was made with: each asks for the same, and makes the obedient model
/// answer as it says.
pub(in super::super) fn write(desk: &TempDir, base: &str, answers: &[(&str, Option<&str>)]) {
    let template = fs::read_to_string(desk.path().join(base)).expect("it is there");
    for (name, answer) in answers {
        let answer = answer.map_or_else(String::new, |answer| format!("\nANSWER {answer}\n"));
        let text = format!("{template} {answer}");
        fs::write(desk.path().join(format!("{name}.txt")), text).expect("the folder is ours");
    }
}

/// The line that sums up a test with this template, and all that it says.
pub(in super::super) fn test(desk: &TempDir, words: &str) -> (Exit, Value, String) {
    let words = format!("prompt-test DESK/a.dlog --message-format json --template DESK/{words}");
    let (exit, said) = call(desk.path(), &words);
    let sum = said.lines().rfind(|line| line.contains("\"prompt-test\""));
    let sum = sum.and_then(|line| serde_json::from_str(line).ok());
    (exit, sum.unwrap_or(Value::Null), said)
}

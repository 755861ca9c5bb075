//! What must fit together where an agent is a program.

use dacapo_kernel::{Files, Mistake};

use super::{Config, ProcessSource, TaskKind};

/// The longest time that a program may be waited for by the wall clock, in seconds.
const MAX_LIMIT: f64 = 3_600.0;

/// A program speaks for an agent that says messages, and can be started and waited for.
pub(super) fn check(config: &Config) -> Result<(), Mistake> {
    for source in config.processes() {
        one(&source)?;
        let twins = config
            .processes()
            .filter(|other| other.agent == source.agent);
        if twins.count() > 1 {
            let what = format!("two agents named `{}` are programs", source.agent);
            return Err(Mistake::at(&source.at, what).help("give each a name of its own"));
        }
    }
    Ok(())
}

fn one(source: &ProcessSource<'_>) -> Result<(), Mistake> {
    let process = source.process;
    let at = |key: &str| format!("{}.{key}", source.at);
    if source.topic == TaskKind::PortfolioRebalance.topic() {
        return Err(Mistake::at(
            &source.at,
            "a portfolio makes plans, and a program says messages",
        )
        .help("use `plans`, or a program for trading_decision"));
    }
    if process.command.first().is_none_or(String::is_empty) {
        return Err(Mistake::at(
            &at("command"),
            "expected a program and its arguments, found none",
        )
        .help("such as command = [\"python3\", \"agent.py\"]"));
    }
    if let Some(nul) = process.command.iter().position(|word| word.contains('\0')) {
        let what = "no program takes an argument with a NUL in it";
        return Err(Mistake::at(&at(&format!("command.{nul}")), what));
    }
    let limit = process.limit_seconds;
    if !(limit > 0.0 && limit <= MAX_LIMIT) {
        let what = format!("expected seconds above 0, at most {MAX_LIMIT}, found {limit}");
        return Err(Mistake::at(&at("limit_seconds"), what));
    }
    if !(0.0..=86_400.0).contains(&process.delay_seconds) {
        let what = format!(
            "expected 0 to 86,400 seconds, found {}",
            process.delay_seconds
        );
        return Err(Mistake::at(&at("delay_seconds"), what));
    }
    if !(1..=100_000).contains(&process.history) {
        let what = format!("expected 1 to 100,000, found {}", process.history);
        return Err(Mistake::at(&at("history"), what));
    }
    for (i, topic) in process.subscribe.iter().enumerate() {
        if process.subscribe[..i].contains(topic) {
            let what = format!("`{topic}` is named twice");
            return Err(Mistake::at(&at(&format!("subscribe.{i}")), what));
        }
    }
    Ok(())
}

/// Notes the digests of the files that programs are made of, as far as the scenario names them.
///
/// # Errors
/// If a file that is named as one is not there.
pub(crate) fn note_files(config: &Config, files: &dyn Files) -> Result<(), Mistake> {
    for source in config.processes() {
        let at = |key: &str| format!("{}.{key}", source.at);
        for (i, word) in source.process.command.iter().enumerate() {
            let opened = files.open(word).map(drop);
            // The first word with a path is a file of the scenario's; any other may be an option, or a program of the
            // machine.
            if i == 0 && word.contains('/') {
                let mistake = |error: dacapo_kernel::BuildError| {
                    Mistake::at(&at("command.0"), error.to_string())
                };
                opened.map_err(mistake)?;
            }
        }
        for (i, file) in source.process.files.iter().enumerate() {
            let opened = files.open(file).map(drop);
            opened.map_err(|error| Mistake::at(&at(&format!("files.{i}")), error.to_string()))?;
        }
    }
    Ok(())
}

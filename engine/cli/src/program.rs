//! The program itself: reads the command line, calls the command, ends with its code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use dacapo_kernel::{BuildError, Dialogue, ProgramError, Service, System};
use dacapo_lab::scenario::printable;
use serde_json::json;

use crate::args::{Action, Cli, Common, Format, When, command};
use crate::console::Console;
use crate::exit::{Exit, Problem};
use crate::screen::Screen;
use crate::{
    check, defects, diagnostics, diff, explain, export, faults, figures, find, fork, fuzz, import,
    init, invariants, panics, prompt_test, record, replay, report, run, salvage, show, shrink,
    sweep, test,
};

/// The program for a system: every command there is, on the arguments of the process.
pub fn main<S: System>() -> ExitCode {
    start::<S>(|console| console)
}

/// The same for a system whose scenarios name services that `record` asks live; `connect` reaches them.
pub fn main_with<S: System>(
    connect: impl Fn(&Service) -> Result<Box<dyn Dialogue>, BuildError> + 'static,
) -> ExitCode {
    start::<S>(|console| console.connected(connect))
}

fn start<S: System>(equip: impl FnOnce(Console<'static>) -> Console<'static>) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    panics::install();
    let exit = match panics::caught(|| execute::<S, _>(&arguments, equip(Console::of_process()))) {
        Ok(exit) => exit,
        Err(panic) => {
            let mut console = Console::of_process();
            let report = panics::report(&panic, &arguments);
            // Where standard error is gone, nobody can be told.
            let _ = console.err.write_all(report.as_bytes());
            Exit::Internal
        }
    };
    ExitCode::from(exit.code())
}

/// The same for any arguments, the first of which names the program, and any console.
pub fn execute<S, A>(arguments: &[A], console: Console<'_>) -> Exit
where
    S: System,
    A: Clone + Into<OsString>,
{
    let arguments: Vec<OsString> = arguments.iter().cloned().map(Into::into).collect();
    let program = program_name(&arguments);
    let matches = command(&program, console.width).try_get_matches_from(&arguments);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return explain_usage(&error, &arguments, console, &program),
    };
    let _diagnostics = diagnostics::install(cli.common.verbose, console.rust_log.as_deref());
    let mut screen = Screen::new(console, &cli.common, &program);
    let done = perform::<S>(&cli.command, &mut screen, &arguments);
    let exit = match done {
        Ok(exit) => exit,
        Err(problem) => {
            tell_problem(&problem, &mut screen);
            problem.exit()
        }
    };
    match screen.finish() {
        Ok(()) => exit,
        Err(error) => {
            let error = format!("the results cannot be written: {error}");
            tell_problem(&Problem::internal(error), &mut screen);
            Exit::Internal
        }
    }
}

fn perform<S: System>(
    action: &Action,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    match action {
        Action::Init(args) => init::init::<S>(args, screen),
        Action::Run(args) => run::run::<S>(args, screen, arguments),
        Action::Record(args) => record::record::<S>(args, screen, arguments),
        Action::PromptTest(args) => prompt_test::prompt_test::<S>(args, screen),
        Action::Replay(args) => replay::replay::<S>(args, screen),
        Action::Check(args) => check::check::<S>(args, screen),
        Action::Show(args) => show::show::<S>(args, screen),
        Action::Fuzz(args) if args.matrix => fuzz::matrix::<S>(args, screen),
        Action::Fuzz(args) => fuzz::fuzz::<S>(args, screen, arguments),
        Action::Invariants(args) => invariants::invariants::<S>(args, screen),
        Action::Faults => Ok(faults::faults::<S>(screen)),
        Action::Shrink(args) => shrink::shrink::<S>(args, screen),
        Action::Explain(args) => explain::explain::<S>(args, screen),
        Action::Report(args) => report::report::<S>(args, screen),
        Action::Figures(args) => figures::figures::<S>(args, screen),
        Action::Export(args) => export::export::<S>(args, screen),
        Action::Sweep(args) => sweep::sweep::<S>(args, screen),
        Action::Find(args) => find::find::<S>(args, screen),
        Action::Fork(args) => fork::fork::<S>(args, screen, arguments),
        Action::Diff(args) => diff::diff::<S>(args, screen),
        Action::Import(args) => import::import::<S>(args, screen),
        Action::Test(args) => test::test::<S>(args, screen),
        Action::Salvage(args) => salvage::salvage::<S>(args, screen),
        Action::Defects => Ok(defects::defects::<S>(screen)),
        Action::Completions { shell } => {
            let mut script = Vec::new();
            let program = screen.program.clone();
            let mut command = command(&program, None);
            clap_complete::generate(*shell, &mut command, program, &mut script);
            screen.put(&String::from_utf8_lossy(&script));
            Ok(Exit::Fine)
        }
    }
}

/// The name by which the program was called, for the commands that it proposes.
fn program_name(arguments: &[OsString]) -> String {
    let called = arguments.first().map(Path::new);
    let name = called
        .and_then(Path::file_stem)
        .map(|name| name.to_string_lossy());
    name.map_or_else(|| "dacapo".to_owned(), |name| printable(&name))
}

/// Help and version go to standard output, mistakes to standard error.
fn explain_usage(
    error: &clap::Error,
    arguments: &[OsString],
    console: Console<'_>,
    program: &str,
) -> Exit {
    let common = Common {
        color: When::Auto,
        message_format: Format::Human,
        no_progress: true,
        quiet: false,
        verbose: 0,
    };
    let mut screen = Screen::new(console, &common, program);
    let rendered = error.render();
    // Clap repeats what was typed; colour is only for text that is surely its own.
    let is_harmless = |word: &OsString| {
        let word = word.to_string_lossy();
        printable(&word) == word
    };
    let text = if screen.has_colour() && arguments.iter().all(is_harmless) {
        rendered.ansi().to_string()
    } else {
        let lines: Vec<String> = rendered.to_string().lines().map(printable).collect();
        lines.join("\n")
    };
    let text = text.trim_end();
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if is_answer {
        screen.line(text);
    } else {
        screen.say(text);
    }
    match (screen.finish(), is_answer) {
        (Err(_), _) => Exit::Internal,
        (Ok(()), true) => Exit::Fine,
        (Ok(()), false) => Exit::Usage,
    }
}

/// Says what went wrong, for people and for programs.
pub(crate) fn tell_problem(problem: &Problem, screen: &mut Screen<'_>) {
    match problem {
        Problem::Scenario(error) => {
            // The report is made of lines that are safe each.
            screen.say(&error.render(screen.has_colour()));
            let place = match (error.line, error.column) {
                (Some(line), Some(column)) => format!("{}:{line}:{column}", error.file),
                _ => error.file.clone(),
            };
            screen.annotate("error", &place, &error.what);
        }
        Problem::Program(place, error, note) => tell_program(place, error, note.as_deref(), screen),
        Problem::Other(_, what) => screen.error(what),
    }
    if !screen.is_for_people() {
        let exit = problem.exit().code();
        let value = match problem {
            Problem::Scenario(error) => json!({
                "v": dacapo_lab::VERSION,
                "type": "error",
                "exit": exit,
                "scenario": error,
            }),
            Problem::Program(..) | Problem::Other(..) => json!({
                "v": dacapo_lab::VERSION,
                "type": "error",
                "exit": exit,
                "what": problem.in_short(),
            }),
        };
        screen.json(&value);
    }
}

/// How a program outside failed, with the end of what it wrote for people.
fn tell_program(place: &str, error: &ProgramError, note: Option<&str>, screen: &mut Screen<'_>) {
    let ProgramError {
        who,
        name,
        command,
        place: at,
        unfit,
        last_words,
    } = error;
    screen.error(format!(
        "{place}: the {}{name} (`{command}`) {at}: {}",
        who.title(),
        unfit.what
    ));
    for line in last_words.lines() {
        screen.say(&format!("  | {}", Screen::safe(line)));
    }
    screen.say(&format!(" = help: {}", Screen::safe(&unfit.help)));
    if let Some(note) = note {
        screen.say(&format!(" = note: {}", Screen::safe(note)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_on_a_terminal(word: &str) -> String {
        let arguments = [OsString::from("x"), OsString::from(word)];
        let error = command("x", None)
            .try_get_matches_from(&arguments)
            .expect_err("there is no such command");
        let mut err = Vec::new();
        let mut console = Console::captured(std::io::sink(), &mut err);
        console.out_is_terminal = true;
        explain_usage(&error, &arguments, console, "x");
        String::from_utf8(err).expect("the report is text")
    }

    #[test]
    fn a_slip_is_explained_in_colour_only_if_what_was_typed_is_harmless() {
        assert!(usage_on_a_terminal("rum").contains("\u{1b}["));
        let report = usage_on_a_terminal("\u{1b}[31mrum");
        assert!(report.contains("unrecognized subcommand"), "{report}");
        assert!(!report.contains('\u{1b}'), "{report}");
    }
}

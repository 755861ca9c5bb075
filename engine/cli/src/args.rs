//! The command line: commands, options, and help that teaches by example.

use clap::{Args, Command, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::check::{self, CheckArgs};
use crate::diff::{self, DiffArgs};
use crate::explain::{self, ExplainArgs};
use crate::export::{self, ExportArgs};
use crate::figures::{self, FiguresArgs};
use crate::find::{self, FindArgs};
use crate::fork::{self, ForkArgs};
use crate::fuzz::{self, FuzzArgs};
use crate::import::{self, ImportArgs};
use crate::init::{self, InitArgs};
use crate::invariants::InvariantsArgs;
use crate::prompt_test::{self, PromptTestArgs};
use crate::record::{self, RecordArgs};
use crate::replay::{self, ReplayArgs};
use crate::report::{self, ReportArgs};
use crate::run::{self, RunArgs};
use crate::salvage::{self, SalvageArgs};
use crate::show::{self, ShowArgs};
use crate::shrink::{self, ShrinkArgs};
use crate::sweep::{self, SweepArgs};
use crate::test::{self, TestArgs};

/// What the program was asked to do.
#[derive(Debug, Parser)]
#[command(
    version,
    about = "Simulates a system exactly, writes everything that happens to a log, and plays it again",
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Action,
}

/// Options of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    /// When to use colour; NO_COLOR in the environment means never, unless this says always
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
    /// How results are printed: for people, as versioned JSON lines, or with GitHub annotations
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    pub(crate) message_format: Format,
    /// Never draw a progress bar
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Print the result in one line, and no notes
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Diagnostics on standard error, with virtual time; twice for more, three times for every event
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    Always,
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Github,
}

/// The commands there are.
#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Write a scenario for data files of your own
    Init(InitArgs),
    /// Simulate a scenario, write its log, say what happened
    Run(RunArgs),
    /// The same with services that are asked live, whose answers are kept
    Record(RecordArgs),
    /// What another prompt would decide, asked at the decisions of recorded logs
    PromptTest(PromptTestArgs),
    /// Run a log again and compare every event with the recorded one
    Replay(ReplayArgs),
    /// Whether a log is whole and its properties hold, without running any code
    Check(CheckArgs),
    /// The events of a log, or the whole state at a moment of it
    Show(ShowArgs),
    /// Run many seeds of a scenario with faults that are drawn, and say what fails
    Fuzz(FuzzArgs),
    /// The smallest set of inputs with which the run of a log still fails in the same way
    Shrink(ShrinkArgs),
    /// Why an event of a log came about, back to the inputs, and what follows from it
    Explain(ExplainArgs),
    /// One page about a log, to read in a browser: what failed and why, curves, lists, events
    Report(ReportArgs),
    /// What a run comes to: its figures, with their units and what they mean, from its log
    Figures(FiguresArgs),
    /// The data of a log for other tools: JSON lines, CSV, SQLite, Parquet
    Export(ExportArgs),
    /// Run every combination of several values of a scenario, and compare their figures
    Sweep(SweepArgs),
    /// Events by what they say, by the state that they leave or change, by what comes before them
    Find(FindArgs),
    /// What if one input had been another one; and which inputs matter most
    Fork(ForkArgs),
    /// Two logs side by side: where they part, what differs, what each comes to
    Diff(DiffArgs),
    /// A trace of production, as a log to check, explain and report
    Import(ImportArgs),
    /// Hold every scenario to what it expects, and every golden log against its run made again
    Test(TestArgs),
    /// Copy what is sound out of a damaged log, and say what is lost
    Salvage(SalvageArgs),
    /// The properties that must hold, and what is to be reached sometimes
    Invariants(InvariantsArgs),
    /// The kinds of fault that a run can suffer
    Faults,
    /// The defects that can be switched on, and what notices them
    Defects,
    /// A script that completes commands and options in a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// The command line of a program of this name, with its examples.
pub(crate) fn command(program: &str, width: Option<u16>) -> Command {
    let examples = |lines: &[(&str, &str)]| {
        let longest = lines
            .iter()
            .map(|(command, _)| command.chars().count())
            .max();
        let longest = longest.unwrap_or(0);
        let mut text = String::from("Examples:\n");
        for (command, meaning) in lines {
            text.push_str(&format!("  {program} {command:longest$}  {meaning}\n"));
        }
        text
    };
    let run = examples(&run::EXAMPLES) + run::AFTER;
    let record = examples(&record::EXAMPLES) + record::AFTER;
    let prompt_test = examples(&prompt_test::EXAMPLES) + prompt_test::AFTER;
    let replay = examples(&replay::EXAMPLES) + replay::AFTER;
    let check = examples(&check::EXAMPLES) + check::AFTER;
    let show = examples(&show::EXAMPLES) + show::AFTER;
    let fuzz = examples(&fuzz::EXAMPLES) + fuzz::AFTER;
    let shrink = examples(&shrink::EXAMPLES) + shrink::AFTER;
    let explain = examples(&explain::EXAMPLES) + explain::AFTER;
    let report = examples(&report::EXAMPLES);
    let figures = examples(&figures::EXAMPLES) + figures::AFTER;
    let export = examples(&export::EXAMPLES) + export::AFTER;
    let sweep = examples(&sweep::EXAMPLES) + sweep::AFTER;
    let init = examples(&init::EXAMPLES) + init::AFTER;
    let find = examples(&find::EXAMPLES) + find::AFTER;
    let fork = examples(&fork::EXAMPLES) + fork::AFTER;
    let diff = examples(&diff::EXAMPLES) + diff::AFTER;
    let import = examples(&import::EXAMPLES) + import::AFTER;
    let salvage = examples(&salvage::EXAMPLES) + salvage::AFTER;
    let test = examples(&test::EXAMPLES) + test::AFTER;
    let completions = examples(&[("completions bash > ~/.bash_completion.d/x", "for bash")]);
    let mut command = Cli::command()
        .name(program.to_owned())
        .bin_name(program)
        .mut_subcommand("init", |c| c.after_help(init))
        .mut_subcommand("run", |c| c.after_help(run))
        .mut_subcommand("record", |c| c.after_help(record))
        .mut_subcommand("prompt-test", |c| c.after_help(prompt_test))
        .mut_subcommand("replay", |c| c.after_help(replay))
        .mut_subcommand("check", |c| c.after_help(check))
        .mut_subcommand("show", |c| c.after_help(show))
        .mut_subcommand("fuzz", |c| c.after_help(fuzz))
        .mut_subcommand("shrink", |c| c.after_help(shrink))
        .mut_subcommand("explain", |c| c.after_help(explain))
        .mut_subcommand("report", |c| c.after_help(report))
        .mut_subcommand("figures", |c| c.after_help(figures))
        .mut_subcommand("export", |c| c.after_help(export))
        .mut_subcommand("sweep", |c| c.after_help(sweep))
        .mut_subcommand("find", |c| c.after_help(find))
        .mut_subcommand("fork", |c| c.after_help(fork))
        .mut_subcommand("diff", |c| c.after_help(diff))
        .mut_subcommand("import", |c| c.after_help(import))
        .mut_subcommand("test", |c| c.after_help(test))
        .mut_subcommand("salvage", |c| c.after_help(salvage))
        .mut_subcommand("completions", |c| c.after_help(completions))
        .after_help(format!(
            "Begin with: {program} run SCENARIO\nEach command says more with --help."
        ));
    if let Some(width) = width {
        command = command.term_width(usize::from(width));
    }
    command
}

/// Every option's long name, for the test that none is without help.
#[cfg(test)]
fn options_without_help(command: &Command) -> Vec<String> {
    let silent = |arg: &&clap::Arg| arg.get_help().is_none();
    let own = command.get_arguments().filter(silent);
    let own = own.map(|arg| format!("{} {}", command.get_name(), arg.get_id()));
    let below = command.get_subcommands().flat_map(options_without_help);
    own.chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere_and_explains_everything() {
        let command = command("dacapo", Some(100));
        assert_eq!(options_without_help(&command), Vec::<String>::new());
        command.debug_assert();
    }
}

//! The commands and screens of any system under simulation.
//!
//! A program is one line: `fn main() -> ExitCode { dacapo_cli::main::<YourSystem>() }`. Arguments,
//! screens and exit codes are here; what is found out about a run or a log is found out in the
//! lab.
//!
//! ```no_run
//! # use dacapo_kernel::*;
//! # struct Yours;
//! # events! { pub enum Nothing { 64 "nothing" v 1 Consequence => Nothing(u8); } }
//! # impl System for Yours {
//! #     const NAME: &'static str = "yours";
//! #     type Event = Nothing;
//! #     type View = ();
//! #     type Config = ();
//! #     fn resolve(_: &mut Plan<()>, _: &dyn Files) -> Result<(), Mistake> { Ok(()) }
//! #     fn build(_: &Plan<()>, _: &mut Setup<'_, Self>) -> Result<(), BuildError> { Ok(()) }
//! #     fn describe(_: &Event<Nothing>, _: &Nothing) -> String { String::new() }
//! # }
//! fn main() -> std::process::ExitCode {
//!     dacapo_cli::main::<Yours>()
//! }
//! ```

mod among;
mod args;
mod check;
mod console;
mod defects;
mod diagnostics;
mod diff;
mod difference;
mod endings;
mod exit;
mod explain;
mod export;
mod failure;
mod faults;
mod figures;
mod find;
mod fork;
mod fuzz;
mod import;
mod init;
mod interrupt;
mod invariants;
mod kept_states;
mod log_file;
mod next;
mod pace;
mod panics;
mod program;
mod progress;
mod prompt_test;
mod record;
mod replay;
mod report;
mod run;
mod salvage;
mod screen;
mod show;
mod shrink;
mod state;
mod summary;
mod sweep;
mod table;
mod test;
mod text;
mod values;

pub use console::Console;
pub use exit::Exit;
pub use program::{execute, main, main_with};
pub use test::assert_tested;

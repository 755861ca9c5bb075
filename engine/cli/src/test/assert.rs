//! The same test from within `cargo test`.

use dacapo_kernel::System;

use crate::console::Console;
use crate::exit::Exit;
use crate::program::execute;

/// Tests every scenario and golden log below these paths, as the command `test --locked` does.
///
/// ```no_run
/// # mod yours { use dacapo_kernel::*;
/// # pub struct Yours;
/// # events! { pub enum Nothing { 64 "nothing" v 1 Consequence => Nothing(u8); } }
/// # impl System for Yours {
/// #     const NAME: &'static str = "yours";
/// #     type Event = Nothing;
/// #     type View = ();
/// #     type Config = ();
/// #     fn resolve(_: &mut Plan<()>, _: &dyn Files) -> Result<(), Mistake> { Ok(()) }
/// #     fn build(_: &Plan<()>, _: &mut Setup<'_, Self>) -> Result<(), BuildError> { Ok(()) }
/// #     fn describe(_: &Event<Nothing>, _: &Nothing) -> String { String::new() }
/// # } }
/// # use yours::Yours;
/// #[test]
/// fn scenarios_and_golden_logs_hold() {
///     dacapo_cli::assert_tested::<Yours>(&["scenarios"]);
/// }
/// ```
///
/// # Panics
/// With what the command says, unless all is well.
pub fn assert_tested<S: System>(paths: &[&str]) {
    let mut arguments = vec!["dacapo", "test", "--locked", "--quiet"];
    arguments.extend(paths);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = execute::<S, _>(&arguments, Console::captured(&mut out, &mut err));
    let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
    assert!(exit == Exit::Fine, "exit {}\n{out}{err}", exit.code());
}

//! `explain`: why an event came about.
use crate::args::ExplainArgs;
use crate::exit::{Exit, Problem};
use crate::screen::Screen;
use dacapo_kernel::System;
pub(crate) fn explain<S: System>(
    _args: &ExplainArgs,
    _screen: &mut Screen<'_>,
) -> Result<Exit, Problem> {
    Ok(Exit::Fine)
}

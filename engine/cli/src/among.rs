//! Which events of a log: the options that commands share which look at some of them.

use clap::Args;
use dacapo_lab::Moment;

use crate::values::tag;

/// Among which events.
#[derive(Args, Debug)]
pub(crate) struct Among {
    /// Only events with this tag; may be repeated, then all must be there
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(crate) tag: Vec<(String, String)>,
    /// Only from this event or time on
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) from: Option<Moment>,
    /// Only up to this event or time, which is included
    #[arg(long, value_name = "SEQ|TIME")]
    pub(crate) to: Option<Moment>,
}

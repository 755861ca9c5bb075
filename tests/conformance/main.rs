//! Conformance: what the original was recorded to do, one test per recording and profile, and a
//! closing table of what passed.
//!
//! Recorded cases lie in `tests/data/vectors`, recorded runs in `tests/data/e2e`; `DACAPO_VECTORS` and
//! `DACAPO_E2E` name other folders of them.
//! Profile `upstream` must give what the original gave, `review-fixed` what its review demands.
//! Nothing here decides what is right: the recordings do.

mod case;
mod compare;
mod desk;
mod e2e;
mod encoding;
#[expect(
    clippy::unwrap_used,
    reason = "a recording that cannot be read must fail its case, which catches the panic"
)]
mod families;
mod folder;
mod model_calls;
mod notes;
mod self_check;
mod stage;
mod tally;
mod vectors;

use std::process::ExitCode;

use libtest_mimic::Arguments;

use case::Case;
use tally::Tally;

/// Where cases come from. Each source gives them all; the arguments choose among them.
const SOURCES: [fn() -> Vec<Case>; 3] = [self_check::cases, vectors::cases, e2e::cases];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    case::keep_panics();
    let mut tally = Tally::default();
    let cases = SOURCES.iter().flat_map(|source| source());
    let trials = cases.map(|case| tally.counted(case)).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if tally::is_wanted(&arguments) {
        tally.print();
    }
    conclusion.exit_code()
}

//! Parts of the product against models of them: states and steps are generated, and after each step
//! the two must agree.
//!
//! A model is written from the rules and not from the code, with plain lists and no care for speed.

mod bus;
mod degradation;
mod legs;
mod stage;

use proptest::test_runner::{Config, RngSeed};

/// How often proptest tries where nobody asks for more.
const USUAL_CASES: u32 = 256;

/// So many cases, and always the same: a failure here is a failure everywhere, so no file has to
/// remember it, and what it taught becomes a test with a name. With `PROPTEST_CASES` there are as many
/// times more as it is above 256, with `PROPTEST_RNG_SEED` they are others.
fn cases(cases: u32) -> Config {
    let asked = Config::default();
    let rng_seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed => fixed,
    };
    Config {
        cases: cases * asked.cases.div_ceil(USUAL_CASES),
        rng_seed,
        failure_persistence: None,
        ..asked
    }
}

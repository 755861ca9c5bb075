//! What the command `test` does, from within `cargo test`: every scenario is held to what it expects, and every
//! golden log against its run made again.

#[path = "../src/main.rs"]
#[allow(dead_code)]
mod work_queue;

use work_queue::WorkQueue;

#[test]
fn scenarios_and_golden_logs_hold() {
    dacapo_cli::assert_tested::<WorkQueue>(&["scenarios"]);
}

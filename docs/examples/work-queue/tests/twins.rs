//! With the defect the story fails, without it the same story passes.

use std::process::Command;

fn run(scenario: &str, options: &[&str]) -> Option<i32> {
    let scenario = format!("{}/scenarios/{scenario}", env!("CARGO_MANIFEST_DIR"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_work-queue"));
    program.current_dir(env!("CARGO_TARGET_TMPDIR"));
    program.args(["run", &scenario]).args(options);
    program.status().unwrap().code()
}

#[test]
fn the_defect_breaks_a_queue_with_slow_workers_only() {
    let broken = ["--defects", "lease-not-rechecked"];
    assert_eq!(run("slow-worker.toml", &broken), Some(1));
    assert_eq!(run("slow-worker.toml", &[]), Some(0));
    assert_eq!(run("steady.toml", &broken), Some(0));
}

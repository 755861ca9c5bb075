//! Another working folder, time zone, locale, home and environment make no difference.

use std::path::Path;
use std::process::Command;

use dacapo_tests::{Story, fingerprint, root};
use tempfile::tempdir;

/// The program that records one scenario and prints its fingerprint.
fn recorder(scenario: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_record"));
    command.arg(scenario);
    command
}

fn printed(command: &mut Command) -> String {
    let output = command.output().expect("the recorder starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn another_folder_time_zone_locale_and_home_make_no_difference() {
    let elsewhere = tempdir().expect("a temporary folder can be made");
    for story in Story::ALL {
        let mut command = recorder(&story.path());
        command
            .current_dir(elsewhere.path())
            .env("TZ", "Pacific/Kiritimati")
            .env("LANG", "de_DE.UTF-8")
            .env("LC_ALL", "tr_TR.UTF-8")
            .env("HOME", elsewhere.path())
            .env("USER", "somebody else")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("NO_COLOR", "1")
            .env("DACAPO_SEED", "7");
        assert_eq!(printed(&mut command), fingerprint(story.log()), "{story:?}");
    }
}

#[test]
fn an_empty_environment_and_a_relative_path_make_no_difference() {
    for story in [Story::Deadlock, Story::BinanceTape] {
        let mut command = recorder(Path::new(story.file()));
        command.env_clear().current_dir(root().join("scenarios"));
        assert_eq!(printed(&mut command), fingerprint(story.log()), "{story:?}");
    }
}

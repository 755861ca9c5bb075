//! Data files: those of the scenario's folder and no others, each with its digest.

use std::io::Read;

use dacapo_kernel::{DataFile, Files};
use dacapo_lab::scenario::{DataDir, Overrides};
use insta::assert_snapshot;

use crate::system::{Folder, LEAST};

fn reading(path: &str) -> String {
    format!("{LEAST}[parcels]\nfrom = \"file\"\npath = \"{path}\"\n")
}

fn report(folder: &Folder) -> String {
    folder.report("depot.toml", &Overrides::default())
}

#[test]
fn a_file_is_read_and_noted() {
    let folder = Folder::with(reading("data/parcels.csv"));
    folder.write("data/parcels.csv", "3\n5\n");
    let loaded = folder.load(&Overrides::default()).unwrap();
    let noted = DataFile {
        path: "data/parcels.csv".to_owned(),
        digest: blake3::hash(b"3\n5\n").to_hex().to_string(),
        bytes: 4,
    };
    assert_eq!(loaded.plan.data, [noted]);
    let mut text = String::new();
    let mut file = loaded.files.open("data/parcels.csv").unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "3\n5\n");
}

#[test]
fn files_are_noted_once_and_by_name() {
    let folder = Folder::with(LEAST);
    for name in ["b.csv", "a.csv", "c.csv"] {
        folder.write(name, name);
    }
    let files = DataDir::new(folder.0.path()).unwrap();
    for name in ["c.csv", "a.csv", "b.csv", "a.csv"] {
        drop(files.open(name).unwrap());
    }
    let names: Vec<String> = files.opened().into_iter().map(|file| file.path).collect();
    assert_eq!(names, ["a.csv", "b.csv", "c.csv"]);
}

#[test]
fn a_file_that_changes_between_two_readings_is_refused() {
    let folder = Folder::with(reading("parcels.csv"));
    folder.write("parcels.csv", "3\n");
    let loaded = folder.load(&Overrides::default()).unwrap();
    folder.write("parcels.csv", "4\n");
    let error = loaded.files.open("parcels.csv").err().unwrap().to_string();
    assert!(
        error.contains("changed while the run was prepared"),
        "{error}"
    );
    assert_eq!(loaded.files.opened(), loaded.plan.data);
}

#[test]
fn a_file_that_is_not_there_has_a_neighbour() {
    let folder = Folder::with(reading("data/parcel.csv"));
    folder.write("data/parcels.csv", "3\n");
    assert_snapshot!("data_missing", report(&folder));
    assert_snapshot!(
        "data_missing_far",
        report(&Folder::with(reading("x/y.csv")))
    );
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    let absolute = outside.path().to_str().unwrap();
    assert_snapshot!(
        "data_absolute",
        report(&Folder::with(reading(absolute)))
            .replace(absolute, "/outside/parcels.csv")
            .replace(&"^".repeat(absolute.len() + 2), "^^^")
    );
    assert_snapshot!(
        "data_above",
        report(&Folder::with(reading("data/../../parcels.csv")))
    );
    assert_snapshot!("data_without_a_name", report(&Folder::with(reading(""))));
    assert_snapshot!(
        "data_with_a_nul",
        report(&Folder::with(reading("a\\u0000b")))
    );
    let folder = Folder::with(reading("data"));
    folder.write("data/parcels.csv", "3\n");
    assert_snapshot!("data_folder", report(&folder));
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_inside_the_folder_and_no_further() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::TempDir::new().unwrap();
    std::fs::write(outside.path().join("parcels.csv"), "3\n").unwrap();

    let folder = Folder::with(reading("parcels.csv"));
    symlink(
        outside.path().join("parcels.csv"),
        folder.path("parcels.csv"),
    )
    .unwrap();
    assert_snapshot!("data_link_outside", report(&folder));

    let folder = Folder::with(reading("out/parcels.csv"));
    symlink(outside.path(), folder.path("out")).unwrap();
    assert!(report(&folder).contains("leaves the scenario's folder"));

    let folder = Folder::with(reading("parcels.csv"));
    folder.write("data/parcels.csv", "3\n");
    symlink("data/parcels.csv", folder.path("parcels.csv")).unwrap();
    assert!(folder.load(&Overrides::default()).is_ok());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_without_waiting_for_it() {
    let pipe = |folder: &Folder, name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path(name))
            .status();
        assert!(made.unwrap().success());
    };
    let folder = Folder::with(reading("parcels.csv"));
    pipe(&folder, "parcels.csv");
    assert_snapshot!("data_pipe", report(&folder));
    pipe(&folder, "pipe.toml");
    assert_snapshot!("pipe", folder.report("pipe.toml", &Overrides::default()));
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let folder = Folder::with(reading("parcels.csv"));
    let file = std::fs::File::create(folder.path("parcels.csv")).unwrap();
    // A hole: it takes no room on the disk.
    file.set_len(dacapo_lab::scenario::DATA_BYTES_MAX + 1)
        .unwrap();
    assert_snapshot!("data_too_large", report(&folder));
}

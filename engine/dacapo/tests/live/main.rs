//! The real program with models that are asked live, at a server on this machine: it is killed while it records, and
//! everything that it writes is searched for the key.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

#[allow(dead_code, reason = "more of it is used elsewhere")]
#[path = "../durability/desk.rs"]
mod desk;

#[path = "../../../models/examples/loopback/server.rs"]
mod server;

mod canary;
mod kills;

use std::fs;
use std::path::Path;

use desk::Desk;
use server::Server;

/// The example with its models at a server, in a folder of its own; `more` goes into the settings of each model.
fn desk(server: &Server, more: &str) -> Desk {
    let desk = Desk::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/live-models");
    let text = fs::read_to_string(example.join("live.toml")).unwrap();
    let text = text.replace("127.0.0.1:8077", &server.address.to_string());
    let text = text.replace("timeout_seconds = 5", &format!("timeout_seconds = 5{more}"));
    fs::write(desk.path("live.toml"), text).unwrap();
    fs::copy(example.join("resolution.txt"), desk.path("resolution.txt")).unwrap();
    desk
}

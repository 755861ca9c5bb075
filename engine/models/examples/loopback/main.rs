//! A provider of language models on this machine, to try recordings with: `cargo run -p dacapo-models --example loopback`.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

mod server;

use std::process::ExitCode;

use server::{MODELS, Server};

fn main() -> ExitCode {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8077".to_owned());
    match Server::start(&address) {
        Ok(server) => {
            println!(
                "Listens on http://{}, until it is interrupted. The models:",
                server.address
            );
            for (name, does) in MODELS {
                println!("  {name:12}  {does}");
            }
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            println!(
                "{address} cannot be listened on: {error}; give another: loopback 127.0.0.1:8078"
            );
            ExitCode::FAILURE
        }
    }
}

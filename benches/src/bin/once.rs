//! One piece of work, once, for a profiler that counts instructions:
//! `valgrind --tool=callgrind target/release/once ping-pong 100000`.

use std::hint::black_box;

use dacapo_benches::{Bench, Happened, Work, plan, record};
use dacapo_kernel::{Events, fold, verify};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let count = arguments.get(2).and_then(|text| text.parse().ok());
    let count = count.unwrap_or(100_000);
    let work = match arguments.get(1).map_or("", String::as_str) {
        "ping-pong" | "verify" | "fold" | "read" => Work::PingPong { messages: count },
        "sleeps" => Work::Sleeps {
            tasks: 1_000,
            each: count / 1_000,
        },
        "choices" | "runs" => Work::Choices {
            tasks: 4,
            events: 1_000,
        },
        _ => panic!("which work: ping-pong, sleeps, choices, runs, verify, fold or read?"),
    };
    let mut plan = plan(work);
    match arguments[1].as_str() {
        "runs" => {
            for seed in 0..count / 1_000 {
                plan.seed = seed;
                black_box(record(&plan, true));
            }
        }
        "verify" => {
            let (_, log) = record(&plan, false);
            black_box(verify::<Bench>(log.reader(), None)).expect("the log is sound");
        }
        "read" => {
            let (_, log) = record(&plan, false);
            let mut events = Events::<Happened>::new(log.reader());
            while let Some(event) = events.next().expect("the log is sound") {
                black_box(event);
            }
        }
        "fold" => {
            let (_, log) = record(&plan, false);
            black_box(fold::<Bench>(&mut Events::new(log.reader()), None))
                .expect("the log is sound");
        }
        _ => drop(black_box(record(&plan, false))),
    }
}

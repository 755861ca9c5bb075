//! The work of `benches/tasks.rs` and `benches/runs.rs` on madsim:
//! `cd benches/madsim && RUSTFLAGS="--cfg madsim" cargo run --release`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use madsim::runtime::Runtime;
use tokio::sync::mpsc;

const MESSAGES: u64 = 1_000_000;
const TASKS: u64 = 1_000;
const EACH: u64 = 1_000;
const RUNS: u64 = 2_000;
const TURNS: u64 = 1_000;
const WORKERS: u64 = 4;

async fn ping_pong() {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    let echo = madsim::task::spawn(async move {
        while let Some(number) = pings.recv().await {
            if pong.send(number + 1).await.is_err() {
                break;
            }
        }
    });
    let mut number: u64 = 0;
    while number < MESSAGES {
        ping.send(number).await.expect("the echo listens");
        number = pongs.recv().await.expect("the echo answers") + 1;
    }
    drop(ping);
    echo.await.expect("the echo ends");
}

async fn sleeps() {
    let sleepers: Vec<_> = (0..TASKS)
        .map(|task| {
            madsim::task::spawn(async move {
                for turn in 0..EACH {
                    let micros = 1_000 + (task * 7_919 + turn * 104_729) % 1_000;
                    madsim::time::sleep(Duration::from_micros(micros)).await;
                }
            })
        })
        .collect();
    for sleeper in sleepers {
        sleeper.await.expect("the sleeper wakes");
    }
}

/// Lets the others run: madsim has no call for it, so a task wakes itself.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut given, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

async fn turns() {
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            madsim::task::spawn(async move {
                for before in 0..TURNS / WORKERS {
                    black_box(before);
                    give_way().await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("the worker ends");
    }
}

fn run(seed: u64, work: impl Future<Output = ()>) {
    Runtime::with_seed_and_config(seed, madsim::Config::default()).block_on(work);
}

fn time(what: &str, count: u64, work: impl Fn()) {
    let best = (0..5)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .min()
        .unwrap_or_default();
    let nanos = best.as_nanos() as f64 / count as f64;
    println!("{what}: {nanos:.1} ns each, {:.0} per second", 1e9 / nanos);
}

fn main() {
    time("ping-pong, per message", MESSAGES, || run(1, ping_pong()));
    time("sleeps of 1000 tasks, per sleep", TASKS * EACH, || run(1, sleeps()));
    time("runs of 1000 turns", RUNS, || {
        (0..RUNS).for_each(|seed| run(seed, turns()));
    });
}

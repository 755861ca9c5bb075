//! Tasks that talk and tasks that sleep, beside tokio and turmoil, which keep no log of it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::{Work, plan, record, span};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

const MESSAGES: u64 = 100_000;
const TASKS: u64 = 1_000;
const EACH: u64 = 100;

/// The same work on tokio's own primitives; what would be logged is counted.
async fn ping_pong(messages: u64) -> u64 {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    let echo = tokio::spawn(async move {
        while let Some(number) = pings.recv().await {
            if pong.send(number + 1).await.is_err() {
                break;
            }
        }
    });
    let mut number = 0;
    while number < messages {
        ping.send(number).await.expect("the echo listens");
        number = pongs.recv().await.expect("the echo answers") + 1;
    }
    drop(ping);
    echo.await.expect("the echo ends");
    number
}

async fn sleeps(tasks: u64, each: u64) -> u64 {
    let sleepers: Vec<_> = (0..tasks)
        .map(|task| {
            tokio::spawn(async move {
                for turn in 0..each {
                    tokio::time::sleep(span(task, turn)).await;
                }
            })
        })
        .collect();
    for sleeper in sleepers {
        sleeper.await.expect("the sleeper wakes");
    }
    tasks * each
}

fn in_turmoil<F: Future<Output = u64> + 'static>(work: F) {
    let mut sim = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(1_000_000))
        .build();
    sim.client("bench", async move {
        black_box(work.await);
        Ok(())
    });
    sim.run().expect("the simulation ends");
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ping-pong, per message");
    group.throughput(Throughput::Elements(MESSAGES));
    let work = plan(Work::PingPong { messages: MESSAGES });
    group.bench_function("dacapo, full log in memory", |bencher| {
        bencher.iter(|| record(&work, false));
    });
    group.bench_function("tokio, no log", |bencher| {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        bencher.iter(|| runtime.block_on(async { tokio::spawn(ping_pong(MESSAGES)).await }));
    });
    group.bench_function("turmoil, no log", |bencher| {
        bencher.iter(|| in_turmoil(ping_pong(MESSAGES)));
    });
    group.finish();
}

fn timers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sleeps of 1000 tasks, per sleep");
    group.throughput(Throughput::Elements(TASKS * EACH));
    let work = plan(Work::Sleeps {
        tasks: TASKS,
        each: EACH,
    });
    group.bench_function("dacapo, full log in memory", |bencher| {
        bencher.iter(|| record(&work, false));
    });
    group.bench_function("tokio, time paused, no log", |bencher| {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        bencher.iter(|| runtime.block_on(sleeps(TASKS, EACH)));
    });
    group.bench_function("turmoil, no log", |bencher| {
        bencher.iter(|| in_turmoil(sleeps(TASKS, EACH)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = messages, timers
}
criterion_main!(benches);

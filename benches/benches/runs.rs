//! Whole small runs, as a campaign makes them by the thousand: 1,000 turns, each with a choice
//! of the scheduler, an event and an invariant; and the same turns on tokio and turmoil, which
//! choose nothing and log nothing.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::{Work, plan, record};
use tokio::runtime::Builder;

const TURNS: u64 = 1_000;
const TASKS: u64 = 4;

async fn turns() -> u64 {
    let workers: Vec<_> = (0..TASKS)
        .map(|_| {
            tokio::spawn(async move {
                let mut done = 0;
                for before in 0..TURNS / TASKS {
                    done += black_box(before);
                    tokio::task::yield_now().await;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for worker in workers {
        done += worker.await.expect("the worker ends");
    }
    done
}

fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("runs of 1000 turns");
    group.throughput(Throughput::Elements(1));
    group.bench_function("dacapo, choices, invariant, log in memory", |bencher| {
        let mut seed = 0;
        bencher.iter(|| {
            seed += 1;
            let mut plan = plan(Work::Choices {
                tasks: TASKS,
                events: TURNS,
            });
            plan.seed = seed;
            record(&plan, true)
        });
    });
    group.bench_function("tokio", |bencher| {
        bencher.iter(|| {
            let runtime = Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(turns())
        });
    });
    group.bench_function("turmoil", |bencher| {
        bencher.iter(|| {
            let mut sim = turmoil::Builder::new().build();
            sim.client("bench", async {
                black_box(turns().await);
                Ok(())
            });
            sim.run().expect("the simulation ends");
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = runs
}
criterion_main!(benches);

//! What is done with a log: running it again with every event compared, reading it, and folding it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_benches::{Bench, Happened, Kept, Work, plan, record};
use dacapo_kernel::{Events, Verified, fold, verify};

fn replay(criterion: &mut Criterion) {
    let works = [
        ("ping-pong", Work::PingPong { messages: 100_000 }),
        (
            "sleeps",
            Work::Sleeps {
                tasks: 1_000,
                each: 100,
            },
        ),
        (
            "choices",
            Work::Choices {
                tasks: 4,
                events: 50_000,
            },
        ),
    ];
    let mut group = criterion.benchmark_group("replay, per event");
    for (name, work) in works {
        let (outcome, kept) = record(&plan(work), false);
        let bytes = kept.take();
        group.throughput(Throughput::Elements(outcome.events));
        group.bench_function(format!("record {name}"), |bencher| {
            bencher.iter(|| record(&plan(work), false));
        });
        let log = Kept::of(bytes);
        group.bench_function(format!("verify {name}"), |bencher| {
            bencher.iter(|| match verify::<Bench>(log.reader(), None) {
                Ok(Verified::Same(again)) => again,
                _ => panic!("the run is the same"),
            });
        });
        group.bench_function(format!("read {name}"), |bencher| {
            bencher.iter(|| {
                let mut events = Events::<Happened>::new(log.reader());
                while let Some(event) = events.next().expect("the log is sound") {
                    black_box(event);
                }
            });
        });
        group.bench_function(format!("fold {name}"), |bencher| {
            bencher.iter(|| fold::<Bench>(&mut Events::new(log.reader()), None));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = replay
}
criterion_main!(benches);

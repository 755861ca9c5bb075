//! The orchestration: publishing to three subscribers, and a day of all five agents.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Run};
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::bus::subscriptions::SubscriberKey;
use dacapo_orchestration::bus::{Bus, BusConfig, Handler};
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::message::{Draft, Name, TechnicalBias, TechnicalSignal, Topic};

const MESSAGES: u64 = 100_000;
const SUBSCRIBERS: u64 = 3;
const HOURS: u64 = 24;

fn scenario(name: &str) -> Loaded<Orchestration> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let path = folder.join(name).with_extension("toml");
    load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn memory() -> BoxedStorage {
    Box::new(Memory(Vec::new()))
}

/// Publishes to three subscribers that count, with every publish and delivery in a log in memory.
fn publish(loaded: &Loaded<Orchestration>) -> u64 {
    let received = Rc::new(Cell::new(0));
    let count = Rc::clone(&received);
    let outcome = Run::<Orchestration>::new(&loaded.plan)
        .built_by(move |_, setup| {
            let count = Rc::clone(&count);
            setup.host("desk", move |ctx| {
                let count = Rc::clone(&count);
                async move {
                    let bus = Bus::new(&ctx, &BusConfig::default(), Rc::default(), Defects::NONE);
                    for subscriber in ["one", "two", "three"] {
                        let count = Rc::clone(&count);
                        let handler = Handler::immediate(move |_, _| {
                            count.set(count.get() + 1);
                            Ok(())
                        });
                        let key = SubscriberKey::new(Name::fixed(subscriber));
                        let subscribed = bus.subscribe(&ctx, Topic::TaSignals, key, handler).await;
                        subscribed.expect("a new bus has room for three");
                    }
                    let source = Name::fixed("technical_analysis");
                    for _ in 0..MESSAGES {
                        let signal = TechnicalSignal {
                            symbol: Name::fixed("BTC/USDT"),
                            bias: TechnicalBias::Long,
                            confidence: 0.8,
                        };
                        let draft = Draft::new(Topic::TaSignals, source.clone(), signal);
                        bus.publish(&ctx, draft)
                            .await
                            .expect("the message keeps every rule");
                    }
                }
            });
            Ok(())
        })
        .unchecked()
        .record(&loaded.files, memory(), SyncPolicy::Never);
    outcome.expect("memory does not fail");
    received.get()
}

/// The same number of messages through a broadcast channel, each drained by three receivers.
fn broadcast(runtime: &tokio::runtime::Runtime) -> u64 {
    runtime.block_on(async {
        let (sender, first) = tokio::sync::broadcast::channel(16);
        let mut receivers = [first, sender.subscribe(), sender.subscribe()];
        let mut received = 0;
        for number in 0..MESSAGES {
            sender
                .send((number, 0.8_f64))
                .expect("three receivers listen");
            for receiver in &mut receivers {
                receiver.recv().await.expect("a message waits");
                received += 1;
            }
        }
        received
    })
}

fn publishing(criterion: &mut Criterion) {
    let loaded = scenario("deadlock");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let mut group = criterion.benchmark_group("publish to three subscribers, per message");
    group.throughput(Throughput::Elements(MESSAGES));
    group.bench_function("dacapo, full log in memory", |bencher| {
        bencher.iter(|| assert_eq!(publish(&loaded), MESSAGES * SUBSCRIBERS));
    });
    group.bench_function("tokio broadcast, no log", |bencher| {
        bencher.iter(|| assert_eq!(broadcast(&runtime), MESSAGES * SUBSCRIBERS));
    });
    group.finish();
}

fn day(criterion: &mut Criterion) {
    let loaded = scenario("day");
    let mut group = criterion.benchmark_group("day of five agents, per virtual hour");
    group.throughput(Throughput::Elements(HOURS));
    group.bench_function("recorded, full log in memory", |bencher| {
        bencher.iter(|| {
            let run = Run::<Orchestration>::new(&loaded.plan);
            run.record(&loaded.files, memory(), SyncPolicy::Never)
                .expect("memory does not fail")
        });
    });
    group.finish();
}

criterion_group!(benches, publishing, day);
criterion_main!(benches);

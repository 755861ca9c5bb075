//! The store in whole runs: SQLite and the model make the same log, what a store lost halts trading, a
//! file needs no file to be replayed, and orders that a crash made uncertain are asked for.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use dacapo_kernel::log::{Memory, Storage, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Change, Event, Fault, FaultPlan, Fork, Forked, KernelEvent, Plan, Recording, Run,
    System, Time, Verified, When,
};
use dacapo_lab::Swarm;
use dacapo_lab::scenario::{Loaded, Overrides, load};
use dacapo_lab::shrink::RecordedFiles;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::config::{Config, StoreKind};
use dacapo_orchestration::coordinator::state::RunState;
use dacapo_orchestration::domain_event::{DomainEvent, TradeOrigin};
use dacapo_orchestration::message::{Name, Topic};
use dacapo_tests::{events, reader, replay, root};

/// How many seeds SQLite is held against the model with, unless `DACAPO_STORE_SEEDS` says otherwise.
const SEEDS: u64 = 8;

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds a test runs is nothing that is simulated"
)]
fn seeds() -> u64 {
    let asked = std::env::var("DACAPO_STORE_SEEDS");
    asked.map_or(SEEDS, |asked| {
        asked.parse().expect("DACAPO_STORE_SEEDS is a number")
    })
}

fn general() -> Loaded<Orchestration> {
    let path = root().join("scenarios/general.toml");
    load(&path, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The log of a plan.
fn log_of(loaded: &Loaded<Orchestration>, plan: &Plan<Config>) -> Vec<u8> {
    let bytes = Rc::new(RefCell::new(Memory::default()));
    recorded(loaded, plan, Box::new(bytes.clone()), SyncPolicy::Never);
    bytes.take().0
}

fn recorded(
    loaded: &Loaded<Orchestration>,
    plan: &Plan<Config>,
    storage: BoxedStorage,
    sync: SyncPolicy,
) {
    let recorded = Run::<Orchestration>::new(plan).record(&loaded.files, storage, sync);
    recorded.unwrap_or_else(|error| panic!("{error}"));
}

/// A log in memory. While it is between two sizes, a folder stands where something else belongs.
struct Meddling {
    bytes: Rc<RefCell<Memory>>,
    folder: PathBuf,
    sizes: Range<u64>,
}

impl Storage for Meddling {
    fn len(&self) -> io::Result<u64> {
        self.bytes.borrow().len()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stands = self.sizes.contains(&self.len()?);
        match (stands, self.folder.is_dir()) {
            (true, false) => std::fs::create_dir(&self.folder)?,
            (false, true) => std::fs::remove_dir(&self.folder)?,
            _ => {}
        }
        self.bytes.borrow_mut().append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.bytes.borrow_mut().sync()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.borrow().read_at(offset, into)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.bytes.borrow_mut().truncate(len)
    }
}

/// Every record but the first, which tells the plan.
fn records(log: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut reader = reader(log);
    let mut records = Vec::new();
    while let Some(record) = reader.next().expect("the log is sound") {
        records.push((format!("{:?}", record.head), record.body.to_vec()));
    }
    records.remove(0);
    records
}

fn door(door: &str, per_mille: u32, most: u64) -> Fault {
    Fault::Door {
        door: door.to_owned(),
        actor: None,
        per_mille,
        least: most.min(1),
        most,
        until: None,
    }
}

fn crash(when: When) -> Fault {
    Fault::CrashHost {
        host: "coordinator".to_owned(),
        when,
        restart_after: Some(1_000_000_000),
    }
}

/// Fails if the two number, order, find or forget anything differently, whatever goes wrong at the store.
#[test]
fn sqlite_and_the_model_make_the_same_log() {
    let loaded = general();
    let (mut legs, mut failures) = (0, 0);
    for seed in 0..seeds() {
        let mut plan = Swarm::default().plan(&loaded.plan, &Orchestration::faults(), seed);
        for (name, per_mille, most) in [
            ("store.down", 30, 60),
            ("store.full", 30, 60),
            ("store.read-only", 20, 60),
            ("store.busy", 50, 0),
            ("store.io-error", 50, 0),
            ("store.row", 100, 0),
            ("store.unknown-commit", 100, 0),
            ("store.stale", 300, 16),
            ("store.corrupt", 100, 0),
            ("store.gone", 100, 0),
        ] {
            plan.faults.faults.push(door(name, per_mille, most));
        }
        for minutes in [15, 40, 60, 80] {
            plan.faults
                .faults
                .push(crash(When::Time(Time::from_secs(minutes * 60 + 7 * seed))));
        }
        let model = log_of(&loaded, &plan);
        plan.system.store.kind = StoreKind::Sqlite;
        let sqlite = log_of(&loaded, &plan);
        assert!(records(&model) == records(&sqlite), "seed {seed} differs");
        for event in events(&sqlite) {
            legs += u32::from(matches!(event.domain(), Some(DomainEvent::LegStored(_))));
            failures += u32::from(matches!(event.domain(), Some(DomainEvent::StoreFailed(_))));
        }
    }
    assert!(legs > 0 && failures > 0, "{legs} legs, {failures} failures");
}

/// By whom trading was halted between the restart and the first subscription, the alerts told meanwhile,
/// and the orders sent later.
fn after_restart(events: &[Event<DomainEvent>]) -> (Option<Name>, Vec<String>, usize) {
    let restarted =
        |event: &Event<DomainEvent>| matches!(event.kernel(), Some(KernelEvent::HostRestarted(_)));
    let later = events.iter().skip_while(|event| !restarted(event));
    let (mut halted, mut alerts, mut orders) = (None, Vec::new(), 0);
    for event in later {
        match event.domain() {
            Some(DomainEvent::StateChanged(changed)) if changed.to == RunState::Halted => {
                halted.get_or_insert(changed.by.clone());
            }
            Some(DomainEvent::Published(published))
                if published.message.topic == Topic::RiskAlerts =>
            {
                alerts.push(published.message.payload.to_json().to_string());
            }
            Some(DomainEvent::OrderSubmitted(_)) => orders += 1,
            _ => {}
        }
    }
    (halted, alerts, orders)
}

/// Fails if a coordinator goes on from a store that lost something as if nothing were missing. With the
/// defect it does.
#[test]
fn a_store_that_lost_something_starts_halted_with_an_alert() {
    let mut loaded = general();
    loaded.plan.duration_ns = Some(5_400_000_000_000);
    for (name, by, alert) in [
        ("store.corrupt", "store_unreadable", "store_unreadable"),
        ("store.gone", "store_gone", "store_lost"),
        ("store.stale", "store_rolled_back", "store_lost"),
    ] {
        let mut plan = loaded.plan.clone();
        plan.faults = FaultPlan::from(vec![
            door(name, 1_000, u64::from(name == "store.stale")),
            crash(When::Time(Time::from_secs(2_000))),
        ]);
        let (halted, alerts, orders) = after_restart(&events(&log_of(&loaded, &plan)));
        assert_eq!(halted, Some(Name::fixed(by)), "{name}");
        assert!(alerts[0].contains(alert), "{name}: {alerts:?}");
        assert_eq!(orders, 0, "{name}");

        plan.defects = vec!["halt-forgotten-on-restart".to_owned()];
        let (halted, alerts, orders) = after_restart(&events(&log_of(&loaded, &plan)));
        let alerts = alerts.iter().filter(|told| told.contains(alert));
        assert_eq!((halted, alerts.count()), (None, 0), "{name}");
        assert!(orders > 0, "{name}");
    }
}

/// Fails if a file is needed where there is none, or what it really did is not in the log: here writing
/// fails for a while, since a folder stands where the journal belongs.
#[test]
fn a_run_with_a_file_is_replayed_without_it() {
    let loaded = general();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = folder.path().join("run.store");
    let mut plan = loaded.plan.clone();
    plan.faults = FaultPlan::from(vec![crash(When::Time(Time::from_secs(2_000)))]);
    plan.system.store.kind = StoreKind::Sqlite;
    plan.system.store.path = path.to_str().map(str::to_owned);
    let bytes = Rc::new(RefCell::new(Memory::default()));
    let meddling = Meddling {
        bytes: Rc::clone(&bytes),
        folder: folder.path().join("run.store-journal"),
        sizes: 50_000..150_000,
    };
    recorded(&loaded, &plan, Box::new(meddling), SyncPolicy::Every);
    let log = bytes.take().0;
    let really = events(&log).iter().filter(|event| {
        matches!(event.kernel(), Some(KernelEvent::FaultInjected(fault)) if fault.door == *"store.disk")
    }).count();
    assert!(really > 0, "nothing failed");
    assert!(path.is_file());
    drop(folder);
    match replay(&log) {
        Verified::Same(_) => {}
        other => panic!("the replay differs: {:?}", std::mem::discriminant(&other)),
    }
    // Nothing of the file shows where it does not fail.
    let folder = tempfile::tempdir().expect("there is room for a folder");
    plan.system.store.path = folder.path().join("run.store").to_str().map(str::to_owned);
    let on_disk = log_of(&loaded, &plan);
    plan.system.store.path = None;
    plan.system.store.kind = StoreKind::Memory;
    assert!(records(&on_disk) == records(&log_of(&loaded, &plan)));
}

/// Fails if a fork makes a file, as a recording does, or needs the one of its recording: the folder is gone by then. Each
/// fork changes nothing, so that it is the recording again, with what really failed in it.
#[test]
fn a_run_with_a_file_is_forked_without_it() {
    let loaded = general();
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut plan = loaded.plan.clone();
    plan.faults = FaultPlan::from(vec![crash(When::Time(Time::from_secs(2_000)))]);
    plan.system.store.kind = StoreKind::Sqlite;
    plan.system.store.path = folder.path().join("run.store").to_str().map(str::to_owned);
    let bytes = Rc::new(RefCell::new(Memory::default()));
    let meddling = Meddling {
        bytes: Rc::clone(&bytes),
        folder: folder.path().join("run.store-journal"),
        sizes: 20_000..60_000,
    };
    recorded(&loaded, &plan, Box::new(meddling), SyncPolicy::Every);
    let log = bytes.take().0;
    drop(folder);
    let all = events(&log);
    let trade =
        |event: &&Event<DomainEvent>| matches!(event.domain(), Some(DomainEvent::MarketTrade(_)));
    let trade = all.iter().rfind(trade).expect("somebody trades");
    let recording = Rc::new(Recording::read(reader(&log)).expect("the log is sound"));
    let failed = |event: &&Event<DomainEvent>| matches!(event.kernel(), Some(KernelEvent::FaultInjected(fault)) if fault.door == *"store.disk");
    let before = all.iter().filter(failed).filter(|it| it.seq < trade.seq);
    assert!(before.count() > 0, "nothing failed before the last trade");
    for _ in 0..2 {
        let fork = Fork {
            at: trade.seq,
            change: Change::Says(trade.body.clone()),
        };
        let forked = Rc::new(RefCell::new(Memory::default()));
        let run = Run::<Orchestration>::new(&plan);
        let storage: BoxedStorage = Box::new(forked.clone());
        let made = run.fork(&recording, fork, &RecordedFiles::default(), Some(storage));
        match made.unwrap_or_else(|error| panic!("{error}")) {
            // Each is synced as often as it likes, so the bytes of the blocks differ.
            Forked::Ended(..) => assert!(events(&forked.take().0) == all),
            Forked::Diverged(divergence) => panic!("differs at {:?}", divergence.seq),
        }
    }
}

/// Fails if an order that a crash cut off is sent again, or nobody hears what became of it.
#[test]
fn orders_that_a_crash_cut_off_are_asked_for() {
    let loaded = general();
    let undisturbed = events(&log_of(&loaded, &loaded.plan));
    let sent = undisturbed.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::OrderSubmitted(it)) if it.origin != TradeOrigin::Leg => {
            Some((event.seq, it.intent.clone()))
        }
        _ => None,
    });
    let told = Cell::new(0);
    for (seq, intent) in sent.take(6) {
        let mut plan = loaded.plan.clone();
        plan.faults = FaultPlan::from(vec![crash(When::Event(seq))]);
        let events = events(&log_of(&loaded, &plan));
        let again = events.iter().filter(|event| {
            matches!(event.domain(), Some(DomainEvent::OrderSubmitted(it)) if it.intent == intent)
        });
        assert_eq!(again.count(), 1, "{intent}");
        let later = events.iter().skip_while(|event| event.seq <= seq);
        let asked = later.take_while(|event| {
            !matches!(event.domain(), Some(DomainEvent::Subscribed(it)) if it.subscriber == *"coordinator")
        });
        let asked = asked.filter(|event| {
            matches!(event.domain(), Some(DomainEvent::Published(it))
                if it.message.topic == Topic::ExecutionEvents
                    && it.message.payload.to_json().to_string().contains("never_arrived"))
        });
        told.set(told.get() + asked.count());
    }
    assert_eq!(told.get(), 6);
}

/// Fails if a scenario can have a file made where its author likes.
#[test]
fn a_scenario_cannot_say_where_on_the_machine_a_file_is_made() {
    let path = root().join("scenarios/general.toml");
    for (value, kind) in [
        ("/tmp/run.store", "sqlite"),
        ("../run.store", "sqlite"),
        ("", "sqlite"),
        ("run.store", "memory"),
    ] {
        let set = vec![format!("store.path={value}"), format!("store.kind={kind}")];
        let overrides = Overrides {
            set,
            ..Overrides::default()
        };
        let refused = load::<Orchestration>(Path::new(&path), &overrides);
        let refused = refused.err().map(|error| error.to_string());
        assert!(refused.is_some_and(|it| it.contains("store")), "{value}");
    }
}

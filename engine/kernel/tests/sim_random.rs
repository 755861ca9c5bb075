//! Random small programs: whatever they do, the run has a verdict, and every way of reading its
//! log says the same.
#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Once;
use std::time::Duration;

use common::{Act, Stage, Story, answered, arrived, asked, at_ms, ms};
use dacapo_kernel::{
    Answer, CallOutcome, Ctx, Fault, Feed, Inbox, JoinHandle, Lock, Odds, Permit, Port, Provider,
    Receiver, SchedulerKind, Semaphore, Sender, Seq, Stream, Time, When, channel,
};
use proptest::prelude::*;

/// What a task can do. Numbers name locks, channels and tasks; they wrap around.
#[derive(Clone, Debug)]
enum Do {
    Say,
    Sleep(u8),
    Yield,
    Take(u8),
    TakePermit,
    Release,
    Send(u8),
    SendLater(u8),
    Receive(u8),
    Within(u8, Vec<Do>),
    Draw,
    Door,
    Ask,
    Listen,
    Spawn(Vec<Do>),
    Serve(Vec<Do>),
    Join,
    Forget,
    Abort,
    Entrust(Vec<Do>),
    AbortEntrusted,
    Panic,
    Loud,
}

const PROVIDER: Port = Port(1);
/// How the message of a panic ends that a program was told to have.
const PANICKING: &str = " panics as it was told";
const LOCKS: usize = 3;
const CHANNELS: usize = 2;

struct Oracle;

impl Provider<Act> for Oracle {
    fn answer(&mut self, _: Seq, _: &Act, _: Time, odds: &mut Odds<'_>) -> Answer<Act> {
        let late = odds.fault("late answer").unwrap_or(0) + odds.fault("later").unwrap_or(0);
        Answer {
            after: ms(odds.stream().below(4) + late),
            event: answered("so be it"),
        }
    }

    fn lost(&mut self, _: Seq, chance: &mut Stream) -> CallOutcome {
        match chance.below(2) {
            0 => CallOutcome::Done,
            _ => CallOutcome::NotSent,
        }
    }
}

/// What the tasks of one life of a host share.
struct Host {
    locks: Vec<Lock<Stage>>,
    permits: Semaphore<Stage>,
    senders: Vec<Sender<Stage, u64>>,
    receivers: Vec<RefCell<Option<Receiver<Stage, u64>>>>,
    inbox: Inbox<Stage>,
    /// Handles of tasks, by their names, for whoever wants to end one.
    handles: RefCell<BTreeMap<String, JoinHandle<Stage, ()>>>,
}

impl Host {
    fn new(ctx: &Ctx<Stage>, inbox: Inbox<Stage>) -> Rc<Host> {
        let channels = (0..CHANNELS).map(|n| channel(ctx, format!("channel {n}"), 1));
        let (senders, receivers): (Vec<_>, Vec<_>) = channels.unzip();
        Rc::new(Host {
            locks: (0..LOCKS)
                .map(|n| Lock::new(ctx, format!("lock {n}")))
                .collect(),
            permits: Semaphore::new(ctx, "permits", 2),
            senders,
            receivers: receivers
                .into_iter()
                .map(|end| RefCell::new(Some(end)))
                .collect(),
            inbox,
            handles: RefCell::default(),
        })
    }

    /// Ends some task, which may be the one that runs, or one that is being dropped.
    fn abort_one(&self) {
        let first = self.handles.borrow_mut().pop_first();
        if let Some((_, handle)) = first {
            handle.abort();
        }
    }
}

/// Emits, draws and aborts when it is dropped, whyever that is.
struct Loud {
    ctx: Ctx<Stage>,
    host: Rc<Host>,
}

impl Drop for Loud {
    fn drop(&mut self) {
        self.ctx.emit("dropped");
        self.ctx.random("drop", 3);
        self.host.abort_one();
    }
}

/// What one task has in its hands.
#[derive(Default)]
struct Hands {
    permits: Vec<Permit<Stage>>,
    children: Vec<JoinHandle<Stage, ()>>,
    loud: Vec<Loud>,
}

fn live(
    ctx: Ctx<Stage>,
    host: Rc<Host>,
    script: Vec<Do>,
    name: String,
) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let mut hands = Hands::default();
        act(&ctx, &host, &script, &name, &mut hands).await;
    })
}

fn act<'a>(
    ctx: &'a Ctx<Stage>,
    host: &'a Rc<Host>,
    script: &'a [Do],
    name: &'a str,
    hands: &'a mut Hands,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        for (at, step) in script.iter().enumerate() {
            let child = || format!("{name}.{at}");
            match step {
                Do::Say => {
                    ctx.emit(format!("{name} at {at}"));
                }
                Do::Sleep(millis) => ctx.sleep(ms(u64::from(*millis))).await,
                Do::Yield => ctx.yield_now().await,
                Do::Take(n) => {
                    let lock = &host.locks[usize::from(*n) % LOCKS];
                    hands.permits.push(lock.acquire().await);
                }
                Do::TakePermit => hands.permits.push(host.permits.acquire().await),
                Do::Release => drop(hands.permits.pop()),
                Do::Send(n) => {
                    let _ = host.senders[usize::from(*n) % CHANNELS].try_send(u64::from(*n));
                }
                Do::SendLater(n) => {
                    let _ = host.senders[usize::from(*n) % CHANNELS]
                        .send(u64::from(*n))
                        .await;
                }
                Do::Receive(n) => {
                    let place = &host.receivers[usize::from(*n) % CHANNELS];
                    let taken = place.borrow_mut().take();
                    if let Some(mut receiver) = taken {
                        let received = receiver.recv().await;
                        ctx.emit(format!("{name} received {received:?}"));
                        place.replace(Some(receiver));
                    }
                }
                Do::Within(millis, script) => {
                    let limit = ms(u64::from(*millis));
                    let done = ctx
                        .timeout(limit, act(ctx, host, script, name, hands))
                        .await;
                    ctx.emit(format!("{name} in time: {}", done.is_ok()));
                }
                Do::Draw => {
                    ctx.emit(format!("drew {}", ctx.random("dice", 6)));
                }
                Do::Door => {
                    ctx.buggify("door");
                }
                Do::Ask => {
                    ctx.call(PROVIDER, asked("?")).await;
                }
                Do::Listen => {
                    host.inbox.recv(ctx).await;
                }
                Do::Spawn(script) => {
                    let life = live(ctx.clone(), Rc::clone(host), script.clone(), child());
                    hands.children.push(ctx.spawn(child(), life));
                }
                Do::Serve(script) => {
                    let life = live(ctx.clone(), Rc::clone(host), script.clone(), child());
                    hands.children.push(ctx.spawn_daemon(child(), life));
                }
                Do::Join => {
                    if let Some(handle) = hands.children.pop() {
                        ctx.emit(format!("{name} joined: {:?}", handle.join().await));
                    }
                }
                Do::Forget => drop(hands.children.pop()),
                Do::Abort => {
                    if let Some(handle) = hands.children.last() {
                        handle.abort();
                    }
                }
                Do::Entrust(script) => {
                    let life = live(ctx.clone(), Rc::clone(host), script.clone(), child());
                    let handle = ctx.spawn(child(), life);
                    host.handles.borrow_mut().insert(child(), handle);
                }
                Do::AbortEntrusted => host.abort_one(),
                Do::Panic => panic!("{name}{PANICKING}"),
                Do::Loud => hands.loud.push(Loud {
                    ctx: ctx.clone(),
                    host: Rc::clone(host),
                }),
            }
        }
    })
}

fn step() -> impl Strategy<Value = Do> {
    let leaf = prop_oneof![
        3 => Just(Do::Say),
        4 => (0u8..6).prop_map(Do::Sleep),
        2 => Just(Do::Yield),
        4 => (0u8..3).prop_map(Do::Take),
        1 => Just(Do::TakePermit),
        2 => Just(Do::Release),
        2 => (0u8..2).prop_map(Do::Send),
        2 => (0u8..2).prop_map(Do::SendLater),
        2 => (0u8..2).prop_map(Do::Receive),
        1 => Just(Do::Draw),
        1 => Just(Do::Door),
        2 => Just(Do::Ask),
        1 => Just(Do::Listen),
        2 => Just(Do::Join),
        1 => Just(Do::Forget),
        1 => Just(Do::Abort),
        1 => Just(Do::AbortEntrusted),
        1 => Just(Do::Panic),
        1 => Just(Do::Loud),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let script = prop::collection::vec(inner, 0..6);
        prop_oneof![
            2 => (0u8..6, script.clone()).prop_map(|(limit, script)| Do::Within(limit, script)),
            3 => script.clone().prop_map(Do::Spawn),
            1 => script.clone().prop_map(Do::Entrust),
            1 => script.prop_map(Do::Serve),
        ]
    })
}

fn script() -> impl Strategy<Value = Vec<Do>> {
    prop::collection::vec(step(), 1..10)
}

fn fault() -> impl Strategy<Value = Fault> {
    let host = prop_oneof![Just("left".to_owned()), Just("right".to_owned())];
    let when = prop_oneof![
        (0u64..20).prop_map(|millis| When::Time(at_ms(millis))),
        (0u64..80).prop_map(|seq| When::Event(Seq(seq))),
        (0u64..9).prop_map(When::Recovery),
    ];
    let restart = prop::option::of((0u64..5).prop_map(|millis| millis * 1_000_000));
    prop_oneof![
        6 => (host, when, restart).prop_map(|(host, when, restart_after)| Fault::CrashHost {
            host,
            when,
            restart_after,
        }),
        2 => (0u64..10).prop_map(|millis| Fault::CrashTask {
            task: "left.0".to_owned(),
            at: at_ms(millis),
        }),
        1 => (0u64..10, -9i64..9).prop_map(|(millis, by)| Fault::JumpClock { at: at_ms(millis), by }),
        2 => (0u64..9, 0u32..3).prop_map(|(choice, index)| Fault::Choose { choice, index }),
        2 => (0usize..4, 0u64..4).prop_map(|(door, asked)| Fault::Strike {
            door: ["late answer", "later", "door", "gap"][door].to_owned(),
            actor: ["oracle", "oracle", "left.0", "feed of left"][door].to_owned(),
            asked,
            value: 2,
        }),
        3 => (0usize..3, 200u32..900).prop_map(|(door, per_mille)| Fault::Door {
            door: ["late answer", "later", "gap"][door].to_owned(),
            actor: None,
            per_mille,
            least: 0,
            most: 3,
            until: Some(at_ms(9)),
        }),
        1 => Just(Fault::Door {
            door: "door".to_owned(),
            actor: None,
            per_mille: 400,
            least: 0,
            most: 9,
            until: None,
        }),
    ]
}

/// A feed some items of which never come.
struct Gappy<I>(I);

impl<I: Iterator<Item = (Time, Act)>> Feed<Act> for Gappy<I> {
    fn next(&mut self, odds: &mut Odds<'_>) -> Option<(Time, Act)> {
        let lost = odds.fault("gap").map_or(0, |value| value as usize);
        self.0.nth(lost)
    }
}

#[derive(Clone, Debug)]
struct Program {
    left: Vec<Do>,
    right: Vec<Do>,
    faults: Vec<Fault>,
    scheduler: SchedulerKind,
    seed: u64,
    idle_seconds: u64,
    duration_ms: Option<u64>,
}

fn program() -> impl Strategy<Value = Program> {
    (
        script(),
        script(),
        prop::collection::vec(fault(), 0..3),
        (0usize..3).prop_map(|kind| SchedulerKind::NAMES[kind].1),
        0u64..1_000,
        0u64..2,
        prop::option::of(0u64..30),
    )
        .prop_map(
            |(left, right, faults, scheduler, seed, idle_seconds, duration_ms)| Program {
                left,
                right,
                faults,
                scheduler,
                seed,
                idle_seconds,
                duration_ms,
            },
        )
}

fn story(program: &Program) -> Story {
    let scripts = [
        ("left", program.left.clone()),
        ("right", program.right.clone()),
    ];
    let story = Story::staged(move |setup| {
        setup.provider(PROVIDER, "oracle", |_| Ok(Oracle)).unwrap();
        for (name, script) in scripts.clone() {
            let items = Gappy((0..4).map(|n| (at_ms(n * n), arrived("item"))));
            let inbox = setup
                .feed(format!("feed of {name}"), |_| Ok(items))
                .unwrap();
            setup.host(name, move |ctx| {
                let (script, inbox) = (script.clone(), inbox.clone());
                async move {
                    let host = Host::new(&ctx, inbox);
                    live(ctx, host, script, name.to_owned()).await;
                }
            });
        }
    });
    story.seed(program.seed).with(|plan| {
        plan.scheduler = program.scheduler;
        plan.faults.faults.clone_from(&program.faults);
        plan.budgets.events = 2_000;
        plan.budgets.tasks = 50;
        plan.budgets.idle_seconds = program.idle_seconds;
        plan.duration_ns = program
            .duration_ms
            .map(|millis| Duration::from_millis(millis).as_nanos() as u64);
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_a_program_does_its_log_tells_the_same_story(program in program()) {
        if let Err(panics) = tell_quietly(|| story(&program).tell()) {
            return Err(TestCaseError::fail(panics.join("\n")));
        }
    }
}

thread_local! {
    /// What panicked while a story was told, other than programs that were told to.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Tells a story quietly. Panics inside tasks are outcomes of a run; those of the kernel must
/// not hide there, so whatever else panics is returned.
fn tell_quietly<T>(tell: impl FnOnce() -> T) -> Result<T, Vec<String>> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let heard = PANICS.with_borrow_mut(|panics| match panics {
                Some(panics) => {
                    let message = panic.payload_as_str().unwrap_or_default();
                    if !message.ends_with(PANICKING) {
                        panics.push(panic.to_string());
                    }
                    true
                }
                None => false,
            });
            if !heard {
                before(panic);
            }
        }));
    });
    PANICS.set(Some(Vec::new()));
    let told = catch_unwind(AssertUnwindSafe(tell));
    match (told, PANICS.take().unwrap_or_default()) {
        (Ok(told), panics) if panics.is_empty() => Ok(told),
        (_, panics) => Err(panics),
    }
}

/// The property above says little about programs that do little: most do a lot.
#[test]
fn the_random_programs_reach_every_kind_of_event() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    let mut verdicts = std::collections::BTreeMap::<&str, usize>::new();
    for _ in 0..600 {
        let program = program().new_tree(&mut runner).unwrap().current();
        let told = tell_quietly(|| story(&program).record()).unwrap();
        for kind in told.kinds() {
            *kinds.entry(kind).or_default() += 1;
        }
        *verdicts.entry(told.verdict().name()).or_default() += 1;
    }
    use dacapo_kernel::EventSet;
    for kind in dacapo_kernel::KernelEvent::KINDS.iter().chain(Act::KINDS) {
        assert!(
            kinds.contains_key(kind.name),
            "no {} among {kinds:?}",
            kind.name
        );
    }
    for verdict in ["complete", "deadlock", "stall", "panic"] {
        assert!(
            verdicts.contains_key(verdict),
            "no {verdict} among {verdicts:?}"
        );
    }
}

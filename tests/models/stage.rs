//! A stage for one part of the product: the kernel runs it in virtual time, and nothing else is there.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::rc::Rc;

use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{
    BoxedStorage, Budgets, BuildError, Expect, FaultPlan, Files, Plan, Run, SchedulerKind, Verdict,
};
use dacapo_orchestration::{Ctx, Orchestration};
use serde_json::json;

/// Runs a play to its end, and gives what it returned.
pub(super) fn play<T: 'static, F>(play: impl FnOnce(Ctx) -> F + 'static) -> T
where
    F: Future<Output = T> + 'static,
{
    let config = json!({ "symbols": ["BTC/USDT"], "market": { "source": "none" } });
    let plan = Plan {
        name: "stage".to_owned(),
        story: String::new(),
        seed: 1,
        start_unix_ns: 1_700_000_000_000_000_000,
        duration_ns: None,
        scheduler: SchedulerKind::Fifo,
        budgets: Budgets::default(),
        faults: FaultPlan::default(),
        profile: String::new(),
        defects: Vec::new(),
        data: Vec::new(),
        expect: Expect::default(),
        system: serde_json::from_value(config).expect("it is a configuration"),
    };
    // No host of a stage crashes, so its task starts once.
    let play = Rc::new(Cell::new(Some(play)));
    let returned: Rc<RefCell<Option<T>>> = Rc::default();
    let kept = Rc::clone(&returned);
    let storage: BoxedStorage = Box::<Memory>::default();
    let outcome = Run::<Orchestration>::new(&plan)
        .unchecked()
        .built_by(move |_, setup| {
            let (play, kept) = (Rc::clone(&play), Rc::clone(&kept));
            setup.host("stage", move |ctx| {
                let (play, kept) = (Rc::clone(&play), Rc::clone(&kept));
                async move {
                    let play = play.take().expect("the stage starts once");
                    *kept.borrow_mut() = Some(play(ctx).await);
                }
            });
            Ok(())
        })
        .record(&NoFiles, storage, SyncPolicy::Never)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.verdict, Verdict::Complete);
    returned.take().expect("a play that completes returns")
}

/// Nothing is read.
struct NoFiles;

impl Files for NoFiles {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        panic!("nothing reads a file, but {path} was asked for")
    }
}

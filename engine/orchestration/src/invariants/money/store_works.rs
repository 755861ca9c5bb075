//! `store.works`: a store fails only where a fault or the scenario makes it, is believed unless something befell it, does
//! nothing while it is down, and knows nothing of before once it was lost.

use std::collections::BTreeSet;

use dacapo_kernel::{
    Event, FaultInjected, Invariant, KernelEvent, Plan, Seq, Time, number as kernel,
};

use super::FORGETFUL_STORE;
use crate::config::{Config, StoreConfig};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, StateChanged, StoreFailed, number};
use crate::invariants::{end_of, is_crash_right_after};
use crate::store::Loss;

/// How the names of what goes wrong at a store begin.
const DOORS: &str = "store.";
/// Nothing works.
const DOWN: &str = "store.down";
/// Nothing can be written.
const UNWRITABLE: [&str; 2] = ["store.full", "store.read-only"];

/// What loses all that is in it, and how a coordinator that finds that says so.
const LOSSES: [(&str, &str); 2] = [
    ("store.corrupt", "store_unreadable"),
    ("store.gone", "store_gone"),
];

/// Until when there is a reason to fail, and what is in it.
#[derive(Debug)]
pub(super) struct StoreWorks {
    config: StoreConfig,
    /// From then on nothing goes wrong any more.
    quiet_from: Option<Time>,
    /// A fault of which a crash right after it keeps the store from knowing.
    befalling: Option<(Seq, FaultInjected, Time)>,
    /// When the last fault of any kind struck.
    struck: Option<Time>,
    down_until: Time,
    unwritable_until: Time,
    /// Whether it has lost anything since the run began.
    forgot: bool,
    /// How a coordinator calls what befell it last, if that loses everything.
    loss: Option<&'static str>,
    /// The trades that it holds, and those that it held before it was lost.
    held: BTreeSet<u64>,
    lost: BTreeSet<u64>,
}

impl StoreWorks {
    pub(super) fn new(plan: &Plan<Config>) -> StoreWorks {
        StoreWorks {
            config: plan.system.store.clone(),
            quiet_from: plan.faults.quiet_from,
            befalling: None,
            struck: None,
            down_until: Time::ZERO,
            unwritable_until: Time::ZERO,
            forgot: false,
            loss: None,
            held: BTreeSet::new(),
            lost: BTreeSet::new(),
        }
    }

    /// The fault that was let in last strikes, unless the host of whoever asked crashed at once.
    fn settle(&mut self, event: &Event<DomainEvent>) {
        if let Some((seq, fault, at)) = self.befalling.take()
            && !is_crash_right_after(seq, event)
        {
            self.strike(&fault, at);
        }
    }

    fn strike(&mut self, fault: &FaultInjected, now: Time) {
        self.struck = Some(now);
        self.forgot |= FORGETFUL_STORE.contains(&fault.door.as_str());
        let end = end_of(fault, now, self.quiet_from);
        if let Some((_, loss)) = LOSSES.iter().find(|(door, _)| fault.door == **door) {
            self.loss = Some(loss);
        }
        if fault.door == *DOWN {
            self.down_until = self.down_until.max(end);
        }
        if UNWRITABLE.contains(&fault.door.as_str()) {
            self.unwritable_until = self.unwritable_until.max(end);
        }
    }

    /// Whether the scenario says that nothing works then.
    fn is_told_to_be_down(&self, now: Time) -> bool {
        let now = now.as_nanos() as f64 / 1e9;
        let within = |[from, until]: &[f64; 2]| *from <= now && now < *until;
        self.config.down.iter().any(within)
    }

    /// Whether the scenario may say that this fails. Which insertion it is the log does not tell.
    fn may_be_told_to_fail(&self, operation: &str) -> bool {
        match operation {
            "insert_leg" | "insert_legs" => !self.config.insert_fail.is_empty(),
            "due_legs" | "legs_under_way" => self.config.fetch_fail,
            "mark_leg" => self.config.update_fail,
            _ => false,
        }
    }

    fn fail(&self, failed: &StoreFailed, now: Time) -> Result<(), String> {
        let has_reason = self.struck == Some(now)
            || now < self.down_until
            || now < self.unwritable_until
            || self.is_told_to_be_down(now)
            || self.may_be_told_to_fail(&failed.operation);
        if has_reason {
            return Ok(());
        }
        Err(format!(
            "expected a store that nothing happened to to do what it is asked, found {} failed",
            failed.operation
        ))
    }

    /// A coordinator that begins may find that something is lost, or everything.
    fn enter(&mut self, changed: &StateChanged) -> Result<(), String> {
        let halts = changed.to == RunState::Halted;
        if halts
            && Loss::from_name(&changed.by).is_some()
            && !self.forgot
            && self.config.saved.is_none()
        {
            return Err(format!(
                "expected a store that nothing happened to to be believed, found {}",
                changed.by
            ));
        }
        if self
            .loss
            .take_if(|loss| halts && changed.by == **loss)
            .is_some()
        {
            self.lost.append(&mut self.held);
        }
        Ok(())
    }

    /// A trade is stored under a number, or told to have come further.
    fn hold(&mut self, number: u64, is_new: bool) -> Result<(), String> {
        if is_new {
            self.held.insert(number);
            self.lost.remove(&number);
        } else if self.lost.contains(&number) {
            return Err(format!(
                "expected a store that was lost to know nothing of trade {number}, found it marked"
            ));
        }
        Ok(())
    }

    fn write(&self, now: Time) -> Result<(), String> {
        let cannot = now < self.down_until.max(self.unwritable_until);
        if cannot || self.is_told_to_be_down(now) {
            return Err(
                "expected a store that does not work to write nothing, found it did".into(),
            );
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for StoreWorks {
    fn id(&self) -> &'static str {
        "store.works"
    }

    fn statement(&self) -> &'static str {
        "a store fails only where a fault or the scenario makes it, is believed unless it was lost, writes nothing \
         while it is down, full or read-only, and knows nothing of before once it was lost"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::FaultInjected,
            kernel::HostCrashed,
            number::StoreFailed,
            number::StateChanged,
            number::StateSaved,
            number::LegStored,
            number::LegMarked,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[
            number::StoreFailed,
            number::StateSaved,
            number::LegStored,
            number::LegMarked,
        ]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.settle(event);
        if let Some(KernelEvent::FaultInjected(it)) = event.kernel()
            && it.door.starts_with(DOORS)
        {
            self.befalling = Some((event.seq, it.clone(), now));
        }
        match event.domain() {
            Some(DomainEvent::StoreFailed(it)) => self.fail(it, now),
            Some(DomainEvent::StateChanged(it)) => self.enter(it),
            Some(DomainEvent::LegStored(it)) => {
                self.write(now)?;
                self.hold(it.leg, true)
            }
            Some(DomainEvent::LegMarked(it)) => {
                self.write(now)?;
                self.hold(it.leg, false)
            }
            Some(_) => self.write(now),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{HostCrashed, HostId};

    use super::super::planted::{config, marked};
    use super::*;
    use crate::invariants::planted::{Planted, fault};
    use crate::message::{Json, Name};

    fn planted(change: impl FnOnce(&mut Plan<Config>)) -> Planted {
        let mut plan = Plan::of("planted", config());
        change(&mut plan);
        Planted::of(StoreWorks::new(&plan))
    }

    fn failed(operation: &'static str) -> StoreFailed {
        StoreFailed {
            operation: Name::fixed(operation),
        }
    }

    // Fails if a store may fail for nothing, or for something that was over.
    #[test]
    fn a_failure_has_its_reason() {
        let sound = || planted(|_| {}).at(5.0);
        let found = sound().then(failed("save_state")).violated();
        assert!(found.contains("save_state failed"), "{found}");
        let busy = || sound().kernel(fault("store.busy", 0));
        busy().then(failed("save_state")).holds();
        busy().at(6.0).then(failed("save_state")).violated();
        let down = || sound().kernel(fault(DOWN, 10));
        down().at(14.9).then(failed("due_legs")).holds();
        down().at(15.0).then(failed("due_legs")).violated();
        let other = sound().kernel(fault("model.outage", 10));
        other.then(failed("due_legs")).violated();
    }

    // Fails if a store that does not work may write, or must not write once it works again.
    #[test]
    fn what_is_down_writes_nothing() {
        for door in [DOWN, "store.full", "store.read-only"] {
            let down = || planted(|_| {}).at(5.0).kernel(fault(door, 10)).at(14.9);
            let found = down().then(marked(1, "executed")).violated();
            assert!(found.contains("write nothing"), "{found}");
            down().at(15.0).then(marked(1, "executed")).holds();
        }
        let quiet = planted(|plan| plan.faults.quiet_from = Some(Time::from_secs(10)));
        let down = quiet.at(5.0).kernel(fault(DOWN, 10));
        down.at(10.0).then(marked(1, "executed")).holds();
    }

    // Fails if a crash right at a fault is not thought of.
    #[test]
    fn whoever_crashes_at_once_never_knew() {
        let crash = HostCrashed {
            host: HostId(2),
            abrupt: true,
        };
        let down = || planted(|_| {}).at(5.0).kernel(fault(DOWN, 10));
        let unaware = down().kernel(crash.clone());
        unaware.then(marked(1, "executed")).holds();
        let later = down().then(failed("save_state")).kernel(crash);
        later.then(marked(1, "executed")).violated();
    }

    // Fails if a store may remember what it lost, or must forget what it did not lose.
    #[test]
    fn what_was_lost_is_forgotten() {
        let trade = super::super::planted::leg("key", "buy", 0, 9);
        let stored = || super::super::planted::stored(1, &trade);
        for (door, loss) in LOSSES {
            let halted = |by: &'static str| StateChanged {
                from: RunState::Running,
                to: RunState::Halted,
                by: Name::fixed(by),
            };
            let struck = || planted(|_| {}).then(stored()).kernel(fault(door, 0));
            let lost = || struck().then(halted(loss));
            let found = lost().then(marked(1, "executed")).violated();
            assert!(found.contains("nothing of trade 1"), "{found}");
            lost().then(stored()).then(marked(1, "executed")).holds();
            struck()
                .then(halted("breach"))
                .then(marked(1, "executed"))
                .holds();
            let garbled = planted(|plan| plan.system.store.saved = Some(Json("no record".into())));
            let garbled = garbled.then(stored()).then(halted(loss));
            garbled.then(marked(1, "executed")).holds();
            // Nothing happened to it.
            let found = planted(|_| {}).then(halted(loss)).violated();
            assert!(found.contains("to be believed"), "{found}");
        }
    }

    // Fails if what a scenario says of its store is no reason, or one for everything.
    #[test]
    fn a_scenario_may_have_it_fail() {
        let down = || planted(|plan| plan.system.store.down = vec![[4.0, 6.0]]);
        down().at(4.0).then(failed("save_state")).holds();
        down().at(6.0).then(failed("save_state")).violated();
        down().at(5.0).then(marked(1, "executed")).violated();
        let inserts = || planted(|plan| plan.system.store.insert_fail = vec![0]).at(5.0);
        inserts().then(failed("insert_legs")).holds();
        inserts().then(failed("mark_leg")).violated();
    }
}

//! Runs of one task beside each other.

use dacapo_kernel::{Event, Invariant, number as kernel};

use crate::domain_event::{DomainEvent, number};
use crate::message::Name;

/// At most one run of a task and symbol at a time, forced runs included.
#[derive(Default)]
pub(super) struct TaskSingle {
    under_way: Vec<(Name, Name)>,
}

impl Invariant<DomainEvent> for TaskSingle {
    fn id(&self) -> &'static str {
        "task.single"
    }

    fn statement(&self) -> &'static str {
        "at most one run of a task and symbol at a time, forced runs included"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::TaskCrashed,
            number::Started,
            number::TaskRunStarted,
            number::TaskRunEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunStarted]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::TaskRunStarted(it)) => {
                let same = |(task, symbol): &(Name, Name)| *task == it.task && *symbol == it.symbol;
                if self.under_way.iter().any(same) {
                    let how = if it.forced { "forced" } else { "scheduled" };
                    return Err(format!(
                        "expected one run of {} for {} at a time, found a {how} one beside another",
                        it.task, it.symbol
                    ));
                }
                self.under_way.push((it.task.clone(), it.symbol.clone()));
            }
            Some(DomainEvent::TaskRunEnded(it)) => {
                let same = |(task, symbol): &(Name, Name)| *task == it.task && *symbol == it.symbol;
                if let Some(at) = self.under_way.iter().position(same) {
                    self.under_way.swap_remove(at);
                }
            }
            // Of what was cut off no end is told: after a crash of a task it may be any of them.
            Some(DomainEvent::Started(_)) | None => self.under_way.clear(),
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{begun, ended};
    use super::*;
    use crate::domain_event::{Started, TaskOutcome};
    use crate::invariants::planted::Planted;

    fn log() -> Planted {
        Planted::of(TaskSingle::default()).then(begun("BTC/USDT", false))
    }

    #[test]
    fn one_after_another_and_beside_other_symbols() {
        log()
            .then(begun("XRP/USDT", true))
            .then(ended("BTC/USDT", TaskOutcome::Done))
            .then(begun("BTC/USDT", true))
            .then(Started {})
            .then(begun("BTC/USDT", false))
            .holds();
    }

    #[test]
    fn two_at_once_are_found() {
        let forced = log().then(begun("BTC/USDT", true)).violated();
        assert!(forced.contains("a forced one"), "{forced}");
        let scheduled = log().then(begun("BTC/USDT", false)).violated();
        assert!(scheduled.contains("a scheduled one"), "{scheduled}");
    }
}

//! What a handler may do with the bus.

use dacapo_kernel::{Event, Invariant, KernelEvent, TaskId, Time, number as kernel};

use crate::domain_event::{DomainEvent, number};

/// No handler starts while its task holds the lock of the bus, and nobody waits for the lock in vain:
/// publish, subscribe and query from inside a handler complete.
#[derive(Default)]
pub(super) struct Reentrant {
    waiting: Vec<TaskId>,
}

impl Invariant<DomainEvent> for Reentrant {
    fn id(&self) -> &'static str {
        "bus.reentrant"
    }

    fn statement(&self) -> &'static str {
        "no handler starts while its task holds the bus lock; publish, subscribe and query from inside \
         a handler complete"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Delivered,
            kernel::LockBlocked,
            kernel::LockGranted,
            kernel::LockAbandoned,
            kernel::TaskEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Delivered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if let Some(DomainEvent::Delivered(it)) = event.domain()
            && it.under_lock
        {
            return Err(format!(
                "expected the handler of {} to start without the bus lock, found the lock held",
                it.subscriber
            ));
        }
        match event.kernel() {
            Some(KernelEvent::LockBlocked(it)) if it.name == "bus" => {
                if it.holders.contains(&it.task) {
                    return Err(
                        "expected a call of the bus to complete, found a task that waits for itself"
                            .into(),
                    );
                }
                self.waiting.push(it.task);
            }
            Some(KernelEvent::LockGranted(it)) => self.ends(it.task),
            Some(KernelEvent::LockAbandoned(it)) => self.ends(it.task),
            Some(KernelEvent::TaskEnded(it)) => self.ends(it.task),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _: Time) -> Result<(), String> {
        match self.waiting.first() {
            None => Ok(()),
            Some(_) => {
                Err("expected a call of the bus to complete, found it waiting at the end".into())
            }
        }
    }
}

impl Reentrant {
    /// A task waits for one thing at a time.
    fn ends(&mut self, task: TaskId) {
        self.waiting.retain(|waits| *waits != task);
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::{LockBlocked, LockGranted, LockId};

    use super::super::samples::delivered;
    use super::*;
    use crate::domain_event::Delivered;
    use crate::invariants::planted::Planted;

    fn log() -> Planted {
        Planted::of(Reentrant::default()).then(delivered(0, "a"))
    }

    fn blocked(holder: u64) -> LockBlocked {
        LockBlocked {
            task: TaskId(7),
            lock: LockId(0),
            name: "bus".into(),
            holders: vec![TaskId(holder)],
            breakable: false,
        }
    }

    #[test]
    fn a_wait_that_ends_is_fine() {
        let granted = LockGranted {
            task: TaskId(7),
            lock: LockId(0),
            from: TaskId(8),
        };
        log().kernel(blocked(8)).kernel(granted).holds();
    }

    #[test]
    fn a_handler_under_the_lock_is_found() {
        let locked = Delivered {
            under_lock: true,
            ..delivered(1, "a")
        };
        assert!(
            log()
                .then(locked)
                .violated()
                .contains("found the lock held")
        );
    }

    #[test]
    fn so_is_a_call_that_never_completes() {
        let found = log().kernel(blocked(7)).violated();
        assert!(found.contains("waits for itself"), "{found}");
        let found = log().kernel(blocked(8)).violated();
        assert!(found.contains("waiting at the end"), "{found}");
    }
}

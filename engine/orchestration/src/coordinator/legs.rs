//! The trades of a rebalancing that wait for their time: stored, kept in memory, sent when due.
//!
//! A leg counts as accepted once it is stored. Where the store fails, storing is tried again; where
//! there is no store, the legs live in memory and die with it.

use std::rc::Rc;

use super::Coordinator;
use super::retry::Retry;
use super::state::RunState;
use crate::defect::Defect;
use crate::domain_event::LegsPlanned;
use crate::message::Instant;
use crate::rebalance::{Leg, order_due};
use crate::store::{LegStatus, StoreError, StoredLeg};

/// The legs of a coordinator that are not in its store.
#[derive(Debug, Default)]
pub(super) struct Legs {
    /// Those that are sent from memory.
    memory: Vec<Leg>,
    /// Those that must be stored before they may be sent.
    unstored: Vec<Leg>,
    retry: Retry,
}

impl Legs {
    /// Those that are in memory only.
    pub(super) fn in_memory(&self) -> impl Iterator<Item = &Leg> {
        self.memory.iter().chain(&self.unstored)
    }
}

impl Coordinator {
    // Planning.

    /// Keeps the later trades of a plan.
    pub(super) fn plan_legs(&self, plan: u64, legs: Vec<Leg>) {
        let count = legs.len() as u64;
        let left = self.store_legs(legs);
        let accepted = left.is_empty() || self.defects.has(Defect::MemoryLegsLost);
        let held = self.keep_unstored(left);
        self.ctx.emit(LegsPlanned {
            plan,
            count,
            held,
            accepted,
        });
        self.nudge();
    }

    /// Stores legs, and returns those that must be kept because they were not.
    fn store_legs(&self, mut legs: Vec<Leg>) -> Vec<Leg> {
        if !self.store.exists() {
            return legs;
        }
        if !self.defects.has(Defect::PartialInsertDuplicates) {
            return match self.store.insert_legs(&self.ctx, &legs) {
                Ok(()) => Vec::new(),
                Err(_) => legs,
            };
        }
        let failed = legs
            .iter()
            .position(|leg| self.store.insert_leg(&self.ctx, leg).is_err());
        match failed {
            None => Vec::new(),
            // Whoever tries again tries the whole list.
            Some(_) if self.retries_storing() => legs,
            Some(at) => legs.split_off(at),
        }
    }

    fn retries_storing(&self) -> bool {
        !self.defects.has(Defect::LegsNotRetried)
    }

    /// Keeps in memory what is not stored, and says how much that is.
    fn keep_unstored(&self, left: Vec<Leg>) -> u64 {
        if left.is_empty() {
            return 0;
        }
        let held = left.len() as u64;
        let mut legs = self.legs.borrow_mut();
        if !self.store.exists() {
            legs.memory.extend(left);
        } else if self.defects.has(Defect::DbFailureDropsTrades) {
            // Nothing but the failure in the log tells of them.
            return 0;
        } else if !self.retries_storing() {
            legs.memory.extend(left);
        } else {
            legs.unstored.extend(left);
            legs.retry.failed(self.clock.now(&self.ctx));
        }
        held
    }

    /// Tries again to store what was not stored, if it is time to.
    fn store_when_due(&self) {
        let now = self.clock.now(&self.ctx);
        let unstored = {
            let mut legs = self.legs.borrow_mut();
            if legs.retry.next().is_none_or(|next| now < next) {
                return;
            }
            std::mem::take(&mut legs.unstored)
        };
        let left = self.store_legs(unstored);
        if left.is_empty() {
            self.legs.borrow_mut().retry.done();
        }
        self.keep_unstored(left);
    }

    // Carrying out.

    /// Carries out the legs that are due. While PAUSED they wait, unless `dca-while-paused`.
    pub async fn run_due_legs(self: &Rc<Self>) {
        self.store_when_due();
        if self.legs_may_run() {
            self.run_from_memory().await;
            // A store that fails ends this look; what is left is due at the next one.
            let _failed = self.run_from_store().await;
        }
    }

    async fn run_from_memory(self: &Rc<Self>) {
        let now = self.clock.now(&self.ctx);
        let due = |leg: &mut Leg| leg.due <= now;
        let mut due: Vec<Leg> = self.legs.borrow_mut().memory.extract_if(.., due).collect();
        order_due(&mut due, batch, |leg| leg.trade.action, self.defects);
        let mut due = due.into_iter();
        while self.legs_may_run()
            && let Some(leg) = due.next()
        {
            self.run_leg(&leg).await;
        }
        self.legs.borrow_mut().memory.extend(due);
    }

    async fn run_from_store(self: &Rc<Self>) -> Result<(), StoreError> {
        self.settle_unknown()?;
        let mut due = self.store.due_legs(&self.ctx)?;
        order_due(
            &mut due,
            |row| batch(&row.leg),
            |row| row.leg.trade.action,
            self.defects,
        );
        for StoredLeg { id, leg, .. } in due {
            if !self.legs_may_run() {
                break;
            }
            if self.notes_orders() {
                // A store that was put back to an earlier time may have forgotten that it was sent.
                if let Some(is_executed) = self.exchange.find(&leg.key) {
                    self.store.mark_leg(&self.ctx, id, found_as(is_executed))?;
                    continue;
                }
                self.store.mark_leg(&self.ctx, id, LegStatus::Sending)?;
            }
            let status = if self.run_leg(&leg).await {
                LegStatus::Executed
            } else {
                LegStatus::Failed
            };
            self.store.mark_leg(&self.ctx, id, status)?;
        }
        Ok(())
    }

    /// Asks the exchange what became of legs that were being sent when a crash came, or the store
    /// failed. One that never arrived waits again.
    fn settle_unknown(&self) -> Result<(), StoreError> {
        if !self.store.has_legs_under_way() {
            return Ok(());
        }
        for row in self.store.legs_under_way(&self.ctx)? {
            let found = self.exchange.find(&row.leg.key);
            let status = found.map_or(LegStatus::Pending, found_as);
            self.store.mark_leg(&self.ctx, row.id, status)?;
        }
        Ok(())
    }

    /// On the heap, so that the look of every second, which mostly finds no leg, stays small.
    async fn run_leg(self: &Rc<Self>, leg: &Leg) -> bool {
        Box::pin(self.execute_rebalance_trade(leg, false)).await
    }

    /// When the next leg is to be looked at.
    pub(super) fn next_leg(&self) -> Option<Instant> {
        let legs = self.legs.borrow();
        let may_run = self.legs_may_run();
        let unknown = self.store.has_legs_under_way().then_some(Instant::START);
        let due = legs.memory.iter().map(|leg| leg.due);
        let due = due.chain(self.store.next_due()).chain(unknown).min();
        due.filter(|_| may_run)
            .into_iter()
            .chain(legs.retry.next())
            .min()
    }

    /// Asked before each leg: the one before it takes its time, and trading may be off by now.
    fn legs_may_run(&self) -> bool {
        match self.state.get() {
            RunState::Running => true,
            RunState::Paused => self.defects.has(Defect::DcaWhilePaused),
            RunState::Halted => false,
        }
    }
}

/// What the exchange says of an order that it knows.
fn found_as(is_executed: bool) -> LegStatus {
    if is_executed {
        LegStatus::Executed
    } else {
        LegStatus::Failed
    }
}

fn batch(leg: &Leg) -> (Instant, u32) {
    (leg.due, leg.trade.batch_index)
}

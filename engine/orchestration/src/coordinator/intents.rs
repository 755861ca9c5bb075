//! Orders are noted before they are sent, and those of unknown outcome are asked for after a crash.
//!
//! The note of a scheduled trade is its row in the store, which `legs` keeps.

use std::rc::Rc;

use super::Coordinator;
use super::retry::Retry;
use crate::defect::Defect;
use crate::domain_event::TradeOrigin;
use crate::exchange::{Answered, Intent, REFUSED};
use crate::execution::{ExecutionError, Progress};
use crate::message::{Name, OrNull, OrderError, OrderPlaced, Priority, Topic};
use crate::risk::Proposal;
use crate::store;

/// The exchange has never heard of an order.
const NEVER_ARRIVED: &str = "never_arrived";

impl Coordinator {
    /// Whether an order is noted before it is sent. With `execute-before-mark` it is not.
    pub(super) fn notes_orders(&self) -> bool {
        !self.defects.has(Defect::ExecuteBeforeMark)
    }

    /// Notes an order, sends it, and notes how it went. With `execute-before-mark` nothing is noted.
    ///
    /// Nobody ever sends it again, so one that a failing store does not note is sent all the same: a
    /// crash right then leaves it unasked for, and not repeated.
    ///
    /// # Errors
    /// Those of the executor.
    pub(super) async fn send(
        self: &Rc<Self>,
        proposal: &Proposal,
        mut intent: Intent,
    ) -> Result<Answered, ExecutionError> {
        let origin = match intent.origin {
            TradeOrigin::Signal(_) => "signal",
            TradeOrigin::Plan => "plan",
            TradeOrigin::Leg => return self.exchange.execute(&self.ctx, proposal, intent).await,
        };
        if !self.notes_orders() {
            return self.exchange.execute(&self.ctx, proposal, intent).await;
        }
        let key = intent.name.unwrap_or_else(|| self.exchange.name_intent());
        intent.name = Some(key.clone());
        let noted = store::Intent {
            key: key.clone(),
            symbol: Name::from(proposal.symbol.as_str()),
            origin: Name::fixed(origin),
        };
        let _unnoted = self.store.record_intent(&self.ctx, &noted);
        let answered = self.exchange.execute(&self.ctx, proposal, intent).await;
        let outcome = match &answered {
            Ok(answered) => match &answered.result {
                Ok(Progress::Filled) => "filled",
                Ok(Progress::Resting) => "resting",
                Err(code) => code.as_str(),
            },
            Err(error) => error.code(),
        };
        // Where this cannot be noted, the order is asked for once more after a restart.
        let _open = self.store.settle_intent(&self.ctx, &key, outcome);
        answered
    }

    /// Asks the exchange what became of the orders that an earlier coordinator was sending when it ended,
    /// and tells everybody. None of them is sent again.
    pub(super) async fn ask_for_orders(&self) {
        if !self.store.exists() || !self.notes_orders() {
            return;
        }
        let mut retry = Retry::default();
        let open = loop {
            match self.store.open_intents(&self.ctx) {
                Ok(open) => break open,
                Err(_) => self.wait_for_retry(&mut retry).await,
            }
        };
        for intent in open {
            let found = self.exchange.find(&intent.key);
            let outcome = match found {
                Some(true) => "carried_out",
                Some(false) => REFUSED,
                None => NEVER_ARRIVED,
            };
            self.announce_found(&intent, found == Some(true), outcome)
                .await;
            let _open = self.store.settle_intent(&self.ctx, &intent.key, outcome);
        }
    }

    async fn announce_found(&self, intent: &store::Intent, is_carried_out: bool, outcome: &str) {
        let (symbol, trading_mode) = (intent.symbol.clone(), self.trading_mode());
        if !is_carried_out {
            let error = OrderError {
                symbol,
                error_message: OrNull(Some(outcome.into())),
                trading_mode,
            };
            self.publish(Topic::ExecutionEvents, error, Priority::High)
                .await;
            return;
        }
        if intent.origin == *"signal" {
            self.count(|statistics| statistics.total_trades_routed += 1);
        }
        let placed = OrderPlaced {
            order_id: OrNull(None),
            position_id: OrNull(None),
            symbol,
            trading_mode,
        };
        self.publish(Topic::ExecutionEvents, placed, Priority::Normal)
            .await;
    }
}

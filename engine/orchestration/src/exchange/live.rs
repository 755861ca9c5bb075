//! The stand-in of a live executor: it answers as a scenario says, and keeps no account.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::Answered;
use crate::Ctx;
use crate::amount::Amount;
use crate::config::LiveConfig;
use crate::execution::{ExecutionError, PriceSource, Progress};
use crate::message::{Instant, Name};

/// The code of an order that it refuses.
const REFUSED: &str = "exchange_reject";

/// The executor of live trading.
pub(super) struct LiveVenue {
    config: LiveConfig,
    prices: RefCell<PriceSource>,
    calls: Cell<u64>,
    /// Whether each intent was carried out, for whoever asks later.
    known: RefCell<BTreeMap<Name, bool>>,
}

impl LiveVenue {
    pub(super) fn new(config: LiveConfig, prices: PriceSource) -> LiveVenue {
        LiveVenue {
            config,
            prices: RefCell::new(prices),
            calls: Cell::new(0),
            known: RefCell::default(),
        }
    }

    /// Carries out an order in its own time.
    pub(super) async fn carry_out(
        &self,
        ctx: &Ctx,
        intent: &Name,
    ) -> Result<Answered, ExecutionError> {
        let call = self.calls.replace(self.calls.get() + 1);
        if self.config.delay_seconds > 0.0 {
            ctx.sleep(Duration::from_secs_f64(self.config.delay_seconds))
                .await;
        }
        if self.config.raise.contains(&call) {
            return Err(ExecutionError::ExecutorDown);
        }
        let refused = self.config.fail.contains(&call);
        self.known.borrow_mut().insert(intent.clone(), !refused);
        Ok(Answered {
            order: (!refused).then(|| Name::from(format!("live-{}", call + 1))),
            position: None,
            result: if refused {
                Err(Name::fixed(REFUSED))
            } else {
                Ok(Progress::Filled)
            },
        })
    }

    pub(super) fn price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        let now_us = Instant::from(ctx.now()).as_micros();
        self.prices.borrow_mut().update(symbol, price, now_us);
    }

    pub(super) fn set_price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        self.prices
            .borrow_mut()
            .set(Instant::from(ctx.now()).as_micros(), symbol, price);
    }

    pub(super) fn price_of(&self, ctx: &Ctx, symbol: &str) -> Option<Amount> {
        self.prices
            .borrow_mut()
            .get(Instant::from(ctx.now()).as_micros(), symbol)
    }

    /// Whether the order of an intent was carried out, if it was ever taken.
    pub(super) fn find(&self, intent: &str) -> Option<bool> {
        self.known.borrow().get(intent).copied()
    }
}

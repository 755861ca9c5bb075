//! The exchange as the coordinator meets it: orders take their time, and everything is told.
//!
//! It is the paper exchange of [`execution`](crate::execution) with waiting and events around it. It outlives
//! a crash of the coordinator's host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::{Notify, Sender, Time};

use crate::amount::Amount;
use crate::coordinator::state::RunState;
use crate::domain_event::{BalanceChanged, Filled, OrderAnswered, OrderOutcome, OrderSubmitted};
use crate::execution::{
    Closed, Draw, ExecutionError, Fill, IntentId, Outcome, PaperExecutor, Position, Progress,
    Purpose, TradeRequest,
};
use crate::message::Name;
use crate::risk::{AccountUpdate, Proposal};
use crate::{Ctx, Orchestration};

/// What the exchange tells whoever keeps the positions in mind.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A resting order was filled and opened a position.
    Opened(Box<Position>),
}

/// How an order went.
#[derive(Clone, Debug)]
pub struct Report {
    /// The order's number at the exchange, if it got one.
    pub order: Option<Name>,
    /// The position that it opened.
    pub position: Option<Position>,
    /// Whether it was filled or rests; otherwise why not, as a code.
    pub result: Result<Progress, Name>,
}

/// The exchange. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    inner: Rc<Inner>,
}

struct Inner {
    paper: RefCell<PaperExecutor>,
    intents: Cell<u64>,
    listener: RefCell<Option<Sender<Orchestration, Notice>>>,
    /// A price or a fill may have brought a position to its stop or target.
    moved: Notify,
}

impl Exchange {
    /// An exchange around this paper exchange.
    pub fn new(paper: PaperExecutor) -> Exchange {
        let inner = Inner {
            paper: RefCell::new(paper),
            intents: Cell::new(0),
            listener: RefCell::new(None),
            moved: Notify::new("a position to close"),
        };
        Exchange {
            inner: Rc::new(inner),
        }
    }

    /// Says who is told of what happens to resting orders.
    pub fn tell(&self, listener: Sender<Orchestration, Notice>) {
        *self.inner.listener.borrow_mut() = Some(listener);
    }

    /// Sends an order and waits until it is filled, rests or is refused.
    ///
    /// # Errors
    /// If a number of the proposal is no decimal number; then nothing was sent.
    pub async fn execute(
        &self,
        ctx: &Ctx,
        proposal: &Proposal,
        purpose: Purpose,
        state: RunState,
    ) -> Result<Report, ExecutionError> {
        let number = self.inner.intents.get() + 1;
        let intent = format!("intent-{number}");
        let request = TradeRequest::from_proposal(proposal, IntentId(intent.clone()), purpose)?;
        self.inner.intents.set(number);
        let intent = Name::from(intent);
        ctx.emit(OrderSubmitted {
            intent: intent.clone(),
            symbol: proposal.symbol.as_str().into(),
            side: Name::fixed(proposal.side.name()),
            size_usd: request.size_usd,
            limit: request.entry_price,
            state,
        });
        let prepared = self.paper(ctx, |paper, now_us| paper.prepare(now_us, request));
        let outcome = match prepared {
            Err(error) => return Ok(self.refused(ctx, intent, None, &error)),
            Ok(prepared) => {
                let delay = self.inner.paper.borrow().config.fill_delay_ms;
                ctx.sleep(Duration::from_millis(delay)).await;
                self.paper(ctx, |paper, now_us| {
                    paper.complete(now_us, prepared, &mut |draw| uniform(ctx, draw))
                })
            }
        };
        self.tell_fill(ctx, outcome.fill.as_ref());
        let order = outcome
            .order
            .as_ref()
            .map(|order| Name::from(order.id.to_string()));
        match outcome.result {
            Err(error) => Ok(self.refused(ctx, intent, order, &error)),
            Ok(progress) => {
                let result = match progress {
                    Progress::Filled => OrderOutcome::Filled,
                    Progress::Resting => OrderOutcome::Resting,
                };
                ctx.emit(OrderAnswered {
                    intent,
                    order: order.clone(),
                    outcome: result,
                });
                Ok(Report {
                    order,
                    position: outcome.position,
                    result: Ok(progress),
                })
            }
        }
    }

    fn refused(
        &self,
        ctx: &Ctx,
        intent: Name,
        order: Option<Name>,
        error: &ExecutionError,
    ) -> Report {
        let code = Name::fixed(error.code());
        let outcome = OrderOutcome::Refused(code.clone());
        ctx.emit(OrderAnswered {
            intent,
            order: order.clone(),
            outcome,
        });
        Report {
            order,
            position: None,
            result: Err(code),
        }
    }

    /// A price arrived: resting orders that it reaches are filled.
    pub fn price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        let filled = self.paper(ctx, |paper, now_us| {
            paper.push_price(now_us, symbol, price, now_us, &mut |draw| {
                uniform(ctx, draw)
            })
        });
        // A profit that no decimal can hold leaves the price as it was.
        for outcome in filled.unwrap_or_default() {
            self.tell_resting(ctx, outcome);
        }
        if self.is_any_position_due() {
            self.inner.moved.notify(ctx);
        }
    }

    fn tell_resting(&self, ctx: &Ctx, outcome: Outcome) {
        self.tell_fill(ctx, outcome.fill.as_ref());
        if let Some(order) = &outcome.order
            && let Some(request) = &order.request
        {
            let result = match &outcome.result {
                Ok(_) => OrderOutcome::Filled,
                Err(error) => OrderOutcome::Refused(Name::fixed(error.code())),
            };
            ctx.emit(OrderAnswered {
                intent: request.intent.0.as_str().into(),
                order: Some(order.id.to_string().into()),
                outcome: result,
            });
        }
        if let Some(position) = outcome.position
            && let Some(listener) = self.inner.listener.borrow().as_ref()
        {
            // A listener that is gone or overrun learns of the position from the exchange itself.
            drop(listener.try_send(Notice::Opened(Box::new(position))));
        }
    }

    /// Closes every position whose stop or target has been reached.
    pub fn close_due(&self, ctx: &Ctx) -> Vec<Closed> {
        let closed = self.paper(ctx, |paper, now_us| {
            drop(paper.positions.trail());
            paper.close_due(now_us)
        });
        let closed: Vec<Closed> = closed
            .into_iter()
            .filter_map(|(_, closed)| closed.ok())
            .collect();
        closed
            .iter()
            .for_each(|closed| self.tell_fill(ctx, closed.fill.as_ref()));
        closed
    }

    /// Waits until a look at the positions would find something to do: one of them has reached
    /// its stop or target, or stops follow the price.
    pub async fn until_positions_move(&self, ctx: &Ctx) {
        while !self.is_any_position_due() {
            self.inner.moved.wait(ctx).await;
        }
    }

    fn is_any_position_due(&self) -> bool {
        let positions = &self.inner.paper.borrow().positions;
        let any = positions.open_positions().next().is_some();
        any && (positions.trails() || positions.is_any_due())
    }

    /// The account as the risk engine is told of it, and the exposure of each symbol.
    ///
    /// # Errors
    /// If an asset that is held has no fresh price.
    pub fn account(
        &self,
        ctx: &Ctx,
        day_start: Option<Amount>,
        week_start: Option<Amount>,
    ) -> Result<(AccountUpdate, std::collections::BTreeMap<String, f64>), ExecutionError> {
        self.paper(ctx, |paper, now_us| {
            let equity = paper.equity(now_us)?;
            let (day, week) = (day_start.unwrap_or(equity), week_start.unwrap_or(equity));
            let account = paper.account(now_us, day, week)?;
            let exposure = paper.exposure(now_us, equity)?;
            Ok((account, exposure.by_symbol))
        })
    }

    /// The balance of an asset.
    pub fn balance(&self, asset: &str) -> Amount {
        self.inner.paper.borrow().portfolio().balance(asset)
    }

    /// The price of a symbol, if a source has a fresh one.
    pub fn price_of(&self, ctx: &Ctx, symbol: &str) -> Option<Amount> {
        self.paper(ctx, |paper, now_us| paper.prices.get(now_us, symbol))
    }

    fn tell_fill(&self, ctx: &Ctx, fill: Option<&Fill>) {
        let Some(fill) = fill else { return };
        let order = fill
            .order
            .map_or_else(|| "close".to_owned(), |order| order.to_string());
        let base = fill.symbol.split('/').next().unwrap_or_default();
        let margin = !fill.changes.iter().any(|change| change.asset == base);
        ctx.emit(Filled {
            order: order.into(),
            symbol: fill.symbol.as_str().into(),
            side: Name::fixed(fill.side.name()),
            size: fill.size,
            price: fill.price,
            fee: fill.fee,
            margin,
        });
        for (change, balance) in fill.changes.iter().zip(&fill.balances) {
            let asset = change.asset.as_str().into();
            ctx.emit(BalanceChanged {
                asset,
                balance: *balance,
            });
        }
        self.inner.moved.notify(ctx);
    }

    fn paper<T>(&self, ctx: &Ctx, act: impl FnOnce(&mut PaperExecutor, i64) -> T) -> T {
        act(&mut self.inner.paper.borrow_mut(), micros(ctx.now()))
    }
}

/// Microseconds since the run began.
pub fn micros(time: Time) -> i64 {
    (time.as_nanos() / 1_000) as i64
}

/// One of the random numbers that the paper exchange asks for.
fn uniform(ctx: &Ctx, draw: Draw) -> f64 {
    match draw {
        Draw::Slippage => 0.5 + 0.5 * ctx.random_unit("slippage"),
        Draw::PartialChance => ctx.random_unit("partial fill"),
        Draw::PartialFraction => 0.3 + 0.6 * ctx.random_unit("partial fraction"),
    }
}

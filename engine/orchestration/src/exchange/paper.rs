//! The paper exchange with waiting and events around it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dacapo_kernel::{Notify, Sender};

use super::{Answered, Notice};
use crate::amount::Amount;
use crate::domain_event::{
    BalanceChanged, BarDoubtful, Filled, MarketBar, OrderAnswered, OrderOutcome, PositionClosed,
    PositionOpened,
};
use crate::execution::{
    Backing, CloseReason, Closed, Draw, ExecutionError, Fill, IntentId, Order, OrderId,
    OrderStatus, Outcome, PaperExecutor, Position, PositionId, TradeRequest,
};
use crate::message::{Instant, Name};
use crate::risk::AccountUpdate;
use crate::{Ctx, Orchestration};

/// The paper exchange of a run.
pub(super) struct PaperVenue {
    paper: RefCell<PaperExecutor>,
    listener: RefCell<Option<Sender<Orchestration, Notice>>>,
    /// A price or a fill may have brought a position to its stop or target.
    moved: Notify,
    /// Orders that were taken back in vain: they are filled when their price comes.
    vain: RefCell<BTreeSet<OrderId>>,
    /// Whether bars close positions, exactly where they touched a stop or target: then nobody has to look
    /// at positions in between.
    by_bars: Cell<bool>,
    /// Draws of slippage that a scenario wrote down, and how many of them were used.
    script: Vec<f64>,
    drawn: Cell<usize>,
}

impl PaperVenue {
    pub(super) fn new(paper: PaperExecutor) -> PaperVenue {
        let script = paper.config.slippage_draws.iter();
        PaperVenue {
            script: script.map(|draw| draw.to_f64()).collect(),
            paper: RefCell::new(paper),
            listener: RefCell::new(None),
            moved: Notify::new("a position to close"),
            vain: RefCell::default(),
            by_bars: Cell::new(false),
            drawn: Cell::new(0),
        }
    }

    pub(super) fn tell(&self, listener: Sender<Orchestration, Notice>) {
        *self.listener.borrow_mut() = Some(listener);
    }

    /// Carries out a trade: sizes it, waits for the fill delay, meets the market.
    pub(super) async fn carry_out(&self, ctx: &Ctx, request: TradeRequest) -> Answered {
        let prepared = match self.with(ctx, |paper, now_us| paper.prepare(now_us, request)) {
            Ok(prepared) => prepared,
            Err(error) => return Answered::refused(None, &error),
        };
        let delay = self.paper.borrow().config.fill_delay_ms;
        ctx.sleep(Duration::from_millis(delay)).await;
        // The exchange is another machine: a crash of whoever asks does not stop it midway.
        let outcome = ctx.elsewhere(|| {
            let outcome = self.with(ctx, |paper, now_us| {
                paper.complete(now_us, prepared, &mut |draw| self.uniform(ctx, draw))
            });
            self.tell_opening(ctx, &outcome);
            outcome
        });
        let order = outcome.order.as_ref();
        let order = order.map(|order| Name::from(order.id.to_string()));
        match outcome.result {
            Err(error) => Answered::refused(order, &error),
            Ok(progress) => Answered {
                order,
                position: outcome.position,
                result: Ok(progress),
            },
        }
    }

    /// Whether the order that carries out an intent waits for its price.
    pub(super) fn rests(&self, intent: &str) -> bool {
        let paper = self.paper.borrow();
        let order = paper.find(&IntentId(intent.to_owned()));
        order.is_some_and(|order| order.status == OrderStatus::Open)
    }

    /// What became of the order that carries out an intent, if the exchange ever took one.
    pub(super) fn find(&self, intent: &str) -> Option<bool> {
        let paper = self.paper.borrow();
        let order = paper.find(&IntentId(intent.to_owned()))?;
        Some(matches!(
            order.status,
            OrderStatus::Filled | OrderStatus::PartiallyFilled | OrderStatus::Open
        ))
    }

    /// Takes back the orders that wait for their price.
    pub(super) fn cancel_resting(&self, ctx: &Ctx) {
        ctx.elsewhere(|| {
            let resting: Vec<OrderId> = {
                let (paper, vain) = (self.paper.borrow(), self.vain.borrow());
                let orders = paper.resting_orders().map(|order| order.id);
                orders.filter(|id| !vain.contains(id)).collect()
            };
            for id in resting {
                if super::trouble::cancels_in_vain(ctx) {
                    self.vain.borrow_mut().insert(id);
                } else if let Some(order) = self.paper.borrow_mut().cancel(id) {
                    tell_answer(ctx, &order, OrderOutcome::Cancelled);
                }
            }
        });
    }

    /// A price arrived: resting orders that it reaches are filled.
    pub(super) fn price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        ctx.elsewhere(|| {
            let filled = self.with(ctx, |paper, now_us| {
                paper.push_price(now_us, symbol, price, now_us, &mut |draw| {
                    self.uniform(ctx, draw)
                })
            });
            // A profit that no decimal can hold leaves the price as it was.
            self.after_price(ctx, filled.unwrap_or_default());
        });
    }

    /// A bar has closed.
    pub(super) fn bar(&self, ctx: &Ctx, bar: &MarketBar) {
        self.by_bars.set(true);
        ctx.elsewhere(|| {
            let done = self.with(ctx, |paper, now_us| {
                paper.push_bar(now_us, bar, &mut |draw| self.uniform(ctx, draw))
            });
            // A profit that no decimal can hold leaves the price as it was.
            let done = done.unwrap_or_default();
            for position in done.doubtful {
                ctx.emit(BarDoubtful {
                    position: position.0,
                    symbol: bar.symbol.clone(),
                });
            }
            self.tell_bar_closed(ctx, done.closed);
            self.after_price(ctx, done.filled);
            self.tell_bar_closed(ctx, done.closed_again);
        });
    }

    /// Tells of positions that a bar closed, in the log and to whoever listens.
    fn tell_bar_closed(
        &self,
        ctx: &Ctx,
        results: Vec<(PositionId, Result<Closed, ExecutionError>)>,
    ) {
        let (closed, _) = self.tell_closed(ctx, results);
        if let Some(listener) = self.listener.borrow().as_ref() {
            for closed in closed {
                // A listener that is gone or overrun learns of it from the exchange itself.
                drop(listener.try_send(Notice::Closed(Box::new(closed))));
            }
        }
    }

    /// A price is set by hand, in the built-in table as well.
    pub(super) fn set_price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        ctx.elsewhere(|| {
            let filled = self.with(ctx, |paper, now_us| {
                paper.set_price(now_us, symbol, price, &mut |draw| self.uniform(ctx, draw))
            });
            self.after_price(ctx, filled.unwrap_or_default());
        });
    }

    fn after_price(&self, ctx: &Ctx, filled: Vec<Outcome>) {
        for outcome in filled {
            self.tell_resting(ctx, outcome);
        }
        if self.is_any_position_due() {
            self.moved.notify(ctx);
        }
    }

    fn tell_resting(&self, ctx: &Ctx, outcome: Outcome) {
        self.tell_opening(ctx, &outcome);
        if let Some(order) = &outcome.order {
            let result = match &outcome.result {
                Ok(_) => OrderOutcome::Filled,
                Err(error) => OrderOutcome::Refused(Name::fixed(error.code())),
            };
            tell_answer(ctx, order, result);
        }
        if let Some(position) = outcome.position
            && let Some(listener) = self.listener.borrow().as_ref()
        {
            if super::trouble::reports_twice(ctx) {
                drop(listener.try_send(Notice::Opened(Box::new(position.clone()))));
            }
            // A listener that is gone or overrun learns of the position from the exchange itself.
            drop(listener.try_send(Notice::Opened(Box::new(position))));
        }
    }

    /// Closes every position whose stop or target has been reached.
    pub(super) fn close_due(&self, ctx: &Ctx) -> Vec<Closed> {
        ctx.elsewhere(|| {
            let closed = self.with(ctx, |paper, now_us| {
                drop(paper.positions.trail());
                paper.close_due(now_us)
            });
            self.tell_closed(ctx, closed).0
        })
    }

    /// Reduces positions, or these of them, by a percentage of their size; 100 closes them.
    pub(super) fn reduce(
        &self,
        ctx: &Ctx,
        pct: Amount,
        only: Option<&[PositionId]>,
    ) -> (Vec<Closed>, Vec<PositionId>) {
        ctx.elsewhere(|| {
            let reduced = self.with(ctx, |paper, now_us| {
                paper.reduce_all(now_us, pct, only, CloseReason::Emergency)
            });
            self.tell_closed(ctx, reduced)
        })
    }

    fn tell_closed(
        &self,
        ctx: &Ctx,
        results: Vec<(PositionId, Result<Closed, ExecutionError>)>,
    ) -> (Vec<Closed>, Vec<PositionId>) {
        let (mut closed, mut failed) = (Vec::new(), Vec::new());
        for (position, result) in results {
            match result {
                Ok(done) => {
                    self.tell_closing(ctx, &done);
                    closed.push(done);
                }
                Err(_) => failed.push(position),
            }
        }
        (closed, failed)
    }

    /// Waits until a look at the positions would find something to do: one of them has reached
    /// its stop or target, or stops follow the price.
    pub(super) async fn until_positions_move(&self, ctx: &Ctx) {
        while !self.is_any_position_due() {
            self.moved.wait(ctx).await;
        }
    }

    fn is_any_position_due(&self) -> bool {
        let positions = &self.paper.borrow().positions;
        let any = positions.open_count() > 0;
        let follows = positions.trails() && !self.by_bars.get();
        any && (follows || positions.is_any_due())
    }

    pub(super) fn account(
        &self,
        ctx: &Ctx,
        day_start: Option<Amount>,
        week_start: Option<Amount>,
    ) -> Result<(AccountUpdate, BTreeMap<String, f64>), ExecutionError> {
        self.with(ctx, |paper, now_us| {
            let (account, exposure) = paper.account(now_us, day_start, week_start)?;
            Ok((account, exposure.by_symbol))
        })
    }

    /// The exposure of each symbol without asking what the account is worth.
    pub(super) fn exposures(&self, ctx: &Ctx) -> BTreeMap<String, f64> {
        self.with(ctx, |paper, now_us| {
            let exposure = paper.exposure(now_us, Amount::ZERO);
            exposure
                .map(|exposure| exposure.by_symbol)
                .unwrap_or_default()
        })
    }

    pub(super) fn available(&self, asset: &str) -> Amount {
        self.paper.borrow().portfolio().available(asset)
    }

    pub(super) fn balance(&self, asset: &str) -> Amount {
        self.paper.borrow().portfolio().balance(asset)
    }

    pub(super) fn price_of(&self, ctx: &Ctx, symbol: &str) -> Option<Amount> {
        self.with(ctx, |paper, now_us| paper.prices.get(now_us, symbol))
    }

    /// Looks at the whole exchange.
    pub(super) fn look<T>(&self, look: impl FnOnce(&PaperExecutor) -> T) -> T {
        look(&self.paper.borrow())
    }

    /// Tells what an order did: its execution, and the position that it opened.
    fn tell_opening(&self, ctx: &Ctx, outcome: &Outcome) {
        let (Some(fill), Some(order)) = (&outcome.fill, &outcome.order) else {
            return;
        };
        let name = Name::from(order.id.to_string());
        let intent = order.request.as_ref();
        self.tell_fill(
            ctx,
            fill,
            FillOf {
                order: name.clone(),
                intent: intent.map(|request| request.intent.0.as_str().into()),
                position: None,
                ordered: order.terms.size,
                leverage: order.leverage(),
            },
        );
        if let Some(position) = &outcome.position {
            ctx.emit(opened(position, order, name));
        }
    }

    /// Tells what closing a position did: its execution, if balances changed, and the closing.
    fn tell_closing(&self, ctx: &Ctx, done: &Closed) {
        let Closed { closed, fill } = done;
        let position = closed.position.id.0;
        if let Some(fill) = fill {
            self.tell_fill(
                ctx,
                fill,
                FillOf {
                    order: Name::fixed("close"),
                    intent: None,
                    position: Some(position),
                    ordered: fill.size,
                    leverage: closed.position.leverage,
                },
            );
        }
        ctx.emit(PositionClosed {
            position,
            size: closed.position.size,
            price: closed.exit_price,
            profit: closed.realized_pnl,
            reason: Name::fixed(closed.reason.name()),
        });
    }

    fn tell_fill(&self, ctx: &Ctx, fill: &Fill, of: FillOf) {
        let base = fill.symbol.split('/').next().unwrap_or_default();
        let margin = !fill.changes.iter().any(|change| change.asset == base);
        ctx.emit(Filled {
            execution: fill.execution.0,
            order: of.order,
            intent: of.intent,
            position: of.position,
            ordered: of.ordered,
            leverage: of.leverage,
            symbol: fill.symbol.as_str().into(),
            side: Name::fixed(fill.side.name()),
            size: fill.size,
            price: fill.price,
            fee: fill.fee,
            margin,
        });
        for (change, holding) in fill.changes.iter().zip(&fill.holdings) {
            let asset = change.asset.as_str().into();
            ctx.emit(BalanceChanged {
                asset,
                balance: holding.balance,
                reserved: holding.reserved,
            });
        }
        self.moved.notify(ctx);
    }

    fn with<T>(&self, ctx: &Ctx, act: impl FnOnce(&mut PaperExecutor, i64) -> T) -> T {
        act(
            &mut self.paper.borrow_mut(),
            Instant::from(ctx.now()).as_micros(),
        )
    }

    /// One of the random numbers that the paper exchange asks for.
    fn uniform(&self, ctx: &Ctx, draw: Draw) -> f64 {
        match draw {
            Draw::Slippage => match self.scripted_slippage() {
                Some(scripted) => scripted,
                None => 0.5 + 0.5 * ctx.random_unit("slippage"),
            },
            Draw::Imposed => ctx
                .fault("exchange.partial")
                .map_or(1.0, |percent| percent as f64 / 100.0),
            Draw::PartialChance => ctx.random_unit("partial fill"),
            Draw::PartialFraction => 0.3 + 0.6 * ctx.random_unit("partial fraction"),
        }
    }

    /// The next draw of the script; the last one is drawn again and again.
    fn scripted_slippage(&self) -> Option<f64> {
        let at = self.drawn.replace(self.drawn.get() + 1);
        let last = self.script.len().checked_sub(1)?;
        self.script.get(at.min(last)).copied()
    }
}

/// Tells what became of an order that waited for its price, if it carries out a trade.
fn tell_answer(ctx: &Ctx, order: &Order, outcome: OrderOutcome) {
    if let Some(request) = &order.request {
        ctx.emit(OrderAnswered {
            intent: request.intent.0.as_str().into(),
            order: Some(order.id.to_string().into()),
            outcome,
        });
    }
}

/// What an execution belongs to.
struct FillOf {
    order: Name,
    intent: Option<Name>,
    position: Option<u64>,
    ordered: Amount,
    leverage: i64,
}

fn opened(position: &Position, order: &Order, name: Name) -> PositionOpened {
    PositionOpened {
        position: position.id.0,
        order: name,
        symbol: position.symbol.as_str().into(),
        side: Name::fixed(order.terms.side.name()),
        size: position.size,
        entry_price: position.entry_price,
        leverage: position.leverage,
        reserved: match position.backing {
            Backing::Margin { reserved } => reserved,
            Backing::Spot | Backing::Unsettled => Amount::ZERO,
        },
    }
}

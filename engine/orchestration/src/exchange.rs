//! The executor in use as the coordinator meets it: orders take their time, and everything is told.
//!
//! It is the paper exchange of [`execution`](crate::execution), or the stand-in of a live executor.
//! Either outlives a crash of the coordinator's host.

mod live;
mod paper;
mod trouble;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use dacapo_kernel::Sender;

use crate::amount::Amount;
use crate::config::{LiveConfig, TradingMode};
use crate::coordinator::state::RunState;
use crate::domain_event::{
    MarketBar, OrderAnswered, OrderOutcome, OrderSubmitted, Proposed, TradeOrigin,
};
use crate::execution::{
    Closed, ExecutionError, IntentId, PaperExecutor, Position, PositionId, PriceSource, Progress,
    Purpose, TradeRequest,
};
use crate::message::Name;
use crate::risk::{AccountUpdate, Proposal};
use crate::{Ctx, Orchestration};

use live::LiveVenue;
use paper::PaperVenue;

pub(crate) use trouble::KINDS as FAULTS;

/// What the exchange tells whoever keeps the positions in mind.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A resting order was filled and opened a position.
    Opened(Box<Position>),
    /// A bar closed a position.
    Closed(Box<Closed>),
}

/// What is told of an order that the exchange refused or took back while nobody listened; why, it told somebody who is
/// gone, or who had stopped waiting.
pub(crate) const REFUSED: &str = "refused";

/// How an order went.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The order's number at the exchange, if it got one.
    pub order: Option<Name>,
    /// The position that it opened.
    pub position: Option<Position>,
    /// Whether it was filled or rests; otherwise why not, as a code.
    pub result: Result<Progress, Name>,
}

impl Answered {
    fn refused(order: Option<Name>, error: &ExecutionError) -> Answered {
        Answered {
            order,
            position: None,
            result: Err(Name::fixed(error.code())),
        }
    }

    fn outcome(&self) -> OrderOutcome {
        match &self.result {
            Ok(Progress::Filled) => OrderOutcome::Filled,
            Ok(Progress::Resting) => OrderOutcome::Resting,
            Err(code) => OrderOutcome::Refused(code.clone()),
        }
    }
}

/// What an order is for.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Its name, which no other order has; a new one if left out.
    pub name: Option<Name>,
    /// Whether it opens a position.
    pub purpose: Purpose,
    /// What it goes back to.
    pub origin: TradeOrigin,
    /// The state of the coordinator that sends it.
    pub state: RunState,
}

/// The exchange. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    inner: Rc<Inner>,
}

struct Inner {
    venue: Venue,
    intents: Cell<u64>,
    plans: Cell<u64>,
}

enum Venue {
    Paper(Box<PaperVenue>),
    Live(Box<LiveVenue>),
    /// Live trading without an executor.
    Nobody,
}

impl Exchange {
    /// The paper exchange.
    pub fn paper(paper: PaperExecutor) -> Exchange {
        Exchange::new(Venue::Paper(Box::new(PaperVenue::new(paper))))
    }

    /// The stand-in of a live executor, or nobody if it is not connected.
    pub fn live(config: LiveConfig, prices: PriceSource) -> Exchange {
        Exchange::new(if config.connected {
            Venue::Live(Box::new(LiveVenue::new(config, prices)))
        } else {
            Venue::Nobody
        })
    }

    fn new(venue: Venue) -> Exchange {
        let inner = Inner {
            venue,
            intents: Cell::new(0),
            plans: Cell::new(0),
        };
        Exchange {
            inner: Rc::new(inner),
        }
    }

    fn as_paper(&self) -> Option<&PaperVenue> {
        match &self.inner.venue {
            Venue::Paper(paper) => Some(paper),
            Venue::Live(_) | Venue::Nobody => None,
        }
    }

    /// Which kind of trading it serves.
    pub fn mode(&self) -> TradingMode {
        match self.inner.venue {
            Venue::Paper(_) => TradingMode::Paper,
            Venue::Live(_) | Venue::Nobody => TradingMode::Live,
        }
    }

    /// Whether there is anybody who executes orders.
    pub fn is_there(&self) -> bool {
        !matches!(self.inner.venue, Venue::Nobody)
    }

    /// Whether it keeps balances and positions.
    pub fn keeps_account(&self) -> bool {
        self.as_paper().is_some()
    }

    /// Says who is told of what happens to resting orders.
    pub fn tell(&self, listener: Sender<Orchestration, Notice>) {
        if let Some(paper) = self.as_paper() {
            paper.tell(listener);
        }
    }

    // Orders.

    /// A number for a rebalancing that no other one has, before or after a crash: the orders that
    /// carry it out are named after it.
    pub fn number_plan(&self) -> u64 {
        let number = self.inner.plans.get() + 1;
        self.inner.plans.set(number);
        number
    }

    /// A name for an order that no other one has, before or after a crash.
    pub fn name_intent(&self) -> Name {
        let number = self.inner.intents.get() + 1;
        self.inner.intents.set(number);
        Name::from(format!("intent-{number}"))
    }

    /// Sends an order and waits until it is filled, rests or is refused.
    ///
    /// # Errors
    /// If a number of the proposal is no decimal number; then nothing was sent. If the executor
    /// raises.
    pub async fn execute(
        &self,
        ctx: &Ctx,
        proposal: &Proposal,
        intent: Intent,
    ) -> Result<Answered, ExecutionError> {
        let name = intent.name.unwrap_or_else(|| self.name_intent());
        let id = IntentId(name.as_str().to_owned());
        let request = TradeRequest::from_proposal(proposal, id, intent.purpose)?;
        ctx.emit(OrderSubmitted {
            intent: name.clone(),
            origin: intent.origin,
            order: Proposed::from(proposal),
            limit: request.entry_price,
            state: intent.state,
        });
        let mut answered = if trouble::refuses(ctx).await {
            Ok(trouble::refusal())
        } else {
            match &self.inner.venue {
                Venue::Paper(paper) => Ok(paper.carry_out(ctx, request).await),
                Venue::Live(live) => live.carry_out(ctx, &name).await,
                Venue::Nobody => Err(ExecutionError::ExecutorDown),
            }
        };
        if let Ok(answered) = &mut answered
            && trouble::loses_answer(ctx, &name).await
            && matches!(answered.result, Ok(Progress::Resting))
            && !self.rests(&name)
        {
            // What became of it while nobody knew of it has been told: it was filled, or taken back or refused.
            answered.result = match self.find(&name) {
                Some(true) => Ok(Progress::Filled),
                Some(false) | None => Err(Name::fixed(REFUSED)),
            };
            return Ok(answered.clone());
        }
        let (order, outcome) = match &answered {
            Ok(answered) => (answered.order.clone(), answered.outcome()),
            Err(error) => (None, OrderOutcome::Raised(Name::fixed(error.code()))),
        };
        ctx.emit(OrderAnswered {
            intent: name,
            order,
            outcome,
        });
        answered
    }

    /// Whether the order of an intent still waits for its price.
    fn rests(&self, intent: &str) -> bool {
        self.as_paper().is_some_and(|paper| paper.rests(intent))
    }

    /// Whether the order of an intent was carried out, if one ever arrived.
    pub fn find(&self, intent: &str) -> Option<bool> {
        match &self.inner.venue {
            Venue::Paper(paper) => paper.find(intent),
            Venue::Live(live) => live.find(intent),
            Venue::Nobody => None,
        }
    }

    /// Takes back the orders that wait for their price. One of them may be filled all the same, and
    /// whoever listens is told of that.
    pub fn cancel_resting(&self, ctx: &Ctx) {
        if let Some(paper) = self.as_paper() {
            paper.cancel_resting(ctx);
        }
    }

    // Prices and positions.

    /// A price arrived from the market: resting orders that it reaches are filled.
    pub fn price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        match &self.inner.venue {
            Venue::Paper(paper) => paper.price(ctx, symbol, price),
            Venue::Live(live) => live.price(ctx, symbol, price),
            Venue::Nobody => {}
        }
    }

    /// A bar has closed: positions leave at the stops and targets that it touched, resting orders
    /// that it reached are filled, and its close is the price.
    pub fn bar(&self, ctx: &Ctx, bar: &MarketBar) {
        match &self.inner.venue {
            Venue::Paper(paper) => paper.bar(ctx, bar),
            Venue::Live(live) => live.price(ctx, &bar.symbol, bar.close),
            Venue::Nobody => {}
        }
    }

    /// A price is set by hand.
    pub fn set_price(&self, ctx: &Ctx, symbol: &str, price: Amount) {
        match &self.inner.venue {
            Venue::Paper(paper) => paper.set_price(ctx, symbol, price),
            Venue::Live(live) => live.set_price(ctx, symbol, price),
            Venue::Nobody => {}
        }
    }

    /// The price of a symbol, if a source has a fresh one.
    pub fn price_of(&self, ctx: &Ctx, symbol: &str) -> Option<Amount> {
        match &self.inner.venue {
            Venue::Paper(paper) => paper.price_of(ctx, symbol),
            Venue::Live(live) => live.price_of(ctx, symbol),
            Venue::Nobody => None,
        }
    }

    /// Closes every position whose stop or target has been reached.
    pub fn close_due(&self, ctx: &Ctx) -> Vec<Closed> {
        self.as_paper()
            .map_or_else(Vec::new, |paper| paper.close_due(ctx))
    }

    /// Reduces positions, or these of them, by a percentage of their size; 100 closes them. Says
    /// which could not be reduced.
    pub fn reduce(
        &self,
        ctx: &Ctx,
        pct: Amount,
        only: Option<&[PositionId]>,
    ) -> (Vec<Closed>, Vec<PositionId>) {
        self.as_paper()
            .map_or_else(Default::default, |paper| paper.reduce(ctx, pct, only))
    }

    /// Waits until a look at the positions would find something to do.
    pub async fn until_positions_move(&self, ctx: &Ctx) {
        match self.as_paper() {
            Some(paper) => paper.until_positions_move(ctx).await,
            None => std::future::pending().await,
        }
    }

    // The account.

    /// The account as the risk engine is told of it, and the exposure of each symbol. None where
    /// it keeps no account, or an asset that is held has no fresh price.
    pub fn account(
        &self,
        ctx: &Ctx,
        day_start: Option<Amount>,
        week_start: Option<Amount>,
    ) -> Option<(AccountUpdate, BTreeMap<String, f64>)> {
        self.as_paper()?.account(ctx, day_start, week_start).ok()
    }

    /// The exposure of each symbol, where it keeps an account.
    pub fn exposures(&self, ctx: &Ctx) -> Option<BTreeMap<String, f64>> {
        Some(self.as_paper()?.exposures(ctx))
    }

    /// The balance of an asset, where it keeps an account.
    pub fn balance(&self, asset: &str) -> Option<Amount> {
        Some(self.as_paper()?.balance(asset))
    }

    /// What of an asset is there to be spent, where it keeps an account.
    pub fn available(&self, asset: &str) -> Option<Amount> {
        Some(self.as_paper()?.available(asset))
    }

    /// Looks at the paper exchange, if it is one.
    pub fn look_at_paper<T>(&self, look: impl FnOnce(&PaperExecutor) -> T) -> Option<T> {
        Some(self.as_paper()?.look(look))
    }
}

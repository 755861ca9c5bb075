//! What became of proposals and orders.

use dacapo_kernel::numbered;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::coordinator::state::RunState;
use crate::message::Name;
use crate::risk::Proposal;

numbered! {
    /// What a trade goes back to.
    #[derive(Copy, Eq)]
    pub enum TradeOrigin {
        /// The number of the message with the signal.
        1 Signal(u64),
        /// A trade of a rebalancing that is due at once.
        2 Plan,
        /// A trade of a rebalancing that had to wait for its time.
        3 Leg,
    }
}

/// A trade as it is proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposed {
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// The stake in dollars, before leverage.
    pub size_usd: f64,
    /// The limit price in the quote currency; 0 where there is none.
    pub entry_price: f64,
    /// Where a loss is taken.
    pub stop_loss: Option<f64>,
    /// Where a profit is taken.
    pub take_profit: Option<f64>,
    /// 1 or more.
    pub leverage: i64,
    /// 0 to 1.
    pub confidence: f64,
    /// The market regime that it was proposed in, if it names one.
    pub regime: Option<Name>,
}

impl From<&Proposal> for Proposed {
    fn from(proposal: &Proposal) -> Proposed {
        Proposed {
            symbol: proposal.symbol.as_str().into(),
            side: Name::fixed(proposal.side.name()),
            size_usd: proposal.size_usd,
            entry_price: proposal.entry_price,
            stop_loss: proposal.stop_loss,
            take_profit: proposal.take_profit,
            leverage: proposal.leverage,
            confidence: proposal.confidence,
            regime: proposal.regime.as_deref().map(Name::from),
        }
    }
}

/// What the risk engine goes by when it judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskBasis {
    /// What the account is worth, in dollars.
    pub equity: Amount,
    /// Exposure of positions and resting orders, in percent of that.
    pub exposure_pct: f64,
    /// The exposure of each symbol, as those that move together are looked at.
    pub by_symbol: Vec<SymbolExposure>,
}

/// How much of an account is at risk in one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolExposure {
    /// The pair.
    pub symbol: Name,
    /// In percent of the equity.
    pub pct: f64,
}

/// The risk engine judged a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskJudged {
    /// What it goes back to.
    pub origin: TradeOrigin,
    /// What was proposed.
    pub proposal: Proposed,
    /// `approved`, `modified`, `rejected` or `halted`.
    pub status: Name,
    /// Why it was refused, as codes.
    pub rejections: Vec<Name>,
    /// What was noticed besides, as codes in the order of the checks.
    pub warnings: Vec<Name>,
    /// The size in dollars that it was reduced to, if it was.
    pub size_usd: Option<f64>,
    /// The leverage of what remains of it, if anything of it was changed.
    pub leverage: Option<i64>,
    /// What the account was taken to be; none where every proposal passes.
    pub basis: Option<RiskBasis>,
}

/// A judgement as logs had it that say nothing of what was noticed besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedWithoutWarnings {
    origin: TradeOrigin,
    proposal: Proposed,
    status: Name,
    rejections: Vec<Name>,
    size_usd: Option<f64>,
    leverage: Option<i64>,
    basis: Option<RiskBasis>,
}

/// Somebody lifted by hand what halts trading in the risk engine, and its cooldown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RiskReset {
    /// Whether it was an administrator.
    pub administrator: bool,
    /// The breakers that halted trading.
    pub lifted: Vec<Name>,
}

impl From<JudgedWithoutWarnings> for RiskJudged {
    fn from(old: JudgedWithoutWarnings) -> RiskJudged {
        RiskJudged {
            origin: old.origin,
            proposal: old.proposal,
            status: old.status,
            rejections: old.rejections,
            warnings: Vec::new(),
            size_usd: old.size_usd,
            leverage: old.leverage,
            basis: old.basis,
        }
    }
}

/// An order goes to whoever executes orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderSubmitted {
    /// What the order is for; the same intent is never sent twice.
    pub intent: Name,
    /// What it goes back to.
    pub origin: TradeOrigin,
    /// The trade, after risk has judged it.
    pub order: Proposed,
    /// The limit price; none for a market order.
    pub limit: Option<Amount>,
    /// The state of the coordinator at this instant.
    pub state: RunState,
}

numbered! {
    /// How an order ended, or that it rests.
    pub enum OrderOutcome {
        /// Executed, in whole or in part.
        1 Filled,
        /// It waits for its price.
        2 Resting,
        /// Refused, with a code.
        3 Refused(Name),
        /// The executor raised an error instead of answering.
        4 Raised(Name),
        /// Nobody answered: the exchange is asked what became of it.
        5 Unknown,
        /// It was taken back before it was executed.
        6 Cancelled,
    }
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderAnswered {
    /// What the order is for.
    pub intent: Name,
    /// The number that the exchange gave it, if it took it.
    pub order: Option<Name>,
    /// How.
    pub outcome: OrderOutcome,
}

/// An execution: balances changed hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// Its number at the exchange; no other execution has it.
    pub execution: u64,
    /// The order; `close` where a position is closed.
    pub order: Name,
    /// What the order is for, if it is for anything.
    pub intent: Option<Name>,
    /// The position that it closes, in whole or in part.
    pub position: Option<u64>,
    /// The size of the order, in the base currency.
    pub ordered: Amount,
    /// By what profit and loss are multiplied.
    pub leverage: i64,
    /// The pair.
    pub symbol: Name,
    /// `buy` or `sell`.
    pub side: Name,
    /// In the base currency.
    pub size: Amount,
    /// In the quote currency.
    pub price: Amount,
    /// In the quote currency.
    pub fee: Amount,
    /// Whether it was on margin: the base currency did not change hands, and what the position
    /// earns or loses is settled when it is closed.
    pub margin: bool,
}

/// A balance after a fill or a settlement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalanceChanged {
    /// The currency.
    pub asset: Name,
    /// What is there now.
    pub balance: Amount,
    /// The part of it that backs positions on margin now.
    pub reserved: Amount,
}

/// A position was opened by an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionOpened {
    /// Its number.
    pub position: u64,
    /// The order that opened it.
    pub order: Name,
    /// The pair.
    pub symbol: Name,
    /// The side of that order: `buy` or `sell`.
    pub side: Name,
    /// In the base currency.
    pub size: Amount,
    /// In the quote currency.
    pub entry_price: Amount,
    /// By what profit and loss are multiplied.
    pub leverage: i64,
    /// What backs it, in the quote currency; zero where balances were exchanged.
    pub reserved: Amount,
}

/// A position was closed, in whole or in part. What it did to the balances is told before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionClosed {
    /// Its number.
    pub position: u64,
    /// How much of it, in the base currency.
    pub size: Amount,
    /// In the quote currency.
    pub price: Amount,
    /// What was earned or lost, in the quote currency, before fees.
    pub profit: Amount,
    /// `stop_loss`, `take_profit`, `manual` or `emergency`.
    pub reason: Name,
}

numbered! {
    /// What is ordered in an emergency.
    #[derive(Copy)]
    pub enum EmergencyOrder {
        /// Close every position.
        1 CloseAll,
        /// Reduce every position by this many percent of its size.
        2 Reduce(f64),
    }
}

/// Positions are to be closed or reduced because a limit was breached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmergencyOrdered {
    /// What is ordered.
    pub order: EmergencyOrder,
    /// How many positions are open after it; none where the executor keeps no account.
    pub left: Option<u64>,
}

/// One bar touched both the stop and the target of a position. Which came first is not known, and the
/// stop is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BarDoubtful {
    /// The number of the position.
    pub position: u64,
    /// The pair.
    pub symbol: Name,
}

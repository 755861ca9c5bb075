//! From a decision to an order: the proposal, the judgement of the risk engine, the exchange.

use std::rc::Rc;

use serde_json::Value;

use super::Coordinator;
use super::signal::{SignalError, symbol_of};
use crate::clock::start_us;
use crate::config::RiskMode;
use crate::domain_event::{Proposed, RiskBasis, RiskJudged, SymbolExposure, TradeOrigin};
use crate::exchange::{Answered, Intent};
use crate::execution::{ExecutionError, Position, Purpose};
use crate::message::{
    Draft, Json, Message, Name, OrNull, OrderError, OrderPlaced, Payload, PositionOpened, Priority,
    Topic,
};
use crate::risk::{Proposal, ProposalDraft, RiskState, Strictness, validate_proposal};

impl Coordinator {
    /// Has a signal judged and, if nothing speaks against it, executed.
    pub(super) async fn route(
        self: &Rc<Self>,
        message: &Rc<Message>,
        signal: &Payload,
    ) -> Result<(), SignalError> {
        if !self.exchange.is_there() {
            self.drop_signal(message, "NO_EXECUTOR");
            return Ok(());
        }
        let draft = draft(signal, self.config.coordinator.default_size_usd);
        let proposal = validate_proposal(&draft, self.defects)?;
        let origin = TradeOrigin::Signal(message.id.as_number());
        let proposal = match self.judge(proposal, origin) {
            Ok(proposal) => proposal,
            Err(codes) => {
                self.reject(symbol_of(signal), codes).await;
                return Ok(());
            }
        };
        if !self.may_send(origin) {
            self.drop_signal(message, "NOT_RUNNING");
            return Ok(());
        }
        let intent = Intent {
            name: None,
            purpose: Purpose::Signal,
            origin,
            state: self.state.get(),
        };
        let answered = match self.send(&proposal, intent).await {
            Ok(answered) => answered,
            Err(error) => return self.note_raised(message, error),
        };
        self.feed_risk();
        self.announce_order(Name::from(proposal.symbol.as_str()), answered)
            .await;
        Ok(())
    }

    /// An executor that raises is noted and nothing else, unless it becomes an alert.
    fn note_raised(&self, message: &Message, error: ExecutionError) -> Result<(), SignalError> {
        if self.raises_on_bad_input() {
            self.drop_signal(message, "EXECUTION_ERROR");
            return Ok(());
        }
        Err(error.into())
    }

    /// What the risk engine leaves of a proposal, or the codes of why it leaves nothing.
    pub(super) fn judge(
        &self,
        proposal: Proposal,
        origin: TradeOrigin,
    ) -> Result<Proposal, Vec<Name>> {
        if let RiskMode::ApproveAll(rejected) = &self.config.risk_mode {
            let passes = !rejected.iter().any(|symbol| *symbol == *proposal.symbol);
            let status = if passes { "approved" } else { "rejected" };
            self.ctx.emit(judged(origin, &proposal, status));
            return if passes {
                Ok(proposal)
            } else {
                Err(Vec::new())
            };
        }
        self.feed_risk();
        let clocks = self.clocks();
        let (decision, basis) = {
            let mut risk = self.risk.borrow_mut();
            let decision = risk.validate(clocks, &proposal, Strictness::Normal);
            (decision, basis_of(&risk.state))
        };
        let codes = decision.rejections.iter();
        let codes: Vec<Name> = codes.map(|code| Name::fixed(code.code())).collect();
        let warnings = decision.warnings.iter();
        let remains = decision.modified.as_ref();
        self.ctx.emit(RiskJudged {
            rejections: codes.clone(),
            warnings: warnings.map(|it| Name::fixed(it.code())).collect(),
            size_usd: remains.map(|proposal| proposal.size_usd),
            leverage: remains.map(|proposal| proposal.leverage),
            basis: Some(basis),
            ..judged(origin, &proposal, decision.status.name())
        });
        if !decision.approved() {
            return Err(codes);
        }
        Ok(decision.modified.unwrap_or(proposal))
    }

    async fn announce_order(self: &Rc<Self>, symbol: Name, answered: Answered) {
        self.count(|statistics| statistics.total_trades_routed += 1);
        let trading_mode = self.trading_mode();
        let position = answered.position;
        if let Some(position) = &position {
            self.announce_opening(position).await;
        }
        match answered.result {
            Ok(_) => {
                let order_id = OrNull(answered.order);
                let position_id = OrNull(position.map(|position| position.id.to_string().into()));
                let placed = OrderPlaced {
                    order_id,
                    position_id,
                    symbol,
                    trading_mode,
                };
                self.publish(Topic::ExecutionEvents, placed, Priority::Normal)
                    .await;
            }
            Err(code) => {
                let error = OrderError {
                    symbol,
                    error_message: OrNull(Some(code)),
                    trading_mode,
                };
                self.publish(Topic::ExecutionEvents, error, Priority::High)
                    .await;
            }
        }
    }

    /// The name of the mode that messages carry.
    pub(super) fn trading_mode(&self) -> Name {
        Name::fixed(self.exchange.mode().name())
    }

    /// Publishes that a position was opened. While a halt asks for every position to be closed, it
    /// is closed as well.
    pub(super) async fn announce_opening(self: &Rc<Self>, position: &Position) {
        let opened = PositionOpened {
            position: Json(position.payload(start_us(&self.ctx))),
        };
        self.publish_as_tracker(opened, Priority::Normal).await;
        if self.is_closing() {
            self.close_everything();
        }
    }

    /// Publishes in the name of whoever keeps the positions in mind.
    pub(super) async fn publish_as_tracker(&self, payload: impl Into<Payload>, priority: Priority) {
        let source = Name::fixed("position_tracker");
        let draft = Draft::new(Topic::PortfolioUpdates, source, payload).priority(priority);
        let published = self.bus.publish(&self.ctx, draft).await;
        published.expect("the tracker names itself as the source and keeps the default life");
    }
}

/// A signal as a proposal; only an absent field takes its default.
pub(crate) fn draft(signal: &Payload, default_size_usd: f64) -> ProposalDraft {
    let field = |name: &str, default: Value| signal.field(name).to_json().unwrap_or(default);
    let buys = signal.field("action").is("BUY");
    ProposalDraft {
        symbol: field("symbol", "".into()),
        side: if buys { "buy" } else { "sell" }.into(),
        size_usd: field("size_usd", default_size_usd.into()),
        entry_price: field("entry_price", 0.into()),
        stop_loss: field("stop_loss", Value::Null),
        take_profit: field("take_profit", Value::Null),
        leverage: field("leverage", 1.into()),
        confidence: field("confidence", 0.5.into()),
        regime: field("regime", "ranging".into()),
        market: false,
    }
}

/// A judgement with nothing to say but how it ended.
fn judged(origin: TradeOrigin, proposal: &Proposal, status: &'static str) -> RiskJudged {
    RiskJudged {
        origin,
        proposal: Proposed::from(proposal),
        status: Name::fixed(status),
        rejections: Vec::new(),
        warnings: Vec::new(),
        size_usd: None,
        leverage: None,
        basis: None,
    }
}

/// What a judgement goes by, for the log.
fn basis_of(state: &RiskState) -> RiskBasis {
    let exposure = |(symbol, pct): (&String, &f64)| SymbolExposure {
        symbol: symbol.as_str().into(),
        pct: *pct,
    };
    RiskBasis {
        equity: state.current_equity,
        exposure_pct: state.total_exposure_pct,
        by_symbol: state.position_exposures.iter().map(exposure).collect(),
    }
}

//! From a decision to an order: the proposal, the judgement of the risk engine, the exchange.

use std::rc::Rc;

use serde_json::Value;

use super::Coordinator;
use super::signal::{SignalError, symbol_of};
use super::state::RunState;
use crate::amount::Amount;
use crate::defect::Defect;
use crate::domain_event::RiskJudged;
use crate::exchange::{Report, micros};
use crate::execution::{Position, Purpose};
use crate::message::{
    Draft, Json, Message, Name, OrNull, OrderError, OrderPlaced, Payload, PositionOpened, Priority,
    Topic,
};
use crate::risk::{Clocks, Decision, Proposal, ProposalDraft, Strictness, validate_proposal};

/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// What the account was worth when the day and the week began.
#[derive(Debug, Default)]
pub(super) struct Account {
    day: i64,
    day_start: Option<Amount>,
    week: i64,
    week_start: Option<Amount>,
}

impl Account {
    /// Notes the worth at the first look of each day and week.
    fn look(&mut self, wall_us: i64, equity: Amount) {
        let day = wall_us.div_euclid(DAY_US);
        // 1970-01-01 was a Thursday: Mondays begin three days later.
        let week = (day + 3).div_euclid(7);
        if self.day_start.is_none() || day != self.day {
            (self.day, self.day_start) = (day, Some(equity));
        }
        if self.week_start.is_none() || week != self.week {
            (self.week, self.week_start) = (week, Some(equity));
        }
    }
}

impl Coordinator {
    /// Has a signal judged and, if nothing speaks against it, executed.
    pub(super) async fn route(
        self: &Rc<Self>,
        message: &Rc<Message>,
        signal: &Payload,
    ) -> Result<(), SignalError> {
        let proposal = validate_proposal(&self.draft(signal), self.defects)?;
        let proposal = match self.judge(proposal) {
            Ok(proposal) => proposal,
            Err(codes) => {
                self.reject(symbol_of(signal), codes).await;
                return Ok(());
            }
        };
        let recheck = !self.defects.has(Defect::StateNotRechecked);
        if recheck && self.state.get() != RunState::Running {
            self.drop_signal(message, "NOT_RUNNING");
            return Ok(());
        }
        let state = self.state.get();
        let report = self
            .exchange
            .execute(&self.ctx, &proposal, Purpose::Signal, state)
            .await?;
        self.feed_risk();
        self.announce_order(Name::from(proposal.symbol.as_str()), report)
            .await;
        Ok(())
    }

    /// What the risk engine leaves of a proposal, or the codes of why it leaves nothing.
    pub(super) fn judge(&self, proposal: Proposal) -> Result<Proposal, Vec<Name>> {
        self.feed_risk();
        let clocks = self.clocks();
        let decision = self
            .risk
            .borrow_mut()
            .validate(clocks, &proposal, Strictness::Normal);
        self.note_judgement(&proposal.symbol, &decision);
        if !decision.approved() {
            return Err(decision
                .rejections
                .iter()
                .map(|code| Name::fixed(code.code()))
                .collect());
        }
        Ok(decision.modified.unwrap_or(proposal))
    }

    /// A signal as a proposal; only an absent field takes its default.
    fn draft(&self, signal: &Payload) -> ProposalDraft {
        let field = |name: &str, default: Value| signal.field(name).to_json().unwrap_or(default);
        let buys = signal.field("action").is("BUY");
        ProposalDraft {
            symbol: field("symbol", "".into()),
            side: if buys { "buy" } else { "sell" }.into(),
            size_usd: field("size_usd", self.config.coordinator.default_size_usd.into()),
            entry_price: field("entry_price", 0.into()),
            stop_loss: field("stop_loss", Value::Null),
            take_profit: field("take_profit", Value::Null),
            leverage: field("leverage", 1.into()),
            confidence: field("confidence", 0.5.into()),
            regime: field("regime", "ranging".into()),
            market: false,
        }
    }

    /// Tells the risk engine what the account is worth. With `risk-never-fed` nobody does.
    pub(super) fn feed_risk(&self) {
        if self.defects.has(Defect::RiskNeverFed) {
            return;
        }
        let (day_start, week_start) = {
            let account = self.account.borrow();
            (account.day_start, account.week_start)
        };
        // Without a price for what is held nobody knows what the account is worth; the engine
        // keeps what it was told last.
        let Ok((account, exposures)) = self.exchange.account(&self.ctx, day_start, week_start)
        else {
            return;
        };
        self.account
            .borrow_mut()
            .look(self.clocks().wall_us, account.equity);
        let mut risk = self.risk.borrow_mut();
        if risk.update(&account).is_ok() {
            risk.set_exposures(exposures);
        }
    }

    pub(super) fn clocks(&self) -> Clocks {
        Clocks {
            now_us: micros(self.ctx.now()),
            wall_us: self.ctx.wall_unix_ns() / 1_000,
        }
    }

    fn note_judgement(&self, symbol: &str, decision: &Decision) {
        let remains = decision.modified.as_ref();
        self.ctx.emit(RiskJudged {
            symbol: symbol.into(),
            status: Name::fixed(decision.status.name()),
            rejections: decision
                .rejections
                .iter()
                .map(|code| Name::fixed(code.code()))
                .collect(),
            size_usd: remains.map(|proposal| proposal.size_usd),
            leverage: remains.map(|proposal| proposal.leverage),
        });
    }

    async fn announce_order(self: &Rc<Self>, symbol: Name, report: Report) {
        self.count(|statistics| statistics.total_trades_routed += 1);
        let trading_mode = Name::fixed("paper");
        let position = report.position;
        if let Some(position) = &position {
            self.announce_opening(position).await;
        }
        match report.result {
            Ok(_) => {
                let order_id = OrNull(report.order);
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

    /// Publishes that a position was opened.
    pub(super) async fn announce_opening(&self, position: &Position) {
        let t0_us = self.clocks().wall_us - self.clocks().now_us;
        let opened = PositionOpened {
            position: Json(position.payload(t0_us)),
        };
        self.publish_as_tracker(opened, Priority::Normal).await;
    }

    /// Publishes in the name of whoever keeps the positions in mind.
    pub(super) async fn publish_as_tracker(&self, payload: impl Into<Payload>, priority: Priority) {
        let source = Name::fixed("position_tracker");
        let draft = Draft::new(Topic::PortfolioUpdates, source, payload).priority(priority);
        let published = self.bus.publish(&self.ctx, draft).await;
        published.expect("the tracker names itself as the source and keeps the default life");
    }
}

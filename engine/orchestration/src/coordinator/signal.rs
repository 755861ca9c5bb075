//! From a trading signal on the bus to a decision: consensus, conflicts, what a model says.
//!
//! Handling runs in a task of the coordinator's own, fed by a bounded queue, so that the limit of
//! the task that published the signal cannot cut it off. With `timeout-cancels-execution` it
//! runs inside that task.

use std::rc::{Rc, Weak};

use dacapo_kernel::Receiver;

use super::consensus::{self, Consensus};
use super::evidence::{Evidence, TOPICS, lookups};
use super::modification::{self, ModificationError, Modified};
use super::reply::Origin;
use super::state::RunState;
use super::{Coordinator, conflict, handler};
use crate::Orchestration;
use crate::bus::{Handler, HandlerError};
use crate::defect::Defect;
use crate::domain_event::{
    self, ConflictFound, ConflictResolved, ConsensusBuilt, ResolvedBy, SignalDropped,
};
use crate::execution::ExecutionError;
use crate::message::{Field, Message, Name, Payload, Priority, Raised, Topic, TradeRejected};
use crate::risk::ProposalError;

/// Why a signal could not be handled.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignalError {
    /// A field is not what the code expects.
    #[error(transparent)]
    Raised(#[from] Raised),
    /// A modification is not what it should be.
    #[error(transparent)]
    Modification(#[from] ModificationError),
    /// The signal is no valid proposal.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// The executor raised.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// The action is none that is known.
    #[error("unknown action {0}: expected BUY, SELL or HOLD")]
    UnknownAction(String),
    /// Too many signals wait.
    #[error("the signal queue is full")]
    QueueFull,
}

impl SignalError {
    /// The code that an alert carries.
    fn code(&self) -> &'static str {
        match self {
            SignalError::Raised(_) | SignalError::Modification(_) => "MALFORMED_SIGNAL",
            SignalError::Proposal(_) => "INVALID_PROPOSAL",
            SignalError::Execution(_) => "EXECUTION_ERROR",
            SignalError::UnknownAction(_) => "UNKNOWN_ACTION",
            SignalError::QueueFull => "SIGNAL_QUEUE_FULL",
        }
    }
}

impl Coordinator {
    /// What the subscription to trading signals does with one.
    pub(super) fn on_signal(&self, me: &Weak<Coordinator>) -> Handler {
        if self.is_cut_off_by_timeouts() {
            return handler(me, |it, message| async move { it.handle(&message).await });
        }
        handler(me, |it, message| async move {
            match it.signals.try_send(Rc::clone(&message)) {
                Ok(()) => Ok(()),
                // What rarely happens does not make each one larger.
                Err(_) => Box::pin(it.refuse(&message, &SignalError::QueueFull)).await,
            }
        })
    }

    /// Whether what follows from an agent's answer runs within the limit of its task.
    pub(super) fn is_cut_off_by_timeouts(&self) -> bool {
        self.defects.has(Defect::TimeoutCancelsExecution)
    }

    /// Handles the signals that wait, one after another.
    pub(super) async fn handle_queue(
        self: Rc<Self>,
        mut queue: Receiver<Orchestration, Rc<Message>>,
    ) {
        while let Some(message) = queue.recv().await {
            // An error that the handler would have raised has nobody to raise it to here.
            drop(self.handle(&message).await);
        }
    }

    async fn handle(self: &Rc<Self>, message: &Rc<Message>) -> Result<(), HandlerError> {
        match self.weigh(message).await {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(message, &error).await,
        }
    }

    /// A signal that cannot be handled becomes an alert; with the defect, an error of the handler.
    async fn refuse(&self, message: &Message, error: &SignalError) -> Result<(), HandlerError> {
        self.drop_signal(message, error.code());
        if self.raises_on_bad_input() {
            return Err(HandlerError(error.to_string()));
        }
        let symbol = symbol_of(&message.payload);
        self.reject(symbol, vec![Name::fixed(error.code())]).await;
        Ok(())
    }

    /// Publishes that a trade was refused.
    pub(super) async fn reject(&self, symbol: Name, rejections: Vec<Name>) {
        let trading_mode = self.trading_mode();
        let rejected = TradeRejected {
            symbol,
            rejections,
            trading_mode,
        };
        self.publish(Topic::RiskAlerts, rejected, Priority::Normal)
            .await;
    }

    pub(super) fn drop_signal(&self, message: &Message, reason: &'static str) {
        let signal = message.id.as_number();
        self.ctx.emit(SignalDropped {
            signal,
            reason: Name::fixed(reason),
        });
    }

    async fn weigh(self: &Rc<Self>, message: &Rc<Message>) -> Result<(), SignalError> {
        let signal = &message.payload;
        if self.state.get() != RunState::Running {
            self.drop_signal(message, "NOT_RUNNING");
            return Ok(());
        }
        let action = signal.field("action");
        if action.is("HOLD") {
            return Ok(());
        }
        let known = action.is("BUY") || action.is("SELL");
        if !known && !self.defects.has(Defect::UnknownActionSells) {
            return Err(SignalError::UnknownAction(format!(
                "{:?}",
                action.to_json()
            )));
        }
        let evidence = self.look_up(signal).await;
        let weighed = self.apply_consensus(message, &evidence)?;
        match self.settle_conflicts(message, &weighed, &evidence).await? {
            Some(signal) => self.route(message, &signal).await,
            None => Ok(()),
        }
    }

    async fn look_up(&self, signal: &Payload) -> Evidence {
        let mut found = [None, None, None];
        let windows = &self.config.evidence_windows;
        let windows = self.bars.in_time(windows, self.clock.now(&self.ctx));
        for (place, lookup) in lookups(signal, &windows, self.defects)
            .into_iter()
            .enumerate()
        {
            let accepts = |message: &Message| lookup.accepts(message);
            found[place] = self
                .bus
                .get_latest(&self.ctx, lookup.topic, &lookup.criteria, accepts)
                .await;
        }
        Evidence::found(found)
    }

    /// The signal with the confidence that agreement leaves it.
    fn apply_consensus(
        &self,
        message: &Rc<Message>,
        evidence: &Evidence,
    ) -> Result<Payload, SignalError> {
        let signal = &message.payload;
        let built = consensus::assess(signal, evidence, &self.config.consensus, self.defects)?;
        let Consensus {
            agreeing,
            total,
            multiplier,
        } = built;
        let confidence = consensus::adjusted_confidence(signal, multiplier)?;
        self.ctx.emit(ConsensusBuilt {
            signal: message.id.as_number(),
            symbol: symbol_of(signal),
            evidence: cited(evidence),
            agreement: agreeing,
            total,
            multiplier,
            confidence,
        });
        let rewrite = |payload: &mut Payload| {
            payload.set("confidence", Field::Float(confidence));
            payload.set("consensus_multiplier", Field::Float(multiplier));
        };
        if self.defects.has(Defect::PayloadMutated) {
            self.bus
                .rewrite(&self.ctx, message, |stored| rewrite(&mut stored.payload));
        }
        let mut weighed = signal.clone();
        rewrite(&mut weighed);
        Ok(weighed)
    }

    /// The signal to be traded; none if its conflicts stand against it.
    async fn settle_conflicts(
        self: &Rc<Self>,
        message: &Rc<Message>,
        signal: &Payload,
        evidence: &Evidence,
    ) -> Result<Option<Payload>, SignalError> {
        let threshold = self.config.conflicts.invoke_llm_threshold;
        let conflicts = conflict::detect(signal, evidence, threshold)?;
        if conflicts.is_empty() {
            return Ok(Some(signal.clone()));
        }
        let number = message.id.as_number();
        self.count(|statistics| statistics.total_conflicts_detected += 1);
        self.ctx.emit(ConflictFound {
            signal: number,
            symbol: symbol_of(signal),
            kinds: conflicts
                .iter()
                .map(|conflict| Name::fixed(conflict.name()))
                .collect(),
            evidence: cited(evidence),
        });
        let resolution = self.resolve(signal, conflicts).await;
        self.ctx.emit(ConflictResolved {
            signal: number,
            action: resolution.action.text().unwrap_or("unknown").into(),
            confidence: resolution.confidence.number().unwrap_or(0.0),
            by: resolved_by(resolution.origin),
        });
        if !resolution.proceeds() {
            return Ok(None);
        }
        let Some(changes) = resolution.changes() else {
            return Ok(Some(signal.clone()));
        };
        match modification::apply(signal, changes, &self.config.modifications, self.defects)? {
            Modified::Signal(changed) => Ok(Some(changed)),
            Modified::Wait => {
                self.drop_signal(message, "ENTRY_BEYOND_STOP");
                Ok(None)
            }
        }
    }
}

fn resolved_by(origin: Origin) -> ResolvedBy {
    match origin {
        Origin::Reply => ResolvedBy::Reply,
        Origin::Corrected | Origin::Unusable => ResolvedBy::UnusableReply,
        Origin::Timeout => ResolvedBy::Timeout,
        Origin::Failed => ResolvedBy::Failure,
        Origin::Limited | Origin::Emergency => ResolvedBy::Level,
    }
}

/// The symbol that a payload names, or nothing.
pub(super) fn symbol_of(payload: &Payload) -> Name {
    payload
        .field("symbol")
        .text()
        .map_or(Name::EMPTY, Name::from)
}

fn cited(evidence: &Evidence) -> Vec<domain_event::Evidence> {
    let found = [&evidence.technical, &evidence.regime, &evidence.sentiment];
    let cite = |(topic, message): (Topic, &Option<Rc<Message>>)| {
        let message = message.as_ref()?;
        Some(domain_event::Evidence {
            message: message.id.as_number(),
            topic,
            symbol: message.payload.field("symbol").text().map(Name::from),
        })
    };
    TOPICS.into_iter().zip(found).filter_map(cite).collect()
}

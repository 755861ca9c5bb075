//! What counts when a run is held against an older one: where the money goes, or what was decided.
//!
//! Whatever is neither (deliveries, what simulated models are asked, counts, reports) may change with the
//! code and makes no golden log differ. What a program or a live model is told counts: its recorded answer
//! is no answer to another question.

use dacapo_kernel::Level;

use crate::domain_event::DomainEvent;
use crate::message::Topic;

/// The levels, the coarsest first.
pub(crate) const LEVELS: &[Level] = &[
    Level {
        name: "money",
        meaning: "orders and what becomes of them, fills, balances, positions",
    },
    Level {
        name: "decisions",
        meaning: "also signals, conflicts, resolutions, judgements, plans, levels, states, ends of tasks, what files of bars \
                  hold, what programs and live models are told",
    },
];

/// What agents tell each other about what to do, and what became of it.
const SIGNALS: [Topic; 7] = [
    Topic::TaSignals,
    Topic::RegimeUpdates,
    Topic::SentimentUpdates,
    Topic::TradingSignals,
    Topic::RiskAlerts,
    Topic::ExecutionEvents,
    Topic::PortfolioUpdates,
];

const MONEY: usize = 0;
const DECISIONS: usize = 1;

/// The coarsest level at which an event counts.
pub(crate) fn level_of(event: &DomainEvent) -> Option<usize> {
    match event {
        DomainEvent::OrderSubmitted(_)
        | DomainEvent::OrderAnswered(_)
        | DomainEvent::Filled(_)
        | DomainEvent::BalanceChanged(_)
        | DomainEvent::PositionOpened(_)
        | DomainEvent::PositionClosed(_)
        | DomainEvent::EmergencyOrdered(_) => Some(MONEY),
        DomainEvent::BarsRead(_)
        | DomainEvent::TapeRead(_)
        | DomainEvent::OutsideRefused(_)
        | DomainEvent::HandlerFailed(_)
        | DomainEvent::Unsubscribed(_)
        | DomainEvent::StateChanged(_)
        | DomainEvent::OutcomeCounted(_)
        | DomainEvent::TaskRunStarted(_)
        | DomainEvent::TaskRunEnded(_)
        | DomainEvent::TaskSwitched(_)
        | DomainEvent::ScheduleEnded(_)
        | DomainEvent::ConsensusBuilt(_)
        | DomainEvent::ConflictFound(_)
        | DomainEvent::ConflictResolved(_)
        | DomainEvent::SignalDropped(_)
        | DomainEvent::RiskJudged(_)
        | DomainEvent::RiskReset(_)
        | DomainEvent::BarDoubtful(_)
        | DomainEvent::RebalancePlanned(_)
        | DomainEvent::LegsPlanned(_)
        | DomainEvent::RebalanceTradeSkipped(_)
        | DomainEvent::StateRestored(_)
        | DomainEvent::LegMarked(_)
        | DomainEvent::WakeAsked(_)
        | DomainEvent::ProcessAsked(_)
        | DomainEvent::RequestRendered(_) => Some(DECISIONS),
        DomainEvent::Published(published) => {
            let topic = published.message.topic;
            SIGNALS.contains(&topic).then_some(DECISIONS)
        }
        DomainEvent::MarketTrade(_)
        | DomainEvent::MarketQuote(_)
        | DomainEvent::MarketBar(_)
        | DomainEvent::TableRow(_)
        | DomainEvent::OutsideMessage(_)
        | DomainEvent::OutsideActed(_)
        | DomainEvent::PromptKept(_)
        | DomainEvent::ModelAsked(_)
        | DomainEvent::ModelAnswered(_)
        | DomainEvent::ProcessAnswered(_)
        | DomainEvent::AgentSaid(_)
        | DomainEvent::Delivered(_)
        | DomainEvent::Subscribed(_)
        | DomainEvent::HistoryShrunk(_)
        | DomainEvent::MessageRewritten(_)
        | DomainEvent::Started(_)
        | DomainEvent::TaskFinished(_)
        | DomainEvent::StatusReported(_)
        | DomainEvent::StateSaved(_)
        | DomainEvent::LegStored(_)
        | DomainEvent::StoreFailed(_) => None,
    }
}

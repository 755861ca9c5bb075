//! The ten topics of the bus and the four priorities of a message.
//!
//! Priority is carried and shown. It has no influence on delivery, which is immediate.

use super::closed_set::closed_set;

closed_set! {
    /// What a message is about. Subscriptions are made per topic.
    pub enum Topic {
        /// Prices and candles.
        MarketData = 0 "market_data",
        /// Bias and confidence of the technical analysis.
        TaSignals = 1 "ta_signals",
        /// The market regime.
        RegimeUpdates = 2 "regime_updates",
        /// Bias and confidence of the sentiment analysis.
        SentimentUpdates = 3 "sentiment_updates",
        /// What to trade.
        TradingSignals = 4 "trading_signals",
        /// Breached limits and refused trades.
        RiskAlerts = 5 "risk_alerts",
        /// What became of orders.
        ExecutionEvents = 6 "execution_events",
        /// Positions and rebalances.
        PortfolioUpdates = 7 "portfolio_updates",
        /// What the coordinator and the bus say of themselves.
        SystemEvents = 8 "system_events",
        /// What an operator asks of the coordinator.
        CoordinatorCommands = 9 "coordinator_commands",
    }
}

impl Topic {
    /// How many topics there are.
    pub const COUNT: usize = Topic::ALL.len();

    /// Its place in a table with one row per topic.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// This topic, or every topic.
    pub fn or_all(topic: Option<Topic>) -> impl Iterator<Item = Topic> {
        let all = Topic::ALL.iter().copied();
        all.filter(move |each| topic.is_none_or(|topic| topic == *each))
    }
}

closed_set! {
    /// How urgent a message is. Its number is also its JSON form.
    pub enum Priority {
        /// 1.
        Low = 1 "LOW",
        /// 2, the default.
        Normal = 2 "NORMAL",
        /// 3.
        High = 3 "HIGH",
        /// 4.
        Urgent = 4 "URGENT",
    }
}

//! The words that agents use about the market, and the coordinator about itself.
//!
//! A message with any other word is not an error: its payload stays raw JSON.

use super::closed_set::closed_set;

closed_set! {
    /// Which way the technical analysis leans.
    pub enum TechnicalBias {
        /// Up.
        Long = 1 "long",
        /// Down.
        Short = 2 "short",
        /// Neither.
        Neutral = 3 "neutral",
    }
}

closed_set! {
    /// Which way sentiment leans.
    pub enum SentimentBias {
        /// Strongly up.
        VeryBullish = 1 "very_bullish",
        /// Up.
        Bullish = 2 "bullish",
        /// Neither.
        Neutral = 3 "neutral",
        /// Down.
        Bearish = 4 "bearish",
        /// Strongly down.
        VeryBearish = 5 "very_bearish",
    }
}

closed_set! {
    /// What kind of market it is. Two vocabularies are in use for trends and breakouts: the first
    /// three are those of consensus, the three after them say the same in the words of the agent.
    pub enum Regime {
        /// A trend up, as consensus says it.
        TrendingUp = 1 "trending_up",
        /// A trend down, as consensus says it.
        TrendingDown = 2 "trending_down",
        /// A breakout, as consensus says it.
        Breakout = 3 "breakout",
        /// A trend up, as the regime agent says it.
        TrendingBull = 4 "trending_bull",
        /// A trend down, as the regime agent says it.
        TrendingBear = 5 "trending_bear",
        /// A breakout, as the regime agent says it.
        BreakoutPotential = 6 "breakout_potential",
        /// Between two prices.
        Ranging = 7 "ranging",
        /// Volatile, rather up.
        VolatileBull = 8 "volatile_bull",
        /// Volatile, rather down.
        VolatileBear = 9 "volatile_bear",
        /// Without direction: trading against it is a conflict.
        Choppy = 10 "choppy",
        /// Not known.
        Unknown = 11 "unknown",
        /// No regime stands out.
        Neutral = 12 "neutral",
        /// Not a market at all: the regime that rebalance proposals carry.
        Rebalance = 13 "rebalance",
    }
}

closed_set! {
    /// What a trading signal wants.
    pub enum Action {
        /// Buy.
        Buy = 1 "BUY",
        /// Sell.
        Sell = 2 "SELL",
        /// Nothing.
        Hold = 3 "HOLD",
        /// Close a long position.
        CloseLong = 4 "CLOSE_LONG",
        /// Close a short position.
        CloseShort = 5 "CLOSE_SHORT",
    }
}

closed_set! {
    /// What an operator can ask of the coordinator.
    pub enum CommandVerb {
        /// Ignore trading signals.
        Pause = 1 "pause",
        /// Take trading signals again.
        Resume = 2 "resume",
        /// Stop.
        Halt = 3 "halt",
        /// Schedule a task again.
        EnableTask = 4 "enable_task",
        /// Schedule a task no more.
        DisableTask = 5 "disable_task",
        /// Run a task now.
        ForceRun = 6 "force_run",
        /// Leave a halt, on an operator's responsibility.
        ClearHalt = 7 "clear_halt",
    }
}

closed_set! {
    /// How much of the orchestration still works, judged by its recent failures.
    pub enum DegradationLevel {
        /// Fewer than three failures.
        Normal = 0 "NORMAL",
        /// Three failures or more.
        Reduced = 1 "REDUCED",
        /// Six failures or more: conflicts of opinion are not resolved.
        Limited = 2 "LIMITED",
        /// Nine failures or more: no language model is asked.
        Emergency = 3 "EMERGENCY",
    }
}

closed_set! {
    /// What the announcement of a new degradation level calls the change.
    pub enum LevelEvent {
        /// It got worse.
        Increased = 1 "degradation_increased",
        /// It got better, but is not yet normal.
        Decreased = 2 "degradation_decreased",
        /// It is normal again.
        Recovery = 3 "degradation_recovery",
    }
}

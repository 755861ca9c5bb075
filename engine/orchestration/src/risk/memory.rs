//! What must outlive a crash of what the risk engine knows. The rest is told anew with every look at the account.

use serde::{Deserialize, Serialize};

use super::state::{Breaker, RiskState};
use crate::amount::Amount;

/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// What the account was worth when the day and the week began, on the wall clock (UTC, weeks from Monday on).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periods {
    /// Days since 1970.
    pub day: i64,
    /// In dollars; none before the first look.
    pub day_start: Option<Amount>,
    /// Weeks since 1970, the first one a short one.
    pub week: i64,
    /// In dollars; none before the first look.
    pub week_start: Option<Amount>,
}

impl Periods {
    /// Notes the worth at the first look of each day and week; `wall_us` counts from 1970.
    pub fn look(&mut self, wall_us: i64, equity: Amount) {
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

/// What a risk engine that begins anew has to know of the one before it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RiskMemory {
    /// How many closed trades are counted.
    pub closings: u64,
    /// Against what profit and loss of the day and the week are told.
    pub periods: Periods,
    /// The highest equity so far, in dollars.
    pub peak_equity: Amount,
    /// Losses in a row.
    pub consecutive_losses: u32,
    /// Wins in a row.
    pub consecutive_wins: u32,
    /// Trades closed since the last daily reset.
    pub trades_today: u32,
    /// The breakers that halt trading.
    pub breakers: Vec<Breaker>,
    /// Until when no trade is allowed, in microseconds of the monotone clock.
    pub cooldown_until: Option<i64>,
    /// Why; empty where there is no cooldown.
    pub cooldown_reason: String,
    /// Whether a volatility spike is on.
    pub volatility_spike: bool,
    /// When the day began, on the wall clock in microseconds since 1970.
    pub last_daily_reset: Option<i64>,
    /// When the week began, on the wall clock in microseconds since 1970.
    pub last_weekly_reset: Option<i64>,
}

impl RiskMemory {
    /// Whether a crash must not lose what is new here since `before`. The highest equity moves with
    /// every price; it may be as old as the last periodic save.
    pub fn is_news_to(&self, before: &RiskMemory) -> bool {
        let RiskMemory {
            closings,
            periods,
            peak_equity: _,
            consecutive_losses,
            consecutive_wins,
            trades_today,
            breakers,
            cooldown_until,
            cooldown_reason: _,
            volatility_spike,
            last_daily_reset: _,
            last_weekly_reset: _,
        } = self;
        *closings != before.closings
            || *periods != before.periods
            || *consecutive_losses != before.consecutive_losses
            || *consecutive_wins != before.consecutive_wins
            || *trades_today != before.trades_today
            || *breakers != before.breakers
            || *cooldown_until != before.cooldown_until
            || *volatility_spike != before.volatility_spike
    }
}

impl RiskState {
    /// What of this must outlive a crash.
    pub(crate) fn memory(&self, periods: Periods, closings: u64) -> RiskMemory {
        RiskMemory {
            closings,
            periods,
            peak_equity: self.peak_equity,
            consecutive_losses: self.consecutive_losses,
            consecutive_wins: self.consecutive_wins,
            trades_today: self.trades_today,
            breakers: self.triggered_breakers.clone(),
            cooldown_until: self.cooldown_until,
            cooldown_reason: self.cooldown_reason.clone(),
            volatility_spike: self.volatility_spike_active,
            last_daily_reset: self.last_daily_reset,
            last_weekly_reset: self.last_weekly_reset,
        }
    }

    /// Goes on from what an earlier engine knew.
    pub(crate) fn remember(&mut self, memory: RiskMemory) {
        self.peak_equity = memory.peak_equity;
        self.consecutive_losses = memory.consecutive_losses;
        self.consecutive_wins = memory.consecutive_wins;
        self.trades_today = memory.trades_today;
        self.trading_halted = !memory.breakers.is_empty();
        self.triggered_breakers = memory.breakers;
        self.in_cooldown = memory.cooldown_until.is_some();
        self.cooldown_until = memory.cooldown_until;
        self.cooldown_reason = memory.cooldown_reason;
        self.volatility_spike_active = memory.volatility_spike;
        self.last_daily_reset = memory.last_daily_reset;
        self.last_weekly_reset = memory.last_weekly_reset;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails if a field of what must be remembered is not taken along.
    #[test]
    fn an_engine_that_remembers_knows_the_same() {
        let state = RiskState {
            peak_equity: Amount::from_int(10_500),
            consecutive_losses: 2,
            trades_today: 5,
            trading_halted: true,
            triggered_breakers: vec![Breaker::WeeklyLoss],
            in_cooldown: true,
            cooldown_until: Some(7),
            cooldown_reason: "loss".to_owned(),
            volatility_spike_active: true,
            last_daily_reset: Some(1),
            last_weekly_reset: Some(2),
            ..RiskState::default()
        };
        let mut anew = RiskState::default();
        anew.remember(state.memory(Periods::default(), 0));
        assert_eq!(anew, state);
    }

    /// Fails if a new day keeps the worth of the day before, or a new week that of the old one.
    #[test]
    fn a_day_and_a_week_begin_with_what_the_account_is_worth() {
        let mut periods = Periods::default();
        let mut begun = |day: i64, equity: i64| {
            periods.look(day * DAY_US, Amount::from_int(equity));
            (periods.day_start, periods.week_start)
        };
        let worth = |equity| Some(Amount::from_int(equity));
        // Day 0 was a Thursday, so Monday is day 4.
        assert_eq!(begun(0, 100), (worth(100), worth(100)));
        assert_eq!(begun(0, 90), (worth(100), worth(100)));
        assert_eq!(begun(3, 80), (worth(80), worth(100)));
        assert_eq!(begun(4, 70), (worth(70), worth(70)));
    }
}

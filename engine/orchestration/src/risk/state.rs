//! What the risk engine knows of the account, and how each piece of news changes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::config::{CircuitBreakers, Cooldowns};
use crate::amount::{Amount, AmountError};

const MINUTE_US: i64 = 60_000_000;

/// The two clocks of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Monotone: microseconds since the run began. Cooldowns read it.
    pub now_us: i64,
    /// The wall clock: microseconds since 1970-01-01 UTC. Only daily and weekly resets read it.
    pub wall_us: i64,
}

/// A limit that halts all trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// The day's loss.
    DailyLoss,
    /// The week's loss.
    WeeklyLoss,
    /// The fall from the highest equity.
    MaxDrawdown,
}

impl Breaker {
    /// In the order in which their limits are looked at.
    const ALL: [Breaker; 3] = [
        Breaker::DailyLoss,
        Breaker::WeeklyLoss,
        Breaker::MaxDrawdown,
    ];

    /// The breaker of a wire name.
    pub fn from_name(name: &str) -> Option<Breaker> {
        Breaker::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The wire name, such as `daily_loss`.
    pub fn name(self) -> &'static str {
        match self {
            Breaker::DailyLoss => "daily_loss",
            Breaker::WeeklyLoss => "weekly_loss",
            Breaker::MaxDrawdown => "max_drawdown",
        }
    }
}

/// The account's figures, in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccountUpdate {
    /// What the account is worth now.
    pub equity: Amount,
    /// Profit since the last daily reset.
    pub daily_pnl: Amount,
    /// Profit since the last weekly reset.
    pub weekly_pnl: Amount,
    /// How many positions are open.
    pub open_positions: u32,
    /// Exposure of all positions, in percent of equity.
    pub total_exposure_pct: f64,
    /// What may still be used as margin.
    pub available_margin: Amount,
}

/// What the risk engine knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RiskState {
    /// The highest equity so far, in dollars.
    pub peak_equity: Amount,
    /// In dollars.
    pub current_equity: Amount,
    /// In dollars.
    pub available_margin: Amount,
    /// In dollars.
    pub daily_pnl: Amount,
    /// In dollars.
    pub weekly_pnl: Amount,
    /// In percent of the current equity.
    pub daily_pnl_pct: f64,
    /// In percent of the current equity.
    pub weekly_pnl_pct: f64,
    /// How far the equity is below its peak, in percent of the peak.
    pub current_drawdown_pct: f64,
    /// The largest drawdown so far.
    pub max_drawdown_pct: f64,
    /// Losses in a row.
    pub consecutive_losses: u32,
    /// Wins in a row.
    pub consecutive_wins: u32,
    /// Trades closed since the last daily reset.
    pub trades_today: u32,
    /// How many positions are open.
    pub open_positions: u32,
    /// In percent of equity.
    pub total_exposure_pct: f64,
    /// Whether a breaker has halted trading.
    pub trading_halted: bool,
    /// The breakers that hold the halt.
    pub triggered_breakers: Vec<Breaker>,
    /// Whether a cooldown was ever started and not reset; time alone does not clear it.
    pub in_cooldown: bool,
    /// Until when, in microseconds of the monotone clock. At that moment trading is allowed again.
    pub cooldown_until: Option<i64>,
    /// Why.
    pub cooldown_reason: String,
    /// Whether a volatility spike is on.
    pub volatility_spike_active: bool,
    /// Symbols with open positions.
    pub open_position_symbols: Vec<String>,
    /// Exposure by symbol, in percent.
    pub position_exposures: BTreeMap<String, f64>,
    /// When the day began, on the wall clock in microseconds since 1970.
    pub last_daily_reset: Option<i64>,
    /// When the week began, on the wall clock in microseconds since 1970.
    pub last_weekly_reset: Option<i64>,
}

impl RiskState {
    pub(super) fn update(
        &mut self,
        account: &AccountUpdate,
        breakers: &CircuitBreakers,
    ) -> Result<(), AmountError> {
        let equity = account.equity;
        let (daily_pct, weekly_pct) = if equity.is_positive() {
            (
                share(account.daily_pnl, equity)?,
                share(account.weekly_pnl, equity)?,
            )
        } else {
            (self.daily_pnl_pct, self.weekly_pnl_pct)
        };
        let peak = self.peak_equity.max(equity);
        let drawdown = drawdown_pct(peak, equity)?;

        self.current_equity = equity;
        self.peak_equity = peak;
        self.available_margin = account.available_margin;
        self.daily_pnl = account.daily_pnl;
        self.weekly_pnl = account.weekly_pnl;
        self.daily_pnl_pct = daily_pct;
        self.weekly_pnl_pct = weekly_pct;
        self.open_positions = account.open_positions;
        self.total_exposure_pct = account.total_exposure_pct;
        self.current_drawdown_pct = drawdown;
        self.max_drawdown_pct = self.max_drawdown_pct.max(drawdown);

        let breached = self.breached(breakers);
        if !breached.is_empty() {
            self.trading_halted = true;
            self.triggered_breakers = breached;
        }
        Ok(())
    }

    /// The breakers whose limits the figures reach now.
    pub fn breached(&self, limits: &CircuitBreakers) -> Vec<Breaker> {
        let checks = [
            (
                self.daily_pnl_pct <= -limits.daily_loss.threshold_pct,
                Breaker::DailyLoss,
            ),
            (
                self.weekly_pnl_pct <= -limits.weekly_loss.threshold_pct,
                Breaker::WeeklyLoss,
            ),
            (
                self.current_drawdown_pct >= limits.max_drawdown.threshold_pct,
                Breaker::MaxDrawdown,
            ),
        ];
        let reached = checks.into_iter().filter(|(reached, _)| *reached);
        reached.map(|(_, breaker)| breaker).collect()
    }

    /// Whether a cooldown forbids trading at `now_us`.
    pub fn cooling_down(&self, now_us: i64) -> bool {
        self.in_cooldown && self.cooldown_until.is_some_and(|until| now_us < until)
    }

    pub(super) fn record_result(
        &mut self,
        now_us: i64,
        won: bool,
        cooldowns: &Cooldowns,
        many_losses: u32,
    ) {
        self.trades_today += 1;
        if won {
            self.consecutive_wins += 1;
            self.consecutive_losses = 0;
            return;
        }
        self.consecutive_losses += 1;
        self.consecutive_wins = 0;
        let minutes = match self.consecutive_losses {
            losses if losses >= many_losses => cooldowns.consecutive_loss_5_minutes,
            3.. => cooldowns.consecutive_loss_3_minutes,
            _ => cooldowns.post_loss_minutes,
        };
        self.start_cooldown(now_us, minutes, "loss");
    }

    /// A new cooldown replaces a running one, even a longer one.
    pub(super) fn start_cooldown(&mut self, now_us: i64, minutes: i64, reason: &str) {
        self.in_cooldown = true;
        self.cooldown_until = Some(now_us + minutes * MINUTE_US);
        self.cooldown_reason = reason.to_owned();
    }

    /// Resets day and week where the calendar (UTC, ISO weeks) has moved on since their last reset.
    pub(super) fn reset_periods(&mut self, wall_us: i64) {
        let today = utc_date(wall_us);
        if utc_date(*self.last_daily_reset.get_or_insert(wall_us)) < today {
            self.last_daily_reset = Some(wall_us);
            self.reset_daily();
        }
        let week = |date: Date| (date.iso_week_date().year(), date.iso_week_date().week());
        let last = utc_date(*self.last_weekly_reset.get_or_insert(wall_us));
        if week(last) != week(today) {
            self.last_weekly_reset = Some(wall_us);
            self.reset_weekly();
        }
    }

    /// The mark of the last reset stays: the calendar alone moves it.
    pub(super) fn reset_daily(&mut self) {
        self.daily_pnl = Amount::ZERO;
        self.daily_pnl_pct = 0.0;
        self.trades_today = 0;
        self.release(Breaker::DailyLoss);
    }

    pub(super) fn reset_weekly(&mut self) {
        self.weekly_pnl = Amount::ZERO;
        self.weekly_pnl_pct = 0.0;
        self.release(Breaker::WeeklyLoss);
    }

    pub(super) fn reset_manually(&mut self, administrator: bool) -> Option<Vec<Breaker>> {
        if self.triggered_breakers.contains(&Breaker::MaxDrawdown) && !administrator {
            return None;
        }
        self.trading_halted = false;
        self.in_cooldown = false;
        self.cooldown_until = None;
        self.cooldown_reason.clear();
        Some(std::mem::take(&mut self.triggered_breakers))
    }

    /// The halt ends with its last breaker.
    fn release(&mut self, breaker: Breaker) {
        let before = self.triggered_breakers.len();
        self.triggered_breakers.retain(|held| *held != breaker);
        if self.triggered_breakers.is_empty() && before > 0 {
            self.trading_halted = false;
        }
    }
}

/// `part` in percent of `whole`.
fn share(part: Amount, whole: Amount) -> Result<f64, AmountError> {
    // Divisions are slow, and of nothing there are many.
    if part.is_zero() {
        return Ok(0.0);
    }
    Ok(part.over(whole)?.times(Amount::HUNDRED)?.to_f64())
}

/// How far `equity` is below `peak`, in percent of the peak. An account that owes money has lost
/// more than all of it; one that never had any has lost nothing.
fn drawdown_pct(peak: Amount, equity: Amount) -> Result<f64, AmountError> {
    if !peak.is_positive() {
        return Ok(0.0);
    }
    share(peak.minus(equity)?, peak)
}

fn utc_date(wall_us: i64) -> Date {
    let far = if wall_us < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::from_microsecond(wall_us)
        .unwrap_or(far)
        .to_zoned(TimeZone::UTC)
        .date()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 86_400_000_000;
    /// Monday 2025-01-06, midnight UTC.
    const MONDAY_US: i64 = 1_736_121_600_000_000;

    #[test]
    fn the_calendar_resets_a_day_and_a_week() {
        let mut state = RiskState {
            daily_pnl_pct: -3.0,
            weekly_pnl_pct: -4.0,
            ..RiskState::default()
        };
        state.reset_periods(MONDAY_US + DAY_US - 1);
        assert_eq!((state.daily_pnl_pct, state.weekly_pnl_pct), (-3.0, -4.0));
        state.reset_periods(MONDAY_US + DAY_US);
        assert_eq!((state.daily_pnl_pct, state.weekly_pnl_pct), (0.0, -4.0));
        state.reset_periods(MONDAY_US + 7 * DAY_US);
        assert_eq!(state.weekly_pnl_pct, 0.0);
    }

    #[test]
    fn an_iso_week_runs_over_the_turn_of_the_year() {
        // 2024-12-30 and 2025-01-05 are both in week 1 of 2025.
        let mut state = RiskState {
            weekly_pnl_pct: -4.0,
            ..RiskState::default()
        };
        state.reset_periods(MONDAY_US - 7 * DAY_US);
        state.reset_periods(MONDAY_US - DAY_US);
        assert_eq!(state.weekly_pnl_pct, -4.0);
    }

    #[test]
    fn a_debt_is_a_drawdown_of_more_than_everything() {
        let pct = drawdown_pct(Amount::from_int(100), Amount::from_int(-50)).unwrap();
        assert_eq!(pct, 150.0);
        assert_eq!(
            drawdown_pct(Amount::ZERO, Amount::from_int(-50)).unwrap(),
            0.0
        );
    }

    #[test]
    fn the_halt_stays_while_another_breaker_holds_it() {
        let mut state = RiskState {
            trading_halted: true,
            triggered_breakers: vec![Breaker::DailyLoss, Breaker::MaxDrawdown],
            ..RiskState::default()
        };
        state.reset_daily();
        assert!(state.trading_halted);
        assert_eq!(state.reset_manually(false), None);
        assert_eq!(state.reset_manually(true), Some(vec![Breaker::MaxDrawdown]));
        assert!(!state.trading_halted);
    }
}

//! What the risk engine is told of the account, and by which clocks it judges.

use super::Coordinator;
use crate::amount::Amount;
use crate::clock::wall_us;
use crate::config::AccountFigures;
use crate::defect::Defect;
use crate::risk::{AccountUpdate, Clocks};

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
    /// Tells the risk engine what the account is worth. With `risk-never-fed` nobody does, but
    /// whoever keeps the positions still tells how they are spread.
    pub(super) fn feed_risk(&self) {
        if self.defects.has(Defect::RiskNeverFed) {
            if let Some(exposures) = self.exchange.exposures(&self.ctx) {
                self.risk.borrow_mut().set_exposures(exposures);
            }
            return;
        }
        let (day_start, week_start) = {
            let account = self.account.borrow();
            (account.day_start, account.week_start)
        };
        // Without a price for what is held nobody knows what the account is worth; the engine
        // keeps what it was told last.
        let told = self.exchange.account(&self.ctx, day_start, week_start);
        let Some((account, exposures)) = told else {
            return;
        };
        self.account
            .borrow_mut()
            .look(wall_us(&self.ctx), account.equity);
        let mut risk = self.risk.borrow_mut();
        if risk.update(&account).is_ok() {
            risk.set_exposures(exposures);
        }
    }

    /// Tells the risk engine what somebody outside says of the account.
    pub fn tell_risk(&self, figures: &AccountFigures) {
        let told = AccountUpdate {
            equity: figures.current_equity,
            daily_pnl: figures.daily_pnl,
            weekly_pnl: figures.weekly_pnl,
            open_positions: figures.open_positions,
            total_exposure_pct: figures.total_exposure_pct,
            available_margin: figures.available_margin,
        };
        // Figures that do not fit a decimal leave the engine as it was.
        let _overflow = self.risk.borrow_mut().update(&told);
    }

    /// Tells the risk engine how a trade went that somebody outside closed.
    pub fn tell_result(&self, win: bool) {
        let now_us = self.clocks().now_us;
        self.risk.borrow_mut().record_result(now_us, win);
    }

    pub(super) fn clocks(&self) -> Clocks {
        Clocks {
            now_us: self.clock.now(&self.ctx).as_micros(),
            wall_us: wall_us(&self.ctx),
        }
    }
}

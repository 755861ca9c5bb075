//! What the risk engine is told of the account, and by which clocks it judges.

use super::Coordinator;
use crate::clock::wall_us;
use crate::config::AccountFigures;
use crate::defect::Defect;
use crate::domain_event::RiskReset;
use crate::execution::ClosedPosition;
use crate::message::{Instant, Name};
use crate::risk::{AccountUpdate, Clocks};

impl Coordinator {
    /// Tells the risk engine what the account is worth. With `risk-never-fed` nobody does, but
    /// whoever keeps the positions still tells how they are spread.
    pub(super) fn feed_risk(&self) {
        self.count_closings();
        self.look_at_account();
        self.remember_risk();
    }

    /// Begins with the next trade that closes: what closed before is nobody's concern.
    pub(super) fn pass_over_closings(&self) {
        let total = self
            .exchange
            .look_at_paper(|paper| paper.positions.closed_total());
        self.closings.set(total.unwrap_or_default());
    }

    /// Tells the risk engine how the trades went that closed since it was told last, a crash in between
    /// or not: the exchange knows them all.
    fn count_closings(&self) {
        let counted = self.closings.get();
        let results = self.exchange.look_at_paper(|paper| {
            let book = &paper.positions;
            let new = usize::try_from(book.closed_total() - counted).unwrap_or(usize::MAX);
            let kept = book.closed_positions();
            let from = kept.len().saturating_sub(new);
            let result = |closed: &ClosedPosition| (closed.closed_us, closed.won());
            (
                book.closed_total(),
                kept.skip(from).map(result).collect::<Vec<_>>(),
            )
        });
        let Some((total, results)) = results else {
            return;
        };
        self.closings.set(total);
        // A cooldown begins when the trade closed, by the clock that cooldowns read.
        let ahead_us = self.clocks().now_us - Instant::from(self.ctx.now()).as_micros();
        let mut risk = self.risk.borrow_mut();
        for (closed_us, won) in results {
            risk.record_result(closed_us + ahead_us, won);
            if won {
                risk.record_post_trade(closed_us + ahead_us);
            }
        }
    }

    fn look_at_account(&self) {
        if self.defects.has(Defect::RiskNeverFed) {
            if let Some(exposures) = self.exchange.exposures(&self.ctx) {
                self.risk.borrow_mut().set_exposures(exposures);
            }
            return;
        }
        let (day_start, week_start) = {
            let periods = self.periods.get();
            (periods.day_start, periods.week_start)
        };
        // Without a price for what is held nobody knows what the account is worth; the engine
        // keeps what it was told last.
        let told = self.exchange.account(&self.ctx, day_start, week_start);
        let Some((account, exposures)) = told else {
            return;
        };
        let mut periods = self.periods.get();
        periods.look(wall_us(&self.ctx), account.equity);
        self.periods.set(periods);
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
        self.remember_risk();
    }

    /// Tells the risk engine how a trade went that somebody outside closed.
    pub fn tell_result(&self, win: bool) {
        let now_us = self.clocks().now_us;
        self.risk.borrow_mut().record_result(now_us, win);
        self.remember_risk();
    }

    /// Lifts what halts trading in the risk engine, and its cooldown.
    ///
    /// # Errors
    /// Why it stays as it is.
    pub fn reset_risk(&self, administrator: bool) -> Result<(), &'static str> {
        // What has closed before and is counted later would begin the cooldown anew.
        self.count_closings();
        let lifted = self.risk.borrow_mut().reset_manually(administrator);
        let lifted = lifted.ok_or("a drawdown halts trading, which only an administrator lifts")?;
        let lifted = lifted.iter().map(|it| Name::fixed(it.name())).collect();
        self.ctx.emit(RiskReset {
            administrator,
            lifted,
        });
        self.remember_risk();
        Ok(())
    }

    pub(super) fn clocks(&self) -> Clocks {
        Clocks {
            now_us: self.clock.now(&self.ctx).as_micros(),
            wall_us: wall_us(&self.ctx),
        }
    }
}

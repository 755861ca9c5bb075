//! `risk.remembered`: what is saved of risk is what the log tells of closed trades, days and weeks, and it is
//! saved before anything is judged by it.

use std::collections::VecDeque;

use dacapo_kernel::{Event, Invariant, Plan, Time};
use serde_json::Value;

use super::wall::{Wall, day_of, week_of};
use crate::amount::Amount;
use crate::config::Config;
use crate::domain_event::{
    DomainEvent, OutsideAction, PositionClosed, RiskJudged, StateSaved, number,
};
use crate::invariants::exact::Exact;
use crate::message::Payload;
use crate::risk::RiskConfig;
use crate::store::Loss;

/// So many closed trades are kept in mind.
const KEPT: usize = 512;
/// In microseconds.
const MINUTE_US: i64 = 60_000_000;

/// How it stood after a trade had closed.
#[derive(Clone, Copy, Debug, Default)]
struct After {
    losses: u64,
    wins: u64,
    /// When its cooldown is over, by the clock of the run.
    until_us: Option<i64>,
}

/// The worth with which a day or a week began, as it was saved.
#[derive(Clone, Debug, PartialEq)]
struct Period {
    number: i64,
    start: Value,
}

/// Closed trades, the calendar, and what was saved.
#[derive(Debug)]
pub(super) struct Remembered {
    risk: RiskConfig,
    wall: Wall,
    /// After each trade that closed, the last of them last; how many came before.
    after: VecDeque<After>,
    forgotten: u64,
    /// When day and week were begun last, by the wall.
    begun: Option<(i64, i64)>,
    /// How many trades had closed when a day began anew.
    before_today: u64,
    /// The day and the week that were saved last.
    periods: Option<(Period, Period)>,
    /// How many trades were saved last.
    saved: Option<u64>,
    /// Whether a breaker was saved last that halts trading; none where nothing of risk was saved.
    halts: Option<bool>,
    /// The highest worth that was saved.
    peak: Amount,
    /// The day of the last judgement, and the worth that it went by.
    judged: Option<(i64, Amount)>,
    /// The number of the event that told of a new day or week, and the worth it began with.
    told: Option<(u64, Value)>,
    /// What was to be saved may not be.
    failed: bool,
    starts: u32,
    /// Whether somebody lifted a cooldown by hand.
    reset: bool,
    /// Somebody else tells risk how trades went.
    hearsay: bool,
    met: bool,
}

impl Remembered {
    pub(super) fn new(plan: &Plan<Config>) -> Remembered {
        let config = &plan.system;
        // What is told before the start no event tells.
        let mut before = config.events.iter().filter(|it| it.at_seconds < 0.0);
        let is_told = before.any(|it| it.tell_risk.is_some() || it.trade_result.is_some());
        Remembered {
            risk: config.risk.clone(),
            wall: Wall::of(plan.start_unix_ns),
            after: VecDeque::new(),
            forgotten: 0,
            begun: None,
            before_today: 0,
            periods: None,
            saved: None,
            halts: None,
            peak: Amount::ZERO,
            judged: None,
            told: None,
            failed: false,
            starts: 0,
            reset: false,
            hearsay: is_told || config.store.saved.is_some(),
            met: false,
        }
    }

    fn closed(&self) -> u64 {
        self.forgotten + self.after.len() as u64
    }

    fn close(&mut self, closed: &PositionClosed, now: Time) {
        let rules = &self.risk.cooldowns;
        let often = self
            .risk
            .circuit_breakers
            .consecutive_losses
            .threshold_count;
        let before = self.after.back().copied().unwrap_or_default();
        let won = closed.profit.is_above_zero();
        let (losses, wins) = if won {
            (0, before.wins + 1)
        } else {
            (before.losses + 1, 0)
        };
        let minutes = match losses {
            0 => rules.post_trade_minutes,
            many if many >= u64::from(often) => rules.consecutive_loss_5_minutes,
            1 | 2 => rules.post_loss_minutes,
            _ => rules.consecutive_loss_3_minutes,
        };
        self.after.push_back(After {
            losses,
            wins,
            until_us: Some(run_us(now) + minutes * MINUTE_US),
        });
        if self.after.len() > KEPT {
            self.after.pop_front();
            self.forgotten += 1;
        }
    }

    /// A day begins with the first judgement on it, and so does a week. The first of all begins nothing.
    fn begin(&mut self, wall_us: i64) {
        let closed = self.closed();
        let Some((day, week)) = &mut self.begun else {
            self.begun = Some((wall_us, wall_us));
            return;
        };
        if day_of(*day) < day_of(wall_us) {
            *day = wall_us;
            self.before_today = closed;
        }
        if week_of(*week) != week_of(wall_us) {
            *week = wall_us;
        }
    }

    fn save(&mut self, saved: &StateSaved, seq: u64, now: Time) -> Result<(), String> {
        let is_late = std::mem::take(&mut self.failed);
        self.told = None;
        let Some(risk) = saved.record.0.get("risk") else {
            // That is how it is saved that nothing has closed yet.
            (self.saved, self.halts) = (Some(0), None);
            return Ok(());
        };
        self.compare_peak(risk)?;
        let breakers = risk["breakers"].as_array();
        self.halts = breakers.map(|breakers| !breakers.is_empty());
        self.met = true;
        let closings = count(risk, "closings")?;
        self.saved = Some(closings);
        if closings > self.closed() {
            return Err("expected as many closings to be saved as there were, found more".into());
        }
        if closings >= self.forgotten {
            self.compare(risk, closings)?;
        }
        self.compare_periods(risk, seq, now, is_late)
    }

    /// The highest worth so far never falls.
    fn compare_peak(&mut self, risk: &Value) -> Result<(), String> {
        let peak = serde_json::from_value(risk["peak_equity"].clone()).unwrap_or(Amount::ZERO);
        if peak < self.peak {
            return Err(format!(
                "expected the highest worth to stay {}, found {peak} saved",
                self.peak
            ));
        }
        self.peak = peak;
        Ok(())
    }

    fn compare(&self, risk: &Value, closings: u64) -> Result<(), String> {
        let known = (closings - self.forgotten) as usize;
        if known == 0 && closings > 0 {
            return Ok(());
        }
        let after = known
            .checked_sub(1)
            .map_or(After::default(), |at| self.after[at]);
        same(
            "losses in a row",
            count(risk, "consecutive_losses")?,
            after.losses,
        )?;
        same(
            "wins in a row",
            count(risk, "consecutive_wins")?,
            after.wins,
        )?;
        if risk["cooldown_until"].as_i64() != after.until_us {
            return Err(format!(
                "expected a cooldown until {:?} µs to be saved, found {}",
                after.until_us, risk["cooldown_until"]
            ));
        }
        let reason = match after {
            After { until_us: None, .. } => "",
            After { losses: 0, .. } => "post_trade",
            After { .. } => "loss",
        };
        if risk["cooldown_reason"] != *reason {
            return Err(format!(
                "expected `{reason}` as the reason of a cooldown, found {}",
                risk["cooldown_reason"]
            ));
        }
        // After a restart from an older record, days are begun anew by judgements that are made again.
        if self.starts > 1 {
            return Ok(());
        }
        let marks = (&risk["last_daily_reset"], &risk["last_weekly_reset"]);
        let begun = self.begun.unzip();
        if (marks.0.as_i64(), marks.1.as_i64()) != begun {
            return Err(format!(
                "expected day and week to begin at {begun:?} µs, found {marks:?}"
            ));
        }
        let today = closings.saturating_sub(self.before_today);
        same("trades of the day", count(risk, "trades_today")?, today)
    }

    /// What is saved late may tell of days in between.
    fn compare_periods(
        &mut self,
        risk: &Value,
        seq: u64,
        now: Time,
        is_late: bool,
    ) -> Result<(), String> {
        let periods = &risk["periods"];
        let period = |number: &str, start: &str| {
            let number = periods[number].as_i64().unwrap_or_default();
            let start = periods[start].clone();
            Period { number, start }
        };
        let found = (period("day", "day_start"), period("week", "week_start"));
        let before = self.periods.replace(found.clone());
        if is_late || found.0.start.is_null() && found.1.start.is_null() {
            return Ok(());
        }
        let wall_us = self.wall.micros(now);
        let today = (day_of(wall_us), week_of(wall_us));
        if !self.wall.is_off() && (found.0.number > today.0 || found.1.number > today.1) {
            return Err("expected no day or week that has not begun, found one".into());
        }
        let Some(before) = before.filter(|it| !it.0.start.is_null()) else {
            if found.0.start != found.1.start {
                return Err("expected the first day to begin as its week, found it apart".into());
            }
            self.told = Some((seq, found.0.start));
            return Ok(());
        };
        if self.starts > 1 {
            return Ok(());
        }
        for (before, found, today) in [
            (&before.0, &found.0, today.0),
            (&before.1, &found.1, today.1),
        ] {
            if before.number == found.number {
                if before.start != found.start {
                    return Err("expected a day or week to begin once, found it begun again".into());
                }
            } else if found.number != today {
                return Err("expected the day or week of now to begin, found another".into());
            } else {
                self.told = Some((seq, found.start.clone()));
            }
        }
        Ok(())
    }

    fn judge(&mut self, judged: &RiskJudged, seq: u64, now: Time) -> Result<(), String> {
        let Some(basis) = &judged.basis else {
            return Ok(());
        };
        self.begin(self.wall.micros(now));
        if let Some((_, start)) = self.told.take().filter(|told| told.0 + 1 == seq) {
            let worth = serde_json::to_value(basis.equity).unwrap_or_default();
            if start != worth {
                return Err(format!(
                    "expected a day or week to begin with {worth}, found {start}"
                ));
            }
        }
        if !self.failed && self.saved.is_some_and(|saved| saved != self.closed()) {
            return Err(
                "expected what has closed to be saved before more is judged, found it unsaved"
                    .into(),
            );
        }
        let is_halted = judged.rejections.iter().any(|it| *it == *"TRADING_HALTED");
        if !self.failed && is_halted && self.halts == Some(false) {
            return Err("expected a breaker that is saved to halt trading, found none".into());
        }
        let has_begun = |it: &(Period, Period)| !it.0.start.is_null();
        // What risk goes by is another worth than earlier today: it has looked at the account since.
        let now_us = self.wall.micros(now);
        let before = self.judged.replace((day_of(now_us), basis.equity));
        let has_looked =
            before.is_some_and(|(day, worth)| day == day_of(now_us) && worth != basis.equity);
        let is_of_now =
            |it: &(Period, Period)| (it.0.number, it.1.number) == (day_of(now_us), week_of(now_us));
        let is_first_life = self.starts <= 1 && self.saved.is_some() && !self.failed;
        if is_first_life
            && basis.equity.is_above_zero()
            && !self.periods.as_ref().is_some_and(has_begun)
        {
            return Err(
                "expected a day to begin with the worth that is judged by, found none begun".into(),
            );
        }
        if is_first_life && has_looked && !self.periods.as_ref().is_none_or(is_of_now) {
            return Err("expected day and week to be those of now, found others".into());
        }
        Ok(())
    }
}

fn run_us(now: Time) -> i64 {
    i64::try_from(now.as_nanos() / 1_000).unwrap_or(i64::MAX)
}

fn count(risk: &Value, name: &str) -> Result<u64, String> {
    let count = risk[name].as_u64();
    count.ok_or_else(|| {
        format!(
            "expected `{name}` to be saved of risk, found {}",
            risk[name]
        )
    })
}

fn same(what: &str, found: u64, known: u64) -> Result<(), String> {
    if found == known {
        return Ok(());
    }
    Err(format!(
        "expected {known} {what} to be saved, found {found}"
    ))
}

impl Invariant<DomainEvent> for Remembered {
    fn id(&self) -> &'static str {
        "risk.remembered"
    }

    fn statement(&self) -> &'static str {
        "what is saved of risk is what trades that closed, days and weeks make of it, and it is saved \
         before more is judged"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::OutsideActed,
            number::PositionClosed,
            number::RiskJudged,
            number::RiskReset,
            number::StateSaved,
            number::StateRestored,
            number::StateChanged,
            number::StoreFailed,
            number::Published,
            dacapo_kernel::number::ClockJumped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StateSaved]]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let (now, seq) = (event.time, event.seq.0);
        self.wall.note(event);
        if self.hearsay {
            return Ok(());
        }
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.starts += 1;
                self.halts = None;
                // What was lifted comes back, if what is found was saved before.
                self.hearsay |= self.reset;
            }
            Some(DomainEvent::OutsideActed(it)) => {
                let tells = [
                    matches!(it.action, OutsideAction::TellRisk(_)),
                    matches!(it.action, OutsideAction::TradeResult(_)),
                ];
                self.hearsay |= tells.contains(&true);
            }
            Some(DomainEvent::PositionClosed(it)) => self.close(it, now),
            Some(DomainEvent::RiskReset(_)) => {
                self.reset = true;
                self.after.iter_mut().for_each(|it| it.until_us = None);
            }
            Some(DomainEvent::StoreFailed(_)) => {
                self.failed = true;
                self.hearsay |= self.reset;
            }
            Some(DomainEvent::StateSaved(it)) => return self.save(it, seq, now),
            Some(DomainEvent::StateRestored(it)) if !it.complete => self.peak = Amount::ZERO,
            // What was saved may not be there any more.
            Some(DomainEvent::StateChanged(it)) if Loss::from_name(&it.by).is_some() => {
                self.peak = Amount::ZERO;
            }
            Some(DomainEvent::Published(it)) => {
                if let Payload::StoreLost(_) = it.message.payload {
                    self.peak = Amount::ZERO;
                }
            }
            Some(DomainEvent::RiskJudged(it)) => return self.judge(it, seq, now),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

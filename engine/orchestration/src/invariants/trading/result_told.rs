//! `risk.heard`: a trade that somebody outside closed counts as won or lost at once, and that is saved.

use dacapo_kernel::{Event, Invariant, KernelEvent, Time, number as kernel};

use crate::config::{Config, StoreKind};
use crate::domain_event::{DomainEvent, OutsideAction, StateSaved, number};
use crate::invariants::liveness::up::{Turn, Up};

/// How a trade went that was told at this instant.
pub(super) struct ResultTold {
    has_store: bool,
    life: Up,
    told: Option<(Time, bool)>,
    met: bool,
}

impl ResultTold {
    pub(super) fn new(config: &Config) -> ResultTold {
        ResultTold {
            has_store: config.store.kind != StoreKind::None,
            life: Up::default(),
            told: None,
            met: false,
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        match self.told.take_if(|(at, _)| *at < now) {
            Some((_, won)) => Err(format!(
                "expected a trade that was told {} to be saved at once, found nothing saved",
                if won { "won" } else { "lost" }
            )),
            None => Ok(()),
        }
    }

    fn save(&mut self, saved: &StateSaved) -> Result<(), String> {
        let Some((_, won)) = self.told.take() else {
            return Ok(());
        };
        self.met = true;
        let risk = &saved.record.0["risk"];
        let (ended, goes_on) = if won {
            ("consecutive_losses", "consecutive_wins")
        } else {
            ("consecutive_wins", "consecutive_losses")
        };
        let counts = |name: &str| risk[name].as_u64().is_some_and(|count| count > 0);
        if risk[ended] != 0 || !counts(goes_on) || !counts("trades_today") {
            return Err(format!(
                "expected a trade that was told to count among {goes_on}, found {risk}"
            ));
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for ResultTold {
    fn id(&self) -> &'static str {
        "risk.heard"
    }

    fn statement(&self) -> &'static str {
        "a trade that somebody outside says was won or lost counts at once, and that is saved"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            kernel::TaskCrashed,
            number::Started,
            number::Subscribed,
            number::OutsideActed,
            number::StateSaved,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::OutsideActed]]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        if self.life.note(event) != Turn::Nothing {
            self.told = None;
        }
        match event.domain() {
            Some(DomainEvent::OutsideActed(it)) if self.has_store && self.life.listens() => {
                if let OutsideAction::TradeResult(result) = &it.action {
                    self.told = Some((event.time, result.win));
                }
            }
            Some(DomainEvent::StateSaved(it)) => return self.save(it),
            // Whoever was to hear it is gone, or could not save it.
            Some(DomainEvent::StoreFailed(_)) => self.told = None,
            _ => {}
        }
        if let Some(KernelEvent::TaskCrashed(_)) = event.kernel() {
            self.told = None;
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass(end)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::TradeResult;
    use crate::domain_event::{OutsideActed, StoreFailed};
    use crate::invariants::liveness::samples::{listens, minimal, started};
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Name};

    fn told(win: bool) -> Planted {
        let action = OutsideAction::TradeResult(TradeResult { win });
        Planted::of(ResultTold::new(&minimal().system))
            .then(started())
            .then(listens())
            .at(5.0)
            .then(OutsideActed { action })
    }

    fn saved(losses: u64, wins: u64) -> StateSaved {
        StateSaved {
            record: Json(json!({"risk": {
                "consecutive_losses": losses, "consecutive_wins": wins, "trades_today": losses + wins,
            }})),
        }
    }

    // Fails if what was told may be forgotten, counted on the wrong side, or saved later.
    #[test]
    fn a_result_counts_at_once() {
        let later = |log: Planted| log.at(6.0).then(saved(0, 0));
        later(told(false).then(saved(1, 0))).holds();
        later(told(true).then(saved(0, 3))).holds();
        for wrong in [saved(0, 1), saved(0, 0), saved(1, 1)] {
            told(false).then(wrong).violated();
        }
        told(true).then(saved(2, 0)).violated();
        let found = later(told(false)).violated();
        assert!(found.contains("told lost"), "{found}");
        let failed = StoreFailed {
            operation: Name::fixed("save_state"),
        };
        let finding = later(told(false).then(failed)).finding();
        assert_eq!(finding, dacapo_kernel::Finding::NotEvaluable);
    }
}

//! `risk.breach-stops`: a breached limit stops what adds risk until somebody, or the calendar, clears it, and no longer.

use dacapo_kernel::{Event, Invariant, Plan};
use serde_json::Value;

use super::only_when_running::adds_risk;
use super::wall::{Wall, day_of, week_of};
use crate::config::Config;
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, StateChanged, number};
use crate::store::Loss;

/// Limits that the calendar alone lifts: on which day that of the day was in force, and in which week that of the week.
#[derive(Clone, Copy, Debug)]
struct Passing {
    day: Option<i64>,
    week: Option<i64>,
}

impl Passing {
    /// What is saved of risk; none if nothing was breached, or what stays breached on any day.
    fn read(risk: &Value) -> Option<Passing> {
        let breakers = risk["breakers"].as_array().filter(|it| !it.is_empty())?;
        let mut passing = Passing {
            day: None,
            week: None,
        };
        let (day_begun, week_begun) = (&risk["last_daily_reset"], &risk["last_weekly_reset"]);
        for breaker in breakers {
            match breaker.as_str()? {
                "daily_loss" => passing.day = Some(day_of(day_begun.as_i64()?)),
                "weekly_loss" => passing.week = Some(week_of(week_begun.as_i64()?)),
                _ => return None,
            }
        }
        Some(passing)
    }

    /// Whether none of them is in force any more by the wall clock.
    fn is_over(self, wall_us: i64) -> bool {
        self.day.is_none_or(|day| day < day_of(wall_us))
            && self.week.is_none_or(|week| week != week_of(wall_us))
    }
}

/// The breaches in force.
#[derive(Debug)]
pub(super) struct BreachStops {
    wall: Wall,
    /// What a breach led to, until it is cleared.
    stopped: Option<RunState>,
    /// The day on the wall clock on which the risk engine said that trading is halted.
    halted_on: Option<i64>,
    /// Whether somebody lifted it by hand.
    reset: bool,
    /// Whether what was saved last tells of it.
    durable: bool,
    /// What of that the calendar lifts, if nothing else halts trading and it was saved.
    passing: Option<Passing>,
    /// Whether there was any breach.
    met: bool,
}

impl BreachStops {
    pub(super) fn new(plan: &Plan<Config>) -> BreachStops {
        BreachStops::from(plan.start_unix_ns)
    }

    fn from(start_unix_ns: i64) -> BreachStops {
        BreachStops {
            wall: Wall::of(start_unix_ns),
            stopped: None,
            halted_on: None,
            reset: false,
            durable: false,
            passing: None,
            met: false,
        }
    }

    fn change(&mut self, changed: &StateChanged) {
        if Loss::from_name(&changed.by).is_some() {
            // What was saved is lost; trading is halted for that.
            (self.halted_on, self.passing) = (None, None);
        }
        if changed.by == *"circuit_breaker" {
            // A pause while halted is no release.
            let halted = self.stopped == Some(RunState::Halted);
            self.met = true;
            self.stopped = if halted {
                self.stopped
            } else {
                Some(changed.to)
            };
        } else if changed.by == *"clear_halt"
            || changed.by == *"resume" && self.stopped == Some(RunState::Paused)
        {
            self.stopped = None;
        }
    }
}

impl Invariant<DomainEvent> for BreachStops {
    fn id(&self) -> &'static str {
        "risk.breach-stops"
    }

    fn statement(&self) -> &'static str {
        "after a breach, nothing that adds risk is submitted until it is cleared, and a limit of the day or the week \
         halts nothing in the next one"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateChanged,
            number::StateSaved,
            number::RiskJudged,
            number::RiskReset,
            number::OrderSubmitted,
            number::StoreFailed,
            dacapo_kernel::number::ClockJumped,
        ]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if self.wall.note(event) {
            // There and back again, a day may have passed in between.
            self.halted_on = None;
        }
        let wall_us = self.wall.micros(event.time);
        let day = day_of(wall_us);
        match event.domain() {
            // A halt or a pause that outlives the restart is entered again; that it does is another
            // property's concern. So is what risk knew, if it was saved.
            Some(DomainEvent::Started(_)) => {
                self.stopped = None;
                if !self.durable {
                    self.halted_on = None;
                }
            }
            Some(DomainEvent::StateSaved(saved)) => {
                let risk = &saved.record.0["risk"];
                let breakers = risk["breakers"].as_array();
                self.durable = breakers.is_some_and(|breakers| !breakers.is_empty());
                self.passing = Passing::read(risk);
            }
            // What risk knows may be more than what is saved.
            Some(DomainEvent::StoreFailed(_)) => self.passing = None,
            Some(DomainEvent::StateChanged(changed)) => self.change(changed),
            Some(DomainEvent::RiskReset(_)) => (self.halted_on, self.reset) = (None, true),
            Some(DomainEvent::RiskJudged(it))
                if it
                    .rejections
                    .first()
                    .is_some_and(|it| *it == *"TRADING_HALTED")
                    && self.passing.is_some_and(|passing| passing.is_over(wall_us)) =>
            {
                return Err(
                    "expected a limit to be lifted with the day or week in which it was breached, found trading halted"
                        .into(),
                );
            }
            Some(DomainEvent::RiskJudged(it)) if it.status == *"halted" => {
                self.met = true;
                // Once it was lifted, old figures refuse a trade and halt nothing.
                let halts = !self.reset || it.rejections.iter().any(|it| *it == *"TRADING_HALTED");
                if halts {
                    self.halted_on = Some(day);
                }
            }
            // The day's limit is released by the next day, the week's by the next week.
            Some(DomainEvent::RiskJudged(it))
                if it.rejections.is_empty()
                    && it.basis.is_some()
                    && self.halted_on == Some(day) =>
            {
                return Err("expected no trade to pass on the day of a breach, found one".into());
            }
            Some(DomainEvent::OrderSubmitted(it)) if adds_risk(it) => {
                if let Some(state) = self.stopped {
                    return Err(format!(
                        "expected a breach that led to {state} to be cleared first, found an order"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::{changed, judged, submitted};
    use super::*;
    use crate::amount::Amount;
    use serde_json::json;

    use crate::domain_event::{
        RiskBasis, RiskJudged, RiskReset, Started, StateSaved, StoreFailed, TradeOrigin,
    };
    use crate::invariants::planted::Planted;
    use crate::message::{Json, Name};

    const OF_SIGNAL: TradeOrigin = TradeOrigin::Signal(7);

    fn breach(to: RunState) -> Planted {
        Planted::of(BreachStops::from(0)).then(changed(RunState::Running, to, "circuit_breaker"))
    }

    fn by_engine(status: &'static str) -> RiskJudged {
        let mut judged = judged(OF_SIGNAL, "buy");
        if status == "halted" {
            judged.rejections.push("CIRCUIT_BREAKER".into());
        }
        judged.status = status.into();
        judged.basis = Some(RiskBasis {
            equity: Amount::HUNDRED,
            exposure_pct: 0.0,
            by_symbol: Vec::new(),
        });
        judged
    }

    #[test]
    fn only_clearing_it_lets_trading_go_on() {
        let order = || submitted("i", OF_SIGNAL, "buy");
        let what = breach(RunState::Halted)
            .then(changed(RunState::Halted, RunState::Paused, "pause"))
            .then(changed(RunState::Paused, RunState::Running, "resume"))
            .then(order())
            .violated();
        assert!(what.contains("led to halted"), "{what}");
        let what = breach(RunState::Paused).then(order()).violated();
        assert!(what.contains("led to paused"), "{what}");
        breach(RunState::Halted)
            .then(submitted("i", TradeOrigin::Plan, "sell"))
            .then(changed(RunState::Halted, RunState::Paused, "clear_halt"))
            .then(changed(RunState::Paused, RunState::Running, "resume"))
            .then(order())
            .holds();
        breach(RunState::Paused)
            .then(changed(RunState::Paused, RunState::Running, "resume"))
            .then(order())
            .holds();
    }

    /// Fails if a restart excuses an engine that forgot what it had saved.
    #[test]
    fn a_saved_breach_outlives_a_restart() {
        let saved = |breakers: &[&str]| StateSaved {
            record: Json(json!({ "risk": { "breakers": breakers } })),
        };
        let halted = || Planted::of(BreachStops::from(0)).then(by_engine("halted"));
        let what = halted()
            .then(saved(&["daily_loss"]))
            .then(Started {})
            .then(by_engine("approved"))
            .violated();
        assert!(what.contains("on the day of a breach"), "{what}");
        for before in [saved(&[]), saved(&["daily_loss"])] {
            halted()
                .then(before)
                .then(Started {})
                .then(changed(
                    RunState::Running,
                    RunState::Halted,
                    "store_rolled_back",
                ))
                .then(by_engine("approved"))
                .holds();
        }
        halted()
            .then(Started {})
            .then(by_engine("approved"))
            .holds();
    }

    #[test]
    fn the_engine_lets_nothing_pass_on_the_same_day() {
        let halted = || Planted::of(BreachStops::from(0)).then(by_engine("halted"));
        let what = halted().at(3_600.0).then(by_engine("approved")).violated();
        assert!(what.contains("on the day of a breach"), "{what}");
        halted().at(86_400.0).then(by_engine("approved")).holds();
        let lifted = vec!["daily_loss".into()];
        let reset = RiskReset {
            administrator: true,
            lifted,
        };
        let lifted = || halted().then(reset.clone());
        lifted().then(by_engine("approved")).holds();
        lifted()
            .then(by_engine("halted"))
            .then(by_engine("approved"))
            .holds();
        let mut still = by_engine("halted");
        still.rejections = vec!["TRADING_HALTED".into()];
        lifted().then(still).then(by_engine("approved")).violated();
    }

    // Fails if a limit may halt trading in the next day or week, or must not in its own, or where more may be breached
    // than what was saved.
    #[test]
    fn the_calendar_lifts_what_it_limits() {
        const DAY_S: f64 = 86_400.0;
        let saved = |breakers: &[&str]| {
            let risk =
                json!({ "breakers": breakers, "last_daily_reset": 5, "last_weekly_reset": 5 });
            let record = Json(json!({ "risk": risk }));
            Planted::of(BreachStops::from(0)).then(StateSaved { record })
        };
        let mut halted = by_engine("halted");
        halted.rejections = vec!["TRADING_HALTED".into()];
        let on =
            |breakers: &[&str], days: f64| saved(breakers).at(days * DAY_S).then(halted.clone());
        on(&["daily_loss"], 0.9).holds();
        on(&["daily_loss"], 1.0).violated();
        // The first Monday of 1970 was its fifth day.
        on(&["weekly_loss"], 3.9).holds();
        on(&["weekly_loss"], 4.0).violated();
        on(&["daily_loss", "weekly_loss"], 3.9).holds();
        on(&["daily_loss", "weekly_loss"], 4.0).violated();
        on(&["daily_loss", "max_drawdown"], 9.0).holds();
        on(&[], 9.0).holds();
        let failed = StoreFailed {
            operation: Name::fixed("save_state"),
        };
        let after = saved(&["daily_loss"]).then(failed).at(DAY_S);
        after.then(halted.clone()).holds();
    }
}

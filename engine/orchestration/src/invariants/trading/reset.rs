//! `risk.reset`: a reset by hand lifts what halts trading, and the cooldown, at once and for good; only an administrator
//! lifts the halt of a drawdown, and nobody else is refused.

use std::collections::BTreeSet;

use dacapo_kernel::{Event, Invariant, Time};
use serde_json::Value;

use crate::domain_event::{DomainEvent, OutsideRefused, RiskReset, StateSaved, number};
use crate::message::Name;

/// The breaker that yields to an administrator only.
const DRAWDOWN: &str = "max_drawdown";

/// The breakers as they were saved, and what was done about them.
#[derive(Debug, Default)]
pub(super) struct Reset {
    /// The breakers that were saved last; none where that is not known.
    saved: Option<BTreeSet<String>>,
    /// When they were lifted, until that is saved.
    lifted: Option<Time>,
    met: bool,
}

impl Reset {
    fn reset(&mut self, reset: &RiskReset, now: Time) -> Result<(), String> {
        self.met = true;
        if !reset.administrator && reset.lifted.iter().any(|it| *it == *DRAWDOWN) {
            return Err(format!(
                "expected {DRAWDOWN} to be lifted by an administrator, found it lifted by another"
            ));
        }
        let lifted: BTreeSet<String> = reset.lifted.iter().map(Name::to_string).collect();
        if let Some(saved) = self.saved.as_ref().filter(|saved| **saved != lifted) {
            return Err(format!(
                "expected {saved:?} to be lifted, which was saved, found {lifted:?}"
            ));
        }
        self.lifted = (!lifted.is_empty()).then_some(now);
        Ok(())
    }

    fn refuse(&mut self, refused: &OutsideRefused) -> Result<(), String> {
        if refused.outcome != *"reset_refused" {
            return Ok(());
        }
        self.met = true;
        match &self.saved {
            Some(saved) if !saved.contains(DRAWDOWN) => Err(format!(
                "expected a reset to be refused for a {DRAWDOWN} only, found it refused with {saved:?} saved"
            )),
            _ => Ok(()),
        }
    }

    fn save(&mut self, saved: &StateSaved, now: Time) -> Result<(), String> {
        let risk = &saved.record.0["risk"];
        let breakers = risk["breakers"].as_array().map(Vec::as_slice);
        let names = breakers
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str);
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        let is_at_once = self.lifted.take().is_some_and(|lifted| lifted == now);
        if is_at_once && (!names.is_empty() || !risk["cooldown_until"].is_null()) {
            return Err(format!(
                "expected what was lifted to be saved as lifted, found {names:?} and a cooldown until {}",
                risk["cooldown_until"]
            ));
        }
        self.saved = Some(names);
        Ok(())
    }
}

impl Invariant<DomainEvent> for Reset {
    fn id(&self) -> &'static str {
        "risk.reset"
    }

    fn statement(&self) -> &'static str {
        "a reset by hand lifts what halts trading, and is refused only where a drawdown asks for an administrator"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::OutsideRefused,
            number::RiskReset,
            number::RiskJudged,
            number::StateSaved,
            number::StoreFailed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskReset, number::OutsideRefused]]
    }

    fn evaluable(&self) -> bool {
        self.met
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::RiskReset(it)) => return self.reset(it, event.time),
            Some(DomainEvent::OutsideRefused(it)) => return self.refuse(it),
            Some(DomainEvent::StateSaved(it)) => return self.save(it, event.time),
            // A judgement on a new day releases what the day before had set, and that is saved later.
            Some(DomainEvent::RiskJudged(_)) => {
                self.saved
                    .take_if(|saved| saved.iter().any(|it| it != DRAWDOWN));
            }
            Some(DomainEvent::Started(_) | DomainEvent::StoreFailed(_)) => {
                (self.saved, self.lifted) = (None, None);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain_event::{Started, TradeOrigin};
    use crate::invariants::planted::Planted;
    use crate::invariants::trading::plant::judged;
    use crate::message::Json;

    fn saved(breakers: Value, cooldown_until: Value) -> StateSaved {
        let risk = json!({"breakers": breakers, "cooldown_until": cooldown_until});
        StateSaved {
            record: Json(json!({ "risk": risk })),
        }
    }

    fn reset(administrator: bool, lifted: &[&str]) -> RiskReset {
        let lifted = lifted.iter().map(|it| Name::from(*it)).collect();
        RiskReset {
            administrator,
            lifted,
        }
    }

    fn refused() -> OutsideRefused {
        OutsideRefused {
            outcome: Name::fixed("reset_refused"),
            reason: "a drawdown".to_owned(),
        }
    }

    /// These breakers are set, and saved.
    fn set(breakers: Value) -> Planted {
        Planted::of(Reset::default()).then(saved(breakers, json!(7)))
    }

    // Fails if anybody may lift the halt of a drawdown, or something else is lifted than what was set.
    #[test]
    fn a_drawdown_yields_to_an_administrator() {
        let both = || set(json!(["daily_loss", "max_drawdown"]));
        both()
            .then(reset(true, &["daily_loss", "max_drawdown"]))
            .holds();
        let what = both()
            .then(reset(false, &["daily_loss", "max_drawdown"]))
            .violated();
        assert!(what.contains("by an administrator"), "{what}");
        both().then(reset(true, &["daily_loss"])).violated();
        both().then(refused()).holds();
        set(json!(["daily_loss"]))
            .then(reset(false, &["daily_loss"]))
            .holds();
        set(json!([]))
            .then(reset(false, &["max_drawdown"]))
            .violated();
    }

    // Fails if a reset may be refused where no drawdown halts trading.
    #[test]
    fn nobody_else_is_refused() {
        set(json!(["daily_loss"])).then(refused()).violated();
        set(json!([])).then(refused()).violated();
        let new_day = set(json!(["daily_loss"])).then(judged(TradeOrigin::Plan, "buy"));
        new_day.then(refused()).holds();
        set(json!([])).then(Started {}).then(refused()).holds();
    }

    // Fails if what was lifted may still be there when it is saved.
    #[test]
    fn what_is_lifted_is_saved() {
        let log = || set(json!(["daily_loss"])).then(reset(false, &["daily_loss"]));
        log().then(saved(json!([]), Value::Null)).holds();
        log()
            .then(saved(json!(["daily_loss"]), Value::Null))
            .violated();
        log().then(saved(json!([]), json!(7))).violated();
        log()
            .at(9.0)
            .then(saved(json!(["weekly_loss"]), json!(7)))
            .holds();
    }
}

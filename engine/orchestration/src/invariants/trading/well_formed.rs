//! `trade.well-formed`: risk judges proposals that are what proposals must be, made of their signal and
//! nothing else; and a signal is dropped for no reason that is not there.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan};
use serde_json::Value;

use super::run_state::{CHANGED, RunStateFold, STARTED};
use crate::config::{Config, TradingMode};
use crate::coordinator::state::RunState;
use crate::domain_event::{DomainEvent, Proposed, SignalDropped, TradeOrigin, number};
use crate::invariants::messages::Messages;
use crate::message::{Name, Payload, Topic};

/// How many signals are kept in mind.
const KEPT: usize = 256;

/// The signals, and what became of them on their way.
#[derive(Debug)]
pub(super) struct WellFormed {
    signals: Messages,
    /// How sure each was after it was weighed.
    confidence: BTreeMap<u64, f64>,
    /// Those that a model's reply may have changed.
    changed: BTreeMap<u64, ()>,
    state: RunStateFold,
    /// Whether there is somebody who executes orders.
    has_executor: bool,
}

impl WellFormed {
    pub(super) fn new(plan: &Plan<Config>) -> WellFormed {
        let config = &plan.system;
        WellFormed {
            state: RunStateFold::new(),
            has_executor: config.trading_mode == TradingMode::Paper || config.live.connected,
            signals: Messages::of(&[Topic::TradingSignals]),
            confidence: BTreeMap::new(),
            changed: BTreeMap::new(),
        }
    }

    fn judge(&self, origin: TradeOrigin, proposal: &Proposed) -> Result<(), String> {
        let is_side = proposal.side == *"buy" || proposal.side == *"sell";
        require(
            !proposal.symbol.is_empty() && is_side,
            "a symbol and a side",
        )?;
        require(proposal.size_usd > 0.0, "a size above 0")?;
        require(proposal.leverage >= 1, "a leverage of at least 1")?;
        let is_share = (0.0..=1.0).contains(&proposal.confidence);
        require(is_share, "a confidence from 0 to 1")?;
        match origin {
            TradeOrigin::Signal(number) => {
                levels(proposal)?;
                self.follow(number, proposal)
            }
            TradeOrigin::Plan | TradeOrigin::Leg => {
                let is_plain = proposal.stop_loss.is_none()
                    && proposal.take_profit.is_none()
                    && proposal.leverage == 1
                    && proposal.confidence == 0.8
                    && proposal.regime.as_deref() == Some("rebalance");
                require(is_plain, "a trade of a plan without levels and leverage")
            }
        }
    }

    /// What nobody may change on the way is the signal's own.
    fn follow(&self, number: u64, proposal: &Proposed) -> Result<(), String> {
        if let Some(weighed) = self.confidence.get(&number) {
            let is_kept = *weighed == proposal.confidence;
            require(is_kept, "the confidence that was weighed")?;
        }
        let Some(signal) = self.signals.get(number) else {
            return Ok(());
        };
        let regime = match signal.payload.field("regime").to_json() {
            None => Some(Name::fixed("ranging")),
            Some(regime) => regime.as_str().map(Name::from),
        };
        require(regime == proposal.regime, "the regime of the signal")
    }

    fn drop_signal(&self, dropped: &SignalDropped) -> Result<(), String> {
        let is_so = match dropped.reason.as_str() {
            "NO_EXECUTOR" => !self.has_executor,
            "NOT_RUNNING" => self.state.now() != RunState::Running,
            _ => true,
        };
        if !is_so {
            return Err(format!(
                "expected a signal to be dropped for a reason that is there, found {}",
                dropped.reason
            ));
        }
        let for_its_form = ["INVALID_PROPOSAL", "MALFORMED_SIGNAL"];
        if !for_its_form.contains(&dropped.reason.as_str())
            || self.changed.contains_key(&dropped.signal)
        {
            return Ok(());
        }
        match self.signals.get(dropped.signal) {
            Some(signal) if is_well_formed(&signal.payload) => Err(format!(
                "expected a signal that is well-formed to be judged, found it dropped as {}",
                dropped.reason
            )),
            _ => Ok(()),
        }
    }
}

fn require(so: bool, what: &str) -> Result<(), String> {
    if so {
        return Ok(());
    }
    Err(format!("expected {what}, found another proposal judged"))
}

/// The entry is a price, and stop and target lie on their sides of it.
fn levels(proposal: &Proposed) -> Result<(), String> {
    let entry = proposal.entry_price;
    require(entry > 0.0, "an entry above 0")?;
    let is_fit = fits(
        &proposal.side,
        entry,
        proposal.stop_loss,
        proposal.take_profit,
    );
    require(is_fit, "a stop and a target on their sides of the entry")
}

fn fits(side: &str, entry: f64, stop: Option<f64>, target: Option<f64>) -> bool {
    let way = if side == "buy" { 1.0 } else { -1.0 };
    let loses = |stop: f64| stop > 0.0 && (entry - stop) * way > 0.0;
    let earns = |target: f64| target > 0.0 && (target - entry) * way > 0.0;
    stop.is_none_or(loses) && target.is_none_or(earns)
}

/// Whether nobody could find anything wrong with the fields of a signal. What may be read in two ways,
/// such as `true` for a number, is not asked about.
fn is_well_formed(signal: &Payload) -> bool {
    let get = |name: &str| signal.field(name).to_json();
    let given = |name: &str| get(name).filter(|value| !value.is_null());
    let number = |name: &str| given(name).and_then(|value| value.as_f64());
    let is_number = |name: &str| number(name).is_some();
    let is_given = |name: &str| given(name).is_some();
    let side = match get("action").as_ref().and_then(Value::as_str) {
        Some("BUY") => "buy",
        Some("SELL") => "sell",
        _ => return false,
    };
    let is_symbol = get("symbol").is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty()));
    let is_size = get("size_usd").is_none_or(|it| it.as_f64().is_some_and(|it| it > 0.0));
    let is_leverage = get("leverage").is_none_or(|it| it.as_i64().is_some_and(|it| it >= 1));
    let is_sure = get("confidence").is_none_or(|it| it.as_f64().is_some_and(|it| it >= 0.0));
    let are_numbers = ["stop_loss", "take_profit"]
        .iter()
        .all(|name| is_number(name) || !is_given(name));
    let entry = number("entry_price").unwrap_or(0.0);
    is_symbol
        && is_size
        && is_leverage
        && is_sure
        && are_numbers
        && entry > 0.0
        && fits(side, entry, number("stop_loss"), number("take_profit"))
}

impl Invariant<DomainEvent> for WellFormed {
    fn id(&self) -> &'static str {
        "trade.well-formed"
    }

    fn statement(&self) -> &'static str {
        "risk judges proposals that are well-formed and follow from their signal, and a signal is dropped \
         for no reason that is not there"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            STARTED,
            CHANGED,
            number::Published,
            number::ConsensusBuilt,
            number::ConflictResolved,
            number::RiskJudged,
            number::SignalDropped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RiskJudged, number::SignalDropped]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if let Some(domain) = event.domain() {
            self.state.see(domain);
        }
        match event.domain() {
            Some(DomainEvent::Published(it)) => self.signals.keep(&it.message),
            Some(DomainEvent::ConsensusBuilt(it)) => {
                keep(&mut self.confidence, it.signal, it.confidence);
            }
            Some(DomainEvent::ConflictResolved(it)) if it.action == *"modify" => {
                keep(&mut self.changed, it.signal, ());
            }
            Some(DomainEvent::RiskJudged(it)) => return self.judge(it.origin, &it.proposal),
            Some(DomainEvent::SignalDropped(it)) => return self.drop_signal(it),
            _ => {}
        }
        Ok(())
    }
}

fn keep<T>(known: &mut BTreeMap<u64, T>, number: u64, what: T) {
    known.insert(number, what);
    if known.len() > KEPT {
        known.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{changed, config, consensus, judged, plan, published, resolved};
    use super::*;
    use crate::domain_event::{ResolvedBy, RiskJudged};
    use crate::invariants::planted::Planted;

    fn signal(change: Value) -> Planted {
        let mut payload = json!({
            "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8, "size_usd": 500.0,
            "leverage": 2, "entry_price": 45_000, "stop_loss": 44_100.0, "regime": null,
        });
        for (name, value) in change.as_object().into_iter().flatten() {
            payload[name] = value.clone();
        }
        Planted::of(WellFormed::new(&plan(config()))).then(published(
            7,
            Topic::TradingSignals,
            0,
            payload,
        ))
    }

    fn proposed(change: impl FnOnce(&mut RiskJudged)) -> RiskJudged {
        let mut judged = judged(TradeOrigin::Signal(7), "buy");
        change(&mut judged);
        judged
    }

    fn dropped(reason: &'static str) -> SignalDropped {
        SignalDropped {
            signal: 7,
            reason: Name::fixed(reason),
        }
    }

    /// Fails if any field may be what it must not.
    #[test]
    fn what_is_judged_is_well_formed() {
        let spoilt: [fn(&mut RiskJudged); 8] = [
            |it| it.proposal.symbol = Name::EMPTY,
            |it| it.proposal.side = Name::fixed("BUY"),
            |it| it.proposal.size_usd = 0.0,
            |it| it.proposal.leverage = 0,
            |it| it.proposal.confidence = 1.1,
            |it| it.proposal.entry_price = 0.0,
            |it| it.proposal.stop_loss = Some(45_000.0),
            |it| it.proposal.take_profit = Some(44_000.0),
        ];
        for spoil in spoilt {
            let what = signal(json!({})).then(proposed(spoil)).violated();
            assert!(what.ends_with("found another proposal judged"), "{what}");
        }
        let of_plan = judged(TradeOrigin::Plan, "buy");
        signal(json!({})).then(of_plan).violated();
        signal(json!({})).then(proposed(|_| {})).holds();
    }

    /// Fails if regime or confidence may come from somewhere else.
    #[test]
    fn what_is_judged_follows_from_its_signal() {
        signal(json!({"regime": "choppy"}))
            .then(proposed(|_| {}))
            .violated();
        let weighed = || signal(json!({})).then(consensus(7, Vec::new(), 0, 0));
        weighed().then(proposed(|_| {})).holds();
        weighed()
            .then(proposed(|it| it.proposal.confidence = 0.9))
            .violated();
    }

    /// Fails if a good signal may be called a bad one, or a bad one must be judged.
    #[test]
    fn only_what_is_malformed_is_dropped_for_it() {
        let what = signal(json!({}))
            .then(dropped("INVALID_PROPOSAL"))
            .violated();
        assert!(what.contains("to be judged"), "{what}");
        for bad in [
            json!({"size_usd": 0}),
            json!({"leverage": 2.0}),
            json!({"confidence": "high"}),
            json!({"stop_loss": 45_000}),
            json!({"take_profit": 44_000}),
            json!({"symbol": ""}),
            json!({"entry_price": null}),
        ] {
            signal(bad).then(dropped("INVALID_PROPOSAL")).holds();
        }
        let what = signal(json!({})).then(dropped("NOT_RUNNING")).violated();
        assert!(what.ends_with("found NOT_RUNNING"), "{what}");
        signal(json!({})).then(dropped("NO_EXECUTOR")).violated();
        signal(json!({}))
            .then(changed(RunState::Running, RunState::Paused, "pause"))
            .then(dropped("NOT_RUNNING"))
            .holds();
        signal(json!({}))
            .then(resolved(7, "modify", 0.8, ResolvedBy::Reply))
            .then(dropped("INVALID_PROPOSAL"))
            .holds();
    }
}

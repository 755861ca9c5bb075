//! `status.told`: how the coordinator says it is when somebody asks is how it is.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Plan};
use serde_json::Value;

use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{DomainEvent, PositionClosed, number};
use crate::invariants::bus::table::Table;
use crate::invariants::exact::Exact;
use crate::message::{DegradationLevel, Name, Topic};

/// In dollars, or whatever a currency is called.
const LAST_DIGIT: f64 = 1e-9;

/// What is known of the coordinator: nothing that it has not told since it began.
#[derive(Debug, Default)]
struct Mind {
    state: Option<&'static str>,
    failures: Option<(u32, u32, DegradationLevel)>,
    published: u64,
    errors: u64,
    history: u64,
    delivered: u64,
    subscriptions: Table,
}

/// What is known of the paper account, which outlives the coordinator.
#[derive(Debug)]
struct Paper {
    balances: BTreeMap<Name, Amount>,
    fills: u64,
    /// Whatever the currency; none once it does not fit a decimal.
    fees: Option<Amount>,
    /// What is left of each open position.
    open: BTreeMap<u64, Amount>,
    closings: u64,
    /// None once it does not fit a decimal.
    profit: Option<Amount>,
}

/// Both.
#[derive(Debug)]
pub(super) struct StatusTold {
    mode: TradingMode,
    mind: Mind,
    /// None in live trading.
    paper: Option<Paper>,
}

impl StatusTold {
    pub(super) fn new(plan: &Plan<Config>) -> StatusTold {
        let config = &plan.system;
        let initial = config.paper.initial_balance.iter();
        let paper = Paper {
            balances: initial
                .map(|(asset, balance)| (Name::from(asset.as_str()), *balance))
                .collect(),
            fills: 0,
            fees: Some(Amount::ZERO),
            open: BTreeMap::new(),
            closings: 0,
            profit: Some(Amount::ZERO),
        };
        StatusTold {
            mode: config.trading_mode,
            mind: Mind::default(),
            paper: (config.trading_mode == TradingMode::Paper).then_some(paper),
        }
    }
}

impl Mind {
    fn tells(&self, status: &Value) -> Result<(), String> {
        if let Some(state) = self.state {
            same("the state", &status["state"], &state.into())?;
        }
        if let Some((llm, api, level)) = self.failures {
            same("model failures", &status["llm_failures"], &llm.into())?;
            same("other failures", &status["api_failures"], &api.into())?;
            same("the level", &status["level"], &level.name().into())?;
        }
        let bus = &status["bus"];
        same("messages", &bus["published"], &self.published.into())?;
        same("errors", &bus["errors"], &self.errors.into())?;
        same("the history", &bus["history_size"], &self.history.into())?;
        for topic in Topic::ALL {
            let known = self.subscriptions.of(*topic);
            let known: Vec<_> = known.iter().map(|key| key.subscriber.as_str()).collect();
            let found = bus["subscriptions"][topic.name()].as_array();
            let found = found.into_iter().flatten();
            if !found.map(Value::as_str).eq(known.iter().copied().map(Some)) {
                return Err(format!(
                    "expected {known:?} to be told of `{topic}`, found other subscribers"
                ));
            }
        }
        // Of those that were called some may not have finished yet, or never will.
        let finished = bus["delivered"].as_u64();
        let most = self.delivered - self.errors;
        if finished.is_some_and(|finished| finished <= most && (finished > 0 || most < 100)) {
            return Ok(());
        }
        Err(format!(
            "expected at most {most} deliveries to be told, and some of many, found {finished:?}"
        ))
    }
}

impl Paper {
    fn note(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::Filled(it) => {
                self.fills += 1;
                self.fees = self.fees.and_then(|fees| fees.and(it.fee).ok());
            }
            DomainEvent::BalanceChanged(it) => {
                self.balances.insert(it.asset.clone(), it.balance);
            }
            DomainEvent::PositionOpened(it) => {
                self.open.insert(it.position, it.size);
            }
            DomainEvent::PositionClosed(it) => self.close(it),
            _ => {}
        }
    }

    fn close(&mut self, closed: &PositionClosed) {
        self.closings += 1;
        let profit = self.profit.and_then(|it| it.plus(closed.profit).ok());
        self.profit = profit;
        let left = self.open.get(&closed.position);
        let left = left.and_then(|size| size.minus(closed.size).ok());
        match left {
            Some(left) if left.is_above_zero() => self.open.insert(closed.position, left),
            _ => self.open.remove(&closed.position),
        };
    }

    fn tells(&self, paper: &Value) -> Result<(), String> {
        let told = |asset: &Name| paper["balances"].get(asset.as_str()).and_then(amount_of);
        for (asset, balance) in &self.balances {
            let found = told(asset).unwrap_or(Amount::ZERO);
            if found != *balance {
                return Err(format!(
                    "expected {balance} {asset} to be told, found {found}"
                ));
            }
        }
        same("trades", &paper["trade_count"], &self.fills.into())?;
        let open = self.open.len() as u64;
        same("open positions", &paper["open_positions"], &open.into())?;
        let closed = &paper["closed_positions"];
        same("closed positions", closed, &self.closings.into())?;
        for (what, known, found) in [
            ("a profit", self.profit, &paper["realized_pnl"]),
            ("fees", self.fees, &paper["fees"]),
        ] {
            let (Some(known), found) = (known, amount_of(found)) else {
                continue;
            };
            // Added up in another order, the last of many digits is another.
            let (least, most) = (
                known.in_floats() - LAST_DIGIT,
                known.in_floats() + LAST_DIGIT,
            );
            let is_known = found.is_some_and(|found| (least..=most).contains(&found.in_floats()));
            if !is_known {
                let found = found.map_or("none".to_owned(), |found| found.to_string());
                return Err(format!(
                    "expected {what} of {known} to be told, found {found}"
                ));
            }
        }
        Ok(())
    }
}

/// An amount as it is written for people.
fn amount_of(told: &Value) -> Option<Amount> {
    told.as_str()?.parse().ok()
}

fn same(what: &str, found: &Value, known: &Value) -> Result<(), String> {
    if found == known {
        return Ok(());
    }
    Err(format!(
        "expected {known} to be told of {what}, found {found}"
    ))
}

impl Invariant<DomainEvent> for StatusTold {
    fn id(&self) -> &'static str {
        "status.told"
    }

    fn statement(&self) -> &'static str {
        "the state, the level, the failures, the bus and the account that are told to whoever asks are those \
         that there are, and so is the state that is saved"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Started,
            number::StateChanged,
            number::OutcomeCounted,
            number::StateRestored,
            number::Subscribed,
            number::Unsubscribed,
            number::Published,
            number::Delivered,
            number::HandlerFailed,
            number::HistoryShrunk,
            number::Filled,
            number::BalanceChanged,
            number::PositionOpened,
            number::PositionClosed,
            number::StateSaved,
            number::StatusReported,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::StatusReported]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let (mind, paper) = (&mut self.mind, &mut self.paper);
        match event.domain() {
            Some(DomainEvent::Started(_)) => *mind = Mind::default(),
            Some(DomainEvent::StateChanged(it)) => mind.state = Some(it.to.name()),
            Some(DomainEvent::OutcomeCounted(it)) => {
                mind.failures = Some((it.llm_failures, it.api_failures, it.level));
            }
            Some(DomainEvent::StateRestored(it)) => {
                mind.failures = Some((it.llm_failures, it.api_failures, it.level));
            }
            Some(change @ (DomainEvent::Subscribed(_) | DomainEvent::Unsubscribed(_))) => {
                mind.subscriptions.apply(change);
            }
            Some(DomainEvent::Published(it)) => {
                mind.published += 1;
                mind.history = (mind.history + 1).saturating_sub(it.trimmed.into());
            }
            Some(DomainEvent::Delivered(_)) => mind.delivered += 1,
            Some(DomainEvent::HandlerFailed(_)) => mind.errors += 1,
            Some(DomainEvent::HistoryShrunk(it)) => {
                mind.history = mind.history.saturating_sub(it.dropped);
            }
            Some(DomainEvent::StateSaved(it)) => {
                if let Some(state) = mind.state {
                    return same("the state", &it.record.0["state"], &state.into());
                }
            }
            Some(DomainEvent::StatusReported(it)) => {
                let (told, mode) = (&it.status.0["trading_mode"], self.mode.name());
                same("the trading mode", told, &mode.into())?;
                mind.tells(&it.status.0)?;
                if let Some(paper) = paper {
                    return paper.tells(&it.status.0["paper"]);
                }
            }
            other => {
                if let (Some(paper), Some(other)) = (paper, other) {
                    paper.note(other);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{changed, config, filled, llm_counted, plan, published};
    use super::*;
    use crate::coordinator::state::RunState;
    use crate::domain_event::{
        BalanceChanged, PositionOpened, Started, StateSaved, StatusReported, Subscribed,
    };
    use crate::invariants::planted::Planted;
    use crate::message::Json;

    fn lived() -> Planted {
        Planted::of(StatusTold::new(&plan(config())))
            .then(Started {})
            .then(changed(RunState::Running, RunState::Paused, "pause"))
            .then(llm_counted(false))
            .then(Subscribed {
                topic: Topic::RiskAlerts,
                subscriber: "desk".into(),
                label: None,
                replaced: Vec::new(),
            })
            .then(published(1, Topic::RiskAlerts, 0, json!({})))
            .then(filled("order-1", None, "buy", 100))
            .then(BalanceChanged {
                asset: "USDT".into(),
                balance: Amount::HUNDRED,
                reserved: Amount::ZERO,
            })
            .then(PositionOpened {
                position: 1,
                order: "order-1".into(),
                symbol: "BTC/USDT".into(),
                side: "buy".into(),
                size: Amount::ONE,
                entry_price: Amount::HUNDRED,
                leverage: 1,
                reserved: Amount::ZERO,
            })
            .then(PositionClosed {
                position: 1,
                size: Amount::new(5, 1),
                price: Amount::HUNDRED,
                profit: Amount::ONE,
                reason: "manual".into(),
            })
    }

    fn told(part: &str, field: &str, value: Value) -> Planted {
        let bus = json!({"published": 1, "errors": 0, "history_size": 1, "delivered": 0,
            "subscriptions": {"risk_alerts": ["desk"]}});
        let paper = json!({"balances": {"USDT": "100"}, "trade_count": 1, "open_positions": 1,
            "closed_positions": 1, "realized_pnl": "1", "fees": filled("order-1", None, "buy", 100).fee});
        let mut status = json!({"state": "paused", "level": "NORMAL", "llm_failures": 1,
            "api_failures": 0, "trading_mode": "paper", "bus": bus, "paper": paper});
        if part.is_empty() {
            status[field] = value;
        } else {
            status[part][field] = value;
        }
        lived().then(StatusReported {
            status: Json(status),
        })
    }

    // Fails if any figure may be another one.
    #[test]
    fn the_truth_holds_and_every_figure_that_differs_is_found() {
        told("", "scheduled_in_memory", json!([])).holds();
        for (part, field, wrong) in [
            ("", "state", json!("running")),
            ("", "level", json!("LIMITED")),
            ("", "llm_failures", json!(0)),
            ("", "api_failures", json!(1)),
            ("", "trading_mode", json!("live")),
            ("bus", "published", json!(0)),
            ("bus", "errors", json!(1)),
            ("bus", "history_size", json!(2)),
            ("bus", "delivered", json!(1)),
            ("bus", "subscriptions", json!({})),
            (
                "bus",
                "subscriptions",
                json!({"risk_alerts": ["desk", "other"]}),
            ),
            ("paper", "balances", json!({"USDT": "0"})),
            ("paper", "trade_count", json!(2)),
            ("paper", "open_positions", json!(0)),
            ("paper", "closed_positions", json!(0)),
            ("paper", "realized_pnl", json!("2")),
            ("paper", "fees", json!("7")),
        ] {
            told(part, field, wrong).violated();
        }
    }

    #[test]
    fn the_state_that_is_saved_is_that_which_there_is() {
        let saved = |state: &str| StateSaved {
            record: Json(json!({ "state": state })),
        };
        let asked = || told("", "state", json!("paused"));
        asked().then(saved("paused")).holds();
        asked().then(saved("running")).violated();
    }
}

//! The account as agents are told of it: balances, and the positions that are open.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{DomainEvent, PositionOpened};
use crate::invariants::exact::Exact;
use crate::message::Name;
use crate::model::mask::Mask;

/// What was told of the account so far.
#[derive(Debug)]
pub(super) struct Books {
    /// Whether anybody keeps an account.
    are_kept: bool,
    balances: BTreeMap<String, Amount>,
    open: BTreeMap<u64, Box<PositionOpened>>,
}

impl Books {
    /// The account as a run begins with it.
    pub(super) fn of(config: &Config) -> Books {
        Books {
            are_kept: config.trading_mode == TradingMode::Paper,
            balances: config.paper.initial_balance.clone(),
            open: BTreeMap::new(),
        }
    }

    /// Takes note of a balance or a position.
    pub(super) fn keep(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::BalanceChanged(it) => {
                self.balances.insert(it.asset.to_string(), it.balance);
            }
            DomainEvent::PositionOpened(it) => {
                self.open.insert(it.position, it.clone());
            }
            DomainEvent::PositionClosed(it) => {
                let rest = self.open.get_mut(&it.position);
                let rest = rest.map(|open| {
                    open.size = open.size.minus(it.size).unwrap_or(Amount::ZERO);
                    open.size
                });
                if rest.is_some_and(|rest| !rest.is_above_zero()) {
                    self.open.remove(&it.position);
                }
            }
            _ => {}
        }
    }

    /// Whether an account is told as it is, and none where none is kept. Stops and targets may have moved.
    pub(super) fn agree(&self, told: &Value, symbol: &Name, mask: &Mask) -> bool {
        if !self.are_kept {
            return told.is_null();
        }
        let balances = self
            .balances
            .iter()
            .map(|(asset, balance)| (asset.clone(), balance.in_floats().into()));
        let mut balances = Value::Object(balances.collect());
        mask.veil(&mut balances);
        let of_symbol = self.open.values().filter(|open| open.symbol == *symbol);
        let open: Vec<Value> = of_symbol
            .map(|open| {
                let is_long = open.side == *"buy";
                json!([
                    if is_long { "long" } else { "short" },
                    open.size.in_floats(),
                    open.entry_price.in_floats(),
                ])
            })
            .collect();
        let positions = told["positions"].as_array();
        let positions = positions.into_iter().flatten();
        let told_open: Vec<Value> = positions
            .map(|it| json!([it["side"], it["size"], it["entry_price"]]))
            .collect();
        told["balances"] == balances && told_open == open
    }
}

//! `position_tracking`.

use std::collections::BTreeMap;

use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::execution::{
    Backing, CloseReason, Direction, NewPosition, PositionBook, PositionId,
};
use serde_json::{Value, json};

use crate::encoding::{amount, maybe_amount, micros};

/// `position_tracking`.
pub(super) fn position_tracking(input: &Value, _: Defects) -> Value {
    let rules = serde_json::from_value(input["trailing"].clone()).unwrap();
    let mut case = Case {
        book: PositionBook::new(rules),
        indexes: BTreeMap::new(),
        opened: 0,
    };
    let ops = input["ops"].as_array().unwrap();
    let results: Vec<Value> = ops.iter().map(|op| case.step(op)).collect();
    json!({ "results": results, "closed": case.closed() })
}

/// Positions are named by the number of the operation that opened them.
struct Case {
    book: PositionBook,
    indexes: BTreeMap<PositionId, u64>,
    opened: u64,
}

impl Case {
    fn step(&mut self, op: &Value) -> Value {
        let now_us = micros(&op["t"]);
        let mut result = json!({});
        match op["op"].as_str().unwrap() {
            "open" => {
                if !self.open(now_us, op) {
                    result["error"] = json!("invalid_position");
                }
            }
            "prices" => {
                for (symbol, price) in op["prices"].as_object().unwrap() {
                    self.book.set_price(symbol, amount(price)).unwrap();
                }
            }
            "check" => {
                for due in self.book.due() {
                    let size = self.book.get(due.position).unwrap().size;
                    let closed = self
                        .book
                        .close(now_us, due.position, size, due.price, due.reason);
                    assert!(closed.unwrap().is_some());
                }
            }
            "trail" => self.book.trail().unwrap(),
            "close" => result["closed"] = json!(self.close(now_us, op)),
            other => panic!("unknown operation {other}"),
        }
        let open = self.book.open_positions().map(|position| {
            let position = self.book.valued(position);
            json!({
                "index": self.indexes[&position.id],
                "pnl": position.unrealized_pnl,
                "pnl_pct": position.unrealized_pnl_pct,
                "stop_loss": position.stop_loss,
                "trailing_active": position.trailing.activated,
            })
        });
        result["open"] = open.collect();
        result["closed_total"] = json!(self.book.closed_total());
        result["realized_pnl"] = json!(self.book.realized_pnl());
        result["exposure"] = json!(self.book.total_value().unwrap().to_f64());
        result
    }

    fn open(&mut self, now_us: i64, op: &Value) -> bool {
        let index = self.opened;
        self.opened += 1;
        let new = NewPosition {
            order: None,
            symbol: op["symbol"].as_str().unwrap().to_owned(),
            direction: if op["side"] == "long" {
                Direction::Long
            } else {
                Direction::Short
            },
            size: amount(&op["size"]),
            entry_price: amount(&op["entry_price"]),
            leverage: op["leverage"].as_i64().unwrap(),
            stop_loss: maybe_amount(&op["stop_loss"]),
            take_profit: maybe_amount(&op["take_profit"]),
            trailing: op["trailing"].as_bool().unwrap(),
            backing: Backing::Unsettled,
        };
        match self.book.open(now_us, new) {
            Ok(position) => {
                self.indexes.insert(position.id, index);
                true
            }
            Err(_) => false,
        }
    }

    fn close(&mut self, now_us: i64, op: &Value) -> bool {
        let wanted = op["index"].as_u64().unwrap();
        let found = self.indexes.iter().find(|(_, index)| **index == wanted);
        let Some(position) = found.and_then(|(id, _)| self.book.get(*id)) else {
            return false;
        };
        let (id, size) = (position.id, position.size);
        let reason = CloseReason::Manual;
        let closed = self
            .book
            .close(now_us, id, size, amount(&op["price"]), reason);
        closed.unwrap().is_some()
    }

    fn closed(&self) -> Vec<Value> {
        let closed = self.book.closed_positions().map(|closed| {
            json!({
                "index": self.indexes[&closed.position.id],
                "exit_price": closed.exit_price,
                "realized_pnl": closed.realized_pnl,
                "closed_t": closed.closed_us as f64 / 1e6,
            })
        });
        closed.collect()
    }
}

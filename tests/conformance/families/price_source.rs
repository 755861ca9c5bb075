//! `price_source`.

use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::defect::Defects;
use dacapo_orchestration::execution::{PriceSource, PriceSourceConfig};
use serde_json::{Value, json};

use crate::encoding::{amount, micros};

/// `price_source`.
pub(super) fn price_source(input: &Value, defects: Defects) -> Value {
    let table = input["mock_prices"].as_object().unwrap().iter();
    let config = PriceSourceConfig {
        mode: serde_json::from_value(input["source_type"].clone()).unwrap(),
        max_age_s: input["cache_max_age_s"].as_i64().unwrap(),
        table: table.map(|(s, price)| (s.clone(), amount(price))).collect(),
    };
    let mut source = PriceSource::new(config, defects);
    if input["feed"] == true {
        source.attach_feed();
    }
    let ops = input["ops"].as_array().unwrap();
    let results: Vec<Value> = ops.iter().map(|op| apply(&mut source, op)).collect();
    let stats = source.stats();
    json!({
        "results": results,
        "stats": {
            "cache_hits": stats.cache_hits,
            "cache_misses": stats.cache_misses,
            "ws_updates": stats.updates,
            "cache_size": source.cached(),
        },
    })
}

fn apply(source: &mut PriceSource, op: &Value) -> Value {
    let now_us = micros(&op["t"]);
    let symbol = op["symbol"].as_str().unwrap();
    match op["op"].as_str().unwrap() {
        "get" => return json!({ "price": source.get(now_us, symbol) }),
        "update" => {
            let quoted = &op["timestamp"];
            let quoted_us = if quoted.is_null() {
                now_us
            } else {
                micros(quoted)
            };
            return json!({ "accepted": source.update(symbol, amount(&op["price"]), quoted_us) });
        }
        "fresh" => {
            let max_age_s = op["max_age_s"].as_i64().unwrap();
            return json!({ "fresh": source.is_fresh(now_us, symbol, max_age_s) });
        }
        "set_mock" => source.set(now_us, symbol, amount(&op["price"])),
        // A feed that fails says "error", which is no number.
        "feed" => {
            let price = serde_json::from_value::<Amount>(op["price"].clone()).ok();
            source.set_feed(symbol, price);
        }
        other => panic!("unknown operation {other}"),
    }
    json!({})
}

//! What advice on a rebalancing says, read by other code than the one that follows it.

use serde_json::Value;

/// A trade, as it is to be made before it is divided into batches.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trade {
    pub(super) symbol: String,
    pub(super) action: String,
    pub(super) execution_type: String,
    pub(super) priority: i64,
    /// In dollars.
    pub(super) amount: f64,
}

/// Advice.
#[derive(Debug)]
pub(super) enum Advice {
    /// It can be used: a strategy, and trades, where it says any.
    Usable(Option<String>, Option<Vec<Trade>>),
    /// It cannot.
    Unusable,
    /// A strange one: a number in a form of which it is not plain whether it is one.
    Doubtful,
}

/// An amount.
enum Amount {
    Dollars(f64),
    /// Its trade is left out.
    Senseless,
    Doubtful,
}

/// The most dollars of which it is plain that they fit, whatever is made of them.
const MOST: f64 = 1e12;

/// Reads the object between the first `{` and the last `}`.
pub(super) fn read(text: &str) -> Advice {
    let object = text.find('{').zip(text.rfind('}'));
    let object = object.filter(|(first, last)| first < last);
    let object = object.and_then(|(first, last)| text.get(first..=last));
    let Some(Ok(said)) = object.map(serde_json::from_str::<Value>) else {
        return Advice::Unusable;
    };
    let strategy = said["execution_strategy"].as_str().map(str::to_owned);
    match &said["trades"] {
        Value::Null => Advice::Usable(strategy, None),
        Value::Array(list) if list.is_empty() => Advice::Usable(strategy, None),
        Value::Array(list) => match trades(list) {
            Ok(trades) => Advice::Usable(strategy, Some(trades)),
            Err(advice) => advice,
        },
        _ => Advice::Unusable,
    }
}

/// The trades of a list; what the whole advice is, if they are none.
fn trades(list: &[Value]) -> Result<Vec<Trade>, Advice> {
    let mut all = Vec::new();
    for item in list {
        if !item.is_object() {
            return Err(Advice::Unusable);
        }
        let amount = match amount(item.get("amount_usd")) {
            Amount::Dollars(amount) => amount,
            Amount::Senseless => continue,
            Amount::Doubtful => return Err(Advice::Doubtful),
        };
        let text = |name: &str, otherwise: &str| match item.get(name) {
            None => Ok(otherwise.to_owned()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(Advice::Unusable),
        };
        let action = text("action", "buy")?;
        if action != "buy" && action != "sell" {
            return Err(Advice::Unusable);
        }
        all.push(Trade {
            symbol: text("symbol", "")?,
            action,
            execution_type: text("execution_type", "limit")?,
            priority: match item.get("priority") {
                None => 1,
                Some(priority) => priority.as_i64().ok_or(Advice::Unusable)?,
            },
            amount,
        });
    }
    Ok(all)
}

fn amount(said: Option<&Value>) -> Amount {
    let number = match said {
        None => 0.0,
        Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
        Some(Value::String(text)) => {
            if text
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b' ')
            {
                return Amount::Senseless;
            }
            let is_plain = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            match text.parse() {
                Ok(number) if is_plain => number,
                _ => return Amount::Doubtful,
            }
        }
        Some(_) => return Amount::Senseless,
    };
    if number < 0.0 {
        Amount::Senseless
    } else if number <= MOST {
        Amount::Dollars(number)
    } else {
        Amount::Doubtful
    }
}

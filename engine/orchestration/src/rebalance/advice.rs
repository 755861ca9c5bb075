//! Reading what a model advises: a strategy, and trades in place of those that were calculated.
//!
//! The text is not trusted: what cannot be read leaves the calculated trades as they are.

use serde_json::Value;

use super::RebalanceTrade;
use crate::amount::Amount;
use crate::symbol::Side;

/// What became of asking a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice<'a> {
    /// None is configured.
    NotAsked,
    /// It gave no answer.
    Failed,
    /// Its answer.
    Text(&'a str),
}

/// The trades as they stand before they are divided into batches.
pub(super) struct Draft {
    pub(super) strategy: String,
    pub(super) trades: Vec<RebalanceTrade>,
    pub(super) used_fallback: bool,
}

impl Draft {
    /// Takes over what `advice` says, or marks that it was of no use.
    pub(super) fn follow(&mut self, advice: &Advice<'_>) {
        let text = match advice {
            Advice::NotAsked => return,
            Advice::Failed => None,
            Advice::Text(text) => Some(*text),
        };
        let Some(advised) = text.and_then(read) else {
            self.used_fallback = true;
            return;
        };
        if let Some(strategy) = advised.strategy {
            self.strategy = strategy;
        }
        if let Some(trades) = advised.trades {
            self.trades = trades;
        }
    }
}

/// What a model advises: only where it says something else than what was worked out.
pub(crate) struct Advised {
    /// How the trades are to be carried out.
    pub(crate) strategy: Option<String>,
    /// Trades in place of those that were worked out.
    pub(crate) trades: Option<Vec<RebalanceTrade>>,
}

/// Everything from the first `{` to the last `}`, as JSON. `None` if it is unusable.
pub(crate) fn read(text: &str) -> Option<Advised> {
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    let reply: Value = serde_json::from_str(object).ok()?;
    let strategy = reply["execution_strategy"].as_str().map(str::to_owned);
    let list = match &reply["trades"] {
        Value::Null => &Vec::new(),
        list => list.as_array()?,
    };
    if list.is_empty() {
        let trades = None;
        return Some(Advised { strategy, trades });
    }
    let mut trades = Vec::new();
    for item in list {
        let fields = item.as_object()?;
        let Some(amount_usd) = amount(fields.get("amount_usd")) else {
            continue;
        };
        let text = |key: &str, default: &str| match fields.get(key) {
            None => Some(default.to_owned()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        trades.push(RebalanceTrade {
            symbol: text("symbol", "")?,
            action: Side::from_name(&text("action", "buy")?)?,
            amount_usd,
            execution_type: text("execution_type", "limit")?,
            priority: match fields.get("priority") {
                None => 1,
                Some(priority) => priority.as_i64()?,
            },
            batch_index: 0,
            scheduled_offset_s: None,
        });
    }
    let trades = Some(trades);
    Some(Advised { strategy, trades })
}

/// A missing amount is 0; one that is no number at or above 0 is `None`, and its trade is skipped.
fn amount(value: Option<&Value>) -> Option<Amount> {
    let amount: Amount = match value {
        None => Amount::ZERO,
        Some(value) => serde_json::from_value(value.clone()).ok()?,
    };
    (!amount.is_negative()).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(advice: Advice<'_>) -> Draft {
        let mut draft = Draft {
            strategy: "limit".to_owned(),
            trades: Vec::new(),
            used_fallback: false,
        };
        draft.follow(&advice);
        draft
    }

    #[test]
    fn a_trade_with_a_senseless_amount_is_skipped() {
        let text = r#"Plan: {"execution_strategy": "defer", "trades": [
            {"symbol": "BTC/USDT", "amount_usd": -5},
            {"symbol": "BTC/USDT", "amount_usd": null},
            {"symbol": "XRP/USDT", "action": "sell", "amount_usd": "7.5"}]}."#;
        let draft = follow(Advice::Text(text));
        assert_eq!(
            (draft.strategy.as_str(), draft.used_fallback),
            ("defer", false)
        );
        assert_eq!(draft.trades.len(), 1);
        assert_eq!(draft.trades[0].amount_usd, Amount::new(75, 1));
    }

    #[test]
    fn what_cannot_be_read_changes_nothing_and_is_noted() {
        let texts = [
            "no object",
            "} {",
            r#"{"trades": 1}"#,
            r#"{"execution_strategy": "defer", "trades": [{"action": "hold"}]}"#,
        ];
        for advice in texts.map(Advice::Text).into_iter().chain([Advice::Failed]) {
            let draft = follow(advice);
            assert!(draft.used_fallback, "{advice:?}");
            assert_eq!((draft.strategy.as_str(), draft.trades.len()), ("limit", 0));
        }
    }
}

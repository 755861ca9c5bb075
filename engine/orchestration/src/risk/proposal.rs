//! A proposed trade, and the rules that its fields must keep before anything else looks at it.
//!
//! Whether the trade is wise is not asked here.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::defect::{Defect, Defects};
use crate::symbol::Side;

/// A proposed trade whose fields are what they should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The pair, such as `BTC/USDT`.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// The stake in dollars, before leverage.
    pub size_usd: f64,
    /// The limit price in the quote currency; for a market order what it is expected to fill at,
    /// or 0.
    pub entry_price: f64,
    /// Where a loss is taken.
    pub stop_loss: Option<f64>,
    /// Where a profit is taken.
    pub take_profit: Option<f64>,
    /// 1 or more.
    pub leverage: i64,
    /// 0 to 1.
    pub confidence: f64,
    /// The market regime that the proposal was made in, if it names one.
    pub regime: Option<String>,
    /// The confidence of the technical analysis, if it is known. 0 counts as unknown.
    pub ta_confidence: f64,
    /// The confidence of the sentiment analysis, if it is known. 0 counts as unknown.
    pub sentiment_confidence: f64,
    /// A market order of the rebalancer: it needs no stop, and an entry price is information only.
    pub market: bool,
}

/// A proposed trade as it was received: each field may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProposalDraft {
    /// Expected: text that is not empty.
    pub symbol: Value,
    /// Expected: `buy` or `sell`.
    pub side: Value,
    /// Expected: a number above 0.
    pub size_usd: Value,
    /// Expected: a number above 0.
    pub entry_price: Value,
    /// Expected: null, or a number on the losing side of the entry price.
    pub stop_loss: Value,
    /// Expected: null, or a number on the winning side of the entry price.
    pub take_profit: Value,
    /// Expected: an integer of at least 1; `2.0` is none.
    pub leverage: Value,
    /// Expected: a number from 0 to 1.
    pub confidence: Value,
    /// The market regime; what is not text is taken as an unknown name.
    pub regime: Value,
    /// See [`Proposal::market`].
    pub market: bool,
}

/// One field that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// No text, or empty text.
    Symbol,
    /// Neither `buy` nor `sell`.
    Side,
    /// Not a number above 0.
    Size,
    /// Not a number above 0.
    EntryPrice,
    /// Not a number above 0.
    StopLoss,
    /// On the winning side of the entry price, or at it.
    StopLossSide,
    /// Not a number above 0.
    TakeProfit,
    /// On the losing side of the entry price, or at it.
    TakeProfitSide,
    /// Not an integer of at least 1.
    Leverage,
    /// Not a number from 0 to 1.
    Confidence,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Violation::Symbol => "symbol",
            Violation::Side => "side",
            Violation::Size => "size",
            Violation::EntryPrice => "entry_price",
            Violation::StopLoss => "stop_loss",
            Violation::StopLossSide => "stop_loss_side",
            Violation::TakeProfit => "take_profit",
            Violation::TakeProfitSide => "take_profit_side",
            Violation::Leverage => "leverage",
            Violation::Confidence => "confidence",
        })
    }
}

/// Why a draft is no proposal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// Every field that is wrong.
    #[error("invalid proposal: {}", list(.0))]
    Invalid(Vec<Violation>),
    /// A stop or target cannot be compared with an entry price that is no number.
    #[error("a stop or target needs a numeric entry price to be compared with")]
    EntryNotComparable,
}

fn list(violations: &[Violation]) -> String {
    let names: Vec<_> = violations.iter().map(Violation::to_string).collect();
    names.join(", ")
}

/// Checks every field of `draft` and collects all that is wrong with it.
///
/// A market order is exempt from the rules for the entry price, the stop and the target.
///
/// # Errors
/// See [`ProposalError`].
pub fn validate_proposal(
    draft: &ProposalDraft,
    defects: Defects,
) -> Result<Proposal, ProposalError> {
    let exempt = draft.market && !defects.has(Defect::RebalanceRefused);
    let mut wrong = Vec::new();

    let symbol = draft.symbol.as_str().filter(|symbol| !symbol.is_empty());
    note(&mut wrong, symbol.is_none(), Violation::Symbol);
    let side = draft.side.as_str().and_then(Side::from_name);
    note(&mut wrong, side.is_none(), Violation::Side);
    let size_usd = positive(&draft.size_usd);
    note(&mut wrong, size_usd.is_none(), Violation::Size);
    if !exempt {
        note(
            &mut wrong,
            positive(&draft.entry_price).is_none(),
            Violation::EntryPrice,
        );
        check_levels(draft, side, &mut wrong)?;
    }
    let leverage = integer(&draft.leverage).filter(|leverage| *leverage >= 1);
    note(&mut wrong, leverage.is_none(), Violation::Leverage);
    let confidence = number(&draft.confidence).filter(|c| (0.0..=1.0).contains(c));
    note(&mut wrong, confidence.is_none(), Violation::Confidence);

    match (symbol, side, size_usd, leverage, confidence) {
        (Some(symbol), Some(side), Some(size_usd), Some(leverage), Some(confidence))
            if wrong.is_empty() =>
        {
            Ok(Proposal {
                symbol: symbol.to_owned(),
                side,
                size_usd,
                entry_price: number(&draft.entry_price).unwrap_or(0.0),
                stop_loss: number(&draft.stop_loss),
                take_profit: number(&draft.take_profit),
                leverage,
                confidence,
                regime: draft.regime.as_str().map(str::to_owned),
                ta_confidence: 0.0,
                sentiment_confidence: 0.0,
                market: exempt,
            })
        }
        _ => Err(ProposalError::Invalid(wrong)),
    }
}

fn note(wrong: &mut Vec<Violation>, is_wrong: bool, violation: Violation) {
    if is_wrong {
        wrong.push(violation);
    }
}

/// Stop and target: each a number above 0 and on its side of the entry price.
fn check_levels(
    draft: &ProposalDraft,
    side: Option<Side>,
    wrong: &mut Vec<Violation>,
) -> Result<(), ProposalError> {
    let levels = [
        (
            &draft.stop_loss,
            Violation::StopLoss,
            Violation::StopLossSide,
            Side::Buy,
        ),
        (
            &draft.take_profit,
            Violation::TakeProfit,
            Violation::TakeProfitSide,
            Side::Sell,
        ),
    ];
    for (value, not_positive, wrong_side, side_that_wants_it_below) in levels {
        if value.is_null() {
            continue;
        }
        let Some(level) = positive(value) else {
            wrong.push(not_positive);
            continue;
        };
        let Some(side) = side else { continue };
        let entry = number(&draft.entry_price).ok_or(ProposalError::EntryNotComparable)?;
        let fits = if side == side_that_wants_it_below {
            level < entry
        } else {
            level > entry
        };
        note(wrong, !fits, wrong_side);
    }
    Ok(())
}

/// A number; `true` and `false` count as 1 and 0, as they do in the language of the original.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(f64::from))
}

fn positive(value: &Value) -> Option<f64> {
    number(value).filter(|number| *number > 0.0)
}

fn integer(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_u64().map(|_| i64::MAX))
        .or_else(|| value.as_bool().map(i64::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Profile;
    use serde_json::json;

    fn draft() -> ProposalDraft {
        ProposalDraft {
            symbol: json!("BTC/USDT"),
            side: json!("buy"),
            size_usd: json!(500.0),
            entry_price: json!(45000.0),
            stop_loss: json!(44100.0),
            take_profit: Value::Null,
            leverage: json!(2),
            confidence: json!(0.8),
            regime: json!("ranging"),
            market: false,
        }
    }

    fn violations(draft: &ProposalDraft) -> Vec<Violation> {
        match validate_proposal(draft, Defects::NONE) {
            Err(ProposalError::Invalid(wrong)) => wrong,
            other => panic!("expected violations, found {other:?}"),
        }
    }

    #[test]
    fn every_violation_is_collected() {
        let wrong = violations(&ProposalDraft {
            symbol: json!(""),
            side: json!("BUY"),
            size_usd: json!(0),
            entry_price: json!("x"),
            stop_loss: json!(-1),
            leverage: json!(2.0),
            confidence: json!(1.01),
            ..draft()
        });
        let expected = [
            Violation::Symbol,
            Violation::Side,
            Violation::Size,
            Violation::EntryPrice,
            Violation::StopLoss,
            Violation::Leverage,
            Violation::Confidence,
        ];
        assert_eq!(wrong, expected);
    }

    #[test]
    fn stop_and_target_lie_strictly_on_their_sides() {
        let at_entry = ProposalDraft {
            stop_loss: json!(45000.0),
            take_profit: json!(45000.0),
            ..draft()
        };
        let both = [Violation::StopLossSide, Violation::TakeProfitSide];
        assert_eq!(violations(&at_entry), both);
        let sell = ProposalDraft {
            side: json!("sell"),
            take_profit: json!(46000.0),
            ..draft()
        };
        assert_eq!(violations(&sell), both);
    }

    #[test]
    fn a_stop_without_an_entry_cannot_be_compared() {
        let no_entry = ProposalDraft {
            entry_price: Value::Null,
            ..draft()
        };
        assert_eq!(
            validate_proposal(&no_entry, Defects::NONE),
            Err(ProposalError::EntryNotComparable)
        );
    }

    #[test]
    fn a_market_order_needs_neither_price_nor_stop_unless_the_defect_refuses_it() {
        let market = ProposalDraft {
            entry_price: json!(0),
            stop_loss: Value::Null,
            market: true,
            ..draft()
        };
        assert!(validate_proposal(&market, Defects::NONE).unwrap().market);
        let refused = validate_proposal(&market, Profile::Upstream.defects());
        assert_eq!(
            refused,
            Err(ProposalError::Invalid(vec![Violation::EntryPrice]))
        );
    }
}

//! A rebalancing trade as a proposal for the risk engine.

use serde_json::{Value, json};

use super::RebalanceTrade;
use crate::amount::Amount;
use crate::defect::{Defect, Defects};
use crate::execution::ExecutionError;
use crate::risk::ProposalDraft;

/// How sure a rebalancing is of its trades.
const CONFIDENCE: f64 = 0.8;

/// The market order that carries out `trade`, at the `price` that the source has for its symbol.
///
/// The defect does not ask for a price and proposes the trade at 0.
///
/// # Errors
/// [`ExecutionError::NoPrice`] if there is none.
pub fn trade_draft(
    trade: &RebalanceTrade,
    price: Option<Amount>,
    defects: Defects,
) -> Result<ProposalDraft, ExecutionError> {
    let entry_price = if defects.has(Defect::RebalanceUnpriced) {
        0.0
    } else {
        let no_price = || ExecutionError::NoPrice(trade.symbol.clone());
        price.ok_or_else(no_price)?.to_f64()
    };
    Ok(ProposalDraft {
        symbol: json!(trade.symbol),
        side: json!(trade.action),
        size_usd: json!(trade.amount_usd.abs().to_f64()),
        entry_price: json!(entry_price),
        stop_loss: Value::Null,
        take_profit: Value::Null,
        leverage: json!(1),
        confidence: json!(CONFIDENCE),
        regime: json!("rebalance"),
        market: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Profile;
    use crate::risk::{ProposalError, Violation, validate_proposal};
    use crate::symbol::Side;

    fn trade() -> RebalanceTrade {
        RebalanceTrade {
            symbol: "BTC/USDT".to_owned(),
            action: Side::Sell,
            amount_usd: Amount::from_int(100),
            execution_type: "limit".to_owned(),
            priority: 1,
            batch_index: 0,
            scheduled_offset_s: None,
        }
    }

    #[test]
    fn it_is_priced_from_the_source_or_not_made() {
        let price = Some(Amount::from_int(45_000));
        let draft = trade_draft(&trade(), price, Defects::NONE).unwrap();
        let proposal = validate_proposal(&draft, Defects::NONE).unwrap();
        assert_eq!((proposal.entry_price, proposal.market), (45_000.0, true));
        let error = trade_draft(&trade(), None, Defects::NONE).unwrap_err();
        assert_eq!(error.code(), "no_price");
    }

    #[test]
    fn each_profile_breaks_it_in_its_own_way() {
        let attempt = |profile: Profile| {
            let draft = trade_draft(&trade(), None, profile.defects()).unwrap();
            validate_proposal(&draft, profile.defects())
        };
        let refused = Err(ProposalError::Invalid(vec![Violation::EntryPrice]));
        assert_eq!(attempt(Profile::Upstream), refused);
        let unpriced = attempt(Profile::ReviewFixed).unwrap();
        assert_eq!((unpriced.entry_price, unpriced.market), (0.0, true));
    }
}

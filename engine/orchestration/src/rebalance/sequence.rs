//! In which order trades are sent, and what a buy is worth when a sell before it has failed.

use crate::amount::{Amount, AmountError};
use crate::defect::{Defect, Defects};
use crate::symbol::Side;

/// Puts the sells of an immediate batch first; otherwise the order stays.
pub fn order_immediate<T>(trades: &mut [T], side: impl Fn(&T) -> Side, defects: Defects) {
    if !defects.has(Defect::UnsortedRebalance) {
        trades.sort_by_key(|trade| side(trade) == Side::Buy);
    }
}

/// Puts due legs in the order of `batch`, and the sells of each batch first; otherwise the order stays.
pub fn order_due<T, B: Ord>(
    legs: &mut [T],
    batch: impl Fn(&T) -> B,
    side: impl Fn(&T) -> Side,
    defects: Defects,
) {
    if !defects.has(Defect::ScheduledLegsUnsorted) {
        legs.sort_by_key(|leg| (batch(leg), side(leg) == Side::Buy));
    }
}

/// What remains of a buy of `wanted` dollars when `available` dollars are there to pay for it: all of it,
/// as much as they pay for (in whole cents, `cost_pct` of fees and slippage included), or `None` if that is
/// below the smallest trade. The defect sends it as it is.
///
/// # Errors
/// [`AmountError::Overflow`].
pub fn funded_buy(
    wanted: Amount,
    available: Amount,
    cost_pct: Amount,
    min_trade_usd: Amount,
    defects: Defects,
) -> Result<Option<Amount>, AmountError> {
    if defects.has(Defect::BuysUnfunded) {
        return Ok(Some(wanted));
    }
    let unit_cost = Amount::ONE.plus(cost_pct.over(Amount::HUNDRED)?)?;
    if wanted.times(unit_cost)? <= available {
        return Ok(Some(wanted));
    }
    let affordable = available.over(unit_cost)?.floor(2);
    let worth_it = affordable.is_positive() && affordable >= min_trade_usd;
    Ok(worth_it.then_some(affordable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Profile;

    fn usd(amount: i64) -> Amount {
        Amount::from_int(amount)
    }

    #[test]
    fn sells_go_first_and_keep_their_order() {
        let mut trades = [
            ("a", Side::Buy),
            ("b", Side::Sell),
            ("c", Side::Buy),
            ("d", Side::Sell),
        ];
        let mut as_listed = trades;
        order_immediate(&mut trades, |trade| trade.1, Defects::NONE);
        assert_eq!(trades.map(|trade| trade.0), ["b", "d", "a", "c"]);
        order_immediate(&mut as_listed, |trade| trade.1, Profile::Upstream.defects());
        assert_eq!(as_listed.map(|trade| trade.0), ["a", "b", "c", "d"]);
    }

    #[test]
    fn legs_stay_in_their_batches() {
        let legs = [
            ("a", 1, Side::Buy),
            ("b", 1, Side::Sell),
            ("c", 0, Side::Buy),
            ("d", 0, Side::Sell),
        ];
        let names = |defects| {
            let mut legs = legs;
            order_due(&mut legs, |leg| leg.1, |leg| leg.2, defects);
            legs.map(|leg| leg.0)
        };
        assert_eq!(names(Defects::NONE), ["d", "c", "b", "a"]);
        assert_eq!(names(Profile::ReviewFixed.defects()), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_buy_shrinks_to_what_is_there_or_is_dropped() {
        let fund = |available, defects| {
            funded_buy(usd(100), available, Amount::ONE, usd(10), defects).unwrap()
        };
        assert_eq!(fund(usd(101), Defects::NONE), Some(usd(100)));
        assert_eq!(fund(usd(50), Defects::NONE), Some(Amount::new(4950, 2)));
        assert_eq!(fund(usd(10), Defects::NONE), None);
        assert_eq!(fund(usd(0), Profile::ReviewFixed.defects()), Some(usd(100)));
    }
}

//! `money.non-negative`: nobody spends what is not there, and nothing is reserved that is not there.

use dacapo_kernel::{Event, Invariant};

use crate::domain_event::{DomainEvent, number};
use crate::invariants::exact::Exact;

/// No negative balance; what is reserved never exceeds the balance.
pub(super) struct NonNegative;

impl Invariant<DomainEvent> for NonNegative {
    fn id(&self) -> &'static str {
        "money.non-negative"
    }

    fn statement(&self) -> &'static str {
        "no negative balance; reserved never exceeds balance"
    }

    fn watches(&self) -> &'static [u16] {
        &[number::BalanceChanged]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::BalanceChanged]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let Some(DomainEvent::BalanceChanged(it)) = event.domain() else {
            return Ok(());
        };
        let (asset, balance, reserved) = (&it.asset, it.balance, it.reserved);
        if balance.is_below_zero() {
            return Err(format!(
                "expected a balance of zero or more, found {balance} {asset}"
            ));
        }
        if reserved.is_below_zero() {
            return Err(format!(
                "expected nothing or more to be reserved, found {reserved} {asset}"
            ));
        }
        if reserved > balance {
            return Err(format!(
                "expected at most the balance of {balance} {asset} to be reserved, found {reserved}"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::domain_event::BalanceChanged;
    use crate::invariants::planted::Planted;

    fn after(balance: i64, reserved: i64) -> Planted {
        Planted::of(NonNegative).then(BalanceChanged {
            asset: "USDT".into(),
            balance: Amount::from_int(balance),
            reserved: Amount::from_int(reserved),
        })
    }

    #[test]
    fn an_account_may_be_empty_but_not_owe() {
        after(0, 0).holds();
        after(5, 5).holds();
        let debt = after(-1, 0).violated();
        assert_eq!(debt, "expected a balance of zero or more, found -1 USDT");
    }

    #[test]
    fn no_more_is_reserved_than_there_is_and_never_less_than_nothing() {
        assert!(after(5, 6).violated().contains("at most the balance"));
        assert!(after(5, -1).violated().contains("nothing or more"));
    }
}

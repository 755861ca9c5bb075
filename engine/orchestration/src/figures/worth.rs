//! What the account is worth at each price, for the curves of a report.
//!
//! Between the two balances that one execution changes it would seem to lose one of them, so it is told at
//! prices only.

use dacapo_kernel::Plan;

use super::account::Account;
use crate::config::{Config, TradingMode};
use crate::domain_event::{DomainEvent, OutsideAction};

/// In dollars, at each event that sets a price; nothing where nobody keeps an account, or what is held has no
/// price yet.
pub(crate) fn worth(plan: &Plan<Config>) -> impl FnMut(&DomainEvent) -> Option<f64> + 'static {
    let keeps_account = plan.system.trading_mode == TradingMode::Paper;
    let mut account = Account::new(plan.system.paper.initial_balance.iter());
    move |event| {
        match event {
            DomainEvent::MarketTrade(it) => account.price(&it.symbol, it.price),
            DomainEvent::MarketBar(it) => account.price(&it.symbol, it.close),
            DomainEvent::OutsideActed(it) => match &it.action {
                OutsideAction::SetPrice(set) => account.price(&set.symbol, set.price),
                _ => return None,
            },
            DomainEvent::Filled(it) => {
                account.filled(it);
                return None;
            }
            DomainEvent::BalanceChanged(it) => {
                account.balance(it);
                return None;
            }
            DomainEvent::PositionOpened(it) => {
                account.opened(it);
                return None;
            }
            DomainEvent::PositionClosed(it) => {
                account.closed(it);
                return None;
            }
            _ => return None,
        }
        account.worth().ok().filter(|_| keeps_account)
    }
}

//! Plans of the portfolio that somebody wrote: buys are listed before the sells that pay for them.

use crate::agents::{AgentKind, PlanEntry, PlannedTrade};
use crate::amount::Amount;
use crate::config::{Config, RiskMode};
use crate::rebalance::PlanAction;
use crate::symbol::{DOLLAR, Side};

/// The name of the act.
pub(super) const NAME: &str = "settings.plans";

/// Into how many batches a plan is divided, an hour apart.
const BATCHES: u32 = 3;

/// Gives the portfolio one plan, again and again, and few dollars; `size` says how large its trades are, and where
/// it is odd nobody judges them.
pub(super) fn set(config: &mut Config, size: u64) {
    let dollars = 60 + 100 * i64::try_from(size).unwrap_or(0);
    let amount_usd = Amount::from_int(dollars);
    // The buys are paid for by the sells.
    let balance = &mut config.paper.initial_balance;
    balance.insert(DOLLAR.to_owned(), Amount::from_int(dollars / 2));
    let of_batch = |batch_index| {
        [("XRP/USDT", Side::Buy), ("BTC/USDT", Side::Sell)].map(|(symbol, action)| PlannedTrade {
            symbol: symbol.to_owned(),
            action,
            amount_usd,
            batch_index,
        })
    };
    let plan = PlanEntry {
        from_seconds: 0.0,
        action: PlanAction::Rebalance,
        dca_batches: BATCHES,
        dca_interval_hours: 1,
        trades: (0..BATCHES).flat_map(of_batch).collect(),
    };
    if !size.is_multiple_of(2) {
        config.risk_mode = RiskMode::ApproveAll(Vec::new());
    }
    config.agents.portfolio_rebalance = AgentKind::Plans(vec![plan]);
}

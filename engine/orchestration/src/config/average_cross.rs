//! What the cross of averages may be, and who may go by it.

use dacapo_kernel::Mistake;

use super::{Config, TaskKind};
use crate::agents::AgentKind;
use crate::agents::indicator::Cross;
use crate::symbol::{DOLLAR, sides};

/// It decides trades and nothing else, over windows that can cross, of pairs whose price in
/// dollars makes the stake.
///
/// # Errors
/// The first mistake, with its place.
pub(super) fn check(config: &Config) -> Result<(), Mistake> {
    let five = TaskKind::ALL
        .into_iter()
        .filter(|kind| *kind != TaskKind::TradingDecision);
    let five = five.map(|kind| (format!("agents.{}", kind.agent()), config.agents.of(kind)));
    let others = config.schedules.others.iter().enumerate();
    let others = others.map(|(i, it)| (format!("schedules.others.{i}.agent"), &it.agent));
    for (at, agent) in five.chain(others) {
        if let AgentKind::AverageCross(_) = agent {
            let what = "a cross of averages decides trades, and this agent does not";
            return Err(Mistake::at(&at, what).help("put it into agents.trading_decision"));
        }
    }
    let Some(cross) = config.agents.average_cross() else {
        return Ok(());
    };
    let at = |key: &str| format!("agents.trading_decision.average_cross.{key}");
    if let Err(error) = Cross::new(cross.fast, cross.slow) {
        let at = at(error.field);
        return Err(Mistake::at(&at, format!("`{at}`: {error}")));
    }
    if !cross.quantity.is_positive() {
        let what = format!("expected an amount above 0, found {}", cross.quantity);
        return Err(Mistake::at(&at("quantity"), what));
    }
    let own = &config.schedules.trading_decision.symbols;
    let (place, symbols) = match own {
        Some(symbols) => ("schedules.trading_decision.symbols", symbols),
        None => ("symbols", &config.symbols),
    };
    for (i, symbol) in symbols.iter().enumerate() {
        if sides(symbol).is_ok_and(|(_, quote)| quote != DOLLAR) {
            let what = format!(
                "`{symbol}` is not quoted in {DOLLAR}, so its price is no stake in dollars"
            );
            let help = format!(
                "a cross of averages trades pairs that end in /{DOLLAR}: say which in \
                 schedules.trading_decision.symbols"
            );
            return Err(Mistake::at(&format!("{place}.{i}"), what).help(help));
        }
    }
    Ok(())
}

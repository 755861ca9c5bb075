//! `emergency.part`: in an emergency as much of each position is closed as was ordered, by whoever keeps the account.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant};

use crate::amount::Amount;
use crate::config::{Config, TradingMode};
use crate::domain_event::{DomainEvent, EmergencyOrder, PositionClosed, number};
use crate::invariants::exact::{Exact, exactly};
use crate::message::Name;
use crate::symbol::Markets;

/// The open positions, and what has been closed since an order was last told.
#[derive(Debug)]
pub(super) struct EmergencyPart {
    markets: Markets,
    /// Whether the exchange keeps the account: then it knows what an order leaves open.
    keeps_account: bool,
    /// Each by its number: its symbol, and how much of it is open.
    open: BTreeMap<u64, (Name, Amount)>,
    /// What was closed in an emergency: the symbol, how much was open, and how much was closed.
    closed: Vec<(Name, Amount, Amount)>,
}

impl EmergencyPart {
    pub(super) fn new(config: &Config) -> EmergencyPart {
        EmergencyPart {
            markets: config.markets.clone(),
            keeps_account: config.trading_mode == TradingMode::Paper,
            open: BTreeMap::new(),
            closed: Vec::new(),
        }
    }

    fn close(&mut self, closed: &PositionClosed) {
        let Some((symbol, size)) = self.open.get_mut(&closed.position) else {
            return;
        };
        if closed.reason == *"emergency" {
            self.closed.push((symbol.clone(), *size, closed.size));
        }
        match size.less(closed.size) {
            Ok(left) if left.is_above_zero() => *size = left,
            _ => drop(self.open.remove(&closed.position)),
        }
    }

    /// How much of a position an order closes: of a part whatever the pair can be traded in.
    fn part(&self, order: EmergencyOrder, symbol: &Name, size: Amount) -> Option<Amount> {
        match order {
            EmergencyOrder::Reduce(pct) if pct < 100.0 => {
                let part = size.pct(exactly(pct)?).ok()?;
                let decimals = self.markets.rules(symbol.as_str()).size_decimals;
                Some(part.down_to(decimals))
            }
            EmergencyOrder::CloseAll | EmergencyOrder::Reduce(_) => Some(size),
        }
    }
}

impl Invariant<DomainEvent> for EmergencyPart {
    fn id(&self) -> &'static str {
        "emergency.part"
    }

    fn statement(&self) -> &'static str {
        "in an emergency as much of each position is closed as was ordered: all of it, or so many percent; an \
         account that is kept is never left alone"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::PositionOpened,
            number::PositionClosed,
            number::EmergencyOrdered,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::EmergencyOrdered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::PositionOpened(it)) => {
                let position = (it.symbol.clone(), it.size);
                self.open.insert(it.position, position);
            }
            Some(DomainEvent::PositionClosed(it)) => self.close(it),
            // An order is told once what it closes at this instant is closed.
            Some(DomainEvent::EmergencyOrdered(it)) => {
                if self.keeps_account && it.left.is_none() {
                    return Err(
                        "expected the account to be closed or reduced, found nobody did it".into(),
                    );
                }
                for (symbol, size, closed) in std::mem::take(&mut self.closed) {
                    let part = self.part(it.order, &symbol, size);
                    if let Some(part) = part.filter(|part| *part != closed) {
                        return Err(format!(
                            "expected {part} of {size} to be closed in {symbol}, found {closed}"
                        ));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::{EmergencyOrdered, PositionOpened};
    use crate::invariants::planted::Planted;

    /// A position of ten, of which so much is closed when this is ordered.
    fn closed(size: &str, order: EmergencyOrder) -> Planted {
        let config: Config = serde_json::from_value(serde_json::json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"},
        }))
        .expect("it is one");
        let opened = PositionOpened {
            position: 1,
            order: Name::fixed("order-1"),
            symbol: Name::fixed("BTC/USDT"),
            side: Name::fixed("buy"),
            size: Amount::from_int(10),
            entry_price: Amount::from_int(12),
            leverage: 1,
            reserved: Amount::ZERO,
        };
        let closed = |size: &str, reason| PositionClosed {
            position: 1,
            size: size.parse().expect("it is an amount"),
            price: Amount::from_int(12),
            profit: Amount::ZERO,
            reason: Name::fixed(reason),
        };
        Planted::of(EmergencyPart::new(&config))
            .then(opened)
            .then(closed("1", "manual"))
            .then(closed(size, "emergency"))
            .then(EmergencyOrdered {
                order,
                left: Some(1),
            })
    }

    #[test]
    fn as_much_is_closed_as_was_ordered() {
        closed("9", EmergencyOrder::CloseAll).holds();
        closed("9", EmergencyOrder::Reduce(100.0)).holds();
        closed("3", EmergencyOrder::Reduce(33.333_333_339)).holds();
        closed("2.7", EmergencyOrder::Reduce(30.0)).holds();
    }

    #[test]
    fn more_or_less_than_that_is_found() {
        for (size, order) in [
            ("8", EmergencyOrder::CloseAll),
            ("9", EmergencyOrder::Reduce(30.0)),
            ("2.71", EmergencyOrder::Reduce(30.0)),
        ] {
            let found = closed(size, order).violated();
            assert!(found.contains("to be closed in BTC/USDT"), "{found}");
        }
    }
    // Fails if an order may reach nobody although there is an account.
    #[test]
    fn an_account_is_not_left_alone() {
        let nobody = |mode: &str| {
            let config: Config = serde_json::from_value(serde_json::json!({
                "symbols": ["BTC/USDT"], "market": {"source": "none"}, "trading_mode": mode,
            }))
            .expect("it is one");
            Planted::of(EmergencyPart::new(&config)).then(EmergencyOrdered {
                order: EmergencyOrder::CloseAll,
                left: None,
            })
        };
        nobody("live").holds();
        let found = nobody("paper").violated();
        assert!(found.ends_with("found nobody did it"), "{found}");
    }
}

//! What the account is worth, as the events tell it: balances at the latest prices, plus what positions
//! on margin would earn if they were closed now. And what each closing of a position earned after fees.
//!
//! The exchange keeps its own account while it is simulated; nothing of that is used here. Unlike it,
//! a price counts here however old it is: a market that is closed is worth its last price.

use std::collections::{BTreeMap, BTreeSet};

use crate::amount::{Amount, AmountError};
use crate::by_name::ByName;
use crate::domain_event::{BalanceChanged, Filled, PositionClosed, PositionOpened};
use crate::message::Name;
use crate::symbol::{DOLLAR, Pair};

/// The account.
#[derive(Debug, Default)]
pub(super) struct Account {
    balances: BTreeMap<Name, Amount>,
    prices: ByName<Amount>,
    /// The prices in dollars, by the asset that is priced.
    in_dollars: ByName<Amount>,
    positions: BTreeMap<u64, Open>,
    /// Which of them are on margin: only they are looked at to say what the account is worth.
    on_margin: BTreeSet<u64>,
    /// The last execution that may open a position: its order and its fee.
    opening: Option<(Name, f64)>,
    /// The last execution that closes one: its position and its fee.
    closing: Option<(u64, f64)>,
}

/// An open position.
#[derive(Debug)]
struct Open {
    symbol: Name,
    buys: bool,
    size: Amount,
    entry: Amount,
    leverage: i64,
    margin: bool,
    /// What was paid to open what is left of it, in the quote currency.
    fee: f64,
}

/// An execution in dollars; none where its quote currency has no price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Execution {
    pub(super) value: Option<f64>,
    pub(super) fee: Option<f64>,
}

/// What the closing of a position earned, after its share of the fee of opening it and its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trade {
    /// In the quote currency: its sign says whether it won.
    pub(super) earned: f64,
    /// In dollars; none where the quote currency has no price.
    pub(super) dollars: Option<f64>,
}

impl Account {
    /// An account that begins with these balances.
    pub(super) fn new<'a>(balances: impl Iterator<Item = (&'a String, &'a Amount)>) -> Account {
        let balances = balances.map(|(asset, balance)| (Name::from(asset.as_str()), *balance));
        Account {
            balances: balances.collect(),
            ..Account::default()
        }
    }

    /// The market, or somebody by hand, sets a price. What is not above zero is none.
    pub(super) fn price(&mut self, symbol: &Name, price: Amount) {
        if !price.is_positive() {
            return;
        }
        *self.prices.or_insert_with(symbol, || price) = price;
        let asset = symbol.as_str().strip_suffix(DOLLAR);
        if let Some(asset) = asset.and_then(|asset| asset.strip_suffix('/')) {
            *self.in_dollars.or_insert_with(asset, || price) = price;
        }
    }

    pub(super) fn balance(&mut self, changed: &BalanceChanged) {
        self.balances.insert(changed.asset.clone(), changed.balance);
    }

    pub(super) fn filled(&mut self, fill: &Filled) -> Execution {
        let fee = fill.fee.to_f64();
        match fill.position {
            Some(position) => self.closing = Some((position, fee)),
            None => self.opening = Some((fill.order.clone(), fee)),
        }
        let dollars = self.quote_in_dollars(&fill.symbol);
        Execution {
            value: dollars.map(|price| fill.size.to_f64() * fill.price.to_f64() * price),
            fee: dollars.map(|price| fee * price),
        }
    }

    pub(super) fn opened(&mut self, opened: &PositionOpened) {
        let fee = self.opening.take_if(|(order, _)| *order == opened.order);
        let position = Open {
            symbol: opened.symbol.clone(),
            buys: opened.side.as_str() == "buy",
            size: opened.size,
            entry: opened.entry_price,
            leverage: opened.leverage,
            margin: opened.reserved.is_positive(),
            fee: fee.map_or(0.0, |(_, fee)| fee),
        };
        match position.margin {
            true => self.on_margin.insert(opened.position),
            false => self.on_margin.remove(&opened.position),
        };
        self.positions.insert(opened.position, position);
    }

    /// What the closing earned; none of a position that is not open.
    pub(super) fn closed(&mut self, closed: &PositionClosed) -> Option<Trade> {
        let closing = self.closing.take_if(|(of, _)| *of == closed.position);
        let position = self.positions.get_mut(&closed.position)?;
        let part = closed.size.to_f64() / position.size.to_f64();
        let opening = position.fee * part.min(1.0);
        position.fee -= opening;
        let left = position.size.minus(closed.size).unwrap_or_default();
        position.size = left;
        let symbol = position.symbol.clone();
        if !left.is_positive() {
            self.positions.remove(&closed.position);
            self.on_margin.remove(&closed.position);
        }
        let earned = closed.profit.to_f64() - opening - closing.map_or(0.0, |(_, fee)| fee);
        let dollars = self.quote_in_dollars(&symbol).map(|price| earned * price);
        Some(Trade { earned, dollars })
    }

    /// Whether anything is at risk: a position is open, or anything but dollars is held.
    pub(super) fn in_market(&self) -> bool {
        let held =
            |(asset, balance): (&Name, &Amount)| asset.as_str() != DOLLAR && balance.is_positive();
        !self.positions.is_empty() || self.balances.iter().any(held)
    }

    /// What the account is worth in dollars.
    ///
    /// # Errors
    /// Why that cannot be said: what is held has no price yet.
    pub(super) fn worth(&self) -> Result<f64, String> {
        self.summed().map_err(|error| match error {
            Unknown::Price(asset) => format!("there was no price of {asset} in {DOLLAR}"),
            Unknown::Number(error) => error.to_string(),
        })
    }

    fn summed(&self) -> Result<f64, Unknown> {
        let mut total = Amount::ZERO;
        for (asset, balance) in &self.balances {
            if !balance.is_zero() {
                total = total.plus(match asset.as_str() {
                    // One of it is one: nothing to multiply.
                    DOLLAR => *balance,
                    asset => balance.times(self.dollars(asset)?)?,
                })?;
            }
        }
        let on_margin = self.on_margin.iter();
        for position in on_margin.filter_map(|position| self.positions.get(position)) {
            let pair = pair(&position.symbol)?;
            let price = self.prices.get(&position.symbol);
            let price = *price.ok_or_else(|| Unknown::Price(pair.base.clone()))?;
            let gain = match position.buys {
                true => price.minus(position.entry)?,
                false => position.entry.minus(price)?,
            };
            let profit = gain
                .times(position.size)?
                .times(Amount::from_int(position.leverage))?;
            total = total.plus(profit.times(self.dollars(&pair.quote)?)?)?;
        }
        Ok(total.to_f64())
    }

    /// The price of one unit in dollars.
    fn dollars(&self, asset: &str) -> Result<Amount, Unknown> {
        if asset == DOLLAR {
            return Ok(Amount::ONE);
        }
        let price = self.in_dollars.get(asset).copied();
        price.ok_or_else(|| Unknown::Price(asset.to_owned()))
    }

    fn quote_in_dollars(&self, symbol: &Name) -> Option<f64> {
        let quote = pair(symbol).ok()?.quote;
        self.dollars(&quote).ok().map(Amount::to_f64)
    }
}

/// Why the worth is not known.
enum Unknown {
    Price(String),
    Number(AmountError),
}

impl From<AmountError> for Unknown {
    fn from(error: AmountError) -> Unknown {
        Unknown::Number(error)
    }
}

fn pair(symbol: &Name) -> Result<Pair, Unknown> {
    let pair = symbol.as_str().parse();
    pair.map_err(|_| Unknown::Price(symbol.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(value: &str) -> Amount {
        serde_json::from_value(serde_json::json!(value)).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::from(text)
    }

    fn account() -> Account {
        let dollars = (DOLLAR.to_owned(), Amount::from_int(1_000));
        Account::new([(&dollars.0, &dollars.1)].into_iter())
    }

    fn fill(position: Option<u64>, fee: &str) -> Filled {
        Filled {
            execution: 1,
            order: name("order-1"),
            intent: None,
            position,
            ordered: Amount::ONE,
            leverage: 2,
            symbol: name("BTC/USDT"),
            side: name("buy"),
            size: Amount::ONE,
            price: Amount::HUNDRED,
            fee: amount(fee),
            margin: true,
        }
    }

    fn opened(side: &str) -> PositionOpened {
        PositionOpened {
            position: 1,
            order: name("order-1"),
            symbol: name("BTC/USDT"),
            side: name(side),
            size: Amount::ONE,
            entry_price: Amount::HUNDRED,
            leverage: 2,
            reserved: Amount::from_int(50),
        }
    }

    fn closed(size: &str, profit: i64) -> PositionClosed {
        PositionClosed {
            position: 1,
            size: amount(size),
            price: Amount::from_int(110),
            profit: Amount::from_int(profit),
            reason: name("manual"),
        }
    }

    // Fails if what a margin position would earn is left out, has no leverage, or the wrong sign.
    #[test]
    fn a_margin_position_is_worth_what_it_would_earn() {
        for (side, worth) in [("buy", 1_020.0), ("sell", 980.0)] {
            let mut account = account();
            account.price(&name("BTC/USDT"), Amount::from_int(110));
            account.opened(&opened(side));
            assert_eq!(account.worth(), Ok(worth));
        }
    }

    // Fails if something held without a price counts as nothing.
    #[test]
    fn what_has_no_price_makes_the_worth_unknown() {
        let mut account = account();
        let bitcoin = |balance| BalanceChanged {
            asset: name("BTC"),
            balance,
            reserved: Amount::ZERO,
        };
        account.balance(&bitcoin(Amount::from_int(2)));
        assert_eq!(
            account.worth(),
            Err("there was no price of BTC in USDT".to_owned())
        );
        assert!(account.in_market());
        account.price(&name("BTC/USDT"), Amount::from_int(30));
        account.price(&name("BTC/USDT"), Amount::ZERO);
        assert_eq!(account.worth(), Ok(1_060.0));
        account.balance(&bitcoin(Amount::ZERO));
        assert!(!account.in_market());
    }

    // Fails if a fee is forgotten, or the fee of opening counts twice where a position is closed in parts.
    #[test]
    fn a_trade_pays_its_share_of_the_fees() {
        let mut account = account();
        let execution = account.filled(&fill(None, "4"));
        assert_eq!(execution.value, Some(100.0));
        assert_eq!(execution.fee, Some(4.0));
        account.opened(&opened("buy"));
        account.filled(&fill(Some(1), "0.5"));
        let trade = account.closed(&closed("0.25", 5)).unwrap();
        assert_eq!(trade.earned, 5.0 - 1.0 - 0.5);
        // Without an execution of its own it pays for the opening alone.
        let trade = account.closed(&closed("0.75", 3)).unwrap();
        assert_eq!(trade.dollars, Some(0.0));
        assert_eq!(account.closed(&closed("1", 3)), None);
    }

    // Fails if a currency without a price in dollars is taken for dollars.
    #[test]
    fn another_quote_currency_needs_a_price() {
        let mut account = account();
        let mut cross = fill(None, "1");
        cross.symbol = name("XRP/BTC");
        assert_eq!(account.filled(&cross).value, None);
        account.price(&name("BTC/USDT"), Amount::from_int(3));
        assert_eq!(account.filled(&cross).value, Some(300.0));
        assert_eq!(account.filled(&cross).fee, Some(3.0));
    }
}

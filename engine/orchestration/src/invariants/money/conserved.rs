//! `money.conserved`: every balance is what it began with and what trades added to it, to the last digit.
//!
//! What a trade does to the balances is worked out anew in [`books`]; here it is held against what the
//! exchange says.

mod books;

use dacapo_kernel::{Event, Invariant};

use crate::config::Config;
use crate::domain_event::{
    BalanceChanged, DomainEvent, Filled, PositionClosed, PositionOpened, number,
};
use crate::message::Name;

use books::{Books, Closing, Opening};

/// Per asset: balances and fees are what was there and what trades added; closing a position settles
/// it.
pub(super) struct Conserved {
    books: Books,
    /// The currencies of the last execution whose balances were not told yet.
    untold: Vec<Name>,
    /// The last execution that may open a position, until it did.
    opening: Option<Opening>,
    /// The last execution that closes a position, until it did.
    closing: Option<Closing>,
}

impl Conserved {
    pub(super) fn new(config: &Config) -> Conserved {
        Conserved {
            books: Books::new(config),
            untold: Vec::new(),
            opening: None,
            closing: None,
        }
    }

    /// An exchange tells all of one thing before it tells of the next.
    fn all_told(&self) -> Result<(), String> {
        if let Some(asset) = self.untold.first() {
            return Err(format!(
                "expected the balance of {asset} after an execution, found none"
            ));
        }
        if self.opening.as_ref().is_some_and(Opening::is_margin) {
            return Err("expected a position for a trade on margin, found none".to_owned());
        }
        if self.closing.is_some() {
            return Err("expected a position to be closed by its execution, found none".to_owned());
        }
        Ok(())
    }

    fn filled(&mut self, fill: &Filled) -> Result<(), String> {
        self.all_told()?;
        (self.opening, self.closing) = (None, None);
        let changed = match fill.position {
            None => {
                let opening = self.books.open(fill)?;
                let changed = opening.changed();
                self.opening = Some(opening);
                changed
            }
            Some(position) => {
                let closing = self.books.close(fill, position)?;
                let changed = closing.changed();
                self.closing = Some(closing);
                changed
            }
        };
        self.untold = changed;
        Ok(())
    }

    fn balance(&mut self, told: &BalanceChanged) -> Result<(), String> {
        self.untold.retain(|asset| *asset != told.asset);
        let booked = self.books.holding(&told.asset);
        if booked.balance != told.balance {
            return Err(format!(
                "expected a balance of {} {}, found {}",
                booked.balance, told.asset, told.balance
            ));
        }
        if booked.reserved != told.reserved {
            return Err(format!(
                "expected {} {} to be reserved, found {}",
                booked.reserved, told.asset, told.reserved
            ));
        }
        Ok(())
    }

    fn opened(&mut self, opened: &PositionOpened) -> Result<(), String> {
        match self.opening.take() {
            Some(opening) => self.books.hold(opening, opened),
            None => Err("expected an execution before a position, found none".to_owned()),
        }
    }

    fn closed(&mut self, closed: &PositionClosed) -> Result<(), String> {
        let closing = self.closing.take();
        // What the execution itself changed is booked; nothing else may be left to tell.
        self.all_told()?;
        self.books.settle(closing, closed)
    }
}

impl Invariant<DomainEvent> for Conserved {
    fn id(&self) -> &'static str {
        "money.conserved"
    }

    fn statement(&self) -> &'static str {
        "per asset: balances + fees = initial + deposits - withdrawals + net fills, exactly; closing a \
         position settles it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            number::Filled,
            number::BalanceChanged,
            number::PositionOpened,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Filled]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Filled(fill)) => self.filled(fill),
            Some(DomainEvent::BalanceChanged(told)) => self.balance(told),
            Some(DomainEvent::PositionOpened(opened)) => self.opened(opened),
            Some(DomainEvent::PositionClosed(closed)) => self.closed(closed),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

//! Stops and targets of open positions in the order of prices: a price looks only at those that it reaches.

use std::collections::BTreeSet;

use crate::amount::Amount;

/// Where a position is to end, in the quote currency.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels {
    pub(super) stop: Option<Amount>,
    pub(super) target: Option<Amount>,
}

impl Levels {
    /// The level that a falling price reaches, and the one that a rising price does.
    fn by_way(self, is_long: bool) -> (Option<Amount>, Option<Amount>) {
        if is_long {
            (self.stop, self.target)
        } else {
            (self.target, self.stop)
        }
    }
}

/// The levels of the positions of one symbol.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    falling: BTreeSet<(Amount, u64)>,
    rising: BTreeSet<(Amount, u64)>,
    /// The first level that a falling price reaches, and the first that a rising one does.
    next: (Option<Amount>, Option<Amount>),
}

impl InOrder {
    /// A position was opened.
    pub(super) fn add(&mut self, position: u64, levels: Levels, is_long: bool) {
        let (falling, rising) = levels.by_way(is_long);
        self.falling.extend(falling.map(|level| (level, position)));
        self.rising.extend(rising.map(|level| (level, position)));
        self.look_ahead();
    }

    /// A position has ended.
    pub(super) fn remove(&mut self, position: u64, levels: Levels, is_long: bool) {
        let (falling, rising) = levels.by_way(is_long);
        if let Some(level) = falling {
            self.falling.remove(&(level, position));
        }
        if let Some(level) = rising {
            self.rising.remove(&(level, position));
        }
        self.look_ahead();
    }

    fn look_ahead(&mut self) {
        let (falling, rising) = (self.falling.last(), self.rising.first());
        self.next = (falling.map(|level| level.0), rising.map(|level| level.0));
    }

    /// Whether this price is at any level.
    pub(super) fn is_any_reached(&self, price: Amount) -> bool {
        let (falling, rising) = self.next;
        falling.is_some_and(|level| level >= price) || rising.is_some_and(|level| level <= price)
    }

    /// The positions that this price takes to a level, in no order; one may come twice.
    pub(super) fn reached(&self, price: Amount) -> impl Iterator<Item = u64> {
        let falling = self.falling.iter().rev();
        let falling = falling.take_while(move |level| level.0 >= price);
        let rising = self.rising.iter();
        let rising = rising.take_while(move |level| level.0 <= price);
        falling.chain(rising).map(|level| level.1)
    }
}

//! One symbol as the book of positions knows it: its last price, and the levels that wait for a price, in order.
//!
//! A price looks only at the levels that it reaches, however many positions are open.

use std::collections::BTreeSet;

use super::position::{Direction, Position, PositionId};
use crate::amount::Amount;

/// A stop or target and whose it is, in the order of prices.
type Level = (Amount, PositionId);

/// The last price of a symbol and the levels of its open positions.
#[derive(Clone, Debug, Default)]
pub(super) struct Quoted {
    /// The last price that was shown to its positions.
    pub(super) price: Option<Amount>,
    /// How many prices were shown.
    pub(super) shown: u64,
    /// Stops of longs and targets of shorts: reached from above.
    falling: BTreeSet<Level>,
    /// Targets of longs and stops of shorts: reached from below.
    rising: BTreeSet<Level>,
    /// The first level that a falling price reaches, and the first that a rising one does.
    next: (Option<Amount>, Option<Amount>),
    /// Open positions whose profit might not fit into a number at a price that is tame.
    wild: usize,
}

impl Quoted {
    /// A position was opened, or its levels were set anew after [`Quoted::remove`].
    pub(super) fn add(&mut self, position: &Position) {
        let (falling, rising) = levels(position);
        self.falling.extend(falling);
        self.rising.extend(rising);
        self.look_ahead();
        self.wild += usize::from(!is_tame(position));
    }

    /// A position was closed, or its levels or size are about to be set anew.
    pub(super) fn remove(&mut self, position: &Position) {
        let (falling, rising) = levels(position);
        if let Some(level) = falling {
            self.falling.remove(&level);
        }
        if let Some(level) = rising {
            self.rising.remove(&level);
        }
        self.look_ahead();
        self.wild -= usize::from(!is_tame(position));
    }

    fn look_ahead(&mut self) {
        let (falling, rising) = (self.falling.last(), self.rising.first());
        self.next = (falling.map(|level| level.0), rising.map(|level| level.0));
    }

    /// Whether some profit might not fit into a number at this price, so that each has to be worked out
    /// to know.
    pub(super) fn is_wild_at(&self, price: Amount) -> bool {
        self.wild > 0 || price > Amount::new(MOST, 0) || price.is_negative()
    }

    /// Whether a price from `low` to `high` reaches any level.
    pub(super) fn is_any_reached(&self, low: Amount, high: Amount) -> bool {
        let (falling, rising) = self.next;
        falling.is_some_and(|level| level >= low) || rising.is_some_and(|level| level <= high)
    }

    /// The positions whose stop or target is reached by a price from `low` to `high`. One whose both are
    /// comes twice.
    pub(super) fn reached(&self, low: Amount, high: Amount) -> impl Iterator<Item = PositionId> {
        let falling = self.falling.iter().rev().take_while(move |it| it.0 >= low);
        let rising = self.rising.iter().take_while(move |it| it.0 <= high);
        falling.chain(rising).map(|(_, position)| *position)
    }
}

/// The levels that a falling price reaches, and those that a rising one does.
fn levels(position: &Position) -> (Option<Level>, Option<Level>) {
    let level = |price: Option<Amount>| Some((price?, position.id));
    let (stop, target) = (level(position.stop_loss), level(position.take_profit));
    match position.direction {
        Direction::Long => (stop, target),
        Direction::Short => (target, stop),
    }
}

/// Below this, prices and sizes are tame: with leverage 5 at most and entries of at least its inverse, no
/// profit has more than 19 digits before the point and no percentage more than 21, of 28 that fit.
const MOST: i64 = 1_000_000_000;

fn is_tame(position: &Position) -> bool {
    let most = Amount::new(MOST, 0);
    position.size <= most
        && position.entry_price <= most
        && position.entry_price >= Amount::new(1, 9)
}

#[cfg(test)]
mod tests {
    use super::super::position_book::{PositionBook, TrailingRules};
    use super::super::{Backing, CloseReason, NewPosition};
    use super::*;
    use crate::amount::AmountError;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn open(book: &mut PositionBook, direction: Direction, levels: [i64; 2], size: &str) {
        let new = NewPosition {
            order: None,
            symbol: "BTC/USDT".to_owned(),
            direction,
            size: amount(size),
            entry_price: Amount::from_int(100),
            leverage: 2,
            stop_loss: Some(Amount::from_int(levels[0])),
            take_profit: Some(Amount::from_int(levels[1])),
            trailing: true,
            backing: Backing::Unsettled,
        };
        book.open(0, new).unwrap();
    }

    /// A level that is not moved with its stop, stays after the close or is looked for on the wrong side makes
    /// the order and a look at every position disagree.
    #[test]
    fn the_order_of_levels_finds_what_a_look_at_every_position_finds() {
        let mut book = PositionBook::new(TrailingRules {
            enabled: true,
            ..TrailingRules::default()
        });
        let mut chance = dacapo_kernel::Stream::new(3, "levels", "walk");
        let mut price = 100;
        let mut closed = 0;
        for step in 0..4_000 {
            price = (price + chance.below(9) as i64 - 4).clamp(60, 140);
            if step % 2 == 0 {
                let (stop, target) = (chance.below(30) as i64, chance.below(30) as i64);
                match chance.below(2) {
                    0 => open(&mut book, Direction::Long, [100 - stop, 100 + target], "1"),
                    _ => open(&mut book, Direction::Short, [100 + stop, 100 - target], "1"),
                }
            }
            let shown = Amount::from_int(price);
            book.set_price("BTC/USDT", shown).unwrap();
            book.trail().unwrap();
            let looked: Vec<PositionId> = book
                .open_positions()
                .filter(|position| position.due_at(shown).is_some())
                .map(|position| position.id)
                .collect();
            let due = book.due();
            let found: Vec<PositionId> = due.iter().map(|due| due.position).collect();
            assert_eq!(found, looked, "at step {step}");
            assert_eq!(book.is_any_due(), !looked.is_empty());
            for due in due {
                // Half of a position stays open and due now and then.
                let size = amount(if chance.below(4) == 0 { "0.5" } else { "1" });
                let reason = CloseReason::Manual;
                book.close(0, due.position, size, shown, reason).unwrap();
                closed += 1;
            }
        }
        assert!(closed > 1_000, "only {closed} closed");
        assert!(book.open_count() < 1_000);
    }

    /// A profit that is worked out only when somebody asks must still stop a price that no number can hold.
    #[test]
    fn a_price_at_which_a_profit_does_not_fit_is_not_taken_over() {
        let mut book = PositionBook::default();
        open(&mut book, Direction::Long, [50, 150], "1");
        book.set_price("BTC/USDT", Amount::from_int(110)).unwrap();
        open(
            &mut book,
            Direction::Long,
            [50, 150],
            "7000000000000000000000000000",
        );
        let error = book.set_price("BTC/USDT", Amount::from_int(200));
        assert!(matches!(error, Err(AmountError::Overflow { .. })));
        let first = book.get(PositionId(1)).unwrap();
        assert_eq!(
            book.valued(first).unrealized_pnl,
            Amount::from_int(20),
            "as the price before had it"
        );
    }
}

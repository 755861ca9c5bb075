//! `live.exits`: a position ends at its stop and at its target.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, KernelEvent, Plan, Time, number as kernel};

use super::EXCLUDED;
use super::idle::{Idle, Overdue, Stretch};
use super::levels::{InOrder, Levels};
use super::up::Turn;
use crate::amount::Amount;
use crate::by_name::ByName;
use crate::config::{Config, PriceSet};
use crate::domain_event::{
    DomainEvent, Filled, MarketBar, OrderSubmitted, OutsideAction, PositionClosed, PositionOpened,
    number,
};
use crate::execution::TrailingRules;
use crate::invariants::exact::Exact;
use crate::invariants::set_before_start;
use crate::message::Name;
use crate::symbol::{Markets, in_upper_case};

/// What of the prices was looked at for certain: those that stood for long enough.
#[derive(Debug, Default)]
struct Followed {
    /// How long the last price has stood before whoever looks, and whether that is enough.
    stood: Overdue,
    is_looked_at: bool,
    /// There was a profit for which a stop follows, from the next better price on.
    is_active: bool,
    /// Where the stop has come.
    stop: Option<Amount>,
}

/// An open position.
#[derive(Debug)]
struct Position {
    symbol: Name,
    is_long: bool,
    size: Amount,
    levels: Levels,
    entry: Amount,
    leverage: i64,
    /// The best price since it was opened, and whether that is the last one and the first of its kind.
    best: Amount,
    is_record: bool,
    followed: Followed,
    overdue: Overdue,
}

impl Position {
    /// Takes note of a price.
    fn see(&mut self, price: Amount) {
        self.is_record = if self.is_long {
            price > self.best
        } else {
            price < self.best
        };
        if self.is_record {
            self.best = price;
        }
        self.followed.stood.reset();
        self.followed.is_looked_at = false;
    }

    /// Somebody looks at a price that stands.
    fn look(&mut self, price: Amount, rules: &TrailingRules) {
        self.followed.is_looked_at = true;
        let Some(stop) = self.trailed(price, rules) else {
            return;
        };
        if self.followed.is_active && self.is_record {
            self.followed.stop = Some(stop);
        }
        self.followed.is_active = true;
    }

    /// Where its stop has come that has followed prices up to this one; none while it follows nothing.
    fn trailed(&self, best: Amount, rules: &TrailingRules) -> Option<Amount> {
        let way = Amount::from_int(if self.is_long { 1 } else { -1 });
        let moved = best.minus(self.entry).ok()?.times(way).ok()?;
        let profit = moved.times(Amount::from_int(100 * self.leverage)).ok()?;
        let least = self.entry.times(rules.activation_pct).ok()?;
        let distance = best.percent(rules.trail_distance_pct).ok()?;
        let follows = rules.enabled && profit >= least;
        let stop = best.minus(distance.times(way).ok()?).ok()?;
        follows.then_some(stop)
    }

    /// Where it may end by its stop at the soonest.
    fn soonest_stop(&self, rules: &TrailingRules) -> Option<Amount> {
        let trailed = self.trailed(self.best, rules);
        let both = self.levels.stop.into_iter().chain(trailed);
        if self.is_long { both.max() } else { both.min() }
    }

    /// Whether a price is at the stop or beyond it, and at the target or beyond it, give or take so much.
    fn reached(&self, stop: Option<Amount>, price: Amount, slack: Amount) -> (bool, bool) {
        let beyond = |level: Option<Amount>, below: bool| {
            let past = |level: Amount| {
                if below {
                    level.minus(price)
                } else {
                    price.minus(level)
                }
            };
            let past = |level: Amount| past(level).and_then(|past| past.plus(slack));
            level.is_some_and(|level| past(level).is_ok_and(|past| !past.is_below_zero()))
        };
        (
            beyond(stop, self.is_long),
            beyond(self.levels.target, !self.is_long),
        )
    }
}

/// A position whose stop or target the price has passed is closed within the bound, and for no stop or
/// target that it has not.
pub(super) struct Exits {
    idle: Idle,
    markets: Markets,
    trailing: TrailingRules,
    /// What somebody sets whenever the coordinator begins.
    at_start: Vec<PriceSet>,
    /// Where the orders under way would end, by intent; and by the exchange's own name for them.
    asked: BTreeMap<Name, Levels>,
    orders: BTreeMap<Name, Levels>,
    open: BTreeMap<u64, Position>,
    /// By symbol in upper case.
    quoted: ByName<Quoted>,
    /// Positions that stood at a level when it was last looked, by age.
    waiting: Vec<u64>,
    /// Positions of which a bar touched a level, and when: it closes them at that instant.
    touched: Vec<(u64, Time)>,
}

/// What is known of a symbol.
#[derive(Debug, Default)]
struct Quoted {
    /// The last price, and since when.
    price: Option<(Amount, Time)>,
    levels: InOrder,
}

impl Exits {
    pub(super) fn new(plan: &Plan<Config>) -> Exits {
        Exits {
            at_start: set_before_start(&plan.system).cloned().collect(),
            idle: Idle::new(plan),
            markets: plan.system.markets.clone(),
            trailing: plan.system.trailing,
            asked: BTreeMap::new(),
            orders: BTreeMap::new(),
            open: BTreeMap::new(),
            quoted: ByName::default(),
            waiting: Vec::new(),
            touched: Vec::new(),
        }
    }

    fn pass(&mut self, now: Time) -> Result<(), String> {
        let Some(stretch) = self.idle.pass(now) else {
            return Ok(());
        };
        let mut reached: Vec<u64> = Vec::new();
        for quoted in self.quoted.values() {
            let Some((price, _)) = quoted.price else {
                continue;
            };
            if quoted.levels.is_any_reached(price) {
                reached.extend(quoted.levels.reached(price));
            }
        }
        if self.trailing.enabled {
            self.follow(stretch, &mut reached);
        }
        if reached.is_empty() && self.waiting.is_empty() {
            return Ok(());
        }
        reached.sort_unstable();
        reached.dedup();
        let waited = std::mem::take(&mut self.waiting);
        for id in waited {
            let Some(position) = self.open.get_mut(&id) else {
                continue;
            };
            if self
                .quoted
                .get(&position.symbol)
                .is_some_and(|it| it.price.is_none())
            {
                // How long it goes on waiting is not known before there is a price again.
                self.waiting.push(id);
            } else if reached.binary_search(&id).is_err() {
                position.overdue.reset();
            }
        }
        for id in &reached {
            let Some(position) = self.open.get_mut(id) else {
                continue;
            };
            let quoted = self.quoted.get(&position.symbol);
            let Some((price, since)) = quoted.and_then(|it| it.price) else {
                continue;
            };
            if position.overdue.wait(stretch, since) {
                let (_, targeted) = position.reached(None, price, Amount::ZERO);
                return Err(format!(
                    "expected a position to be closed at its {}, found it open",
                    if targeted { "target" } else { "stop" }
                ));
            }
        }
        self.waiting.extend(reached);
        Ok(())
    }

    /// A price that stands for long enough is looked at, and the stop has followed it then.
    fn follow(&mut self, stretch: Stretch, reached: &mut Vec<u64>) {
        for (id, position) in &mut self.open {
            let quoted = self.quoted.get(&position.symbol);
            let Some((price, since)) = quoted.and_then(|it| it.price) else {
                continue;
            };
            let is_enough = position.followed.stood.wait(stretch, since);
            if is_enough && !position.followed.is_looked_at {
                position.look(price, &self.trailing);
            }
            let stop = position.followed.stop;
            if stop.is_some() && position.reached(stop, price, Amount::ZERO).0 {
                reached.push(*id);
            }
        }
    }

    /// What a bar has touched is closed before anything else happens.
    fn pass_touched(&mut self, now: Time) -> Result<(), String> {
        let is_left = |(id, at): &(u64, Time)| *at < now && self.open.contains_key(id);
        if self.touched.iter().any(is_left) {
            return Err("expected a bar to close what it touches, found a position open".into());
        }
        self.touched.retain(|(_, at)| *at == now);
        Ok(())
    }

    fn touch(&mut self, bar: &MarketBar, now: Time) {
        let quoted = self.quoted.get(&in_upper_case(&bar.symbol));
        if let Some(Quoted { levels, .. }) = quoted.filter(|_| bar.close.is_above_zero()) {
            for price in [bar.low, bar.high] {
                if levels.is_any_reached(price) {
                    let reached = levels.reached(price);
                    self.touched.extend(reached.map(|id| (id, now)));
                }
            }
        }
        self.see(&bar.symbol, bar.close, now);
    }

    fn see(&mut self, symbol: &Name, price: Amount, now: Time) {
        if price.is_above_zero() {
            let symbol = in_upper_case(symbol);
            let quoted = self.quoted.or_insert_with(&symbol, Quoted::default);
            quoted.price = Some((price, now));
            if self.trailing.enabled {
                let of_symbol = self.open.values_mut();
                let of_symbol = of_symbol.filter(|it| *it.symbol == *symbol);
                of_symbol.for_each(|position| position.see(price));
            }
        }
    }

    fn submit(&mut self, order: &OrderSubmitted) {
        let price = |level: Option<f64>| level.and_then(|level| Amount::from_f64(level).ok());
        let levels = Levels {
            stop: price(order.order.stop_loss),
            target: price(order.order.take_profit),
        };
        self.asked.insert(order.intent.clone(), levels);
    }

    fn fill(&mut self, fill: &Filled) {
        let levels = fill
            .intent
            .as_ref()
            .and_then(|intent| self.asked.get(intent));
        if let Some(levels) = levels {
            self.orders.insert(fill.order.clone(), *levels);
        }
    }

    fn opened(&mut self, opened: &PositionOpened) {
        let position = Position {
            symbol: Name::from(in_upper_case(&opened.symbol).as_ref()),
            is_long: opened.side == *"buy",
            size: opened.size,
            levels: self.orders.remove(&opened.order).unwrap_or_default(),
            entry: opened.entry_price,
            leverage: opened.leverage,
            best: opened.entry_price,
            is_record: false,
            followed: Followed::default(),
            overdue: Overdue::default(),
        };
        self.forget(opened.position);
        let levels = self.levels(&position.symbol);
        levels.add(opened.position, position.levels, position.is_long);
        self.open.insert(opened.position, position);
    }

    fn levels(&mut self, symbol: &Name) -> &mut InOrder {
        let quoted = self.quoted.or_insert_with(symbol, Quoted::default);
        &mut quoted.levels
    }

    fn forget(&mut self, position: u64) {
        if let Some(ended) = self.open.remove(&position) {
            let levels = self.levels(&ended.symbol);
            levels.remove(position, ended.levels, ended.is_long);
        }
    }

    fn closed(&mut self, closed: &PositionClosed) -> Result<(), String> {
        let Some(position) = self.open.get_mut(&closed.position) else {
            return Ok(());
        };
        // A bar closes at the level itself, as a price of its pair can say it.
        let step = Amount::new(1, self.markets.rules(&position.symbol).price_decimals);
        let (stopped, reached) =
            position.reached(position.soonest_stop(&self.trailing), closed.price, step);
        let fits = match closed.reason.as_str() {
            "stop_loss" => stopped,
            "take_profit" => reached,
            _ => true,
        };
        match position.size.minus(closed.size) {
            Ok(left) if left.is_above_zero() => position.size = left,
            _ => self.forget(closed.position),
        }
        if fits {
            return Ok(());
        }
        Err(format!(
            "expected a position to be closed by its {} where the price has reached it, found it \
             closed before",
            closed.reason
        ))
    }
}

impl Invariant<DomainEvent> for Exits {
    fn id(&self) -> &'static str {
        "live.exits"
    }

    fn statement(&self) -> &'static str {
        "a position whose stop or target the price has passed is closed within the bound, by a bar at its \
         instant, and none is closed by a level that the price has not reached"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostStarted,
            kernel::HostCrashed,
            number::Started,
            number::Subscribed,
            number::StateChanged,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::OutsideActed,
            number::MarketTrade,
            number::MarketBar,
            number::Filled,
            number::PositionOpened,
            number::PositionClosed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::PositionOpened]]
    }

    fn excludes(&self) -> &'static [&'static str] {
        EXCLUDED
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        let now = event.time;
        self.pass_touched(now)?;
        self.pass(now)?;
        if matches!(event.kernel(), Some(KernelEvent::HostCrashed(_))) {
            self.touched.clear();
        }
        match self.idle.note(event) {
            Turn::Began => {
                for set in self.at_start.clone() {
                    self.see(&set.symbol, set.price, now);
                }
                return Ok(());
            }
            Turn::Crashed => return Ok(()),
            Turn::Nothing => {}
        }
        match event.domain() {
            Some(DomainEvent::MarketTrade(it)) => self.see(&it.symbol, it.price, now),
            Some(DomainEvent::MarketBar(it)) => self.touch(it, now),
            Some(DomainEvent::OutsideActed(it)) => {
                if let OutsideAction::SetPrice(set) = &it.action {
                    self.see(&set.symbol, set.price, now);
                }
            }
            Some(DomainEvent::OrderSubmitted(it)) => self.submit(it),
            Some(DomainEvent::Filled(it)) => self.fill(it),
            Some(DomainEvent::PositionOpened(it)) => self.opened(it),
            Some(DomainEvent::PositionClosed(it)) => return self.closed(it),
            // An exchange that was down need not have seen the last prices.
            _ if matches!(event.kernel(), Some(KernelEvent::HostCrashed(_))) => {
                self.quoted.values_mut().for_each(|it| it.price = None);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, end: Time) -> Result<(), String> {
        self.pass_touched(end)?;
        self.pass(end)
    }
}

#[cfg(test)]
mod tests;

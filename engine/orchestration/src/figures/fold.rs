//! The figures of a run as a fold over its events.

use dacapo_kernel::{Body, Event, KernelEvent, Measure, Measured, Plan, Time, Wanted};

use super::account::Account;
use super::conditions::{Conditions, Watch};
use super::config::FiguresConfig;
use super::cutoff::Cutoff;
use super::models::Calls;
use super::series::{Point, Sampler};
use super::tally::Tally;
use super::told::Told;
use crate::config::{Config, TradingMode};
use crate::domain_event::{DomainEvent, OutsideAction};

/// What makes the figures of a run.
pub(crate) fn measure(plan: &Plan<Config>, wanted: Wanted) -> Box<dyn Measure<DomainEvent>> {
    let config = plan.system.figures.clone();
    let balances = &plan.system.paper.initial_balance;
    let account = Account::new(balances.iter());
    let cutoff = Cutoff::of(plan);
    let mut fold = Fold {
        sampler: Sampler::new(config.period, plan.start_unix_ns),
        keeps_account: plan.system.trading_mode == TradingMode::Paper,
        watch: Watch::new(account.in_market()),
        account,
        changed: None,
        unvalued: None,
        calls: Calls::default(),
        tallies: parts(wanted.split.or_else(|| cutoff.and_then(Cutoff::within))),
        cutoff,
        config,
        seed: plan.seed,
        start_unix_ns: plan.start_unix_ns,
        intervals: wanted.intervals,
    };
    fold.note_change(Time::ZERO);
    Box::new(fold)
}

/// The whole run, and what lies before and after the time at which it is split.
fn parts(split: Option<Time>) -> Vec<Tally> {
    let forever = Time::from_nanos(u64::MAX);
    let mut parts = vec![Tally::new(Time::ZERO, forever)];
    if let Some(split) = split {
        parts.push(Tally::new(Time::ZERO, split));
        parts.push(Tally::new(split, forever));
    }
    parts
}

struct Fold {
    config: FiguresConfig,
    seed: u64,
    start_unix_ns: i64,
    intervals: bool,
    keeps_account: bool,
    account: Account,
    sampler: Sampler,
    /// When the worth last changed, where that is not in the series yet.
    changed: Option<Time>,
    /// Why the worth was not known at some time.
    unvalued: Option<String>,
    watch: Watch,
    calls: Calls,
    /// From when on no model has read what happens, where that is stated.
    cutoff: Option<Cutoff>,
    tallies: Vec<Tally>,
}

impl Measure<DomainEvent> for Fold {
    fn observe(&mut self, event: &Event<DomainEvent>) {
        match &event.body {
            Body::Kernel(kernel) => self.kernel(event.time, kernel),
            Body::Domain(domain) => self.domain(event, domain),
        }
    }

    fn finish(mut self: Box<Self>, end: Time) -> Measured {
        self.sample();
        self.conditions(end, self.watch.now, true);
        let split = self.tallies.get(1).map(|before| before.to);
        let at_cutoff = split.is_some() && split == self.cutoff.and_then(Cutoff::within);
        if at_cutoff && split >= Some(end) {
            // Nothing lies after it: a note says so.
            self.tallies.truncate(1);
        }
        for tally in &mut self.tallies {
            tally.to = tally.to.min(end);
            tally.from = tally.from.min(end);
        }
        Told {
            series: self.sampler.finish(self.config.period),
            config: &self.config,
            seed: self.seed,
            start_unix_ns: self.start_unix_ns,
            intervals: self.intervals,
            keeps_account: self.keeps_account,
            unvalued: self.unvalued,
            read_past: self.cutoff.map(|cutoff| cutoff.told(end, &self.tallies)),
        }
        .measured(&self.tallies)
    }
}

impl Fold {
    fn kernel(&mut self, time: Time, event: &KernelEvent) {
        match event {
            KernelEvent::CallLost(lost) => self.calls.forget(lost.call),
            KernelEvent::CallCancelled(cancelled) => self.calls.forget(cancelled.call),
            _ => {
                let after = self.watch.after_kernel(event);
                self.conditions(time, after, false);
            }
        }
    }

    fn domain(&mut self, event: &Event<DomainEvent>, domain: &DomainEvent) {
        let time = event.time;
        match domain {
            DomainEvent::MarketTrade(trade) => {
                self.before_change(time);
                self.account.price(&trade.symbol, trade.price);
                self.note_change(time);
            }
            DomainEvent::MarketBar(bar) => {
                self.before_change(time);
                self.account.price(&bar.symbol, bar.close);
                self.note_change(time);
            }
            DomainEvent::OutsideActed(acted) => {
                if let OutsideAction::SetPrice(set) = &acted.action {
                    self.before_change(time);
                    self.account.price(&set.symbol, set.price);
                    self.note_change(time);
                }
            }
            DomainEvent::BalanceChanged(changed) => {
                self.before_change(time);
                self.account.balance(changed);
                self.after_trade(time);
            }
            DomainEvent::PositionOpened(opened) => {
                self.before_change(time);
                self.account.opened(opened);
                self.after_trade(time);
            }
            DomainEvent::PositionClosed(closed) => {
                self.before_change(time);
                if let Some(trade) = self.account.closed(closed) {
                    self.each(time, |tally| tally.trade(trade));
                }
                self.after_trade(time);
            }
            DomainEvent::Filled(fill) => {
                let execution = self.account.filled(fill);
                self.each(time, |tally| tally.execution(execution));
            }
            DomainEvent::ModelAsked(asked) => {
                let usage = self.calls.asked(event.seq, asked);
                self.each(time, |tally| tally.usage(usage.clone()));
            }
            DomainEvent::ModelAnswered(answered) => {
                if let Some(usage) = self.calls.answered(event.cause, answered) {
                    self.each(time, |tally| tally.usage(usage.clone()));
                }
            }
            _ => {
                let after = self.watch.after(domain);
                self.conditions(time, after, false);
            }
        }
    }

    fn each(&mut self, time: Time, mut add: impl FnMut(&mut Tally)) {
        let tallies = self.tallies.iter_mut();
        tallies.filter(|tally| tally.holds(time)).for_each(&mut add);
    }

    /// The worth is about to change: what it was in an earlier period goes into the series.
    fn before_change(&mut self, time: Time) {
        if let Some(changed) = self.changed
            && !self.sampler.same_period(changed, time)
        {
            self.sample();
        }
    }

    fn note_change(&mut self, time: Time) {
        self.changed = Some(time);
        if self.sampler.is_empty() {
            self.sample();
        }
    }

    fn after_trade(&mut self, time: Time) {
        self.note_change(time);
        let after = Conditions {
            in_market: self.account.in_market(),
            ..self.watch.now
        };
        self.conditions(time, after, false);
    }

    fn sample(&mut self) {
        let (Some(time), true) = (self.changed.take(), self.keeps_account) else {
            return;
        };
        match self.account.worth() {
            Ok(worth) => {
                if self.sampler.is_empty() {
                    // The series begins with the first worth that is known.
                    self.unvalued = None;
                }
                self.sampler.take(Point { time, worth });
            }
            Err(why) => drop(self.unvalued.get_or_insert(why)),
        }
    }

    /// The conditions are others from now on, or the run is over.
    fn conditions(&mut self, time: Time, after: Conditions, over: bool) {
        let before = self.watch.now;
        if before == after && !over {
            return;
        }
        for tally in &mut self.tallies {
            tally.lasted(before, self.watch.since, time);
        }
        (self.watch.now, self.watch.since) = (after, time);
    }
}

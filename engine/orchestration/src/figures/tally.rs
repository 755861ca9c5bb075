//! What is added up over a part of a run: executions, trades, model calls, time under each condition.

use dacapo_kernel::Time;

use super::account::{Execution, Trade};
use super::conditions::Conditions;
use super::models::{Usage, Usages};
use super::returns::Defined;
use crate::coordinator::state::RunState;
use crate::message::{DegradationLevel, Name};
use crate::symbol::DOLLAR;

/// What is added up over a part of a run: after one time, up to and including another. The part that
/// begins with the run has its first instant, too.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) from: Time,
    pub(super) to: Time,
    pub(super) executions: u64,
    pub(super) trades: u64,
    pub(super) wins: u64,
    pub(super) usages: Usages,
    traded: Sum,
    fees: Sum,
    gains: Sum,
    losses: Sum,
    in_market_ns: u64,
    levels_ns: [u64; 4],
    states_ns: [u64; 3],
    down_ns: u64,
}

/// A sum in dollars, and how many things are missing from it for want of a price.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    dollars: f64,
    missing: u64,
}

impl Sum {
    fn add(&mut self, dollars: Option<f64>) {
        match dollars {
            Some(dollars) => self.dollars += dollars,
            None => self.missing += 1,
        }
    }

    fn value(&self) -> Defined {
        match self.missing {
            0 => Ok(self.dollars),
            missing => Err(format!(
                "{missing} were in a currency without a price in {DOLLAR}"
            )),
        }
    }
}

const STATES: [RunState; 3] = [RunState::Running, RunState::Paused, RunState::Halted];

impl Tally {
    pub(super) fn new(from: Time, to: Time) -> Tally {
        Tally {
            from,
            to,
            executions: 0,
            trades: 0,
            wins: 0,
            usages: Usages::new(),
            traded: Sum::default(),
            fees: Sum::default(),
            gains: Sum::default(),
            losses: Sum::default(),
            in_market_ns: 0,
            levels_ns: [0; 4],
            states_ns: [0; 3],
            down_ns: 0,
        }
    }

    /// Whether what happens at a time belongs here.
    pub(super) fn holds(&self, time: Time) -> bool {
        (time > self.from || self.from == Time::ZERO) && time <= self.to
    }

    pub(super) fn execution(&mut self, execution: Execution) {
        self.executions += 1;
        self.traded.add(execution.value);
        self.fees.add(execution.fee);
    }

    pub(super) fn trade(&mut self, trade: Trade) {
        self.trades += 1;
        if trade.earned > 0.0 {
            self.wins += 1;
            self.gains.add(trade.dollars);
        } else {
            self.losses.add(trade.dollars.map(|dollars| -dollars));
        }
    }

    /// Replies of models that decided something.
    pub(super) fn decisions(&self) -> u64 {
        self.usages.values().map(|usage| usage.decisions).sum()
    }

    pub(super) fn usage(&mut self, (model, usage): (Name, Usage)) {
        self.usages.entry(model).or_default().add(usage);
    }

    /// Conditions that lasted from one time to another, as far as that lies here.
    pub(super) fn lasted(&mut self, conditions: Conditions, since: Time, until: Time) {
        let (from, to) = (since.max(self.from), until.min(self.to));
        if to <= from {
            return;
        }
        let ns = to.as_nanos() - from.as_nanos();
        if conditions.in_market {
            self.in_market_ns += ns;
        }
        if conditions.down {
            self.down_ns += ns;
            return;
        }
        self.levels_ns[usize::from(conditions.level.code())] += ns;
        for (state, sum) in STATES.iter().zip(&mut self.states_ns) {
            if *state == conditions.state {
                *sum += ns;
            }
        }
    }

    fn share(&self, ns: u64) -> Defined {
        match self.to.as_nanos().saturating_sub(self.from.as_nanos()) {
            0 => Err("no time passed".to_owned()),
            all => Ok(ns as f64 / all as f64),
        }
    }

    /// The share of time in which anything was at risk.
    pub(super) fn exposure(&self) -> Defined {
        self.share(self.in_market_ns)
    }

    pub(super) fn at_level(&self, level: DegradationLevel) -> Defined {
        self.share(self.levels_ns[usize::from(level.code())])
    }

    pub(super) fn in_state(&self, state: RunState) -> Defined {
        let sums = STATES.iter().zip(&self.states_ns);
        let own = sums.filter(|(known, _)| **known == state);
        self.share(own.map(|(_, ns)| ns).sum())
    }

    pub(super) fn down(&self) -> Defined {
        self.share(self.down_ns)
    }

    pub(super) fn fees(&self) -> Defined {
        self.fees.value()
    }

    /// Winning trades as a share of all.
    pub(super) fn win_rate(&self) -> Defined {
        match self.trades {
            0 => Err("no position was closed".to_owned()),
            trades => Ok(self.wins as f64 / trades as f64),
        }
    }

    /// What winning trades earned over what the others lost.
    pub(super) fn profit_factor(&self) -> Defined {
        let (gains, losses) = (self.gains.value()?, self.losses.value()?);
        match () {
            () if self.trades == 0 => Err("no position was closed".to_owned()),
            () if losses <= 0.0 => Err("no trade lost anything".to_owned()),
            () => Ok(gains / losses),
        }
    }

    /// The value of all executions over what the account was worth on average.
    pub(super) fn turnover(&self, mean_worth: Defined) -> Defined {
        let (traded, worth) = (self.traded.value()?, mean_worth?);
        match worth > 0.0 {
            true => Ok(traded / worth),
            false => Err("the account was worth nothing, or less, on average".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm(in_market: bool) -> Conditions {
        Conditions {
            level: DegradationLevel::Normal,
            state: RunState::Paused,
            down: false,
            in_market,
        }
    }

    fn tally(from: u64, to: u64) -> Tally {
        Tally::new(Time::from_secs(from), Time::from_secs(to))
    }

    // Fails if time outside of a part counts, or if a host that is down counts as running.
    #[test]
    fn time_is_cut_to_the_part() {
        let mut part = tally(10, 20);
        part.lasted(calm(true), Time::from_secs(0), Time::from_secs(12));
        part.lasted(calm(false), Time::from_secs(12), Time::from_secs(15));
        let down = Conditions {
            down: true,
            ..calm(false)
        };
        part.lasted(down, Time::from_secs(15), Time::from_secs(99));
        assert_eq!(part.exposure(), Ok(0.2));
        assert_eq!(part.at_level(DegradationLevel::Normal), Ok(0.5));
        assert_eq!(part.at_level(DegradationLevel::Emergency), Ok(0.0));
        assert_eq!(part.in_state(RunState::Paused), Ok(0.5));
        assert_eq!(part.in_state(RunState::Running), Ok(0.0));
        assert_eq!(part.down(), Ok(0.5));
        assert!(tally(5, 5).exposure().is_err());
    }

    // Fails if an event at the border belongs to both parts or to none.
    #[test]
    fn each_instant_belongs_to_one_part() {
        let (before, after) = (tally(0, 10), tally(10, 20));
        for (second, parts) in [(0, (true, false)), (10, (true, false)), (11, (false, true))] {
            let time = Time::from_secs(second);
            assert_eq!((before.holds(time), after.holds(time)), parts, "{second}");
        }
    }

    // Fails if a trade that earned nothing counts as won, or a missing price as zero.
    #[test]
    fn trades_are_won_or_lost() {
        let mut part = tally(0, 1);
        assert!(part.win_rate().is_err());
        assert!(part.profit_factor().is_err());
        let trade = |earned| Trade {
            earned,
            dollars: Some(earned),
        };
        part.trade(trade(30.0));
        assert_eq!(
            part.profit_factor(),
            Err("no trade lost anything".to_owned())
        );
        for earned in [-10.0, 0.0, 6.0] {
            part.trade(trade(earned));
        }
        assert_eq!(part.win_rate(), Ok(0.5));
        assert_eq!(part.profit_factor(), Ok(3.6));
        part.trade(Trade {
            earned: 1.0,
            dollars: None,
        });
        assert_eq!(part.win_rate(), Ok(0.6));
        assert!(part.profit_factor().is_err());
    }

    // Fails if turnover is not measured by what the account was worth.
    #[test]
    fn turnover_is_what_was_traded_over_what_there_was() {
        let mut part = tally(0, 1);
        let execution = Execution {
            value: Some(50.0),
            fee: Some(1.0),
        };
        part.execution(execution);
        part.execution(execution);
        assert_eq!(part.turnover(Ok(400.0)), Ok(0.25));
        assert!(part.turnover(Ok(0.0)).is_err());
        assert!(part.turnover(Err("why".to_owned())).is_err());
        assert_eq!(part.fees(), Ok(2.0));
    }
}

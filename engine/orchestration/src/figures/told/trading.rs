//! The figures that are added up: of trading, and of the time at each level and in each state.

use dacapo_kernel::{Measurement, Unit};

use super::equity::Equity;
use crate::coordinator::state::RunState;
use crate::figures::tally::Tally;
use crate::message::DegradationLevel;
use crate::symbol::DOLLAR;

pub(super) fn of_trading(tally: &Tally, equity: &Equity) -> Vec<Measurement> {
    use Unit::{Count, Of, Ratio, Share};
    vec![
        Measurement::new(
            "executions",
            Count,
            Ok(tally.executions as f64),
            "orders and closings that were executed, in whole or in part",
        ),
        Measurement::new(
            "trades",
            Count,
            Ok(tally.trades as f64),
            "positions that were closed, in whole or in part",
        )
        .main(),
        Measurement::new(
            "win_rate",
            Share,
            tally.win_rate(),
            "trades that earned more than their fees",
        )
        .main(),
        Measurement::new(
            "profit_factor",
            Ratio,
            tally.profit_factor(),
            "what they earned over what the others lost",
        )
        .main(),
        Measurement::new(
            "exposure",
            Share,
            tally.exposure(),
            "time in which a position was open or anything but dollars held",
        )
        .main(),
        Measurement::new(
            "turnover",
            Ratio,
            tally.turnover(equity.mean_worth()),
            "value of all executions over the mean equity",
        ),
        Measurement::new("fees", Of(DOLLAR), tally.fees(), "fees of all executions").main(),
    ]
}

pub(super) fn of_time(tally: &Tally) -> Vec<Measurement> {
    let share = |name, value, meaning| Measurement::new(name, Unit::Share, value, meaning);
    let level = |name, level, meaning| share(name, tally.at_level(level), meaning);
    let state = |name, state, meaning| share(name, tally.in_state(state), meaning);
    vec![
        level(
            "time_normal",
            DegradationLevel::Normal,
            "time at the level NORMAL",
        ),
        level(
            "time_reduced",
            DegradationLevel::Reduced,
            "time at the level REDUCED",
        ),
        level(
            "time_limited",
            DegradationLevel::Limited,
            "time at the level LIMITED",
        ),
        level(
            "time_emergency",
            DegradationLevel::Emergency,
            "time at the level EMERGENCY",
        ),
        state(
            "time_running",
            RunState::Running,
            "time in the state running",
        ),
        state("time_paused", RunState::Paused, "time in the state paused"),
        state("time_halted", RunState::Halted, "time in the state halted"),
        share(
            "time_down",
            tally.down(),
            "time in which the coordinator's host was down",
        ),
    ]
}

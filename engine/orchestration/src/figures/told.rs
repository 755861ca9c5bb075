//! What has been folded as named figures, for each part of a run.

mod equity;
mod trading;

use dacapo_kernel::{Interval, Measured, Measurement, Part, Series, Time, Unit};

use equity::{DAYS_OF_RETURN, DAYS_OF_SPREAD, Equity};
use trading::{of_time, of_trading};

use super::bootstrap;
use super::config::FiguresConfig;
use super::drawdown;
use super::models;
use super::returns;
use super::series::{EquitySeries, Point, per_year};
use super::tally::Tally;
use crate::symbol::DOLLAR;

/// Everything that the figures are made of, but for what is added up for each part.
pub(super) struct Told<'a> {
    pub(super) config: &'a FiguresConfig,
    pub(super) seed: u64,
    pub(super) start_unix_ns: i64,
    pub(super) intervals: bool,
    pub(super) keeps_account: bool,
    pub(super) series: EquitySeries,
    /// Why some point is not known.
    pub(super) unvalued: Option<String>,
    /// What models may have read of the run, where that is stated.
    pub(super) read_past: Option<String>,
}

impl Told<'_> {
    pub(super) fn measured(&self, tallies: &[Tally]) -> Measured {
        Measured {
            parts: tallies.iter().map(|tally| self.part(tally)).collect(),
            series: (self.series.points.len() > 1).then(|| self.told_series()),
            notes: self.notes(),
        }
    }

    fn told_series(&self) -> Series {
        let worths: Vec<f64> = self.series.points.iter().map(|point| point.worth).collect();
        let points = self.series.points.iter().zip(drawdown::each(&worths));
        Series {
            columns: vec!["equity", "drawdown"],
            points: points
                .map(|(point, fall)| (point.time, vec![point.worth, fall]))
                .collect(),
        }
    }

    fn part(&self, tally: &Tally) -> Part {
        let equity = self.equity(tally);
        let mut figures = self.of_worth(&equity);
        figures.extend(self.of_fall(&equity));
        figures.extend(of_trading(tally, &equity));
        figures.extend(self.of_models(tally));
        figures.extend(of_time(tally));
        figures.extend(self.of_returns(&equity));
        let models = models::table(&tally.usages, self.config);
        Part {
            from: tally.from,
            to: tally.to,
            figures,
            sections: vec![models]
                .into_iter()
                .filter(|s| !s.rows.is_empty())
                .collect(),
        }
    }

    fn equity(&self, tally: &Tally) -> Equity {
        let points = self.series.part(tally.from, tally.to);
        let per_year = match self.config.periods_per_year {
            Some(periods) => Ok(periods),
            None => per_year(&self.series.points)
                .ok_or_else(|| "the equity has one point, so a year has no periods".to_owned()),
        };
        let days = match (points.first(), points.last()) {
            (Some(first), Some(last)) => last.time.since(first.time).as_secs_f64() / 86_400.0,
            _ => 0.0,
        };
        let points = match (points, self.keeps_account) {
            (_, false) => Err("a live executor keeps no account".to_owned()),
            ([], true) => Err(self
                .unvalued
                .clone()
                .unwrap_or_else(|| "the equity has no point".to_owned())),
            (points, true) => Ok(points.to_vec()),
        };
        let free = per_year.as_ref().map_or(0.0, |per_year| {
            returns::free_of_a_period(self.config.risk_free_pct, *per_year)
        });
        let returns = points
            .clone()
            .and_then(|points| returns::of(points.iter().map(|p| p.worth)));
        Equity {
            points,
            returns,
            per_year,
            free,
            days,
        }
    }

    /// What the account was worth, and the ratios of what it earned.
    fn of_worth(&self, equity: &Equity) -> Vec<Measurement> {
        let end = |of: fn(&[Point]) -> Option<&Point>| {
            let points = equity.points.as_ref().map_err(Clone::clone)?;
            of(points)
                .map(|point| point.worth)
                .ok_or_else(|| "the equity has no point".to_owned())
        };
        let total = equity.of(|r, _| returns::total(r));
        let [of_total, of_sharpe] = self.intervals(equity);
        use Unit::{Of, Ratio, Share};
        vec![
            Measurement::new(
                "equity_start",
                Of(DOLLAR),
                end(|p| p.first()),
                "what the account was worth at first",
            ),
            Measurement::new(
                "equity_end",
                Of(DOLLAR),
                end(|p| p.last()),
                "what it was worth in the end",
            ),
            Measurement::new(
                "total_return",
                Share,
                total,
                "what was earned of what there was",
            )
            .main()
            .within(of_total),
            Measurement::new(
                "annualised_return",
                Share,
                equity.of_a_year(DAYS_OF_RETURN, returns::annualised),
                "the same for a year, compounded",
            ),
            Measurement::new(
                "volatility",
                Share,
                equity.of_a_year(DAYS_OF_SPREAD, returns::volatility),
                "how far a year's return spreads",
            ),
            Measurement::new(
                "sharpe",
                Ratio,
                equity.of_a_year(DAYS_OF_SPREAD, |r, y| returns::sharpe(r, equity.free, y)),
                "return beyond the one without risk, over its spread, of a year",
            )
            .main()
            .within(of_sharpe),
            Measurement::new(
                "sortino",
                Ratio,
                equity.of_a_year(DAYS_OF_SPREAD, |r, y| returns::sortino(r, equity.free, y)),
                "the same over the spread of losses alone",
            ),
            Measurement::new(
                "calmar",
                Ratio,
                equity.of_a_year(DAYS_OF_RETURN, returns::calmar),
                "annualised return over the maximum drawdown",
            ),
        ]
    }

    fn intervals(&self, equity: &Equity) -> [Option<Interval>; 2] {
        let (true, Ok(row), Ok(per_year)) = (self.intervals, &equity.returns, &equity.per_year)
        else {
            return [None, None];
        };
        let sharpe = |row: &[f64]| match equity.days < DAYS_OF_SPREAD {
            true => Err(String::new()),
            false => returns::sharpe(row, equity.free, *per_year),
        };
        bootstrap::intervals(
            row,
            self.config.resamples,
            self.seed,
            [&returns::total, &sharpe],
        )
    }

    /// The deepest fall and its dates.
    fn of_fall(&self, equity: &Equity) -> Vec<Measurement> {
        let points = equity.points.as_ref().map_err(Clone::clone);
        let fall = points.map(|points| {
            let worths: Vec<f64> = points.iter().map(|point| point.worth).collect();
            (points, drawdown::deepest(&worths))
        });
        let depth = fall
            .clone()
            .map(|(_, fall)| fall.map_or(0.0, |fall| fall.depth));
        let date = |of: fn(drawdown::Fall) -> Option<usize>| {
            let (points, fall) = fall.clone()?;
            let fall = fall.ok_or("the equity never fell")?;
            let at = of(fall).ok_or("the equity has not recovered")?;
            Ok(self.unix_seconds(points[at].time))
        };
        use Unit::{Instant, Share};
        vec![
            Measurement::new(
                "max_drawdown",
                Share,
                depth,
                "the deepest fall from a highest value",
            )
            .main(),
            Measurement::new(
                "drawdown_peak",
                Instant,
                date(|f| Some(f.peak)),
                "when it began to fall",
            ),
            Measurement::new(
                "drawdown_trough",
                Instant,
                date(|f| Some(f.trough)),
                "when it was lowest",
            ),
            Measurement::new(
                "drawdown_recovery",
                Instant,
                date(|f| f.recovery),
                "when it was as high again",
            ),
        ]
    }

    fn unix_seconds(&self, time: Time) -> f64 {
        self.start_unix_ns as f64 / 1e9 + time.as_secs_f64()
    }

    fn of_models(&self, tally: &Tally) -> Vec<Measurement> {
        let sum =
            |of: fn(&models::Usage) -> u64| Ok(tally.usages.values().map(of).sum::<u64>() as f64);
        let cost = models::cost(&tally.usages, self.config);
        let is_priced = !self.config.model_prices.is_empty();
        use Unit::{Count, Of};
        let cost = Measurement::new(
            "model_cost",
            Of(DOLLAR),
            cost,
            "what they cost by the price table of the scenario",
        );
        let decisions = Measurement::new(
            "model_decisions",
            Count,
            Ok(tally.decisions() as f64),
            "replies that decided something: all but those to probes",
        );
        let decisions = match self.read_past {
            Some(_) => decisions.main(),
            None => decisions,
        };
        let cost = if is_priced { cost.main() } else { cost };
        vec![
            Measurement::new(
                "model_calls",
                Count,
                sum(|u| u.calls),
                "calls of language models",
            ),
            Measurement::new(
                "failed_calls",
                Count,
                sum(|u| u.failed),
                "those that came back with an error",
            ),
            decisions,
            cost,
        ]
    }

    /// What the ratios rest on, and what a comparison of many runs needs.
    fn of_returns(&self, equity: &Equity) -> Vec<Measurement> {
        let periods = equity.returns.clone().map(|returns| returns.len() as f64);
        let length = Ok(self.series.step_ns as f64 / 1e9);
        let per_period = equity.of(|r, _| returns::sharpe_of_a_period(r, equity.free));
        use Unit::{Count, Ratio, Seconds};
        vec![
            Measurement::new(
                "periods",
                Count,
                periods,
                "returns that the figures rest on",
            ),
            Measurement::new("period", Seconds, length, "how long a period is"),
            Measurement::new(
                "periods_per_year",
                Ratio,
                equity.per_year.clone(),
                self.whence(),
            ),
            Measurement::new(
                "sharpe_per_period",
                Ratio,
                per_period,
                "the Sharpe ratio of a period, not of a year",
            ),
            Measurement::new(
                "skewness",
                Ratio,
                equity.of(|r, _| returns::skewness(r)),
                "of the returns; below zero where losses are the larger ones",
            ),
            Measurement::new(
                "kurtosis",
                Ratio,
                equity.of(|r, _| returns::kurtosis(r)),
                "of the returns; 3 where they are normally distributed",
            ),
        ]
    }

    fn whence(&self) -> &'static str {
        match self.config.periods_per_year {
            Some(_) => "as the scenario says",
            None => "as counted: returns over the years that they span",
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.read_past.iter().cloned().collect();
        let points = &self.series.points;
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let days = last.time.since(first.time).as_secs_f64() / 86_400.0;
            if days < DAYS_OF_RETURN && points.len() > 1 {
                notes.push(format!(
                    "the equity spans {} of virtual time: ratios of a year are stretched from that",
                    Time::from_nanos(last.time.as_nanos() - first.time.as_nanos())
                ));
            }
            if first.time > Time::ZERO {
                notes.push(format!(
                    "the equity is known from {} on: before, something that was held had no price",
                    first.time
                ));
            }
            if let Some(why) = &self.unvalued {
                notes.push(format!("points of the equity are missing: {why}"));
            }
        }
        if self.series.thinned {
            notes.push("the period is longer than the scenario asks for: there would have been too many points".to_owned());
        }
        notes
    }
}

//! What a row of period returns says: mean, spread, and the ratios that are made of them.
//!
//! Plain functions on plain numbers. A return is the change of equity over a period as a share of what
//! it was before. What cannot be said of a row is an error that says why, never a value.

use super::drawdown;

/// A figure, or why it is not defined.
pub(super) type Defined = Result<f64, String>;

/// Spreads below this share of the largest return are what rounding makes of equal returns.
const ROUNDING: f64 = 1e-12;

/// The returns of a row of values: each over the one before, less 1.
///
/// # Errors
/// If the account was worth nothing, or less, before its end.
pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Result<Vec<f64>, String> {
    let mut values = values.into_iter();
    let mut before = values.next().unwrap_or_default();
    let mut returns = Vec::new();
    for value in values {
        if before <= 0.0 {
            return Err("the account was worth nothing, or less".to_owned());
        }
        returns.push(value / before - 1.0);
        before = value;
    }
    Ok(returns)
}

/// The total return: the product of all `1 + r`, less 1.
pub(super) fn total(returns: &[f64]) -> Defined {
    at_least(returns, 1)?;
    Ok(compounded(returns) - 1.0)
}

fn compounded(returns: &[f64]) -> f64 {
    returns.iter().fold(1.0, |product, r| product * (1.0 + r))
}

/// The compound annual growth rate: (1 + total)^(periods per year / periods) − 1.
///
/// CFA Institute, Global Investment Performance Standards (2020), glossary, "annualized".
pub(super) fn annualised(returns: &[f64], per_year: f64) -> Defined {
    at_least(returns, 1)?;
    let grown = compounded(returns);
    if grown <= 0.0 {
        return Err("nothing was left in the end".to_owned());
    }
    Ok(libm::pow(grown, per_year / returns.len() as f64) - 1.0)
}

/// The standard deviation of the returns of a sample (n − 1), times √(periods per year).
///
/// J. C. Hull, Options, Futures, and Other Derivatives, "Estimating volatility from historical data".
pub(super) fn volatility(returns: &[f64], per_year: f64) -> Defined {
    Ok(deviation(returns)? * per_year.sqrt())
}

/// The Sharpe ratio of a period: mean excess return over its standard deviation (n − 1).
///
/// W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994), equations 3 to 6.
pub(super) fn sharpe_of_a_period(returns: &[f64], free: f64) -> Defined {
    let excess = excess(returns, free);
    let deviation = deviation(&excess)?;
    if is_rounding(deviation, &excess) {
        return Err("every return is the same".to_owned());
    }
    Ok(mean(&excess) / deviation)
}

/// The Sharpe ratio of a year: that of a period times √(periods per year).
///
/// A. W. Lo, "The Statistics of Sharpe Ratios", Financial Analysts Journal 58 (2002), equation 20, for
/// returns that do not depend on each other.
pub(super) fn sharpe(returns: &[f64], free: f64, per_year: f64) -> Defined {
    Ok(sharpe_of_a_period(returns, free)? * per_year.sqrt())
}

/// The Sortino ratio of a year: mean excess return over the downside deviation, which is the root of the
/// mean of min(excess, 0)² over all periods, times √(periods per year).
///
/// F. A. Sortino, L. N. Price, "Performance Measurement in a Downside Risk Framework", Journal of
/// Investing 3 (1994), with the return free of risk as the target.
pub(super) fn sortino(returns: &[f64], free: f64, per_year: f64) -> Defined {
    at_least(returns, 2)?;
    let excess = excess(returns, free);
    let squares = excess.iter().map(|r| r.min(0.0) * r.min(0.0));
    let downside = (squares.sum::<f64>() / excess.len() as f64).sqrt();
    if is_rounding(downside, &excess) {
        return Err("no period lost anything".to_owned());
    }
    Ok(mean(&excess) / downside * per_year.sqrt())
}

/// The Calmar ratio: the annualised return over the maximum drawdown.
///
/// T. W. Young, "Calmar Ratio: A Smoother Tool", Futures 20 (1991); here over the whole row, not
/// over its last 36 months.
pub(super) fn calmar(returns: &[f64], per_year: f64) -> Defined {
    let annualised = annualised(returns, per_year)?;
    let lowest = drawdown::deepest_of_returns(returns);
    if lowest >= 0.0 {
        return Err("the equity never fell".to_owned());
    }
    Ok(annualised / -lowest)
}

/// The third standardised moment of the returns, of a population (n).
pub(super) fn skewness(returns: &[f64]) -> Defined {
    standardised(returns, 3)
}

/// The fourth standardised moment of the returns, of a population (n): 3 for a normal distribution.
pub(super) fn kurtosis(returns: &[f64]) -> Defined {
    standardised(returns, 4)
}

fn standardised(returns: &[f64], moment: usize) -> Defined {
    at_least(returns, 2)?;
    let mean = mean(returns);
    let central = |moment: usize| {
        let power = |r: &f64| (0..moment).fold(1.0, |product, _| product * (r - mean));
        returns.iter().map(power).sum::<f64>() / returns.len() as f64
    };
    let deviation = central(2).sqrt();
    if is_rounding(deviation, returns) {
        return Err("every return is the same".to_owned());
    }
    Ok((0..moment).fold(central(moment), |value, _| value / deviation))
}

/// What a period earns without risk, where a year earns so many percent.
pub(super) fn free_of_a_period(per_year_pct: f64, per_year: f64) -> f64 {
    if per_year_pct == 0.0 {
        return 0.0;
    }
    libm::pow(1.0 + per_year_pct / 100.0, 1.0 / per_year) - 1.0
}

fn excess(returns: &[f64], free: f64) -> Vec<f64> {
    returns.iter().map(|r| r - free).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample, about its mean.
fn deviation(values: &[f64]) -> Defined {
    at_least(values, 2)?;
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    Ok((squares.sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

fn is_rounding(spread: f64, values: &[f64]) -> bool {
    let largest = values.iter().fold(0.0, |most: f64, r| most.max(r.abs()));
    spread <= ROUNDING * largest
}

fn at_least(returns: &[f64], least: usize) -> Result<(), String> {
    match returns.len() {
        some if some >= least => Ok(()),
        0 => Err("there is no return yet: the equity has one point".to_owned()),
        some => Err(format!("{some} return is too few: {least} are needed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: f64 = 252.0;

    // Fails if a row of which nothing can be said gives a value, or a value that is no number.
    #[test]
    fn what_cannot_be_said_has_a_reason() {
        type Figure = fn(&[f64]) -> Defined;
        let all: [Figure; 8] = [
            total,
            |r| annualised(r, YEAR),
            |r| volatility(r, YEAR),
            |r| sharpe(r, 0.0, YEAR),
            |r| sortino(r, 0.0, YEAR),
            |r| calmar(r, YEAR),
            skewness,
            kurtosis,
        ];
        for figure in all {
            assert_eq!(
                figure(&[]),
                Err("there is no return yet: the equity has one point".to_owned())
            );
        }
        for figure in &all[2..5] {
            assert_eq!(
                figure(&[0.5]),
                Err("1 return is too few: 2 are needed".to_owned())
            );
        }
        for row in [[0.0; 9], [0.01; 9]] {
            assert_eq!(
                sharpe(&row, 0.0, YEAR),
                Err("every return is the same".into())
            );
            assert_eq!(
                sortino(&row, 0.0, YEAR),
                Err("no period lost anything".into())
            );
            assert_eq!(calmar(&row, YEAR), Err("the equity never fell".into()));
            assert_eq!(skewness(&row), Err("every return is the same".into()));
        }
        assert_eq!(
            annualised(&[0.1, -1.0], YEAR),
            Err("nothing was left in the end".into())
        );
        assert!(of([10.0, 0.0, 10.0]).is_err());
        assert_eq!(of([10.0, 0.0]), Ok(vec![-1.0]));
    }

    // Fails if equal returns that differ by rounding alone are taken for a spread.
    #[test]
    fn rounding_is_no_spread() {
        let returns = [0.3, 0.1 + 0.2, 0.3];
        assert_ne!(returns[0], returns[1], "no rounding here");
        assert!(sharpe(&returns, 0.0, YEAR).is_err());
    }

    // Fails if the ratios take no account of what is earned without risk.
    #[test]
    fn a_return_free_of_risk_is_taken_off() {
        let returns = [0.01, -0.02, 0.03];
        assert!(sharpe(&returns, 0.001, YEAR) < sharpe(&returns, 0.0, YEAR));
        assert!(sortino(&returns, 0.001, YEAR) < sortino(&returns, 0.0, YEAR));
        let free = free_of_a_period(5.0, YEAR);
        assert!((libm::pow(1.0 + free, YEAR) - 1.05).abs() < 1e-12);
    }
}

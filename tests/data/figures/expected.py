"""Writes series.json: four series of equity, and what independent libraries say of each.

python3 -m venv v && v/bin/pip install -r requirements.txt && v/bin/python expected.py > series.json
"""
import json
import math

import empyrical
import numpy
import pandas
import quantstats
import scipy.stats


def prices(seed, count, mean, spread, fat):
    """A made-up equity: whole cents, so that the file has it exactly."""
    draws = numpy.random.default_rng(seed)
    steps = draws.standard_t(fat, count) if fat else draws.standard_normal(count)
    values = 10_000 * numpy.cumprod(1 + mean + spread * steps)
    return [10_000.0] + [round(float(v), 2) for v in values]


SERIES = {
    "calm-days": (252, 0.0, prices(1, 504, 0.0006, 0.008, None)),
    "fat-tails": (365.25, 0.0, prices(2, 900, 0.0002, 0.012, 3)),
    "falling-hours": (8766, 0.0, prices(3, 400, -0.0004, 0.004, None)),
    "free-of-risk": (252, 3.0, prices(4, 300, 0.0010, 0.010, 5)),
}


def expected(per_year, free_pct, equity):
    worth = pandas.Series(equity, index=pandas.date_range("2020-01-01", periods=len(equity)))
    returns = worth.pct_change().iloc[1:]
    free = (1 + free_pct / 100) ** (1 / per_year) - 1 if free_pct else 0.0
    sharpe = empyrical.sharpe_ratio(returns, risk_free=free, annualization=per_year)
    n = len(returns)
    drawdowns = worth / worth.cummax() - 1
    trough = int(numpy.argmin(drawdowns.to_numpy()))
    values = {
        "total_return": empyrical.cum_returns_final(returns),
        "annualised_return": empyrical.annual_return(returns, annualization=per_year),
        "volatility": empyrical.annual_volatility(returns, annualization=per_year),
        "sharpe": sharpe,
        # empyrical takes the mean excess a year over a downside deviation a year.
        "sortino": empyrical.sortino_ratio(returns, required_return=free, annualization=per_year),
        "calmar": empyrical.calmar_ratio(returns, annualization=per_year),
        "max_drawdown": empyrical.max_drawdown(returns),
        # Moments of a population; pandas corrects them for a sample, which the formula does not ask for.
        "skewness": scipy.stats.skew(returns, bias=True),
        "kurtosis": scipy.stats.kurtosis(returns, fisher=False, bias=True),
        "trough": trough,
    }
    # The second library agrees with the first where it can say the same.
    if free == 0.0:
        assert math.isclose(sharpe, quantstats.stats.sharpe(returns, periods=per_year), rel_tol=1e-12)
        assert math.isclose(values["sortino"], quantstats.stats.sortino(returns, periods=per_year), rel_tol=1e-12)
        assert math.isclose(values["volatility"], quantstats.stats.volatility(returns, periods=per_year), rel_tol=1e-12)
    assert math.isclose(values["max_drawdown"], quantstats.stats.max_drawdown(returns), rel_tol=1e-12)
    # The probability that the true Sharpe ratio of a period is above 0.02, by scipy's normal distribution.
    period = sharpe / math.sqrt(per_year)
    spread = 1 - values["skewness"] * period + (values["kurtosis"] - 1) / 4 * period**2
    values["probability_above"] = scipy.stats.norm.cdf((period - 0.02) * math.sqrt(n - 1) / math.sqrt(spread))
    # The best of 50 trials without skill whose Sharpe ratios have the variance 0.001.
    z, gamma = scipy.stats.norm.ppf, numpy.euler_gamma
    values["expected_best"] = math.sqrt(0.001) * ((1 - gamma) * z(1 - 1 / 50) + gamma * z(1 - 1 / (50 * math.e)))
    return {name: float(value) for name, value in values.items()}


print(json.dumps(
    [
        {"name": name, "per_year": per_year, "free_pct": free, "equity": equity,
         "expected": expected(per_year, free, equity)}
        for name, (per_year, free, equity) in SERIES.items()
    ],
))

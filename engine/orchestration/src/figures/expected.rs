//! The figures against those of independent libraries on the same series: see `tests/data/figures`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::deflated::{Best, expected_best, probability_above};
use super::drawdown;
use super::returns;

const SERIES: &str = include_str!("../../../../tests/data/figures/series.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    per_year: f64,
    free_pct: f64,
    equity: Vec<f64>,
    expected: BTreeMap<String, f64>,
}

fn ours(case: &Case) -> BTreeMap<&'static str, f64> {
    let returns = returns::of(case.equity.iter().copied()).unwrap();
    let year = case.per_year;
    let free = returns::free_of_a_period(case.free_pct, year);
    let fall = drawdown::deepest(&case.equity).unwrap();
    let best = Best {
        sharpe: returns::sharpe_of_a_period(&returns, free).unwrap(),
        returns: returns.len() as f64,
        skewness: returns::skewness(&returns).unwrap(),
        kurtosis: returns::kurtosis(&returns).unwrap(),
    };
    [
        ("total_return", returns::total(&returns).unwrap()),
        (
            "annualised_return",
            returns::annualised(&returns, year).unwrap(),
        ),
        ("volatility", returns::volatility(&returns, year).unwrap()),
        ("sharpe", returns::sharpe(&returns, free, year).unwrap()),
        ("sortino", returns::sortino(&returns, free, year).unwrap()),
        ("calmar", returns::calmar(&returns, year).unwrap()),
        ("max_drawdown", fall.depth),
        ("trough", fall.trough as f64),
        ("skewness", best.skewness),
        ("kurtosis", best.kurtosis),
        ("probability_above", probability_above(&best, 0.02).unwrap()),
        ("expected_best", expected_best(50, 0.001)),
    ]
    .into()
}

// Fails if a definition is not the one that the libraries use, or a value is left out on either side.
#[test]
fn independent_libraries_say_the_same() {
    let cases: Vec<Case> = serde_json::from_str(SERIES).unwrap();
    assert_eq!(cases.len(), 4);
    for case in &cases {
        let ours = ours(case);
        let names: Vec<&str> = case.expected.keys().map(String::as_str).collect();
        assert_eq!(
            ours.keys().copied().collect::<Vec<_>>(),
            names,
            "{}",
            case.name
        );
        for (name, value) in ours {
            let expected = case.expected[name];
            let error = (value - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-9, "{} {name}: {value} {expected}", case.name);
        }
    }
}

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
    let returns = returns::of(case.equity.iter().copied()).expect("the series has it");
    let year = case.per_year;
    let free = returns::free_of_a_period(case.free_pct, year);
    let fall = drawdown::deepest(&case.equity).expect("the series has it");
    let best = Best {
        sharpe: returns::sharpe_of_a_period(&returns, free).expect("the series has it"),
        returns: returns.len() as f64,
        skewness: returns::skewness(&returns).expect("the series has it"),
        kurtosis: returns::kurtosis(&returns).expect("the series has it"),
    };
    [
        (
            "total_return",
            returns::total(&returns).expect("the series has it"),
        ),
        (
            "annualised_return",
            returns::annualised(&returns, year).expect("the series has it"),
        ),
        (
            "volatility",
            returns::volatility(&returns, year).expect("the series has it"),
        ),
        (
            "sharpe",
            returns::sharpe(&returns, free, year).expect("the series has it"),
        ),
        (
            "sortino",
            returns::sortino(&returns, free, year).expect("the series has it"),
        ),
        (
            "calmar",
            returns::calmar(&returns, year).expect("the series has it"),
        ),
        ("max_drawdown", fall.depth),
        ("trough", fall.trough as f64),
        ("skewness", best.skewness),
        ("kurtosis", best.kurtosis),
        (
            "probability_above",
            probability_above(&best, 0.02).expect("the series has it"),
        ),
        ("expected_best", expected_best(50, 0.001)),
    ]
    .into()
}

// Fails if a definition is not the one that the libraries use, or a value is left out on either side.
#[test]
fn independent_libraries_say_the_same() {
    let cases: Vec<Case> = serde_json::from_str(SERIES).expect("the series has it");
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

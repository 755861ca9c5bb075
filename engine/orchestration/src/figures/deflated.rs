//! Many trials together: how good the best of them would look if none were any good.
//!
//! D. H. Bailey, M. López de Prado, "The Deflated Sharpe Ratio: Correcting for Selection Bias,
//! Backtest Overfitting, and Non-Normality", Journal of Portfolio Management 40 (2014). With N trials
//! whose Sharpe ratios have the variance V, the best of N without any skill is expected to have
//!
//! SR0 = √V · ((1 − γ) · Z(1 − 1/N) + γ · Z(1 − 1/(N·e))),
//!
//! with γ the Euler-Mascheroni constant and Z the quantile of the normal distribution. The deflated
//! Sharpe ratio is the probability that the true one of the best trial is above that, from its T returns
//! with skewness g3 and kurtosis g4:
//!
//! DSR = Φ((SR − SR0) · √(T − 1) / √(1 − g3·SR + (g4 − 1)/4 · SR²)).
//!
//! All Sharpe ratios in it are those of a period, not of a year. The formula takes the trials to be
//! independent; trials that are alike make SR0 too high, so it errs on the careful side.

use dacapo_kernel::{Section, Trial};

use super::normal;

const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;

/// What is known of one trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Best {
    /// Its Sharpe ratio of a period.
    pub(super) sharpe: f64,
    /// How many returns that rests on.
    pub(super) returns: f64,
    /// Their skewness.
    pub(super) skewness: f64,
    /// Their kurtosis: 3 for a normal distribution.
    pub(super) kurtosis: f64,
}

/// The Sharpe ratio of a period that the best of so many trials without skill is expected to have.
pub(super) fn expected_best(trials: usize, variance: f64) -> f64 {
    let n = trials as f64;
    let best = (1.0 - EULER_MASCHERONI) * normal::quantile(1.0 - 1.0 / n)
        + EULER_MASCHERONI * normal::quantile(1.0 - 1.0 / (n * std::f64::consts::E));
    variance.sqrt() * best
}

/// The probability that the true Sharpe ratio of a trial is above another one.
///
/// # Errors
/// If the returns are too few or too skewed for it to be estimated.
pub(super) fn probability_above(best: &Best, threshold: f64) -> Result<f64, String> {
    let sharpe = best.sharpe;
    let spread = 1.0 - best.skewness * sharpe + (best.kurtosis - 1.0) / 4.0 * sharpe * sharpe;
    if best.returns < 2.0 {
        return Err("the best trial has fewer than two returns".to_owned());
    }
    if spread.is_nan() || spread <= 0.0 {
        return Err("the returns of the best trial are too skewed".to_owned());
    }
    Ok(normal::below(
        (sharpe - threshold) * (best.returns - 1.0).sqrt() / spread.sqrt(),
    ))
}

/// What is to be said of many runs together.
pub(crate) fn across(trials: &[Trial]) -> Vec<Section> {
    let of = |trial: &Trial| {
        let figure = |name: &str| trial.get(name).copied();
        Some(Best {
            sharpe: figure("sharpe_per_period")?,
            returns: figure("periods")?,
            skewness: figure("skewness")?,
            kurtosis: figure("kurtosis")?,
        })
    };
    let known: Vec<(usize, Best)> = (1..)
        .zip(trials)
        .filter_map(|(at, trial)| Some((at, of(trial)?)))
        .collect();
    let mut rows = vec![row(
        "trials",
        trials.len(),
        "runs that were made and compared",
    )];
    let best = known.iter().max_by(|a, b| {
        // Of several that are as good, the first.
        a.1.sharpe.total_cmp(&b.1.sharpe).then(b.0.cmp(&a.0))
    });
    if let Some((at, best)) = best {
        let annual = trials[at - 1].get("sharpe").copied();
        rows.push(row("best", at, "the trial with the highest Sharpe ratio"));
        if let Some(annual) = annual {
            rows.push(row(
                "sharpe",
                rounded(annual),
                "its Sharpe ratio, of a year",
            ));
        }
        rows.extend(judged(trials.len(), &known, best));
    }
    let why = "none of them has a Sharpe ratio";
    if known.is_empty() && !trials.is_empty() {
        rows.push(row("deflated_sharpe", "not defined", why));
    }
    let columns = ["figure", "value", "meaning"].map(str::to_owned).to_vec();
    vec![Section {
        title: "The best of many".to_owned(),
        columns,
        rows,
    }]
}

/// What is left of the best when it is asked how many there were.
fn judged(trials: usize, known: &[(usize, Best)], best: &Best) -> Vec<Vec<String>> {
    let deflated = |value: String, meaning: &str| row("deflated_sharpe", value, meaning);
    if known.len() < 2 {
        let why = "two trials with a Sharpe ratio are needed to know how they spread";
        return vec![deflated("not defined".to_owned(), why)];
    }
    let mean = known.iter().map(|(_, trial)| trial.sharpe).sum::<f64>() / known.len() as f64;
    let squares = known
        .iter()
        .map(|(_, t)| (t.sharpe - mean) * (t.sharpe - mean));
    let variance = squares.sum::<f64>() / (known.len() - 1) as f64;
    let threshold = expected_best(trials, variance);
    let mut rows = vec![row(
        "expected_best",
        rounded(threshold / best.sharpe.abs().max(f64::MIN_POSITIVE)),
        "what the best without any skill is expected to have, over what this one has",
    )];
    rows.push(match probability_above(best, threshold) {
        Ok(value) => deflated(
            rounded(value),
            "how probable it is that the best has any skill, given how many were tried",
        ),
        Err(why) => deflated("not defined".to_owned(), &why),
    });
    rows
}

fn row(name: &str, value: impl ToString, meaning: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_string(), meaning.to_owned()]
}

fn rounded(value: f64) -> String {
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(sharpe: f64) -> Trial {
        [
            ("sharpe", sharpe * 10.0),
            ("sharpe_per_period", sharpe),
            ("periods", 250.0),
            ("skewness", -0.5),
            ("kurtosis", 5.0),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn told(trials: &[Trial], name: &str) -> Option<String> {
        let section = across(trials).remove(0);
        let mut rows = section.rows.into_iter();
        rows.find(|row| row[0] == name).map(|row| row[1].clone())
    }

    // Fails if the paper's example is not met: 100 trials, V = 1/2 per year over 250 days, five years,
    // an annual Sharpe ratio of 2.5, skewness -3, kurtosis 10, gives 0.9004.
    #[test]
    fn the_example_of_the_paper() {
        let best = Best {
            sharpe: 2.5 / 250f64.sqrt(),
            returns: 1250.0,
            skewness: -3.0,
            kurtosis: 10.0,
        };
        let threshold = expected_best(100, 0.5 / 250.0);
        assert!((threshold - 0.1132).abs() < 5e-5, "{threshold}");
        let deflated = probability_above(&best, threshold).unwrap();
        assert!((deflated - 0.9004).abs() < 5e-5, "{deflated}");
    }

    // Fails if the number of trials has no say.
    #[test]
    fn the_more_were_tried_the_less_the_best_is_worth() {
        let few: Vec<Trial> = [0.2, 0.1].map(trial).into();
        let many: Vec<Trial> = (0..40)
            .map(|at| trial(0.1 + f64::from(at % 2) / 10.0))
            .collect();
        let value = |trials| {
            told(trials, "deflated_sharpe")
                .unwrap()
                .parse::<f64>()
                .unwrap()
        };
        assert!(value(&many) < value(&few));
        assert_eq!(told(&many, "best").unwrap(), "2");
    }

    // Fails if a sweep of which nothing can be said gives a number.
    #[test]
    fn what_cannot_be_said_is_not_defined() {
        let undefined = Some("not defined".to_owned());
        assert_eq!(told(&[Trial::new()], "deflated_sharpe"), undefined);
        assert_eq!(told(&[trial(0.1)], "deflated_sharpe"), undefined);
        assert_eq!(told(&[], "trials"), Some("0".to_owned()));
        let mut skewed = trial(3.0);
        skewed.insert("skewness".to_owned(), 20.0);
        assert_eq!(told(&[trial(0.1), skewed], "deflated_sharpe"), undefined);
    }
}

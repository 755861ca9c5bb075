//! The section `[figures]`: how the figures of a run are made. It changes nothing of the run.

use std::collections::BTreeMap;

use dacapo_kernel::Mistake;
use serde::{Deserialize, Serialize};

/// How figures are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FiguresConfig {
    /// How far apart the points of the equity series are.
    pub period: Period,
    /// How many periods a year has; counted from the points if left out.
    pub periods_per_year: Option<f64>,
    /// What money earns elsewhere without risk, in percent per year.
    pub risk_free_pct: f64,
    /// How many resampled runs an interval rests on; 0 for no intervals.
    pub resamples: u32,
    /// How many characters of text a token has, on average.
    pub characters_per_token: f64,
    /// What each language model costs, by its name.
    pub model_prices: BTreeMap<String, ModelPrice>,
}

impl Default for FiguresConfig {
    fn default() -> FiguresConfig {
        FiguresConfig {
            period: Period::Auto,
            periods_per_year: None,
            risk_free_pct: 0.0,
            resamples: 1_000,
            characters_per_token: 4.0,
            model_prices: BTreeMap::new(),
        }
    }
}

impl FiguresConfig {
    /// Whether nothing is said: then it is not written into the plan of a log either.
    pub fn is_default(&self) -> bool {
        *self == FiguresConfig::default()
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// The first number out of its bounds.
    pub(crate) fn check(&self) -> Result<(), Mistake> {
        let within = |key: &str, value: f64, least: f64, most: f64| {
            if value >= least && value <= most {
                return Ok(());
            }
            let what = format!("expected a number from {least} to {most}, found {value}");
            Err(Mistake::at(&format!("figures.{key}"), what))
        };
        if let Some(periods) = self.periods_per_year {
            within("periods_per_year", periods, 1e-3, 1e9)?;
        }
        within("risk_free_pct", self.risk_free_pct, -50.0, 1_000.0)?;
        within("resamples", f64::from(self.resamples), 0.0, 100_000.0)?;
        within(
            "characters_per_token",
            self.characters_per_token,
            0.1,
            1_000.0,
        )?;
        for (model, price) in &self.model_prices {
            for (key, value) in [
                ("per_call", price.per_call),
                ("prompt_per_million", price.prompt_per_million),
                ("reply_per_million", price.reply_per_million),
            ] {
                if !(0.0..=1e9).contains(&value) {
                    // A name may have dots, so it is put into the path as one part.
                    let what = format!("expected a price from 0 to 1000000000, found {value}");
                    let mut mistake = Mistake::at("figures.model_prices", what);
                    mistake.at.extend([model.clone(), key.to_owned()]);
                    return Err(mistake);
                }
            }
        }
        Ok(())
    }
}

/// How far apart the points of the equity series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// The longest of the others of which the run has thirty.
    #[serde(rename = "auto")]
    Auto,
    /// A second.
    #[serde(rename = "1s")]
    Second,
    /// A minute.
    #[serde(rename = "1m")]
    Minute,
    /// An hour.
    #[serde(rename = "1h")]
    Hour,
    /// A day that begins at midnight UTC.
    #[serde(rename = "1d")]
    Day,
}

/// What a language model costs, in dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelPrice {
    /// Each call.
    pub per_call: f64,
    /// A million tokens of prompts.
    pub prompt_per_million: f64,
    /// A million tokens of replies.
    pub reply_per_million: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    // Fails if a number that makes figures senseless is accepted, or if the place is wrong.
    #[test]
    fn a_number_out_of_its_bounds_is_a_mistake_at_its_place() {
        let at = |toml: &str| {
            let config: FiguresConfig = toml::from_str(toml).unwrap();
            config.check().map_err(|mistake| mistake.at.join("/"))
        };
        assert_eq!(at(""), Ok(()));
        assert_eq!(
            at("periods_per_year = 0"),
            Err("figures/periods_per_year".into())
        );
        assert_eq!(
            at("characters_per_token = 0"),
            Err("figures/characters_per_token".into())
        );
        assert_eq!(
            at("risk_free_pct = nan"),
            Err("figures/risk_free_pct".into())
        );
        assert_eq!(at("resamples = 100001"), Err("figures/resamples".into()));
        assert_eq!(
            at("model_prices.\"a.b\".per_call = -1"),
            Err("figures/model_prices/a.b/per_call".into())
        );
    }

    // Fails if a scenario that says nothing of figures would change the plan in its log.
    #[test]
    fn what_is_left_out_is_the_default() {
        let config: FiguresConfig = toml::from_str("period = \"auto\"\nresamples = 1000").unwrap();
        assert!(config.is_default());
        let config: FiguresConfig = toml::from_str("period = \"1d\"").unwrap();
        assert!(!config.is_default());
    }
}

//! The section `[expect]`: the verdict and the figures that a run must have.
//!
//! Whether a run has them is judged after it, elsewhere.

use std::collections::BTreeMap;

use dacapo_kernel::{Expect, FigureBound, Mistake, System, Verdict, World};
use serde::Deserialize;

/// The section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectSection {
    verdict: Option<String>,
    figures: BTreeMap<String, BoundSection>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundSection {
    at_least: Option<f64>,
    at_most: Option<f64>,
}

impl ExpectSection {
    /// What a plan of `S` expects.
    ///
    /// # Errors
    /// The first mistake, with the path of keys to it.
    pub(super) fn expect<S: System>(self) -> Result<Expect, Mistake> {
        if let Some(verdict) = &self.verdict
            && !Verdict::NAMES.contains(&verdict.as_str())
        {
            let what = format!("`expect.verdict`: unknown verdict `{verdict}`");
            return Err(Mistake::at("expect.verdict", what).candidates(Verdict::NAMES));
        }
        // The figures of a run in which nothing has happened have the names of all.
        let known = S::figures(&World::default());
        let known: Vec<&str> = known.iter().map(|figure| figure.name).collect();
        let figures = self
            .figures
            .into_iter()
            .map(|(figure, bound)| bound.on(figure, &known))
            .collect::<Result<_, _>>()?;
        Ok(Expect {
            verdict: self.verdict,
            figures,
        })
    }
}

impl BoundSection {
    fn on(self, figure: String, known: &[&str]) -> Result<FigureBound, Mistake> {
        let at = |what: String| Mistake {
            at: vec!["expect".into(), "figures".into(), figure.clone()],
            what,
            help: None,
            candidates: Vec::new(),
        };
        if !known.contains(&figure.as_str()) {
            let mistake = at(format!("unknown figure `{figure}` in `expect.figures`"));
            return Err(if known.is_empty() {
                mistake.help("this system has no figures")
            } else {
                mistake.candidates(known.iter().copied())
            });
        }
        match (self.at_least, self.at_most) {
            (None, None) => Err(at(format!("`expect.figures.{figure}` has no bound"))
                .help("add `at_least = …`, `at_most = …` or both")),
            (Some(least), Some(most)) if least > most => Err(at(format!(
                "`expect.figures.{figure}`: no number is at least {least} and at most {most}"
            ))
            .help("exchange the two")),
            (at_least, at_most) => Ok(FigureBound {
                figure,
                at_least,
                at_most,
            }),
        }
    }
}

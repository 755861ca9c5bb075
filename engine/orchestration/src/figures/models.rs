//! What the language models were asked and what that costs, by the price table of the scenario.
//!
//! Of a model that was asked live the log has the tokens that its provider counted. Of any other it has the texts
//! alone: tokens are estimated from characters, four each unless the scenario says otherwise (OpenAI, "What are tokens
//! and how to count them?"). A call that fails or is lost costs its prompt.

use std::collections::BTreeMap;

use dacapo_kernel::{Section, Seq};

use super::config::FiguresConfig;
use super::returns::Defined;
use crate::domain_event::{ModelAnswered, ModelAsked, ModelReply};
use crate::message::Name;
use crate::model::PROBE;

/// What one model did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) calls: u64,
    /// Calls that came back with an error.
    pub(super) failed: u64,
    /// Replies to anything but a probe.
    pub(super) decisions: u64,
    pub(super) prompt_characters: u64,
    pub(super) reply_characters: u64,
    /// Characters of prompts whose tokens the provider counted after all.
    pub(super) counted_characters: u64,
    /// Tokens of prompts and of replies as providers counted them.
    pub(super) counted: (u64, u64),
}

/// What each model did, by name.
pub(super) type Usages = BTreeMap<Name, Usage>;

/// Calls without an answer yet.
#[derive(Debug, Default)]
pub(super) struct Calls(BTreeMap<Seq, Call>);

/// Which model, how long the prompt, and whether anything hangs on the reply.
#[derive(Debug)]
struct Call {
    model: Name,
    prompt: u64,
    decides: bool,
}

impl Calls {
    /// A model is asked.
    pub(super) fn asked(&mut self, call: Seq, asked: &ModelAsked) -> (Name, Usage) {
        let prompt = characters(&asked.prompt);
        let made = Call {
            model: asked.model.clone(),
            prompt,
            decides: asked.purpose != *PROBE,
        };
        self.0.insert(call, made);
        let usage = Usage {
            calls: 1,
            prompt_characters: prompt,
            ..Usage::default()
        };
        (asked.model.clone(), usage)
    }

    /// It answers; none if nobody asked.
    pub(super) fn answered(
        &mut self,
        call: Option<Seq>,
        answered: &ModelAnswered,
    ) -> Option<(Name, Usage)> {
        let Call {
            model,
            prompt,
            decides,
        } = self.0.remove(&call?)?;
        let mut usage = match &answered.reply {
            ModelReply::Text(text) => Usage {
                reply_characters: characters(text),
                ..Usage::default()
            },
            ModelReply::Error(_) => Usage {
                failed: 1,
                ..Usage::default()
            },
            ModelReply::Live(live) => {
                let failed = u64::from(live.failed);
                match (live.prompt_tokens, live.reply_tokens) {
                    (Some(asked), Some(replied)) => Usage {
                        failed,
                        counted_characters: prompt,
                        counted: (asked, replied),
                        ..Usage::default()
                    },
                    _ if live.failed => Usage {
                        failed,
                        ..Usage::default()
                    },
                    _ => Usage {
                        reply_characters: characters(&live.text),
                        ..Usage::default()
                    },
                }
            }
        };
        usage.decisions = u64::from(decides && answered.reply.said().is_ok());
        Some((model, usage))
    }

    /// There will be no answer.
    pub(super) fn forget(&mut self, call: Seq) {
        self.0.remove(&call);
    }
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}

impl Usage {
    pub(super) fn add(&mut self, other: Usage) {
        self.calls += other.calls;
        self.failed += other.failed;
        self.decisions += other.decisions;
        self.prompt_characters += other.prompt_characters;
        self.reply_characters += other.reply_characters;
        self.counted_characters += other.counted_characters;
        self.counted.0 = self.counted.0.saturating_add(other.counted.0);
        self.counted.1 = self.counted.1.saturating_add(other.counted.1);
    }

    /// Tokens of prompts and of replies, counted or estimated.
    fn tokens(&self, config: &FiguresConfig) -> (f64, f64) {
        let estimated = self
            .prompt_characters
            .saturating_sub(self.counted_characters);
        (
            tokens(estimated, config) + self.counted.0 as f64,
            tokens(self.reply_characters, config) + self.counted.1 as f64,
        )
    }

    /// Its cost in dollars; none if its model has no price.
    fn cost(&self, model: &Name, config: &FiguresConfig) -> Option<f64> {
        let price = config.model_prices.get(model.as_str())?;
        let (prompt, reply) = self.tokens(config);
        Some(
            price.per_call * self.calls as f64
                + price.prompt_per_million * (prompt / 1e6)
                + price.reply_per_million * (reply / 1e6),
        )
    }
}

fn tokens(characters: u64, config: &FiguresConfig) -> f64 {
    characters as f64 / config.characters_per_token
}

/// What all calls cost.
///
/// # Errors
/// If a model that was asked has no price.
pub(super) fn cost(usages: &Usages, config: &FiguresConfig) -> Defined {
    let mut total = 0.0;
    for (model, usage) in usages {
        let unpriced = || format!("`figures.model_prices` has no price for {model}");
        total += usage.cost(model, config).ok_or_else(unpriced)?;
    }
    Ok(total)
}

/// A row for each model.
pub(super) fn table(usages: &Usages, config: &FiguresConfig) -> Section {
    let row = |(model, usage): (&Name, &Usage)| {
        let cost = usage.cost(model, config);
        vec![
            model.to_string(),
            usage.calls.to_string(),
            usage.failed.to_string(),
            format!("{:.0}", usage.tokens(config).0),
            format!("{:.0}", usage.tokens(config).1),
            cost.map_or_else(|| "no price".to_owned(), |cost| format!("{cost:.6}")),
        ]
    };
    let columns = [
        "model",
        "calls",
        "failed",
        "prompt tokens",
        "reply tokens",
        "dollars",
    ];
    Section {
        title: "Language models".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: usages.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> FiguresConfig {
        let text =
            "[model_prices.small]\nper_call = 0.5\nprompt_per_million = 2\nreply_per_million = 8";
        toml::from_str(text).unwrap()
    }

    fn usages(model: &str) -> Usages {
        let mut calls = Calls::default();
        let mut usages = Usages::new();
        let asked = ModelAsked {
            model: model.into(),
            purpose: "resolution".into(),
            prompt: "ä".repeat(4_000_000),
            max_tokens: 1,
        };
        let reply = |reply| ModelAnswered { reply };
        let mut add = |(name, usage): (Name, Usage)| usages.entry(name).or_default().add(usage);
        add(calls.asked(Seq(1), &asked));
        add(calls.asked(Seq(2), &asked));
        let text = reply(ModelReply::Text("x".repeat(2_000_000)));
        add(calls.answered(Some(Seq(1)), &text).unwrap());
        add(calls
            .answered(Some(Seq(2)), &reply(ModelReply::Error("busy".into())))
            .unwrap());
        assert_eq!(calls.answered(Some(Seq(2)), &text), None);
        usages
    }

    // Fails if calls, prompts or replies are not counted, or bytes are counted for characters.
    #[test]
    fn a_call_costs_its_prompt_and_its_reply() {
        let usages = usages("small");
        assert_eq!(usages["small"].failed, 1);
        assert_eq!(usages["small"].decisions, 1);
        assert_eq!(
            cost(&usages, &config()),
            Ok(2.0 * 0.5 + 2.0 * 2.0 + 0.5 * 8.0)
        );
        assert_eq!(table(&usages, &config()).rows[0][3], "2000000");
    }

    // Fails if a model without a price is taken to cost nothing.
    #[test]
    fn a_model_without_a_price_makes_the_cost_unknown() {
        assert!(cost(&usages("large"), &config()).is_err());
        assert_eq!(cost(&Usages::new(), &config()), Ok(0.0));
    }
}

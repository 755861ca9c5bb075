//! `model.masked`: where names and dates are hidden from models, no prompt has one, but for what a template says itself.

use dacapo_kernel::{Event, Invariant, Plan};
use jiff::civil::Date;

use crate::config::Config;
use crate::domain_event::{DomainEvent, number};

/// How long a date is, such as 2024-07-01.
const DATE: usize = 10;

/// What is hidden.
#[derive(Debug)]
pub(super) struct Masked {
    /// Assets, and pairs without their slash, in small letters; none where names are not hidden.
    names: Vec<String>,
    hides_dates: bool,
}

impl Masked {
    pub(super) fn new(plan: &Plan<Config>) -> Masked {
        let config = &plan.system;
        let mask = config.llm.mask;
        let mut templates = vec![config.llm.template().to_owned()];
        let own = config.llms().filter_map(|it| it.llm.template.text.clone());
        templates.extend(own);
        let mut names = Vec::new();
        for symbol in config.symbols.iter().filter(|_| mask.symbols) {
            let symbol = symbol.as_str().to_ascii_lowercase();
            names.extend(symbol.split('/').map(str::to_owned));
            names.push(symbol.replace('/', ""));
        }
        names.sort_unstable();
        names.dedup();
        for run in templates.iter().flat_map(|template| runs(template)) {
            while let Some(said) = named(&names, run).cloned() {
                names.retain(|name| *name != said);
            }
        }
        let is_dated = templates.iter().any(|template| date(template).is_some());
        Masked {
            names,
            hides_dates: mask.dates && !is_dated,
        }
    }

    fn ask(&self, prompt: &str) -> Result<(), String> {
        if let Some(word) = runs(prompt).find(|run| named(&self.names, run).is_some()) {
            return Err(format!(
                "expected `{word}` to be hidden from a model, found it in a prompt"
            ));
        }
        match date(prompt).filter(|_| self.hides_dates) {
            Some(date) => Err(format!(
                "expected dates to be hidden from a model, found {date} in a prompt"
            )),
            None => Ok(()),
        }
    }
}

/// Letters and digits without anything between them; all that is not ASCII counts as letters, since a prompt is long and has
/// little of it.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let is_between = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'_';
    let mut begin = 0;
    text.as_bytes().split(is_between).map(move |run| {
        let run = &text[begin..begin + run.len()];
        begin += run.len() + 1;
        run
    })
}

/// The first of some names that a run has.
fn named<'n>(names: &'n [String], run: &str) -> Option<&'n String> {
    let is_said = |word: &str| names.iter().find(|name| name.eq_ignore_ascii_case(word));
    if run.is_ascii() {
        return is_said(run);
    }
    let mut words = run.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find_map(is_said)
}

/// The first date that stands by itself.
fn date(text: &str) -> Option<Date> {
    let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'-');
    let starts = starts.filter_map(|(dash, _)| dash.checked_sub(4));
    let is_apart = |begin: &usize| {
        let before = begin.checked_sub(1).map(|at| text.as_bytes()[at]);
        before.is_none_or(|byte| !byte.is_ascii_digit())
    };
    let mut dates = starts
        .filter(is_apart)
        .filter_map(|begin| text.get(begin..begin + DATE)?.parse().ok());
    dates.next()
}

impl Invariant<DomainEvent> for Masked {
    fn id(&self) -> &'static str {
        "model.masked"
    }

    fn statement(&self) -> &'static str {
        "where names and dates are hidden from models, no prompt has any"
    }

    fn applies(&self) -> bool {
        self.hides_dates || !self.names.is_empty()
    }

    fn watches(&self) -> &'static [u16] {
        &[number::ModelAsked]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::ModelAsked]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::ModelAsked(it)) => self.ask(&it.prompt),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::Finding;
    use serde_json::json;

    use super::*;
    use crate::domain_event::ModelAsked;
    use crate::invariants::planted::Planted;
    use crate::message::Name;

    /// A model is asked, with this hidden from it, by an agent that asks with this template.
    fn asked(mask: (bool, bool), template: &str, prompt: &str) -> Planted {
        let llm = json!({"model": "m", "template": {"text": template}});
        let sections = json!({
            "symbols": ["BTC/USDT"], "market": {"source": "none"}, "agents": {"trading_decision": {"llm": llm}},
            "llm": {"mask": {"symbols": mask.0, "dates": mask.1}},
        });
        let plan = Plan::of(
            "planted",
            serde_json::from_value(sections).expect("it is one"),
        );
        Planted::of(Masked::new(&plan)).then(ModelAsked {
            model: Name::fixed("m"),
            purpose: Name::fixed("resolution"),
            prompt: prompt.to_owned(),
            max_tokens: 500,
        })
    }

    // Fails if a name or a date may be told that is hidden, or nothing may be told that only looks like one.
    #[test]
    fn no_prompt_has_what_is_hidden() {
        let both = |prompt| asked((true, true), "{{situation}}", prompt);
        for told in [
            "ASSET1/ASSET2 on day 3",
            "SUBTCX",
            "ÜBTC",
            "12024-07-03",
            "2024-13-01",
            "",
        ] {
            both(told).holds();
        }
        for told in [
            "BTC/ASSET2",
            "buy btc!",
            "buy „btc“!",
            "BTCUSDT",
            "{\"2024-07-03T\": 1}",
        ] {
            both(told).violated();
        }
    }

    // Fails if what is not hidden is looked for, or what a template says itself.
    #[test]
    fn what_is_not_hidden_may_be_told() {
        let told = "BTC on 2024-07-03";
        let finding = asked((false, false), "{{situation}}", told).finding();
        assert_eq!(finding, Finding::NotEvaluable);
        asked((true, false), "{{situation}}", "2024-07-03").holds();
        asked((false, true), "{{situation}}", "BTC").holds();
        asked(
            (true, true),
            "The day after 2024-07-02: BTC? {{situation}}",
            told,
        )
        .holds();
    }
}

//! What must fit together where an agent asks a language model, and what models may know.

use dacapo_kernel::Mistake;
use jiff::civil::Date;

use super::check::{delays, replies};
use super::{Config, GeneratedMessages, LlmSource, TaskKind};
use crate::agents::said::fields_of;
use crate::symbol::Pair;

/// The most bars, trades and messages that a prompt tells of.
const MAX_HISTORY: usize = 1_000;

/// A model speaks for an agent that says messages, by a name that no other has.
pub(super) fn check(config: &Config) -> Result<(), Mistake> {
    for source in config.llms() {
        one(&source)?;
        let twins = config
            .listeners()
            .filter(|other| other.agent == source.agent);
        if twins.count() > 1 {
            let what = format!("two agents named `{}` are told things", source.agent);
            return Err(Mistake::at(&source.at, what).help("give each a name of its own"));
        }
    }
    for (at, stated) in cutoffs(config) {
        if date(stated).is_none() {
            let what = format!("expected a day such as 2024-07-01, found `{stated}`");
            return Err(
                Mistake::at(&at, what).help("what happens from that day on is new to the model")
            );
        }
    }
    mask(config)
}

fn one(source: &LlmSource<'_>) -> Result<(), Mistake> {
    let llm = source.llm;
    let at = |key: &str| format!("{}.{key}", source.at);
    if source.advises() {
        adviser(source)?;
    }
    replies(&source.at, &llm.replies, drawn)?;
    if !(1..=1_000_000).contains(&llm.max_tokens) {
        let what = format!("expected 1 to 1,000,000 tokens, found {}", llm.max_tokens);
        return Err(Mistake::at(&at("max_tokens"), what));
    }
    if !(1..=MAX_HISTORY).contains(&llm.history) {
        let what = format!("expected 1 to {MAX_HISTORY}, found {}", llm.history);
        return Err(Mistake::at(&at("history"), what));
    }
    for (i, topic) in llm.subscribe.iter().enumerate() {
        if llm.subscribe[..i].contains(topic) {
            let what = format!("`{topic}` is named twice");
            return Err(Mistake::at(&at(&format!("subscribe.{i}")), what));
        }
    }
    let Some(fields) = fields_of(source.topic) else {
        return Ok(());
    };
    for (i, name) in llm.required.iter().enumerate() {
        if !fields.iter().any(|(known, ..)| *known == name.as_str()) {
            let what = format!("a message on {} has no field `{name}`", source.topic);
            return Err(Mistake::at(&at(&format!("required.{i}")), what)
                .candidates(fields.iter().map(|(known, ..)| *known)));
        }
    }
    Ok(())
}

/// A model advises the portfolio agent, which is told nothing but how the account is divided.
fn adviser(source: &LlmSource<'_>) -> Result<(), Mistake> {
    if source.agent != *TaskKind::PortfolioRebalance.agent() {
        let what = "a model may advise on plans of the portfolio, which others do not make";
        return Err(Mistake::at(&source.at, what)
            .help("use `agents.portfolio_rebalance.llm`, or another topic"));
    }
    let key = match (
        source.llm.required.is_empty(),
        source.llm.subscribe.is_empty(),
    ) {
        (true, true) => return Ok(()),
        (false, _) => "required",
        (true, false) => "subscribe",
    };
    let what =
        "a model that advises is told how the account is divided, and may leave out anything";
    Err(Mistake::at(&format!("{}.{key}", source.at), what).help("leave it out"))
}

fn drawn(at: &str, shares: &GeneratedMessages) -> Result<(), Mistake> {
    delays(at, shares.delay_ms_min, shares.delay_ms_max)?;
    let total = u64::from(shares.error_per_mille) + u64::from(shares.garbage_per_mille);
    if total > 1_000 {
        let what = format!("the shares add up to {total} in a thousand");
        return Err(Mistake::at(&format!("{at}.replies.generated"), what)
            .help("what remains of the thousand is messages"));
    }
    Ok(())
}

/// A name that is hidden is one word, so that it is found again wherever it is said.
fn mask(config: &Config) -> Result<(), Mistake> {
    if !config.llm.mask.symbols {
        return Ok(());
    }
    let is_word = |asset: &str| asset.bytes().all(|byte| byte.is_ascii_alphanumeric());
    for symbol in &config.symbols {
        let pair = symbol.as_str().parse::<Pair>();
        if pair.is_ok_and(|pair| !is_word(&pair.base) || !is_word(&pair.quote)) {
            let what =
                format!("`{symbol}` cannot be hidden: its assets are not letters and digits");
            return Err(Mistake::at("llm.mask.symbols", what)
                .help("leave it out, or name the symbol otherwise"));
        }
    }
    Ok(())
}

/// What the scenario states of the knowledge of models, and where.
fn cutoffs(config: &Config) -> Vec<(String, &str)> {
    let mut stated = Vec::new();
    let llm = &config.llm;
    for (at, model) in [
        ("llm.primary", &llm.primary),
        ("llm.fallback", &llm.fallback),
    ] {
        if let Some(cutoff) = &model.knowledge_cutoff {
            stated.push((format!("{at}.knowledge_cutoff"), cutoff.as_str()));
        }
    }
    for source in config.llms() {
        if let Some(cutoff) = &source.llm.knowledge_cutoff {
            stated.push((format!("{}.knowledge_cutoff", source.at), cutoff.as_str()));
        }
    }
    stated
}

fn date(text: &str) -> Option<Date> {
    let is_day = text.len() == "2024-07-01".len();
    text.parse().ok().filter(|_| is_day)
}

/// The day from whose beginning on no model has read anything, of those whose knowledge is stated: the day itself, and
/// its beginning in nanoseconds since 1970.
pub(crate) fn cutoff(config: &Config) -> Option<(Date, i64)> {
    let days = cutoffs(config)
        .into_iter()
        .filter_map(|(_, text)| date(text));
    let day = days.max()?;
    let since = Date::constant(1970, 1, 1).until(day).ok()?.get_days();
    Some((day, i64::from(since).saturating_mul(86_400_000_000_000)))
}

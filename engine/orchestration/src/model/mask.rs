//! Neutral names for symbols and dates in a prompt: a model has read the past, and shall not know which past it is asked
//! about.
//!
//! A name stands for the same asset all through a run, and in what the model answers it is turned back. Prices are not
//! masked: they are what is to be judged.

use std::borrow::Cow;

use serde_json::Value;

use crate::config::MaskConfig;
use crate::message::Name;
use crate::symbol::Pair;

/// What is hidden, and behind what.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mask {
    /// Each name and the one that stands for it, both in capital letters.
    names: Vec<(String, String)>,
    /// The day on which the run begins, where dates are hidden.
    first_day: Option<jiff::civil::Date>,
}

impl Mask {
    /// The mask of a run with these symbols that begins so many microseconds after 1970.
    pub(crate) fn new(config: MaskConfig, symbols: &[Name], start_us: i64) -> Mask {
        let moment = jiff::Timestamp::from_microsecond(start_us).unwrap_or_default();
        let first_day = jiff::tz::Offset::UTC.to_datetime(moment).date();
        Mask {
            names: if config.symbols {
                names(symbols)
            } else {
                Vec::new()
            },
            first_day: config.dates.then_some(first_day),
        }
    }

    /// Puts what a model is told in place of this.
    pub(crate) fn veil(&self, told: &mut Value) {
        if self.names.is_empty() && self.first_day.is_none() {
            return;
        }
        match told {
            Value::String(text) => {
                if let Cow::Owned(veiled) = self.veiled_text(text) {
                    *text = veiled;
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.veil(item)),
            Value::Object(fields) => {
                if fields.keys().any(|key| self.key(key).is_some()) {
                    let named =
                        |(key, value): (String, Value)| (self.key(&key).unwrap_or(key), value);
                    *fields = std::mem::take(fields).into_iter().map(named).collect();
                }
                fields.values_mut().for_each(|value| self.veil(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// What a model meant by a text with neutral names in it.
    pub(crate) fn unveiled(&self, said: &str) -> String {
        let real = |word: &str| self.named(word, |(real, neutral)| (neutral, real));
        replaced(said, real).into_owned()
    }

    /// What a model is told in place of a text.
    pub(crate) fn veiled_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let neutral = |word: &str| self.named(word, |(real, neutral)| (real, neutral));
        let text = replaced(text, neutral);
        let Some(first) = self.first_day else {
            return text;
        };
        match without_dates(&text, first) {
            Some(dateless) => Cow::Owned(dateless),
            None => text,
        }
    }

    /// A key is hidden if it is the name of an asset to the letter, as those of balances are, or has a date in it.
    fn key(&self, key: &str) -> Option<String> {
        let known = self.names.iter().find(|(real, _)| real == key);
        let neutral = known.map(|(_, neutral)| neutral.clone());
        neutral.or_else(|| without_dates(key, self.first_day?))
    }

    /// What stands for a word, in whatever letters it is written.
    fn named(
        &self,
        word: &str,
        way: impl Fn(&(String, String)) -> (&String, &String),
    ) -> Option<&str> {
        let pairs = self.names.iter().map(way);
        let mut known = pairs.filter(|(from, _)| from.eq_ignore_ascii_case(word));
        known.next().map(|(_, to)| to.as_str())
    }
}

/// Each asset in the order in which the symbols name them, and each symbol without its slash.
fn names(symbols: &[Name]) -> Vec<(String, String)> {
    let pairs = symbols.iter().filter_map(|name| name.as_str().parse().ok());
    let pairs: Vec<Pair> = pairs.collect();
    let mut names: Vec<(String, String)> = Vec::new();
    for asset in pairs.iter().flat_map(|pair| [&pair.base, &pair.quote]) {
        if !names.iter().any(|(known, _)| known == asset) {
            names.push((asset.clone(), format!("ASSET{}", names.len() + 1)));
        }
    }
    let neutral = |asset: &String| names.iter().find(|(known, _)| known == asset);
    let joined = pairs.iter().filter_map(|Pair { base, quote }| {
        let joined = format!("{}{}", neutral(base)?.1, neutral(quote)?.1);
        Some((format!("{base}{quote}"), joined))
    });
    let joined: Vec<_> = joined.collect();
    names.extend(joined);
    names
}

/// A text with some of its words replaced. A word is as long as letters and digits go on.
fn replaced<'t, 'n>(text: &'t str, name: impl Fn(&str) -> Option<&'n str>) -> Cow<'t, str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    // What stands before is in `out`, with its words replaced.
    let mut done = 0;
    let mut at = 0;
    while let Some(begin) = text[at..].find(is_part).map(|begin| at + begin) {
        let end = text[begin..].find(|c| !is_part(c));
        at = end.map_or(text.len(), |end| begin + end);
        if let Some(name) = name(&text[begin..at]) {
            out.push_str(&text[done..begin]);
            out.push_str(name);
            done = at;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[done..]);
    Cow::Owned(out)
}

/// A text whose dates, such as 2024-07-01, are days since the first of the run; none if it has no date.
fn without_dates(text: &str, first: jiff::civil::Date) -> Option<String> {
    const LENGTH: usize = "2024-07-01".len();
    // Most texts and keys are words.
    if text.len() < LENGTH {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = String::new();
    // What stands before is in `out`, and the text goes on at a date's end.
    let mut done = 0;
    // A date is found by its first dash.
    for dash in bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'-')
        .map(|(at, _)| at)
    {
        let Some(begin) = dash.checked_sub(4).filter(|begin| *begin >= done) else {
            continue;
        };
        let is_apart = begin == 0 || !bytes[begin - 1].is_ascii_digit();
        let found = text.get(begin..begin + LENGTH).filter(|_| is_apart);
        let Some(date) = found.and_then(|it| it.parse::<jiff::civil::Date>().ok()) else {
            continue;
        };
        let day = date.since(first).map_or(0, |span| span.get_days());
        out.push_str(&text[done..begin]);
        out.push_str(&format!("day {day}"));
        done = begin + LENGTH;
        if text[done..].starts_with('T') {
            out.push(' ');
            done += 1;
        }
    }
    if done == 0 {
        return None;
    }
    out.push_str(&text[done..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mask() -> Mask {
        let symbols = ["BTC/USDT", "XRP/BTC"].map(Name::from);
        // 2024-07-01.
        let config = MaskConfig {
            symbols: true,
            dates: true,
        };
        Mask::new(config, &symbols, 1_719_792_000_000_000)
    }

    fn veiled(mask: &Mask, told: &Value) -> Value {
        let mut told = told.clone();
        mask.veil(&mut told);
        told
    }

    // Fails if a name gets through in a text, a key, another spelling or without its slash, or a part of a word is taken
    // for one.
    #[test]
    fn nothing_tells_which_market_it_is() {
        let told = json!({
            "symbol": "XRP/BTC",
            "balances": {"BTC": 1, "USDT": 2},
            "price": "0.5",
            "said": ["Buy btc; BTCUSDT rises, not SUBTCX"],
        });
        let expected = json!({
            "symbol": "ASSET3/ASSET1",
            "balances": {"ASSET1": 1, "ASSET2": 2},
            "price": "0.5",
            "said": ["Buy ASSET1; ASSET1ASSET2 rises, not SUBTCX"],
        });
        assert_eq!(veiled(&mask(), &told), expected);
        assert_eq!(veiled(&Mask::default(), &told), told);
    }

    // Fails if a date gets through, or a number is taken for one.
    #[test]
    fn nothing_tells_when_it_is() {
        let told = json!([
            "2024-07-03T05:00:01.5+00:00 and 2024-06-30",
            "12024-07-03",
            "2024-13-01 é",
            {"2024-07-02": 1, "2024-13-02": 2}
        ]);
        let expected = json!([
            "day 2 05:00:01.5+00:00 and day -1",
            "12024-07-03",
            "2024-13-01 é",
            {"day 1": 1, "2024-13-02": 2}
        ]);
        assert_eq!(veiled(&mask(), &told), expected);
    }

    // Fails if a symbol that a model names comes back as another, or not at all.
    #[test]
    fn what_a_model_names_is_turned_back() {
        let said = r#"{"symbol": "ASSET3/ASSET1", "reason": "asset1asset2"}"#;
        let meant = r#"{"symbol": "XRP/BTC", "reason": "BTCUSDT"}"#;
        assert_eq!(mask().unveiled(said), meant);
        assert_eq!(Mask::default().unveiled(said), said);
    }
}

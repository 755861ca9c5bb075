//! Neutral names for symbols and dates in a prompt: a model has read the past, and shall not know which past it is asked
//! about.
//!
//! A name stands for the same asset all through a run, and in what the model answers it is turned back. Prices are not
//! masked: they are what is to be judged.

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

    /// What a model is told in place of this.
    pub(crate) fn veiled(&self, told: &Value) -> Value {
        match told {
            Value::String(text) => Value::String(self.veiled_text(text)),
            Value::Array(list) => list.iter().map(|item| self.veiled(item)).collect(),
            Value::Object(fields) => {
                let field = |(key, value): (&String, &Value)| (self.key(key), self.veiled(value));
                Value::Object(fields.iter().map(field).collect())
            }
            other => other.clone(),
        }
    }

    /// What a model meant by a text with neutral names in it.
    pub(crate) fn unveiled(&self, said: &str) -> String {
        let real = |word: &str| self.named(word, |(real, neutral)| (neutral, real));
        replaced(said, real)
    }

    fn veiled_text(&self, text: &str) -> String {
        let neutral = |word: &str| self.named(word, |(real, neutral)| (real, neutral));
        let text = if self.names.is_empty() {
            text.to_owned()
        } else {
            replaced(text, neutral)
        };
        match self.first_day {
            None => text,
            Some(first) => without_dates(&text, first),
        }
    }

    /// A key is hidden if it is the name of an asset to the letter, as those of balances are.
    fn key(&self, key: &str) -> String {
        let known = self.names.iter().find(|(real, _)| real == key);
        known.map_or_else(|| key.to_owned(), |(_, neutral)| neutral.clone())
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
fn replaced<'a>(text: &str, name: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(begin) = rest.find(is_part) {
        out.push_str(&rest[..begin]);
        let word = &rest[begin..];
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        out.push_str(name(&word[..end]).unwrap_or(&word[..end]));
        rest = &word[end..];
    }
    out.push_str(rest);
    out
}

/// A text whose dates, such as 2024-07-01, are days since the first of the run.
fn without_dates(text: &str, first: jiff::civil::Date) -> String {
    const LENGTH: usize = "2024-07-01".len();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let is_apart = !out.ends_with(|before: char| before.is_ascii_digit());
        let found = text.get(at..at + LENGTH).filter(|_| is_apart);
        let date = found.filter(|it| it.is_ascii() && !it.contains(['T', '+']));
        let Some(date) = date.and_then(|it| it.parse::<jiff::civil::Date>().ok()) else {
            out.push(c);
            at += c.len_utf8();
            continue;
        };
        let day = date.since(first).map_or(0, |span| span.get_days());
        out.push_str(&format!("day {day}"));
        at += LENGTH;
        if text[at..].starts_with('T') {
            out.push(' ');
            at += 1;
        }
    }
    out
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
        assert_eq!(mask().veiled(&told), expected);
        assert_eq!(Mask::default().veiled(&told), told);
    }

    // Fails if a date gets through, or a number is taken for one.
    #[test]
    fn nothing_tells_when_it_is() {
        let told = json!([
            "2024-07-03T05:00:01.5+00:00 and 2024-06-30",
            "12024-07-03",
            "2024-13-01 é"
        ]);
        let expected = json!([
            "day 2 05:00:01.5+00:00 and day -1",
            "12024-07-03",
            "2024-13-01 é"
        ]);
        assert_eq!(mask().veiled(&told), expected);
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

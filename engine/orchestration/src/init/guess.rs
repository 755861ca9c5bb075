//! Names for a scenario and its market, from the name of a file.
//!
//! A name is only a name: a wrong guess changes no price, and whoever wants another gives it.

use crate::symbol::Pair;

/// What prices are mostly counted in, longest first. All are taken as dollars: one dollar is one `USDT`.
const QUOTES: [&str; 8] = ["USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USD", "EUR", "GBP"];

/// The market of a file: the name that it was given, or what its own name has in it.
///
/// # Errors
/// If the given name is none that a market can have.
pub(super) fn symbol(path: &str, given: Option<&str>) -> Result<String, String> {
    match given {
        Some(name) if name.contains('/') => match name.parse::<Pair>() {
            Ok(_) if is_plain(name) => Ok(name.to_owned()),
            _ => Err(format!(
                "expected a name such as BTC/USDT=file.csv, found {}",
                dacapo_market::sheet::Shown(name)
            )),
        },
        Some(name) if !name.is_empty() && is_plain(name) => Ok(format!("{name}/USDT")),
        Some(name) => Err(format!(
            "expected a name of letters and digits, found {}",
            dacapo_market::sheet::Shown(name)
        )),
        None => Ok(format!("{}/USDT", base(stem(path)))),
    }
}

fn is_plain(name: &str) -> bool {
    name.len() <= 24
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}

/// What is bought and sold: the word that ends with a currency, without it, or else the first word.
fn base(stem: &str) -> String {
    let upper = stem.to_ascii_uppercase();
    let words: Vec<&str> = upper
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let quoted = words.iter().find_map(|word| {
        let quote = QUOTES
            .iter()
            .find(|quote| word.len() > quote.len() && word.ends_with(*quote))?;
        word.strip_suffix(quote)
    });
    // Where the currency is a word of its own, the base stands before it.
    let before = words
        .windows(2)
        .find(|pair| QUOTES.contains(&pair[1]))
        .map(|pair| pair[0]);
    let word = quoted
        .or(before)
        .or_else(|| words.first().copied())
        .unwrap_or("DATA");
    word.chars().take(12).collect()
}

/// The name of a scenario: that of its file, in letters that every file system takes.
pub(super) fn name(path: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = stem(path).chars().take(80).map(plain).collect();
    let name = name.trim_start_matches('.').to_owned();
    if name.is_empty() {
        "data".to_owned()
    } else {
        name
    }
}

/// The name of a file without its folder and its endings.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".csv").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_market_is_in_the_name_of_the_file() {
        for (path, expected) in [
            ("coinbase-btcusd-1d.csv", "BTC/USDT"),
            ("data/ETHUSDT_1m.csv.gz", "ETH/USDT"),
            ("BTC-USD.csv", "BTC/USDT"),
            ("AAPL.csv", "AAPL/USDT"),
            ("sp500-2000.csv", "SP500/USDT"),
            ("usd.csv", "USD/USDT"),
            ("---.csv", "DATA/USDT"),
        ] {
            assert_eq!(symbol(path, None).unwrap(), expected, "{path}");
        }
        assert_eq!(symbol("a.csv", Some("XRP/BTC")).unwrap(), "XRP/BTC");
        assert_eq!(symbol("a.csv", Some("GOLD")).unwrap(), "GOLD/USDT");
        for name in ["", "/", "A/", "a b", "A/B/C", "x\u{1b}"] {
            assert!(symbol("a.csv", Some(name)).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_scenario_is_named_after_its_file() {
        assert_eq!(name("data/my prices.csv"), "my-prices");
        assert_eq!(name(".csv"), "data");
        assert_eq!(name("..x.csv"), "x");
    }
}

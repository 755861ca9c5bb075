//! Kernel, lab and cli know nothing of trading, not even in a comment.

use super::source::Source;
use super::{assert_none, project};

/// Words of trading, in the singular. Words that other trades use as well (order, position, fill,
/// quote, exchange, signal, risk) are not among them.
const WORDS: [&str; 27] = [
    "agent",
    "binance",
    "bitcoin",
    "broker",
    "btc",
    "buy",
    "candle",
    "coordinator",
    "crypto",
    "currency",
    "equity",
    "hedge",
    "leverage",
    "llm",
    "orderbook",
    "portfolio",
    "price",
    "profit",
    "sell",
    "slippage",
    "stablecoin",
    "trade",
    "trader",
    "trading",
    "usd",
    "usdt",
    "volatility",
];

const KNOW_NOTHING: [&str; 4] = [
    "engine/kernel/src/",
    "engine/lab/src/",
    "engine/cli/src/",
    "engine/cli/examples/",
];

fn found(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        if !KNOW_NOTHING
            .iter()
            .any(|folder| source.path.starts_with(folder))
        {
            continue;
        }
        for (number, line) in (1..).zip(source.text.lines()) {
            for word in words(line).filter(|word| is_of_trading(word)) {
                complaints.push(format!(
                    "{}:{number}: {word} is a word of trading",
                    source.path
                ));
            }
        }
    }
    complaints
}

fn is_of_trading(word: &str) -> bool {
    let singular = match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => word.strip_suffix(['s', 'd']).unwrap_or(word).to_owned(),
    };
    WORDS.contains(&word) || WORDS.contains(&singular.as_str())
}

/// The words of a line in lower case; a name is as many words as it is made of.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in line.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            let word = words.last_mut().expect("there is one from the beginning");
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.into_iter().filter(|word| !word.is_empty())
}

#[test]
fn kernel_lab_and_cli_have_no_word_of_trading() {
    assert_none(&found(&project()));
}

#[test]
fn a_word_of_trading_is_noticed_in_any_form() {
    let planted = |path: &str, text: &str| found(&[Source::new(path, text)]).len();
    for text in [
        "// the price of it",
        "struct TradeRequest;",
        "fn best_prices() {}",
        "const CURRENCIES: u8 = 0;",
        "let s = \"portfolio\";",
        "//! what a trader traded",
    ] {
        assert!(planted("engine/kernel/src/a.rs", text) > 0, "{text}");
        assert!(planted("engine/lab/src/a/b.rs", text) > 0, "{text}");
        assert!(planted("engine/cli/src/a.rs", text) > 0, "{text}");
        assert_eq!(planted("engine/orchestration/src/a.rs", text), 0);
    }
    assert_eq!(
        planted("engine/kernel/src/a.rs", "// in the order of positions"),
        0
    );
    assert_eq!(planted("engine/kernel/src/a.rs", "fn tradeoff() {}"), 0);
}

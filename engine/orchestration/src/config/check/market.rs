//! What must fit together in what is said of the market.

use dacapo_kernel::Mistake;
use dacapo_market::{BarFile, BarsConfig, MarketConfig};

use crate::config::Config;
use crate::symbol::Pair;

/// Every traded symbol needs a price.
pub(super) fn market(config: &Config) -> Result<(), Mistake> {
    let (priced, how, add): (Vec<&str>, _, _) = match &config.market {
        MarketConfig::Generated(generated) => (
            generated
                .symbols
                .iter()
                .map(|walk| walk.symbol.as_str())
                .collect(),
            "the market generates none for it",
            "add it to market.symbols, or leave it out of symbols",
        ),
        MarketConfig::Bars(bars) => {
            bar_files(bars)?;
            (
                bars.files.iter().map(|file| file.symbol.as_str()).collect(),
                "no file of bars is named for it",
                "add a file for it to market.files, or leave it out of symbols",
            )
        }
        MarketConfig::Tape(_) | MarketConfig::None => return Ok(()),
    };
    for (i, symbol) in config.symbols.iter().enumerate() {
        if !priced.contains(&symbol.as_str()) {
            let what = format!("`{symbol}` has no prices: {how}");
            return Err(Mistake::at(&format!("symbols.{i}"), what)
                .help(add)
                .candidates(priced));
        }
    }
    Ok(())
}

/// Each market has one file.
fn bar_files(bars: &BarsConfig) -> Result<(), Mistake> {
    for (i, file) in bars.files.iter().enumerate() {
        let at = format!("market.files.{i}.symbol");
        if let Err(error) = file.symbol.parse::<Pair>() {
            return Err(Mistake::at(&at, error.to_string()));
        }
        let twice = |other: &BarFile| other.symbol == file.symbol;
        if bars.files[..i].iter().any(twice) {
            let what = format!("`{}` has two files", file.symbol);
            return Err(Mistake::at(&at, what).help("name one file for each symbol"));
        }
        if file.bar_s == Some(0) {
            let at = format!("market.files.{i}.bar_s");
            return Err(Mistake::at(&at, "expected at least 1 second, found 0"));
        }
    }
    Ok(())
}

//! How the `[market]` section is read: one flat table, then the keys that belong to its source.
//!
//! What each key means is said where the settings are. Bounds are checked by whoever uses them.

use jiff::Timestamp;
use serde::Deserialize;

use super::{GeneratedConfig, Jump, MarketConfig, TapeConfig, TapeOrder, WalkConfig};

/// Every key that the section can have. Read as one flat table, because an enum that serde tells apart by a
/// key forgets at which line each other key was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    source: SourceName,
    file: Option<String>,
    order: Option<TapeOrder>,
    start: Option<Timestamp>,
    gap_s: Option<u32>,
    max_rows: Option<u64>,
    max_bytes: Option<u64>,
    seed: Option<u64>,
    interval_ms: Option<u32>,
    symbols: Option<Vec<WalkConfig>>,
    jumps: Option<Vec<Jump>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SourceName {
    Tape,
    Generated,
    None,
}

impl TryFrom<Section> for MarketConfig {
    type Error = String;

    fn try_from(section: Section) -> Result<Self, String> {
        match section.source {
            SourceName::Tape => section.tape().map(MarketConfig::Tape),
            SourceName::Generated => section.generated().map(MarketConfig::Generated),
            SourceName::None => section.none().map(|()| MarketConfig::None),
        }
    }
}

impl Section {
    fn none(self) -> Result<(), String> {
        refuse("none", "file", &self.file)?;
        refuse("none", "order", &self.order)?;
        refuse("none", "start", &self.start)?;
        refuse("none", "gap_s", &self.gap_s)?;
        refuse("none", "max_rows", &self.max_rows)?;
        refuse("none", "max_bytes", &self.max_bytes)?;
        refuse("none", "seed", &self.seed)?;
        refuse("none", "interval_ms", &self.interval_ms)?;
        refuse("none", "symbols", &self.symbols)?;
        refuse("none", "jumps", &self.jumps)
    }

    fn tape(self) -> Result<TapeConfig, String> {
        refuse("tape", "seed", &self.seed)?;
        refuse("tape", "interval_ms", &self.interval_ms)?;
        refuse("tape", "symbols", &self.symbols)?;
        refuse("tape", "jumps", &self.jumps)?;
        let defaults = TapeConfig::new(self.file.ok_or("source = \"tape\" needs `file`")?);
        Ok(TapeConfig {
            order: self.order,
            start: self.start,
            gap_s: self.gap_s.unwrap_or(defaults.gap_s),
            max_rows: self.max_rows.unwrap_or(defaults.max_rows),
            max_bytes: self.max_bytes.unwrap_or(defaults.max_bytes),
            file: defaults.file,
        })
    }

    fn generated(self) -> Result<GeneratedConfig, String> {
        refuse("generated", "file", &self.file)?;
        refuse("generated", "order", &self.order)?;
        refuse("generated", "start", &self.start)?;
        refuse("generated", "gap_s", &self.gap_s)?;
        refuse("generated", "max_rows", &self.max_rows)?;
        refuse("generated", "max_bytes", &self.max_bytes)?;
        let defaults = GeneratedConfig::new(
            self.symbols
                .ok_or("source = \"generated\" needs `symbols`")?,
        );
        Ok(GeneratedConfig {
            seed: self.seed,
            interval_ms: self.interval_ms.unwrap_or(defaults.interval_ms),
            jumps: self.jumps.unwrap_or(defaults.jumps),
            symbols: defaults.symbols,
        })
    }
}

fn refuse<T>(source: &str, key: &str, value: &Option<T>) -> Result<(), String> {
    match value {
        Some(_) => Err(format!(
            "`{key}` has no meaning with source = \"{source}\"; remove it"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn parse(text: &str) -> Result<MarketConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tape_needs_only_its_file() {
        let parsed = parse("source = 'tape'\nfile = 'a.csv'").unwrap();
        assert_eq!(parsed, MarketConfig::Tape(TapeConfig::new("a.csv")));
    }

    #[test]
    fn a_tape_takes_every_setting() {
        let text = "source = 'tape'\nfile = 'a.csv'\norder = 'exchange-time'\nstart = '2025-03-25T23:08:00Z'\ngap_s = 5\nmax_rows = 7\nmax_bytes = 9";
        let MarketConfig::Tape(tape) = parse(text).unwrap() else {
            panic!("not a tape")
        };
        assert_eq!(tape.order, Some(TapeOrder::ExchangeTime));
        assert_eq!(tape.start.unwrap().as_second(), 1_742_944_080);
        assert_eq!((tape.gap_s, tape.max_rows, tape.max_bytes), (5, 7, 9));
    }

    #[test]
    fn a_walk_needs_only_its_symbol_and_price() {
        let text = "source = 'generated'\nsymbols = [{ symbol = 'BTC/USDT', start_price = 87232 }]";
        let MarketConfig::Generated(generated) = parse(text).unwrap() else {
            panic!("not generated")
        };
        assert_eq!(generated.interval_ms, 1_000);
        assert_eq!(
            generated.symbols,
            [WalkConfig::new("BTC/USDT", Decimal::from(87_232))]
        );
    }

    #[test]
    fn a_price_in_binary_floating_point_is_refused() {
        let text =
            "source = 'generated'\nsymbols = [{ symbol = 'BTC/USDT', start_price = 87232.01 }]";
        let error = parse(text).unwrap_err();
        assert!(error.contains("expected a decimal in quotes"), "{error}");
    }

    #[test]
    fn a_mistake_is_shown_at_its_line() {
        for (text, line, message) in [
            (
                "source = 'tape'\nfile = 'a.csv'\nspeed = 2",
                3,
                "unknown field `speed`",
            ),
            ("source = 'oracle'", 1, "unknown variant `oracle`"),
            (
                "source = 'tape'\norder = 'sorted'",
                2,
                "unknown variant `sorted`",
            ),
            (
                "source = 'generated'\n[[symbols]]\nsymbol = 'A'\nstart_price = 1.5",
                4,
                "expected a decimal in quotes",
            ),
            (
                "source = 'generated'\n[[jumps]]\nat_ms = 1\nsymbol = 'A'\npercent = '5%'",
                5,
                "expected a plain decimal",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains(&format!("at line {line},")) && error.contains(message),
                "{error}"
            );
        }
    }

    #[test]
    fn each_source_has_its_own_keys() {
        let generated = "source = 'generated'\nsymbols = []";
        for (base, keys) in [
            (
                "source = 'tape'\nfile = 'a'",
                "seed = 1\ninterval_ms = 1\nsymbols = []\njumps = []",
            ),
            (
                generated,
                "file = 'a'\norder = 'received'\nstart = '2025-01-01T00:00:00Z'\ngap_s = 1\nmax_rows = 1\nmax_bytes = 1",
            ),
        ] {
            parse(base).unwrap();
            for key in keys.lines() {
                let error = parse(&format!("{base}\n{key}")).unwrap_err();
                assert!(
                    error.contains("has no meaning with source"),
                    "{key}: {error}"
                );
            }
        }
        assert!(
            parse("source = 'tape'")
                .unwrap_err()
                .contains("needs `file`")
        );
        assert!(
            parse("source = 'generated'")
                .unwrap_err()
                .contains("needs `symbols`")
        );
    }

    #[test]
    fn a_generator_takes_every_setting() {
        let text = "source = 'generated'\nseed = 3\ninterval_ms = 5\njumps = [{ at_ms = 60000, symbol = 'A', percent = -30 }]\n\
            [[symbols]]\nsymbol = 'A'\nstart_price = '1.5'\ntick_size = '0.5'\ntrade_size = '0.1'\ndrift_bp = '-0.01'\nvolatility_bp = 7";
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        let walk = WalkConfig {
            tick_size: decimal("0.5"),
            trade_size: decimal("0.1"),
            drift_bp: decimal("-0.01"),
            volatility_bp: decimal("7"),
            ..WalkConfig::new("A", decimal("1.5"))
        };
        let jump = Jump {
            at_ms: 60_000,
            symbol: "A".into(),
            percent: decimal("-30"),
        };
        let expected = GeneratedConfig {
            seed: Some(3),
            interval_ms: 5,
            symbols: vec![walk],
            jumps: vec![jump],
        };
        assert_eq!(parse(text).unwrap(), MarketConfig::Generated(expected));
    }
}

//! How the `[market]` section is read: one flat table, then the keys that belong to its source.
//!
//! What each key means is said where the settings are. Bounds are checked by whoever uses them.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Backwards, BarFile, BarsConfig, ColumnNames, Gaps, GeneratedConfig, Jump, MarketConfig,
    Nonsense, Repeats, Stamped, TapeConfig, TapeOrder, WalkConfig,
};

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
    files: Option<Vec<FileEntry>>,
    symbol: Option<String>,
    stamped: Option<Stamped>,
    bar_s: Option<u32>,
    zone: Option<String>,
    time_format: Option<String>,
    columns: Option<ColumnNames>,
    nonsense: Option<Nonsense>,
    repeats: Option<Repeats>,
    backwards: Option<Backwards>,
    gaps: Option<Gaps>,
}

/// One file of bars; what it leaves out is said once for all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    file: String,
    symbol: String,
    stamped: Option<Stamped>,
    bar_s: Option<u32>,
    zone: Option<String>,
    time_format: Option<String>,
    columns: Option<ColumnNames>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SourceName {
    Tape,
    Generated,
    Bars,
    None,
}

impl TryFrom<Section> for MarketConfig {
    type Error = String;

    fn try_from(section: Section) -> Result<Self, String> {
        match section.source {
            SourceName::Tape => section.tape().map(MarketConfig::Tape),
            SourceName::Generated => section.generated().map(MarketConfig::Generated),
            SourceName::Bars => section.bars().map(MarketConfig::Bars),
            SourceName::None => section.only("none", &[]).map(|()| MarketConfig::None),
        }
    }
}

impl Section {
    /// Refuses every key that is given and is none of `known`.
    fn only(&self, source: &str, known: &[&str]) -> Result<(), String> {
        let given = [
            ("file", self.file.is_some()),
            ("order", self.order.is_some()),
            ("start", self.start.is_some()),
            ("gap_s", self.gap_s.is_some()),
            ("max_rows", self.max_rows.is_some()),
            ("max_bytes", self.max_bytes.is_some()),
            ("seed", self.seed.is_some()),
            ("interval_ms", self.interval_ms.is_some()),
            ("symbols", self.symbols.is_some()),
            ("jumps", self.jumps.is_some()),
            ("files", self.files.is_some()),
            ("symbol", self.symbol.is_some()),
            ("stamped", self.stamped.is_some()),
            ("bar_s", self.bar_s.is_some()),
            ("zone", self.zone.is_some()),
            ("time_format", self.time_format.is_some()),
            ("columns", self.columns.is_some()),
            ("nonsense", self.nonsense.is_some()),
            ("repeats", self.repeats.is_some()),
            ("backwards", self.backwards.is_some()),
            ("gaps", self.gaps.is_some()),
        ];
        let foreign = given
            .into_iter()
            .find(|(key, is_given)| *is_given && !known.contains(key));
        match foreign {
            Some((key, _)) => Err(format!(
                "`{key}` has no meaning with source = \"{source}\"; remove it"
            )),
            None => Ok(()),
        }
    }

    fn tape(self) -> Result<TapeConfig, String> {
        let known = ["file", "order", "start", "gap_s", "max_rows", "max_bytes"];
        self.only("tape", &known)?;
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
        self.only("generated", &["seed", "interval_ms", "symbols", "jumps"])?;
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

    fn bars(self) -> Result<BarsConfig, String> {
        let known = [
            "file",
            "files",
            "symbol",
            "stamped",
            "bar_s",
            "zone",
            "time_format",
            "columns",
            "nonsense",
            "repeats",
            "backwards",
            "gaps",
            "max_rows",
            "max_bytes",
        ];
        self.only("bars", &known)?;
        let entries = match (self.file, self.symbol, self.files) {
            (Some(file), Some(symbol), None) => vec![FileEntry {
                file,
                symbol,
                stamped: None,
                bar_s: None,
                zone: None,
                time_format: None,
                columns: None,
            }],
            (None, None, Some(files)) if !files.is_empty() => files,
            _ => {
                return Err("source = \"bars\" needs either `file` and `symbol`, or \
                            files = [{ file = \"…\", symbol = \"…\" }]"
                    .to_owned());
            }
        };
        let mut files = Vec::with_capacity(entries.len());
        for entry in entries {
            let stamped = entry.stamped.or(self.stamped).ok_or_else(|| {
                format!(
                    "source = \"bars\" needs `stamped` for {:?}: is the time of a row the \"open\" \
                     of its bar or the \"close\"? It is never guessed",
                    entry.file
                )
            })?;
            files.push(BarFile {
                stamped,
                bar_s: entry.bar_s.or(self.bar_s),
                zone: entry.zone.or_else(|| self.zone.clone()),
                time_format: entry.time_format.or_else(|| self.time_format.clone()),
                columns: entry
                    .columns
                    .or_else(|| self.columns.clone())
                    .unwrap_or_default(),
                file: entry.file,
                symbol: entry.symbol,
            });
        }
        let defaults = BarsConfig::new(files);
        Ok(BarsConfig {
            nonsense: self.nonsense.unwrap_or_default(),
            repeats: self.repeats.unwrap_or_default(),
            backwards: self.backwards.unwrap_or_default(),
            gaps: self.gaps.unwrap_or_default(),
            max_rows: self.max_rows.unwrap_or(defaults.max_rows),
            max_bytes: self.max_bytes.unwrap_or(defaults.max_bytes),
            files: defaults.files,
        })
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
                "source = 'bars'\nfile = 'a'\nsymbol = 'A/USDT'\nstamped = 'open'",
                "order = 'received'\nstart = '2025-01-01T00:00:00Z'\ngap_s = 1\nseed = 1\njumps = []",
            ),
            (
                generated,
                "stamped = 'open'\nbar_s = 1\nzone = 'UTC'\ngaps = 'count'\nfile = 'a'\norder = 'received'\nstart = '2025-01-01T00:00:00Z'\ngap_s = 1\nmax_rows = 1\nmax_bytes = 1",
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

    /// If the end of a bar were guessed, or a file could not differ from the others, this fails.
    #[test]
    fn bars_say_which_end_their_time_is() {
        let one = "source = 'bars'\nfile = 'a.csv'\nsymbol = 'A/USDT'";
        let error = parse(one).unwrap_err();
        assert!(error.contains("needs `stamped`"), "{error}");
        let error = parse("source = 'bars'\nstamped = 'open'").unwrap_err();
        assert!(
            error.contains("needs either `file` and `symbol`"),
            "{error}"
        );
        let text = "source = 'bars'\nstamped = 'open'\nbar_s = 60\nfiles = [{ file = 'a.csv', symbol = 'A/USDT' }, \
             { file = 'b.csv', symbol = 'B/USDT', stamped = 'close', zone = '+02:00', columns = { time = 't' } }]";
        let MarketConfig::Bars(bars) = parse(text).unwrap() else {
            panic!("no bars")
        };
        let [first, second] = bars.files.as_slice() else {
            panic!("two files")
        };
        assert_eq!((first.stamped, first.bar_s), (Stamped::Open, Some(60)));
        assert_eq!((second.stamped, second.bar_s), (Stamped::Close, Some(60)));
        assert_eq!(second.columns.time.as_deref(), Some("t"));
        // The plan in a log is read back as it was written.
        let written = toml::to_string(&MarketConfig::Bars(bars.clone())).unwrap();
        assert_eq!(parse(&written).unwrap(), MarketConfig::Bars(bars));
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

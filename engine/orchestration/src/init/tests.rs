//! Files as people bring them, and what is proposed for them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use dacapo_kernel::BuildError;

use super::*;

/// Files in memory.
struct Shelf(BTreeMap<&'static str, String>);

impl Files for Shelf {
    fn open(&self, path: &str) -> Result<Box<dyn Read>, BuildError> {
        let text = self.0.get(path).cloned().unwrap_or_default();
        Ok(Box::new(Cursor::new(text.into_bytes())))
    }
}

fn days(head: &str) -> String {
    let mut text = format!("{head}\n");
    for day in 1..=28 {
        text += &format!("2018-02-{day:02},{day},{day},{day},{day}\n");
    }
    text
}

fn draft(files: &[(&'static str, String)], stamped: Option<&str>) -> Result<Draft, String> {
    let data: Vec<(String, Option<String>)> = files
        .iter()
        .map(|(path, _)| ((*path).to_owned(), None))
        .collect();
    let shelf = Shelf(files.iter().cloned().collect());
    let brought = Brought {
        data: &data,
        stamped,
    };
    scenario_for(&brought, &shelf)
}

/// A guess at the end of a bar, or a text that is long or does not say why, fails here.
#[test]
fn what_cannot_be_known_is_asked_for() {
    let file = ("btcusd.csv", days("date,open,high,low,close"));
    let asked = draft(std::slice::from_ref(&file), None).unwrap();
    assert!(
        asked
            .text
            .unwrap_err()
            .contains("--stamped open or --stamped close")
    );
    assert_eq!(asked.recognised[0].rows[0][5], "?");

    let text = draft(&[file], Some("open")).unwrap().text.unwrap();
    let expected = "\
# 28 bars of 1 d, closing from 2018-02-02T00:00:00Z to 2018-03-01T00:00:00Z.
name = \"btcusd\"
symbols = [\"BTC/USDT\"]                       # a dollar is one USDT
store.kind = \"none\"                          # nothing crashes, so nothing has to be saved
[run]
start = 2018-02-02T00:00:00Z                 # the first bar closes
duration = \"648h 1m\"                         # a minute longer than the data

[market]
source = \"bars\"
stamped = \"open\"                             # a row has the time at which its bar opens; it is seen when it closes
files = [{ file = \"btcusd.csv\", symbol = \"BTC/USDT\" }]

[schedules]
technical_analysis.interval_bars = 1         # each looks at every bar when it has closed
regime_detection.interval_bars = 1
trading_decision.interval_bars = 1
portfolio_rebalance.enabled = false          # no targets for the shares of assets
";
    assert_eq!(text, expected);
    assert!(text.lines().count() < 20);
}

#[test]
fn the_name_of_a_column_may_say_which_end_it_is() {
    let opens = draft(&[("a.csv", days("Open time,open,high,low,close"))], None).unwrap();
    assert!(opens.text.unwrap().contains("stamped = \"open\""));
    let closes = draft(&[("a.csv", days("close_time,open,high,low,close"))], None).unwrap();
    assert!(closes.text.unwrap().contains("stamped = \"close\""));
}

#[test]
fn several_files_are_one_scenario() {
    let two = [
        ("ethusd.csv", days("date,open,high,low,close")),
        ("btcusd.csv", days("date,open,high,low,close")),
    ];
    let text = draft(&two, Some("close")).unwrap().text.unwrap();
    assert!(
        text.contains("symbols = [\"ETH/USDT\", \"BTC/USDT\"]"),
        "{text}"
    );
    assert!(text.lines().count() < 20, "{text}");
    let same = [
        ("a/btcusd.csv", days("date,open,high,low,close")),
        ("b/btcusd.csv", days("date,open,high,low,close")),
    ];
    assert!(
        draft(&same, Some("close"))
            .unwrap_err()
            .contains("both taken for BTC/USDT")
    );
}

#[test]
fn doubtful_columns_and_rows_are_written_down() {
    let mut text = days("unix,open,high,low,close").replace("unix", "date");
    text = text.replacen("date,", "date,timestamp,", 1);
    let text: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| match at {
            0 => format!("{line}\n"),
            _ => format!(
                "{}\n",
                line.replacen(',', &format!(",{},", 1_500_000_000 + at * 86_400), 1)
            ),
        })
        .collect();
    let text = text.replace(",5,5,5,5", ",5,5,5,-5");
    let text = draft(&[("a.csv", text)], Some("open"))
        .unwrap()
        .text
        .unwrap();
    assert!(text.contains("columns = { time = \"date\" }"), "{text}");
    assert!(
        text.contains("nonsense = \"drop\"") && text.contains("# 1 rows"),
        "{text}"
    );
}

#[test]
fn what_is_no_file_of_bars_is_refused_with_its_place() {
    let error = draft(&[("a.csv", "name,age\nAda,36\n".to_owned())], Some("open")).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 1: no column for the time"),
        "{error}"
    );
}

//! Tables as data frames write them, good and bad.

use serde_json::json;

use super::read::{Known, Speaker, is_known, rows};
use super::*;
use crate::amount::Amount;

const START: i64 = 1_522_800_000_000_000_000;

fn config() -> TableConfig {
    TableConfig {
        file: "s.csv".to_owned(),
        max_age_seconds: 60.0,
        symbol: None,
        zone: None,
        time_format: None,
        columns: TableColumns::default(),
    }
}

fn read_as(topic: Topic, config: &TableConfig, text: &str) -> Result<Vec<Known>, String> {
    let symbols = ["BTC/USDT".into(), "ETH/USDT".into()];
    let speaker = Speaker {
        topic,
        symbols: &symbols,
        start_ns: START,
    };
    rows(config, speaker, text.as_bytes()).map_err(|error| error.to_string())
}

fn read(text: &str) -> Result<Vec<Known>, String> {
    read_as(Topic::TradingSignals, &config(), text)
}

#[test]
fn a_data_frame_is_read_as_it_is_written() {
    let text = ",knowable_at,symbol,action,confidence,entry_price,leverage,model\n\
                0,2018-04-04 00:01:00,BTC/USDT,buy,0.75,7000,2.0,v3\n\
                1,2018-04-04 00:00:30,ETH/USDT,HOLD,1,,,\n";
    let known = read(text).unwrap();
    assert_eq!(
        known[0].output,
        json!({"symbol": "ETH/USDT", "action": "HOLD", "confidence": 1.0})
    );
    assert_eq!(
        known[1].output,
        json!({"symbol": "BTC/USDT", "action": "BUY", "confidence": 0.75, "entry_price": 7000.0, "leverage": 2, "model": "v3"})
    );
    assert_eq!(
        (known[1].line, known[1].knowable_at),
        (2, Instant::from_micros(60_000_000))
    );
    assert!(is_known(Topic::TradingSignals, &known[0].output));
}

/// A row that is said before it could be known, even by a nanosecond, fails here.
#[test]
fn an_instant_between_two_moments_is_rounded_up() {
    let config = TableConfig {
        time_format: Some("ns".to_owned()),
        ..config()
    };
    let text = format!(
        "knowable_at,symbol,action,confidence\n{},BTC/USDT,BUY,1\n",
        START + 1_001
    );
    let known = read_as(Topic::TradingSignals, &config, &text).unwrap();
    assert_eq!(known[0].knowable_at, Instant::from_micros(2));
}

#[test]
fn of_what_was_known_before_the_start_the_last_is_kept() {
    let text = "knowable_at,symbol,action,confidence\n2018-04-01,BTC/USDT,BUY,1\n2018-04-02,ETH/USDT,BUY,1\n\
                2018-04-03,BTC/USDT,SELL,1\n2018-04-05,BTC/USDT,BUY,1\n";
    let lines: Vec<u64> = read(text).unwrap().iter().map(|row| row.line).collect();
    assert_eq!(lines, [3, 4, 5]);
}

#[test]
fn what_is_no_signal_is_refused_with_its_place() {
    let head = "knowable_at,symbol,action,confidence,stop_loss,leverage";
    for (row, what) in [
        (
            "later,BTC/USDT,BUY,1,,",
            "column \"knowable_at\": \"later\" is no time",
        ),
        (
            "2018-04-04,BTC-USD,BUY,1,,",
            "column \"symbol\": expected a symbol of the scenario: BTC/USDT, ETH/USDT",
        ),
        (
            "2018-04-04,BTC/USDT,LONG,1,,",
            "column \"action\": expected one of BUY, SELL, HOLD, found \"LONG\"",
        ),
        (
            "2018-04-04,BTC/USDT,,1,,",
            "column \"action\": an empty cell",
        ),
        (
            "2018-04-04,BTC/USDT,BUY,1.5,,",
            "column \"confidence\": expected a number from 0 to 1",
        ),
        (
            "2018-04-04,BTC/USDT,BUY,high,,",
            "column \"confidence\": expected a number",
        ),
        (
            "2018-04-04,BTC/USDT,BUY,inf,,",
            "column \"confidence\": expected a number",
        ),
        (
            "2018-04-04,BTC/USDT,BUY,1,cheap,",
            "column \"stop_loss\": expected a number",
        ),
        (
            "2018-04-04,BTC/USDT,BUY,1,,1.5",
            "column \"leverage\": expected a whole number",
        ),
    ] {
        let error = read(&format!("{head}\n{row}\n")).unwrap_err();
        assert!(
            error.starts_with("s.csv: line 2, ") && error.contains(what),
            "{error}"
        );
    }
    let twice = format!(
        "{head}\n2018-04-04,BTC/USDT,BUY,1,,\n2018-04-04,ETH/USDT,BUY,1,,\n2018-04-04,BTC/USDT,BUY,1,,\n"
    );
    assert!(
        read(&twice)
            .unwrap_err()
            .contains("line 4, column \"knowable_at\": a second row for BTC/USDT")
    );
    assert!(
        read(&format!("{head}\n"))
            .unwrap_err()
            .contains("no row after the head")
    );
}

/// The date of a bar is not the instant at which it was known, so no other name is taken for it.
#[test]
fn the_instant_of_knowing_is_named_and_not_guessed() {
    let text = "date,symbol,action,confidence\n2018-04-04,BTC/USDT,BUY,1\n";
    let error = read(text).unwrap_err();
    assert!(error.contains("no column for the knowable_at"), "{error}");
    let mut said = config();
    said.columns.knowable_at = Some("date".to_owned());
    assert!(read_as(Topic::TradingSignals, &said, text).is_ok());
    assert!(
        read("knowable_at,symbol,confidence\n2018-04-04,BTC/USDT,1\n")
            .unwrap_err()
            .contains("no column action")
    );
}

#[test]
fn other_agents_have_their_own_words() {
    let text = "knowable_at,bias,confidence\n2018-04-04,LONG,0.5\n";
    let one = TableConfig {
        symbol: Some("BTC/USDT".into()),
        ..config()
    };
    let known = read_as(Topic::TaSignals, &one, text).unwrap();
    assert!(is_known(Topic::TaSignals, &known[0].output));
    let error = read_as(Topic::SentimentUpdates, &one, text).unwrap_err();
    assert!(error.contains("expected one of very_bullish"), "{error}");
}

#[test]
fn a_row_that_is_too_old_is_not_said() {
    let mut tables = Tables::default();
    let (agent, symbol): (Name, Name) = ("trading_decision".into(), "BTC/USDT".into());
    let text = "knowable_at,symbol,action,confidence\n2018-04-04 00:00:10,BTC/USDT,BUY,1\n";
    tables.arrive(arrival(&agent, read(text).unwrap().remove(0)));
    let at = |seconds: i64| Instant::from_micros(seconds * 1_000_000);
    let minute = Span::from_secs(60);
    assert!(tables.newest(&agent, &symbol, at(70), minute).is_some());
    assert!(tables.newest(&agent, &symbol, at(71), minute).is_none());
    assert!(
        tables
            .newest(&agent, &"ETH/USDT".into(), at(11), minute)
            .is_none()
    );
    assert!(
        tables
            .newest(&"other".into(), &symbol, at(11), minute)
            .is_none()
    );
}

#[test]
fn what_a_row_leaves_out_is_filled_in() {
    let decision = DecisionConfig::default();
    let mut sell = json!({"action": "SELL", "confidence": 0.8, "take_profit": 90.0});
    complete(&mut sell, 100.0, &decision);
    assert_eq!(sell["entry_price"], 100.0);
    assert_eq!(sell["stop_loss"], 102.0);
    assert_eq!(sell["take_profit"], 90.0);
    assert_eq!(sell["size_usd"], decision.size_usd);
    let mut buy = json!({"action": "BUY", "entry_price": 50.0});
    complete(&mut buy, 100.0, &decision);
    assert_eq!(buy["stop_loss"], 49.0);
    assert_eq!(
        Amount::from_f64(buy["take_profit"].as_f64().unwrap()).unwrap(),
        Amount::from_int(52)
    );
}

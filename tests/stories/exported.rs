//! The data of a log as other tools read them: the same in every form, and what the log says.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself fails, and says where"
)]

use std::fs;
use std::path::Path;

use dacapo_cli::{Console, Exit, execute};
use dacapo_kernel::{System, Wanted};
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::domain_event::{DomainEvent, Filled};
use dacapo_tests::{Story, events, record, set};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// A folder with the log of some hours of the day, exported in this form.
fn exported(form: &str) -> (TempDir, Vec<u8>) {
    let folder = tempdir().unwrap();
    let log = record(&Story::Day.path(), &set(&["run.duration=3h"])).log;
    fs::write(folder.path().join("day.dlog"), &log).unwrap();
    let path = folder.path().join("day.dlog");
    let words = ["dacapo", "export", path.to_str().unwrap(), "--to", form];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = execute::<Orchestration, _>(&words, Console::captured(&mut out, &mut err));
    assert_eq!(exit, Exit::Fine, "{}", String::from_utf8_lossy(&err));
    (folder, log)
}

/// The cells of a CSV file, its head first.
fn cells(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// The rows of a table of a database, with cells as a CSV file has them.
fn rows(database: &Connection, table: &str) -> Vec<Vec<String>> {
    let mut select = database
        .prepare(&format!("SELECT * FROM {table} ORDER BY rowid"))
        .unwrap();
    let width = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cell = |at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                ValueRef::Blob(_) => panic!("nothing is exported as bytes"),
            })
        };
        (0..width).map(cell).collect()
    };
    let rows = select.query_map([], row).unwrap();
    rows.map(Result::unwrap).collect()
}

fn open(folder: &TempDir) -> Connection {
    let path = folder.path().join("day.sqlite");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn fills(log: &[u8]) -> Vec<(u64, Filled)> {
    let events = events(log).into_iter();
    events
        .filter_map(|event| match event.domain() {
            Some(DomainEvent::Filled(fill)) => Some((event.seq.0, Filled::clone(fill))),
            _ => None,
        })
        .collect()
}

// Fails if an event is left out, told twice, out of order, or with another body than the log has.
#[test]
fn every_event_is_a_line_of_json() {
    let (folder, log) = exported("jsonl");
    let text = fs::read_to_string(folder.path().join("day.jsonl")).unwrap();
    let events = events(&log);
    assert_eq!(text.lines().count(), events.len());
    for (line, event) in text.lines().zip(&events) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["seq"], event.seq.0);
        assert_eq!(line["time_ns"], event.time.as_nanos());
        assert_eq!(line["cause"], serde_json::to_value(event.cause).unwrap());
        assert_eq!(line["body"], dacapo_lab::body_json(event).unwrap());
    }
}

// Fails if one form has a table, a row or a cell that the other has not, or a cell of a table of text is cut
// where it has quotes, commas or ends of lines.
#[test]
fn tables_are_the_same_in_both_forms() {
    let ((csv, _), (sqlite, _)) = (exported("csv"), exported("sqlite"));
    let database = open(&sqlite);
    let names = "sqlite_master WHERE type = 'table'";
    let names: Vec<String> = rows(&database, names)
        .into_iter()
        .map(|row| row[1].clone())
        .collect();
    let folder = csv.path().join("day-csv");
    // One file is hidden: it lists the others.
    assert_eq!(fs::read_dir(&folder).unwrap().count(), names.len() + 1);
    for name in &names {
        let cells = cells(&folder.join(format!("{name}.csv")));
        assert_eq!(cells[1..], rows(&database, name), "{name}");
    }
    for needed in [
        "events",
        "orders",
        "executions",
        "level_over_time",
        "series",
        "figures",
    ] {
        assert!(
            names.iter().any(|name| name == needed),
            "{needed}: {names:?}"
        );
    }
    let quoted = rows(&database, "events WHERE body LIKE '%\"%,%'");
    assert!(quoted.len() > 100, "nothing in it has to be quoted");
}

// Fails if money is rounded on its way, or a row is put to another event or time.
#[test]
fn executions_are_those_of_the_log_to_the_last_digit() {
    let (folder, log) = exported("sqlite");
    let database = open(&folder);
    let fills = fills(&log);
    assert!(fills.len() > 3, "{}", fills.len());
    let columns = "(SELECT seq, pair, side, size, price, fee, time, rowid FROM executions)";
    let told = rows(&database, columns);
    let expected: Vec<Vec<String>> = fills
        .iter()
        .map(|(seq, fill)| {
            let amounts = [fill.size, fill.price, fill.fee].map(|it| it.to_string());
            let [size, price, fee] = amounts;
            let (pair, side) = (fill.symbol.to_string(), fill.side.to_string());
            vec![seq.to_string(), pair, side, size, price, fee]
        })
        .collect();
    let without_time: Vec<Vec<String>> = told.iter().map(|row| row[..6].to_vec()).collect();
    assert_eq!(without_time, expected);
    let at = rows(&database, "(SELECT time, rowid FROM events WHERE seq = 0)");
    assert_eq!(at[0][0], "2025-01-06T00:00:00.000000000Z");
}

// Fails if the equity that is exported is another one than the figures are made of.
#[test]
fn the_series_is_that_of_the_figures() {
    let (folder, log) = exported("sqlite");
    let plan = record(&Story::Day.path(), &set(&["run.duration=1s"])).plan;
    let mut measure = Orchestration::measure(&plan, Wanted::default()).unwrap();
    let events = events(&log);
    events.iter().for_each(|event| measure.observe(event));
    let series = measure.finish(events.last().unwrap().time).series.unwrap();
    let told = rows(&open(&folder), "series");
    let points = series.points.iter().map(|(time, values)| {
        let mut row = vec![time.as_nanos().to_string()];
        row.extend(values.iter().map(f64::to_string));
        row
    });
    let told: Vec<Vec<String>> = told.into_iter().map(|row| row[1..].to_vec()).collect();
    assert_eq!(told, points.collect::<Vec<_>>());
    assert!(told.len() > 30, "{}", told.len());
}

// Fails if a chart has no picture, a picture has no title or legend, or somebody else's file is replaced.
#[test]
fn charts_are_pictures_too() {
    let (folder, _) = exported("jsonl");
    let at = |name: &str| folder.path().join(name);
    let report = || {
        let words = ["dacapo", "report", "LOG", "--svg", "PICTURES"].map(|word| match word {
            "LOG" => at("day.dlog").to_string_lossy().into_owned(),
            "PICTURES" => at("p").to_string_lossy().into_owned(),
            word => word.to_owned(),
        });
        let mut err = Vec::new();
        let exit =
            execute::<Orchestration, _>(&words, Console::captured(std::io::sink(), &mut err));
        (exit, String::from_utf8(err).unwrap())
    };
    assert_eq!(report().0, Exit::Fine);
    assert_eq!(report().0, Exit::Fine, "its own pictures are replaced");
    for (name, title) in [
        (
            "btc_usdt",
            "BTC/USDT, and what was traded, in the quote currency",
        ),
        (
            "what_the_account_was_worth",
            "What the account was worth, in dollars",
        ),
    ] {
        let text = fs::read_to_string(at(&format!("p/{name}.svg"))).unwrap();
        assert!(text.contains(&format!(">{title}</tspan>")), "{text}");
        assert_eq!(text.matches("<svg").count(), text.matches("</svg>").count());
    }
    let all = ["btc_usdt", "xrp_usdt", "xrp_btc"].map(|name| {
        let text = fs::read_to_string(at(&format!("p/{name}.svg"))).unwrap();
        text.contains("■ bought") || text.contains("■ sold")
    });
    assert!(all.contains(&true), "what was traded is in no legend");
    fs::write(at("p/btc_usdt.svg"), "<svg/>").unwrap();
    let (exit, err) = report();
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("no chart of a report"), "{err}");
    assert_eq!(fs::read_to_string(at("p/btc_usdt.svg")).unwrap(), "<svg/>");
}

//! Somebody's own prices and signals: from files to a run, without a word about what is in the files.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dacapo_cli::{Console, Exit, execute};
use dacapo_kernel::{Event, Time};
use dacapo_lab::scenario::Overrides;
use dacapo_orchestration::Orchestration;
use dacapo_orchestration::amount::Amount;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_orchestration::message::Topic;
use dacapo_tests::{events, record};
use tempfile::{TempDir, tempdir};

const DAY_S: u64 = 86_400;

/// A folder with daily bars that rise for a month and fall for a month, and again. From the row `changed` on they cost
/// twice as much.
fn folder(changed: u64) -> TempDir {
    let folder = tempdir().expect("a temporary folder can be made");
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    let mut last = 1_000;
    for day in 0..300 {
        let step = if day / 30 % 2 == 0 { 20 } else { -20 };
        let close = last + step;
        let times = if day < changed { 1 } else { 2 };
        let (high, low) = (last.max(close) + 5, last.min(close) - 5);
        let prices = [last, high, low, close].map(|price| (price * times).to_string());
        writeln!(
            text,
            "{},{},1",
            1_500_000_000 + day * DAY_S,
            prices.join(",")
        )
        .expect("a text can be written to");
        last = close;
    }
    fs::write(folder.path().join("btcusd.csv"), text).expect("the folder is ours");
    folder
}

/// What the program says to these words; `DESK` is the folder.
fn call(folder: &Path, words: &str) -> (Exit, String, String) {
    let words = words.replace("DESK", folder.to_str().expect("a path of letters"));
    let words: Vec<&str> = ["dacapo"].into_iter().chain(words.split(' ')).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = execute::<Orchestration, _>(&words, Console::captured(&mut out, &mut err));
    let text = |bytes| String::from_utf8(bytes).expect("the program says text");
    (exit, text(out), text(err))
}

/// The scenario that is written for the file in a folder.
fn scenario(folder: &TempDir) -> PathBuf {
    let (exit, out, err) = call(
        folder.path(),
        "init --data DESK/btcusd.csv --stamped open --out DESK/s.toml",
    );
    assert_eq!(exit, Exit::Fine, "{out}{err}");
    folder.path().join("s.toml")
}

/// If the end of a bar were guessed, a file overwritten, or a scenario written that does not run, this fails.
#[test]
fn a_file_becomes_a_run_in_two_commands() {
    let folder = folder(u64::MAX);
    let desk = folder.path();
    let (exit, out, err) = call(desk, "init --data DESK/btcusd.csv --out DESK/s.toml");
    assert_eq!(exit, Exit::Usage);
    assert!(out.contains("BTC/USDT   300    300    1 d"), "{out}");
    assert!(
        err.contains("say --stamped open or --stamped close"),
        "{err}"
    );
    assert!(!desk.join("s.toml").exists());

    let path = scenario(&folder);
    let text = fs::read_to_string(&path).expect("it was written");
    assert!(text.lines().count() < 20, "{text}");
    let again = "init --data DESK/btcusd.csv --stamped close --out DESK/s.toml";
    let (exit, _, err) = call(desk, again);
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.contains("exists already and is not overwritten"),
        "{err}"
    );
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);

    let (exit, out, err) = call(desk, "run DESK/s.toml --out DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{out}{err}");
    assert!(
        out.contains("filled_orders") && !err.contains("no order was ever filled"),
        "{out}{err}"
    );
    // What is needed to run it again is in the log.
    fs::remove_file(desk.join("btcusd.csv")).expect("it is ours");
    let (exit, out, err) = call(desk, "replay DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{out}{err}");
}

#[test]
fn a_file_outside_of_the_folder_is_refused_with_what_to_do() {
    let (here, there) = (folder(u64::MAX), folder(u64::MAX));
    let out = there.path().join("s.toml");
    let words = format!(
        "init --data DESK/btcusd.csv --stamped open --out {}",
        out.display()
    );
    let (exit, _, err) = call(here.path(), &words);
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.contains("lies outside of the folder of the scenario"),
        "{err}"
    );
    assert!(!out.exists());
}

/// Everything that happened before an instant, told in full.
fn before(log: &[u8], end: Time) -> Vec<String> {
    let events = events(log).into_iter().take_while(|event| event.time < end);
    // The first event of a log holds the plan, and with it the digest of the file.
    events.skip(1).map(|event| format!("{event:?}")).collect()
}

/// An agent that saw a bar before it closed, or a row before it could be known, would say something else before that.
#[test]
fn what_comes_later_changes_nothing_before_it() {
    let signals = |last: &str| {
        format!(
            "knowable_at,symbol,action,confidence\n{},BTC/USDT,BUY,0.9\n{},BTC/USDT,{last},0.9\n",
            1_500_000_000 + 50 * DAY_S,
            1_500_000_000 + 150 * DAY_S
        )
    };
    let run = |changed: u64, last: Option<&str>| {
        let folder = folder(changed);
        let path = scenario(&folder);
        if let Some(last) = last {
            fs::write(folder.path().join("signals.csv"), signals(last))
                .expect("the folder is ours");
            let text = fs::read_to_string(&path).expect("it was written");
            let agent = "\n[agents]\ntrading_decision.table = { file = \"signals.csv\", max_age_seconds = 3600 }\n";
            fs::write(&path, text + agent).expect("the folder is ours");
        }
        record(&path, &Overrides::default()).log
    };
    // The bar of row 150 closes 150 days after the first, which closes at the start.
    let seen = Time::from_secs(150 * DAY_S);
    let (one, other) = (run(u64::MAX, None), run(150, None));
    assert_eq!(before(&one, seen), before(&other, seen));
    let later = Time::from_secs(150 * DAY_S + 10);
    assert_ne!(
        before(&one, later),
        before(&other, later),
        "the bar itself is seen"
    );

    // A row that can be known 150 days after 1,500,000,000, which is one day less after the start.
    let seen = Time::from_secs(149 * DAY_S);
    let (buy, sell) = (run(u64::MAX, Some("BUY")), run(u64::MAX, Some("SELL")));
    assert_eq!(before(&buy, seen), before(&sell, seen));
    let later = Time::from_secs(149 * DAY_S + 10);
    assert_ne!(
        before(&buy, later),
        before(&sell, later),
        "the row itself is said"
    );
    let said: Vec<u64> = events(&buy)
        .into_iter()
        .filter(|event| match event.domain() {
            Some(DomainEvent::Published(it)) => it.message.topic == Topic::TradingSignals,
            _ => false,
        })
        .map(|event| event.time.as_nanos() / 1_000_000_000 / DAY_S)
        .collect();
    assert_eq!(
        said,
        [49, 149],
        "each row is said once, when it can be known"
    );
}

#[test]
fn a_bad_row_ends_the_run_before_it_begins() {
    let folder = folder(u64::MAX);
    scenario(&folder);
    let path = folder.path().join("btcusd.csv");
    let text = fs::read_to_string(&path).expect("it was written");
    let line = text.lines().nth(9).expect("it has ten lines").to_owned();
    let bad = line.replacen(',', ",-", 1);
    fs::write(&path, text.replace(&line, &bad)).expect("the folder is ours");
    let (exit, _, err) = call(folder.path(), "run DESK/s.toml --out DESK/a.dlog");
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.contains("btcusd.csv: line 10, column \"open\": -"),
        "{err}"
    );
}

/// An average over the wrong bars, a crossing that is said late or twice, or a size that is not the quantity, fails here.
#[test]
fn averages_that_cross_buy_and_sell_the_quantity_at_the_bars_that_make_them() {
    let folder = folder(u64::MAX);
    let path = scenario(&folder);
    let text = fs::read_to_string(&path).expect("it was written");
    let text = text.replace(
        "trading_decision.interval_bars = 1",
        "trading_decision = { interval_bars = 1, depends_on = [] }",
    );
    let agents = "\n[agents]\ntechnical_analysis = \"absent\"\nregime_detection = \"absent\"\n\
                  trading_decision.average_cross = { fast = 1, slow = 5, quantity = \"0.5\" }\n";
    fs::write(&path, text + agents).expect("the folder is ours");
    let events = events(&record(&path, &Overrides::default()).log);
    let day = |event: &Event<DomainEvent>| event.time.as_nanos() / 1_000_000_000 / DAY_S;
    let said = events.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::Published(it)) if it.message.topic == Topic::TradingSignals => {
            let action = it.message.payload.field("action").text().map(str::to_owned);
            Some((day(event), action.unwrap_or_default()))
        }
        _ => None,
    });
    // The price turns every thirty days. The slow average, a third of the way behind it each day, is
    // met on the second day after.
    let expected = (1..10).map(|turn| {
        let action = if turn % 2 == 0 { "BUY" } else { "SELL" };
        (turn * 30 + 1, action.to_owned())
    });
    assert_eq!(said.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let ordered = events.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::Filled(it)) if it.intent.is_some() => Some(it.ordered),
        _ => None,
    });
    let ordered: Vec<Amount> = ordered.collect();
    let half: Amount = "0.5".parse().expect("a number");
    assert!(
        !ordered.is_empty() && ordered.iter().all(|size| *size == half),
        "{ordered:?}"
    );
}

/// Files that something is wrong with, each with the line and the column that the program must name.
#[test]
fn bad_files_are_refused_with_file_and_row() {
    let good = "2018-04-04 00:00:00,1,1,1,1\n2018-04-04 00:01:00,1,1,1,1\n";
    let head = "time,open,high,low,close\n";
    let wide = format!("time,open,high,low,close{}\n", ",x".repeat(1_000_000));
    let latin = [
        head.as_bytes(),
        b"2018-04-04 00:00:00,1,1,1,1\n\xe4,1,1,1,1\n",
    ]
    .concat();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "no columns of bars",
            "when,what\n1,2\n".into(),
            "line 1: no column for the time",
        ),
        (
            "UTF-16",
            b"\xff\xfet\0i\0m\0e\0".to_vec(),
            "line 1: the file is UTF-16",
        ),
        ("Latin-1", latin, "line 3: not UTF-8"),
        (
            "a million columns",
            wide.into(),
            "line 1: more than 256 columns",
        ),
        (
            "mixed zones",
            format!("{head}{good}2018-04-04T00:02:00Z,1,1,1,1\n").into(),
            "line 4, column \"time\": \"2018-04-04T00:02:00Z\" is no time of the form",
        ),
        (
            "a row cut off",
            format!("{head}{good}2018-04-04 00:02:00,1,1\n").into(),
            "line 4: expected 5 cells as in the head, found 3",
        ),
        ("no rows", head.into(), "line 1: no row after the head"),
    ];
    for (what, bytes, expected) in cases {
        let folder = tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("x.csv"), bytes).expect("the folder is ours");
        let words = "init --data DESK/x.csv --stamped open --out DESK/s.toml";
        let (exit, _, err) = call(folder.path(), words);
        assert_eq!(exit, Exit::Usage, "{what}: {err}");
        assert!(err.contains(&format!("x.csv: {expected}")), "{what}: {err}");
        assert!(!folder.path().join("s.toml").exists(), "{what}");
    }
}

/// A mark in front of the text and rows that repeat are no mistakes: the one is passed over, the others are counted.
#[test]
fn marks_and_repeated_rows_are_taken_and_counted() {
    let folder = folder(u64::MAX);
    let path = folder.path().join("btcusd.csv");
    let text = fs::read_to_string(&path).expect("it was written");
    let line = text.lines().nth(9).expect("it has ten lines");
    let changed = format!(
        "\u{feff}{}",
        text.replacen(line, &format!("{line}\n{line}"), 1)
    );
    fs::write(&path, changed).expect("the folder is ours");
    scenario(&folder);
    let (exit, out, err) = call(folder.path(), "run DESK/s.toml --out DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{err}");
    let said = out + &err;
    let told = "1 row for a time that has one, left out";
    assert!(said.contains(told), "{said}");
}

/// Fails if a replay reads the file again, or a run from another file passes for the same.
#[test]
fn a_replay_goes_by_the_rows_that_were_read() {
    let folder = folder(u64::MAX);
    let (desk, path) = (folder.path(), scenario(&folder));
    let signals = |action: &str| {
        let at = 1_500_000_000 + 50 * DAY_S;
        let text = format!("knowable_at,symbol,action,confidence\n{at},BTC/USDT,{action},0.9\n");
        fs::write(desk.join("signals.csv"), text).expect("the folder is ours");
    };
    signals("BUY");
    let text = fs::read_to_string(&path).expect("it was written");
    let agent =
        "\n[agents]\ntrading_decision.table = { file = \"signals.csv\", max_age_seconds = 3600 }\n";
    fs::write(&path, text + agent).expect("the folder is ours");
    let digest = |log: &str| {
        let (exit, out, err) = call(desk, &format!("run DESK/s.toml --out DESK/{log}"));
        assert_eq!(exit, Exit::Fine, "{out}{err}");
        let log = fs::read(desk.join(log)).expect("it was written");
        let plan = dacapo_kernel::plan_of::<Orchestration>(&mut dacapo_tests::reader(&log));
        let data = plan.expect("it begins with its plan").data;
        let of = data.into_iter().find(|file| file.path == "signals.csv");
        of.expect("what was read is in the plan").digest
    };
    let bought = digest("bought.dlog");
    signals("SELL");
    let (exit, out, err) = call(desk, "replay DESK/bought.dlog");
    assert_eq!(exit, Exit::Fine, "{out}{err}");
    assert_ne!(
        digest("sold.dlog"),
        bought,
        "each log says which file it was"
    );
}

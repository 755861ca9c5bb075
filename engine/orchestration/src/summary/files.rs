//! What was found in the files of a market, and what is odd about them.

use dacapo_kernel::Section;
use dacapo_market::{length, utc};

use super::section;
use crate::domain_event::TapeRead;
use crate::views::Views;

/// What was found in files of bars.
pub(super) fn bars(view: &Views) -> Section {
    let rows = view.bars_read.iter().map(|it| {
        let stamped = if it.stamped_open { "open" } else { "close" };
        let by = if it.bar_is_stated {
            "stated"
        } else {
            "most common"
        };
        let cells = [
            it.symbol.to_string(),
            it.bars.to_string(),
            length(it.bar_ns),
            by.to_owned(),
            stamped.to_owned(),
            it.zone
                .as_ref()
                .map_or("own", |zone| zone.as_str())
                .to_owned(),
            utc(it.from_ns),
            utc(it.to_ns),
            it.gaps.to_string(),
        ];
        cells.to_vec()
    });
    let columns = [
        "symbol",
        "bars",
        "each",
        "length",
        "stamped",
        "zone",
        "first close",
        "last close",
        "gaps",
    ];
    section("bars", &columns, rows.collect())
}

/// What was found in a tape.
pub(super) fn tape(view: &Views) -> Section {
    let rows = view.tape_read.iter().map(|it| {
        let order = if it.by_exchange_time {
            "by exchange time"
        } else {
            "as received"
        };
        let cells = [
            it.rows.to_string(),
            it.trades.to_string(),
            it.quotes.to_string(),
            it.symbols.to_string(),
            order.to_owned(),
            out_of_order(it),
            format!("{} over {} s", it.gaps, it.gap_s),
            seconds(it.longest_pause_ns),
        ];
        cells.to_vec()
    });
    let columns = [
        "rows",
        "trades",
        "quotes",
        "markets",
        "order",
        "out of order",
        "gaps",
        "longest pause",
    ];
    section("tape", &columns, rows.collect())
}

/// How many rows do not come where they stand, or later than their clock says.
fn out_of_order(it: &TapeRead) -> String {
    if it.by_exchange_time {
        return it.moved.to_string();
    }
    let late = it.received.as_ref().filter(|clock| clock.backwards > 0);
    late.map_or_else(
        || "0".to_owned(),
        |clock| {
            let most = seconds(clock.largest_step_back_ns);
            format!("{} by {most}", clock.backwards)
        },
    )
}

/// What a person should know of the files.
pub(super) fn odd(view: &Views, warnings: &mut Vec<String>) {
    for it in &view.bars_read {
        let counts = [
            (it.backwards, "out of order"),
            (it.repeats, "for a time that has one, left out"),
            (it.nonsense, "without sense, left out"),
            (it.before_start, "before the start of the run, left out"),
        ];
        warnings.extend(odd_rows(&it.file, &counts));
    }
    if let Some(it) = &view.tape_read {
        let counts = [
            (it.without_price, "without a price above zero, left out"),
            (it.crossed, "bid above their ask"),
            (it.before_start, "before the start of the run, left out"),
        ];
        warnings.extend(odd_rows(&it.file, &counts));
    }
}

/// How many rows of a file are odd, and in which way; nothing if none are.
fn odd_rows(file: &str, counts: &[(u64, &str)]) -> Option<String> {
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let odd: Vec<String> = told
        .map(|(count, what)| format!("{} {what}", rows(*count)))
        .collect();
    (!odd.is_empty()).then(|| format!("{file}: {}", odd.join(", ")))
}

fn rows(count: u64) -> String {
    match count {
        1 => "1 row".to_owned(),
        many => format!("{many} rows"),
    }
}

fn seconds(ns: u64) -> String {
    format!("{:.3} s", ns as f64 / 1e9)
}

//! The text of a scenario: under twenty lines for one file, each with what it is for.

use dacapo_market::{Stamped, length, utc};

use super::Found;

/// What a run may last if nothing is said, in seconds: ten years.
const USUAL_SECONDS: i128 = 10 * 366 * 86_400;
const SECOND_NS: i128 = 1_000_000_000;

pub(super) fn scenario(name: &str, found: &[Found]) -> String {
    let reports = || found.iter().map(|it| &it.report);
    let start = reports().map(|it| it.from_ns).min().unwrap_or(0);
    let end = reports().map(|it| it.to_ns).max().unwrap_or(0);
    // A minute after the last bar, so that what follows from it is seen.
    let duration_ns = i128::from(end) - i128::from(start) + 60 * SECOND_NS;
    let bars: u64 = reports().map(|it| it.bars).sum();
    let step = reports()
        .next()
        .map_or(String::new(), |it| length(it.bar_ns));
    let is_long = duration_ns / SECOND_NS >= USUAL_SECONDS;
    let apart = if found.len() == 1 && !is_long {
        "\n"
    } else {
        ""
    };
    let mut text = format!(
        "# {bars} bars of {step}, closing from {} to {}.\n",
        utc(start),
        utc(end)
    );
    text += &format!("name = {}\n", quoted(name));
    let symbols: Vec<String> = found.iter().map(|it| quoted(&it.file.symbol)).collect();
    let symbols = format!("symbols = [{}]", symbols.join(", "));
    text += &line(&symbols, "a dollar is one USDT");
    text += &line(
        "store.kind = \"none\"",
        "nothing crashes, so nothing has to be saved",
    );
    if is_long {
        let seconds = duration_ns / SECOND_NS + 1;
        text += &line(
            &format!("budgets.virtual_seconds = {seconds}"),
            "a run of more than ten years",
        );
    }
    text += "[run]\n";
    text += &line(&format!("start = {}", utc(start)), "the first bar closes");
    text += &line(
        &format!("duration = \"{}\"", duration(duration_ns)),
        "a minute longer than the data",
    );
    text += &format!("{apart}[market]\n");
    text += "source = \"bars\"\n";
    text += &market(found);
    text += &format!("{apart}[schedules]\n");
    text += &line(
        "technical_analysis.interval_bars = 1",
        "each looks at every bar when it has closed",
    );
    text += "regime_detection.interval_bars = 1\n";
    text += "trading_decision.interval_bars = 1\n";
    text += &line(
        "portfolio_rebalance.enabled = false",
        "no targets for the shares of assets",
    );
    text
}

fn market(found: &[Found]) -> String {
    let (stamped, meaning) = match found[0].file.stamped {
        Stamped::Open => (
            "open",
            "a row has the time at which its bar opens; it is seen when it closes",
        ),
        Stamped::Close => ("close", "a row has the time at which its bar closes"),
    };
    let mut text = line(&format!("stamped = \"{stamped}\""), meaning);
    let nonsense: u64 = found.iter().map(|it| it.report.nonsense).sum();
    if nonsense > 0 {
        let why = format!("{nonsense} rows have prices that no market can have made");
        text += &line("nonsense = \"drop\"", &why);
    }
    let files: Vec<String> = found.iter().map(file).collect();
    match files.as_slice() {
        [one] => text += &format!("files = [{one}]\n"),
        several => {
            text += "files = [\n";
            for file in several {
                text += &format!("    {file},\n");
            }
            text += "]\n";
        }
    }
    text
}

fn file(it: &Found) -> String {
    let mut text = format!(
        "{{ file = {}, symbol = {}",
        quoted(&it.file.file),
        quoted(&it.file.symbol)
    );
    if let Some(time) = &it.file.columns.time {
        text += &format!(", columns = {{ time = {} }}", quoted(time));
    }
    text + " }"
}

/// A line with what it is for, which begins at one column where there is room.
fn line(text: &str, meaning: &str) -> String {
    format!("{text:<44} # {meaning}\n")
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A length of time as a scenario writes it.
fn duration(ns: i128) -> String {
    let units = [
        (3_600 * SECOND_NS, "h"),
        (60 * SECOND_NS, "m"),
        (SECOND_NS, "s"),
        (1, "ns"),
    ];
    let (mut left, mut parts) = (ns, Vec::new());
    for (unit, name) in units {
        if left / unit > 0 {
            parts.push(format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_texts_are_written_as_a_scenario_reads_them() {
        assert_eq!(duration(86_460 * SECOND_NS), "24h 1m");
        assert_eq!(duration(60 * SECOND_NS + 5), "1m 5ns");
        assert_eq!(quoted("a\"b\\c\u{1b}"), "\"a\\\"b\\\\c\\u001B\"");
    }
}

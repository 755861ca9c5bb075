//! A scenario for files of bars that somebody brings: what is in them, and a short text that runs.
//!
//! What can be seen in a file is written down with a comment; what cannot be known, which end of a bar its
//! time is, is asked for.

mod guess;
mod text;

use dacapo_kernel::{Brought, Draft, Files, Section};
use dacapo_market::sheet::{Sheet, SheetError, SheetProblem, Shown};
use dacapo_market::{
    BarColumn, BarFile, BarReport, Bars, BarsConfig, ColumnNames, Columns, Nonsense, Stamped,
    length, utc,
};

/// One file as it was found.
#[derive(Clone, Debug)]
struct Found {
    file: BarFile,
    report: BarReport,
    /// Why it is known which end of a bar its time is.
    known_by: Option<&'static str>,
}

/// Looks at the files and proposes a scenario.
///
/// # Errors
/// What is wrong with a file, with the line.
pub(crate) fn scenario_for(brought: &Brought<'_>, files: &dyn Files) -> Result<Draft, String> {
    let mut found: Vec<Found> = Vec::new();
    for (path, name) in brought.data {
        let looked = look(path, brought.stamped, files)?;
        let symbol = guess::symbol(path, name.as_deref())?;
        if found.iter().any(|other| other.file.symbol == symbol) {
            return Err(format!(
                "{path} and another file are both taken for {symbol}; name them: --data NAME/USDT={path}"
            ));
        }
        found.push(looked.of(&symbol));
    }
    let name = guess::name(&found[0].file.file);
    let question = found.iter().find(|it| it.known_by.is_none()).map(|it| {
        format!(
            "{}: is the time of a row when its bar opens, or when it closes? Nothing in the file says so, and it is \
             never guessed: say --stamped open or --stamped close. If the row of 09:30 is about what came \
             after 09:30, it is open; exchanges, and dates of days, mostly are",
            it.file.file
        )
    });
    Ok(Draft {
        text: match question {
            Some(question) => Err(question),
            None => Ok(text::scenario(&name, &found)),
        },
        recognised: vec![recognised(&found), columns(&found)],
        name,
    })
}

impl Found {
    fn of(mut self, symbol: &str) -> Found {
        symbol.clone_into(&mut self.file.symbol);
        symbol.clone_into(&mut self.report.symbol);
        self
    }
}

/// Reads a file to its last row.
fn look(path: &str, said: Option<&str>, files: &dyn Files) -> Result<Found, String> {
    let told = |error: SheetError| error.to_string();
    let said = said.map(|end| match end {
        "close" => Stamped::Close,
        _ => Stamped::Open,
    });
    let config = BarsConfig {
        // Rows without sense are counted here, and the scenario says that they are dropped.
        nonsense: Nonsense::Drop,
        ..BarsConfig::new(Vec::new())
    };
    let input = files.open(path).map_err(|error| error.to_string())?;
    let sheet = Sheet::open(path, input, config.max_rows, config.max_bytes).map_err(told)?;
    let (names, stamped) = identify(&sheet, said)?;
    let known_by = match (said, stamped) {
        (Some(_), _) => Some(""),
        (None, Some(_)) => Some(", by its name"),
        (None, None) => None,
    };
    let mut file = BarFile::new(path, "", said.or(stamped).unwrap_or(Stamped::Close));
    file.columns = names;
    let input = files.open(path).map_err(|error| error.to_string())?;
    let bars = Bars::read(&config, &file, i64::MIN, input).map_err(told)?;
    Ok(Found {
        report: bars.report().clone(),
        file,
        known_by,
    })
}

/// Which columns have to be named, and which end of a bar the time is, if its name says so.
fn identify<R: std::io::Read>(
    sheet: &Sheet<R>,
    said: Option<Stamped>,
) -> Result<(ColumnNames, Option<Stamped>), String> {
    let mut names = ColumnNames::default();
    let assumed = said.unwrap_or(Stamped::Open);
    let columns = match Columns::find(sheet.header(), &names, assumed) {
        Err(SheetProblem::SeveralColumns {
            what: "time",
            names: several,
        }) => {
            names.time = several.first().cloned();
            Columns::find(sheet.header(), &names, assumed)
        }
        found => found,
    };
    let columns = columns.map_err(|problem| sheet.error(1, None, problem).to_string())?;
    let time = columns.place(BarColumn::Time);
    let time = time
        .map_or("", |place| sheet.header()[place].as_str())
        .to_lowercase();
    let stamped = match (time.contains("open"), time.contains("close")) {
        (true, false) => Some(Stamped::Open),
        (false, true) => Some(Stamped::Close),
        _ => None,
    };
    Ok((names, stamped))
}

fn recognised(found: &[Found]) -> Section {
    let rows = found.iter().map(|it| {
        let report = &it.report;
        let stamped = match (it.known_by, report.stamped) {
            (None, _) => "?".to_owned(),
            (Some(by), Stamped::Open) => format!("open{by}"),
            (Some(by), Stamped::Close) => format!("close{by}"),
        };
        vec![
            report.file.clone(),
            report.symbol.clone(),
            report.rows.to_string(),
            report.bars.to_string(),
            length(report.bar_ns),
            stamped,
            utc(report.from_ns),
            utc(report.to_ns),
            odd(report),
        ]
    });
    section(
        "recognised",
        &[
            "file",
            "symbol",
            "rows",
            "bars",
            "each",
            "stamped",
            "first close",
            "last close",
            "odd",
        ],
        rows.collect(),
    )
}

fn columns(found: &[Found]) -> Section {
    let rows = found.iter().map(|it| {
        let report = &it.report;
        let zone = match &report.zone {
            Some(zone) => format!("{}, taken as {zone}", report.times),
            None => report.times.clone(),
        };
        let named = report.columns.iter().map(|(what, name)| {
            if name.eq_ignore_ascii_case(what) {
                (*what).to_owned()
            } else {
                format!("{what} = {}", Shown(name))
            }
        });
        let ignored: Vec<String> = report
            .ignored
            .iter()
            .map(|name| Shown(name).to_string())
            .collect();
        vec![
            report.file.clone(),
            zone,
            named.collect::<Vec<_>>().join(", "),
            ignored.join(", "),
        ]
    });
    section(
        "columns",
        &["file", "times", "read", "not read"],
        rows.collect(),
    )
}

fn odd(report: &BarReport) -> String {
    let counts = [
        (report.gaps, "gaps"),
        (report.repeats, "repeats"),
        (report.backwards, "backwards"),
        (report.nonsense, "without sense"),
        (report.short_steps, "short steps"),
    ];
    let odd: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if odd.is_empty() {
        "nothing".to_owned()
    } else {
        odd.join(", ")
    }
}

fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Section {
    Section {
        title: title.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        rows,
    }
}

#[cfg(test)]
mod tests;

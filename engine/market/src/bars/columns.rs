//! Which column of a file is which: by its name, or as the scenario says.

use serde::{Deserialize, Serialize};

use super::Stamped;
use crate::sheet::SheetProblem;

/// What a column of bars can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarColumn {
    /// When.
    Time,
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price.
    Close,
    /// How much was traded.
    Volume,
    /// Of which market the row is.
    Symbol,
}

impl BarColumn {
    const ALL: [BarColumn; 7] = [
        BarColumn::Time,
        BarColumn::Open,
        BarColumn::High,
        BarColumn::Low,
        BarColumn::Close,
        BarColumn::Volume,
        BarColumn::Symbol,
    ];

    /// The name, as a scenario says it under `columns`.
    pub fn name(self) -> &'static str {
        match self {
            BarColumn::Time => "time",
            BarColumn::Open => "open",
            BarColumn::High => "high",
            BarColumn::Low => "low",
            BarColumn::Close => "close",
            BarColumn::Volume => "volume",
            BarColumn::Symbol => "symbol",
        }
    }

    /// Names that are recognised, without regard to case, blanks and punctuation.
    fn usual_names(self) -> &'static [&'static str] {
        match self {
            BarColumn::Time => &[
                "time",
                "timestamp",
                "date",
                "datetime",
                "opentime",
                "closetime",
                "ts",
                "unix",
                "unixtime",
                "unixtimestamp",
                "gmttime",
                "dateutc",
                "timeutc",
                "timestamputc",
                "datetimeutc",
                "index",
            ],
            BarColumn::Open => &["open", "o", "openprice", "priceopen"],
            BarColumn::High => &["high", "h", "highprice", "pricehigh"],
            BarColumn::Low => &["low", "l", "lowprice", "pricelow"],
            BarColumn::Close => &["close", "c", "closeprice", "priceclose", "last", "price"],
            BarColumn::Volume => &[
                "volume",
                "v",
                "vol",
                "volumebase",
                "basevolume",
                "tickvolume",
            ],
            BarColumn::Symbol => &["symbol", "ticker", "pair", "instrument", "ric"],
        }
    }
}

/// The names that a scenario gives, where those of the file do not speak for themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnNames {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The first price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
    /// The highest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    /// The lowest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// The last price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<String>,
    /// How much was traded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

impl ColumnNames {
    fn of(&self, column: BarColumn) -> Option<&str> {
        match column {
            BarColumn::Time => self.time.as_deref(),
            BarColumn::Open => self.open.as_deref(),
            BarColumn::High => self.high.as_deref(),
            BarColumn::Low => self.low.as_deref(),
            BarColumn::Close => self.close.as_deref(),
            BarColumn::Volume => self.volume.as_deref(),
            BarColumn::Symbol => None,
        }
    }
}

/// Where each column stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    places: [Option<usize>; BarColumn::ALL.len()],
}

impl Columns {
    /// Finds the columns by the names in a head.
    ///
    /// # Errors
    /// If one that is needed is missing, or if several could be it.
    pub fn find(
        header: &[String],
        said: &ColumnNames,
        stamped: Stamped,
    ) -> Result<Columns, SheetProblem> {
        let mut places = [None; BarColumn::ALL.len()];
        for column in BarColumn::ALL {
            places[column as usize] = match said.of(column) {
                Some(name) => Some(find_named(header, column, name)?),
                None => recognise(header, column, stamped)?,
            };
        }
        let columns = Columns { places };
        for column in [BarColumn::Time, BarColumn::Close] {
            if columns.place(column).is_none() {
                return Err(missing(header, column));
            }
        }
        // A file of closes alone is one thing; a file that lacks one of four prices is a slip.
        let rest = [BarColumn::Open, BarColumn::High, BarColumn::Low];
        match rest
            .into_iter()
            .find(|column| columns.place(*column).is_none())
        {
            Some(column) if !columns.is_close_only() => Err(missing(header, column)),
            _ => Ok(columns),
        }
    }

    /// Where a column stands, counted from 0.
    pub fn place(&self, column: BarColumn) -> Option<usize> {
        self.places[column as usize]
    }

    /// Whether there are no other prices than the close.
    pub fn is_close_only(&self) -> bool {
        let rest = [BarColumn::Open, BarColumn::High, BarColumn::Low];
        rest.into_iter().all(|column| self.place(column).is_none())
    }

    /// Each column that was found, with its name in the file.
    pub fn found<'a>(&'a self, header: &'a [String]) -> impl Iterator<Item = (BarColumn, &'a str)> {
        BarColumn::ALL.into_iter().filter_map(|column| {
            let place = self.place(column)?;
            Some((column, header[place].as_str()))
        })
    }
}

fn find_named(header: &[String], column: BarColumn, name: &str) -> Result<usize, SheetProblem> {
    let place = header.iter().position(|known| known == name);
    let place = place.or_else(|| header.iter().position(|known| plain(known) == plain(name)));
    place.ok_or_else(|| SheetProblem::NoSuchColumn {
        what: column.name(),
        name: name.to_owned(),
        names: header.to_vec(),
    })
}

fn recognise(
    header: &[String],
    column: BarColumn,
    stamped: Stamped,
) -> Result<Option<usize>, SheetProblem> {
    let usual = column.usual_names();
    let mut found: Vec<usize> = (0..header.len())
        .filter(|at| usual.contains(&plain(&header[*at]).as_str()))
        .collect();
    if column == BarColumn::Time {
        // A data frame writes an index that has no name as a first column that has none.
        if found.is_empty() && header.first().is_some_and(String::is_empty) {
            found.push(0);
        }
        let other_end = match stamped {
            Stamped::Open => "closetime",
            Stamped::Close => "opentime",
        };
        if found.len() > 1 {
            found.retain(|at| plain(&header[*at]) != other_end);
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        // Nothing hangs on which of several volumes it is.
        [first, ..] if matches!(column, BarColumn::Volume | BarColumn::Symbol) => Ok(Some(*first)),
        several => Err(SheetProblem::SeveralColumns {
            what: column.name(),
            names: several.iter().map(|at| header[*at].clone()).collect(),
        }),
    }
}

fn missing(header: &[String], column: BarColumn) -> SheetProblem {
    SheetProblem::NoColumn {
        what: column.name(),
        names: header.to_vec(),
    }
}

/// A name without what people write differently: case, blanks, punctuation.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str, stamped: Stamped) -> Result<Vec<(&'static str, String)>, String> {
        let header: Vec<String> = header.split(',').map(str::to_owned).collect();
        let columns = Columns::find(&header, &ColumnNames::default(), stamped);
        let columns = columns.map_err(|problem| problem.to_string())?;
        let found = columns.found(&header);
        Ok(found
            .map(|(column, name)| (column.name(), name.to_owned()))
            .collect())
    }

    /// A head that a common source writes and that is read another way fails here.
    #[test]
    fn heads_of_common_sources_are_recognised() {
        for (header, time, close) in [
            ("time,open,high,low,close,volume", "time", "close"),
            ("Date,Open,High,Low,Close,Adj Close,Volume", "Date", "Close"),
            (",Open,High,Low,Close", "", "Close"),
            ("Gmt time,Open,High,Low,Close,Volume", "Gmt time", "Close"),
            ("timestamp,o,h,l,c,v", "timestamp", "c"),
            ("Date,Price", "Date", "Price"),
        ] {
            let found = find(header, Stamped::Open).unwrap();
            assert_eq!(found[0], ("time", time.to_owned()), "{header}");
            assert!(
                found.contains(&("close", close.to_owned())),
                "{header}: {found:?}"
            );
        }
        let klines = "Open time,Open,High,Low,Close,Volume,Close time";
        assert_eq!(find(klines, Stamped::Open).unwrap()[0].1, "Open time");
        assert_eq!(find(klines, Stamped::Close).unwrap()[0].1, "Close time");
    }

    #[test]
    fn what_is_missing_or_doubtful_is_refused() {
        for (header, what) in [
            ("open,high,low,close", "no column for the time"),
            ("date,open,high,low", "no column for the close"),
            ("date,open,high,close", "no column for the low"),
            (
                "date,time,open,high,low,close",
                "\"date\", \"time\" could each be the time",
            ),
            ("date,close,last", "could each be the close"),
        ] {
            let error = find(header, Stamped::Open).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_scenario_may_say_which_is_which() {
        let header: Vec<String> = ["date", "time", "Schluss"].map(str::to_owned).into();
        let said = ColumnNames {
            time: Some("date".to_owned()),
            close: Some("schluss".to_owned()),
            ..ColumnNames::default()
        };
        let columns = Columns::find(&header, &said, Stamped::Close).unwrap();
        assert_eq!(columns.place(BarColumn::Close), Some(2));
        let said = ColumnNames {
            time: Some("when".to_owned()),
            ..said
        };
        let error = Columns::find(&header, &said, Stamped::Close).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no column \"when\" for the time"),
            "{error}"
        );
    }
}

//! Tables, as wide as the screen allows.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use crate::screen::{Screen, Tone};

/// A line under the head.
const ROWS: TableStyle = TableStyle::new().header_separator(RULE);

/// And one between rows, for rows that take several lines.
const TEXTS: TableStyle = ROWS.row_separator(RULE);

const RULE: LineStyle = LineStyle::none().fill('─').junction('─');

impl Screen<'_> {
    /// A titled table of foreign text; nothing if it has no rows.
    pub(crate) fn table(&mut self, title: &str, columns: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        let lines = self.set(ROWS, columns, rows);
        self.line("");
        if !title.is_empty() {
            let title = self.paint(Tone::Head, Screen::safe(title));
            self.line(title);
        }
        for line in lines {
            self.line(line.trim_end());
        }
    }

    /// A table whose cells are long texts, of several lines where they say so.
    pub(crate) fn table_of_texts(&mut self, columns: &[&str], rows: &[Vec<String>]) {
        for line in self.set(TEXTS, columns, rows) {
            self.line(line.trim_end());
        }
    }

    fn set(&self, style: TableStyle, columns: &[&str], rows: &[Vec<String>]) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(style);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.force_no_tty();
        table.set_width(u16::try_from(self.width()).unwrap_or(u16::MAX));
        table.set_header(columns.iter().map(Screen::safe));
        for row in rows {
            table.add_row(row.iter().map(|cell| safe_lines(cell)));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            let longest = longest_word(columns[at], rows.iter().map(|row| row[at].as_str()));
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(longest + 2)));
        }
        table.lines().collect()
    }
}

fn safe_lines(cell: &str) -> String {
    let lines: Vec<String> = cell.lines().map(Screen::safe).collect();
    lines.join("\n")
}

/// How long a word may be that is kept whole.
const WORD_MAX: usize = 28;

fn longest_word<'a>(head: &'a str, cells: impl Iterator<Item = &'a str>) -> u16 {
    let words = cells.chain([head]).flat_map(str::split_whitespace);
    let longest = words.map(|word| word.chars().count()).max();
    longest.map_or(0, |longest| longest.min(WORD_MAX) as u16)
}

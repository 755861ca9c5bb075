//! A titled table, as summaries and figures show it.

/// A titled table of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Above the table.
    pub title: String,
    /// The heads of its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

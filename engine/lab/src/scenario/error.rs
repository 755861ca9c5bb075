//! What a person reads who made a mistake in a scenario: the place, the line, what was
//! expected, the nearest right word, and what to do.
//!
//! Finding the mistake is the affair of whoever reads the file.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

/// A mistake in a scenario or in what overrides it.
///
/// All its text is fit for a terminal: what the file contains has been escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScenarioError {
    /// The file as it was named, or the option that is wrong, such as `--set run.seed=x`.
    pub file: String,
    /// The line, counted from 1, where there is one.
    pub line: Option<u32>,
    /// The column in characters, counted from 1, where there is one.
    pub column: Option<u32>,
    /// What is wrong: what was expected and what was found.
    pub what: String,
    /// The nearest right word, if one is near.
    pub suggestion: Option<String>,
    /// What to do next.
    pub help: Option<String>,
    /// The line itself, if there is one.
    #[serde(skip)]
    pub(super) excerpt: Option<Box<Excerpt>>,
}

/// A line, with the place that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line, with a visible stand-in for every character that acts on a terminal.
    pub(super) text: String,
    /// The bytes of it that are meant.
    pub(super) marked: Range<usize>,
}

impl ScenarioError {
    /// The complete report, with colours if asked for; it ends without a line break.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut report = Group::with_title(Level::ERROR.primary_title(self.what.as_str()));
        let label = self
            .suggestion
            .as_ref()
            .map(|word| format!("did you mean `{word}`?"));
        if let (Some(excerpt), Some(line)) = (&self.excerpt, self.line) {
            let mark = AnnotationKind::Primary
                .span(excerpt.marked.clone())
                .label(label.clone());
            let snippet = Snippet::source(excerpt.text.as_str())
                .path(self.file.as_str())
                .line_start(line as usize)
                .annotation(mark);
            report = report.element(snippet);
        } else {
            report = report.element(Origin::path(self.file.as_str()));
            report = report.elements(label.map(|label| Level::HELP.message(label)));
        }
        if let Some(help) = &self.help {
            report = report.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[report])
    }
}

impl fmt::Display for ScenarioError {
    /// The complete report, without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ScenarioError {}

//! The page as a whole: what comes first, and what follows.

use dacapo_kernel::{Measured, Plan, SchedulerKind, Section, System, Verdict};
use dacapo_lab::report::{Shown, waits_of};
use dacapo_lab::{Chain, Examined, Judgement};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{came_to, chart, lanes, parts, waits};
use crate::summary::Standing;
use crate::text::{figure, grouped, seed, shell_word};

/// How a page of this command begins.
pub(super) const MARK: &str = "<!DOCTYPE html><html lang=\"en\" data-report=\"dacapo\"";

/// Nothing is fetched and nothing runs: text that a model wrote stays text.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = include_str!("style.css");

/// A page of this command with what it shows; whoever reads it knows it by its [`MARK`].
pub(super) fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" data-report="dacapo" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

/// Everything that the page tells.
pub(super) struct Page<'a, S: System> {
    pub(super) examined: &'a Examined<S>,
    pub(super) judgement: &'a Judgement,
    pub(super) chains: &'a [Option<Chain>],
    pub(super) shown: &'a Shown,
    pub(super) measured: Option<&'a Measured>,
    pub(super) standing: Standing,
    pub(super) log: &'a str,
    pub(super) program: &'a str,
}

impl<S: System> Page<'_, S> {
    pub(super) fn markup(&self) -> Markup {
        let plan = &self.examined.plan;
        let title = format!("{} · {}", plan.name, self.standing.word());
        let body = html! {
            (self.head(plan))
            (parts::failures(self.judgement, self.chains))
            @if let Some(picture) = waits_of(&self.examined.world) { (waits::drawn(&picture)) }
            (self.charts())
            (self.sections())
            (self.figures())
            (came_to::told(self.measured))
            (parts::properties(&self.examined.findings))
            @for listing in &self.shown.listings { (parts::listing(listing)) }
            (self.events())
            (self.environment(plan))
        };
        document(&title, &body)
    }

    fn head(&self, plan: &Plan<S::Config>) -> Markup {
        let verdict = self.examined.world.verdict.as_ref();
        let replay = format!("{} replay {}", self.program, shell_word(self.log));
        html! {
            header {
                h1 { span class=(tone(self.standing)) { (self.standing.word()) } " " (plan.name) }
                p { (plan.story.trim()) }
                dl {
                    dt { "verdict" } dd { (verdict.map_or("none", Verdict::name)) }
                    dt { "time" } dd { (self.examined.world.now) " virtual" }
                    dt { "events" } dd { (grouped(self.examined.events)) }
                    dt { "seed" } dd { (seed(plan.seed)) }
                    dt { "reproduce" } dd { code { (replay) } }
                }
            }
        }
    }

    fn charts(&self) -> Markup {
        html! {
            @for shown in &self.shown.charts {
                section {
                    h2 { (shown.title) }
                    @if let Some(drawn) = chart::drawn(shown, self.examined.world.now) { (drawn) }
                }
            }
        }
    }

    fn sections(&self) -> Markup {
        html! {
            @for Section { title, columns, rows } in S::summary(&self.examined.world) {
                @if !rows.is_empty() { (parts::table(&title, &columns, &rows)) }
            }
        }
    }

    fn figures(&self) -> Markup {
        let figures = self.judgement.figures.iter();
        let rows: Vec<Vec<String>> = figures
            .map(|it| vec![it.name.to_owned(), figure(it.value), it.meaning.to_owned()])
            .collect();
        let expected = self.judgement.expectations.iter();
        let expected: Vec<Vec<String>> = expected
            .map(|it| {
                let met = if it.met { "met" } else { "NOT MET" };
                vec![
                    met.to_owned(),
                    it.of.clone(),
                    it.expected.clone(),
                    it.actual.clone(),
                ]
            })
            .collect();
        html! {
            @if !rows.is_empty() { (parts::table("Figures", &["figure", "value", "meaning"], &rows)) }
            @if !expected.is_empty() {
                (parts::table("Expected", &["", "of", "expected", "actual"], &expected))
            }
        }
    }

    fn events(&self) -> Markup {
        let lines = &self.shown.lines;
        let range = lines.first().zip(lines.last());
        html! {
            @if let Some((first, last)) = range {
                section {
                    h2 { "Events" }
                    p class="note" {
                        "Events " (grouped(first.seq.0)) " to " (grouped(last.seq.0)) " of "
                        (grouped(self.shown.events)) ". Each dot is an event of its actor, and each line goes \
                         back to what it follows from."
                    }
                    (lanes::drawn(lines))
                }
            }
        }
    }

    fn environment(&self, plan: &Plan<S::Config>) -> Markup {
        let defects = match plan.defects.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        let chain = self.examined.ending.chain();
        html! {
            section {
                h2 { "Environment" }
                dl {
                    dt { "system" } dd { (S::NAME) }
                    dt { "program" } dd { (self.program) " " (env!("CARGO_PKG_VERSION")) }
                    dt { "scheduler" } dd { (scheduler(plan.scheduler)) }
                    dt { "profile" } dd { (plan.profile) }
                    dt { "defects" } dd { (defects) }
                    dt { "faults" } dd { (plan.faults.faults.len()) " planned" }
                    dt { "fingerprint" } dd { code { (chain.to_string()) } }
                    @for file in &plan.data { dt { "data" } dd { (file.path) } }
                }
            }
        }
    }
}

fn scheduler(kind: SchedulerKind) -> &'static str {
    let mut known = SchedulerKind::NAMES.iter();
    known
        .find(|(_, known)| *known == kind)
        .map_or("", |(name, _)| *name)
}

fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "good",
        Standing::Fail => "bad",
        Standing::NothingRan | Standing::CutOff => "warn",
    }
}

//! What a new prompt would decide, on a screen and for programs.

use dacapo_kernel::Decided;
use dacapo_lab::VERSION;
use dacapo_lab::rehearing::{Docket, Outcome, Share, Tally};
use serde_json::{Value, json};

use super::patience::Waited;
use crate::next;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};

/// How many flips a screen names.
pub(super) const SHOWN: usize = 20;

/// What came of all logs.
pub(super) struct Told<'a> {
    pub(super) template: String,
    /// Which decisions were put again.
    pub(super) kind: String,
    /// Which others there are, in words.
    pub(super) besides: String,
    pub(super) waited: Waited,
    pub(super) dockets: &'a [Docket],
    pub(super) all: Tally,
    /// The thresholds that are not met.
    pub(super) broken: Vec<String>,
}

/// A decision that would be another one.
pub(super) struct Flip<'a> {
    pub(super) log: &'a str,
    pub(super) decided: &'a Decided,
    pub(super) outcome: Outcome,
}

impl Flip<'_> {
    /// What it would be, and by how many of its replies.
    pub(super) fn now(&self) -> String {
        let Outcome {
            other,
            differ,
            replies,
            ..
        } = &self.outcome;
        let other = other.as_deref().unwrap_or("?");
        format!("{other} ({differ} of {replies} differ)")
    }
}

impl Told<'_> {
    pub(super) fn tell(&self, screen: &mut Screen<'_>) {
        if !screen.is_for_people() {
            self.tell_programs(screen);
            return;
        }
        if !screen.quiet && self.all.decisions > 0 {
            self.head(screen);
            let columns = ["log", "", "count", "rate", "95 %"];
            screen.table("", &columns, &self.rates());
            let (columns, rows) = self.flip_table();
            screen.table("Decisions that flip", &columns, &rows);
            let more = self.flips().len().saturating_sub(SHOWN);
            if more > 0 {
                screen.line(format!(
                    "… and {more} more; --message-format json has all of them"
                ));
            }
            screen.line("");
        }
        self.end(screen);
        self.annotate(screen);
        self.next(screen);
    }

    /// Every decision that flips, in the order of logs and events.
    pub(super) fn flips(&self) -> Vec<Flip<'_>> {
        let of = |docket: &'_ Docket| docket.outcomes();
        let mut flips = Vec::new();
        for docket in self.dockets {
            for (decided, outcome) in docket.decided.iter().zip(of(docket)) {
                if outcome.flips || outcome.begins || outcome.ends {
                    flips.push(Flip {
                        log: &docket.log,
                        decided,
                        outcome,
                    });
                }
            }
        }
        flips
    }

    /// What is done because of a decision: one, and several.
    fn acts(&self) -> (&'static str, &'static str) {
        let first = self.dockets.first();
        first.map_or(("act", "acts"), |it| it.rehearsal.acts())
    }

    fn head(&self, screen: &mut Screen<'_>) {
        let name = screen.paint(Tone::Head, Screen::safe(&self.template));
        let besides = match self.besides.as_str() {
            "" => String::new(),
            others => format!("; not put again, but with --of: {others}"),
        };
        let of = Screen::safe(format!("{}{besides}", self.kind));
        screen.line(format!("{name}, for {of}"));
        for docket in self.dockets {
            let (new, old) = docket.rehearsal.templates();
            let same = if new == old {
                ": the template that was recorded".to_owned()
            } else {
                format!(", recorded with {old}")
            };
            let passed = match docket.passed_over {
                0 => String::new(),
                some => format!("; {} cannot be put again", grouped(some)),
            };
            let decisions = counted(docket.decided.len() as u64, "decision", "decisions");
            let line = format!("  {}  {decisions}{passed}; {new}{same}", docket.log);
            screen.line(Screen::safe(line));
            let tally = docket.tally();
            screen.line(format!(
                "    {}, {} failed, {} tokens, cost {}",
                counted(tally.replies, "reply", "replies"),
                grouped(tally.failed),
                tokens(&tally),
                cost(&tally)
            ));
        }
        if let Some(waited) = self.waited.told() {
            screen.line(format!("    {waited}"));
        }
    }

    /// What is counted of a log and of all, a row each.
    fn rates(&self) -> Vec<Vec<String>> {
        let (_, acts) = self.acts();
        let mut rows = Vec::new();
        let mut add = |name: &str, tally: &Tally| {
            let shares = [
                ("flip".to_owned(), tally.flip_share()),
                (format!("become {acts}"), tally.begin_share()),
                (format!("no {acts} any more"), tally.end_share()),
                ("invalid replies".to_owned(), tally.invalid_share()),
            ];
            for (at, (what, share)) in shares.into_iter().enumerate() {
                let name = if at == 0 { name } else { "" };
                let interval = share.interval();
                rows.push(vec![
                    name.to_owned(),
                    what,
                    format!("{} of {}", grouped(share.count), grouped(share.of)),
                    share.rate().map_or_else(|| "–".to_owned(), percent),
                    interval.map_or_else(String::new, |(low, high)| {
                        format!("{} to {}", percent(low), percent(high))
                    }),
                ]);
            }
        };
        for docket in self.dockets {
            add(&docket.log, &docket.tally());
        }
        if self.dockets.len() > 1 {
            add("all", &self.all);
        }
        rows
    }

    /// A row for each log, and one for all.
    pub(super) fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let (_, acts) = self.acts();
        let columns = [
            "log".to_owned(),
            "replies".to_owned(),
            "flip".to_owned(),
            format!("become {acts}"),
            format!("no {acts} any more"),
            "invalid replies".to_owned(),
            "failed".to_owned(),
            "tokens".to_owned(),
            "cost".to_owned(),
        ];
        let row = |name: &str, tally: &Tally| {
            vec![
                name.to_owned(),
                grouped(tally.replies),
                share(tally.flip_share()),
                share(tally.begin_share()),
                share(tally.end_share()),
                share(tally.invalid_share()),
                grouped(tally.failed),
                tokens(tally),
                cost(tally),
            ]
        };
        let each = self.dockets.iter().map(|it| row(&it.log, &it.tally()));
        let mut rows: Vec<Vec<String>> = each.collect();
        if rows.len() > 1 {
            rows.push(row("all", &self.all));
        }
        (columns.into(), rows)
    }

    /// A row for each of the first decisions that flip.
    pub(super) fn flip_table(&self) -> ([&'static str; 5], Vec<Vec<String>>) {
        let row = |flip: &Flip<'_>| {
            vec![
                flip.log.to_owned(),
                flip.decided.decided.to_string(),
                flip.decided.about.clone(),
                flip.decided.ruling.word.clone(),
                flip.now(),
            ]
        };
        let rows = self.flips().iter().take(SHOWN).map(row).collect();
        (["log", "event", "about", "recorded", "now"], rows)
    }

    /// All of it in one line, and whether that is good.
    pub(super) fn in_short(&self) -> (bool, String) {
        let all = &self.all;
        let (_, acts) = self.acts();
        let line = format!(
            "{} of {} flip, {} become {acts}, {} are no {acts} any more, {} of {} invalid",
            grouped(all.flips),
            counted(all.heard, "decision", "decisions"),
            grouped(all.begins),
            grouped(all.ends),
            grouped(all.invalid),
            counted(all.replies, "reply", "replies"),
        );
        (self.broken.is_empty(), line)
    }

    fn end(&self, screen: &mut Screen<'_>) {
        let (is_good, line) = self.in_short();
        let word = if is_good {
            screen.paint(Tone::Good, "PASS")
        } else {
            screen.paint(Tone::Bad, "FAIL")
        };
        let template = Screen::safe(&self.template);
        screen.line(format!("{word}  {template}  {line}"));
        for what in &self.broken {
            screen.line(format!("  {what}"));
        }
    }

    fn annotate(&self, screen: &mut Screen<'_>) {
        for what in &self.broken {
            screen.annotate("error", &self.template, what);
        }
        for flip in self.flips().iter().take(SHOWN) {
            let title = format!("{}, event {}", flip.log, flip.decided.decided);
            let (recorded, now) = (&flip.decided.ruling.word, flip.now());
            let text = format!("{}: {recorded} would be {now}", flip.decided.about);
            screen.annotate("notice", &title, &text);
        }
    }

    fn next(&self, screen: &mut Screen<'_>) {
        let flips = self.flips();
        let Some(first) = flips.first() else { return };
        let log = Screen::safe(shell_word(first.log));
        let (asked, decided) = (first.decided.asked, first.decided.decided);
        next::propose(
            &[
                (
                    format!("show {log} --at {asked}"),
                    "the state when the first of them was asked",
                ),
                (
                    format!("explain {log} {decided}"),
                    "what followed from it then",
                ),
            ],
            screen,
        );
    }

    fn tell_programs(&self, screen: &mut Screen<'_>) {
        for docket in self.dockets {
            let outcomes = docket.outcomes();
            for (at, decided) in docket.decided.iter().enumerate() {
                let reply = |heard: &dacapo_kernel::Heard| {
                    json!({
                        "ruling": heard.ruling.as_ref().map(|it| &it.word),
                        "acts": heard.ruling.as_ref().map(|it| it.acts),
                        "valid": heard.is_valid,
                        "text": heard.text,
                        "prompt_tokens": heard.prompt_tokens,
                        "reply_tokens": heard.reply_tokens,
                        "cost": heard.cost,
                    })
                };
                let replies: Vec<Value> = docket.heard[at].iter().map(reply).collect();
                let outcome = &outcomes[at];
                screen.json(&json!({
                    "v": VERSION,
                    "type": "prompt-test-decision",
                    "log": docket.log,
                    "asked": decided.asked,
                    "decided": decided.decided,
                    "about": decided.about,
                    "recorded": {"ruling": decided.ruling.word, "acts": decided.ruling.acts},
                    "replies": replies,
                    "differ": outcome.differ,
                    "flips": outcome.flips,
                    "begins": outcome.begins,
                    "ends": outcome.ends,
                }));
            }
        }
        let of = |docket: &Docket| {
            let mut value = tally_json(&docket.tally());
            let (new, old) = docket.rehearsal.templates();
            value["log"] = json!(docket.log);
            value["template"] = json!({"new": new, "recorded": old});
            value
        };
        let logs: Vec<Value> = self.dockets.iter().map(of).collect();
        let mut all = tally_json(&self.all);
        all["v"] = json!(VERSION);
        all["type"] = json!("prompt-test");
        all["template"] = json!(self.template);
        all["of"] = json!(self.kind);
        all["waits"] = json!({
            "times": self.waited.times,
            "seconds": self.waited.span.as_secs_f64(),
            "given_up": self.waited.given_up,
        });
        all["logs"] = json!(logs);
        all["broken"] = json!(self.broken);
        screen.json(&all);
    }
}

fn tally_json(tally: &Tally) -> Value {
    let share = |share: Share| {
        let interval = share.interval();
        json!({
            "count": share.count,
            "of": share.of,
            "rate": share.rate(),
            "low": interval.map(|(low, _)| low),
            "high": interval.map(|(_, high)| high),
            "confidence": 0.95,
        })
    };
    json!({
        "decisions": tally.decisions,
        "passed_over": tally.passed_over,
        "flips": share(tally.flip_share()),
        "begins": share(tally.begin_share()),
        "ends": share(tally.end_share()),
        "invalid": share(tally.invalid_share()),
        "failed": tally.failed,
        "prompt_tokens": tally.prompt_tokens,
        "reply_tokens": tally.reply_tokens,
        "cost": tally.cost,
        "unpriced": tally.unpriced,
    })
}

/// A share with its interval.
fn share(share: Share) -> String {
    let (Some(rate), Some((low, high))) = (share.rate(), share.interval()) else {
        return "–".to_owned();
    };
    format!(
        "{} of {}: {} ({} to {})",
        grouped(share.count),
        grouped(share.of),
        percent(rate),
        percent(low),
        percent(high)
    )
}

/// A rate as people read it.
pub(super) fn percent(rate: f64) -> String {
    let text = format!("{:.1}", 100.0 * rate);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// Tokens of questions and of replies.
fn tokens(tally: &Tally) -> String {
    let (prompt, reply) = (tally.prompt_tokens, tally.reply_tokens);
    format!("{} + {}", grouped(prompt), grouped(reply))
}

fn cost(tally: &Tally) -> String {
    let known = tally.replies - tally.unpriced;
    match (known, tally.unpriced) {
        (0, _) => "not known".to_owned(),
        (_, 0) => format!("{:.6} dollars", tally.cost),
        (_, some) => format!("{:.6} dollars, {} not known", tally.cost, grouped(some)),
    }
}

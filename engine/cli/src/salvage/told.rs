//! The screen of `salvage`: what is kept, why it ends there, what is left, part by part.

use dacapo_kernel::BoxedStorage;
use dacapo_kernel::log::{Ending, LogError, Lost, Remains, Salvage};
use dacapo_lab::VERSION;
use serde_json::{Value, json};

use crate::next;
use crate::screen::{Screen, Tone};
use crate::text::{counted, grouped, shell_word};

/// So many parts are shown; all of them are in the JSON.
const MOST_ROWS: usize = 20;

/// What was found in a log and what was made of it.
pub(super) struct Told<'a> {
    pub(super) log: &'a str,
    pub(super) wreck: &'a Salvage<BoxedStorage>,
    /// Where the copy is, if one was made.
    pub(super) copy: Option<&'a str>,
    /// Whether the last sound event is the end of the run.
    pub(super) is_whole_run: bool,
    /// Whether a copy would hold no less than the log, and no more.
    pub(super) nothing_to_do: bool,
}

impl Told<'_> {
    pub(super) fn tell(&self, screen: &mut Screen<'_>) {
        if !screen.is_for_people() {
            return screen.json(&self.json());
        }
        let log = Screen::safe(self.log);
        let kept = counted(self.events(), "event", "events");
        match self.copy {
            Some(copy) => {
                let word = screen.paint(Tone::Warning, "SALVAGED");
                let path = Screen::safe(copy);
                screen.line(format!("{word}  {log}  {kept} copied to {path}"));
                self.details(screen);
                self.advise(copy, screen);
            }
            None if self.nothing_to_do => {
                let word = screen.paint(Tone::Good, "SOUND");
                let how = match self.state() {
                    "closed" => "closed with",
                    _ => "never closed, it ends after",
                };
                screen.line(format!(
                    "{word}  {log}  {how} {kept}: there is nothing to salvage"
                ));
            }
            None => {
                let word = screen.paint(Tone::Bad, "LOST");
                screen.line(format!("{word}  {log}"));
                self.details(screen);
            }
        }
    }

    fn details(&self, screen: &mut Screen<'_>) {
        if screen.quiet {
            return;
        }
        let bytes = self.wreck.sound_bytes();
        screen.line(format!("  kept         {}", self.kept_events()));
        screen.line(format!("               bytes 0 to {}", grouped(bytes - 1)));
        screen.line(format!("  why          {}", Screen::safe(self.why())));
        let is_lost = |part: &&Lost| part.remains != Remains::Footer;
        match self.wreck.lost().iter().filter(is_lost).count() {
            0 => screen.line("  lost         no event"),
            _ => screen.line(format!("  lost         {}", self.lost_in_all())),
        }
        if self.copy.is_some() && self.is_whole_run {
            screen.line(format!("  fingerprint  {}", self.wreck.chain()));
        }
        let parts = self.wreck.lost();
        let rows: Vec<Vec<String>> = parts.iter().take(MOST_ROWS).map(row).collect();
        screen.table(
            "Left in the log",
            &["bytes", "events", "what is there"],
            &rows,
        );
        if parts.len() > MOST_ROWS {
            let more = grouped((parts.len() - MOST_ROWS) as u64);
            screen.line(format!(" and {more} more; --message-format json has all"));
        }
    }

    /// What to do with the copy, and that it is not the whole run, if it is not.
    fn advise(&self, copy: &str, screen: &mut Screen<'_>) {
        let (log, copy) = (Screen::safe(self.log), Screen::safe(shell_word(copy)));
        let before = "the copy ends before its run did and was left open, like a log that was cut off: `check` and `replay` go up to there, say so, and exit 6";
        screen.note(match (self.is_whole_run, self.state()) {
            (true, _) => {
                "the copy holds its whole run, was closed, and replays to its end".to_owned()
            }
            (false, "damaged") => before.to_owned(),
            (false, _) => {
                format!("{before}; they read {log} just as far, since it was only cut off")
            }
        });
        next::propose(
            &[
                (
                    format!("check {copy}"),
                    "what the properties say of what is left",
                ),
                (format!("show {copy} --limit 20"), "its first events"),
                (
                    format!("replay {copy}"),
                    "whether the program does the same up to there",
                ),
            ],
            screen,
        );
    }

    fn events(&self) -> u64 {
        let events = self.wreck.events();
        events.end.0 - events.start.0
    }

    fn kept_events(&self) -> String {
        let events = self.wreck.events();
        if events.is_empty() {
            return "no event".to_owned();
        }
        format!(
            "events {} to {}",
            grouped(events.start.0),
            grouped(events.end.0 - 1)
        )
    }

    fn state(&self) -> &'static str {
        match self.wreck.state() {
            Ok(Ending::Closed { .. }) => "closed",
            Ok(Ending::Open { .. }) => "open",
            Ok(Ending::Torn { .. }) => "torn",
            Err(_) => "damaged",
        }
    }

    fn why(&self) -> String {
        match self.wreck.state() {
            Ok(Ending::Closed { .. }) => "it was closed and is sound".to_owned(),
            Ok(Ending::Open { .. }) => "it was never closed; every byte of it is sound".to_owned(),
            Ok(Ending::Torn { .. }) => {
                "it was never closed, and its last write did not come to its end".to_owned()
            }
            Err(error) => reason(error),
        }
    }

    fn lost_in_all(&self) -> String {
        let parts = self.wreck.lost().iter();
        let parts = parts.filter(|part| part.remains != Remains::Footer);
        let (mut bytes, mut events, mut unknown) = (0, 0, false);
        for part in parts {
            bytes += part.bytes.end - part.bytes.start;
            match &part.events {
                Some(range) => events += range.end.0 - range.start.0,
                None => unknown = true,
            }
        }
        let bytes = counted(bytes, "byte", "bytes");
        match (events, unknown) {
            (0, _) => format!("{bytes}; nothing tells which events they were"),
            (_, true) => format!("{} or more, {bytes}", counted(events, "event", "events")),
            (_, false) => format!("{}, {bytes}", counted(events, "event", "events")),
        }
    }

    fn json(&self) -> Value {
        let events = self.wreck.events();
        let lost: Vec<Value> = self.wreck.lost().iter().map(part_json).collect();
        json!({
            "v": VERSION,
            "type": "salvage",
            "log": self.log,
            "result": match self.copy {
                Some(_) => "salvaged",
                None if self.nothing_to_do => "sound",
                None => "lost",
            },
            "state": self.state(),
            "why": self.why(),
            "kept": {
                "events": self.events(),
                "from": events.start,
                "before": events.end,
                "bytes": self.wreck.sound_bytes(),
            },
            "lost": lost,
            "out": self.copy,
            "whole_run": self.is_whole_run,
            "chain": self.wreck.chain().to_string(),
        })
    }
}

/// The damage, without the advice to do what is being done.
fn reason(error: &LogError) -> String {
    let text = error.to_string();
    let advice = ["; the events before it", "; salvage copies"];
    let end = advice.iter().find_map(|advice| text.find(advice));
    text[..end.unwrap_or(text.len())].to_owned()
}

fn row(part: &Lost) -> Vec<String> {
    let range = |from: u64, end: u64| format!("{} to {}", grouped(from), grouped(end - 1));
    let events = match (&part.events, part.remains) {
        (Some(events), _) => range(events.start.0, events.end.0),
        (None, Remains::Footer) => String::new(),
        (None, _) => "unknown".to_owned(),
    };
    let bytes = range(part.bytes.start, part.bytes.end);
    vec![bytes, events, words(part.remains).to_owned()]
}

fn words(remains: Remains) -> &'static str {
    match remains {
        Remains::Torn => "a write that did not come to its end",
        Remains::Damaged => "damaged",
        Remains::Whole => "whole blocks that do not follow from what is sound",
        Remains::Footer => "the footer",
    }
}

fn part_json(part: &Lost) -> Value {
    json!({
        "from_byte": part.bytes.start,
        "before_byte": part.bytes.end,
        "from": part.events.as_ref().map(|events| events.start),
        "before": part.events.as_ref().map(|events| events.end),
        "remains": match part.remains {
            Remains::Torn => "torn",
            Remains::Damaged => "damaged",
            Remains::Whole => "whole",
            Remains::Footer => "footer",
        },
    })
}

//! Replies to questions that were put again, one JSON object a line: written as they come, and read in place of asking.

use std::io::BufRead;

use dacapo_kernel::Decided;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest line, in bytes: 8 MiB, which is more than the longest reply can have.
const LINE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The most replies of one file.
const REPLIES_MAX: usize = 1_000_000;

/// One line of such a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedReply {
    /// The log, by its path or the name of its file; may be left out where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The event that asked.
    pub event: u64,
    /// What the whole question is recognised by, if the reply is to be refused for any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What was replied: a text, or what the service says of it.
    pub reply: Value,
}

/// What is wrong with a file of replies.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct RepliesError {
    /// Where, counted from 1.
    pub line: u64,
    /// What is wrong, and what to do.
    pub what: String,
}

/// The replies of a file.
#[derive(Debug)]
pub struct GivenReplies(Vec<(u64, SavedReply)>);

impl GivenReplies {
    /// Reads a file.
    ///
    /// # Errors
    /// If a line is no reply, or there are too many.
    pub fn read(mut file: impl BufRead) -> Result<GivenReplies, RepliesError> {
        let mut replies = Vec::new();
        for line in 1.. {
            let wrong = |what: String| RepliesError { line, what };
            let mut bytes = Vec::new();
            let mut bounded = std::io::Read::take(&mut file, LINE_BYTES_MAX + 1);
            let read = bounded.read_until(b'\n', &mut bytes);
            if read.map_err(|error| wrong(error.to_string()))? == 0 {
                break;
            }
            if bytes.len() as u64 > LINE_BYTES_MAX {
                return Err(wrong(format!("a line has at most {LINE_BYTES_MAX} bytes")));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let reply = serde_json::from_slice(&bytes).map_err(|error| {
                wrong(format!(
                    "expected a reply such as {{\"event\": 113, \"reply\": \"…\"}}: {error}"
                ))
            })?;
            replies.push((line, reply));
            if replies.len() > REPLIES_MAX {
                return Err(wrong(format!("a file has at most {REPLIES_MAX} replies")));
            }
        }
        Ok(GivenReplies(replies))
    }

    /// The replies to each decision of each log, in the order of the file.
    ///
    /// # Errors
    /// If a reply belongs to no decision, to several, or to another question than the one that is put now.
    pub fn to<'a>(
        &'a self,
        logs: &[(&str, &[Decided])],
    ) -> Result<Vec<Vec<Vec<&'a Value>>>, RepliesError> {
        let none = |(_, decided): &(&str, &[Decided])| vec![Vec::new(); decided.len()];
        let mut all: Vec<Vec<Vec<&Value>>> = logs.iter().map(none).collect();
        for (line, saved) in &self.0 {
            let wrong = |what: String| RepliesError { line: *line, what };
            let of = of(saved, logs).map_err(wrong)?;
            let (log, decided) = logs[of];
            let at = decided.iter().position(|it| it.asked.0 == saved.event);
            let at = at.ok_or_else(|| {
                let known = decided.iter().take(10).map(|it| it.asked.to_string());
                let known: Vec<String> = known.collect();
                let more = if decided.len() > known.len() { ", …" } else { "" };
                wrong(format!(
                    "no decision was asked at event {} of {log}; those that can be put again were asked at {}{more}",
                    saved.event,
                    known.join(", ")
                ))
            })?;
            let expected = &decided[at].request;
            if let Some(found) = saved.request.as_ref().filter(|it| *it != expected) {
                return Err(wrong(format!(
                    "this is a reply to another question ({found}) than the one at event {} of {log} ({expected}): \
                     it was asked with another template or other settings",
                    saved.event
                )));
            }
            all[of][at].push(&saved.reply);
        }
        Ok(all)
    }
}

/// The log that a reply belongs to, by its place.
fn of(saved: &SavedReply, logs: &[(&str, &[Decided])]) -> Result<usize, String> {
    let Some(name) = &saved.log else {
        return match logs {
            [_] => Ok(0),
            _ => Err("say which log this is a reply to, with \"log\": \"…\"".to_owned()),
        };
    };
    let base = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let exact = logs.iter().position(|(log, _)| log == name);
    let mut like = (0..logs.len()).filter(|at| base(logs[*at].0) == base(name));
    match (exact, like.next(), like.next()) {
        (Some(exact), _, _) => Ok(exact),
        (None, Some(one), None) => Ok(one),
        (None, None, _) => Err(format!("{name} is none of the logs that were given")),
        (None, Some(_), Some(_)) => Err(format!("several of the logs are called {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GivenReplies, String> {
        GivenReplies::read(text.as_bytes()).map_err(|error| error.to_string())
    }

    // Fails if a line that is no reply is passed over, or an error does not say where.
    #[test]
    fn what_is_no_reply_is_told_with_its_line() {
        let good = "{\"event\": 7, \"reply\": \"go\"}\n\n";
        assert_eq!(read(good).unwrap().0.len(), 1);
        for wrong in [
            "nothing",
            "{\"event\": 7}",
            "{\"event\": 7, \"reply\": 1, \"x\": 2}",
        ] {
            let error = read(&format!("{good}{wrong}")).unwrap_err();
            assert!(
                error.starts_with("line 3: expected a reply such as"),
                "{error}"
            );
        }
    }
}

//! A question to a model in the short form in which a log has it: what every situation says alike is one byte.
//!
//! Only a prompt that is a JSON object is packed: the situation that is put into a template, which is what a model is
//! asked that is asked live. A prompt that is text, as of simulated models, stays as it is.

use serde::{Deserialize, Serialize};

use super::ModelAsked;
use crate::message::Name;

/// What situations have in common. A fragment stands in a packed prompt as the character of its place, counted from 1;
/// JSON has no such characters. They are part of the format of logs: append, and never change one.
const FRAGMENTS: [&str; 14] = [
    r#"{"action":""#,
    r#"","confidence":""#,
    r#"","conflicts":[{"conflict":""#,
    r#"ta_sentiment_conflict","details":{"confidence_diff":"#,
    r#"regime_conflict","details":{"proposed_action":""#,
    r#"","regime":""#,
    r#","sent_bias":""#,
    r#"","sent_confidence":"#,
    r#","ta_bias":""#,
    r#"","ta_confidence":"#,
    r#"}},{"conflict":""#,
    r#"}}],"entry_price":"#,
    r#","stop_loss":"#,
    r#","symbol":""#,
];

/// The version of a question whose prompt is packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackedAsked {
    model: Name,
    purpose: Name,
    packed: String,
    max_tokens: u32,
}

impl PackedAsked {
    /// Whether the prompt of a question can be packed.
    pub fn is_of(asked: &ModelAsked) -> bool {
        // No fragment stands for itself: a text that has such characters already cannot be packed. Without a way out
        // in between, bytes are looked at many at a time.
        let has_code = |text: &str| text.bytes().fold(false, |has, byte| has | (byte < b' '));
        asked.prompt.starts_with('{') && !has_code(&asked.prompt)
    }

    /// The question in its short form, if its prompt can be packed.
    pub fn of(asked: &ModelAsked) -> Option<PackedAsked> {
        PackedAsked::is_of(asked).then(|| PackedAsked {
            model: asked.model.clone(),
            purpose: asked.purpose.clone(),
            packed: pack(&asked.prompt),
            max_tokens: asked.max_tokens,
        })
    }
}

impl From<PackedAsked> for ModelAsked {
    fn from(short: PackedAsked) -> ModelAsked {
        ModelAsked {
            model: short.model,
            purpose: short.purpose,
            prompt: unpack(&short.packed),
            max_tokens: short.max_tokens,
        }
    }
}

/// The characters that stand for the fragments, in their order.
fn codes() -> impl Iterator<Item = (char, &'static str)> {
    ('\u{1}'..' ').zip(FRAGMENTS)
}

/// The bytes with which a fragment begins.
const BEGINNINGS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut at = 0;
    while at < FRAGMENTS.len() {
        begins[FRAGMENTS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    begins
};

fn pack(prompt: &str) -> String {
    let bytes = prompt.as_bytes();
    let mut packed = String::with_capacity(prompt.len());
    let (mut at, mut plain_from) = (0, 0);
    while at < bytes.len() {
        match fragment_at(&bytes[at..]) {
            Some((code, fragment)) => {
                packed.push_str(&prompt[plain_from..at]);
                packed.push(code);
                at += fragment.len();
                plain_from = at;
            }
            None => at += 1,
        }
    }
    packed.push_str(&prompt[plain_from..]);
    packed
}

/// The fragment with which a text begins. Nearly everywhere there is none, which two bytes tell.
fn fragment_at(text: &[u8]) -> Option<(char, &'static str)> {
    if !BEGINNINGS[usize::from(text[0])] {
        return None;
    }
    let second = text.get(1);
    codes().find(|(_, fragment)| {
        fragment.as_bytes().get(1) == second && text.starts_with(fragment.as_bytes())
    })
}

/// The prompt again. A character that stands for nothing, as in a log that a stranger wrote, stays as it is.
fn unpack(packed: &str) -> String {
    let mut prompt = String::with_capacity(4 * packed.len());
    for c in packed.chars() {
        match codes().find(|(code, _)| *code == c) {
            Some((_, fragment)) => prompt.push_str(fragment),
            None => prompt.push(c),
        }
    }
    prompt
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::EventSet;

    use super::*;
    use crate::domain_event::{DomainEvent, number};

    fn asked(prompt: &str) -> ModelAsked {
        ModelAsked {
            model: Name::fixed("steady"),
            purpose: Name::fixed("resolution"),
            prompt: prompt.to_owned(),
            max_tokens: 300,
        }
    }

    /// A written body: its version and how long it is, and what is read of it.
    fn written(asked: &ModelAsked) -> (u8, usize, DomainEvent) {
        let event = DomainEvent::from(asked.clone());
        let (mut bytes, version) = (Vec::new(), event.kind().version);
        event.encode(&mut bytes).unwrap();
        let read = DomainEvent::decode(number::ModelAsked, version, &bytes);
        (version, bytes.len(), read.unwrap().unwrap())
    }

    // Fails if a prompt is not read as it was written, if a situation is not shorter, or if one that is text changes.
    #[test]
    fn a_situation_is_written_short_and_read_whole() {
        let situation = r#"{"action":"BUY","confidence":"0.80","conflicts":[{"conflict":"ta_sentiment_conflict","details":{"confidence_diff":0.05,"sent_bias":"bearish","sent_confidence":0.65,"ta_bias":"long","ta_confidence":0.7}},{"conflict":"regime_conflict","details":{"proposed_action":"BUY","regime":"ü"}}],"entry_price":45000.0,"stop_loss":44100.0,"symbol":"BTC/USDT","take_profit":null}"#;
        let (version, length, read) = written(&asked(situation));
        assert_eq!((version, read), (2, asked(situation).into()));
        assert!(length < situation.len() / 2, "{length} bytes");
        for prompt in ["ping", "", "{\u{1}", "text {\"action\":\"BUY\"}"] {
            let (version, _, read) = written(&asked(prompt));
            assert_eq!((version, read), (1, asked(prompt).into()), "{prompt:?}");
        }
    }

    // Fails if a log that was written before prompts were packed cannot be read any more.
    #[test]
    fn the_version_before_is_read() {
        let before = asked(r#"{"action":"BUY"}"#);
        let mut bytes = Vec::new();
        dacapo_kernel::codec::encode(&before, &mut bytes).unwrap();
        let read = DomainEvent::decode(number::ModelAsked, 1, &bytes);
        assert_eq!(read.unwrap(), Some(before.into()));
    }
}

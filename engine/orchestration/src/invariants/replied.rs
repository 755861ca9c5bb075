//! What a model replied, read by other code than the one that acts on it.

use crate::domain_event::ModelReply;

/// The text of a reply; what went wrong, if anything did.
pub(super) fn replied(reply: &ModelReply) -> Result<&str, &str> {
    let (text, is_reply) = match reply {
        ModelReply::Text(text) => (text, true),
        ModelReply::Error(error) => (error, false),
        ModelReply::Live(live) => (&live.text, !live.failed),
    };
    if is_reply { Ok(text) } else { Err(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::LiveReply;

    // Fails if what went wrong is taken for a reply, or the other way round.
    #[test]
    fn what_went_wrong_is_no_reply() {
        let live = |failed| {
            ModelReply::Live(LiveReply {
                text: "so".to_owned(),
                failed,
                served_by: None,
                prompt_tokens: None,
                reply_tokens: None,
                latency_us: 0,
                cost: None,
                reused: None,
            })
        };
        assert_eq!(replied(&ModelReply::Text("so".to_owned())), Ok("so"));
        assert_eq!(replied(&ModelReply::Error("so".to_owned())), Err("so"));
        assert_eq!(replied(&live(false)), Ok("so"));
        assert_eq!(replied(&live(true)), Err("so"));
    }
}

//! Messages: the protocol of Anthropic.

use serde_json::Value;

use crate::question::Reply;

/// Where a question goes, below the base URL.
pub(crate) const PATH: &str = "v1/messages";

/// The version of the protocol, as its header says it.
pub(crate) const VERSION: &str = "2023-06-01";

/// What the body of an answer says. A model that declines has replied: with its words, if it has any.
pub(crate) fn reply(body: &Value) -> Reply {
    let blocks = body["content"].as_array().map_or(&[][..], Vec::as_slice);
    let is_text = |block: &&Value| block["type"] == "text";
    let texts = blocks.iter().filter(is_text);
    let text: String = texts.filter_map(|block| block["text"].as_str()).collect();
    if text.is_empty() {
        return Reply::failed(match body["stop_reason"].as_str() {
            Some("refusal") => "the model declined to answer",
            Some("max_tokens") => "the reply has no text: it used up all its tokens before",
            _ => "the reply has no text",
        });
    }
    Reply {
        text,
        failed: false,
        served_by: body["model"].as_str().map(str::to_owned),
        prompt_tokens: body["usage"]["input_tokens"].as_u64(),
        reply_tokens: body["usage"]["output_tokens"].as_u64(),
        latency_us: 0,
        retry_after_s: None,
    }
}

//! Chat completions: the protocol of OpenAI, which DeepSeek, vLLM, Ollama and many others speak as well.

use serde_json::Value;

use crate::question::Reply;

/// Where a question goes, below the base URL.
pub(crate) const PATH: &str = "chat/completions";

/// What the body of an answer says. A model that declines has replied: with its words.
pub(crate) fn reply(body: &Value) -> Reply {
    let choice = &body["choices"][0];
    let message = &choice["message"];
    let text = message["content"].as_str().filter(|text| !text.is_empty());
    let Some(text) = text.or(message["refusal"].as_str()) else {
        return Reply::failed(match choice["finish_reason"].as_str() {
            Some("content_filter") => "the provider withheld the reply: content_filter",
            Some("length") => "the reply has no text: it used up all its tokens before",
            _ => "the reply has no text",
        });
    };
    Reply {
        text: text.to_owned(),
        failed: false,
        served_by: body["model"].as_str().map(str::to_owned),
        prompt_tokens: body["usage"]["prompt_tokens"].as_u64(),
        reply_tokens: body["usage"]["completion_tokens"].as_u64(),
        latency_us: 0,
        retry_after_s: None,
    }
}

//! A language model that is asked live, and the prompt that it is asked with.

use dacapo_kernel::{Files, Mistake};
use serde::{Deserialize, Serialize};

use super::{Config, LlmConfig};
use crate::agents::llm;
use crate::model::template::{self, Unfit};

/// The longest template, in bytes: 64 KiB.
const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// How a model is asked live, which only the command `record` does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveReplies {
    /// The protocol that its provider speaks.
    pub provider: Protocol,
    /// Where the provider is.
    pub base_url: String,
    /// The environment variable that has the key, if one is needed. The key itself is nowhere else.
    #[serde(default)]
    pub key_env: Option<String>,
    /// How freely it replies, 0 to 2; the provider's own default if left out.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// What the limit of tokens is called in a request, of providers that do not take `max_tokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens_key: Option<MaxTokensKey>,
    /// How long a reply may take, in seconds.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: f64,
    /// The longest answer that is read, in bytes.
    #[serde(default = "max_reply_bytes")]
    pub max_reply_bytes: u64,
}

/// A protocol of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Chat completions.
    Openai,
    /// Messages of Anthropic.
    Anthropic,
}

/// What a request calls the most tokens that its reply may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensKey {
    /// As nearly all providers have it.
    MaxTokens,
    /// As the newest models of OpenAI want it, which refuse the other.
    MaxCompletionTokens,
}

impl Protocol {
    /// Its name in a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Openai => "openai",
            Protocol::Anthropic => "anthropic",
        }
    }
}

fn timeout_seconds() -> f64 {
    30.0
}

fn max_reply_bytes() -> u64 {
    256 * 1024
}

/// The prompt of resolutions, from a file beside the scenario or as a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateConfig {
    /// The file.
    pub file: Option<String>,
    /// The text; of a file, what is in it, so that a replay needs no file.
    pub text: Option<String>,
}

impl LlmConfig {
    /// The template of resolutions.
    pub fn template(&self) -> &str {
        let text = self.template.as_ref().and_then(|it| it.text.as_deref());
        text.unwrap_or(template::RESOLUTION)
    }
}

/// Checks how a model is asked.
pub(super) fn check(at: &str, live: &LiveReplies) -> Result<(), Mistake> {
    let mistake = |key: &str, what: String| Mistake::at(&format!("{at}.replies.live.{key}"), what);
    let url = live.base_url.as_str();
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let is_fit = |rest: &str| {
        let plain = rest
            .chars()
            .all(|c| c.is_ascii_graphic() && !"@?#\\\"<>{}".contains(c));
        plain && !rest.is_empty() && !rest.starts_with('/')
    };
    if !rest.is_some_and(is_fit) {
        // What was given is not repeated: it may have a key in it.
        let what = "expected a URL like https://host/v1, without a name, a password or a query";
        return Err(
            Mistake::at(&format!("{at}.replies.live"), format!("base_url: {what}"))
                .help("a key is given by the environment variable that `key_env` names"),
        );
    }
    if live.key_env.is_some() && url.starts_with("http://") && !is_here(rest.unwrap_or_default()) {
        let what = "a key would travel unencrypted to another machine".to_owned();
        return Err(mistake("base_url", what).help("begin the URL with https://"));
    }
    if let Some(name) = &live.key_env {
        let begins = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if !begins || !name.chars().all(fits) || name.len() > 64 {
            // Somebody may have put the key itself there.
            let what = "key_env: expected the name of an environment variable, in capital letters";
            return Err(Mistake::at(&format!("{at}.replies.live"), what)
                .help("put the key into a variable such as OPENAI_API_KEY, and its name here"));
        }
    }
    if let Some(found) = live.temperature
        && !(0.0..=2.0).contains(&found)
    {
        return Err(mistake(
            "temperature",
            format!("expected 0 to 2, found {found}"),
        ));
    }
    let is_renamed = live.max_tokens_key == Some(MaxTokensKey::MaxCompletionTokens);
    if is_renamed && live.provider == Protocol::Anthropic {
        let what = "the protocol of Anthropic has no `max_completion_tokens`".to_owned();
        return Err(mistake("max_tokens_key", what).help("leave the key out"));
    }
    if !(0.05..=600.0).contains(&live.timeout_seconds) {
        let what = format!(
            "expected 0.05 to 600 seconds, found {}",
            live.timeout_seconds
        );
        return Err(mistake("timeout_seconds", what));
    }
    if !(1_024..=4_194_304).contains(&live.max_reply_bytes) {
        let what = format!(
            "expected 1024 to 4194304 bytes, found {}",
            live.max_reply_bytes
        );
        return Err(mistake("max_reply_bytes", what));
    }
    Ok(())
}

fn is_here(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_loopback = |name: &str| {
        name.parse()
            .is_ok_and(|it: std::net::Ipv4Addr| it.is_loopback())
    };
    name == "localhost" || name == "[::1]" || is_loopback(name)
}

/// Reads every template, where it is a file, and checks that it names nothing that there is not.
pub(crate) fn read_templates(config: &mut Config, files: &dyn Files) -> Result<(), Mistake> {
    if let Some(template) = &mut config.llm.template {
        read_template("llm.template", template, &template::NAMES, files)?;
    }
    for ((at, topic), llm) in config.llms_mut() {
        let at = format!("{at}.template");
        read_template(&at, &mut llm.template, llm::names(topic), files)?;
    }
    Ok(())
}

fn read_template(
    at: &str,
    template: &mut TemplateConfig,
    names: &[&str],
    files: &dyn Files,
) -> Result<(), Mistake> {
    let key = match (&template.file, &template.text) {
        (Some(file), None) => {
            let mistake = |what: String| Mistake::at(&format!("{at}.file"), what);
            let mut text = Vec::new();
            let opened = files
                .open(file)
                .map_err(|error| mistake(error.to_string()))?;
            let most = TEMPLATE_BYTES_MAX as u64 + 1;
            let read =
                std::io::Read::read_to_end(&mut std::io::Read::take(opened, most), &mut text);
            read.map_err(|error| mistake(error.to_string()))?;
            let text = String::from_utf8(text)
                .map_err(|_| mistake("expected text in UTF-8".to_owned()))?;
            template.text = Some(text);
            "file"
        }
        // A plan that comes from a log has both: the text is that of the file when the run was made.
        (_, Some(_)) => "text",
        (None, None) => {
            return Err(Mistake::at(at, "expected either `file` or `text`"));
        }
    };
    let text = template.text.as_deref().unwrap_or_default();
    check_template(&format!("{at}.{key}"), text, names)
}

/// Checks a template that stands at a place of a scenario: it is not too long, and names what is defined.
pub(crate) fn check_template(at: &str, text: &str, names: &[&str]) -> Result<(), Mistake> {
    let mistake = |what: String| Mistake::at(at, what);
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(mistake(format!(
            "a template has at most {TEMPLATE_BYTES_MAX} bytes"
        )));
    }
    template::check(text, names).map_err(|unfit| match unfit {
        Unfit::Undefined(name) => {
            let known = names.join(", ");
            mistake(format!("`{{{{{name}}}}}` is not defined"))
                .help(format!("the names are {known}"))
        }
        Unfit::Open(begin) => mistake(format!("`{begin}` is not closed by `}}}}`")),
        Unfit::Blank => {
            mistake("it names nothing, so that every prompt would be the same".to_owned())
                .help("put `{{situation}}` where the situation belongs")
        }
    })
}

//! A provider as a dialogue: a question in, a reply out, whatever happens on the way.

use std::time::Duration;

use dacapo_kernel::{BuildError, Changed, Dialogue, EventSet, Service, Unfit};
use serde_json::Value;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderName, HeaderValue};

use crate::http::{Client, Received, Unheard, reachable};
use crate::question::{Question, Reply};
use crate::recorded::Recorded;
use crate::secret::Secret;
use crate::settings::{Protocol, Settings};
use crate::{anthropic, openai};

/// How much of what a provider says about an error is repeated, in characters.
const SHOWN: usize = 200;

/// A model at a provider.
struct Live {
    settings: Settings,
    key: Option<Secret>,
    client: Client,
    url: String,
    /// Whether it has replied to anything.
    has_replied: bool,
}

/// Gets ready to ask a model live, or to give the replies of an earlier recording again, whose events are `E`. Nothing
/// is asked yet.
///
/// # Errors
/// If the settings are those of no model, its key is not in the environment, nobody is there, or the earlier recording
/// cannot be read.
pub fn connect<E: EventSet>(service: &Service) -> Result<Box<dyn Dialogue>, BuildError> {
    let Some((log, changed)) = &service.recorded else {
        return live(service);
    };
    let live = match changed {
        Changed::Ask => Some(live(service)?),
        Changed::Error | Changed::Reuse => None,
    };
    Ok(Box::new(Recorded::read::<E>(
        service,
        (log, *changed),
        live,
    )?))
}

fn live(service: &Service) -> Result<Box<dyn Dialogue>, BuildError> {
    let settings = Settings::of(service)?;
    let key = settings.key(service)?;
    let path = match settings.provider {
        Protocol::Openai => openai::PATH,
        Protocol::Anthropic => anthropic::PATH,
    };
    let url = format!("{}/{path}", settings.base_url.trim_end_matches('/'));
    reachable(&url).map_err(|what| {
        let base = &settings.base_url;
        BuildError::Plan(format!(
            "the {} cannot be reached at {base}: {what}; start it, or look at `base_url`",
            service.name
        ))
    })?;
    Ok(Box::new(Live {
        client: Client::new(&url, settings.limit(), settings.max_reply_bytes),
        settings,
        key,
        url,
        has_replied: false,
    }))
}

impl Dialogue for Live {
    fn ask(&mut self, line: &str) -> Result<String, Unfit> {
        let question: Question = serde_json::from_str(line).map_err(|error| {
            let what = format!("the question cannot be read: {error}");
            Unfit::new(what, "this is a mistake of the program")
        })?;
        let (mut reply, after) = timed(|| self.reply_to(&question));
        if let Ok(reply) = &mut reply {
            // A provider that repeats the key, by mistake or on purpose, does not bring it into the log.
            reply.text = self.withheld(&reply.text);
            let served_by = reply.served_by.as_deref();
            reply.served_by = served_by.map(|name| clipped(&self.withheld(name)));
            reply.latency_us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
            self.has_replied |= !reply.failed;
        }
        reply.map(|reply| serde_json::to_string(&reply).expect("a reply is plain data"))
    }
}

impl Live {
    fn reply_to(&self, question: &Question) -> Result<Reply, Unfit> {
        let body = question.body().to_string();
        match self.client.post(&self.url, self.headers(), body.as_bytes()) {
            Err(Unheard::Late) => {
                let limit = self.settings.timeout_seconds;
                Ok(Reply::failed(format!("timeout: no reply within {limit} s")))
            }
            Err(Unheard::TooLong) => {
                let most = self.settings.max_reply_bytes;
                Ok(Reply::failed(format!(
                    "the reply is longer than {most} bytes, the most that is read"
                )))
            }
            Err(Unheard::Broken(what)) => Ok(Reply::failed(format!(
                "the provider cannot be reached: {}",
                self.shown(&what)
            ))),
            Ok(received) => self.read(&received),
        }
    }

    /// The headers that are not for everybody to see.
    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        let mut secret = |name: HeaderName, text: String| {
            // A key that no header can hold was refused where it was found.
            if let Ok(mut value) = HeaderValue::try_from(text) {
                value.set_sensitive(true);
                headers.push((name, value));
            }
        };
        match (self.settings.provider, &self.key) {
            (_, None) => {}
            (Protocol::Openai, Some(key)) => {
                secret(AUTHORIZATION, format!("Bearer {}", key.exposed()))
            }
            (Protocol::Anthropic, Some(key)) => secret(
                HeaderName::from_static("x-api-key"),
                key.exposed().to_owned(),
            ),
        }
        if self.settings.provider == Protocol::Anthropic {
            let version = HeaderValue::from_static(anthropic::VERSION);
            headers.push((HeaderName::from_static("anthropic-version"), version));
        }
        headers
    }

    /// What an answer says.
    ///
    /// # Errors
    /// If nothing that is asked here will ever be answered, and nothing was so far: then the recording is worth nothing.
    fn read(&self, received: &Received) -> Result<Reply, Unfit> {
        let status = received.status;
        let parsed = serde_json::from_slice::<Value>(&received.body);
        let is_json = received.content_type.ends_with("json");
        if status == 200 {
            return Ok(match parsed {
                _ if !is_json => Reply::failed(format!(
                    "the reply is no JSON: its type is {:?}",
                    self.shown(&received.content_type)
                )),
                Err(error) => Reply::failed(format!("the reply is no JSON: {error}")),
                Ok(body) => match self.settings.provider {
                    Protocol::Openai => openai::reply(&body),
                    Protocol::Anthropic => anthropic::reply(&body),
                },
            });
        }
        let said = match parsed.as_ref().ok().and_then(message_of) {
            Some(message) => format!(": {}", self.shown(message)),
            None => String::new(),
        };
        if !self.has_replied && matches!(status, 301..=308 | 401 | 403 | 404) {
            let what = format!("it refuses every question: {status}{said}");
            let help = "look at the base URL, the name of the model and the key";
            return Err(Unfit::new(what, help));
        }
        let retry_after_s = received.retry_after.filter(|_| status == 429);
        let failed = Reply::failed(match (status, retry_after_s) {
            (429, Some(seconds)) => format!("rate limit 429, retry after {seconds} s{said}"),
            (429, None) => format!("rate limit 429{said}"),
            _ => format!("provider error {status}{said}"),
        });
        Ok(Reply {
            retry_after_s,
            ..failed
        })
    }

    /// A text of the provider's without the key.
    fn withheld(&self, text: &str) -> String {
        match &self.key {
            Some(key) => key.withheld_from(text),
            None => text.to_owned(),
        }
    }

    /// A text of the provider's for an error: short, and without the key.
    fn shown(&self, text: &str) -> String {
        clipped(&self.withheld(text))
    }
}

/// What both protocols say about an error.
fn message_of(body: &Value) -> Option<&str> {
    body["error"]["message"].as_str().or(body["error"].as_str())
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "how long a reply took is an input of the run: it is recorded, and never measured again"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let done = work();
    (done, start.elapsed())
}

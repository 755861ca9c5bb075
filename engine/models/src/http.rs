//! One request over HTTP, within its bounds of time and size.
//!
//! Redirections are not followed: a key must not go where the scenario does not say. A proxy that the environment
//! names is used, but not for what is on this machine.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::http::{HeaderName, HeaderValue, Request, Uri};
use ureq::{Agent, Error};

/// What a provider sent back.
pub(crate) struct Received {
    pub(crate) status: u16,
    /// In lower case, without parameters.
    pub(crate) content_type: String,
    /// After how many seconds it wants to be asked again.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

/// Why nothing came back that could be used.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// Not in time.
    Late,
    /// More than may be read.
    TooLong,
    /// Something else, in words.
    Broken(String),
}

/// Asks by HTTP.
pub(crate) struct Client {
    agent: Agent,
    most_bytes: u64,
}

impl Client {
    /// A client of a provider at this URL.
    pub(crate) fn new(url: &str, limit: Duration, most_bytes: u64) -> Client {
        let mut config = Agent::config_builder()
            .timeout_global(Some(limit))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("dacapo/", env!("CARGO_PKG_VERSION")));
        if is_here(url) {
            config = config.proxy(None);
        }
        Client {
            agent: config.build().new_agent(),
            most_bytes,
        }
    }

    /// Posts a body of JSON, and gives back what comes.
    pub(crate) fn post(
        &self,
        url: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: &[u8],
    ) -> Result<Received, Unheard> {
        let mut request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|_| Unheard::Broken("the URL is none".to_owned()))?;
        request
            .headers_mut()
            .extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        let mut response = self.agent.run(request).map_err(unheard)?;
        let status = response.status().as_u16();
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let content_type = header(CONTENT_TYPE).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default();
        let content_type = content_type.trim().to_ascii_lowercase();
        let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        let body = response.body_mut().with_config().limit(self.most_bytes);
        Ok(Received {
            status,
            content_type,
            retry_after,
            body: body.read_to_vec().map_err(unheard)?,
        })
    }
}

/// How long a connection may take before anything is asked.
const KNOCK: Duration = Duration::from_secs(5);

/// Whether anybody listens at a URL, before a run begins that would pay for its first half only. Behind a proxy it is
/// not tried.
///
/// # Errors
/// In words, why nobody does.
pub(crate) fn reachable(url: &str) -> Result<(), String> {
    if !is_here(url) && ureq::Proxy::try_from_env().is_some() {
        return Ok(());
    }
    let parsed: Uri = url.parse().map_err(|_| "the URL is none".to_owned())?;
    let host = parsed.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = parsed
        .port_u16()
        .unwrap_or(if parsed.scheme_str() == Some("http") {
            80
        } else {
            443
        });
    let places = (host, port)
        .to_socket_addrs()
        .map_err(|_| "there is no such host".to_owned())?;
    let mut why = "the host has no address".to_owned();
    for place in places {
        match TcpStream::connect_timeout(&place, KNOCK) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                "nobody listens there".clone_into(&mut why);
            }
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Whether a URL is of this machine.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

/// What went wrong, in words that repeat nothing of the request.
fn unheard(error: Error) -> Unheard {
    match error {
        Error::Timeout(_) => Unheard::Late,
        Error::BodyExceedsLimit(_) => Unheard::TooLong,
        Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Unheard::Late,
        Error::Io(error) => Unheard::Broken(match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
            std::io::ErrorKind::UnexpectedEof => "it ended in the middle of its answer".to_owned(),
            _ => error.to_string(),
        }),
        Error::HostNotFound => Unheard::Broken("there is no such host".to_owned()),
        Error::ConnectionFailed => Unheard::Broken("it cannot be connected to".to_owned()),
        other => Unheard::Broken(other.to_string()),
    }
}

//! Diagnostics of the program and of the system under simulation, for people: `tracing`, with
//! virtual time in front. Off unless asked for, and then no part of what is replayed.
//!
//! Code under simulation says its time in the field `at`; its text may be foreign, so every
//! value is made safe before it is printed.

use std::fmt::{self, Write as _};

use dacapo_lab::scenario::printable;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Turns diagnostics on for this thread, until the guard is dropped. `RUST_LOG`, if it is set,
/// says more exactly what is wanted than how often `-v` was given.
pub(crate) fn install(verbose: u8, rust_log: Option<&str>) -> Option<DefaultGuard> {
    let filter = match (rust_log, verbose) {
        (Some(wanted), _) if !wanted.is_empty() => EnvFilter::new(wanted),
        (_, 0) => return None,
        (_, 1) => EnvFilter::new("info"),
        (_, 2) => EnvFilter::new("debug"),
        (_, _) => EnvFilter::new("trace"),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .event_format(WithVirtualTime)
        .finish();
    Some(tracing::subscriber::set_default(subscriber))
}

/// `00:00:01.250 INFO target: message field=value`.
struct WithVirtualTime;

impl<S, N> FormatEvent<S, N> for WithVirtualTime
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let at = if parts.at.is_empty() { "-" } else { &parts.at };
        writeln!(
            writer,
            "{at} {level:5} {target}: {}{}",
            parts.message, parts.fields
        )
    }
}

/// The fields of an event, safe to print.
#[derive(Default)]
struct Parts {
    at: String,
    message: String,
    fields: String,
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = printable(&format!("{value:?}"));
        match field.name() {
            "at" => self.at = value,
            "message" => self.message = value,
            name => {
                // Writing to a string cannot fail.
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

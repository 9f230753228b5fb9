//! Sets the log up, once a process.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::fmt::{self, time};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::telemetry::filter::{lets_through, level};
use crate::telemetry::otlp;

/// How an event is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Pretty,
    /// A JSON object a line, fields at its top level.
    Json,
}

/// Makes the writer for one event; each event is a single write. With a progress bar on the
/// terminal, the writer puts the text above it.
pub type LogWriter = Box<dyn Fn() -> Box<dyn Write> + Send + Sync>;

/// The log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// This process has a log already.
    #[error("the log of this process is set up already")]
    AlreadySet(#[source] tracing_subscriber::util::TryInitError),
}

/// Sets the log up: to `writer`, or to stderr where there is none.
///
/// `verbosity` is the count of `-v` minus that of `-q`. Instants are RFC 3339 in UTC. Colours
/// appear only when stderr is a terminal and `NO_COLOR` is not set.
///
/// # Errors
///
/// When the process has a log already.
pub fn init(
    format: LogFormat,
    verbosity: i8,
    writer: Option<LogWriter>,
) -> Result<(), TelemetryError> {
    let has_colours =
        has_colours(std::env::var_os("NO_COLOR").as_deref(), io::stderr().is_terminal());
    subscriber(format, verbosity, has_colours, writer)
        .try_init()
        .map_err(TelemetryError::AlreadySet)
}

/// See <https://no-color.org>: any value counts, an empty one does not.
fn has_colours(no_color: Option<&OsStr>, is_terminal: bool) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

fn subscriber(
    format: LogFormat,
    verbosity: i8,
    has_colours: bool,
    writer: Option<LogWriter>,
) -> impl Subscriber + Send + Sync {
    let writer = match writer {
        Some(writer) => BoxMakeWriter::new(writer),
        None => BoxMakeWriter::new(io::stderr),
    };
    let ours = level(verbosity);
    // Prints RFC 3339 in UTC.
    let layer = fmt::layer().with_timer(time::SystemTime).with_writer(writer);
    let layer = match format {
        LogFormat::Pretty => layer.with_ansi(has_colours).with_target(false).boxed(),
        // our own `target` is the provisioning job's name, and there must not be two
        LogFormat::Json => {
            layer.with_ansi(false).with_target(false).json().flatten_event(true).boxed()
        }
    };
    // spans are for traces
    let filter = filter_fn(move |metadata| metadata.is_event() && lets_through(metadata, ours));
    tracing_subscriber::registry()
        .with(layer.with_filter(filter.with_max_level_hint(ours)))
        .with(otlp::layer())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, verbosity: i8, events: impl FnOnce()) -> String {
        let shared = Shared::default();
        let target = shared.clone();
        let writer: LogWriter = Box::new(move || Box::new(target.clone()));
        let subscriber = subscriber(format, verbosity, false, Some(writer));
        tracing::subscriber::with_default(subscriber, events);
        let bytes = shared.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_has_its_fields_at_the_top_and_an_instant_in_utc() {
        let text = logged(LogFormat::Json, 0, || {
            tracing::info!(run.id = "01J", rows = 3, "run planned");
        });
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "run planned");
        assert_eq!(line["run.id"], "01J");
        assert_eq!(line["rows"], 3);
        assert_eq!(line["level"], "INFO");
        let instant = line["timestamp"].as_str().unwrap();
        assert!(instant.ends_with('Z') && instant.parse::<jiff::Timestamp>().is_ok(), "{instant}");
    }

    #[test]
    fn a_line_for_people_has_no_control_characters_without_colours() {
        let text = logged(LogFormat::Pretty, 0, || tracing::warn!(attempt = 2, "sent again"));
        assert!(text.ends_with("WARN sent again attempt=2\n"), "{text:?}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn the_http_crates_are_silent_at_the_highest_verbosity() {
        let text = logged(LogFormat::Pretty, 2, || {
            tracing::error!(target: "hyper::proto", "authorization: Bearer hunter2");
            tracing::info!(target: "other", "chatter");
            tracing::trace!("ours");
        });
        assert!(text.contains("ours"));
        assert!(!text.contains("hunter2") && !text.contains("chatter"));
    }

    #[test]
    fn colours_need_a_terminal_and_no_objection() {
        assert!(has_colours(None, true));
        assert!(has_colours(Some(OsStr::new("")), true));
        assert!(!has_colours(Some(OsStr::new("1")), true));
        assert!(!has_colours(None, false));
    }
}

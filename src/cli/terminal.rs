//! Words to people: results on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::domain::{Clock as _, SystemClock};

/// Writes a result line to standard output. A reader that went away is no error of ours.
pub fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{}", line.as_ref()));
}

/// Writes words to standard error, above a progress bar where there is one. Where the log is JSON, so
/// are they: an object a line, shaped like the log's own.
pub fn tell(line: impl AsRef<str>) {
    let line = line.as_ref();
    let line = if IS_JSON.load(Ordering::Relaxed) { as_json(line) } else { line.to_owned() };
    bars().suspend(|| {
        let mut err = std::io::stderr().lock();
        drop(writeln!(err, "{line}"));
    });
}

fn as_json(words: &str) -> String {
    let words = words.trim();
    let level = match words.split(':').next() {
        Some("error") => "ERROR",
        Some("warning") => "WARN",
        _ => "INFO",
    };
    let at = SystemClock.now().to_string();
    json!({"timestamp": at, "level": level, "message": words, "target": "scimport::cli"})
        .to_string()
}

/// Set by `--log-format json`.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on words to standard error are JSON.
pub fn speak_json() {
    IS_JSON.store(true, Ordering::Relaxed);
}

/// Set by `--quiet`.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on only what is wrong is said.
pub fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Set by `--verbose`.
static IS_VERBOSE: AtomicBool = AtomicBool::new(false);

/// From now on more is said.
pub fn be_verbose() {
    IS_VERBOSE.store(true, Ordering::Relaxed);
}

/// Whether more is to be said.
pub fn is_verbose() -> bool {
    IS_VERBOSE.load(Ordering::Relaxed)
}

/// Writes words to standard error that tell of nothing wrong; `--quiet` leaves them out.
pub fn remark(line: impl AsRef<str>) {
    if !IS_QUIET.load(Ordering::Relaxed) {
        tell(line);
    }
}

/// Whether a person is watching and can answer.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a yes-or-no question; anything but yes is no.
pub fn ask(question: &str) -> bool {
    bars().suspend(|| {
        let mut err = std::io::stderr().lock();
        drop(write!(err, "{question} [y/N] "));
        drop(err.flush());
        let mut answer = String::new();
        drop(std::io::stdin().read_line(&mut answer));
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    })
}

/// Asks for a line of text; nothing when nobody can answer any more.
pub fn answer(question: &str) -> Option<String> {
    bars().suspend(|| {
        let mut err = std::io::stderr().lock();
        drop(write!(err, "{question} "));
        drop(err.flush());
        let mut answer = String::new();
        match std::io::stdin().read_line(&mut answer) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(answer),
        }
    })
}

/// All progress bars; hidden where standard error is no terminal.
pub fn bars() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// A bar over bytes, for reading a file.
pub fn reading_bar() -> ProgressBar {
    bar("{msg:<12} {bar:30} {percent:>3} %", "reading")
}

/// A bar over operations.
pub fn operations_bar(message: &'static str) -> ProgressBar {
    bar("{msg:<12} {bar:30} {pos}/{len}  {elapsed}", message)
}

fn bar(template: &str, message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    bars().add(ProgressBar::new(0).with_style(style).with_message(message))
}

/// Log lines written above the progress bars.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        bars().suspend(|| std::io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().lock().flush()
    }
}

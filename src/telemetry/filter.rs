//! Whose events are printed.

use tracing::{Level, Metadata};

/// Crates that see headers and bodies on their way; they never speak.
const SILENT: [&str; 9] = [
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    "tokio_rustls",
    "hyper_rustls",
    "reqwest",
    "oauth2",
    "actix_http",
];
/// This crate.
const OURS: &str = "scimport";

/// The least serious level of ours that is printed: `-q` errors only, `-v` debug, `-vv` trace.
pub(super) const fn level(verbosity: i8) -> Level {
    match verbosity {
        i8::MIN..=-1 => Level::ERROR,
        0 => Level::INFO,
        1 => Level::DEBUG,
        2..=i8::MAX => Level::TRACE,
    }
}

/// Whether an event or span of this kind is let through.
pub(super) fn lets_through(metadata: &Metadata<'_>, ours: Level) -> bool {
    is_heard(metadata.target(), *metadata.level(), ours)
}

fn is_heard(target: &str, level: Level, ours: Level) -> bool {
    let crate_name = target.split("::").next().unwrap_or(target);
    // The more serious a level, the smaller it is.
    if crate_name == OURS {
        level <= ours
    } else {
        !SILENT.contains(&crate_name) && level <= ours.min(Level::WARN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_events_follow_the_verbosity() {
        assert!(is_heard("scimport::delivery", Level::INFO, level(0)));
        assert!(!is_heard("scimport::delivery", Level::DEBUG, level(0)));
        assert!(is_heard("scimport", Level::DEBUG, level(1)));
        assert!(is_heard("scimport::store", Level::TRACE, level(9)));
        assert!(!is_heard("scimport::store", Level::WARN, level(-1)));
        assert!(is_heard("scimport::store", Level::ERROR, level(-3)));
    }

    #[test]
    fn other_crates_are_heard_from_warn_up_and_those_that_see_headers_never() {
        assert!(is_heard("some_crate::part", Level::WARN, level(2)));
        assert!(!is_heard("some_crate::part", Level::INFO, level(2)));
        assert!(!is_heard("some_crate::part", Level::WARN, level(-1)));
        assert!(!is_heard("scimportant", Level::INFO, level(2)));
        for target in ["hyper::proto::h1", "h2", "rustls::client", "reqwest", "hyper_util::client"]
        {
            assert!(!is_heard(target, Level::ERROR, level(2)), "{target}");
        }
    }
}

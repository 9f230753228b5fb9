//! Answers, as far as they are read.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::transport::TransportFailure;

/// The longest wait that is taken from a `Retry-After`. More is a mistake of the other side's.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// A body, as far as it was read. No `Debug`, on purpose: it may hold people.
pub struct Body {
    /// What was read.
    pub bytes: Vec<u8>,
    /// Whether it went on beyond the limit.
    pub is_too_long: bool,
    /// Why it ended early.
    pub cut: Option<TransportFailure>,
}

/// Reads a body up to a limit in bytes, counted after decompression.
pub async fn read_at_most(response: &mut Response, limit: usize) -> Body {
    let mut body = Body { bytes: Vec::new(), is_too_long: false, cut: None };
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = limit.saturating_sub(body.bytes.len());
                body.bytes.extend(chunk.iter().take(room));
                if chunk.len() > room {
                    body.is_too_long = true;
                    return body;
                }
            }
            Ok(None) => return body,
            Err(error) => {
                body.cut = Some(error.into());
                return body;
            }
        }
    }
}

/// The server's `Date`.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

/// `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3), a day at most. A date is held
/// against the server's own clock where it shows it.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a very long time.
        Duration::from_secs(text.parse().unwrap_or(if text.is_empty() { 0 } else { u64::MAX }))
    } else {
        let then = http_date(text)?;
        let now = date(headers).unwrap_or(now);
        then.duration_since(now).max(SignedDuration::ZERO).unsigned_abs()
    };
    (!text.is_empty()).then_some(wait.min(MAX_RETRY_AFTER))
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn wait(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        retry_after(&headers(pairs), "2026-09-01T10:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(wait(&[("retry-after", "17")]), Some(Duration::from_secs(17)));
        assert_eq!(wait(&[("retry-after", " 0 ")]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), Some(MAX_RETRY_AFTER));
        assert_eq!(wait(&[]), None);
        for nonsense in ["", "soon", "-3", "1.5"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn retry_after_as_a_date_is_held_against_the_servers_clock() {
        let then = ("retry-after", "Tue, 01 Sep 2026 10:00:30 GMT");
        assert_eq!(wait(&[then]), Some(Duration::from_secs(30)));
        let date = ("date", "Tue, 01 Sep 2026 10:00:10 GMT");
        assert_eq!(wait(&[then, date]), Some(Duration::from_secs(20)));
        let past = ("retry-after", "Tue, 01 Sep 2026 09:00:00 GMT");
        assert_eq!(wait(&[past]), Some(Duration::ZERO));
    }
}

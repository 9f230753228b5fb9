//! What a caller does about a failure: the one function that decides it.
//!
//! Decided by the status and Graph's `error.code` alone, never by the text of a message. The one
//! exception is a full ingestion queue, which has no documented code (Entra docs, "API-driven
//! inbound provisioning: troubleshooting").

use std::time::Duration;

/// What to do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The token was refused and has been dropped: the same call once more, with a new one.
    RefreshToken,
    /// Too many calls: the whole job waits.
    Throttled {
        /// How long, where the other side said so.
        retry_after: Option<Duration>,
    },
    /// The job's ingestion queue is full: stop sending to it for 5 to 10 minutes, look at its
    /// health, then the same call again.
    BucketFull,
    /// A fault on the way or on the other side: the same call again, from 1 s upwards.
    Transient {
        /// How long to wait, where the other side said so.
        retry_after: Option<Duration>,
    },
    /// The body is too large: send it in two.
    TooLarge,
    /// This request will never be taken.
    Reject,
    /// The target is set up wrongly: nothing is sent until it is mended.
    Halt,
}

/// The text of a full ingestion queue, in lower case.
pub(super) const BUCKET_FULL: &str = "the bucket that stores the ingested data is full";

/// What Graph answered, as far as it decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) code: Option<&'a str>,
    pub(super) is_bucket_full: bool,
    pub(super) retry_after: Option<Duration>,
    /// Whether the token had just been replaced because its forerunner was refused.
    pub(super) is_fresh_token: bool,
}

/// Decides. A status below 400 that was not the expected one is no answer of Graph's: something
/// else stands in its place.
pub(super) fn decide(answer: &Answer<'_>) -> Disposition {
    let retry_after = answer.retry_after;
    match answer.status {
        401 if !answer.is_fresh_token => Disposition::RefreshToken,
        400 if answer.code.is_some_and(is_about_the_set_up) => Disposition::Halt,
        400 | 415 => Disposition::Reject,
        413 => Disposition::TooLarge,
        429 => Disposition::Throttled { retry_after },
        500 if answer.is_bucket_full => Disposition::BucketFull,
        // 408, RFC 9110 section 15.5.9: the server gave up waiting; the request may be repeated.
        408 | 500..=599 => Disposition::Transient { retry_after },
        _ => Disposition::Halt,
    }
}

/// Codes that speak of the client, the tenant or the job. With them a 400 is not about the body,
/// and must not cost the people in it their place in the queue.
fn is_about_the_set_up(code: &str) -> bool {
    let starts = |head| {
        code.get(..str::len(head)).is_some_and(|start: &str| start.eq_ignore_ascii_case(head))
    };
    starts("Authorization_")
        || starts("Authentication_")
        || ["InvalidAuthenticationToken", "Request_ResourceNotFound", "ResourceNotFound"]
            .iter()
            .any(|known| code.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Option<Duration> = Some(Duration::from_secs(9));

    fn answer(status: u16) -> Answer<'static> {
        Answer {
            status,
            code: None,
            is_bucket_full: false,
            retry_after: WAIT,
            is_fresh_token: false,
        }
    }

    #[test]
    fn each_status_has_its_disposition() {
        let transient = Disposition::Transient { retry_after: WAIT };
        for (status, expected) in [
            (200, Disposition::Halt),
            (204, Disposition::Halt),
            (302, Disposition::Halt),
            (400, Disposition::Reject),
            (401, Disposition::RefreshToken),
            (403, Disposition::Halt),
            (404, Disposition::Halt),
            (405, Disposition::Halt),
            (407, Disposition::Halt),
            (408, transient),
            (409, Disposition::Halt),
            (413, Disposition::TooLarge),
            (415, Disposition::Reject),
            (418, Disposition::Halt),
            (429, Disposition::Throttled { retry_after: WAIT }),
            (500, transient),
            (502, transient),
            (503, transient),
            (504, transient),
        ] {
            assert_eq!(decide(&answer(status)), expected, "{status}");
        }
    }

    #[test]
    fn a_second_401_halts() {
        let second = Answer { is_fresh_token: true, ..answer(401) };
        assert_eq!(decide(&second), Disposition::Halt);
    }

    #[test]
    fn the_full_bucket_counts_with_500_only() {
        let full = |status| decide(&Answer { is_bucket_full: true, ..answer(status) });
        assert_eq!(full(500), Disposition::BucketFull);
        assert_eq!(full(503), Disposition::Transient { retry_after: WAIT });
        assert_eq!(full(400), Disposition::Reject);
    }

    #[test]
    fn a_400_about_the_set_up_halts_instead_of_rejecting_people() {
        let with = |code| decide(&Answer { code: Some(code), ..answer(400) });
        assert_eq!(with("Authorization_IdentityNotFound"), Disposition::Halt);
        assert_eq!(with("request_resourcenotfound"), Disposition::Halt);
        assert_eq!(with("BadRequest"), Disposition::Reject);
        assert_eq!(with("Áuthorization"), Disposition::Reject);
    }
}

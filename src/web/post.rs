//! Posting a document to an address that is a secret: webhooks of Teams, Slack and others.
//!
//! The address says who may post, so it stands in no error and no log line. What the other side
//! answers is not read beyond its status: it may quote what was sent.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::HttpConfig;
use crate::transport::{TransportFailure, retry_after};
use crate::web::client::{self, WebError, client};

/// The longest a post may take: nobody waits for more than a message.
const TIMEOUT: Duration = Duration::from_secs(20);
const MEDIA_TYPE: &str = "application/json";

/// Why a document was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// What should be an address is none.
    #[error("the address is no URL")]
    NoUrl,
    /// It may not be called.
    #[error(transparent)]
    Address(#[from] WebError),
    /// There was no answer.
    #[error("the webhook gave no answer")]
    NoAnswer(#[source] TransportFailure),
    /// It was refused.
    #[error("the webhook answered {status}")]
    Refused {
        /// The status.
        status: u16,
        /// How long to wait, where it said so.
        retry_after: Option<Duration>,
    },
}

impl PostError {
    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NoUrl | Self::Address(_) => {
                "put the whole address there, `https://` and all, as the webhook's page shows it"
            }
            Self::NoAnswer(failure) => client::advice(failure),
            Self::Refused { status: 300..=399, .. } => {
                "it points elsewhere, and that is not followed: put the address there that it points to"
            }
            Self::Refused { status: 401 | 403 | 404 | 410, .. } => {
                "the webhook was removed, or its address has changed: make a new one and put its address there"
            }
            Self::Refused { status: 400 | 415 | 422, .. } => {
                "it does not take this document: look at `format` (`json`, `teams` or `slack`)"
            }
            Self::Refused { .. } => {
                "nothing: it is tried again; if it goes on, look at the other side"
            }
        }
    }

    /// How long the other side asked to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Posts a JSON document; gives the status of the answer.
///
/// # Errors
///
/// When the address may not be called, or the document is not taken.
pub async fn post(
    address: &SecretString,
    body: Vec<u8>,
    http: &HttpConfig,
    now: Timestamp,
) -> Result<u16, PostError> {
    let url = Url::parse(address.expose_secret().trim()).map_err(|_| PostError::NoUrl)?;
    let http = HttpConfig { timeout: http.timeout.min(TIMEOUT), ..http.clone() };
    let request =
        client(&url, &http)?.post(url).header(reqwest::header::CONTENT_TYPE, MEDIA_TYPE).body(body);
    let answer = request.send().await.map_err(|error| PostError::NoAnswer(error.into()))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(status.as_u16());
    }
    let retry_after = retry_after(answer.headers(), now);
    Err(PostError::Refused { status: status.as_u16(), retry_after })
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{body_string, header, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    fn http() -> HttpConfig {
        HttpConfig { proxy: None, ca_file: None, timeout: Duration::from_secs(5) }
    }

    async fn post_to(address: &str) -> Result<u16, PostError> {
        post(&SecretString::from(address), b"{}".to_vec(), &http(), Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn a_document_is_posted_as_json() {
        let server = MockServer::start().await;
        let taken = Mock::given(method("POST")).and(header("content-type", "application/json"));
        let taken = taken.and(body_string("{}")).respond_with(ResponseTemplate::new(202));
        taken.expect(1).mount(&server).await;
        assert_eq!(post_to(&format!("{}/hunter2\n", server.uri())).await.unwrap(), 202);
    }

    #[tokio::test]
    async fn a_refusal_is_told_without_the_address_and_without_its_words() {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(429)
            .insert_header("Retry-After", "7")
            .set_body_string("hunter2 is not allowed");
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let error = post_to(&format!("{}/hunter2", server.uri())).await.unwrap_err();
        assert_eq!(error.to_string(), "the webhook answered 429");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn no_redirect_is_followed() {
        let server = MockServer::start().await;
        let there = ResponseTemplate::new(307).insert_header("Location", "/there");
        Mock::given(method("POST")).respond_with(there).expect(1).mount(&server).await;
        let error = post_to(&server.uri()).await.unwrap_err();
        assert!(matches!(error, PostError::Refused { status: 307, .. }), "{error:?}");
        assert!(error.advice().contains("not followed"));
    }

    #[tokio::test]
    async fn what_is_no_address_or_may_not_be_called_is_told_unseen() {
        for address in ["hunter2", "http://hunter2.example/x", "https://u:hunter2@h.example"] {
            let error = post_to(address).await.unwrap_err();
            assert!(matches!(error, PostError::NoUrl | PostError::Address(_)), "{error:?}");
            let words = crate::telemetry::causes(&error).join(" ");
            assert!(!format!("{words} {error:?}").contains("hunter2"), "{error:?}");
        }
        let gone = "http://127.0.0.1:9/hunter2";
        let error = post_to(gone).await.unwrap_err();
        assert!(matches!(error, PostError::NoAnswer(_)), "{error:?}");
        let words = crate::telemetry::causes(&error).join(" ");
        assert!(!format!("{words} {error:?}").contains("hunter2"), "{words} {error:?}");
    }
}

//! How Microsoft Graph answers: the ids of a request, refusals, and JSON bodies.
//!
//! Follows "Microsoft Graph error responses and resource types". Codes for bulkUpload are not
//! documented; those used here are the general ones.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock::{error_date, http_date};

/// The ids of one request.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) request: String,
    /// As the client sent it.
    pub(super) client: Option<String>,
}

impl Ids {
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self { request: guid(), client: header(request, "client-request-id").map(str::to_owned) }
    }

    /// The client's id echoed, or ours.
    fn echo(&self) -> &str {
        self.client.as_deref().unwrap_or(&self.request)
    }

    /// Begins an answer with the headers that all have.
    pub(super) fn answer(&self, status: u16, now: i64) -> HttpResponseBuilder {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut answer = HttpResponse::build(status);
        answer
            .insert_header(("request-id", self.request.as_str()))
            .insert_header(("client-request-id", self.echo()))
            .insert_header(("Date", http_date(now)));
        answer
    }
}

/// A fresh id, as GUID.
pub(super) fn guid() -> String {
    Uuid::new_v4().to_string()
}

/// A request header's text.
pub(super) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The bearer token of a request.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = header(request, "Authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    /// Seconds.
    retry_after: Option<u32>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    #[must_use]
    pub(super) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn token() -> Self {
        Self::new(
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired, not yet valid or unknown.",
        )
    }

    pub(super) fn permission() -> Self {
        Self::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{what}' does not exist or one of its queried reference-property \
                 objects are not present."
            ),
        )
    }

    pub(super) fn verb() -> Self {
        Self::new(405, "Request_BadRequest", "Specified HTTP method is not allowed.")
    }

    pub(super) fn throttled() -> Self {
        Self::new(429, "TooManyRequests", "Too many requests, try again later.")
    }

    pub(super) fn bucket_full() -> Self {
        Self::new(
            500,
            "InternalServerError",
            "The bucket that stores the ingested data is full. Try again later.",
        )
    }

    pub(super) fn server() -> Self {
        Self::new(500, "InternalServerError", "An internal server error has occurred.")
    }

    pub(super) fn unavailable() -> Self {
        Self::new(503, "ServiceUnavailable", "The service is temporarily unavailable.")
            .retry_after(1)
    }

    /// The refusal as an answer.
    pub(super) fn answer(&self, ids: &Ids, now: i64) -> HttpResponse {
        let mut answer = ids.answer(self.status, now);
        if let Some(seconds) = self.retry_after {
            answer.insert_header(("Retry-After", seconds.to_string()));
        }
        answer.json(json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": error_date(now),
                    "request-id": ids.request,
                    "client-request-id": ids.echo(),
                },
            },
        }))
    }
}

/// 204, or the refusal.
pub(super) fn answer_nothing(outcome: Result<(), Refusal>, ids: &Ids, now: i64) -> HttpResponse {
    match outcome {
        Ok(()) => ids.answer(204, now).finish(),
        Err(refusal) => refusal.answer(ids, now),
    }
}

/// 200 with a JSON body, or the refusal.
pub(super) fn answer_json(outcome: Result<Value, Refusal>, ids: &Ids, now: i64) -> HttpResponse {
    match outcome {
        Ok(body) => ids.answer(200, now).json(body),
        Err(refusal) => refusal.answer(ids, now),
    }
}

//! What goes wrong, as a problem document (RFC 9457).

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::bridge::documents::RunDocument;
use crate::bridge::{BridgeError, DecisionError};
use crate::domain::Problem as FileProblem;
use crate::store::{StoreError, StoreTrouble};
use crate::telemetry::causes;

/// The media type of problem documents.
const MEDIA_TYPE: &str = "application/problem+json";

/// What kind of thing went wrong. The names of the variants are promised, as `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Timeout,
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    FileRefused,
    TooManyAttempts,
    TooManyRequests,
    Internal,
    Unavailable,
}

impl Kind {
    /// The last part of `type`, the status, and `title`.
    const fn words(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => {
                ("bad-request", StatusCode::BAD_REQUEST, "The request is not understood")
            }
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "No known credential"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Not allowed"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not take that method",
            ),
            Self::Timeout => {
                ("timeout", StatusCode::REQUEST_TIMEOUT, "The request took too long to arrive")
            }
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "Not possible any more"),
            Self::TooLarge => {
                ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is over the limit")
            }
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not taken in this form",
            ),
            Self::FileRefused => {
                ("file-refused", StatusCode::UNPROCESSABLE_ENTITY, "The file was refused")
            }
            Self::TooManyAttempts => {
                ("too-many-attempts", StatusCode::TOO_MANY_REQUESTS, "Too many unknown credentials")
            }
            Self::TooManyRequests => {
                ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "More than is allowed")
            }
            Self::Internal => {
                ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something is wrong on this side")
            }
            Self::Unavailable => {
                ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Not possible at the moment")
            }
        }
    }
}

/// What went wrong, ready to be answered.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    document: Box<ProblemDocument>,
    allow: Option<&'static str>,
    retry_after: Option<Duration>,
}

/// A problem document (RFC 9457). `detail` and `hint` never hold a value of a person.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemDocument {
    /// `urn:scimport:problem:` and a word that stays.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every problem of this type.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What it is this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
    /// Of a refused file or delivery: why, as a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// Of a refused file or delivery: where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    place: Option<String>,
    /// Of a refused file: the run that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    run: Option<RunDocument>,
}

impl Problem {
    pub(super) fn new(kind: Kind) -> Self {
        let (word, status, title) = kind.words();
        let document = ProblemDocument {
            kind: format!("urn:scimport:problem:{word}"),
            title,
            status: status.as_u16(),
            detail: None,
            hint: None,
            code: None,
            place: None,
            run: None,
        };
        Self { kind, document: Box::new(document), allow: None, retry_after: None }
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.document.detail = Some(detail.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.document.hint = Some(hint.into());
        self
    }

    /// Why a delivery is refused, as a stable code, and where in it.
    pub(super) fn at(mut self, code: &str, place: impl Into<String>) -> Self {
        self.document.code = Some(code.to_owned());
        self.document.place = Some(place.into());
        self
    }

    pub(super) const fn allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    pub(super) const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A file that was refused, with the run that it is.
    pub(super) fn refused(problem: &FileProblem, run: Option<RunDocument>) -> Self {
        let mut refused = Self::new(Kind::FileRefused).detail(problem.message.clone());
        refused.document.hint.clone_from(&problem.hint);
        refused.document.code = Some(problem.code.to_owned());
        refused.document.place = Some(problem.place.to_string());
        refused.document.run = run;
        refused
    }

    /// Something that only whoever looks after this machine can mend: the words go into the log.
    pub(super) fn of_error(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(causes = %causes(error).join("; because "), "a call of the API failed");
        match StoreTrouble::among_causes(error) {
            Some(trouble) => Self::new(Kind::Unavailable)
                .detail(format!("the store cannot be used: {trouble}"))
                .hint(trouble.advice())
                .retry_after(Duration::from_secs(30)),
            None => Self::new(Kind::Internal).detail("the log of this machine says why"),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of_error(&error)
    }
}

impl From<BridgeError> for Problem {
    fn from(error: BridgeError) -> Self {
        match &error {
            BridgeError::Decision(decision) => {
                let kind = match decision {
                    DecisionError::NoSuchRun(_) => Kind::NotFound,
                    DecisionError::Superseded { .. } | DecisionError::NotPossible { .. } => {
                        Kind::Conflict
                    }
                };
                Self::new(kind).detail(decision.to_string())
            }
            BridgeError::Refused(problem) => Self::refused(problem, None),
            BridgeError::LedgerBusy => Self::new(Kind::Unavailable)
                .detail(error.to_string())
                .retry_after(Duration::from_secs(5)),
            _ => Self::of_error(&error),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.document.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.words().1
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.content_type(MEDIA_TYPE);
        if self.kind == Kind::Unauthorized {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"scimport\""));
        }
        if let Some(methods) = self.allow {
            answer.insert_header((ALLOW, methods));
        }
        if let Some(wait) = self.retry_after {
            answer.insert_header((RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        answer.body(serde_json::to_string(&self.document).unwrap_or_default())
    }
}
